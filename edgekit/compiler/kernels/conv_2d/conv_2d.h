#include "../add/add.h"
#include "../gemm/gemm.h"

/* `direct`: rows of the kernel go into the column as they are; otherwise by way of bytes. */
typedef struct {
    const ek_gemm_t *gemm;
    const ek_add_t *add;
    int16_t in_height, in_width, in_channels, out_height, out_width;
    int16_t kernel_height, kernel_width, dilation_height, dilation_width, pad_top, pad_left;
    uint8_t stride_height, stride_width, direct;
} ek_conv_2d_t;

static inline void ek_conv_2d_put(const ek_conv_2d_t *c, int8_t *columns, int32_t pixel, int32_t at,
                                  const int8_t *from, int32_t count, int8_t *bytes) {
    if (!c->direct && from)
        ek_copy(bytes + at, from, count);
    else if (!c->direct)
        ek_fill(bytes + at, c->gemm->zero_in, count);
    else if (from)
        ek_column_put(c->gemm, columns, pixel, at, from, count);
    else
        ek_column_pad(c->gemm, columns, pixel, at, count);
}

/* The inputs of one output pixel into its column. */
static EK_NOINLINE void ek_conv_2d_column(const ek_conv_2d_t *c, const int8_t *in, int32_t out_y,
                                          int32_t out_x, int8_t *columns, int32_t pixel,
                                          int8_t *bytes) {
    int32_t top = out_y * c->stride_height - c->pad_top;
    int32_t left = out_x * c->stride_width - c->pad_left;
    int32_t channels = c->in_channels, row = c->kernel_width * channels, at = 0, ky, kx;
    int32_t inside = c->dilation_width == 1 && left >= 0 && left + c->kernel_width <= c->in_width;
    for (ky = 0; ky < c->kernel_height; ++ky) {
        int32_t y = top + ky * c->dilation_height;
        const int8_t *line = in + (y * c->in_width + left) * channels;
        if (y < 0 || y >= c->in_height) {
            ek_conv_2d_put(c, columns, pixel, at, 0, row, bytes);
            at += row;
        } else if (inside) {
            ek_conv_2d_put(c, columns, pixel, at, line, row, bytes);
            at += row;
        } else {
            for (kx = 0; kx < c->kernel_width; ++kx, at += channels) {
                int32_t x = kx * c->dilation_width;
                const int8_t *from =
                    left + x < 0 || left + x >= c->in_width ? 0 : line + x * channels;
                ek_conv_2d_put(c, columns, pixel, at, from, channels, bytes);
            }
        }
    }
    if (!c->direct)
        ek_column_put(c->gemm, columns, pixel, 0, bytes, c->gemm->depth);
}

/* Two output pixels at a time; `scratch` holds their columns, `bytes` one column as bytes, or two
   outputs that wait for their addition. */
static EK_NOINLINE void ek_conv_2d(const ek_conv_2d_t *c, const int8_t *in, const int8_t *addend,
                                   int8_t *out, int8_t *scratch, int8_t *bytes) {
    int32_t channels = c->gemm->channels, left = c->out_height * c->out_width, y = 0, x = 0;
    while (left > 0) {
        int32_t pixels = left > 1 ? 2 : 1;
        ek_conv_2d_column(c, in, y, x, scratch, 0, bytes);
        if (pixels > 1 && ++x == c->out_width) {
            x = 0;
            ++y;
        }
        ek_conv_2d_column(c, in, y, x, scratch, 1, bytes);
        if (++x == c->out_width) {
            x = 0;
            ++y;
        }
        if (c->add) {
            ek_gemm(c->gemm, scratch, bytes, bytes + channels);
            ek_add(c->add, bytes, addend, out, pixels * channels);
            addend += pixels * channels;
        } else {
            ek_gemm(c->gemm, scratch, out, pixels > 1 ? out + channels : out);
        }
        out += pixels * channels;
        left -= pixels;
    }
}
