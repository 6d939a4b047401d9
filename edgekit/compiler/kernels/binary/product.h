#include "../common/requantize.h"
#include "binary.h"

typedef struct {
    int32_t multiplier;
    int16_t zero0, zero1, zero;
    int8_t shift, low, high;
} ek_product_t;

static void ek_product(const void *function, const int8_t *left, int32_t left_step,
                       const int8_t *right, int32_t right_step, int8_t *out, int32_t count) {
    const ek_product_t *p = (const ek_product_t *)function;
    for (; count > 0; --count, left += left_step, right += right_step) {
        int32_t product = (*left - p->zero0) * (*right - p->zero1);
        product = ek_multiply(product, p->multiplier, p->shift) + p->zero;
        *out++ = (int8_t)ek_clamp(product, p->low, p->high);
    }
}
