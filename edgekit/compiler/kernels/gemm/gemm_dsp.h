#include "../common/words.h"
#include "../common/requantize.h"
#include "matrix.h"

/* `fast`: two channels of a column keep within one register, and every factor is below 1/2; `shift`
   then is the shift to the right - 1. Bit 1 of `fast`: outputs are cut off at their zero point,
   -128. */

#if defined(__ARM_FEATURE_DSP)
static inline uint32_t ek_sxtab16(uint32_t to, uint32_t bytes) {
    uint32_t result;
    __asm__("sxtab16 %0, %1, %2" : "=r"(result) : "r"(to), "r"(bytes));
    return result;
}
static inline uint32_t ek_sxtab16_ror8(uint32_t to, uint32_t bytes) {
    uint32_t result;
    __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(result) : "r"(to), "r"(bytes));
    return result;
}
#else
static inline uint32_t ek_sxtab16(uint32_t to, uint32_t bytes) {
    uint32_t low = (to + (uint32_t)(int32_t)(int8_t)bytes) & 0xffffu;
    uint32_t high = (to >> 16) + (uint32_t)(int32_t)(int8_t)(bytes >> 16);
    return low | high << 16;
}
static inline uint32_t ek_sxtab16_ror8(uint32_t to, uint32_t bytes) {
    return ek_sxtab16(to, bytes >> 8 | bytes << 24);
}
#endif

/* Columns: for each two inputs a word of the first pixel and one of the second. Of four inputs the
   words hold 0 and 2, then 1 and 3. The zero point is taken off: `zero` is its negative, twice.
   Here `rows` rows of `count` inputs, `down` bytes apart, to every `step` bytes of a column; words
   that the last inputs do not fill have zeros. */
#if defined(__ARM_FEATURE_DSP)
#define EK_COLUMN_EIGHT                                                                          \
    "ldr r4, [r12], #4\n ldr r6, [r12], #4\n sxtab16 r5, r0, r4, ror #8\n sxtab16 r4, r0, r4\n"   \
    "sxtab16 r7, r0, r6, ror #8\n sxtab16 r6, r0, r6\n str r5, [r8, #8]\n str r6, [r8, #16]\n"    \
    "str r7, [r8, #24]\n str r4, [r8], #32\n"
static __attribute__((naked, noinline, unused)) void ek_column_rows(
    __attribute__((unused)) uint32_t zero, __attribute__((unused)) uint32_t *to,
    __attribute__((unused)) const int8_t *from, __attribute__((unused)) int32_t count,
    __attribute__((unused)) int32_t rows, __attribute__((unused)) int32_t down,
    __attribute__((unused)) int32_t step) {
    __asm__ volatile(
        "push {r4-r11, lr}\n ldr r9, [sp, #36]\n ldr r10, [sp, #40]\n ldr r11, [sp, #44]\n"
        "1: mov r8, r1\n mov r12, r2\n subs lr, r3, #8\n blt 4f\n"
        "3:\n" EK_COLUMN_EIGHT "subs lr, #8\n bge 3b\n"
        "4: adds lr, #4\n blt 5f\n"
        "ldr r4, [r12], #4\n sxtab16 r5, r0, r4, ror #8\n sxtab16 r4, r0, r4\n"
        "str r5, [r8, #8]\n str r4, [r8], #16\n subs lr, #4\n"
        "5:\n"
#if EK_COLUMN_TAIL
        "adds lr, #4\n beq 6f\n ldrb r4, [r12]\n cmp lr, #2\n"
        "itt ge\n ldrbge r5, [r12, #1]\n orrge r4, r4, r5, lsl #8\n"
        "itt gt\n ldrbgt r5, [r12, #2]\n orrgt r4, r4, r5, lsl #16\n"
        "uxth r7, r0\n sxtab16 r5, r7, r4, ror #8\n ite gt\n"
        "sxtab16gt r4, r0, r4\n sxtab16le r4, r7, r4\n str r4, [r8]\n it ge\n strge r5, [r8, #8]\n"
#endif
        "6: add r1, r11\n add r2, r10\n subs r9, #1\n bne 1b\n"
        "pop {r4-r11, pc}\n");
}
#else
static EK_NOINLINE void ek_column_rows(uint32_t zero, uint32_t *to, const int8_t *from,
                                       int32_t count, int32_t rows, int32_t down, int32_t step) {
    for (; rows > 0; --rows, from += down, to += step / 4) {
        int32_t k, i;
        for (k = 0; k < count; k += 4) {
            uint32_t word = 0, left = k + 2 < count ? zero : zero & 0xffffu;
            for (i = 0; i < 4 && k + i < count; ++i)
                word |= (uint32_t)(uint8_t)from[k + i] << 8 * i;
            to[k] = ek_sxtab16(left, word);
            if (k + 1 < count)
                to[k + 2] = ek_sxtab16_ror8(k + 3 < count ? zero : zero & 0xffffu, word);
        }
    }
}
#endif

