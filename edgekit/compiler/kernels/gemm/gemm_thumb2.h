#include "../common/words.h"
#include "../common/requantize.h"

#define EK_COLUMNS 3

/* A matrix of weights, and what turns its sums into outputs. `fast`: every factor is below 1/2, and
   sums leave room to be doubled; `shift` then is the shift to the right - 1. Sums keep within the
   lanes of a register for `first` inputs, then for each `segment` more. Bit 1 of `fast`: there is
   one pixel only, and a column holds nothing else. */
typedef struct {
    const void *weights;
    const void *bias;
    const int32_t *multiplier;
    const int8_t *shift;
    uint16_t depth, channels;
    int16_t zero_in, zero_out;
    int8_t low, high;
    uint8_t bias_bits, fast;
    uint16_t first, segment;
} ek_gemm_t;

/* Columns of three pixels, the zero point taken off: for each input the words x0 + 2^21 * x2 and
   x1 + 2^10 * x2. Two multiply-accumulates by a weight then add to three sums of 21, 21 and 22
   bits: the lower bits of the first word are the first sum, the upper ones the lower half of the
   third sum; with it taken off, the second word holds the second sum and the rest of the third. */
static EK_NOINLINE void ek_column_take(uint32_t *to, int32_t pixel, int32_t zero,
                                       const int8_t *from, int32_t count) {
    const int8_t *end = from + count;
    if (pixel < 2) {
        for (to += pixel; from < end; to += 2)
            *to = (uint32_t)(*from++ - zero);
        return;
    }
    for (; from < end; to += 2) {
        uint32_t x = (uint32_t)(*from++ - zero), a = to[0], b = to[1];
        to[0] = a + (x << 21);
        to[1] = b + (x << 10);
    }
}

#define EK_COLUMN_STEP                                                                           \
    "ldrsb %[x], [%[a]], #1\n ldrsb %[y], [%[b]], #1\n ldrsb %[z], [%[c]], #1\n"                 \
    "sub %[x], %[x], %[first]\n sub %[y], %[y], %[second]\n add %[x], %[x], %[z], lsl #21\n"    \
    "add %[y], %[y], %[z], lsl #10\n strd %[x], %[y], [%[to]], #8\n"

/* Rows of `count` inputs of three pixels that lie `apart` from each other, `down` bytes from row to
   row. */
