#include "../common/words.h"

/* The greater of each of four bytes. */
static inline uint32_t ek_greater_bytes(uint32_t left, uint32_t right) {
#if defined(__ARM_FEATURE_DSP)
    uint32_t result;
    __asm__("ssub8 %0, %1, %2\n sel %0, %1, %2" : "=&r"(result) : "r"(left), "r"(right));
    return result;
#else
    uint32_t result = 0, shift;
    for (shift = 0; shift < 32; shift += 8) {
        int8_t x = (int8_t)(left >> shift), y = (int8_t)(right >> shift);
        result |= (uint32_t)(uint8_t)(x > y ? x : y) << shift;
    }
    return result;
#endif
}

/* The greatest of each of `channels` bytes at `rows` times `columns` places, a pixel apart; `gap`
   leads from the end of a row to the next. */
static inline void ek_greatest_each(const int8_t *from, int32_t rows, int32_t columns,
                                    int32_t channels, int32_t gap, int8_t *out) {
    int32_t c, y, x;
    for (c = channels; c >= 4; c -= 4, from += 4, out += 4) {
        const int8_t *at = from;
        uint32_t most = 0x80808080u;
        for (y = rows; y > 0; --y, at += gap)
            for (x = columns; x > 0; --x, at += channels)
                most = ek_greater_bytes(most, ek_load32(at));
        ek_store32(out, most);
    }
    for (; c > 0; --c, ++from) {
        const int8_t *at = from;
        int32_t most = -128;
        for (y = rows; y > 0; --y, at += gap)
            for (x = columns; x > 0; --x, at += channels)
                most = *at > most ? *at : most;
        *out++ = (int8_t)most;
    }
}
