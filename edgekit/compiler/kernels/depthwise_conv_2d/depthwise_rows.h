#include "depthwise_channel.h"

static inline void ek_depthwise_prepare(const ek_depthwise_conv_2d_t *d,
                                        ek_depthwise_channel_t *k) {
    (void)d;
    (void)k;
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

static inline void ek_depthwise_row(const ek_depthwise_conv_2d_t *d,
                                    const ek_depthwise_channel_t *k, const int16_t *x,
                                    int8_t *out) {
#if EK_DEPTHWISE_3X3 && EK_DEPTHWISE_ANY
    (d->fast ? ek_depthwise_3x3 : ek_depthwise_any)(d, k, x, out);
#elif EK_DEPTHWISE_3X3
    ek_depthwise_3x3(d, k, x, out);
#else
    ek_depthwise_any(d, k, x, out);
#endif
}
