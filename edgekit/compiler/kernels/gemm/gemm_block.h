#include "gemm.h"

/* Up to four channels of `count` pixels: `columns` holds pair after pair, `step` bytes apart. */
static inline void ek_gemm_block(const ek_gemm_t *g, const int8_t *columns, int32_t step,
                                 int8_t *out, int32_t stride, int32_t count) {
    for (; count > 0; count -= 2, out += 2 * stride, columns += step)
        ek_gemm(g, columns, out, count > 1 ? out + stride : out);
}
