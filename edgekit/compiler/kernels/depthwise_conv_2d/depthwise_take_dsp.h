#include "depthwise_channel.h"

/* Neighbours along of one channel, side by side. */
static EK_NOINLINE void ek_depthwise_take(const int8_t *in, int32_t along, int32_t count,
                                          int16_t *to) {
#if defined(__ARM_FEATURE_DSP)
    if (count >= 4) {
        int32_t two = 2 * along, three = 3 * along, a, b, c, d;
        __asm__ volatile(
            "subs %[count], #8\n blt 2f\n"
            "1: ldrsb %[a], [%[in]]\n ldrsb %[b], [%[in], %[one]]\n"
            "ldrsb %[c], [%[in], %[two]]\n ldrsb %[d], [%[in], %[three]]\n"
            "add %[in], %[in], %[one], lsl #2\n"
            "strh %[b], [%[to], #2]\n strh %[c], [%[to], #4]\n strh %[d], [%[to], #6]\n"
            "strh %[a], [%[to]], #8\n"
            "ldrsb %[a], [%[in]]\n ldrsb %[b], [%[in], %[one]]\n"
            "ldrsb %[c], [%[in], %[two]]\n ldrsb %[d], [%[in], %[three]]\n"
            "add %[in], %[in], %[one], lsl #2\n"
            "strh %[b], [%[to], #2]\n strh %[c], [%[to], #4]\n strh %[d], [%[to], #6]\n"
            "strh %[a], [%[to]], #8\n"
            "subs %[count], #8\n bge 1b\n"
            "2: adds %[count], #8\n"
            : [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d), [in] "+r"(in), [to] "+r"(to),
              [count] "+r"(count)
            : [one] "r"(along), [two] "r"(two), [three] "r"(three)
            : "cc", "memory");
    }
#endif
    for (; count > 0; --count, in += along)
        *to++ = *in;
}

#if EK_DEPTHWISE_FOUR
/* Lines of four channels, `across` bytes apart, to planes of `plane` bytes, a line every `pitch`;
   words are stored where words begin. */
#if defined(__ARM_FEATURE_DSP)
#define EK_DEPTHWISE_PIXEL                                                                       \
    "ldr r4, [r0]\n add r0, r1\n sxtb16 r5, r4\n sxtb16 r4, r4, ror #8\n"                        \
    "strh r4, [r3, r12]\n lsr r4, #16\n strh r4, [r3, lr]\n lsr r4, r5, #16\n"                  \
    "strh r4, [r3, r12, lsl #1]\n strh r5, [r3], #2\n"
#define EK_DEPTHWISE_PIXELS                                                                      \
    "ldr r4, [r0]\n ldr r6, [r0, r1]\n add r0, r0, r1, lsl #1\n"                                \
    "pkhbt r5, r4, r6, lsl #16\n pkhtb r4, r6, r4, asr #16\n"                                   \
    "sxtb16 r6, r5, ror #8\n sxtb16 r5, r5\n str r6, [r3, r12]\n"                              \
    "sxtb16 r6, r4\n sxtb16 r4, r4, ror #8\n str r6, [r3, r12, lsl #1]\n"                      \
    "str r4, [r3, lr]\n str r5, [r3], #4\n"
static __attribute__((naked, noinline)) void ek_depthwise_take_four(
    __attribute__((unused)) const int8_t *in, __attribute__((unused)) int32_t along,
    __attribute__((unused)) int32_t count, __attribute__((unused)) int16_t *to,
    __attribute__((unused)) int32_t plane, __attribute__((unused)) int32_t lines,
    __attribute__((unused)) int32_t across, __attribute__((unused)) int32_t pitch) {
    __asm__ volatile(
        "push {r4-r11, lr}\n ldr r12, [sp, #36]\n ldr r10, [sp, #40]\n ldr r11, [sp, #44]\n"
        "mov r7, r0\n mov r8, r3\n mov r9, r2\n add lr, r12, r12, lsl #1\n"
        "0: tst r3, #2\n beq 1f\n" EK_DEPTHWISE_PIXEL "subs r2, #1\n"
        "1: subs r2, #4\n blt 3f\n"
        "2:\n" EK_DEPTHWISE_PIXELS EK_DEPTHWISE_PIXELS "subs r2, #4\n bge 2b\n"
        "3: adds r2, #2\n blt 4f\n" EK_DEPTHWISE_PIXELS "subs r2, #2\n"
        "4: adds r2, #2\n beq 5f\n" EK_DEPTHWISE_PIXEL
        "5: ldr r4, [sp, #48]\n add r7, r11\n add r8, r4\n mov r0, r7\n mov r3, r8\n"
        "mov r2, r9\n subs r10, #1\n bne 0b\n pop {r4-r11, pc}\n");
}
#else
static EK_NOINLINE void ek_depthwise_take_four(const int8_t *in, int32_t along, int32_t count,
                                               int16_t *to, int32_t plane, int32_t lines,
                                               int32_t across, int32_t pitch) {
    int32_t i;
    for (; lines > 0; --lines, in += across, to += pitch / 2)
        for (i = 0; i < 4; ++i)
            ek_depthwise_take(in + i, along, count, to + i * plane / 2);
}
#endif
#endif