static inline void ek_column_put(const ek_gemm_t *g, int8_t *columns, int32_t pixel, int32_t at,
                                 const int8_t *from, int32_t count, int32_t rows, int32_t down,
                                 int32_t step) {
    uint32_t zero = (uint32_t)(-g->zero_in & 0xffff) * 0x10001u;
    ek_column_rows(zero, (uint32_t *)(void *)columns + at + pixel, from, count, rows, down,
                   4 * step);
}

static inline void ek_column_pad(const ek_gemm_t *g, int8_t *columns, int32_t pixel, int32_t at,
                                 int32_t count) {
    uint32_t *to = (uint32_t *)(void *)columns + at + pixel;
    (void)g;
    for (; count >= 8; count -= 8, to += 8) {
        to[0] = 0;
        to[2] = 0;
        to[4] = 0;
        to[6] = 0;
    }
    for (; count > 0; count -= 2, to += 2)
        *to = 0;
}

#if defined(__ARM_FEATURE_DSP)
/* Registers: r0-r7 sums, r8 and r9 inputs of the two pixels, r10 and r11 weights, r12 and lr
   where weights and columns are read. Stack: 0 columns, 4 their end, 8 and 12 outputs, 16 bias,
   20 multiplier, 24 shift, 28 channels to go, 32 zero point * 2 + 1, 36 where the loop is entered,
   40 bias_bits. */
#define EK_GEMM_STEP                                                                             \
    "ldr.w r11, [r12, #4]\n ldr.w r10, [r12], #8\n ldr.w r9, [lr, #4]\n ldr.w r8, [lr], #8\n"     \
    "smlad r0, r10, r8, r0\n smlad r1, r10, r9, r1\n"                                            \
    "smlad r4, r11, r8, r4\n smlad r5, r11, r9, r5\n"                                            \
    "sxtb16.w r10, r10\n sxtb16.w r11, r11\n"                                                    \
    "smlad r2, r10, r8, r2\n smlad r3, r10, r9, r3\n"                                            \
    "smlad r6, r11, r8, r6\n smlad r7, r11, r9, r7\n"
#define EK_GEMM_STEPS2 EK_GEMM_STEP EK_GEMM_STEP
#define EK_GEMM_STEPS8 EK_GEMM_STEPS2 EK_GEMM_STEPS2 EK_GEMM_STEPS2 EK_GEMM_STEPS2
#if EK_OPTIMIZE_SIZE
#define EK_GEMM_LOOP EK_GEMM_STEPS2
#define EK_GEMM_MASK "#1"
#elif EK_OPTIMIZE_SPEED || EK_LARGE
#define EK_GEMM_LOOP EK_GEMM_STEPS8 EK_GEMM_STEPS8
#define EK_GEMM_MASK "#15"
#else
#define EK_GEMM_LOOP EK_GEMM_STEPS8
#define EK_GEMM_MASK "#7"
#endif
#define EK_GEMM_PAIR_STEP                                                                        \
    "ldr.w r10, [r12], #4\n ldr.w r9, [lr, #4]\n ldr.w r8, [lr], #8\n"                           \
    "smlad r0, r10, r8, r0\n smlad r1, r10, r9, r1\n sxtb16.w r10, r10\n"                        \
    "smlad r2, r10, r8, r2\n smlad r3, r10, r9, r3\n"

