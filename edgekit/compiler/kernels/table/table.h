#include "../common/words.h"

/* A function of a byte. */
#if EK_TABLE_LOOKUP
static EK_NOINLINE void ek_lookup(const int8_t *table, const int8_t *in, int8_t *out,
                                  int32_t count) {
    for (; count > 0; --count)
        *out++ = table[(uint8_t)*in++];
}
#endif

#if EK_TABLE_CLAMP
static EK_NOINLINE void ek_limit(int32_t low, int32_t high, const int8_t *in, int8_t *out,
                                 int32_t count) {
    for (; count > 0; --count, ++in)
        *out++ = (int8_t)(*in < low ? low : *in > high ? high : *in);
}
#endif

#if EK_TABLE_OFFSET
static EK_NOINLINE void ek_offset(int32_t offset, const int8_t *in, int8_t *out, int32_t count) {
    for (; count > 0; --count) {
        uint32_t byte = (uint32_t)(*in++ + offset) & 0xffu;
        *out++ = (int8_t)(byte < 128 ? (int32_t)byte : (int32_t)byte - 256);
    }
}
#endif
