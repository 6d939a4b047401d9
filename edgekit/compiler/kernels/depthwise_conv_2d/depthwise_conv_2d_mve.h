#include "../common/words.h"
#include "../common/vectors.h"

/* 16 outputs of a pixel at a time, whose inputs lie side by side in `strip`: `rows` lines of `pitch`
   vectors, with padding around them. For each 16 outputs there are weights of all taps, int8
   [taps][16], and biases and factors in the order in which sums of vectors come apart: outputs 0, 4,
   8, 12, then 2, 6, 10, 14, then those after these. `fast`, bit 0: pairs of products fit 16 bits,
   and the taps are 3 x 3 side by side; bit 1: outputs are cut off at their zero point, -128. */
typedef struct {
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *multiplier;
    const int8_t *shift;
    int16_t channels, outputs, in_height, in_width, out_height, out_width;
    int16_t kernel_height, kernel_width, stride_height, stride_width;
    int16_t dilation_height, dilation_width, pad_top, pad_left, rows, pitch;
    int16_t zero_in, zero_out;
    int8_t low, high;
    uint8_t fast;
} ek_depthwise_conv_2d_t;

/* Inputs of a line: those of outputs `first` to `first` + `count` - 1. */
static EK_NOINLINE void ek_depthwise_take(const ek_depthwise_conv_2d_t *d, const int8_t *line,
                                          int32_t first, int32_t count, int32_t pixels, int8_t *to) {
    int32_t step = d->channels;
#if defined(__ARM_FEATURE_MVE)
    mve_pred16_t some = vctp8q((uint32_t)count);
#if EK_DEPTHWISE_SPREAD
    if (d->outputs > 1) {
        uint8_t places[16];
        uint8x16_t from;
        int32_t i;
        for (i = 0; i < 16; ++i)
            places[i] = (uint8_t)((first + i) / d->outputs - first / d->outputs);
        from = vldrbq_u8(places);
        for (line += first / d->outputs; pixels > 0; --pixels, line += step, to += 16)
            vstrbq_s8(to, vldrbq_gather_offset_z_s8(line, from, some));
        return;
    }
#endif
    for (line += first; pixels > 0; --pixels, line += step, to += 16)
        vstrbq_s8(to, vldrbq_z_s8(line, some));
#else
    int32_t i;
    for (; pixels > 0; --pixels, line += step, to += 16)
        for (i = 0; i < 16; ++i)
            to[i] = i < count ? line[(first + i) / d->outputs] : 0;
#endif
}

#if defined(__ARM_FEATURE_MVE)
/* Sums in 16 bits of even outputs (p) and of odd ones (t) are taken apart and added to those in 32
   bits: a, b and e, f. There are no more registers, so one vector is loaded twice. */
#define EK_DEPTHWISE_TAP(x, w)                                                                   \
    "vldrb.8 %q[x], [" x "]\n vldrb.8 %q[w], [" w "]\n"                                          \
    "vmullb.s8 %q[p], %q[x], %q[w]\n vmullt.s8 %q[t], %q[x], %q[w]\n"
#define EK_DEPTHWISE_MORE(x, w)                                                                  \
    "vldrb.8 %q[x], [" x "]\n vldrb.8 %q[w], [" w "]\n"                                          \
    "vmullb.s8 %q[x], %q[x], %q[w]\n vadd.i16 %q[p], %q[p], %q[x]\n"                             \
    "vldrb.8 %q[x], [" x "]\n vmullt.s8 %q[x], %q[x], %q[w]\n vadd.i16 %q[t], %q[t], %q[x]\n"
#define EK_DEPTHWISE_ADD                                                                         \
    "vmovlb.s16 %q[x], %q[p]\n vadd.i32 %q[a], %q[a], %q[x]\n vmovlt.s16 %q[w], %q[p]\n"         \
    "vadd.i32 %q[b], %q[b], %q[w]\n vmovlb.s16 %q[x], %q[t]\n vadd.i32 %q[e], %q[e], %q[x]\n"    \
    "vmovlt.s16 %q[w], %q[t]\n vadd.i32 %q[f], %q[f], %q[w]\n"
#define EK_DEPTHWISE_TWO(x0, w0, x1, w1)                                                         \
    EK_DEPTHWISE_TAP(x0, w0) EK_DEPTHWISE_MORE(x1, w1) EK_DEPTHWISE_ADD
#define EK_DEPTHWISE_SUMS                                                                        \
    [a] "+&w"(a), [b] "+&w"(b), [e] "+&w"(e), [f] "+&w"(f), [p] "=&w"(p), [t] "=&w"(t),          \
        [x] "=&w"(x), [w] "=&w"(w)

