#include "vectors.h"

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

static inline void ek_sum4(const int8_t *from, int32_t rows, int32_t columns, int32_t step,
                           int32_t gap, int32_t *sums) {
#if defined(__ARM_FEATURE_MVE)
    int32x4_t sum = vdupq_n_s32(0);
    int32_t x;
    for (; rows > 0; --rows, from += gap)
        for (x = columns; x > 0; --x, from += step)
            sum = vaddq_s32(sum, vldrbq_s32(from));
    vstrwq_s32(sums, sum);
#else
    int32_t i;
    for (i = 0; i < 4; ++i)
        sums[i] = ek_sum1(from + i, rows, columns, step, gap);
#endif
}
