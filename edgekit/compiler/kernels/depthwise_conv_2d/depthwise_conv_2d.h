#include "depthwise_rows.h"

static EK_NOINLINE void ek_depthwise_pad(int16_t *to, int32_t zero, int32_t count) {
    for (; count > 0; --count) {
        *to++ = (int16_t)zero;
        EK_KEEP_LOOP();
    }
}

static inline void ek_depthwise_channel(const ek_depthwise_conv_2d_t *d, int32_t channel,
                                        ek_depthwise_channel_t *k) {
    k->weights = d->weights + channel * d->kernel_height * d->kernel_width;
    k->bias = d->bias_bits == 16 ? ((const int16_t *)d->bias)[channel]
                                 : ((const int32_t *)d->bias)[channel];
    k->multiplier = d->multiplier[channel];
    k->shift = d->shift[channel];
    k->zero = d->zero_out;
    ek_depthwise_prepare(d, k);
}

static EK_SMALL void ek_depthwise_conv_2d(const ek_depthwise_conv_2d_t *d, const int8_t *in,
                                             int8_t *out, int16_t *strip) {
    int32_t reach = (d->kernel_height - 1) * d->dilation_height + 1;
    int32_t fit = (d->rows - reach) / d->stride_height + 1, channel;
    int32_t inside = d->pitch - d->pad_left < d->in_width ? d->pitch - d->pad_left : d->in_width;
    ek_depthwise_channel_t k;
    k.out_along = d->out_along;
    k.pitch_bytes = 2 * d->pitch * d->dilation_height;
    k.count = d->out_width;
    k.line_bytes = 2 * d->pitch * d->stride_height;
    k.out_across = d->out_across;
    k.taps = (uint32_t *)(void *)(strip + d->rows * d->pitch);
    k.low = d->low;
    k.high = d->high;
    ek_depthwise_pad(strip, d->zero_in, d->rows * d->pitch);
    for (channel = 0; channel < d->channels; ++channel, ++in) {
        int32_t done = 0, held = 0, first = -d->pad_top;
        while (done < d->out_height) {
            int32_t lines = d->out_height - done < fit ? d->out_height - done : fit, i;
            int32_t wanted = (lines - 1) * d->stride_height + reach;
            for (; held < wanted; ++held) {
                int32_t row = first + held;
                int16_t *to = strip + held * d->pitch + d->pad_left;
                if (row >= 0 && row < d->in_height)
                    ek_depthwise_take(in + row * d->in_across, d->in_along, inside, to);
                else if (d->out_height > fit)
                    ek_depthwise_pad(to, d->zero_in, inside);
            }
            for (i = 0; i < d->outputs; ++i) {
                int32_t number = channel * d->outputs + i;
                ek_depthwise_channel(d, number, &k);
                ek_depthwise_lines(d, &k, strip, out + done * d->out_across + number, lines);
            }
            done += lines;
            first += lines * d->stride_height;
            held -= lines * d->stride_height;
            if (held > 0 && done < d->out_height)
                ek_copy((int8_t *)strip, (const int8_t *)(strip + lines * d->stride_height * d->pitch),
                        held * 2 * d->pitch);
            if (held < 0)
                held = 0;
        }
    }
}
