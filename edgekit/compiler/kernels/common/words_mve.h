#include "attributes.h"

/* Moves of bytes without the C library, by vectors of 16; the last one is cut by the loop itself. */
static inline void ek_copy4(int8_t *to, const int8_t *from) { memcpy(to, from, 4); }

/* At least one byte. */
static inline void ek_copy_some(int8_t *to, const int8_t *from, int32_t bytes) {
#if defined(__ARM_FEATURE_MVE)
    __asm__ volatile(
        "dlstp.8 lr, %[bytes]\n"
        "1: vldrb.8 q0, [%[from]], #16\n vstrb.8 q0, [%[to]], #16\n letp lr, 1b\n"
        : [to] "+&r"(to), [from] "+&r"(from)
        : [bytes] "r"(bytes)
        : "lr", "s0", "s1", "s2", "s3", "memory");
#else
    while (bytes-- > 0) {
        *to++ = *from++;
        EK_KEEP_LOOP();
    }
#endif
}

static inline void ek_copy(int8_t *to, const int8_t *from, int32_t bytes) {
    if (bytes > 0)
        ek_copy_some(to, from, bytes);
}

static inline void ek_fill(int8_t *to, int32_t value, int32_t bytes) {
#if defined(__ARM_FEATURE_MVE)
    if (bytes > 0)
        __asm__ volatile(
            "vdup.8 q0, %[value]\n dlstp.8 lr, %[bytes]\n"
            "1: vstrb.8 q0, [%[to]], #16\n letp lr, 1b\n"
            : [to] "+&r"(to)
            : [bytes] "r"(bytes), [value] "r"(value)
            : "lr", "s0", "s1", "s2", "s3", "memory");
#else
    while (bytes-- > 0) {
        *to++ = (int8_t)value;
        EK_KEEP_LOOP();
    }
#endif
}
