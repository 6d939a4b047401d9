#include "../add/add.h"
#include "../gemm/gemm.h"

/* `direct`, bit 0: whole rows of the kernel go into the column as they are; bit 1: parts of them do,
   at the border; bit 2: a column is one pixel, and the next column the next pixel. What does not go
   directly is first put together as bytes. In the column, rows of the kernel begin every `row`, and
   it has `steps` times two inputs. Windows that begin in the first `inner_height` rows and
   `inner_width` places lie inside the picture. */
typedef struct {
    const ek_gemm_t *gemm;
    const ek_add_t *add;
    int16_t in_height, in_width, in_channels, out_height, out_width;
    int16_t kernel_height, kernel_width, dilation_height, dilation_width, pad_top, pad_left;
    int16_t row, steps, inner_height, inner_width;
    uint8_t stride_height, stride_width, direct;
} ek_conv_2d_t;

/* Bytes of a row of the kernel: few, mostly, so no call. */
static inline void ek_conv_2d_bytes(int8_t *to, const int8_t *from, int32_t count) {
    for (; count >= 4; count -= 4, to += 4, from += 4)
        ek_copy4(to, from);
    for (; count > 0; --count) {
        *to++ = *from++;
        EK_KEEP_LOOP();
    }
}

/* The column of an output pixel at the border: padding, and what of the window lies in the picture.
   Rows go there as they are where they begin at a multiple of four inputs. */
static EK_SMALL void ek_conv_2d_border(const ek_conv_2d_t *c, const int8_t *in, int32_t y,
                                       int32_t x, int8_t *columns, int32_t pixel, int8_t *bytes) {
    const ek_gemm_t *g = c->gemm;
    int32_t channels = c->in_channels, taps = c->kernel_width, row = taps * channels, first = 0;
    int32_t left = x < 0 ? -x : 0, end = x + taps > c->in_width ? c->in_width - x : taps;
    int32_t middle = (end - left) * channels, rows = c->kernel_height;
    int32_t down = c->dilation_height * c->in_width * channels, whole = c->direct & 2;
    for (; rows > 0 && y < 0; y += c->dilation_height, ++first)
        --rows;
    while (rows > 0 && y + (rows - 1) * c->dilation_height >= c->in_height)
        --rows;
    if (middle <= 0)
        rows = 0;
    in += (y * c->in_width + x + left) * channels;
    left *= channels;
#if EK_COLUMN_TAIL
    whole |= c->direct & 1 && !left;
#else
    whole |= c->direct & 1 && !left && !(middle & 3);
#endif
    if (whole) {
        if (rows < c->kernel_height || middle < row)
            ek_column_pad(g, columns, pixel, 0, c->kernel_height * c->row);
        if (rows > 0)
            ek_column_put(g, columns, pixel, first * c->row + left, in, middle, rows, down, c->row);
        return;
    }
    ek_fill(bytes, g->zero_in, c->kernel_height * row);
    for (first *= row; rows > 0; --rows, first += row, in += down)
        ek_conv_2d_bytes(bytes + first + left, in, middle);
    if (c->direct & 1)
        ek_column_put(g, columns, pixel, 0, bytes, row, c->kernel_height, row, c->row);
    else
        ek_column_put(g, columns, pixel, 0, bytes, g->depth, 1, 0, 0);
}

/* The inputs of one output pixel into its column. */
static EK_NOINLINE void ek_conv_2d_column(const ek_conv_2d_t *c, const int8_t *in, int32_t out_y,
                                          int32_t out_x, int8_t *columns, int32_t pixel,
                                          int8_t *bytes) {
    int32_t y = out_y * c->stride_height - c->pad_top, x = out_x * c->stride_width - c->pad_left;
    int32_t width = c->in_width, channels = c->in_channels, row = c->kernel_width * channels;
    int32_t rows = c->kernel_height, down = c->dilation_height * width * channels;
    const int8_t *line = in + (y * width + x) * channels;
    if ((uint32_t)x >= (uint32_t)c->inner_width || (uint32_t)y >= (uint32_t)c->inner_height) {
        ek_conv_2d_border(c, in, y, x, columns, pixel, bytes);
        return;
    }
    if (c->direct & 1) {
        ek_column_put(c->gemm, columns, pixel, 0, line, row, rows, down, c->row);
    } else {
        int8_t *to = bytes;
        for (; rows > 0; --rows, line += down, to += row)
            ek_conv_2d_bytes(to, line, row);
        ek_column_put(c->gemm, columns, pixel, 0, bytes, c->gemm->depth, 1, 0, 0);
    }
}

