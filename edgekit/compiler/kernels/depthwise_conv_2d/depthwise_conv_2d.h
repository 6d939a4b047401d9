#include "depthwise_rows.h"

static EK_NOINLINE void ek_depthwise_pad(int16_t *to, int32_t zero, int32_t count) {
    int16_t value = (int16_t)zero;
    for (; count >= 4; count -= 4, to += 4) {
        to[0] = value;
        to[1] = value;
        to[2] = value;
        to[3] = value;
        EK_KEEP_LOOP();
    }
    for (; count > 0; --count) {
        *to++ = value;
        EK_KEEP_LOOP();
    }
}

static inline void ek_depthwise_channel(const ek_depthwise_conv_2d_t *d, int32_t channel,
                                        ek_depthwise_channel_t *k) {
    k->weights = d->weights + channel * d->kernel_height * d->kernel_width;
    k->bias = d->bias_bits == 16 ? ((const int16_t *)d->bias)[channel]
                                 : ((const int32_t *)d->bias)[channel];
    k->multiplier = d->multiplier[channel];
    k->shift = d->shift ? d->shift[channel] : 0;
    k->zero = d->zero_out;
    ek_depthwise_prepare(d, k);
}

/* A row of the picture into the strip, of one channel or of four. */
static inline void ek_depthwise_row(const ek_depthwise_conv_2d_t *d, const int8_t *in,
                                    int32_t inside, int32_t planes, int16_t *to) {
#if EK_DEPTHWISE_FOUR
    if (planes == 4) {
        ek_depthwise_take_four(in, d->in_along, inside, to, 2 * d->rows * d->pitch);
        return;
    }
#endif
    (void)planes;
    ek_depthwise_take(in, d->in_along, inside, to);
}

/* The lines of a channel, or of four, that the strip does not hold yet, up to `wanted`. */
static inline void ek_depthwise_fill(const ek_depthwise_conv_2d_t *d, const int8_t *in,
                                     int16_t *strip, int32_t first, int32_t held, int32_t wanted,
                                     int32_t planes, int32_t again) {
    int32_t inside = d->pitch - d->pad_left < d->in_width ? d->pitch - d->pad_left : d->in_width, p;
    for (; held < wanted; ++held) {
        int32_t row = first + held;
        int16_t *to = strip + held * d->pitch + d->pad_left;
        if (row >= 0 && row < d->in_height)
            ek_depthwise_row(d, in + row * d->in_across, inside, planes, to);
        else if (again)
            for (p = 0; p < planes; ++p, to += d->rows * d->pitch)
                ek_depthwise_pad(to, d->zero_in, inside);
    }
}

static EK_SMALL void ek_depthwise_conv_2d(const ek_depthwise_conv_2d_t *d, const int8_t *in,
                                             int8_t *out, int16_t *strip) {
    int32_t reach = (d->kernel_height - 1) * d->dilation_height + 1, plane = d->rows * d->pitch;
    int32_t fit = (d->rows - reach) / d->stride_height + 1, channel, planes = d->planes;
    ek_depthwise_channel_t k;
    k.out_along = d->out_along;
    k.pitch_bytes = 2 * d->pitch * d->dilation_height;
    k.count = d->out_width;
    k.line_bytes = 2 * d->pitch * d->stride_height;
    k.out_across = d->out_across;
    k.taps = (uint32_t *)(void *)(strip + planes * plane);
    k.low = d->low;
    k.high = d->high;
    k.one_product = d->fast & 4;
    ek_depthwise_pad(strip, d->zero_in, planes * plane);
    for (channel = 0; channel < d->channels; channel += planes, in += planes) {
        int32_t done = 0, held = 0, first = -d->pad_top;
        if (planes > d->channels - channel)
            planes = 1;
        while (done < d->out_height) {
            int32_t lines = d->out_height - done < fit ? d->out_height - done : fit, i;
            int32_t wanted = (lines - 1) * d->stride_height + reach;
            int32_t past = lines * d->stride_height, number = channel * d->outputs, output;
            int8_t *to = out + done * d->out_across;
            ek_depthwise_fill(d, in, strip, first, held, wanted, planes, d->out_height > fit);
            for (i = 0; i < planes * plane; i += plane)
                for (output = 0; output < d->outputs; ++output, ++number) {
                    ek_depthwise_channel(d, number, &k);
                    ek_depthwise_lines(d, &k, strip + i, to + number, lines);
                }
            done += lines;
            first += past;
            held = wanted > past ? wanted - past : 0;
            for (i = 0; i < planes && held > 0 && done < d->out_height; ++i)
                ek_copy((int8_t *)(strip + i * plane),
                        (const int8_t *)(strip + i * plane + past * d->pitch), held * 2 * d->pitch);
        }
    }
}
