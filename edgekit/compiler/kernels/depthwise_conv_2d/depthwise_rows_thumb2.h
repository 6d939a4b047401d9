#include "depthwise_channel.h"

/* Neighbours along of one channel, side by side. */
static EK_NOINLINE void ek_depthwise_take(const int8_t *in, int32_t along, int32_t count,
                                          int16_t *to) {
    for (; count >= 4; count -= 4, to += 4) {
        int32_t first = *in, second, third, fourth;
        second = *(in += along);
        third = *(in += along);
        fourth = *(in += along);
        in += along;
        to[0] = (int16_t)first;
        to[1] = (int16_t)second;
        to[2] = (int16_t)third;
        to[3] = (int16_t)fourth;
    }
    for (; count > 0; --count, in += along)
        *to++ = *in;
}

#if EK_THUMB2 && (EK_DEPTHWISE_3X3 || EK_DEPTHWISE_3X3_BY_2)
/* Registers: r4-r7 four sums, doubled; r8-r10 the taps of a row, doubled; r11 and r12 inputs; lr
   bytes from row to row. Outputs are neighbours, or every second one. */
#define EK_DEPTHWISE_LOAD(one, two, three)                                                       \
    "ldrsh r8, [r0, #" one "]\n ldrsh r9, [r0, #" two "]\n ldrsh r10, [r0, #" three "]\n"        \
    "ldrsh r11, [r1]\n ldrsh r12, [r1, #2]\n mla r4, r8, r11, r4\n mla r4, r9, r12, r4\n"
#define EK_DEPTHWISE_TAPS(one, two, three)                                                       \
    EK_DEPTHWISE_LOAD(one, two, three)                                                           \
    "mla r5, r8, r12, r5\n ldrsh r11, [r1, #4]\n ldrsh r12, [r1, #6]\n"                          \
    "mla r4, r10, r11, r4\n mla r5, r9, r11, r5\n mla r6, r8, r11, r6\n"                         \
    "mla r5, r10, r12, r5\n mla r6, r9, r12, r6\n mla r7, r8, r12, r7\n"                         \
    "ldrsh r11, [r1, #8]\n ldrsh r12, [r1, #10]\n"                                               \
    "mla r6, r10, r11, r6\n mla r7, r9, r11, r7\n mla r7, r10, r12, r7\n"
#define EK_DEPTHWISE_TAPS_BY_2(one, two, three)                                                  \
    EK_DEPTHWISE_LOAD(one, two, three)                                                           \
    "ldrsh r11, [r1, #4]\n ldrsh r12, [r1, #6]\n mla r4, r10, r11, r4\n mla r5, r8, r11, r5\n"   \
    "mla r5, r9, r12, r5\n ldrsh r11, [r1, #8]\n ldrsh r12, [r1, #10]\n"                         \
    "mla r5, r10, r11, r5\n mla r6, r8, r11, r6\n mla r6, r9, r12, r6\n"                         \
    "ldrsh r11, [r1, #12]\n ldrsh r12, [r1, #14]\n mla r6, r10, r11, r6\n"                       \
    "mla r7, r8, r11, r7\n mla r7, r9, r12, r7\n ldrsh r11, [r1, #16]\n mla r7, r10, r11, r7\n"
#if EK_DEPTHWISE_SIGNED
#define EK_DEPTHWISE_SIGN(sum) "add " sum ", " sum ", " sum ", asr #31\n"
#else /* all below the zero point is cut off: how negative sums are rounded is all one */
#define EK_DEPTHWISE_SIGN(sum)
#endif
#define EK_DEPTHWISE_ROUND(sum)                                                                  \
    "smull r8, " sum ", " sum ", r9\n add " sum ", " sum ", r8, lsr #31\n"                       \
    EK_DEPTHWISE_SIGN(sum) "add " sum ", r11\n asr " sum ", r10\n"                               \
    "ssat " sum ", #8, " sum ", asr #1\n"

