#include "../common/words.h"
#include "../common/requantize.h"

/* Addition of two int8 tensors with scales of their own; each is first taken to the wider scale,
   with 20 bits more. */
typedef struct {
    int32_t multiplier0, multiplier1, multiplier;
    int8_t shift0, shift1, shift;
    int16_t zero0, zero1, zero;
    int8_t low, high;
} ek_add_t;

static EK_NOINLINE void ek_add(const ek_add_t *a, const int8_t *left, const int8_t *right,
                               int8_t *out, int32_t count) {
    for (; count > 0; --count) {
        int32_t x = ek_multiply((*left++ - a->zero0) * (1 << 20), a->multiplier0, a->shift0);
        int32_t y = ek_multiply((*right++ - a->zero1) * (1 << 20), a->multiplier1, a->shift1);
        int32_t sum = ek_multiply(x + y, a->multiplier, a->shift) + a->zero;
        *out++ = (int8_t)ek_clamp(sum, a->low, a->high);
    }
}
