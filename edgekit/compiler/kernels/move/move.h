#include "../common/words.h"

/* Pieces of `run` bytes from where four nested loops lead, one after the other. */
typedef struct {
    int32_t size[4], step[4], first, run;
} ek_move_t;

static EK_NOINLINE void ek_move(const ek_move_t *m, const int8_t *in, int8_t *out) {
    int32_t a, b, c, d, run = m->run, step = m->step[3];
    in += m->first;
    for (a = 0; a < m->size[0]; ++a)
        for (b = 0; b < m->size[1]; ++b)
            for (c = 0; c < m->size[2]; ++c) {
                const int8_t *from = in + a * m->step[0] + b * m->step[1] + c * m->step[2];
                for (d = 0; d < m->size[3]; ++d, out += run)
                    if (run == 1)
                        *out = from[d * step];
                    else
                        ek_copy(out, from + d * step, run);
            }
}
