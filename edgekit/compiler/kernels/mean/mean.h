#include "../common/words.h"
#include "../common/requantize.h"
#include "../common/sums.h"

/* Two axes that are kept, and two whose values are added; `offset` is what all zero points add. */
typedef struct {
    int32_t size[4], step[4];
    int32_t offset, multiplier;
    int16_t zero;
    int8_t shift;
} ek_mean_t;

static EK_NOINLINE void ek_mean(const ek_mean_t *m, const int8_t *in, int8_t *out) {
    int32_t rows = m->size[2], columns = m->size[3], step = m->step[3], i, j, k, sums[4];
    int32_t gap = m->step[2] - columns * step;
    for (i = 0; i < m->size[0]; ++i) {
        const int8_t *from = in + i * m->step[0];
        for (j = m->size[1]; j > 0;) {
            int32_t together = j >= 4 && m->step[1] == 1 ? 4 : 1;
            if (together == 4)
                ek_sum4(from, rows, columns, step, gap, sums);
            else
                sums[0] = ek_sum1(from, rows, columns, step, gap);
            for (k = 0; k < together; ++k) {
                int32_t sum = ek_multiply(sums[k] - m->offset, m->multiplier, m->shift) + m->zero;
                *out++ = (int8_t)ek_clamp(sum, -128, 127);
            }
            from += together * m->step[1];
            j -= together;
        }
    }
}