static EK_NOINLINE void ek_column_three(const ek_gemm_t *g, int8_t *columns, const int8_t *from,
                                        int32_t apart, int32_t count, int32_t rows, int32_t down) {
    uint32_t *to = (uint32_t *)(void *)columns, zero = (uint32_t)(int32_t)g->zero_in;
    uint32_t first = zero + (zero << 21), second = zero + (zero << 10);
    for (; rows > 0; --rows, from += down) {
        const int8_t *a = from, *b = from + apart, *c = b + apart, *end = from + count;
#if EK_THUMB2
        uint32_t x, y, z;
        __asm__ volatile(
            "tst %[count], #1\n bne 2f\n"
            "1:\n" EK_COLUMN_STEP "2:\n" EK_COLUMN_STEP "cmp %[a], %[end]\n bne 1b\n"
            : [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [to] "+r"(to), [x] "=&r"(x), [y] "=&r"(y),
              [z] "=&r"(z)
            : [first] "r"(first), [second] "r"(second), [end] "r"(end), [count] "r"(count)
            : "cc", "memory");
#else
        for (; a != end; to += 2) {
            uint32_t z = (uint32_t)(int32_t)*c++;
            to[0] = (uint32_t)(int32_t)*a++ + (z << 21) - first;
            to[1] = (uint32_t)(int32_t)*b++ + (z << 10) - second;
        }
#endif
    }
}

#if EK_GEMM_ONE
/* The column of a layer of one pixel: 16 bits an input. */
static EK_NOINLINE void ek_column_alone(const ek_gemm_t *g, int8_t *columns, int32_t at,
                                        const int8_t *from, int32_t count) {
    int16_t *to = (int16_t *)(void *)columns + at;
    int32_t zero = g->zero_in;
    for (; count > 0; --count)
        *to++ = (int16_t)(*from++ - zero);
}
#endif

static inline void ek_column_row(const ek_gemm_t *g, int8_t *columns, int32_t pixel, int32_t at,
                                 const int8_t *from, int32_t count) {
#if EK_GEMM_ONE
    if (g->fast & 2) {
        ek_column_alone(g, columns, at, from, count);
        return;
    }
#endif
    ek_column_take((uint32_t *)(void *)columns + 2 * at, pixel, g->zero_in, from, count);
}

/* Rows of `count` inputs, `down` bytes apart, to every `step` of a column. */
static EK_NOINLINE void ek_column_rows(const ek_gemm_t *g, int8_t *columns, int32_t pixel,
                                       const int8_t *from, int32_t count, int32_t rows,
                                       int32_t down, int32_t step) {
    uint32_t *to = (uint32_t *)(void *)columns;
#if EK_GEMM_ONE
    int32_t at = 0;
    if (g->fast & 2) {
        for (; rows > 0; --rows, from += down, at += step)
            ek_column_alone(g, columns, at, from, count);
        return;
    }
#endif
    for (; rows > 0; --rows, from += down, to += 2 * step)
        ek_column_take(to, pixel, g->zero_in, from, count);
}

/* The same for any number of rows from `at` on. */
static inline void ek_column_put(const ek_gemm_t *g, int8_t *columns, int32_t pixel, int32_t at,
                                 const int8_t *from, int32_t count, int32_t rows, int32_t down,
                                 int32_t step) {
    int32_t each = 8;
#if EK_GEMM_ONE
    if (g->fast & 2)
        each = 2;
#endif
    if (rows > 1)
        ek_column_rows(g, columns + each * at, pixel, from, count, rows, down, step);
    else
        ek_column_row(g, columns, pixel, at, from, count);
}

/* A third pixel has nothing to add. */
static inline void ek_column_pad(const ek_gemm_t *g, int8_t *columns, int32_t pixel, int32_t at,
                                 int32_t count) {
    uint32_t *to = (uint32_t *)(void *)columns + 2 * at + pixel;
    (void)g;
#if EK_GEMM_ONE
    if (g->fast & 2) {
        ek_fill(columns + 2 * at, 0, 2 * count);
        return;
    }
#endif
    if (pixel < 2)
        for (; count > 0; --count, to += 2) {
            *to = 0;
            EK_KEEP_LOOP();
        }
}

#if EK_THUMB2
/* Registers of the loop: r0-r7 two words of sums for each of four channels, r8 and r9 inputs, r10
   and r11 weights, r12 and lr where weights and columns are read. Stack: 0 columns, 4 the end of
   the first segment, 8 their end, 12 bytes of a segment, 16 where the loop is entered, 20 channels
   to go, 24 end of the segment, 28 weights, 32 shift, 36 bias, 40 multiplier, 44 outputs, 56 zero
   point * 2 + 1, 60 bias_bits; 64 and 96 sums of earlier segments, 8 bytes a channel. */
#define EK_GEMM_STEP                                                                             \
    "ldrd r8, r9, [lr], #8\n ldrsb.w r10, [r12, #1]\n ldrsb.w r11, [r12, #2]\n"                  \
    "mla r2, r10, r8, r2\n mla r3, r10, r9, r3\n mla r4, r11, r8, r4\n mla r5, r11, r9, r5\n"    \
    "ldrsb.w r10, [r12, #3]\n ldrsb.w r11, [r12], #4\n"                                          \
    "mla r6, r10, r8, r6\n mla r7, r10, r9, r7\n mla r0, r11, r8, r0\n mla r1, r11, r9, r1\n"
#define EK_GEMM_STEPS4 EK_GEMM_STEP EK_GEMM_STEP EK_GEMM_STEP EK_GEMM_STEP
#if EK_OPTIMIZE_SIZE
#define EK_GEMM_LOOP EK_GEMM_STEP EK_GEMM_STEP
#define EK_GEMM_MASK "#1"
#elif EK_OPTIMIZE_SPEED
#define EK_GEMM_LOOP EK_GEMM_STEPS4 EK_GEMM_STEPS4
#define EK_GEMM_MASK "#7"
#else
#define EK_GEMM_LOOP EK_GEMM_STEPS4
#define EK_GEMM_MASK "#3"
#endif

/* r0 and r1 to the sums r2, r3 and r1. */
#define EK_GEMM_APART                                                                            \
    "sbfx r2, r0, #0, #21\n sub r0, r0, r2\n sub r1, r1, r0, lsr #11\n sbfx r3, r1, #0, #21\n"   \
    "sub r1, r1, r3\n asr r1, r1, #10\n add r1, r1, r0, lsr #21\n"
#define EK_GEMM_CLEAR                                                                            \
    "movs r0, #0\n mov r1, r0\n mov r2, r0\n mov r3, r0\n"                                       \
    "mov r4, r0\n mov r5, r0\n mov r6, r0\n mov r7, r0\n"
/* r5: factor, r6: shift, r7: zero point. */
#define EK_GEMM_ROUND(sum, out)                                                                  \
    "smull r4, " sum ", " sum ", r5\n add " sum ", " sum ", r4, lsr #31\n"                       \
    "add " sum ", " sum ", " sum ", asr #31\n asrs " sum ", r6\n adds " sum ", r7\n"             \
    "ssat " sum ", #8, " sum ", asr #1\n strb " sum ", [" out "], #1\n"
#if EK_GEMM_SEGMENTS
#define EK_GEMM_FRAME "128"
#define EK_GEMM_MORE                                                                             \
    "ldrd r4, r5, [sp, #88]\n add r2, r4\n add r3, r5\n ldr r4, [sp, #120]\n add r1, r4\n"
#else
#define EK_GEMM_FRAME "64"
#define EK_GEMM_MORE
#endif
/* From where sp points to lr: words of sums, a channel after the other. */
#define EK_GEMM_FINISH(label, load)                                                              \
    label ": pop {r0, r1}\n" EK_GEMM_APART EK_GEMM_MORE load "ldr r5, [r9], #4\n"                \
    "lsls r4, r4, #1\n add r2, r4, r2, lsl #1\n add r3, r4, r3, lsl #1\n"                        \
    "add r1, r4, r1, lsl #1\n"                                                                   \
    EK_GEMM_ROUND("r2", "r10") EK_GEMM_ROUND("r3", "r11") EK_GEMM_ROUND("r1", "r12")             \
    "lsrs r6, r6, #8\n cmp sp, lr\n bne " label "b\n"
#define EK_GEMM_FINISH16 EK_GEMM_FINISH("11", "ldrsh r4, [r8], #2\n")
#define EK_GEMM_FINISH32 EK_GEMM_FINISH("12", "ldr r4, [r8], #4\n")

static __attribute__((naked, noinline, unused)) void ek_gemm_fast(
    __attribute__((unused)) const ek_gemm_t *g, __attribute__((unused)) const int8_t *columns,
    __attribute__((unused)) int8_t *out0, __attribute__((unused)) int8_t *out1,
    __attribute__((unused)) int8_t *out2) {
    __asm__ volatile(
        "push {r4-r11, lr}\n ldr r8, [sp, #36]\n sub sp, #" EK_GEMM_FRAME "\n"
        "str r2, [sp, #44]\n str r3, [sp, #48]\n str r8, [sp, #52]\n"
        "ldrd r12, r4, [r0]\n ldrd r5, r6, [r0, #8]\n str r6, [sp, #32]\n strd r4, r5, [sp, #36]\n"
        "ldrh r4, [r0, #16]\n ldrh r5, [r0, #18]\n str r5, [sp, #20]\n"
        "ldrsh r6, [r0, #22]\n lsl r6, #1\n add r6, #1\n str r6, [sp, #56]\n"
        "ldrb r6, [r0, #26]\n str r6, [sp, #60]\n"
        "ldrh r5, [r0, #28]\n add r5, r1, r5, lsl #3\n add r6, r1, r4, lsl #3\n"
        "stm sp, {r1, r5, r6}\n ldrh r5, [r0, #30]\n lsl r5, #3\n str r5, [sp, #12]\n"
        "rsb r4, r4, #0\n and r4, " EK_GEMM_MASK "\n mov r5, #52\n mul r4, r4, r5\n"
        "adr.w r6, 3f\n add r4, r6\n orr r4, #1\n str r4, [sp, #16]\n"
        "1: ldr r11, [sp, #20]\n subs r11, #4\n blt.w 7f\n str r11, [sp, #20]\n"
        EK_GEMM_CLEAR
#if EK_GEMM_SEGMENTS
        "add r8, sp, #64\n stm r8!, {r0-r7}\n stm r8, {r0-r7}\n"
#endif
        "ldr lr, [sp]\n ldr r8, [sp, #4]\n str r8, [sp, #24]\n ldr r8, [sp, #16]\n bx r8\n"
        ".balign 4\n"
        "3:\n" EK_GEMM_LOOP
        "ldr r8, [sp, #24]\n cmp lr, r8\n bne.w 3b\n"
#if EK_GEMM_SEGMENTS
        "ldr r9, [sp, #8]\n cmp lr, r9\n beq 5f\n"
        "ldr r9, [sp, #12]\n add r8, r9\n str r8, [sp, #24]\n"
        "push {r0-r7}\n add r6, sp, #32\n"
        "4: pop {r0, r1}\n" EK_GEMM_APART
        "ldrd r4, r5, [sp, #88]\n add r2, r4\n add r3, r5\n strd r2, r3, [sp, #88]\n"
        "ldr r4, [sp, #120]\n add r1, r4\n str r1, [sp, #120]\n cmp sp, r6\n bne 4b\n"
        EK_GEMM_CLEAR "b.w 3b\n"
#endif
        "5: str r12, [sp, #28]\n mov lr, sp\n push {r0-r7}\n"
        "6: ldr r5, [lr, #32]\n ldr r6, [r5]\n mov r4, sp\n sub r4, lr, r4\n"
        "add r5, r5, r4, lsr #3\n"
        "str r5, [lr, #32]\n ldr r7, [lr, #56]\n add r8, lr, #36\n ldm r8, {r8-r12}\n"
#if EK_GEMM_BIAS16 && EK_GEMM_BIAS32
        "ldr r0, [lr, #60]\n cmp r0, #16\n bne 12f\n" EK_GEMM_FINISH16 "b 13f\n" EK_GEMM_FINISH32
#elif EK_GEMM_BIAS16
        EK_GEMM_FINISH16
#else
        EK_GEMM_FINISH32
#endif
        "13: add r0, sp, #36\n stm r0, {r8-r12}\n ldr r12, [sp, #28]\n b.w 1b\n"
#if EK_GEMM_TAIL
        "7: adds r11, #4\n beq 9f\n subs r11, #1\n str r11, [sp, #20]\n"
        "movs r0, #0\n movs r1, #0\n"
#if EK_GEMM_SEGMENTS
        "strd r0, r0, [sp, #88]\n str r0, [sp, #120]\n"
#endif
        "ldr lr, [sp]\n ldr r11, [sp, #4]\n"
        "8: ldrd r8, r9, [lr], #8\n ldrsb r10, [r12], #1\n"
        "mla r0, r10, r8, r0\n mla r1, r10, r9, r1\n cmp lr, r11\n bne 8b\n"
#if EK_GEMM_SEGMENTS
        "ldr r9, [sp, #8]\n cmp lr, r9\n beq 10f\n"
        "ldr r9, [sp, #12]\n add r11, r9\n" EK_GEMM_APART
        "ldrd r4, r5, [sp, #88]\n add r2, r4\n add r3, r5\n strd r2, r3, [sp, #88]\n"
        "ldr r4, [sp, #120]\n add r1, r4\n str r1, [sp, #120]\n"
        "movs r0, #0\n movs r1, #0\n b 8b\n"
#endif
        "10: str r12, [sp, #28]\n mov lr, sp\n push {r0, r1}\n b.w 6b\n"
#else
        "7:\n"
#endif
        "9: add sp, #" EK_GEMM_FRAME "\n pop {r4-r11, pc}\n");
}
#endif

#if EK_GEMM_SLOW || EK_GEMM_ONE || !EK_THUMB2
static inline int8_t ek_gemm_out(const ek_gemm_t *g, int32_t channel, int32_t sum) {
    int32_t shift = g->fast ? -1 - g->shift[channel] : g->shift[channel];
    sum = ek_multiply(sum, g->multiplier[channel], shift) + g->zero_out;
    return (int8_t)ek_clamp(sum, g->low, g->high);
}

#if EK_GEMM_ONE
#define EK_GEMM_ONE_STEP                                                                         \
    "ldrsh %[v], [%[x]], #2\n ldrsb %[t], [%[w], #1]\n ldrsb %[u], [%[w], #2]\n"                   \
    "mla %[b], %[t], %[v], %[b]\n mla %[c], %[u], %[v], %[c]\n"                                  \
    "ldrsb %[t], [%[w], #3]\n ldrsb %[u], [%[w]], #4\n"                                          \
    "mla %[d], %[t], %[v], %[d]\n mla %[a], %[u], %[v], %[a]\n"

/* A layer of one pixel, whose column has nothing else in it: its sums have whole words. */
static EK_NOINLINE void ek_gemm_one(const ek_gemm_t *g, const int8_t *columns, int8_t *out) {
    const int8_t *w = (const int8_t *)g->weights;
    int32_t depth = g->depth, channel = 0, i;
    while (channel < g->channels) {
        const int16_t *x = (const int16_t *)(const void *)columns, *end = x + depth;
        int32_t sums[4], a = 0, b = 0, c = 0, d = 0, many = 4;
        if (channel + 4 > g->channels) {
            many = 1;
            for (; x != end; ++x)
                a += *w++ * *x;
        } else {
            for (i = EK_THUMB2 ? depth & 3 : depth; i > 0; --i, ++x, w += 4) {
                a += w[0] * *x;
                b += w[1] * *x;
                c += w[2] * *x;
                d += w[3] * *x;
            }
#if EK_THUMB2
            if (x != end) {
                int32_t t, u, v;
                __asm__ volatile(
                    "1:\n" EK_GEMM_ONE_STEP EK_GEMM_ONE_STEP EK_GEMM_ONE_STEP EK_GEMM_ONE_STEP
                    "cmp %[x], %[end]\n bne 1b\n"
                    : [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d), [x] "+r"(x), [w] "+r"(w),
                      [t] "=&r"(t), [u] "=&r"(u), [v] "=&r"(v)
                    : [end] "r"(end)
                    : "cc", "memory");
            }
#endif
        }
        sums[0] = a;
        sums[1] = b;
        sums[2] = c;
        sums[3] = d;
        for (i = 0; i < many; ++i, ++channel) {
            int32_t bias = g->bias_bits == 16 ? ((const int16_t *)g->bias)[channel]
                                              : ((const int32_t *)g->bias)[channel];
            out[channel] = ek_gemm_out(g, channel, bias + sums[i]);
        }
    }
}
#endif

/* The lower 21 bits with their sign. */
static inline int32_t ek_gemm_low(uint32_t word) {
    return (int32_t)((word & 0x1fffffu) ^ 0x100000u) - 0x100000;
}

/* The same in C, for any factors. */
static EK_NOINLINE void ek_gemm_any(const ek_gemm_t *g, const int8_t *columns, int8_t *out0,
                                    int8_t *out1, int8_t *out2) {
    int32_t depth = g->depth, c, k;
    for (c = 0; c < g->channels; ++c) {
        const int8_t *w = (const int8_t *)g->weights + c * depth;
        const uint32_t *x = (const uint32_t *)(const void *)columns;
        int32_t sums[3], step = 1, next = g->first;
        uint32_t a = 0, b = 0;
        if (c < g->channels / 4 * 4) {
            w -= (c & 3) * (depth - 1);
            step = 4;
        }
        for (k = 0; k < 3; ++k)
            sums[k] = g->bias_bits == 16 ? ((const int16_t *)g->bias)[c]
                                         : ((const int32_t *)g->bias)[c];
        for (k = 1; k <= depth; ++k, w += step, x += 2) {
            a += (uint32_t)(int32_t)*w * x[0];
            b += (uint32_t)(int32_t)*w * x[1];
            if (k == next) {
                int32_t first = ek_gemm_low(a), second;
                uint32_t third = (a - (uint32_t)first) >> 21;
                b -= third << 10;
                second = ek_gemm_low(b);
                third |= (b - (uint32_t)second) >> 21 << 11;
                sums[0] = (int32_t)((uint32_t)sums[0] + (uint32_t)first);
                sums[1] = (int32_t)((uint32_t)sums[1] + (uint32_t)second);
                third = (third ^ 0x200000u) - 0x200000u;
                sums[2] = (int32_t)((uint32_t)sums[2] + third);
                a = b = 0;
                next += g->segment;
            }
        }
        out0[c] = ek_gemm_out(g, c, sums[0]);
        out1[c] = ek_gemm_out(g, c, sums[1]);
        out2[c] = ek_gemm_out(g, c, sums[2]);
    }
}
#endif

static inline void ek_gemm_clamp(const ek_gemm_t *g, int8_t *out) {
    int32_t c;
    for (c = 0; c < g->channels; ++c)
        out[c] = (int8_t)ek_clamp(out[c], g->low, g->high);
}

/* All channels of up to three pixels, whose outputs are `across` bytes apart. */
static EK_NOINLINE void ek_gemm_pixels(const ek_gemm_t *g, const int8_t *columns, int8_t *out,
                                       int32_t pixels, int32_t across) {
    int8_t *out1 = pixels > 1 ? out + across : out, *out2 = pixels > 2 ? out1 + across : out1;
#if EK_GEMM_ONE
    if (g->fast & 2) {
        ek_gemm_one(g, columns, out);
        return;
    }
#endif
#if EK_THUMB2
#if EK_GEMM_SLOW
    if (!g->fast) {
        ek_gemm_any(g, columns, out, out1, out2);
        return;
    }
#endif
    ek_gemm_fast(g, columns, out, out1, out2);
    if (g->low > -128 || g->high < 127)
        for (; pixels > 0; --pixels, out += across)
            ek_gemm_clamp(g, out);
#else
    ek_gemm_any(g, columns, out, out1, out2);
#endif
}