/* Biases of two or four channels, of 16 or 32 bits, from where r8 points. */
#define EK_GEMM_LOAD2(load, size) load " r2, [r8], " size "\n " load " r9, [r8], " size "\n"
#define EK_GEMM_LOAD4(load, size)                                                                \
    EK_GEMM_LOAD2(load, size) load " r6, [r8], " size "\n " load " r10, [r8], " size "\n"
#if EK_GEMM_BIAS16 && EK_GEMM_BIAS32
#define EK_GEMM_BIAS(loads, one, two)                                                            \
    "ldr r8, [sp, #40]\n cmp r8, #16\n ldr r8, [sp, #16]\n beq " one "f\n" loads("ldr", "#4")    \
    "b " two "f\n" one ":\n" loads("ldrsh", "#2") two ":\n"
#elif EK_GEMM_BIAS16
#define EK_GEMM_BIAS(loads, one, two) "ldr r8, [sp, #16]\n" loads("ldrsh", "#2")
#else
#define EK_GEMM_BIAS(loads, one, two) "ldr r8, [sp, #16]\n" loads("ldr", "#4")
#endif

/* The sums of a channel, doubled, to outputs; lr: factors, r10: shifts, r11: zero point. */
#define EK_GEMM_ROUND(left, right)                                                               \
    "ldr r8, [lr], #4\n smmulr " left ", " left ", r8\n smmulr " right ", " right ", r8\n"       \
    "add " left ", " left ", " left ", asr #31\n asr " left ", " left ", r10\n"                  \
    "add " left ", " left ", r11\n ssat " left ", #8, " left ", asr #1\n"                        \
    "add " right ", " right ", " right ", asr #31\n asr " right ", " right ", r10\n"             \
    "add " right ", " right ", r11\n ssat " right ", #8, " right ", asr #1\n"
/* The same where all below the zero point is cut off: how negative sums are rounded is all one. */
#define EK_GEMM_ROUND_RELU(left, right)                                                          \
    "ldr r8, [lr], #4\n lsl r9, r11, r10\n smmlar " left ", " left ", r8, r9\n"                  \
    "smmlar " right ", " right ", r8, r9\n asr " left ", " left ", r10\n"                        \
    "asr " right ", " right ", r10\n ssat " left ", #8, " left ", asr #1\n"                      \
    "ssat " right ", #8, " right ", asr #1\n"
#define EK_GEMM_ROUND2(round) round("r2", "r3") "lsr r10, #8\n" round("r0", "r1")
#define EK_GEMM_ROUND4(round)                                                                    \
    EK_GEMM_ROUND2(round) "lsr r10, #8\n" round("r6", "r7") "lsr r10, #8\n" round("r4", "r5")
#if EK_GEMM_RELU && EK_GEMM_SIGNED
#define EK_GEMM_ROUNDS(rounds, one, two)                                                         \
    "ldr r8, [sp, #44]\n tst r8, #2\n bne.w " one "f\n" rounds(EK_GEMM_ROUND) "b.w " two "f\n"   \
    one ":\n" rounds(EK_GEMM_ROUND_RELU) two ":\n"
#elif EK_GEMM_RELU
#define EK_GEMM_ROUNDS(rounds, one, two) rounds(EK_GEMM_ROUND_RELU)
#else
#define EK_GEMM_ROUNDS(rounds, one, two) rounds(EK_GEMM_ROUND)
#endif

