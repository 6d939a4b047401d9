#include "../common/vectors.h"

/* The greatest of each of `channels` bytes at `rows` times `columns` places, a pixel apart; `gap`
   leads from the end of a row to the next. */
static inline void ek_greatest_each(const int8_t *from, int32_t rows, int32_t columns,
                                    int32_t channels, int32_t gap, int8_t *out) {
    int32_t c, y, x;
#if defined(__ARM_FEATURE_MVE)
    for (c = channels; c > 0; c -= 16, from += 16, out += 16) {
        mve_pred16_t some = vctp8q((uint32_t)c);
        const int8_t *at = from;
        int8x16_t most = vdupq_n_s8(-128);
        for (y = rows; y > 0; --y, at += gap)
            for (x = columns; x > 0; --x, at += channels)
                most = vmaxq_s8(most, vldrbq_z_s8(at, some));
        vstrbq_p_s8(out, most, some);
    }
#else
    for (c = 0; c < channels; ++c, ++from) {
        const int8_t *at = from;
        int32_t most = -128;
        for (y = 0; y < rows; ++y, at += gap)
            for (x = 0; x < columns; ++x, at += channels)
                most = *at > most ? *at : most;
        *out++ = (int8_t)most;
    }
#endif
}
