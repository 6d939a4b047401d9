#include "../common/words.h"
#include "../common/requantize.h"

/* 1 / (1 + value) for a value in [0, 1), 31 fractional bits: Newton's method from 48/17 - 32/17 x
   on half of the denominator, with 29 fractional bits. */
static inline int32_t ek_one_over_one_plus(int32_t value) {
    int32_t half = (int32_t)(((uint32_t)value + 0x80000000u) >> 1), step;
    int32_t x = 1515870810 + ek_high_mul(half, -1010580540);
    for (step = 0; step < 3; ++step)
        x += ek_high_mul(x, (1 << 29) - ek_high_mul(half, x)) * 4;
    return x >= 1 << 30 ? 0x7fffffff : x * 2;
}

/* exp of a value that is `below` the greatest. */
static inline int32_t ek_softmax_exp(const int32_t *exps, int32_t count, int32_t below) {
    return below < count ? exps[below] : 0;
}

/* What turns the exponentials of a row into outputs: a factor and, in `shift`, bits to the right
   of an output in 31 bits. */
static EK_SMALL int32_t ek_softmax_factor(const int32_t *exps, int32_t count, int32_t depth,
                                             int32_t greatest, const int8_t *in, int32_t *shift) {
    uint32_t sum = 0;
    int32_t c, bits = 12;
    for (c = 0; c < depth; ++c)
        sum += (uint32_t)ek_round_shift(ek_softmax_exp(exps, count, greatest - in[c]), 12);
    for (; !(sum & 0x80000000u); sum <<= 1)
        --bits;
    *shift = bits;
    return ek_one_over_one_plus((int32_t)(sum - 0x80000000u));
}

static inline int32_t ek_greatest(const int8_t *in, int32_t count) {
    int32_t greatest = -128;
    for (; count > 0; --count, ++in)
        greatest = *in > greatest ? *in : greatest;
    return greatest;
}

#define EK_SOFTMAX(name, type, size)                                                             \
    static EK_SMALL void name(const int32_t *exps, int32_t count, int32_t rows, int32_t depth, \
                                 const int8_t *in, int8_t *to) {                                 \
        type *out = (type *)(void *)to;                                                          \
        int32_t c, shift;                                                                        \
        for (; rows > 0; --rows, in += depth, out += depth) {                                    \
            int32_t greatest = ek_greatest(in, depth);                                           \
            int32_t factor = ek_softmax_factor(exps, count, depth, greatest, in, &shift);        \
            shift = shift > (size) ? 31 : shift + 31 - (size);                                   \
            for (c = 0; c < depth; ++c) {                                                        \
                int32_t value = ek_softmax_exp(exps, count, greatest - in[c]);                   \
                value = ek_round_shift(ek_high_mul(factor, value), shift);                       \
                value -= 1 << ((size) - 1);                                                      \
                out[c] = (type)ek_clamp(value, -(1 << ((size) - 1)), (1 << ((size) - 1)) - 1);   \
            }                                                                                    \
        }                                                                                        \
    }

#if EK_SOFTMAX8
EK_SOFTMAX(ek_softmax8, int8_t, 8)
#endif
#if EK_SOFTMAX16
EK_SOFTMAX(ek_softmax16, int16_t, 16)
#endif
