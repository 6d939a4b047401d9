#include "depthwise_channel.h"

/* Neighbours along of one channel, side by side. */
static EK_NOINLINE void ek_depthwise_take(const int8_t *in, int32_t along, int32_t count,
                                          int16_t *to) {
#if defined(__ARM_FEATURE_DSP)
    if (count >= 4) {
        int32_t two = 2 * along, three = 3 * along, a, b, c, d;
        __asm__ volatile(
            "subs %[count], #8\n blt 2f\n"
            "1: ldrsb %[a], [%[in]]\n ldrsb %[b], [%[in], %[one]]\n"
            "ldrsb %[c], [%[in], %[two]]\n ldrsb %[d], [%[in], %[three]]\n"
            "add %[in], %[in], %[one], lsl #2\n"
            "strh %[b], [%[to], #2]\n strh %[c], [%[to], #4]\n strh %[d], [%[to], #6]\n"
            "strh %[a], [%[to]], #8\n"
            "ldrsb %[a], [%[in]]\n ldrsb %[b], [%[in], %[one]]\n"
            "ldrsb %[c], [%[in], %[two]]\n ldrsb %[d], [%[in], %[three]]\n"
            "add %[in], %[in], %[one], lsl #2\n"
            "strh %[b], [%[to], #2]\n strh %[c], [%[to], #4]\n strh %[d], [%[to], #6]\n"
            "strh %[a], [%[to]], #8\n"
            "subs %[count], #8\n bge 1b\n"
            "2: adds %[count], #8\n"
            : [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d), [in] "+r"(in), [to] "+r"(to),
              [count] "+r"(count)
            : [one] "r"(along), [two] "r"(two), [three] "r"(three)
            : "cc", "memory");
    }
#endif
    for (; count > 0; --count, in += along)
        *to++ = *in;
}

#if EK_DEPTHWISE_FOUR
/* Lines of four channels, `across` bytes apart, to planes of `plane` bytes, a line every `pitch`;
   words are stored where words begin. */
#if defined(__ARM_FEATURE_DSP)
#define EK_DEPTHWISE_PIXEL                                                                       \
    "ldr r4, [r0]\n add r0, r1\n sxtb16 r5, r4\n sxtb16 r4, r4, ror #8\n"                        \
    "strh r4, [r3, r12]\n lsr r4, #16\n strh r4, [r3, lr]\n lsr r4, r5, #16\n"                  \
    "strh r4, [r3, r12, lsl #1]\n strh r5, [r3], #2\n"
#define EK_DEPTHWISE_PIXELS                                                                      \
    "ldr r4, [r0]\n ldr r6, [r0, r1]\n add r0, r0, r1, lsl #1\n"                                \
    "pkhbt r5, r4, r6, lsl #16\n pkhtb r4, r6, r4, asr #16\n"                                   \
    "sxtb16 r6, r5, ror #8\n sxtb16 r5, r5\n str r6, [r3, r12]\n"                              \
    "sxtb16 r6, r4\n sxtb16 r4, r4, ror #8\n str r6, [r3, r12, lsl #1]\n"                      \
    "str r4, [r3, lr]\n str r5, [r3], #4\n"
static __attribute__((naked, noinline)) void ek_depthwise_take_four(
    __attribute__((unused)) const int8_t *in, __attribute__((unused)) int32_t along,
    __attribute__((unused)) int32_t count, __attribute__((unused)) int16_t *to,
    __attribute__((unused)) int32_t plane, __attribute__((unused)) int32_t lines,
    __attribute__((unused)) int32_t across, __attribute__((unused)) int32_t pitch) {
    __asm__ volatile(
        "push {r4-r11, lr}\n ldr r12, [sp, #36]\n ldr r10, [sp, #40]\n ldr r11, [sp, #44]\n"
        "mov r7, r0\n mov r8, r3\n mov r9, r2\n add lr, r12, r12, lsl #1\n"
        "0: tst r3, #2\n beq 1f\n" EK_DEPTHWISE_PIXEL "subs r2, #1\n"
        "1: subs r2, #4\n blt 3f\n"
        "2:\n" EK_DEPTHWISE_PIXELS EK_DEPTHWISE_PIXELS "subs r2, #4\n bge 2b\n"
        "3: adds r2, #2\n blt 4f\n" EK_DEPTHWISE_PIXELS "subs r2, #2\n"
        "4: adds r2, #2\n beq 5f\n" EK_DEPTHWISE_PIXEL
        "5: ldr r4, [sp, #48]\n add r7, r11\n add r8, r4\n mov r0, r7\n mov r3, r8\n"
        "mov r2, r9\n subs r10, #1\n bne 0b\n pop {r4-r11, pc}\n");
}
#else
static EK_NOINLINE void ek_depthwise_take_four(const int8_t *in, int32_t along, int32_t count,
                                               int16_t *to, int32_t plane, int32_t lines,
                                               int32_t across, int32_t pitch) {
    int32_t i;
    for (; lines > 0; --lines, in += across, to += pitch / 2)
        for (i = 0; i < 4; ++i)
            ek_depthwise_take(in + i, along, count, to + i * plane / 2);
}
#endif
#endif

