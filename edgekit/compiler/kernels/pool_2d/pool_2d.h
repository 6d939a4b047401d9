#include "../common/words.h"
#include "../common/requantize.h"
#include "../common/sums.h"
#include "averages.h"
#include "greatest.h"

typedef struct {
    int16_t in_height, in_width, channels, out_height, out_width;
    int16_t kernel_height, kernel_width, pad_top, pad_left;
    uint8_t stride_height, stride_width;
    int8_t low, high;
} ek_pool_2d_t;

/* A window that is cut to the input: `rows` times `columns` pixels, a row of the input apart. */
typedef void ek_pool_window(const ek_pool_2d_t *p, const int8_t *from, int32_t rows,
                            int32_t columns, int8_t *out);

#if EK_POOL_MAX
static void ek_pool_max(const ek_pool_2d_t *p, const int8_t *from, int32_t rows, int32_t columns,
                        int8_t *out) {
    int32_t channels = p->channels, c;
    ek_greatest_each(from, rows, columns, channels, (p->in_width - columns) * channels, out);
    if (p->low > -128 || p->high < 127)
        for (c = 0; c < channels; ++c)
            out[c] = (int8_t)ek_clamp(out[c], p->low, p->high);
}
#endif

#if EK_POOL_AVERAGE
static EK_SMALL void ek_pool_average(const ek_pool_2d_t *p, const int8_t *from, int32_t rows,
                            int32_t columns, int8_t *out) {
    int32_t channels = p->channels, gap = (p->in_width - columns) * channels, c, i, sums[4];
    uint32_t count = (uint32_t)(rows * columns), reciprocal = ek_reciprocal(count);
    for (c = channels; c > 0; c -= 4, from += 4) {
        int32_t together = c < 4 ? c : 4;
        if (together == 4)
            ek_sum4(from, rows, columns, channels, gap, sums);
        else
            for (i = 0; i < together; ++i)
                sums[i] = ek_sum1(from + i, rows, columns, channels, gap);
        for (i = 0; i < together; ++i)
            *out++ = (int8_t)ek_clamp(ek_average(sums[i], count, reciprocal), p->low, p->high);
    }
}
#endif

static EK_SMALL void ek_pool_2d(const ek_pool_2d_t *p, ek_pool_window *window, const int8_t *in,
                                   int8_t *out) {
    int32_t channels = p->channels, y, x;
    for (y = 0; y < p->out_height; ++y) {
        int32_t top = y * p->stride_height - p->pad_top, bottom = top + p->kernel_height;
        top = top < 0 ? 0 : top;
        bottom = bottom > p->in_height ? p->in_height : bottom;
        for (x = 0; x < p->out_width; ++x, out += channels) {
            int32_t left = x * p->stride_width - p->pad_left, right = left + p->kernel_width;
            left = left < 0 ? 0 : left;
            right = right > p->in_width ? p->in_width : right;
            window(p, in + (top * p->in_width + left) * channels, bottom - top, right - left, out);
        }
    }
}
