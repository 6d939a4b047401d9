#include "gemm.h"

/* Weights in few bits. `indices`: of 4 bits, or a bit for each weight that is not zero; `tables`:
   of 16 values, or all weights that are not zero, and in `words` where those of each four channels
   begin. `form`: 0 one table, 1 one for each channel, 2 bits, 3 tables to be made: `words` holds 16
   values, which all channels share, and the factor of each channel; 4 one table of two values and
   indices of a bit, 5 one of four and indices of two bits. */
typedef struct {
    const uint8_t *indices;
    const int8_t *tables;
    const uint32_t *words;
    int32_t form;
} ek_code_t;

#if EK_DECODE_SCALED
#if defined(__ARM_FEATURE_DSP)
static inline int32_t ek_high_product(int32_t left, int32_t right) {
    int32_t result;
    __asm__("smmulr %0, %1, %2" : "=r"(result) : "r"(left), "r"(right));
    return result;
}
#else
static inline int32_t ek_high_product(int32_t left, int32_t right) {
    return (int32_t)(((int64_t)left * right + ((int64_t)1 << 31)) >> 32);
}
#endif

/* The tables of some channels. */
static EK_NOINLINE void ek_decode_scale(const ek_code_t *code, int32_t channel, int32_t channels,
                                        int8_t *tables) {
    const uint32_t *factors = code->words + 16 + channel;
    for (; channels > 0; --channels) {
        int32_t factor = (int32_t)*factors++, i;
        const uint32_t *base = code->words;
        for (i = 0; i < 4; ++i, base += 4, tables += 4) {
            tables[0] = (int8_t)ek_high_product((int32_t)base[0], factor);
            tables[1] = (int8_t)ek_high_product((int32_t)base[1], factor);
            tables[2] = (int8_t)ek_high_product((int32_t)base[2], factor);
            tables[3] = (int8_t)ek_high_product((int32_t)base[3], factor);
        }
    }
}
#endif

#if EK_DECODE_SPARSE
/* The weight of bit `at`, if it is set. */
static inline int32_t ek_sparse_next(const int8_t **values, int32_t bits, int32_t at) {
    int32_t some = bits >> at & 1, value = **values & -some;
    *values += some;
    return value;
}
#endif

#if EK_DECODE_FEW
/* Weights of some channels from indices of a bit or two, the first ones in the low bits: a weight
   after the other `step` bytes apart, and `back` bytes from the end of a channel to the next. */
static inline void ek_decode_few(const ek_code_t *code, int32_t depth, int32_t channel,
                                 int32_t channels, int8_t *to, int32_t step, int32_t back) {
    int32_t bits = code->form - 3, each = 8 / bits, mask = (1 << bits) - 1;
    const uint8_t *from = code->indices + channel * ((depth + each - 1) / each);
    for (; channels > 0; --channels, to -= back) {
        int32_t left = depth, at;
        for (; left > 0; left -= each) {
            int32_t all = *from++;
            for (at = 0; at < left && at < each; ++at, all >>= bits, to += step)
                *to = code->tables[all & mask];
        }
    }
}
#endif