#if defined(__ARM_FEATURE_DSP)
/* Registers: r4-r7 four sums, scaled; r8-r10 neighbouring inputs; r11 and r12 taps 0, 1 and 1, 2 of
   a row, scaled; lr bytes from row to row. Outputs are neighbours, or every second one. */
#define EK_DEPTHWISE_LOAD(one, two)                                                              \
    "ldr r11, [r0, #" one "]\n ldr r12, [r0, #" two "]\n"                                        \
    "ldr r8, [r1]\n ldr r9, [r1, #4]\n ldr r10, [r1, #8]\n"
#define EK_DEPTHWISE_TAPS(one, two, begin)                                                       \
    EK_DEPTHWISE_LOAD(one, two)                                                                  \
    "smlad r4, r11, r8, " begin("r4") "\n smlabt r5, r11, r8, " begin("r5") "\n"                 \
    "smlad r6, r11, r9, " begin("r6") "\n smlabt r7, r11, r9, r7\n smlatb r4, r12, r9, r4\n"     \
    "smlad r5, r12, r9, r5\n smlatb r6, r12, r10, r6\n smlad r7, r12, r10, r7\n"
#define EK_DEPTHWISE_TAPS_BY_2(one, two, begin)                                                  \
    EK_DEPTHWISE_LOAD(one, two)                                                                  \
    "smlad r4, r11, r8, " begin("r4") "\n smlatb r4, r12, r9, r4\n"                              \
    "smlad r5, r11, r9, " begin("r5") "\n smlatb r5, r12, r10, r5\n"                             \
    "smlad r6, r11, r10, " begin("r6") "\n ldr r8, [r1, #12]\n ldr r9, [r1, #16]\n"              \
    "smlatb r6, r12, r8, r6\n smlad r7, r11, r8, r7\n smlatb r7, r12, r9, r7\n"
/* The sum that another one goes on from: itself, or in the first row r7, which all begin with. */
#define EK_DEPTHWISE_ON(sum) sum
#define EK_DEPTHWISE_FROM_R7(sum) "r7"
#define EK_DEPTHWISE_ROUND(sum)                                                                  \
    "smmlar r8, " sum ", r9, r11\n add r8, r8, " sum ", asr #31\n"                               \
    "asr r8, r8, r10\n ssat " sum ", #8, r8, asr #1\n"
#define EK_DEPTHWISE_ROUND4                                                                      \
    "ldr r9, [r0, #28]\n ldr r10, [r0, #32]\n ldr r11, [r0, #36]\n ldr r12, [r0, #40]\n"         \
    EK_DEPTHWISE_ROUND("r4") EK_DEPTHWISE_ROUND("r5")                                            \
    EK_DEPTHWISE_ROUND("r6") EK_DEPTHWISE_ROUND("r7")
/* One product each: see one_product.py. */
#define EK_DEPTHWISE_ONE4                                                                        \
    "ldr r9, [r0, #28]\n ldr r12, [r0, #40]\n"                                                   \
    "smmul r4, r4, r9\n smmul r5, r5, r9\n smmul r6, r6, r9\n smmul r7, r7, r9\n"                \
    "ssat r4, #8, r4, asr #10\n ssat r5, #8, r5, asr #10\n"                                      \
    "ssat r6, #8, r6, asr #10\n ssat r7, #8, r7, asr #10\n"

