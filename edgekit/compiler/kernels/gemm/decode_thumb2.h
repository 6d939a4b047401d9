#include "gemm.h"

/* Weights as indices of 4 bits into tables of 16 values: one table, or one for each channel. */
typedef struct {
    const uint8_t *indices;
    const int8_t *tables;
    int32_t each;
} ek_code_t;

/* Some channels as the matrix kernel reads them: four side by side, fewer after each other; the
   first of two indices is in the low bits. */
static EK_NOINLINE void ek_decode(const ek_code_t *code, int32_t depth, int32_t channel,
                                  int32_t channels, int8_t *to) {
    const uint8_t *from = code->indices + channel * ((depth + 1) / 2);
    int32_t step = channels == 4 ? 4 : 1, back = channels == 4 ? 4 * depth - 1 : 0;
    for (; channels > 0; --channels, ++channel, to -= back) {
        const int8_t *table = code->tables + (code->each ? 16 * channel : 0);
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
