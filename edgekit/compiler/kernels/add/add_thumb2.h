#include "../common/words.h"
#include "../common/requantize.h"

/* Addition of two int8 tensors with scales of their own; each is first taken to the wider scale,
   with 20 bits more. The first seven are for the fast loop, which needs one of the operands to have
   the wider scale, and takes that as the left one: what is added to the narrow operand, its factor
   and shift to the right - 1, what is added to the sum, its factor, what is added to the product,
   its shift to the right - 1. */
typedef struct {
    int32_t narrow_add, narrow_multiplier, narrow_shift, sum_add, sum_multiplier, out_add, out_shift;
    int32_t multiplier0, multiplier1, multiplier;
    int8_t shift0, shift1, shift;
    int16_t zero0, zero1, zero;
    int8_t low, high;
    uint8_t fast, swap;
} ek_add_t;

#if EK_THUMB2 && EK_ADD_FAST
static __attribute__((naked, noinline)) void ek_add_fast(
    __attribute__((unused)) const ek_add_t *a, __attribute__((unused)) const int8_t *wide,
    __attribute__((unused)) const int8_t *narrow, __attribute__((unused)) int8_t *out,
    __attribute__((unused)) int32_t count) {
    __asm__ volatile(
        "push {r4-r11, lr}\n ldr r12, [sp, #36]\n ldm r0, {r4-r10}\n"
        "1: ldrsb r0, [r1], #1\n ldrsb r11, [r2], #1\n add r11, r4, r11, lsl #21\n"
        "smull lr, r11, r11, r5\n add r11, r11, lr, lsr #31\n add r11, r11, r11, asr #31\n"
        "asr r11, r6\n add r11, r7\n bic r11, #1\n add r11, r11, r0, lsl #20\n"
        "smull r0, lr, r11, r8\n add lr, lr, r0, lsr #31\n add lr, lr, r11, asr #31\n"
        "add lr, r9\n asr lr, r10\n"
        "ssat lr, #8, lr, asr #1\n strb lr, [r3], #1\n subs r12, #1\n bne 1b\n"
        "pop {r4-r11, pc}\n");
}
#endif

static EK_NOINLINE void ek_add(const ek_add_t *a, const int8_t *left, const int8_t *right,
                               int8_t *out, int32_t count) {
#if EK_THUMB2 && EK_ADD_FAST
    if (a->fast) {
        ek_add_fast(a, a->swap ? right : left, a->swap ? left : right, out, count);
        if (a->low > -128 || a->high < 127)
            for (; count > 0; --count, ++out)
                *out = (int8_t)ek_clamp(*out, a->low, a->high);
        return;
    }
#endif
#if EK_ADD_ANY || !EK_THUMB2
    for (; count > 0; --count) {
        int32_t x = ek_multiply((*left++ - a->zero0) * (1 << 20), a->multiplier0, a->shift0);
        int32_t y = ek_multiply((*right++ - a->zero1) * (1 << 20), a->multiplier1, a->shift1);
        int32_t sum = ek_multiply(x + y, a->multiplier, a->shift) + a->zero;
        *out++ = (int8_t)ek_clamp(sum, a->low, a->high);
    }
#endif
}