/* 3 x 3 taps side by side, four outputs at a time, line by line. */
#define EK_DEPTHWISE_FAST(name, taps, advance, round)                                            \
    static __attribute__((naked, noinline)) void name(                                           \
        __attribute__((unused)) const ek_depthwise_channel_t *k,                                 \
        __attribute__((unused)) const int16_t *x, __attribute__((unused)) int8_t *out,           \
        __attribute__((unused)) int32_t lines) {                                                 \
        __asm__ volatile(                                                                        \
            "push {r4-r11, lr}\n sub sp, #12\n"                                                  \
            "stm sp, {r1, r2, r3}\n ldr r3, [r0, #48]\n ldr lr, [r0, #44]\n"                     \
            "1: ldr r7, [r0, #24]\n" taps("0", "4", EK_DEPTHWISE_FROM_R7)                         \
            "add r1, lr\n" taps("8", "12", EK_DEPTHWISE_ON)                                       \
            "add r1, lr\n" taps("16", "20", EK_DEPTHWISE_ON)                                      \
            round "subs r3, #4\n blt 2f\n"                                                       \
            "sub r1, r1, lr, lsl #1\n add r1, r1, #" advance "\n"                                \
            "strb r4, [r2]\n strb r5, [r2, r12]\n add r2, r2, r12, lsl #1\n"                     \
            "strb r6, [r2]\n strb r7, [r2, r12]\n add r2, r2, r12, lsl #1\n"                     \
            "bne 1b\n b 3f\n"                                                                    \
            "2: strb r4, [r2]\n adds r3, #3\n beq 3f\n strb r5, [r2, r12]\n"                     \
            "subs r3, #1\n beq 3f\n strb r6, [r2, r12, lsl #1]\n"                                \
            "3: ldr r1, [sp]\n ldr r2, [sp, #4]\n ldr r6, [sp, #8]\n"                             \
            "ldr r4, [r0, #52]\n ldr r5, [r0, #56]\n ldr r3, [r0, #48]\n"                        \
            "add r1, r4\n add r2, r5\n subs r6, #1\n"                                            \
            "str r1, [sp]\n str r2, [sp, #4]\n str r6, [sp, #8]\n bne.w 1b\n"                    \
            "add sp, #12\n pop {r4-r11, pc}\n");                                                 \
    }
#if EK_DEPTHWISE_3X3_LONG
/* Eight neighbours at a time, one product each. Registers: r0-r7 sums, r8-r10 inputs, r11 and r12
   taps, lr where inputs are read. Stack: 0 taps, 24 offset, 28 factor, 32 outputs along, 36 bytes
   from row to row, 40 from the last row to the next eight, 44 outputs of a line, 48 those to go, 52
   output, 56 and 60 inputs and outputs of the line, 64 lines to go, 68 and 72 bytes to the next. */
#define EK_DEPTHWISE_ROW8(one, two, step, move, begin)                                           \
    step "ldr r11, [sp, #" one "]\n ldr r12, [sp, #" two "]\n" move                              \
    "ldr r8, [lr]\n ldr r9, [lr, #4]\n ldr r10, [lr, #8]\n"                                      \
    "smlad r0, r11, r8, " begin("r0") "\n smlabt r1, r11, r8, " begin("r1") "\n"                 \
    "smlad r2, r11, r9, " begin("r2") "\n smlabt r3, r11, r9, " begin("r3") "\n"                 \
    "smlatb r0, r12, r9, r0\n smlad r1, r12, r9, r1\n ldr r8, [lr, #12]\n ldr r9, [lr, #16]\n"   \
    "smlatb r2, r12, r10, r2\n smlad r3, r12, r10, r3\n"                                         \
    "smlad r4, r11, r10, " begin("r4") "\n smlabt r5, r11, r10, " begin("r5") "\n"               \
    "smlad r6, r11, r8, " begin("r6") "\n smlabt r7, r11, r8, r7\n"                              \
    "smlatb r4, r12, r8, r4\n smlad r5, r12, r8, r5\n"                                           \
    "smlatb r6, r12, r9, r6\n smlad r7, r12, r9, r7\n"
#define EK_DEPTHWISE_ONE_OF8(sum)                                                                \
    "smmul " sum ", " sum ", r8\n ssat " sum ", #8, " sum ", asr #10\n"
#define EK_DEPTHWISE_STORE2(first, second)                                                       \
    "strb " first ", [r10]\n strb " second ", [r10, r9]\n add r10, r10, r9, lsl #1\n"
