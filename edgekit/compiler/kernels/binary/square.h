#include "../common/requantize.h"
#include "binary.h"

/* The square of left - right; each is first taken to the wider scale, with 7 bits more. */
typedef struct {
    int32_t multiplier0, multiplier1, multiplier;
    int16_t zero0, zero1, zero;
    int8_t shift0, shift1, shift;
} ek_square_t;

static void ek_square(const void *function, const int8_t *left, int32_t left_step,
                      const int8_t *right, int32_t right_step, int8_t *out, int32_t count) {
    const ek_square_t *s = (const ek_square_t *)function;
    for (; count > 0; --count, left += left_step, right += right_step) {
        int32_t x = ek_multiply((*left - s->zero0) * (1 << 7), s->multiplier0, s->shift0);
        int32_t y = ek_multiply((*right - s->zero1) * (1 << 7), s->multiplier1, s->shift1);
        int32_t square = ek_multiply((x - y) * (x - y), s->multiplier, s->shift) + s->zero;
        *out++ = (int8_t)ek_clamp(square, -128, 127);
    }
}