/* Sums to outputs. Vector shifts round halves up, so what is negative and is shifted is made less by
   one before. Where all below the zero point is cut off, how negative sums are rounded is all one.
   Loads that widen address by low registers only. */
#if EK_MULTIPLY_LEFT
#define EK_DEPTHWISE_LEFT(sum)                                                                   \
    "vmov.i32 %q[p], #0\n vmax.s32 %q[t], %q[w], %q[p]\n vshl.s32 " sum ", " sum ", %q[t]\n"     \
    "vmin.s32 %q[w], %q[w], %q[p]\n"
#else
#define EK_DEPTHWISE_LEFT(sum)
#endif
#define EK_DEPTHWISE_AWAY(sum)                                                                   \
    "vand %q[p], " sum ", %q[w]\n vshr.s32 %q[p], %q[p], #31\n vadd.i32 " sum ", " sum ", %q[p]\n"
#define EK_DEPTHWISE_NEAR(sum)
#define EK_DEPTHWISE_SCALE(sum, at, at4, fix)                                                    \
    "vldrw.32 %q[x], [%[multiplier], #" at4 "]\n vldrb.s32 %q[w], [%[shift], #" at "]\n"         \
    EK_DEPTHWISE_LEFT(sum) "vqrdmulh.s32 " sum ", " sum ", %q[x]\n" fix(sum)                     \
    "vrshl.s32 " sum ", " sum ", %q[w]\n"
#define EK_DEPTHWISE_ROUND(fix)                                                                  \
    __asm__ volatile(                                                                            \
        EK_DEPTHWISE_SCALE("%q[a]", "0", "0", fix) EK_DEPTHWISE_SCALE("%q[b]", "4", "16", fix)   \
        EK_DEPTHWISE_SCALE("%q[e]", "8", "32", fix) EK_DEPTHWISE_SCALE("%q[f]", "12", "48", fix) \
        "vqmovnb.s32 %q[a], %q[a]\n vqmovnt.s32 %q[a], %q[b]\n vqmovnb.s32 %q[e], %q[e]\n"       \
        "vqmovnt.s32 %q[e], %q[f]\n vqadd.s16 %q[a], %q[a], %[zero]\n"                           \
        "vqadd.s16 %q[e], %q[e], %[zero]\n vqmovnb.s16 %q[a], %q[a]\n vqmovnt.s16 %q[a], %q[e]\n" \
        : EK_DEPTHWISE_SUMS                                                                      \
        : [multiplier] "r"(multiplier), [shift] "l"(shift), [zero] "r"((int32_t)d->zero_out)     \
        : "memory")

