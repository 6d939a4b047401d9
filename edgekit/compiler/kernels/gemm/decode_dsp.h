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

/* `words` is a multiple of four; there are indices, and there is room, for so many. Single loads
   behind each other are faster than what takes a word apart. */
#if defined(__ARM_FEATURE_DSP)
static __attribute__((naked, noinline)) void ek_decode_one(
    __attribute__((unused)) const uint8_t *from, __attribute__((unused)) uint32_t *to,
    __attribute__((unused)) int32_t words, __attribute__((unused)) const uint16_t *pairs) {
    __asm__ volatile(
        "push {r4-r11}\n add r2, r1, r2, lsl #2\n"
        "1: ldrb r5, [r0, #1]\n ldrb r6, [r0, #2]\n ldrb r7, [r0, #3]\n ldrb r8, [r0, #4]\n"
        "ldrb r9, [r0, #5]\n ldrb r10, [r0, #6]\n ldrb r11, [r0, #7]\n ldrb r4, [r0], #8\n"
        "ldrh r5, [r3, r5, lsl #1]\n ldrh r6, [r3, r6, lsl #1]\n ldrh r7, [r3, r7, lsl #1]\n"
        "ldrh r8, [r3, r8, lsl #1]\n ldrh r9, [r3, r9, lsl #1]\n ldrh r10, [r3, r10, lsl #1]\n"
        "ldrh r11, [r3, r11, lsl #1]\n ldrh r4, [r3, r4, lsl #1]\n"
        "orr r6, r6, r7, lsl #16\n orr r8, r8, r9, lsl #16\n orr r10, r10, r11, lsl #16\n"
        "orr r4, r4, r5, lsl #16\n"
        "str r6, [r1, #4]\n str r8, [r1, #8]\n str r10, [r1, #12]\n str r4, [r1], #16\n"
        "cmp r1, r2\n bne 1b\n"
        "pop {r4-r11}\n bx lr\n");
}
#else
static EK_NOINLINE void ek_decode_one(const uint8_t *from, uint32_t *to, int32_t words,
                                      const uint16_t *pairs) {
    uint32_t *end = to + words;
    for (; to != end; from += 2)
        *to++ = pairs[from[0]] | (uint32_t)pairs[from[1]] << 16;
}
#endif
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

#if EK_DECODE_FEW
/* A table for all channels: `words` gets what each four bits stand for, two inputs of two channels
   where an index has one bit, uint32 [16]; else one input of them, first in the low half of a word
   and then in the high half, uint32 [32]. */
static EK_NOINLINE void ek_decode_words(const ek_code_t *code, uint32_t *words) {
    int32_t bits = code->form - 3, mask = (1 << bits) - 1, i;
    const int8_t *t = code->tables;
    for (i = 0; i < 16; ++i) {
        int32_t low = t[i & mask] + t[i >> bits & mask] * 256;
        if (bits == 1) {
            words[i] = ek_halves((uint32_t)low, (uint32_t)(t[i >> 2 & 1] + t[i >> 3] * 256));
        } else {
            words[i] = (uint32_t)low & 0xffffu;
            words[i + 16] = (uint32_t)low << 16;
        }
    }
}

/* `count` words, a multiple of two. */
static EK_NOINLINE void ek_decode_bits(const ek_code_t *code, const uint8_t *from, uint32_t *to,
                                      int32_t count, const uint32_t *words) {
    uint32_t *end = to + count;
#if EK_DECODE_TWO
    if (code->form == 4) {
        for (; to != end; to += 2) {
            uint32_t i = *from++;
            to[0] = words[i & 15];
            to[1] = words[i >> 4];
        }
        return;
    }
#endif
    (void)code;
#if EK_DECODE_FOUR
    while (to != end) {
        uint32_t i = *from++;
        *to++ = words[i & 15] | words[16 + (i >> 4)];
    }
#endif
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
#if EK_DECODE_FEW
    if (code->form > 3)
        ek_decode_words(code, (uint32_t *)(void *)memory);
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
#if EK_DECODE_FEW
    if (code->form > 3) {
        from = code->indices + (code->form - 3) * (channel * words / 4);
        ek_decode_bits(code, from, out, words * pairs, (const uint32_t *)(const void *)memory);
        return;
    }
#endif
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
