#include "../common/words.h"
#include "../common/requantize.h"

/* Two axes that are kept, and two whose values are added; `offset` is what all zero points add. */
typedef struct {
    int32_t size[4], step[4];
    int32_t offset, multiplier;
    int16_t zero;
    int8_t shift;
} ek_mean_t;

static EK_NOINLINE void ek_mean(const ek_mean_t *m, const int8_t *in, int8_t *out) {
    int32_t i, j, k, l, step = m->step[3];
    for (i = 0; i < m->size[0]; ++i)
        for (j = 0; j < m->size[1]; ++j) {
            const int8_t *from = in + i * m->step[0] + j * m->step[1];
            int32_t sum = -m->offset;
            for (k = 0; k < m->size[2]; ++k, from += m->step[2]) {
                const int8_t *at = from;
                for (l = 0; l < m->size[3]; ++l, at += step)
                    sum += *at;
            }
            sum = ek_multiply(sum, m->multiplier, m->shift) + m->zero;
            *out++ = (int8_t)ek_clamp(sum, -128, 127);
        }
}
