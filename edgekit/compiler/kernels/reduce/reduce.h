#include "../common/words.h"

/* Two axes that are kept, and two of whose values the greatest or, where `flip` is -1, the least is
   taken, which is the greatest of all bits turned over. */
typedef struct {
    int32_t size[4], step[4];
    int8_t flip;
} ek_reduce_t;

static EK_NOINLINE void ek_reduce(const ek_reduce_t *r, const int8_t *in, int8_t *out) {
    int32_t i, j, k, l, step = r->step[3], flip = r->flip;
    for (i = 0; i < r->size[0]; ++i)
        for (j = 0; j < r->size[1]; ++j) {
            const int8_t *from = in + i * r->step[0] + j * r->step[1];
            int32_t most = -128;
            for (k = 0; k < r->size[2]; ++k, from += r->step[2]) {
                const int8_t *at = from;
                for (l = 0; l < r->size[3]; ++l, at += step)
                    most = (*at ^ flip) > most ? *at ^ flip : most;
            }
            *out++ = (int8_t)(most ^ flip);
        }
}
