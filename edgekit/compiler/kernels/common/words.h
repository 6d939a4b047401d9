#include "attributes.h"

/* Moves of bytes without the C library. */
static inline void ek_copy4(int8_t *to, const int8_t *from) {
    to[0] = from[0];
    to[1] = from[1];
    to[2] = from[2];
    to[3] = from[3];
}

static inline void ek_copy(int8_t *to, const int8_t *from, int32_t bytes) {
    while (bytes-- > 0) {
        *to++ = *from++;
        EK_KEEP_LOOP();
    }
}

static inline void ek_fill(int8_t *to, int32_t value, int32_t bytes) {
    while (bytes-- > 0) {
        *to++ = (int8_t)value;
        EK_KEEP_LOOP();
    }
}
