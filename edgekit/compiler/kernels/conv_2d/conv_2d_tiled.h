#include "../gemm/decode.h"
#include "../gemm/gemm_block.h"
#include "conv_2d.h"

/* A convolution with coded weights, `tile` output pixels at a time, whose columns take
   `column_bytes` for each EK_COLUMNS. */
typedef struct {
    const ek_conv_2d_t *conv;
    const ek_code_t *code;
    int32_t tile, column_bytes, block_bytes;
} ek_tiled_t;

/* All channels of `count` pixels, whose columns are there. */
static inline void ek_conv_2d_tile(const ek_tiled_t *t, int32_t count, int8_t *out,
                                   const int8_t *columns, int8_t *weights) {
    ek_gemm_t g = *t->conv->gemm;
    int32_t channels = g.channels, first;
    g.weights = weights;
    g.channels = 4;
    for (first = 0; first < channels; first += 4) {
        if (first)
            ek_gemm_next(&g);
#if EK_GEMM_ODD
        if (channels - first < 4)
            g.channels = (uint16_t)(channels - first);
#endif
        ek_decode(t->code, g.depth, first, g.channels, weights, weights + t->block_bytes);
        ek_gemm_block(&g, columns, t->column_bytes, out + first, channels, count);
    }
}

/* `scratch` holds the columns of a tile, four channels of weights, what decoding needs; `bytes` a
   column as bytes, or the outputs of a tile that wait for their addition. */
static EK_TILED void ek_conv_2d_tiled(const ek_tiled_t *t, const int8_t *in,
                                      const int8_t *addend, int8_t *out, int8_t *scratch,
                                      int8_t *bytes) {
    const ek_conv_2d_t *c = t->conv;
    int32_t channels = c->gemm->channels, left = c->out_height * c->out_width, y = 0, x = 0;
    int8_t *weights = scratch + t->tile / EK_COLUMNS * t->column_bytes;
    (void)addend;
    ek_decode_begin(t->code, weights + t->block_bytes);
    while (left > 0) {
        int32_t count = left < t->tile ? left : t->tile, p = 0;
        int8_t *to = out, *columns = scratch;
        if (c->direct & 4 && ek_gemm_columns(c->gemm, scratch, t->column_bytes,
                                             in + x * c->in_channels, count))
            x += p = count;
        for (; p < count; p += EK_COLUMNS, columns += t->column_bytes) {
            int32_t pixels = count - p < EK_COLUMNS ? count - p : EK_COLUMNS;
            ek_conv_2d_columns(c, in, y, x, pixels, columns, bytes);
            for (x += pixels; x >= c->out_width; x -= c->out_width)
                ++y;
        }
#if EK_CONV_2D_ADD
        if (c->add)
            to = bytes;
#endif
        ek_conv_2d_tile(t, count, to, scratch, weights);
#if EK_CONV_2D_ADD
        if (c->add) {
            ek_add(c->add, bytes, addend, out, count * channels);
            addend += count * channels;
        }
#endif
        out += count * channels;
        left -= count;
    }
}
