#include "code.h"

/* Before the first call of `ek_decode`. */
static inline void ek_decode_begin(const ek_code_t *code, int8_t *memory) {
    (void)code;
    (void)memory;
}

#if EK_DECODE_SPARSE
static EK_NOINLINE void ek_decode_sparse(const ek_code_t *code, int32_t depth, int32_t channel,
                                         int32_t channels, int8_t *to) {
    const uint8_t *from = code->indices + channel * ((depth + 7) / 8);
    const int8_t *values = code->tables + code->words[channel / 4];
    for (; channels > 0; --channels) {
        int32_t left = depth, at;
        for (; left > 0; left -= 8) {
            int32_t bits = *from++;
            for (at = 0; at < left && at < 8; ++at)
                *to++ = (int8_t)ek_sparse_next(&values, bits, at);
        }
    }
}
#endif

#if EK_DECODE_ONE || EK_DECODE_EACH || EK_DECODE_SCALED
/* The first of two indices is in the low bits. */
static EK_NOINLINE void ek_decode_tables(const ek_code_t *code, int32_t depth, int32_t channel,
                                         int32_t channels, int8_t *to, const int8_t *table,
                                         int32_t step) {
    const uint8_t *from = code->indices + channel * ((depth + 1) / 2);
    for (; channels > 0; --channels, table += step) {
        int32_t left = depth;
        for (; left > 1; left -= 2, ++from) {
            int32_t both = *from;
            *to++ = table[both & 15];
            *to++ = table[both >> 4];
        }
        if (left)
            *to++ = table[*from++ & 15];
    }
}
#endif

/* Up to four channels from a multiple of four on, as the matrix kernel reads them. */
static inline void ek_decode(const ek_code_t *code, int32_t depth, int32_t channel,
                             int32_t channels, int8_t *to, int8_t *memory) {
    (void)memory;
#if EK_DECODE_FEW
    if (code->form > 3) {
        ek_decode_few(code, depth, channel, channels, to, 1, 0);
        return;
    }
#endif
#if EK_DECODE_SPARSE
    if (code->form == 2) {
        ek_decode_sparse(code, depth, channel, channels, to);
        return;
    }
#endif
#if EK_DECODE_SCALED
    if (code->form == 3) {
        ek_decode_scale(code, channel, channels, memory);
        ek_decode_tables(code, depth, channel, channels, to, memory, 16);
        return;
    }
#endif
#if EK_DECODE_ONE || EK_DECODE_EACH
    {
        int32_t step = code->form ? 16 : 0;
        ek_decode_tables(code, depth, channel, channels, to, code->tables + channel * step, step);
    }
#endif
}
