#include "../common/words.h"
#include "../common/requantize.h"

typedef struct {
    const int8_t *weights;
    const int32_t *bias, *multiplier;
    const int8_t *shift;
    int16_t height, width, channels, out_height, out_width, out_channels;
    int16_t kernel_height, kernel_width, pad_top, pad_left, zero_in, zero_out;
    uint8_t stride_height, stride_width;
    int8_t low, high;
} ek_transpose_conv_t;

/* What the taps of one output add: from tap (ky, kx), which is that of input (row, column), a
   stride on in the kernel is an input back. */
static EK_NOINLINE int32_t ek_transpose_conv_sum(const ek_transpose_conv_t *t, const int8_t *in,
                                                 const int8_t *weights, int32_t ky, int32_t row,
                                                 int32_t first, int32_t last) {
    int32_t channels = t->channels, sum = 0, kx, column, c;
    for (; ky < t->kernel_height && row >= 0; ky += t->stride_height, --row) {
        if (row >= t->height)
            continue;
        for (kx = first, column = last; kx < t->kernel_width && column >= 0;
             kx += t->stride_width, --column) {
            const int8_t *w = weights + (ky * t->kernel_width + kx) * channels;
            const int8_t *from = in + (row * t->width + column) * channels;
            if (column < t->width)
                for (c = 0; c < channels; ++c)
                    sum += (from[c] - t->zero_in) * w[c];
        }
    }
    return sum;
}

static EK_NOINLINE void ek_transpose_conv(const ek_transpose_conv_t *t, const int8_t *in,
                                          int8_t *out) {
    int32_t size = t->kernel_height * t->kernel_width * t->channels, y, x, c;
    for (y = t->pad_top; y < t->out_height + t->pad_top; ++y) {
        int32_t row = y / t->stride_height, ky = y - row * t->stride_height;
        for (x = t->pad_left; x < t->out_width + t->pad_left; ++x) {
            int32_t column = x / t->stride_width, kx = x - column * t->stride_width;
            for (c = 0; c < t->out_channels; ++c) {
                const int8_t *weights = t->weights + c * size;
                int32_t sum = ek_transpose_conv_sum(t, in, weights, ky, row, kx, column);
                sum = ek_multiply(sum + t->bias[c], t->multiplier[c], t->shift[c]) + t->zero_out;
                *out++ = (int8_t)ek_clamp(sum, t->low, t->high);
            }
        }
    }
}
