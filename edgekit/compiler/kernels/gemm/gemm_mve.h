#include "../common/words.h"
#include "../common/vectors.h"
#include "matrix.h"

/* Weights: for each four channels and 16 inputs, 16 of each channel. Bit 1 of `fast`: outputs are
   cut off at their zero point, -128. */

/* Columns: the inputs of two output pixels, int8, each in whole vectors of 16; what lies behind a
   column meets weights of zero. */
static inline int32_t ek_column_bytes(const ek_gemm_t *g) { return (g->depth + 15) & ~15; }

static inline void ek_column_put(const ek_gemm_t *g, int8_t *columns, int32_t pixel, int32_t at,
                                 const int8_t *from, int32_t count, int32_t rows, int32_t down,
                                 int32_t step) {
    int8_t *to = columns + pixel * ek_column_bytes(g) + at;
    for (; rows > 0; --rows, from += down, to += step)
        ek_copy_some(to, from, count);
}

static inline void ek_column_pad(const ek_gemm_t *g, int8_t *columns, int32_t pixel, int32_t at,
                                 int32_t count) {
    ek_fill(columns + pixel * ek_column_bytes(g) + at, g->zero_in, count);
}

#if defined(__ARM_FEATURE_MVE)
/* Registers: r0, r2, r4, r6 sums of the first column, r8, r10, r12, lr of the second (sums across a
   vector go to even registers), r1 and r3 the columns, r5 weights, r7 inputs to go, r9 factors, r11
   bias; q6 and q7 least and greatest output. Stack: 0 and 4 outputs, 8 shifts, 12 channels to go,
   16 and 20 columns, 24 their bytes, 28 zero point, 32 `fast`. */
#define EK_GEMM_CHANNEL(sum, left, right)                                                        \
    "vldrb.8 q2, [r5], #16\n" sum ".s8 " left ", q0, q2\n" sum ".s8 " right ", q1, q2\n"
#define EK_GEMM_STEP(sum)                                                                        \
    "vldrb.8 q0, [r1], #16\n vldrb.8 q1, [r3], #16\n" EK_GEMM_CHANNEL(sum, "r0", "r8")           \
    EK_GEMM_CHANNEL(sum, "r2", "r10") EK_GEMM_CHANNEL(sum, "r4", "r12")                          \
    EK_GEMM_CHANNEL(sum, "r6", "lr")
/* Vector shifts round halves up, so what is negative and is shifted is made less by one before.
   Where all below the zero point is cut off, how negative sums are rounded is all one. */
#define EK_GEMM_AWAY                                                                             \
    "vand q2, q0, q4\n vand q3, q1, q4\n vshr.s32 q2, q2, #31\n vshr.s32 q3, q3, #31\n"          \
    "vadd.i32 q0, q0, q2\n vadd.i32 q1, q1, q3\n"
#if EK_GEMM_RELU && EK_GEMM_SIGNED
#define EK_GEMM_FIX "ldr r10, [sp, #32]\n lsls r10, r10, #30\n bmi 4f\n" EK_GEMM_AWAY "4:\n"
#elif EK_GEMM_RELU
#define EK_GEMM_FIX
#else
#define EK_GEMM_FIX EK_GEMM_AWAY
#endif
#if EK_GEMM_ONE
/* One column alone: what else is computed of the second goes where the first overwrites it. */
#define EK_GEMM_ONE_CHANNEL(sum, to) "vldrb.8 q2, [r5], #16\n" sum ".s8 " to ", q0, q2\n"
#define EK_GEMM_ONE_STEP(sum)                                                                    \
    "vldrb.8 q0, [r1], #16\n" EK_GEMM_ONE_CHANNEL(sum, "r0") EK_GEMM_ONE_CHANNEL(sum, "r2")      \
    EK_GEMM_ONE_CHANNEL(sum, "r4") EK_GEMM_ONE_CHANNEL(sum, "r6")
#define EK_GEMM_ONE_LOOP                                                                         \
    "cmp r1, r3\n bne 6f\n" EK_GEMM_ONE_STEP("vmladav") "subs r7, #16\n beq 3f\n"               \
    "5:\n" EK_GEMM_ONE_STEP("vmladava") "subs r7, #16\n bne 5b\n b 3f\n 6:\n"
#define EK_GEMM_SECOND "cmp r2, r3\n ite eq\n moveq r3, r1\n addne r3, r1, r7\n"
#else
#define EK_GEMM_ONE_LOOP
#define EK_GEMM_SECOND "adds r3, r1, r7\n"
#endif
#if EK_MULTIPLY_LEFT
#define EK_GEMM_LEFT                                                                             \
    "vmov.i32 q5, #0\n vmax.s32 q2, q4, q5\n vmin.s32 q4, q4, q5\n"                              \
    "vshl.s32 q0, q0, q2\n vshl.s32 q1, q1, q2\n"
