#include "../common/words.h"
#include "../common/requantize.h"
#include "averages.h"

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
    int32_t channels = p->channels, gap = (p->in_width - columns) * channels, c, y, x;
    for (c = 0; c < channels; ++c, ++from) {
        const int8_t *at = from;
        int32_t most = -128;
        for (y = 0; y < rows; ++y, at += gap)
            for (x = 0; x < columns; ++x, at += channels)
                most = *at > most ? *at : most;
        *out++ = (int8_t)ek_clamp(most, p->low, p->high);
    }
}
#endif

#if EK_POOL_AVERAGE
static void ek_pool_average(const ek_pool_2d_t *p, const int8_t *from, int32_t rows,
                            int32_t columns, int8_t *out) {
    int32_t channels = p->channels, gap = (p->in_width - columns) * channels, c, y, x;
    uint32_t count = (uint32_t)(rows * columns), reciprocal = ek_reciprocal(count);
    for (c = 0; c < channels; ++c, ++from) {
        const int8_t *at = from;
        int32_t sum = 0;
        for (y = 0; y < rows; ++y, at += gap)
            for (x = 0; x < columns; ++x, at += channels)
                sum += *at;
        *out++ = (int8_t)ek_clamp(ek_average(sum, count, reciprocal), p->low, p->high);
    }
}
#endif

static EK_NOINLINE void ek_pool_2d(const ek_pool_2d_t *p, ek_pool_window *window, const int8_t *in,
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
