#include "../common/words.h"
#include "../common/vectors.h"

/* A matrix of weights, and what turns its sums into outputs. Weights: for each four channels and 16
   inputs, 16 of each channel. Bit 1 of `fast`: outputs are cut off at their zero point, -128. */
typedef struct {
    const void *weights;
    const void *bias;
    const int32_t *multiplier;
    const int8_t *shift;
    uint16_t depth, channels;
    int16_t zero_in, zero_out;
    int8_t low, high;
    uint8_t bias_bits, fast;
} ek_gemm_t;

/* Columns: the inputs of two output pixels, int8, each in whole vectors of 16; what lies behind a
   column meets weights of zero. */
static inline int32_t ek_column_bytes(const ek_gemm_t *g) { return (g->depth + 15) & ~15; }

static inline void ek_column_put(const ek_gemm_t *g, int8_t *columns, int32_t pixel, int32_t at,
                                 const int8_t *from, int32_t count) {
    ek_copy(columns + pixel * ek_column_bytes(g) + at, from, count);
}

static inline void ek_column_rows(const ek_gemm_t *g, int8_t *columns, int32_t pixel,
                                  const int8_t *from, int32_t count, int32_t rows, int32_t down,
                                  int32_t step) {
    int8_t *to = columns + pixel * ek_column_bytes(g);
    for (; rows > 0; --rows, from += down, to += step)
        ek_copy(to, from, count);
}

static inline void ek_column_pad(const ek_gemm_t *g, int8_t *columns, int32_t pixel, int32_t at,
                                 int32_t count) {
    ek_fill(columns + pixel * ek_column_bytes(g) + at, g->zero_in, count);
}

#if defined(__ARM_FEATURE_MVE)
/* Sums of four channels over one vector of two columns. Sums across a vector go to even registers;
   pointers take odd ones. */
#define EK_GEMM_CHANNEL(sum, left, right)                                                        \
    "vldrb.8 q2, [%[w]], #16\n" sum ".s8 " left ", q0, q2\n" sum ".s8 " right ", q1, q2\n"
#define EK_GEMM_STEP(sum)                                                                        \
    "vldrb.8 q0, [%[x]], #16\n vldrb.8 q1, [%[y]], #16\n" EK_GEMM_CHANNEL(sum, "r0", "r8")       \
    EK_GEMM_CHANNEL(sum, "r2", "r10") EK_GEMM_CHANNEL(sum, "r4", "r12")                          \
    EK_GEMM_CHANNEL(sum, "r6", "lr")

static inline int32x4_t ek_gemm_round(const ek_gemm_t *g, int32x4_t sums, int32x4_t multipliers,
                                      int32x4_t shifts) {
#if EK_GEMM_RELU && EK_GEMM_SIGNED
    sums = g->fast & 2 ? ek_multiply4_cut(sums, multipliers, shifts)
                       : ek_multiply4(sums, multipliers, shifts);
#elif EK_GEMM_RELU
    sums = ek_multiply4_cut(sums, multipliers, shifts);
#else
    sums = ek_multiply4(sums, multipliers, shifts);
#endif
    sums = vaddq_n_s32(sums, g->zero_out);
    sums = vmaxq_s32(sums, vdupq_n_s32(g->low));
    return vminq_s32(sums, vdupq_n_s32(g->high));
}

/* All channels of two columns. */
static EK_NOINLINE void ek_gemm(const ek_gemm_t *g, const int8_t *columns, int8_t *out0,
                                int8_t *out1) {
    const int32_t *bias = (const int32_t *)g->bias, *multiplier = g->multiplier;
    const int8_t *weights = (const int8_t *)g->weights, *shift = g->shift;
    int32_t bytes = ek_column_bytes(g), left = g->channels;
    for (; left > 0; left -= 4, out0 += 4, out1 += 4, bias += 4, multiplier += 4, shift += 4) {
        const int8_t *x = columns, *y = columns + bytes;
        int32x4_t first, second, biases, multipliers, shifts;
        mve_pred16_t some = vctp32q((uint32_t)left);
        int32_t steps = bytes;
        __asm__ volatile(
            EK_GEMM_STEP("vmladav") "subs %[steps], #16\n ble 2f\n"
            "1:\n" EK_GEMM_STEP("vmladava") "subs %[steps], #16\n bgt 1b\n"
            "2: vmov %q[first][2], %q[first][0], r0, r4\n vmov %q[first][3], %q[first][1], r2, r6\n"
            "vmov %q[second][2], %q[second][0], r8, r12\n"
            "vmov %q[second][3], %q[second][1], r10, lr\n"
            : [x] "+&r"(x), [y] "+&r"(y), [w] "+&r"(weights), [steps] "+&r"(steps),
              [first] "=&w"(first), [second] "=&w"(second)
            :
            : "r0", "r2", "r4", "r6", "r8", "r10", "r12", "lr", "s0", "s1", "s2", "s3", "s4", "s5",
              "s6", "s7", "s8", "s9", "s10", "s11", "cc", "memory");
        biases = vldrwq_s32(bias);
        multipliers = vldrwq_s32(multiplier);
        shifts = vldrbq_s32(shift);
        first = ek_gemm_round(g, vaddq_s32(first, biases), multipliers, shifts);
        second = ek_gemm_round(g, vaddq_s32(second, biases), multipliers, shifts);
        vstrbq_p_s32(out0, first, some);
        vstrbq_p_s32(out1, second, some);
    }
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
