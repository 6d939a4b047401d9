#include "../common/words.h"
#include "../common/requantize.h"

/* One channel after the other. "Along" is the direction of the inner loop, "across" the other:
   widths are along, heights across. `rows` lines of `pitch` values of a channel are held, of one
   channel at a time. `fast`: the distance of the outputs that a fast loop computes; bit 2: `bias`
   and `multiplier` are those of one product, without `shift`; bit 3: four channels at a time; bit 4:
   eight outputs at a time. */
typedef struct {
    const int8_t *weights;
    const void *bias;
    const int32_t *multiplier;
    const int8_t *shift;
    int32_t in_along, in_across, out_along, out_across;
    int16_t channels, outputs, in_height, in_width, out_height, out_width;
    int16_t kernel_height, kernel_width, stride_height, stride_width;
    int16_t dilation_height, dilation_width, pad_top, pad_left, rows, pitch;
    int16_t zero_in, zero_out;
    int8_t low, high;
    uint8_t bias_bits, fast;
} ek_depthwise_conv_2d_t;

/* What the inner loop knows of an output channel; assembly counts on the order. */
typedef struct {
    uint32_t pairs[6];
    int32_t bias, multiplier, shift, zero, out_along, pitch_bytes, count, line_bytes, out_across;
    int32_t low, high, one_product;
    const int8_t *weights;
    uint32_t *taps;
} ek_depthwise_channel_t;
