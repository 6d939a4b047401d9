#include "code.h"

/* Of a byte of indices the low bits are for a channel, the high bits for the next one. */
#if defined(__ARM_FEATURE_DSP)
static inline uint32_t ek_halves(uint32_t low, uint32_t high) {
    uint32_t result;
    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(result) : "r"(low), "r"(high));
    return result;
}
#else
static inline uint32_t ek_halves(uint32_t low, uint32_t high) {
    return (low & 0xffffu) | high << 16;
}
#endif

#if EK_DECODE_ONE
/* One table: `pairs` gets what each byte stands for, uint16 [256]. */
static EK_NOINLINE void ek_decode_pairs(const ek_code_t *code, uint16_t *pairs) {
    int32_t i;
    for (i = 0; i < 256; ++i)
        pairs[i] = (uint16_t)(code->tables[i & 15] + code->tables[i >> 4] * 256);
}

/* `words` is a multiple of four; there are indices, and there is room, for so many. */
static EK_NOINLINE void ek_decode_one(const uint8_t *from, uint32_t *to, int32_t words,
                                      const uint16_t *pairs) {
    uint32_t *end = to + words;
    while (to != end) {
        uint32_t i = ek_load32(from), first, second;
        first = pairs[i & 255] | (uint32_t)pairs[i >> 8 & 255] << 16;
        second = pairs[i >> 16 & 255] | (uint32_t)pairs[i >> 24] << 16;
        to[0] = first;
        to[1] = second;
        i = ek_load32(from + 4);
        from += 8;
        first = pairs[i & 255] | (uint32_t)pairs[i >> 8 & 255] << 16;
        second = pairs[i >> 16 & 255] | (uint32_t)pairs[i >> 24] << 16;
        to[2] = first;
        to[3] = second;
        to += 4;
    }
}
#endif

#if EK_DECODE_EACH || EK_DECODE_SCALED
/* A word of weights: two inputs of two channels. */
static inline uint32_t ek_decode_word(uint32_t i, const int8_t *first, const int8_t *second) {
    int32_t low = first[i & 15] + second[i >> 4 & 15] * 256;
    int32_t high = first[i >> 8 & 15] + second[i >> 12 & 15] * 256;
    return ek_halves((uint32_t)low, (uint32_t)high);
}

/* `count` times a word of two channels and one of two others. */
static EK_NOINLINE void ek_decode_each(const uint8_t *from, uint32_t *to, int32_t count,
                                       const int8_t *first, const int8_t *second,
                                       const int8_t *third, const int8_t *fourth) {
    uint32_t *end = to + 2 * count;
    while (to != end) {
        uint32_t i = ek_load32(from), left = ek_decode_word(i, first, second);
        uint32_t right = ek_decode_word(i >> 16, third, fourth);
        to[0] = left;
        to[1] = right;
        to += 2;
        from += 4;
        if (to == end)
            break;
        i = ek_load32(from);
        left = ek_decode_word(i, first, second);
        right = ek_decode_word(i >> 16, third, fourth);
        to[0] = left;
        to[1] = right;
        to += 2;
        from += 4;
    }
}
#endif

#if EK_DECODE_SPARSE
/* Two inputs of two channels for each four bits; `bytes` of them for two channels. */
static EK_NOINLINE void ek_decode_sparse(const ek_code_t *code, int32_t bytes, int32_t channel,
                                         int32_t channels, uint32_t *to) {
    const uint8_t *from = code->indices + channel / 2 * bytes;
    const uint8_t *end = from + (channels + 1) / 2 * bytes;
    const int8_t *values = code->tables + code->words[channel / 4];
    for (; from != end; to += 2) {
        int32_t bits = *from++, at;
        to[0] = to[1] = 0;
        for (at = 0; bits; ++at, bits >>= 4) {
            int32_t low = ek_sparse_next(&values, bits, 0), high;
            low += ek_sparse_next(&values, bits, 1) * 256;
            high = ek_sparse_next(&values, bits, 2);
            high += ek_sparse_next(&values, bits, 3) * 256;
            to[at] = ek_halves((uint32_t)low, (uint32_t)high);
        }
    }
}
#endif

/* Before the first call of `ek_decode`. */
static inline void ek_decode_begin(const ek_code_t *code, int8_t *memory) {
    (void)code;
    (void)memory;
#if EK_DECODE_ONE
    if (code->form == 0)
        ek_decode_pairs(code, (uint16_t *)(void *)memory);
#endif
}

/* Up to four channels from a multiple of four on, as the matrix kernel reads them. */
static inline void ek_decode(const ek_code_t *code, int32_t depth, int32_t channel,
                             int32_t channels, int8_t *to, int8_t *memory) {
    int32_t words = (depth + 3) / 4 * 2, pairs = (channels + 1) / 2;
    uint32_t *out = (uint32_t *)(void *)to;
    const uint8_t *from = code->indices + channel * words;
    (void)memory;
    (void)from;
    (void)pairs;
#if EK_DECODE_SPARSE
    if (code->form == 2) {
        ek_decode_sparse(code, words / 2, channel, channels, out);
        return;
    }
#endif
#if EK_DECODE_ONE
    if (code->form == 0) {
        words = (words * pairs + 3) / 4 * 4;
        ek_decode_one(from, out, words, (const uint16_t *)(const void *)memory);
        return;
    }
#endif
#if EK_DECODE_EACH || EK_DECODE_SCALED
    {
        const int8_t *t = code->tables + 16 * channel;
#if EK_DECODE_SCALED
        if (code->form == 3) {
            ek_decode_scale(code, channel, 2 * pairs, memory);
            t = memory;
        }
#endif
        if (channels == 4) {
            ek_decode_each(from, out, words, t, t + 16, t + 32, t + 48);
            return;
        }
        ek_decode_each(from, out, words / 2, t, t + 16, t, t + 16);
        if (pairs > 1) {
            t += 32;
            ek_decode_each(from + 2 * words, out + words, words / 2, t, t + 16, t, t + 16);
        }
    }
#endif
}