static __attribute__((naked, noinline, unused)) void ek_gemm_fast(
    __attribute__((unused)) const ek_gemm_t *g, __attribute__((unused)) const int8_t *columns,
    __attribute__((unused)) int8_t *out0, __attribute__((unused)) int8_t *out1) {
    __asm__ volatile(
        "push {r4-r11, lr}\n sub sp, #52\n"
        "str r1, [sp]\n strd r2, r3, [sp, #8]\n"
        "ldrd r12, r4, [r0]\n ldrd r5, r6, [r0, #8]\n"
        "strd r4, r5, [sp, #16]\n str r6, [sp, #24]\n"
        "ldrh r4, [r0, #16]\n ldrh r5, [r0, #18]\n ldrsh r6, [r0, #22]\n"
        "ldrb r8, [r0, #26]\n ldrb r9, [r0, #27]\n strd r8, r9, [sp, #40]\n"
        "add r4, #3\n bic r4, #3\n add r7, r1, r4, lsl #2\n str r7, [sp, #4]\n"
        "lsl r6, #1\n add r6, #1\n strd r5, r6, [sp, #28]\n"
        "lsr r4, #1\n rsb r4, #0\n and r4, " EK_GEMM_MASK "\n mov r7, #56\n mul r4, r4, r7\n"
        "adr.w r6, 3f\n add r6, r4\n orr r6, #1\n str r6, [sp, #36]\n"
        "1: ldr r11, [sp, #28]\n subs r11, #4\n blt.w 5f\n str r11, [sp, #28]\n"
        EK_GEMM_BIAS(EK_GEMM_LOAD4, "21", "22") "str r8, [sp, #16]\n"
        "add r0, r2, r9, lsl #8\n mov r1, r0\n mov r3, r2\n"
        "add r4, r6, r10, lsl #8\n mov r5, r4\n mov r7, r6\n"
        "ldr lr, [sp]\n ldr r8, [sp, #36]\n bx r8\n"
        ".balign 4\n"
        "3:\n" EK_GEMM_LOOP
        "ldr r8, [sp, #4]\n cmp lr, r8\n bne.w 3b\n"
        "sub r0, r0, r2\n asr r0, #7\n lsl r2, #1\n sub r1, r1, r3\n asr r1, #7\n"
        "lsl r3, #1\n sub r4, r4, r6\n asr r4, #7\n lsl r6, #1\n"
        "sub r5, r5, r7\n asr r5, #7\n lsl r7, #1\n"
        "ldr lr, [sp, #20]\n ldr r9, [sp, #24]\n ldr r11, [sp, #32]\n ldr r10, [r9], #4\n"
        "str r9, [sp, #24]\n"
        EK_GEMM_ROUNDS(EK_GEMM_ROUND4, "31", "32")
        "str lr, [sp, #20]\n ldrd r8, r9, [sp, #8]\n"
        "strb r0, [r8, #1]\n strb r6, [r8, #2]\n strb r4, [r8, #3]\n strb r2, [r8], #4\n"
        "strb r1, [r9, #1]\n strb r7, [r9, #2]\n strb r5, [r9, #3]\n strb r3, [r9], #4\n"
        "strd r8, r9, [sp, #8]\n b.w 1b\n"
#if EK_GEMM_TAIL
        "5: adds r11, #4\n beq.w 9f\n"
        "6: str r11, [sp, #28]\n"
        EK_GEMM_BIAS(EK_GEMM_LOAD2, "41", "42")
        "str r8, [sp, #16]\n add r0, r2, r9, lsl #8\n mov r1, r0\n mov r3, r2\n"
        "ldr lr, [sp]\n ldr r11, [sp, #4]\n"
        "7:\n" EK_GEMM_PAIR_STEP EK_GEMM_PAIR_STEP "cmp lr, r11\n bne 7b\n"
        "sub r0, r0, r2\n asr r0, #7\n lsl r2, #1\n sub r1, r1, r3\n asr r1, #7\n lsl r3, #1\n"
        "ldr lr, [sp, #20]\n ldr r9, [sp, #24]\n ldr r11, [sp, #32]\n ldrh r10, [r9], #2\n"
        "str r9, [sp, #24]\n"
        EK_GEMM_ROUNDS(EK_GEMM_ROUND2, "51", "52")
        "str lr, [sp, #20]\n ldrd r8, r9, [sp, #8]\n ldr r11, [sp, #28]\n"
        "strb r2, [r8], #1\n strb r3, [r9], #1\n subs r11, #1\n beq 9f\n"
        "strb r0, [r8], #1\n strb r1, [r9], #1\n strd r8, r9, [sp, #8]\n"
        "subs r11, #1\n bne.w 6b\n"
#else
        "5:\n"
#endif
        "9: add sp, #52\n pop {r4-r11, pc}\n");
}
#endif

