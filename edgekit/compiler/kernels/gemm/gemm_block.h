#include "gemm.h"

/* Up to four channels of `count` pixels: `columns` holds those of EK_COLUMNS pixels after each
   other, `step` bytes apart. */
static inline void ek_gemm_block(const ek_gemm_t *g, const int8_t *columns, int32_t step,
                                 int8_t *out, int32_t stride, int32_t count) {
    for (; count > 0; count -= EK_COLUMNS, out += EK_COLUMNS * stride, columns += step)
        ek_gemm_pixels(g, columns, out, count < EK_COLUMNS ? count : EK_COLUMNS, stride);
}