/* 3 x 3 taps side by side, four outputs at a time, line by line. */
#define EK_DEPTHWISE_FAST(name, taps, advance)                                                   \
    static __attribute__((naked, noinline)) void name(                                           \
        __attribute__((unused)) const ek_depthwise_channel_t *k,                                 \
        __attribute__((unused)) const int16_t *x, __attribute__((unused)) int8_t *out,           \
        __attribute__((unused)) int32_t lines) {                                                 \
        __asm__ volatile(                                                                        \
            "push {r4-r11, lr}\n sub sp, #12\n"                                                  \
            "5: stm sp, {r1, r2, r3}\n ldr r3, [r0, #48]\n ldr lr, [r0, #44]\n"                  \
            "1: ldr r4, [r0, #24]\n mov r5, r4\n mov r6, r4\n mov r7, r4\n"                      \
            taps("0", "2", "4") "add r1, lr\n" taps("6", "8", "10") "add r1, lr\n"               \
            taps("12", "14", "16")                                                               \
            "ldr r9, [r0, #28]\n ldr r10, [r0, #32]\n ldr r11, [r0, #36]\n ldr r12, [r0, #40]\n" \
            EK_DEPTHWISE_ROUND("r4") EK_DEPTHWISE_ROUND("r5")                                    \
            EK_DEPTHWISE_ROUND("r6") EK_DEPTHWISE_ROUND("r7")                                    \
            "sub r1, r1, lr, lsl #1\n adds r1, #" advance "\n subs r3, #4\n blt 2f\n"            \
            "strb r4, [r2]\n strb r5, [r2, r12]\n add r2, r2, r12, lsl #1\n"                     \
            "strb r6, [r2]\n strb r7, [r2, r12]\n add r2, r2, r12, lsl #1\n"                     \
            "bne 1b\n b 3f\n"                                                                    \
            "2: strb r4, [r2]\n adds r3, #3\n beq 3f\n strb r5, [r2, r12]\n"                     \
            "subs r3, #1\n beq 3f\n strb r6, [r2, r12, lsl #1]\n"                                \
            "3: ldm sp, {r1, r2, r3}\n ldr r4, [r0, #52]\n ldr r5, [r0, #56]\n"                  \
            "add r1, r4\n add r2, r5\n subs r3, #1\n bne 5b\n"                                   \
            "add sp, #12\n pop {r4-r11, pc}\n");                                                 \
    }
#if EK_DEPTHWISE_3X3
EK_DEPTHWISE_FAST(ek_depthwise_3x3, EK_DEPTHWISE_TAPS, "8")
#endif
#if EK_DEPTHWISE_3X3_BY_2
EK_DEPTHWISE_FAST(ek_depthwise_3x3_by_2, EK_DEPTHWISE_TAPS_BY_2, "16")
#endif
#endif

/* For the fast loops `pairs` holds the taps one after the other, of 16 bits. */
static inline void ek_depthwise_prepare(const ek_depthwise_conv_2d_t *d,
                                        ek_depthwise_channel_t *k) {
    const int8_t *w = k->weights;
    int32_t sum = 0, i;
#if EK_THUMB2 && (EK_DEPTHWISE_3X3 || EK_DEPTHWISE_3X3_BY_2)
    if (d->fast & 3) {
        for (i = 0; i < 5; ++i, w += 2) {
            int32_t first = w[0], second = i < 4 ? w[1] : 0;
            sum += first + second;
            k->pairs[i] = ((uint32_t)(2 * first) & 0xffffu) | (uint32_t)second << 17;
        }
        k->bias = 2 * (k->bias - d->zero_in * sum);
        k->shift = -1 - k->shift;
        k->zero = (2 * k->zero + 1) * (1 << k->shift);
        return;
    }
#endif
    for (i = d->kernel_height * d->kernel_width; i > 0; --i)
        sum += *w++;
    k->bias -= d->zero_in * sum;
}

static inline int8_t ek_depthwise_out(const ek_depthwise_channel_t *k, int32_t sum) {
    sum = ek_multiply(sum, k->multiplier, k->shift) + k->zero;
    return (int8_t)ek_clamp(sum, k->low, k->high);
}

#if EK_DEPTHWISE_ANY || !EK_THUMB2
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
#if EK_THUMB2
#if EK_DEPTHWISE_3X3
    if ((d->fast & 3) == 1)
        ek_depthwise_3x3(k, x, out, lines);
#endif
#if EK_DEPTHWISE_3X3_BY_2
    if ((d->fast & 3) == 2)
        ek_depthwise_3x3_by_2(k, x, out, lines);
#endif
    if (d->fast & 3) {
        int32_t i;
        if (k->low > -128 || k->high < 127)
            for (; lines > 0; --lines, out += k->out_across)
                for (i = 0; i < k->count; ++i)
                    out[i * k->out_along] =
                        (int8_t)ek_clamp(out[i * k->out_along], k->low, k->high);
        return;
    }
#endif
#if EK_DEPTHWISE_ANY || !EK_THUMB2
    for (; lines > 0; --lines, x += k->line_bytes / 2, out += k->out_across)
        ek_depthwise_any(d, k, x, out);
#endif
}
