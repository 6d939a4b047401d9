#include "../common/words.h"

/* The first place of the greatest value along an axis of `size`, or of the least where `flip` is
   -1, which is the greatest of all bits turned over. */
static EK_NOINLINE void ek_arg_max(int32_t outer, int32_t size, int32_t inner, int32_t flip,
                                   const int8_t *in, int8_t *to) {
    int32_t *out = (int32_t *)(void *)to, i, k;
    for (; outer > 0; --outer, in += size * inner)
        for (i = 0; i < inner; ++i) {
            int32_t place = 0;
            for (k = 1; k < size; ++k)
                place = (in[k * inner + i] ^ flip) > (in[place * inner + i] ^ flip) ? k : place;
            *out++ = place;
        }
}
