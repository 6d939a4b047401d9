#include "depthwise_channel.h"

/* Neighbours along of one channel, side by side. */
static EK_NOINLINE void ek_depthwise_take(const int8_t *in, int32_t along, int32_t count,
                                          int16_t *to) {
    int32_t two = 2 * along, three = 3 * along;
    for (; count >= 4; count -= 4, to += 4, in += 2 * two) {
        int32_t first = *in, second = in[along], third = in[two], fourth = in[three];
        to[0] = (int16_t)first;
        to[1] = (int16_t)second;
        to[2] = (int16_t)third;
        to[3] = (int16_t)fourth;
    }
    for (; count > 0; --count, in += along)
        *to++ = *in;
}

static inline void ek_depthwise_prepare(const ek_depthwise_conv_2d_t *d,
                                        ek_depthwise_channel_t *k) {
    int32_t sum = 0, i;
    for (i = d->kernel_height * d->kernel_width; i > 0;)
        sum += k->weights[--i];
    k->bias -= d->zero_in * sum;
}

static inline int8_t ek_depthwise_out(const ek_depthwise_channel_t *k, int32_t sum) {
    sum = ek_multiply(sum, k->multiplier, k->shift) + k->zero;
    return (int8_t)ek_clamp(sum, k->low, k->high);
}

#if EK_DEPTHWISE_3X3
/* 3 x 3 taps side by side, two outputs at a time. */
static EK_NOINLINE void ek_depthwise_3x3(const ek_depthwise_conv_2d_t *d,
                                         const ek_depthwise_channel_t *k, const int16_t *x,
                                         int8_t *out) {
    int32_t left = d->out_width, ky;
    for (; left > 0; left -= 2, x += 2) {
        int32_t a = k->bias, b = a;
        const int16_t *row = x;
        const int8_t *w = k->weights;
        for (ky = 0; ky < 3; ++ky, row += d->dilation_height * d->pitch, w += 3) {
            int32_t tap = w[0], second = row[1], third = row[2];
            a += tap * row[0];
            b += tap * second;
            tap = w[1];
            a += tap * second;
            b += tap * third;
            tap = w[2];
            a += tap * third;
            b += tap * row[3];
        }
        *out = ek_depthwise_out(k, a);
        out += k->out_along;
        if (left > 1)
            *out = ek_depthwise_out(k, b);
        out += k->out_along;
    }
}
#endif

#if EK_DEPTHWISE_ANY
static EK_NOINLINE void ek_depthwise_any(const ek_depthwise_conv_2d_t *d,
                                         const ek_depthwise_channel_t *k, const int16_t *x,
                                         int8_t *out) {
    int32_t left = d->out_width, ky, kx;
    for (; left > 0; --left, x += d->stride_width, out += k->out_along) {
        int32_t sum = k->bias;
        const int16_t *row = x;
        const int8_t *w = k->weights;
        for (ky = 0; ky < d->kernel_height; ++ky, row += d->dilation_height * d->pitch) {
            const int16_t *tap = row;
            for (kx = 0; kx < d->kernel_width; ++kx, tap += d->dilation_width)
                sum += *w++ * *tap;
        }
        *out = ek_depthwise_out(k, sum);
    }
}
#endif

static inline void ek_depthwise_lines(const ek_depthwise_conv_2d_t *d,
                                      const ek_depthwise_channel_t *k, const int16_t *x,
                                      int8_t *out, int32_t lines) {
    for (; lines > 0; --lines, x += k->line_bytes / 2, out += k->out_across) {
#if EK_DEPTHWISE_3X3 && EK_DEPTHWISE_ANY
        (d->fast & 3 ? ek_depthwise_3x3 : ek_depthwise_any)(d, k, x, out);
#elif EK_DEPTHWISE_3X3
        ek_depthwise_3x3(d, k, x, out);
#else
        ek_depthwise_any(d, k, x, out);
#endif
    }
}
