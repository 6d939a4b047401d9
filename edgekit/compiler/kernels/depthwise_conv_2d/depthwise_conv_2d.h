#include "depthwise_rows.h"

/* An even number of values. */
static EK_NOINLINE void ek_depthwise_pad(int16_t *to, int32_t zero, int32_t count) {
    int16_t value = (int16_t)zero;
    for (; count >= 16; count -= 16, to += 16) {
        to[0] = value;
        to[1] = value;
        to[2] = value;
        to[3] = value;
        to[4] = value;
        to[5] = value;
        to[6] = value;
        to[7] = value;
        to[8] = value;
        to[9] = value;
        to[10] = value;
        to[11] = value;
        to[12] = value;
        to[13] = value;
        to[14] = value;
        to[15] = value;
        EK_KEEP_LOOP();
    }
    for (; count > 0; count -= 2, to += 2) {
        to[0] = value;
        to[1] = value;
        EK_KEEP_LOOP();
    }
}

static inline void ek_depthwise_channel(const ek_depthwise_conv_2d_t *d, int32_t channel,
                                        ek_depthwise_channel_t *k) {
    k->weights = d->weights + channel * d->kernel_height * d->kernel_width;
    k->multiplier = d->multiplier[channel];
    if (d->shift) {
        k->bias = d->bias_bits == 16 ? ((const int16_t *)d->bias)[channel]
                                     : ((const int32_t *)d->bias)[channel];
        k->shift = d->shift[channel];
        k->zero = d->zero_out;
    } else {
        k->bias = ((const int32_t *)d->bias)[channel];
    }
    ek_depthwise_prepare(d, k);
}

/* Lines of the picture into the strip, of one channel or of four. */
static inline void ek_depthwise_rows(const ek_depthwise_conv_2d_t *d, const int8_t *in,
                                     int32_t lines, int32_t planes, int16_t *to) {
    int32_t inside = d->pitch - d->pad_left;
    if (inside > d->in_width)
        inside = d->in_width;
    to += d->pad_left;
    (void)planes;
#if EK_DEPTHWISE_FOUR
    if (planes == 4 && lines > 0) {
        ek_depthwise_take_four(in, d->in_along, inside, to, 2 * d->rows * d->pitch, lines,
                               d->in_across, 2 * d->pitch);
        return;
    }
#endif
    for (; lines > 0; --lines, in += d->in_across, to += d->pitch)
        ek_depthwise_take(in, d->in_along, inside, to);
}

/* Lines from `row` of the picture on, above it, in it and below it. Outside of it the strip has its
   padding, if it was not used `again`. */
static inline void ek_depthwise_fill(const ek_depthwise_conv_2d_t *d, const int8_t *in, int16_t *to,
                                     int32_t row, int32_t lines, int32_t planes, int32_t again) {
    for (; lines > 0; --lines, ++row, to += d->pitch) {
        int32_t some = lines < d->in_height - row ? lines : d->in_height - row;
        if (row >= 0 && some > 0) {
            ek_depthwise_rows(d, in + row * d->in_across, some, planes, to);
            to += (some - 1) * d->pitch;
            row += some - 1;
            lines -= some - 1;
        } else if (again) {
            int32_t p;
            for (p = 0; p < planes; ++p)
                ek_depthwise_pad(to + p * d->rows * d->pitch, d->zero_in, d->pitch);
        }
    }
}

/* The output channels of those that the strip holds, from `number` on. */
static inline void ek_depthwise_outputs(const ek_depthwise_conv_2d_t *d, ek_depthwise_channel_t *k,
                                        const int16_t *strip, int32_t planes, int32_t number,
                                        int8_t *out, int32_t lines) {
    int32_t outputs = 1, i;
#if EK_DEPTHWISE_SPREAD
    outputs = d->outputs;
#endif
    for (; planes > 0; --planes, strip += d->rows * d->pitch)
        for (i = outputs; i > 0; --i, ++number) {
            ek_depthwise_channel(d, number, k);
            ek_depthwise_lines(d, k, strip, out + number, lines);
        }
}

#if EK_DEPTHWISE_STRIPS
/* The same as often as the strip must be filled. */
static inline void ek_depthwise_strips(const ek_depthwise_conv_2d_t *d, ek_depthwise_channel_t *k,
                                       const int8_t *in, int8_t *out, int16_t *strip,
                                       int32_t planes, int32_t number) {
    int32_t reach = (d->kernel_height - 1) * d->dilation_height + 1, i;
    int32_t fit = (d->rows - reach) / d->stride_height + 1, done = 0, held = 0, row = -d->pad_top;
    while (done < d->out_height) {
        int32_t lines = d->out_height - done < fit ? d->out_height - done : fit;
        int32_t wanted = (lines - 1) * d->stride_height + reach, past = lines * d->stride_height;
        ek_depthwise_fill(d, in, strip + held * d->pitch, row + held, wanted - held, planes,
                          d->out_height > fit);
        ek_depthwise_outputs(d, k, strip, planes, number, out + done * d->out_across, lines);
        done += lines;
        row += past;
        held = wanted > past ? wanted - past : 0;
        for (i = 0; i < planes * d->rows && done < d->out_height; i += d->rows)
            ek_copy((int8_t *)(strip + i * d->pitch),
                    (const int8_t *)(strip + (i + past) * d->pitch), held * 2 * d->pitch);
    }
}
#endif

static EK_SMALL void ek_depthwise_conv_2d(const ek_depthwise_conv_2d_t *d, const int8_t *in,
                                          int8_t *out, int16_t *strip) {
    int32_t planes = 1, channel;
    ek_depthwise_channel_t k;
#if EK_DEPTHWISE_FOUR
    if (d->fast & 8)
        planes = 4;
#endif
    k.out_along = d->out_along;
    k.pitch_bytes = 2 * d->pitch * d->dilation_height;
    k.count = d->out_width;
    k.line_bytes = 2 * d->pitch * d->stride_height;
    k.out_across = d->out_across;
    k.taps = (uint32_t *)(void *)(strip + planes * d->rows * d->pitch);
    k.low = d->low;
    k.high = d->high;
    k.one_product = d->fast & 4;
    ek_depthwise_pad(strip, d->zero_in, planes * d->rows * d->pitch);
    for (channel = 0; channel < d->channels; channel += planes, in += planes) {
#if EK_DEPTHWISE_FOUR
        if (planes > d->channels - channel)
            planes = 1;
#endif
#if EK_DEPTHWISE_STRIPS
        ek_depthwise_strips(d, &k, in, out, strip, planes, channel * d->outputs);
#else
        ek_depthwise_fill(d, in, strip, -d->pad_top, d->rows, planes, 0);
        ek_depthwise_outputs(d, &k, strip, planes, channel * d->outputs, out, d->out_height);
#endif
    }
}
