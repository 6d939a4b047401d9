#include "gemm.h"

/* Weights as indices of 4 bits into tables of 16 values: one table, or one for each channel. */
typedef struct {
    const uint8_t *indices;
    const int8_t *tables;
    int32_t each;
} ek_code_t;

/* A word of weights: two inputs of two channels. Of a byte the low bits are the first channel's. */
static inline uint32_t ek_decode_word(uint32_t both, const int8_t *first, const int8_t *second) {
    int32_t low = first[both & 15] + second[both >> 4 & 15] * 256;
    int32_t high = first[both >> 8 & 15] + second[both >> 12 & 15] * 256;
    return ((uint32_t)low & 0xffffu) | (uint32_t)high << 16;
}

/* `count` times a word of two channels and one of two others. */
static EK_NOINLINE const uint8_t *ek_decode_words(const uint8_t *from, uint32_t *to, int32_t count,
                                                  const int8_t *first, const int8_t *second,
                                                  const int8_t *third, const int8_t *fourth) {
    uint32_t *end = to + 2 * count;
    for (; to != end; from += 4, to += 2) {
        uint32_t indices = ek_load32(from);
        to[0] = ek_decode_word(indices, first, second);
        to[1] = ek_decode_word(indices >> 16, third, fourth);
    }
    return from;
}

/* Some channels from a multiple of four on, as the matrix kernel reads them. */
static EK_NOINLINE void ek_decode(const ek_code_t *code, int32_t depth, int32_t channel,
                                  int32_t channels, int8_t *to) {
    int32_t words = (depth + 3) / 4 * 2, step = code->each ? 16 : 0;
    const uint8_t *from = code->indices + channel * words;
    const int8_t *table = code->tables + channel * step;
    uint32_t *out = (uint32_t *)(void *)to;
    for (; channels >= 4; channels -= 4, out += 2 * words, table += 4 * step)
        from = ek_decode_words(from, out, words, table, table + step, table + 2 * step,
                               table + 3 * step);
    for (; channels > 0; channels -= 2, out += words, table += 2 * step)
        from = ek_decode_words(from, out, words / 2, table, table + step, table, table + step);
}
