#include "attributes.h"

/* Moves of bytes without the C library, by words: these cores load and store words anywhere. */
static inline uint32_t ek_load32(const void *from) {
    uint32_t word;
    memcpy(&word, from, 4);
    return word;
}

static inline void ek_store32(void *to, uint32_t word) { memcpy(to, &word, 4); }

static inline void ek_copy4(int8_t *to, const int8_t *from) { ek_store32(to, ek_load32(from)); }

static EK_NOINLINE void ek_copy(int8_t *to, const int8_t *from, int32_t bytes) {
#if EK_LARGE
    for (; bytes >= 16; bytes -= 16, to += 16, from += 16) {
        uint32_t first = ek_load32(from), second = ek_load32(from + 4);
        uint32_t third = ek_load32(from + 8), fourth = ek_load32(from + 12);
        ek_store32(to, first);
        ek_store32(to + 4, second);
        ek_store32(to + 8, third);
        ek_store32(to + 12, fourth);
        EK_KEEP_LOOP();
    }
#endif
    for (; bytes >= 8; bytes -= 8, to += 8, from += 8) {
        uint32_t first = ek_load32(from);
        uint32_t second = ek_load32(from + 4);
        ek_store32(to, first);
        ek_store32(to + 4, second);
        EK_KEEP_LOOP();
    }
    while (bytes-- > 0) {
        *to++ = *from++;
        EK_KEEP_LOOP();
    }
}

static EK_NOINLINE void ek_fill(int8_t *to, int32_t value, int32_t bytes) {
    uint32_t word = (uint32_t)(value & 0xff) * 0x01010101u;
    for (; bytes >= 4; bytes -= 4, to += 4) {
        ek_store32(to, word);
        EK_KEEP_LOOP();
    }
    while (bytes-- > 0) {
        *to++ = (int8_t)value;
        EK_KEEP_LOOP();
    }
}
