#include "../common/words.h"
#include "../common/vectors.h"

/* Addition of two int8 tensors with scales of their own; each is first taken to the wider scale,
   with 20 bits more. */
typedef struct {
    int32_t multiplier0, multiplier1, multiplier;
    int8_t shift0, shift1, shift;
    int16_t zero0, zero1, zero;
    int8_t low, high;
} ek_add_t;

#if defined(__ARM_FEATURE_MVE)
static inline int32x4_t ek_add_scaled(int32x4_t values, int32_t multiplier, int32_t shift) {
#if EK_ADD_LEFT
    if (shift > 0)
        return vqrdmulhq_n_s32(vshlq_r_s32(values, shift), multiplier);
#endif
    values = vqrdmulhq_n_s32(values, multiplier);
    if (shift < 0)
        values = vaddq_s32(values, vshrq_n_s32(values, 31));
    return vrshlq_n_s32(values, shift);
}

static EK_NOINLINE void ek_add(const ek_add_t *a, const int8_t *left, const int8_t *right,
                               int8_t *out, int32_t count) {
    int32x4_t low = vdupq_n_s32(a->low), high = vdupq_n_s32(a->high);
    for (; count > 0; count -= 4, left += 4, right += 4, out += 4) {
        mve_pred16_t some = vctp32q((uint32_t)count);
        int32x4_t x = vsubq_n_s32(vldrbq_z_s32(left, some), a->zero0);
        int32x4_t y = vsubq_n_s32(vldrbq_z_s32(right, some), a->zero1);
        x = ek_add_scaled(vshlq_n_s32(x, 20), a->multiplier0, a->shift0);
        y = ek_add_scaled(vshlq_n_s32(y, 20), a->multiplier1, a->shift1);
        x = ek_add_scaled(vaddq_s32(x, y), a->multiplier, a->shift);
        x = vminq_s32(vmaxq_s32(vaddq_n_s32(x, a->zero), low), high);
        vstrbq_p_s32(out, x, some);
    }
}
#else
static EK_NOINLINE void ek_add(const ek_add_t *a, const int8_t *left, const int8_t *right,
                               int8_t *out, int32_t count) {
    for (; count > 0; --count) {
        int32_t x = ek_multiply((*left++ - a->zero0) * (1 << 20), a->multiplier0, a->shift0);
        int32_t y = ek_multiply((*right++ - a->zero1) * (1 << 20), a->multiplier1, a->shift1);
        int32_t sum = ek_multiply(x + y, a->multiplier, a->shift) + a->zero;
        *out++ = (int8_t)ek_clamp(sum, a->low, a->high);
    }
}
#endif
