#include "code.h"

/* Before the first call of `ek_decode`. */
static inline void ek_decode_begin(const ek_code_t *code, int8_t *memory) {
    (void)code;
    (void)memory;
}

/* Some channels as the matrix kernel reads them: four side by side, fewer after each other; the
   first of two indices is in the low bits. */
static EK_NOINLINE void ek_decode(const ek_code_t *code, int32_t depth, int32_t channel,
                                  int32_t channels, int8_t *to, int8_t *memory) {
    const uint8_t *from = code->indices + channel * ((depth + 1) / 2);
    int32_t step = channels == 4 ? 4 : 1, back = channels == 4 ? 4 * depth - 1 : 0;
    (void)memory;
#if EK_DECODE_FEW
    if (code->form > 3) {
        ek_decode_few(code, depth, channel, channels, to, step, back);
        return;
    }
#endif
    for (; channels > 0; --channels, ++channel, to -= back) {
        const int8_t *table = code->tables + (code->form ? 16 * channel : 0);
        int32_t left = depth;
        for (; left > 1; left -= 2, ++from, to += 2 * step) {
            int32_t both = *from;
            to[0] = table[both & 15];
            to[step] = table[both >> 4];
        }
        if (left) {
            *to = table[*from++ & 15];
            to += step;
        }
    }
}
