#include "gemm.h"

#if defined(__ARM_FEATURE_DSP) && EK_DENSE_FAST
/* Registers: r0, r2, r4 and r6 sums as in `ek_gemm_fast`; r1 and r3 inputs; r5 the zero point,
   negative and twice; r7 the end of a chunk of inputs; r8-r11 weights; r12 and lr where weights and
   inputs are read. Of 256 inputs, no sum is too wide for a register with two channels: then the
   high channel's is taken out. Stack: 0 and 4 what was taken out, 8 output, 12 end of the inputs,
   16 bias, 20 multiplier, 24 shift, 28 channels to go, 32 zero point * 2 + 1, 36 inputs,
   40 bias_bits. */
#define EK_DENSE_ROUND(sum)                                                                      \
    "ldr r8, [lr], #4\n smmulr " sum ", " sum ", r8\n add " sum ", " sum ", " sum ", asr #31\n"  \
    "asr " sum ", " sum ", r10\n add " sum ", " sum ", r11\n ssat " sum ", #8, " sum ", asr #1\n"
#define EK_DENSE_FOUR                                                                            \
    "ldm r12!, {r8, r9, r10, r11}\n ldr r3, [lr], #4\n"                                          \
    "sxtab16 r1, r5, r3\n sxtab16 r3, r5, r3, ror #8\n"                                          \
    "smlad r0, r8, r1, r0\n smlad r4, r9, r1, r4\n sxtb16 r8, r8\n sxtb16 r9, r9\n"              \
    "smlad r2, r8, r1, r2\n smlad r6, r9, r1, r6\n"                                              \
    "smlad r0, r10, r3, r0\n smlad r4, r11, r3, r4\n sxtb16 r10, r10\n sxtb16 r11, r11\n"        \
    "smlad r2, r10, r3, r2\n smlad r6, r11, r3, r6\n"

#define EK_DENSE_OUT(high, low, at)                                                              \
    "sub " high ", " high ", " low "\n ldr r1, [sp, #" at "]\n"                                  \
    "add r1, r1, " high ", asr #8\n str r1, [sp, #" at "]\n mov " high ", " low "\n"

/* Channels by fours. */
static __attribute__((naked, noinline, unused)) void ek_dense_fast(
    __attribute__((unused)) const ek_gemm_t *g, __attribute__((unused)) const int8_t *in,
    __attribute__((unused)) int8_t *out, __attribute__((unused)) uint32_t zero) {
    __asm__ volatile(
        "push {r4-r11, lr}\n sub sp, #44\n"
        "str r2, [sp, #8]\n str r1, [sp, #36]\n mov r5, r3\n"
        "ldrd r12, r4, [r0]\n ldrd r8, r6, [r0, #8]\n"
        "strd r4, r8, [sp, #16]\n str r6, [sp, #24]\n"
        "ldrh r4, [r0, #16]\n ldrh r8, [r0, #18]\n ldrsh r6, [r0, #22]\n ldrb r9, [r0, #26]\n"
        "add r7, r1, r4\n str r7, [sp, #12]\n lsl r6, #1\n add r6, #1\n bic r8, #3\n"
        "strd r8, r6, [sp, #28]\n str r9, [sp, #40]\n"
        "1:\n" EK_GEMM_BIAS(EK_GEMM_LOAD4, "21", "22") "str r8, [sp, #16]\n"
        "add r0, r2, r9, lsl #8\n add r4, r6, r10, lsl #8\n ldr lr, [sp, #36]\n"
        "mov r1, #0\n strd r1, r1, [sp]\n"
        "2: ldr r7, [sp, #12]\n sub r3, r7, lr\n cmp r3, #256\n it gt\n addgt r7, lr, #256\n"
        "sub r3, r7, lr\n tst r3, #4\n beq 3f\n"
        EK_DENSE_FOUR "cmp lr, r7\n beq 4f\n"
        "3:\n" EK_DENSE_FOUR EK_DENSE_FOUR "cmp lr, r7\n bne 3b\n"
        "4:\n" EK_DENSE_OUT("r0", "r2", "0") EK_DENSE_OUT("r4", "r6", "4")
        "ldr r7, [sp, #12]\n cmp lr, r7\n bne.w 2b\n"
        "ldrd r0, r4, [sp]\n lsl r0, #1\n lsl r2, #1\n lsl r4, #1\n lsl r6, #1\n"
        "ldr lr, [sp, #20]\n ldr r9, [sp, #24]\n ldr r11, [sp, #32]\n ldr r10, [r9], #4\n"
        "str r9, [sp, #24]\n"
        EK_DENSE_ROUND("r2") "lsr r10, #8\n" EK_DENSE_ROUND("r0") "lsr r10, #8\n"
        EK_DENSE_ROUND("r6") "lsr r10, #8\n" EK_DENSE_ROUND("r4")
        "str lr, [sp, #20]\n ldr r8, [sp, #8]\n ldr r9, [sp, #28]\n"
        "strb r0, [r8, #1]\n strb r6, [r8, #2]\n strb r4, [r8, #3]\n strb r2, [r8], #4\n"
        "str r8, [sp, #8]\n subs r9, #4\n str r9, [sp, #28]\n bne.w 1b\n"
        "add sp, #44\n pop {r4-r11, pc}\n");
}
#endif

