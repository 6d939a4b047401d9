#include "words.h"

/* Sums of one byte, or of four that follow each other, at `rows` times `columns` places, `step`
   bytes apart; `gap` leads from the end of a row to the next. */
static inline int32_t ek_sum1(const int8_t *from, int32_t rows, int32_t columns, int32_t step,
                              int32_t gap) {
    int32_t sum = 0, x;
    for (; rows > 0; --rows, from += gap)
        for (x = columns; x > 0; --x, from += step)
            sum += *from;
    return sum;
}

/* Adds bytes 0 and 2 of a word to halves of `even`, bytes 1 and 3 to those of `odd`. */
static inline void ek_sum_word(uint32_t word, uint32_t *even, uint32_t *odd) {
#if defined(__ARM_FEATURE_DSP)
    __asm__("sxtab16 %0, %0, %1" : "+r"(*even) : "r"(word));
    __asm__("sxtab16 %0, %0, %1, ror #8" : "+r"(*odd) : "r"(word));
#else
    uint32_t low = (uint32_t)(int32_t)(int8_t)word, high = (uint32_t)(int32_t)(int8_t)(word >> 16);
    *even = ((*even + low) & 0xffffu) | ((*even >> 16) + high) << 16;
    low = (uint32_t)(int32_t)(int8_t)(word >> 8);
    high = (uint32_t)(int32_t)(int8_t)(word >> 24);
    *odd = ((*odd + low) & 0xffffu) | ((*odd >> 16) + high) << 16;
#endif
}

/* Halves hold 256 bytes. */
static EK_NOINLINE void ek_sum4(const int8_t *from, int32_t rows, int32_t columns, int32_t step,
                                int32_t gap, int32_t *sums) {
    uint32_t even = 0, odd = 0;
    int32_t room = 256, x;
    sums[0] = sums[1] = sums[2] = sums[3] = 0;
    for (; rows > 0; --rows, from += gap)
        for (x = columns; x > 0; --x, from += step) {
            ek_sum_word(ek_load32(from), &even, &odd);
            if (--room > 0 && (x > 1 || rows > 1))
                continue;
            sums[0] += (int16_t)even;
            sums[1] += (int16_t)odd;
            sums[2] += (int16_t)(even >> 16);
            sums[3] += (int16_t)(odd >> 16);
            even = odd = 0;
            room = 256;
        }
}
