#include "gemm.h"

#if defined(__ARM_FEATURE_DSP)
/* The loop of `ek_gemm_fast` for four channels of one pair of pixels after the other. Stack: 0
   weights, 4 end of the columns, 8 output, 16 bias, 20 multiplier, 24 shifts, 28 pixels to go, 32
   zero point * 2 + 1, 36 where the loop is entered, 40 bias_bits, 44 fast, 48 bytes from one pixel
   to the next, 52 columns, 56 bytes of a pair of columns. */
static __attribute__((naked, noinline, unused)) void ek_gemm_four(
    __attribute__((unused)) const ek_gemm_t *g, __attribute__((unused)) const int8_t *columns,
    __attribute__((unused)) int8_t *out, __attribute__((unused)) int32_t count,
    __attribute__((unused)) int32_t stride) {
    __asm__ volatile(
        "push {r4-r11, lr}\n ldr r8, [sp, #36]\n sub sp, #60\n"
        "str r1, [sp, #52]\n str r2, [sp, #8]\n str r3, [sp, #28]\n str r8, [sp, #48]\n"
        "ldrd r12, r4, [r0]\n ldrd r5, r6, [r0, #8]\n ldr r6, [r6]\n"
        "str r12, [sp]\n strd r4, r5, [sp, #16]\n str r6, [sp, #24]\n"
        "ldrh r4, [r0, #16]\n ldrsh r6, [r0, #22]\n"
        "ldrb r8, [r0, #26]\n ldrb r9, [r0, #27]\n strd r8, r9, [sp, #40]\n"
        "add r4, #3\n bic r4, #3\n lsl r5, r4, #2\n str r5, [sp, #56]\n"
        "add r7, r1, r5\n str r7, [sp, #4]\n lsl r6, #1\n add r6, #1\n str r6, [sp, #32]\n"
        "lsr r4, #1\n rsb r4, #0\n and r4, " EK_GEMM_MASK "\n mov r7, #56\n mul r4, r4, r7\n"
        "adr.w r6, 3f\n add r6, r4\n orr r6, #1\n str r6, [sp, #36]\n"
        "1: " EK_GEMM_BIAS(EK_GEMM_LOAD4, "21", "22")
        "add r0, r2, r9, lsl #8\n mov r1, r0\n mov r3, r2\n"
        "add r4, r6, r10, lsl #8\n mov r5, r4\n mov r7, r6\n"
        "ldr r12, [sp]\n ldr lr, [sp, #52]\n ldr r8, [sp, #36]\n bx r8\n"
        ".balign 4\n"
        "3:\n" EK_GEMM_LOOP
        "ldr r8, [sp, #4]\n cmp lr, r8\n bne.w 3b\n"
        "sub r0, r0, r2\n asr r0, #7\n lsl r2, #1\n sub r1, r1, r3\n asr r1, #7\n"
        "lsl r3, #1\n sub r4, r4, r6\n asr r4, #7\n lsl r6, #1\n"
        "sub r5, r5, r7\n asr r5, #7\n lsl r7, #1\n"
        "str lr, [sp, #52]\n ldr r9, [sp, #56]\n add r8, lr, r9\n str r8, [sp, #4]\n"
        "ldr lr, [sp, #20]\n ldr r10, [sp, #24]\n ldr r11, [sp, #32]\n"
        EK_GEMM_ROUNDS(EK_GEMM_ROUND4, "31", "32")
        "ldr r8, [sp, #8]\n ldr r10, [sp, #28]\n ldr r11, [sp, #48]\n"
        "strb r2, [r8]\n strb r0, [r8, #1]\n strb r6, [r8, #2]\n strb r4, [r8, #3]\n"
        "subs r10, #2\n blt 9f\n add r8, r11\n"
        "strb r3, [r8]\n strb r1, [r8, #1]\n strb r7, [r8, #2]\n strb r5, [r8, #3]\n"
        "add r8, r11\n str r8, [sp, #8]\n str r10, [sp, #28]\n bne.w 1b\n"
        "9: add sp, #60\n pop {r4-r11, pc}\n");
}
#endif

/* Up to four channels of `count` pixels: `columns` holds pair after pair, `step` bytes apart. */
static inline void ek_gemm_block(const ek_gemm_t *g, const int8_t *columns, int32_t step,
                                 int8_t *out, int32_t stride, int32_t count) {
#if defined(__ARM_FEATURE_DSP)
#if EK_GEMM_ODD
    if (g->fast && g->channels == 4)
#endif
    {
        (void)step;
        ek_gemm_four(g, columns, out, count, stride);
#if EK_GEMM_BLOCK_LIMITS
        if (g->low > -128 || g->high < 127)
            for (; count > 0; --count, out += stride)
                ek_gemm_clamp(g, out);
#endif
        return;
    }
#endif
#if EK_GEMM_ODD || !defined(__ARM_FEATURE_DSP)
    for (; count > 0; count -= 2, out += 2 * stride, columns += step)
        ek_gemm(g, columns, out, count > 1 ? out + stride : out);
#endif
}
