#include "requantize.h"

#if defined(__ARM_FEATURE_MVE)
#include <arm_mve.h>

/* `ek_multiply` of four values. Vector shifts round halves up, so what is negative and will be
   shifted to the right is made less by one before. */
static inline int32x4_t ek_multiply4(int32x4_t values, int32x4_t multipliers, int32x4_t shifts) {
#if EK_MULTIPLY_LEFT
    values = vshlq_s32(values, vmaxq_s32(shifts, vdupq_n_s32(0)));
    shifts = vminq_s32(shifts, vdupq_n_s32(0));
#endif
    values = vqrdmulhq_s32(values, multipliers);
    values = vaddq_s32(values, vshrq_n_s32(vandq_s32(values, shifts), 31));
    return vrshlq_s32(values, shifts);
}

/* The same where negative results are cut off: how they are rounded is all one. */
static inline int32x4_t ek_multiply4_cut(int32x4_t values, int32x4_t multipliers,
                                         int32x4_t shifts) {
#if EK_MULTIPLY_LEFT
    values = vshlq_s32(values, vmaxq_s32(shifts, vdupq_n_s32(0)));
    shifts = vminq_s32(shifts, vdupq_n_s32(0));
#endif
    return vrshlq_s32(vqrdmulhq_s32(values, multipliers), shifts);
}
#endif
