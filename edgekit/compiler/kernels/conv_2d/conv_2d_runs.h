#include "../gemm/runs.h"
#include "conv_2d.h"

/* Pairs of pixels from this one on that lie inside the picture, in one row. */
static inline int32_t ek_conv_2d_inside(const ek_conv_2d_t *c, int32_t y, int32_t x, int32_t last) {
    int32_t from = x * c->stride_width - c->pad_left, top = y * c->stride_height - c->pad_top;
    if (from < 0 || x >= last || (uint32_t)top >= (uint32_t)c->inner_height)
        return 0;
    return (last - x + 1) / 2;
}

/* The columns of two pixels that are no run; those that are left repeat the last one. */
static inline void ek_conv_2d_pair(const ek_conv_2d_t *c, const int8_t *in, int32_t y, int32_t x,
                                   int32_t pixels, int8_t *columns, int8_t *bytes) {
    int32_t p;
    for (p = 0; p < 2; ++p) {
#if EK_CONV_2D_APART
        ek_conv_2d_take(c, in, y, x, columns, p, bytes);
#else
        ek_conv_2d_border(c, in, y * c->stride_height - c->pad_top,
                          x * c->stride_width - c->pad_left, columns, p, bytes);
#endif
        if (p + 1 < pixels && ++x == c->out_width) {
            x = 0;
            ++y;
        }
    }
}

/* Runs of pixels straight from the picture, where rows of the kernel go into columns as they are;
   what lies at the border two pixels at a time. */
static EK_SMALL void ek_conv_2d_runs(const ek_conv_2d_t *c, const int8_t *in,
                                     const int8_t *addend, int8_t *out, int8_t *scratch,
                                     int8_t *bytes) {
    const ek_gemm_t *g = c->gemm;
    int32_t channels = g->channels, left = c->out_height * c->out_width, y = 0, x = 0, last = -1;
    ek_run_t run;
    (void)addend;
    run.count = c->kernel_width * c->in_channels;
    run.step = c->stride_width * c->in_channels;
    run.rows = c->kernel_height;
    run.down = c->dilation_height * c->in_width * c->in_channels;
    run.row_bytes = 4 * c->row;
    run.zero = (uint32_t)(-g->zero_in & 0xffff) * 0x10001u;
    run.columns = (uint32_t *)(void *)scratch;
    run.steps = c->steps;
    if (c->direct & 1 && run.count >= 4 && c->inner_width > 0)
        last = (c->inner_width - 1 + c->pad_left) / c->stride_width;
    if (last >= c->out_width)
        last = c->out_width - 1;
    while (left > 0) {
        int32_t pixels = left < 2 ? left : 2, pairs = ek_conv_2d_inside(c, y, x, last);
        run.from = 0;
        run.pairs = 1;
        if (pairs > 0) {
            run.from = in + ((y * c->stride_height - c->pad_top) * c->in_width +
                             x * c->stride_width - c->pad_left) * c->in_channels;
#if EK_CONV_2D_ADD
            if (c->add)
                pairs = 1;
#endif
            run.pairs = pairs;
            pixels = 2 * pairs;
        } else {
            ek_conv_2d_pair(c, in, y, x, pixels, scratch, bytes);
        }
        run.out = out;
        run.across = pixels > 1 ? channels : 0;
#if EK_CONV_2D_ADD
        if (c->add)
            run.out = bytes;
#endif
        ek_gemm_runs(g, &run);
        pixels *= channels;
        ek_runs_limit(g, c->add ? bytes : out, pixels);
#if EK_CONV_2D_ADD
        if (c->add) {
            ek_add(c->add, bytes, addend, out, pixels);
            addend += pixels;
        }
#endif
        out += pixels;
        left -= pixels / channels;
        for (x += pixels / channels; x >= c->out_width; x -= c->out_width)
            ++y;
    }
}
