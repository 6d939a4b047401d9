#include "conv_2d.h"

/* A convolution whose bias depends on the pixel: set rows[y] * across + places[x], of `bytes`. */
typedef struct {
    const ek_conv_2d_t *conv;
    const uint8_t *rows, *places;
    int32_t across, bytes;
} ek_border_t;

static inline const void *ek_border_bias(const ek_border_t *b, int32_t y, int32_t x) {
    int32_t set = b->rows[y] * b->across + b->places[x];
    return (const int8_t *)b->conv->gemm->bias + set * b->bytes;
}

/* As many output pixels at a time as have the same bias and the matrix kernel takes. */
static EK_NOINLINE void ek_conv_2d_biases(const ek_border_t *b, const int8_t *in,
                                          const int8_t *addend, int8_t *out, int8_t *scratch,
                                          int8_t *bytes) {
    const ek_conv_2d_t *c = b->conv;
    ek_gemm_t gemm = *c->gemm;
    int32_t channels = gemm.channels, y = 0, x = 0;
    (void)addend;
    while (y < c->out_height) {
        int32_t pixels = 1;
        gemm.bias = ek_border_bias(b, y, x);
        while (pixels < EK_COLUMNS && x + pixels < c->out_width &&
               ek_border_bias(b, y, x + pixels) == gemm.bias)
            ++pixels;
        ek_conv_2d_columns(c, in, y, x, pixels, scratch, bytes);
        x += pixels;
        if (x == c->out_width) {
            x = 0;
            ++y;
        }
#if EK_CONV_2D_ADD
        if (c->add) {
            ek_gemm_pixels(&gemm, scratch, bytes, pixels, channels);
            ek_add(c->add, bytes, addend, out, pixels * channels);
            addend += pixels * channels;
        } else
#endif
            ek_gemm_pixels(&gemm, scratch, out, pixels, channels);
        out += pixels * channels;
    }
}