#else
#define EK_GEMM_LEFT
#endif

/* All channels of two columns. */
static __attribute__((naked, noinline, unused)) void ek_gemm(
    __attribute__((unused)) const ek_gemm_t *g, __attribute__((unused)) const int8_t *columns,
    __attribute__((unused)) int8_t *out0, __attribute__((unused)) int8_t *out1) {
    __asm__ volatile(
        "push {r4-r11, lr}\n vpush {d8-d15}\n sub sp, #36\n"
        "strd r2, r3, [sp]\n ldr r5, [r0]\n ldr r11, [r0, #4]\n ldr r9, [r0, #8]\n"
        "ldr r4, [r0, #12]\n ldrh r6, [r0, #18]\n strd r4, r6, [sp, #8]\n"
        "ldrh r7, [r0, #16]\n adds r7, #15\n bic r7, #15\n" EK_GEMM_SECOND
        "strd r1, r3, [sp, #16]\n ldrsh r8, [r0, #22]\n strd r7, r8, [sp, #24]\n"
        "ldrsb r4, [r0, #24]\n ldrsb r6, [r0, #25]\n vdup.32 q6, r4\n vdup.32 q7, r6\n"
        "ldrb r4, [r0, #27]\n str r4, [sp, #32]\n"
        "1:\n" EK_GEMM_ONE_LOOP EK_GEMM_STEP("vmladav") "subs r7, #16\n beq 3f\n"
        "2:\n" EK_GEMM_STEP("vmladava") "subs r7, #16\n bne 2b\n"
        "3: vmov q0[2], q0[0], r0, r4\n vmov q0[3], q0[1], r2, r6\n"
        "vldrw.32 q2, [r11], #16\n ldrd r4, r6, [sp, #8]\n vmov q1[2], q1[0], r8, r12\n"
        "vmov q1[3], q1[1], r10, lr\n vldrw.32 q3, [r9], #16\n vadd.i32 q0, q0, q2\n"
        "vldrb.s32 q4, [r4], #4\n vadd.i32 q1, q1, q2\n" EK_GEMM_LEFT
        "vqrdmulh.s32 q0, q0, q3\n ldr r8, [sp, #28]\n vqrdmulh.s32 q1, q1, q3\n" EK_GEMM_FIX
        "vrshl.s32 q0, q0, q4\n ldrd r0, r2, [sp]\n vrshl.s32 q1, q1, q4\n"
        "vadd.i32 q0, q0, r8\n vadd.i32 q1, q1, r8\n vmax.s32 q0, q0, q6\n vmax.s32 q1, q1, q6\n"
        "vmin.s32 q0, q0, q7\n vmin.s32 q1, q1, q7\n"
        "vctp.32 r6\n vpstt\n vstrbt.32 q1, [r2], #4\n vstrbt.32 q0, [r0], #4\n"
        "strd r0, r2, [sp]\n subs r6, #4\n strd r4, r6, [sp, #8]\n"
        "ldrd r1, r3, [sp, #16]\n ldr r7, [sp, #24]\n bgt 1b\n"
        "add sp, #36\n vpop {d8-d15}\n pop {r4-r11, pc}\n");
}
#else
/* All channels of two columns, in C. */
static EK_NOINLINE void ek_gemm(const ek_gemm_t *g, const int8_t *columns, int8_t *out0,
                                int8_t *out1) {
    const int32_t *bias = (const int32_t *)g->bias;
    int32_t bytes = ek_column_bytes(g), c, k;
    for (c = 0; c < g->channels; ++c) {
        const int8_t *weights = (const int8_t *)g->weights + c / 4 * 4 * bytes + c % 4 * 16;
        int32_t sums[2];
        sums[0] = sums[1] = bias[c];
        for (k = 0; k < g->depth; ++k) {
            int32_t weight = weights[k / 16 * 64 + k % 16];
            sums[0] += weight * columns[k];
            sums[1] += weight * columns[bytes + k];
        }
        for (k = 0; k < 2; ++k) {
            int32_t sum = ek_multiply(sums[k], g->multiplier[c], g->shift[c]) + g->zero_out;
            (k ? out1 : out0)[c] = (int8_t)ek_clamp(sum, g->low, g->high);
        }
    }
}
#endif

/* All channels of up to two pixels, whose outputs are `across` bytes apart. */
static inline void ek_gemm_pixels(const ek_gemm_t *g, const int8_t *columns, int8_t *out,
                                  int32_t pixels, int32_t across) {
    ek_gemm(g, columns, out, pixels > 1 ? out + across : out);
}
