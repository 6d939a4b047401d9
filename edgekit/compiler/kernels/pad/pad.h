#include "../common/words.h"

/* Sizes of four axes; the last one is bytes in a row. */
typedef struct {
    int32_t in[4], out[4], before[4];
    int8_t value;
} ek_pad_t;

static inline int32_t ek_pad_outside(const ek_pad_t *p, int32_t axis, int32_t at) {
    return at < p->before[axis] || at - p->before[axis] >= p->in[axis];
}

static EK_NOINLINE void ek_pad(const ek_pad_t *p, const int8_t *in, int8_t *out) {
    int32_t row = p->out[3], inside = p->in[3], before = p->before[3], a, b, c;
    for (a = 0; a < p->out[0]; ++a)
        for (b = 0; b < p->out[1]; ++b)
            for (c = 0; c < p->out[2]; ++c, out += row) {
                if (ek_pad_outside(p, 0, a) || ek_pad_outside(p, 1, b) || ek_pad_outside(p, 2, c)) {
                    ek_fill(out, p->value, row);
                    continue;
                }
                ek_fill(out, p->value, before);
                ek_copy(out + before, in, inside);
                ek_fill(out + before + inside, p->value, row - before - inside);
                in += inside;
            }
}
