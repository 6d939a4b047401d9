#include "../common/requantize.h"
#include "binary.h"

/* left + right or left - right; each is first taken to the wider scale, with 20 bits more. */
typedef struct {
    int32_t multiplier0, multiplier1, multiplier;
    int8_t shift0, shift1, shift, sign;
    int16_t zero0, zero1, zero;
    int8_t low, high;
} ek_sum_t;

static void ek_sum(const void *function, const int8_t *left, int32_t left_step, const int8_t *right,
                   int32_t right_step, int8_t *out, int32_t count) {
    const ek_sum_t *s = (const ek_sum_t *)function;
    for (; count > 0; --count, left += left_step, right += right_step) {
        int32_t x = ek_multiply((*left - s->zero0) * (1 << 20), s->multiplier0, s->shift0);
        int32_t y = ek_multiply((*right - s->zero1) * (1 << 20), s->multiplier1, s->shift1);
        int32_t sum = ek_multiply(x + y * s->sign, s->multiplier, s->shift) + s->zero;
        *out++ = (int8_t)ek_clamp(sum, s->low, s->high);
    }
}
