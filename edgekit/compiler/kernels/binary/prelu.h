#include "../common/requantize.h"
#include "binary.h"

/* Of values below the zero point the product with `right`. */
typedef struct {
    int32_t multiplier0, multiplier1;
    int16_t zero0, zero1, zero;
    int8_t shift0, shift1;
} ek_prelu_t;

static void ek_prelu(const void *function, const int8_t *left, int32_t left_step,
                     const int8_t *right, int32_t right_step, int8_t *out, int32_t count) {
    const ek_prelu_t *p = (const ek_prelu_t *)function;
    for (; count > 0; --count, left += left_step, right += right_step) {
        int32_t value = *left - p->zero0;
        if (value >= 0)
            value = ek_multiply(value, p->multiplier0, p->shift0);
        else
            value = ek_multiply(value * (*right - p->zero1), p->multiplier1, p->shift1);
        *out++ = (int8_t)ek_clamp(value + p->zero, -128, 127);
    }
}
