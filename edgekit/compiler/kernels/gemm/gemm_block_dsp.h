#include "runs.h"

/* What calls it is small: its loops are in assembly. */
#define EK_TILED EK_SMALL

/* Four channels of one pair of pixels after the other, whose columns are there, with weights that
   are beside the rest of their stream: that is where `bias` points. */
#if defined(__ARM_FEATURE_DSP)
/* Registers as in `ek_gemm_runs`. Stack: 28 bytes of a pair of columns without the last round, 40
   stream, 44 weights, 48 pixels to go, 52 columns, 56 where their last round begins, 60 where the
   loop is entered, 64 zero point * 2 + 1, 68 as there, 72 output, 76 bytes to the next pixel. */
static __attribute__((naked, noinline, unused)) void ek_gemm_four(
    __attribute__((unused)) const ek_gemm_t *g, __attribute__((unused)) const int8_t *columns,
    __attribute__((unused)) int8_t *out, __attribute__((unused)) int32_t count,
    __attribute__((unused)) int32_t stride) {
    __asm__ volatile(
        "push {r4-r11, lr}\n ldr r8, [sp, #36]\n sub sp, #84\n"
        "str r3, [sp, #48]\n strd r2, r8, [sp, #72]\n"
        "ldrd r12, r4, [r0]\n ldrh r5, [r0, #16]\n ldrb r7, [r0, #27]\n ldrsh r8, [r0, #22]\n"
        "str r4, [sp, #40]\n str r12, [sp, #44]\n"
        "tst r7, #2\n ite ne\n movne r7, #32\n moveq r7, #36\n"
        "lsl r6, r8, #1\n add r6, #1\n strd r6, r7, [sp, #64]\n"
        "add r5, #3\n lsr r5, #2\n lsl r9, r5, #4\n sub r9, " EK_RUNS_ROUND_BYTES "\n"
        "str r9, [sp, #28]\n add r9, r1\n str r1, [sp, #52]\n str r9, [sp, #56]\n lsl r5, #1\n"
        "rsb r5, #1\n and r5, " EK_RUNS_MASK "\n mov r0, #56\n"
        "adr.w r1, 3f\n mla r5, r5, r0, r1\n orr r5, #1\n str r5, [sp, #60]\n"
        "1: ldr r8, [sp, #40]\n ldr r12, [sp, #44]\n ldr lr, [sp, #52]\n"
        "ldr r0, [r8]\n ldr r4, [r8, #4]\n" EK_RUNS_FIRST
        "ldr r8, [sp, #56]\n cmp lr, r8\n ldr.w pc, [sp, #60]\n"
        ".balign 4\n"
        "33: ldr.w r8, [sp, #56]\n cmp.w lr, r8\n"
        "3:\n" EK_RUNS_LOOP "bcc.w 33b\n"
        "ldr r9, [sp, #28]\n ldr r12, [sp, #40]\n add r9, lr\n str lr, [sp, #52]\n"
        "str r9, [sp, #56]\n add r12, #8\n"
        EK_RUNS_ROUND(EK_RUNS_ONE4, EK_RUNS_SIGNED4, "31", "32")
        "strb r2, [r8]\n strb r0, [r8, #1]\n strb r6, [r8, #2]\n strb r4, [r8, #3]\n"
        "subs r10, #2\n blt 9f\n add r8, r9\n"
        "strb r3, [r8]\n strb r1, [r8, #1]\n strb r7, [r8, #2]\n strb r5, [r8, #3]\n"
        "add r8, r9\n str r8, [sp, #72]\n str r10, [sp, #48]\n bne.w 1b\n"
        "9: add sp, #84\n pop {r4-r11, pc}\n");
}
#else
static EK_NOINLINE void ek_gemm_four(const ek_gemm_t *g, const int8_t *columns, int8_t *out,
                                     int32_t count, int32_t stride) {
    const uint32_t *words = (const uint32_t *)g->weights, *stream = (const uint32_t *)g->bias;
    int32_t pair;
    ek_run_t run;
    run.steps = (g->depth + 3) / 4 * 2;
    run.columns = (uint32_t *)(uintptr_t)columns;
    for (; count > 0; count -= 2, out += 2 * stride, run.columns += 2 * run.steps) {
        const uint32_t *end = stream + (g->fast & 2 ? 2 : 3);
        run.across = count > 1 ? stride : 0;
        run.out = out;
        for (pair = 0; pair < 2; ++pair, end += 3, run.out += 2)
            ek_runs_two(g, &run, words + pair, 2, stream[pair], end, stream[2] >> 16 * pair, 2);
    }
}
#endif

/* Columns of `count` pixels that lie behind each other, an odd last one twice; whether it can. */
static inline int32_t ek_gemm_columns(const ek_gemm_t *g, int8_t *columns, int32_t step,
                                      const int8_t *from, int32_t count) {
    int32_t depth = g->depth, p;
    for (p = 0; p < 2 && p < count; ++p)
        ek_column_put(g, columns, p, 0, from + p * depth, depth, (count + 1 - p) / 2, 2 * depth,
                      step / 4);
    if (count & 1)
        ek_column_put(g, columns + count / 2 * step, 1, 0, from + (count - 1) * depth, depth, 1, 0,
                      0);
    return 1;
}

/* To the next four channels. */
static inline void ek_gemm_next(ek_gemm_t *g) {
    g->bias = (const int8_t *)g->bias + g->bias_bits / 2;
#if EK_GEMM_ODD
    if (g->bias_bits <= 32) {
        g->multiplier += 4;
        g->shift += 4;
    }
#endif
}

/* Up to four channels of `count` pixels: `columns` holds pair after pair, `step` bytes apart. */
static inline void ek_gemm_block(const ek_gemm_t *g, const int8_t *columns, int32_t step,
                                 int8_t *out, int32_t stride, int32_t count) {
    (void)step;
#if EK_GEMM_ODD
    if (g->bias_bits <= 32) {
        for (; count > 0; count -= 2, out += 2 * stride, columns += step)
            ek_gemm(g, columns, out, count > 1 ? out + stride : out);
        return;
    }
#endif
    ek_gemm_four(g, columns, out, count, stride);
#if EK_GEMM_BLOCK_LIMITS
    if (g->low > -128 || g->high < 127)
        for (; count > 0; --count, out += stride)
            ek_gemm_clamp(g, out);
#endif
}
