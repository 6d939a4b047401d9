#include "gemm.h"

/* All channels of one column, read where it lies, in little code. */
static EK_SMALL void ek_dense_plain(const ek_gemm_t *g, const int8_t *in, int8_t *out) {
    const int32_t *bias = (const int32_t *)g->bias;
    const int8_t *w = (const int8_t *)g->weights;
    int32_t c, k;
    for (c = 0; c < g->channels; ++c) {
        int32_t sum = bias[c];
        for (k = 0; k < g->depth; ++k)
            sum += *w++ * in[k];
        out[c] = ek_gemm_out(g, c, sum);
    }
}
