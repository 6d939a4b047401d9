#include "../common/words.h"

/* A copy, unless the bytes are there already. */
static inline void ek_put(int8_t *to, const int8_t *from, int32_t bytes) {
    if (to != from)
        ek_copy(to, from, bytes);
}