#if EK_CONV_2D_DILATED
/* The same with gaps between the taps of a row. */
static EK_NOINLINE void ek_conv_2d_dilated(const ek_conv_2d_t *c, const int8_t *in, int32_t out_y,
                                           int32_t out_x, int8_t *columns, int32_t pixel,
                                           int8_t *bytes) {
    int32_t y = out_y * c->stride_height - c->pad_top, channels = c->in_channels, at = 0, ky, kx;
    for (ky = c->kernel_height; ky > 0; --ky, y += c->dilation_height) {
        int32_t x = out_x * c->stride_width - c->pad_left;
        for (kx = c->kernel_width; kx > 0; --kx, x += c->dilation_width, at += channels) {
            const int8_t *from = in + (y * c->in_width + x) * channels;
            if (y < 0 || y >= c->in_height || x < 0 || x >= c->in_width)
                ek_fill(bytes + at, c->gemm->zero_in, channels);
            else
                ek_copy(bytes + at, from, channels);
        }
    }
    ek_column_put(c->gemm, columns, pixel, 0, bytes, c->gemm->depth, 1, 0, 0);
}
#endif

static inline void ek_conv_2d_take(const ek_conv_2d_t *c, const int8_t *in, int32_t out_y,
                                   int32_t out_x, int8_t *columns, int32_t pixel, int8_t *bytes) {
#if EK_CONV_2D_DILATED
    if (c->dilation_width > 1) {
        ek_conv_2d_dilated(c, in, out_y, out_x, columns, pixel, bytes);
        return;
    }
#endif
    ek_conv_2d_column(c, in, out_y, out_x, columns, pixel, bytes);
}

#if EK_COLUMNS == 3
/* Three neighbours at once, where they can be; whether they could. */
static inline int32_t ek_conv_2d_three(const ek_conv_2d_t *c, const int8_t *in, int32_t out_y,
                                       int32_t out_x, int8_t *columns) {
    int32_t channels = c->in_channels, step = c->stride_width, width = c->in_width;
    int32_t y = out_y * c->stride_height - c->pad_top, x = out_x * step - c->pad_left;
    if (c->direct & 4) {
        ek_column_three(c->gemm, columns, in + out_x * channels, channels, channels, 1, 0);
        return 1;
    }
    if (!(c->direct & 1) || out_x + 3 > c->out_width || x < 0 || x + 2 * step >= c->inner_width ||
        (uint32_t)y >= (uint32_t)c->inner_height)
        return 0;
    ek_column_three(c->gemm, columns, in + (y * width + x) * channels, step * channels,
                    c->kernel_width * channels, c->kernel_height,
                    c->dilation_height * width * channels);
    return 1;
}
#endif

/* The columns of output pixels that follow each other; those that are left repeat the last one. */
static inline void ek_conv_2d_columns(const ek_conv_2d_t *c, const int8_t *in, int32_t y, int32_t x,
                                      int32_t pixels, int8_t *columns, int8_t *bytes) {
    int32_t p;
#if EK_COLUMNS == 3
    if (pixels == 3 && ek_conv_2d_three(c, in, y, x, columns))
        return;
#endif
    if (c->direct & 4 && EK_COLUMNS == 2) {
        int32_t depth = c->in_channels;
        in += x * depth;
        ek_column_put(c->gemm, columns, 0, 0, in, depth, 1, 0, 0);
        ek_column_put(c->gemm, columns, 1, 0, pixels > 1 ? in + depth : in, depth, 1, 0, 0);
        return;
    }
    for (p = 0; p < EK_COLUMNS; ++p) {
#if EK_GEMM_ONE && EK_COLUMNS == 3
        if (p > 0 && c->gemm->fast & 2)
            return;
#endif
        ek_conv_2d_take(c, in, y, x, columns, p, bytes);
        if (p + 1 < pixels && ++x == c->out_width) {
            x = 0;
            ++y;
        }
    }
}

/* As many output pixels at a time as the matrix kernel takes; `scratch` holds their columns, `bytes`
   one column as bytes, or outputs that wait for their addition. */
static EK_NOINLINE void ek_conv_2d(const ek_conv_2d_t *c, const int8_t *in, const int8_t *addend,
                                   int8_t *out, int8_t *scratch, int8_t *bytes) {
    int32_t channels = c->gemm->channels, left = c->out_height * c->out_width, y = 0, x = 0;
    (void)addend;
    while (left > 0) {
        int32_t pixels = left < EK_COLUMNS ? left : EK_COLUMNS;
        ek_conv_2d_columns(c, in, y, x, pixels, scratch, bytes);
        for (x += pixels; x >= c->out_width; x -= c->out_width)
            ++y;
#if EK_CONV_2D_ADD
        if (c->add) {
            ek_gemm_pixels(c->gemm, scratch, bytes, pixels, channels);
            ek_add(c->add, bytes, addend, out, pixels * channels);
            addend += pixels * channels;
        } else
#endif
            ek_gemm_pixels(c->gemm, scratch, out, pixels, channels);
        out += pixels * channels;
        left -= pixels;
    }
}
