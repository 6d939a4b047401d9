#include "depthwise_take.h"
#include "depthwise_fast.h"

static inline void ek_depthwise_prepare(const ek_depthwise_conv_2d_t *d,
                                        ek_depthwise_channel_t *k) {
    const int8_t *w = k->weights;
    int32_t sum = 0, i;
#if defined(__ARM_FEATURE_DSP)
    if (d->fast & 4) {
        ek_depthwise_spread(w, k->pairs);
        return;
    }
#endif
#if defined(__ARM_FEATURE_DSP) && (EK_DEPTHWISE_3X3 || EK_DEPTHWISE_3X3_BY_2)
    if (d->fast & 3) {
        for (i = 0; i < 6; i += 2, w += 3) {
            int32_t first = w[0], second = w[1], third = w[2];
            sum += first + second + third;
            second *= 2;
            k->pairs[i] = ((uint32_t)(2 * first) & 0xffffu) | (uint32_t)second << 16;
            k->pairs[i + 1] = ((uint32_t)second & 0xffffu) | (uint32_t)third << 17;
        }
        k->bias = 2 * (k->bias - d->zero_in * sum);
        k->shift = -1 - k->shift;
        k->zero = (2 * k->zero + 1) * (1 << k->shift);
        return;
    }
#endif
#if EK_DEPTHWISE_ANY || !defined(__ARM_FEATURE_DSP)
    for (i = 0; i < d->kernel_height; ++i) {
        uint32_t *to = k->taps + i * ((d->kernel_width + 1) / 2);
        int32_t left = d->kernel_width;
        for (; left > 0; left -= 2, w += 2) {
            int32_t second = left > 1 ? w[1] : 0;
            sum += w[0] + second;
            *to++ = ((uint32_t)w[0] & 0xffffu) | (uint32_t)second << 16;
        }
        w += left;
    }
    if (d->fast & 4) {
        k->zero = k->bias;
        k->bias = 0;
    } else {
        k->bias -= d->zero_in * sum;
    }
#endif
}

static inline int8_t ek_depthwise_out(const ek_depthwise_channel_t *k, int32_t sum) {
#if !defined(__ARM_FEATURE_DSP)
    if (k->one_product) {
        int64_t product = ((int64_t)sum * 256 + k->zero) * k->multiplier;
        return (int8_t)ek_clamp((int32_t)(product >> 42), k->low, k->high);
    }
#endif
    sum = ek_multiply(sum, k->multiplier, k->shift) + k->zero;
    return (int8_t)ek_clamp(sum, k->low, k->high);
}

#if EK_DEPTHWISE_ANY || !defined(__ARM_FEATURE_DSP)
static inline int32_t ek_depthwise_two(uint32_t taps, const int16_t *x, int32_t sum) {
    uint32_t inputs = ek_load32(x);
#if defined(__ARM_FEATURE_DSP)
    __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(taps), "r"(inputs));
    return sum;
#else
    return sum + (int16_t)taps * (int16_t)inputs + (int16_t)(taps >> 16) * (int16_t)(inputs >> 16);
#endif
}

/* Any kernel whose taps are neighbours: two taps of four outputs at a time. */
static EK_NOINLINE void ek_depthwise_pairs(const ek_depthwise_conv_2d_t *d,
                                           const ek_depthwise_channel_t *k, const int16_t *x,
                                           int8_t *out) {
    int32_t left, stride = d->stride_width, down = d->dilation_height * d->pitch;
    for (left = k->count; left > 0; left -= 4, x += 4 * stride) {
        int32_t sums[4], a = k->bias, b = a, c = a, e = a, ky, i;
        const int16_t *row = x;
        const uint32_t *taps = k->taps;
        for (ky = d->kernel_height; ky > 0; --ky, row += down) {
            const int16_t *at = row, *end = row + d->kernel_width;
            for (; at < end; at += 2) {
                uint32_t two = *taps++;
                a = ek_depthwise_two(two, at, a);
                b = ek_depthwise_two(two, at + stride, b);
                c = ek_depthwise_two(two, at + 2 * stride, c);
                e = ek_depthwise_two(two, at + 3 * stride, e);
            }
        }
        sums[0] = a;
        sums[1] = b;
        sums[2] = c;
        sums[3] = e;
        for (i = 0; i < 4 && i < left; ++i, out += k->out_along)
            *out = ek_depthwise_out(k, sums[i]);
    }
}

static EK_NOINLINE void ek_depthwise_any(const ek_depthwise_conv_2d_t *d,
                                         const ek_depthwise_channel_t *k, const int16_t *x,
                                         int8_t *out) {
    int32_t left = d->out_width, ky, kx;
    if (d->dilation_width == 1) {
        ek_depthwise_pairs(d, k, x, out);
        return;
    }
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
#if defined(__ARM_FEATURE_DSP)
    int32_t fast = d->fast & 7;
    (void)fast;
#if EK_DEPTHWISE_3X3_LONG
    if (d->fast & 16)
        ek_depthwise_3x3_long(k, x, out, lines);
    else
#endif
#if EK_DEPTHWISE_3X3_ONE
    if (fast == 5)
        ek_depthwise_3x3_one(k, x, out, lines);
    else
#endif
#if EK_DEPTHWISE_3X3_BY_2_ONE
    if (fast == 6)
        ek_depthwise_3x3_by_2_one(k, x, out, lines);
    else
#endif
#if EK_DEPTHWISE_3X3
    if (fast == 1)
        ek_depthwise_3x3(k, x, out, lines);
    else
#endif
#if EK_DEPTHWISE_3X3_BY_2
    if (fast == 2)
        ek_depthwise_3x3_by_2(k, x, out, lines);
#endif
    {
    }
#if EK_DEPTHWISE_CLAMP
    if (d->fast & 3 && (d->low > -128 || d->high < 127)) {
        int32_t i, at;
        for (i = 0; i < lines; ++i, out += k->out_across)
            for (at = 0; at < k->count * k->out_along; at += k->out_along)
                out[at] = (int8_t)ek_clamp(out[at], d->low, d->high);
    }
#endif
    if (d->fast & 3)
        return;
#endif
#if EK_DEPTHWISE_ANY || !defined(__ARM_FEATURE_DSP)
    for (; lines > 0; --lines, x += k->line_bytes / 2, out += k->out_across)
        ek_depthwise_any(d, k, x, out);
#endif
}