#if defined(__ARM_FEATURE_DSP)
static inline int32_t ek_smlad(uint32_t x, uint32_t y, int32_t sum) {
    __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(x), "r"(y));
    return sum;
}
#else
static inline int32_t ek_smlad(uint32_t x, uint32_t y, int32_t sum) {
    int32_t low = (int16_t)x * (int16_t)y, high = (int16_t)(x >> 16) * (int16_t)(y >> 16);
    return (int32_t)((uint32_t)sum + (uint32_t)low + (uint32_t)high);
}

#endif

static inline int8_t ek_gemm_out(const ek_gemm_t *g, int32_t channel, int32_t sum) {
    int32_t shift = g->fast ? -1 - g->shift[channel] : g->shift[channel];
    sum = ek_multiply(sum, g->multiplier[channel], shift) + g->zero_out;
    return (int8_t)ek_clamp(sum, g->low, g->high);
}

#if EK_GEMM_SLOW || !defined(__ARM_FEATURE_DSP)
/* The same in C, for any weights and factors. */
static EK_NOINLINE void ek_gemm_any(const ek_gemm_t *g, const int8_t *columns, int8_t *out0,
                                    int8_t *out1) {
    const uint32_t *w = (const uint32_t *)g->weights;
    int32_t steps = (g->depth + 3) / 4 * 2, quads = g->channels / 4 * 4, c, p, k;
    for (c = 0; c < g->channels; c += 2) {
        int32_t stride = c < quads ? 2 : 1, two = c + 1 < g->channels;
        const uint32_t *from = w + (c < quads ? c / 4 * 2 * steps + (c & 2) / 2 : c / 2 * steps);
        for (p = 0; p < 2; ++p) {
            const uint32_t *x = (const uint32_t *)(const void *)columns + p;
            int8_t *out = p ? out1 : out0;
            int32_t sums[2];
            for (k = 0; k < 2; ++k)
                sums[k] = g->bias_bits == 16 ? ((const int16_t *)g->bias)[c + k]
                                             : ((const int32_t *)g->bias)[c + k];
            for (k = 0; k < steps; ++k) {
                uint32_t word = from[k * stride], low = ek_sxtab16(0, word);
                int32_t first = (int16_t)((word & 0xffffu) - (low & 0xffffu));
                int32_t second = (int16_t)((word >> 16) - (low >> 16));
                uint32_t high = ((uint32_t)(first / 256) & 0xffffu) | (uint32_t)(second / 256) << 16;
                sums[0] = ek_smlad(low, x[2 * k], sums[0]);
                sums[1] = ek_smlad(high, x[2 * k], sums[1]);
            }
            out[c] = ek_gemm_out(g, c, sums[0]);
            if (two)
                out[c + 1] = ek_gemm_out(g, c + 1, sums[1]);
        }
    }
}
#endif

#if EK_GEMM_CLAMP
static EK_SMALL void ek_gemm_clamp(const ek_gemm_t *g, int8_t *out) {
    int32_t c;
    for (c = 0; c < g->channels; ++c)
        out[c] = (int8_t)ek_clamp(out[c], g->low, g->high);
}
#endif

/* All channels of two columns. */
static inline void ek_gemm(const ek_gemm_t *g, const int8_t *columns, int8_t *out0, int8_t *out1) {
#if defined(__ARM_FEATURE_DSP)
#if EK_GEMM_SLOW
    if (!g->fast) {
        ek_gemm_any(g, columns, out0, out1);
        return;
    }
#endif
    ek_gemm_fast(g, columns, out0, out1);
#if EK_GEMM_CLAMP
    if (g->low > -128 || g->high < 127) {
        ek_gemm_clamp(g, out0);
        ek_gemm_clamp(g, out1);
    }
#endif
#else
    ek_gemm_any(g, columns, out0, out1);
#endif
}

/* All channels of up to two pixels, whose outputs are `across` bytes apart. */
static inline void ek_gemm_pixels(const ek_gemm_t *g, const int8_t *columns, int8_t *out,
                                  int32_t pixels, int32_t across) {
    ek_gemm(g, columns, out, pixels > 1 ? out + across : out);
}