static __attribute__((naked, noinline)) void ek_depthwise_3x3_long(
    __attribute__((unused)) const ek_depthwise_channel_t *k,
    __attribute__((unused)) const int16_t *x, __attribute__((unused)) int8_t *out,
    __attribute__((unused)) int32_t lines) {
    __asm__ volatile(
        "push {r4-r11, lr}\n sub sp, #76\n ldm r0!, {r4-r11}\n stm sp, {r4-r11}\n"
        "ldr r4, [r0, #8]\n ldr r5, [r0, #12]\n ldr r6, [r0, #16]\n ldr r7, [r0, #20]\n"
        "ldr r8, [r0, #24]\n rsb r9, r5, #8\n lsl r9, #1\n"
        "str r4, [sp, #32]\n str r5, [sp, #36]\n str r9, [sp, #40]\n str r6, [sp, #44]\n"
        "str r1, [sp, #56]\n str r2, [sp, #60]\n str r3, [sp, #64]\n str r7, [sp, #68]\n"
        "str r8, [sp, #72]\n"
        "5: ldr lr, [sp, #56]\n ldr r8, [sp, #60]\n ldr r9, [sp, #44]\n"
        "str r8, [sp, #52]\n str r9, [sp, #48]\n"
        "1: ldr r7, [sp, #24]\n" EK_DEPTHWISE_ROW8("0", "4", "", "", EK_DEPTHWISE_FROM_R7)
        EK_DEPTHWISE_ROW8("8", "12", "ldr r8, [sp, #36]\n", "add lr, r8\n", EK_DEPTHWISE_ON)
        EK_DEPTHWISE_ROW8("16", "20", "ldr r8, [sp, #36]\n", "add lr, r8\n", EK_DEPTHWISE_ON)
        "ldr r8, [sp, #28]\n ldr r9, [sp, #32]\n ldr r10, [sp, #52]\n"
        EK_DEPTHWISE_ONE_OF8("r0") EK_DEPTHWISE_ONE_OF8("r1") EK_DEPTHWISE_ONE_OF8("r2")
        EK_DEPTHWISE_ONE_OF8("r3") EK_DEPTHWISE_ONE_OF8("r4") EK_DEPTHWISE_ONE_OF8("r5")
        EK_DEPTHWISE_ONE_OF8("r6") EK_DEPTHWISE_ONE_OF8("r7")
        EK_DEPTHWISE_STORE2("r0", "r1") EK_DEPTHWISE_STORE2("r2", "r3")
        EK_DEPTHWISE_STORE2("r4", "r5") EK_DEPTHWISE_STORE2("r6", "r7")
        "str r10, [sp, #52]\n ldr r8, [sp, #40]\n ldr r9, [sp, #48]\n add lr, r8\n"
        "subs r9, #8\n str r9, [sp, #48]\n bne.w 1b\n"
        "ldr r4, [sp, #56]\n ldr r5, [sp, #60]\n ldr r6, [sp, #64]\n ldr r7, [sp, #68]\n"
        "ldr r8, [sp, #72]\n add r4, r7\n add r5, r8\n str r4, [sp, #56]\n str r5, [sp, #60]\n"
        "subs r6, #1\n str r6, [sp, #64]\n bne.w 5b\n"
        "add sp, #76\n pop {r4-r11, pc}\n");
}
#endif
#if EK_DEPTHWISE_3X3
EK_DEPTHWISE_FAST(ek_depthwise_3x3, EK_DEPTHWISE_TAPS, "8", EK_DEPTHWISE_ROUND4)
#endif
#if EK_DEPTHWISE_3X3_BY_2
EK_DEPTHWISE_FAST(ek_depthwise_3x3_by_2, EK_DEPTHWISE_TAPS_BY_2, "16", EK_DEPTHWISE_ROUND4)
#endif
#if EK_DEPTHWISE_3X3_ONE
EK_DEPTHWISE_FAST(ek_depthwise_3x3_one, EK_DEPTHWISE_TAPS, "8", EK_DEPTHWISE_ONE4)
#endif
#if EK_DEPTHWISE_3X3_BY_2_ONE
EK_DEPTHWISE_FAST(ek_depthwise_3x3_by_2_one, EK_DEPTHWISE_TAPS_BY_2, "16", EK_DEPTHWISE_ONE4)
#endif
#endif

#if defined(__ARM_FEATURE_DSP)
/* The taps of three rows times 256, as pairs 0, 1 and 1, 2. */
static inline void ek_depthwise_spread(const int8_t *w, uint32_t *pairs) {
    const uint32_t *end = pairs + 6;
    uint32_t even, odd, pair;
    __asm__ volatile(
        "1: ldr %[even], [%[w]], #3\n and %[odd], %[even], #0xff00ff00\n lsl %[even], #8\n"
        "and %[even], #0xff00ff00\n pkhbt %[pair], %[even], %[odd], lsl #16\n"
        "pkhbt %[even], %[odd], %[even]\n str %[pair], [%[to]], #4\n str %[even], [%[to]], #4\n"
        "cmp %[to], %[end]\n bne 1b\n"
        : [even] "=&r"(even), [odd] "=&r"(odd), [pair] "=&r"(pair), [w] "+r"(w), [to] "+r"(pairs)
        : [end] "r"(end)
        : "cc", "memory");
}
#endif

static inline void ek_depthwise_prepare(const ek_depthwise_conv_2d_t *d,
                                        ek_depthwise_channel_t *k) {
    const int8_t *w = k->weights;
    int32_t sum = 0, i;
#if defined(__ARM_FEATURE_DSP) && (EK_DEPTHWISE_3X3_ONE || EK_DEPTHWISE_3X3_LONG || EK_DEPTHWISE_3X3_BY_2_ONE)
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
    if (d->fast & 32)
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