/* A row of output pixels. */
static EK_NOINLINE void ek_depthwise_row(const ek_depthwise_conv_2d_t *d, int32_t first,
                                         int32_t count, const int8_t *strip, int8_t *out) {
    const int32_t *bias = d->bias + first, *multiplier = d->multiplier + first;
    const int8_t *shift = d->shift + first;
    int32_t taps = d->kernel_height * d->kernel_width, down = 16 * d->pitch * d->dilation_height;
    const int8_t *weights = d->weights + first * taps;
    int32_t left_pixels = d->out_width, step = 16 * d->stride_width;
    int32_t to = d->channels * d->outputs;
    mve_pred16_t some = vctp8q((uint32_t)count);
    for (; left_pixels > 0; --left_pixels, strip += step, out += to) {
        int32x4_t a, b, e, f, p, t, x, w;
        int8x16_t outputs;
        __asm__ volatile("vldrw.32 %q0, [%4]\n vldrw.32 %q1, [%4, #16]\n"
                         "vldrw.32 %q2, [%4, #32]\n vldrw.32 %q3, [%4, #48]\n"
                         : "=&w"(a), "=&w"(b), "=&w"(e), "=&w"(f)
                         : "r"(bias)
                         : "memory");
#if EK_DEPTHWISE_3X3
#if EK_DEPTHWISE_ANY
        if (d->fast & 1)
#endif
            __asm__(EK_DEPTHWISE_TWO("%[r]", "%[k], #-64", "%[r], #16", "%[k], #-48")
                    EK_DEPTHWISE_TWO("%[r], #32", "%[k], #-32", "%[s]", "%[k], #-16")
                    EK_DEPTHWISE_TWO("%[s], #16", "%[k]", "%[s], #32", "%[k], #16")
                    EK_DEPTHWISE_TWO("%[u]", "%[k], #32", "%[u], #16", "%[k], #48")
                    EK_DEPTHWISE_TAP("%[u], #32", "%[k], #64") EK_DEPTHWISE_ADD
                    : EK_DEPTHWISE_SUMS
                    : [r] "r"(strip), [s] "r"(strip + down), [u] "r"(strip + 2 * down),
                      [k] "r"(weights + 64)
                    : "memory");
#endif
#if EK_DEPTHWISE_ANY
#if EK_DEPTHWISE_3X3
        else
#endif
        {
            const int8_t *row = strip, *k = weights;
            int32_t aside = 16 * d->dilation_width, ky, kx;
            for (ky = d->kernel_height; ky > 0; --ky, row += down) {
                const int8_t *r = row;
                for (kx = d->kernel_width; kx > 0; --kx, r += aside, k += 16)
                    __asm__(EK_DEPTHWISE_TAP("%[r]", "%[k]") EK_DEPTHWISE_ADD
                            : EK_DEPTHWISE_SUMS
                            : [r] "r"(r), [k] "r"(k)
                            : "memory");
            }
        }
#endif
#if EK_DEPTHWISE_RELU && EK_DEPTHWISE_SIGNED
        if (d->fast & 2)
            EK_DEPTHWISE_ROUND(EK_DEPTHWISE_NEAR);
        else
            EK_DEPTHWISE_ROUND(EK_DEPTHWISE_AWAY);
#elif EK_DEPTHWISE_RELU
        EK_DEPTHWISE_ROUND(EK_DEPTHWISE_NEAR);
#else
        EK_DEPTHWISE_ROUND(EK_DEPTHWISE_AWAY);
#endif
        outputs = vmaxq_s8(vreinterpretq_s8_s32(a), vdupq_n_s8(d->low));
        outputs = vminq_s8(outputs, vdupq_n_s8(d->high));
        vstrbq_p_s8(out, outputs, some);
    }
}
#else
/* A row of output pixels, in C. */
static EK_NOINLINE void ek_depthwise_row(const ek_depthwise_conv_2d_t *d, int32_t first,
                                         int32_t count, const int8_t *strip, int8_t *out) {
    int32_t taps = d->kernel_height * d->kernel_width, x, i, tap;
    for (x = 0; x < d->out_width; ++x, strip += 16 * d->stride_width)
        for (i = 0; i < count; ++i) {
            int32_t place = first + i % 2 * 8 + i / 2 % 2 * 4 + i / 4, sum = d->bias[place];
            const int8_t *w = d->weights + first * taps + i;
            for (tap = 0; tap < taps; ++tap) {
                int32_t ky = tap / d->kernel_width, kx = tap % d->kernel_width;
                int32_t at = ky * d->dilation_height * d->pitch + kx * d->dilation_width;
                sum += w[16 * tap] * strip[16 * at + i];
            }
            sum = ek_multiply(sum, d->multiplier[place], d->shift[place]) + d->zero_out;
            out[x * d->channels * d->outputs + i] = (int8_t)ek_clamp(sum, d->low, d->high);
        }
}
#endif

static EK_NOINLINE void ek_depthwise_conv_2d(const ek_depthwise_conv_2d_t *d, const int8_t *in,
                                             int8_t *out, int8_t *strip) {
    int32_t reach = (d->kernel_height - 1) * d->dilation_height + 1, line = 16 * d->pitch;
    int32_t fit = (d->rows - reach) / d->stride_height + 1, channels = d->channels * d->outputs;
    int32_t inside = d->pitch - d->pad_left < d->in_width ? d->pitch - d->pad_left : d->in_width;
    int32_t total = channels, first;
    ek_fill(strip, d->zero_in, d->rows * line);
    for (first = 0; first < total; first += 16) {
        int32_t count = total - first < 16 ? total - first : 16;
        int32_t done = 0, held = 0, top = -d->pad_top, i;
        int8_t *to = out + first;
        while (done < d->out_height) {
            int32_t lines = d->out_height - done < fit ? d->out_height - done : fit;
            int32_t wanted = (lines - 1) * d->stride_height + reach;
            for (; held < wanted; ++held) {
                int32_t row = top + held;
                int8_t *at = strip + held * line + 16 * d->pad_left;
                if (row >= 0 && row < d->in_height)
                    ek_depthwise_take(d, in + row * d->in_width * d->channels, first, count, inside,
                                      at);
                else if (d->out_height > fit)
                    ek_fill(at, d->zero_in, 16 * inside);
            }
            for (i = 0; i < lines; ++i, to += d->out_width * channels)
                ek_depthwise_row(d, first, count, strip + i * d->stride_height * line, to);
            done += lines;
            top += lines * d->stride_height;
            held -= lines * d->stride_height;
            if (held > 0 && done < d->out_height)
                ek_copy(strip, strip + lines * d->stride_height * line, held * line);
            if (held < 0)
                held = 0;
        }
    }
}