/* Two channels, whose words of weights are `stride` apart. */
static EK_NOINLINE void ek_dense_pair(const ek_gemm_t *g, const int8_t *in, const uint32_t *w,
                                      int32_t stride, int32_t channel, int8_t *out) {
    uint32_t zero = (uint32_t)(-g->zero_in & 0xffff) * 0x10001u;
    int32_t sums[2], left, i;
    for (i = 0; i < 2; ++i)
        sums[i] = g->bias_bits == 16 ? ((const int16_t *)g->bias)[channel + i]
                                     : ((const int32_t *)g->bias)[channel + i];
    for (left = g->depth; left > 0; left -= 4, in += 4, w += 2 * stride) {
        uint32_t word = 0, x[2];
        if (left >= 4)
            word = ek_load32(in);
        else
            for (i = 0; i < left; ++i)
                word |= (uint32_t)(uint8_t)in[i] << 8 * i;
        x[0] = ek_sxtab16(zero, word);
        x[1] = ek_sxtab16_ror8(zero, word);
        for (i = 0; i < 2; ++i) {
            uint32_t both = w[i * stride], low = ek_sxtab16(0, both);
            int32_t pair = ek_smlad(both, x[i], 0), even = ek_smlad(low, x[i], 0);
            sums[0] += even;
            sums[1] += (pair - even) >> 8;
        }
    }
    for (i = 0; i < 2 && channel + i < g->channels; ++i)
        out[channel + i] = ek_gemm_out(g, channel + i, sums[i]);
}

/* All channels of one column, read where it lies. */
static EK_NOINLINE void ek_dense(const ek_gemm_t *g, const int8_t *in, int8_t *out) {
    const uint32_t *w = (const uint32_t *)g->weights;
    int32_t steps = (g->depth + 3) / 4 * 2, quads = g->channels / 4 * 4, c = 0;
#if defined(__ARM_FEATURE_DSP) && EK_DENSE_FAST
    if (g->depth % 4 == 0 && g->fast && quads) {
        ek_dense_fast(g, in, out, (uint32_t)(-g->zero_in & 0xffff) * 0x10001u);
        c = quads;
#if EK_GEMM_CLAMP
        if (g->low > -128 || g->high < 127)
            ek_gemm_clamp(g, out);
#endif
    }
#endif
    for (; c < g->channels; c += 2) {
        int32_t stride = c < quads ? 2 : 1;
        const uint32_t *from = w + (c < quads ? c / 4 * 2 * steps + (c & 2) / 2 : c / 2 * steps);
        ek_dense_pair(g, in, from, stride, c, out);
    }
}
