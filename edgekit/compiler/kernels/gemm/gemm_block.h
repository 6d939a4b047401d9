#include "gemm.h"

/* What calls it is fast, for it has the loops that decode. */
#define EK_TILED EK_NOINLINE

/* Columns of `count` pixels that lie behind each other; whether it can. */
static inline int32_t ek_gemm_columns(const ek_gemm_t *g, int8_t *columns, int32_t step,
                                      const int8_t *from, int32_t count) {
    (void)g, (void)columns, (void)step, (void)from, (void)count;
    return 0;
}

/* To the next four channels. */
static inline void ek_gemm_next(ek_gemm_t *g) {
    g->bias = (const int8_t *)g->bias + g->bias_bits / 2;
    g->multiplier += 4;
    g->shift += 4;
}

/* Up to four channels of `count` pixels: `columns` holds those of EK_COLUMNS pixels after each
   other, `step` bytes apart. */
static inline void ek_gemm_block(const ek_gemm_t *g, const int8_t *columns, int32_t step,
                                 int8_t *out, int32_t stride, int32_t count) {
    for (; count > 0; count -= EK_COLUMNS, out += EK_COLUMNS * stride, columns += step)
        ek_gemm_pixels(g, columns, out, count < EK_COLUMNS ? count : EK_COLUMNS, stride);
}
