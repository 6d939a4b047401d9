#include "binary.h"

#define EK_EXTREME(name, before)                                                                 \
    static void name(const void *function, const int8_t *left, int32_t left_step,                \
                     const int8_t *right, int32_t right_step, int8_t *out, int32_t count) {      \
        (void)function;                                                                          \
        for (; count > 0; --count, left += left_step, right += right_step)                       \
            *out++ = *left before *right ? *left : *right;                                       \
    }

#if EK_GREATER
EK_EXTREME(ek_greater, >)
#endif
#if EK_LESSER
EK_EXTREME(ek_lesser, <)
#endif
