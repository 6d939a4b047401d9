#include "../common/words.h"
#include "../common/requantize.h"
#include "matrix.h"

/* Columns: the inputs of two output pixels, int8 [2][depth]. Here `rows` rows of `count` inputs,
   `down` bytes apart, to every `step` of a column. */
static inline void ek_column_put(const ek_gemm_t *g, int8_t *columns, int32_t pixel, int32_t at,
                                 const int8_t *from, int32_t count, int32_t rows, int32_t down,
                                 int32_t step) {
    int8_t *to = columns + pixel * g->depth + at;
    for (; rows > 0; --rows, from += down, to += step)
        ek_copy(to, from, count);
}

static inline void ek_column_pad(const ek_gemm_t *g, int8_t *columns, int32_t pixel, int32_t at,
                                 int32_t count) {
    ek_fill(columns + pixel * g->depth + at, g->zero_in, count);
}

static inline int8_t ek_gemm_out(const ek_gemm_t *g, int32_t channel, int32_t sum) {
    sum = ek_multiply(sum, g->multiplier[channel], g->shift[channel]) + g->zero_out;
    return (int8_t)ek_clamp(sum, g->low, g->high);
}

/* All channels of two columns. */
static EK_NOINLINE void ek_gemm(const ek_gemm_t *g, const int8_t *columns, int8_t *out0,
                                int8_t *out1) {
    const int32_t *bias = (const int32_t *)g->bias;
    const int8_t *w0 = (const int8_t *)g->weights;
    int32_t depth = g->depth, c = 0;
    for (; c + 4 <= g->channels; c += 4) {
        const int8_t *x = columns, *end = columns + depth;
        int32_t a0 = bias[c], a1 = bias[c + 1], a2 = bias[c + 2], a3 = bias[c + 3];
        int32_t b0 = a0, b1 = a1, b2 = a2, b3 = a3;
        while (x != end) {
            int32_t left = *x, right = x[depth], w = *w0;
            a0 += w * left;
            b0 += w * right;
            w = w0[depth];
            a1 += w * left;
            b1 += w * right;
            w = w0[2 * depth];
            a2 += w * left;
            b2 += w * right;
            w = w0[3 * depth];
            a3 += w * left;
            b3 += w * right;
            ++x, ++w0;
        }
        w0 += 3 * depth;
        out0[c] = ek_gemm_out(g, c, a0);
        out0[c + 1] = ek_gemm_out(g, c + 1, a1);
        out0[c + 2] = ek_gemm_out(g, c + 2, a2);
        out0[c + 3] = ek_gemm_out(g, c + 3, a3);
        out1[c] = ek_gemm_out(g, c, b0);
        out1[c + 1] = ek_gemm_out(g, c + 1, b1);
        out1[c + 2] = ek_gemm_out(g, c + 2, b2);
        out1[c + 3] = ek_gemm_out(g, c + 3, b3);
    }
    for (; c < g->channels; ++c) {
        int32_t a = bias[c], b = bias[c], k;
        for (k = 0; k < depth; ++k, ++w0) {
            a += *w0 * columns[k];
            b += *w0 * columns[k + depth];
        }
        out0[c] = ek_gemm_out(g, c, a);
        out1[c] = ek_gemm_out(g, c, b);
    }
}

/* All channels of up to two pixels, whose outputs are `across` bytes apart. */
static inline void ek_gemm_pixels(const ek_gemm_t *g, const int8_t *columns, int8_t *out,
                                  int32_t pixels, int32_t across) {
    ek_gemm(g, columns, out, pixels > 1 ? out + across : out);
}
