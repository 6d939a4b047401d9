#include "../common/words.h"
#include "../common/vectors.h"

/* Addition of two int8 tensors with scales of their own; each is first taken to the wider scale,
   with 20 bits more. `fast`: the left operand, or with `swap` the right one, has the wider scale, so
   its factor is exactly 1/2, and the other factors are smaller. */
typedef struct {
    int32_t multiplier0, multiplier1, multiplier;
    int8_t shift0, shift1, shift;
    int16_t zero0, zero1, zero;
    int8_t low, high;
    uint8_t fast, swap;
} ek_add_t;

#if defined(__ARM_FEATURE_MVE) && EK_ADD_FAST
/* Vector shifts round halves up, so what is negative is made less by one before. */
#define EK_ADD_SCALE(values, multiplier, shift)                                                  \
    "vqrdmulh.s32 " values ", " values ", " multiplier "\n vshr.s32 q2, " values ", #31\n"       \
    "vadd.i32 " values ", " values ", q2\n vrshl.s32 " values ", " values ", " shift "\n"

static inline void ek_add_fast(const ek_add_t *a, const int8_t *wide, const int8_t *narrow,
                               int8_t *out, int32_t count) {
    int32_t multiplier = a->swap ? a->multiplier0 : a->multiplier1;
    int32x4_t shift = vdupq_n_s32(a->swap ? a->shift0 : a->shift1);
    int32x4_t out_shift = vdupq_n_s32(a->shift);
    int32x4_t low = vdupq_n_s32(a->low), high = vdupq_n_s32(a->high);
    __asm__ volatile(
        "dlstp.32 lr, %[count]\n"
        "1: vldrb.s32 q0, [%[wide]], #4\n vldrb.s32 q1, [%[narrow]], #4\n"
        "vsub.i32 q0, q0, %[wide_zero]\n vsub.i32 q1, q1, %[narrow_zero]\n"
        "vshl.i32 q1, q1, #20\n vshl.i32 q0, q0, #19\n"
        EK_ADD_SCALE("q1", "%[multiplier]", "%q[shift]") "vadd.i32 q0, q0, q1\n"
        EK_ADD_SCALE("q0", "%[out_multiplier]", "%q[out_shift]")
        "vadd.i32 q0, q0, %[zero]\n vmax.s32 q0, q0, %q[low]\n vmin.s32 q0, q0, %q[high]\n"
        "vstrb.32 q0, [%[out]], #4\n letp lr, 1b\n"
        : [wide] "+&l"(wide), [narrow] "+&l"(narrow), [out] "+&l"(out)
        : [count] "r"(count), [wide_zero] "r"((int32_t)(a->swap ? a->zero1 : a->zero0)),
          [narrow_zero] "r"((int32_t)(a->swap ? a->zero0 : a->zero1)),
          [multiplier] "r"(multiplier), [out_multiplier] "r"(a->multiplier),
          [zero] "r"((int32_t)a->zero), [shift] "w"(shift), [out_shift] "w"(out_shift),
          [low] "w"(low), [high] "w"(high)
        : "lr", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "memory");
}
#endif

#if EK_ADD_FAST || EK_ADD_ANY
static EK_NOINLINE void ek_add(const ek_add_t *a, const int8_t *left, const int8_t *right,
                               int8_t *out, int32_t count) {
#if defined(__ARM_FEATURE_MVE) && EK_ADD_FAST
    if (a->fast) {
        ek_add_fast(a, a->swap ? right : left, a->swap ? left : right, out, count);
        return;
    }
#endif
#if EK_ADD_ANY && defined(__ARM_FEATURE_MVE)
    for (; count > 0; count -= 4, left += 4, right += 4, out += 4) {
        mve_pred16_t some = vctp32q((uint32_t)count);
        int32x4_t x = vsubq_n_s32(vldrbq_z_s32(left, some), a->zero0);
        int32x4_t y = vsubq_n_s32(vldrbq_z_s32(right, some), a->zero1);
        x = ek_multiply4(vshlq_n_s32(x, 20), vdupq_n_s32(a->multiplier0), vdupq_n_s32(a->shift0));
        y = ek_multiply4(vshlq_n_s32(y, 20), vdupq_n_s32(a->multiplier1), vdupq_n_s32(a->shift1));
        x = ek_multiply4(vaddq_s32(x, y), vdupq_n_s32(a->multiplier), vdupq_n_s32(a->shift));
        x = vmaxq_s32(vaddq_n_s32(x, a->zero), vdupq_n_s32(a->low));
        vstrbq_p_s32(out, vminq_s32(x, vdupq_n_s32(a->high)), some);
    }
#elif !defined(__ARM_FEATURE_MVE)
    for (; count > 0; --count) {
        int32_t x = ek_multiply((*left++ - a->zero0) * (1 << 20), a->multiplier0, a->shift0);
        int32_t y = ek_multiply((*right++ - a->zero1) * (1 << 20), a->multiplier1, a->shift1);
        int32_t sum = ek_multiply(x + y, a->multiplier, a->shift) + a->zero;
        *out++ = (int8_t)ek_clamp(sum, a->low, a->high);
    }
#endif
}
#endif
