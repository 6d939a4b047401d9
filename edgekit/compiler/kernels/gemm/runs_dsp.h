#include "gemm.h"

/* Pairs of pixels, one after the other. Inputs of a pixel: `rows` rows of `count` bytes, `down`
   bytes apart, four at least, from `from` on; of its neighbour `step` bytes further. Without `from`
   the columns are there. A row begins every `row_bytes` of the columns, which have `steps` times
   two inputs. Outputs of a neighbour are `across` bytes further. Assembly counts on the order. */
typedef struct {
    const int8_t *from;
    int32_t step, count, rows, down, row_bytes;
    uint32_t zero;
    uint32_t *columns;
    int8_t *out;
    int32_t across, pairs, steps;
} ek_run_t;

/* The stream, for four channels, then for two: what is added to sums of odd channels (with those of
   the even one before in their low bits); weights; their shifts, if there is more than one product;
   for each two channels what is added to the even one, and two factors. */
#define EK_RUNS_SHIFT "10"
#if defined(__ARM_FEATURE_DSP)
/* Four inputs of both pixels to columns: r8 and r1 further the inputs, r12 columns, r6 zero. */
#define EK_RUNS_FOUR                                                                             \
    "ldr r11, [r8, r1]\n ldr r10, [r8], #4\n"                                                    \
    "sxtab16 r9, r6, r10, ror #8\n sxtab16 r10, r6, r10\n str r9, [r12, #8]\n"                   \
    "sxtab16 r9, r6, r11, ror #8\n sxtab16 r11, r6, r11\n str r9, [r12, #12]\n"                  \
    "str r11, [r12, #4]\n str r10, [r12], #16\n"

#if EK_COLUMN_NINES
/* Nine inputs of both pixels, r0 and lr, to where r7 points: three pixels of three colours. */
#define EK_RUNS_NINES "cmp r2, #2\n beq.w 16f\n"
#define EK_RUNS_NINE(a, b, c, d, e, f, g, h, i, j)                                               \
    "ldr r2, [r0]\n ldr r3, [r0, #4]\n ldrb r5, [r0, #8]\n"                                      \
    "ldr r8, [lr]\n ldr r9, [lr, #4]\n ldrb r10, [lr, #8]\n"                                     \
    "sxtab16 r11, r6, r2, ror #8\n sxtab16 r2, r6, r2\n"                                        \
    "str r2, [r7, #" a "]\n str r11, [r7, #" c "]\n"                                            \
    "sxtab16 r11, r6, r8, ror #8\n sxtab16 r2, r6, r8\n"                                        \
    "str r2, [r7, #" b "]\n str r11, [r7, #" d "]\n"                                            \
    "sxtab16 r11, r6, r3, ror #8\n sxtab16 r2, r6, r3\n"                                        \
    "str r2, [r7, #" e "]\n str r11, [r7, #" g "]\n"                                            \
    "sxtab16 r11, r6, r9, ror #8\n sxtab16 r2, r6, r9\n"                                        \
    "str r2, [r7, #" f "]\n str r11, [r7, #" h "]\n"                                            \
    "sxtab16 r5, r6, r5\n sxtab16 r2, r6, r10\n"                                                \
    "str r5, [r7, #" i "]\n str r2, [r7, #" j "]\n"
#else
#define EK_RUNS_NINES
#endif

/* The first step: r0 and r4 hold what sums begin with. */
#define EK_RUNS_FIRST                                                                            \
    "ldr r11, [r12, #4]\n ldr r10, [r12], #8\n ldr r9, [lr, #4]\n ldr r8, [lr], #8\n"            \
    "smlad r1, r10, r9, r0\n smlad r0, r10, r8, r0\n"                                            \
    "smlad r5, r11, r9, r4\n smlad r4, r11, r8, r4\n"                                            \
    "sxtb16 r10, r10\n sxtb16 r11, r11\n smuad r2, r10, r8\n smuad r3, r10, r9\n"                \
    "smuad r6, r11, r8\n smuad r7, r11, r9\n"

/* Two channels of two pixels, one product each: see one_product.py. */
#define EK_RUNS_PRODUCTS(even0, even1, odd0, odd1, offset, even, load, odd)                      \
    "sub " odd0 ", " odd0 ", " even0 "\n sub " odd1 ", " odd1 ", " even1 "\n"                    \
    "add " even0 ", " offset ", " even0 ", lsl #8\n"                                             \
    "add " even1 ", " offset ", " even1 ", lsl #8\n"                                             \
    "smmul " even0 ", " even0 ", " even "\n smmul " even1 ", " even1 ", " even "\n"              \
    "ssat " even0 ", #8, " even0 ", asr #" EK_RUNS_SHIFT "\n"                                    \
    "ssat " even1 ", #8, " even1 ", asr #" EK_RUNS_SHIFT "\n" load                               \
    "smmul " odd0 ", " odd0 ", " odd "\n smmul " odd1 ", " odd1 ", " odd "\n"                    \
    "ssat " odd0 ", #8, " odd0 ", asr #" EK_RUNS_SHIFT "\n"                                      \
    "ssat " odd1 ", #8, " odd1 ", asr #" EK_RUNS_SHIFT "\n"
/* Where four outputs go, and the end of their stream. */
#define EK_RUNS_OUT "ldr r8, [sp, #72]\n ldr r9, [sp, #76]\n ldr r10, [sp, #48]\n"
/* The same as TensorFlow Lite Micro rounds, doubled sums; lr: shifts, r11: zero point * 2 + 1. */
#define EK_RUNS_ROUND_SUM(sum, factor)                                                           \
    "smmulr " sum ", " sum ", " factor "\n add " sum ", " sum ", " sum ", asr #31\n"             \
    "asr " sum ", " sum ", lr\n add " sum ", " sum ", r11\n ssat " sum ", #8, " sum ", asr #1\n"
#define EK_RUNS_ROUND_SIGNED(even0, even1, odd0, odd1)                                           \
    "sub " odd0 ", " odd0 ", " even0 "\n sub " odd1 ", " odd1 ", " even1 "\n"                    \
    "ldm r12!, {r8, r9, r10}\n"                                                                  \
    "add " even0 ", r8, " even0 ", lsl #1\n add " even1 ", r8, " even1 ", lsl #1\n"              \
    "asr " odd0 ", #7\n asr " odd1 ", #7\n"                                                      \
    EK_RUNS_ROUND_SUM(even0, "r9") EK_RUNS_ROUND_SUM(even1, "r9") "lsr lr, #8\n"                 \
    EK_RUNS_ROUND_SUM(odd0, "r10") EK_RUNS_ROUND_SUM(odd1, "r10")
#define EK_RUNS_SIGNED2                                                                          \
    "ldr lr, [r12], #4\n ldr r11, [sp, #64]\n" EK_RUNS_ROUND_SIGNED("r2", "r3", "r0", "r1")
#define EK_RUNS_SIGNED4                                                                          \
    EK_RUNS_SIGNED2 "lsr lr, #8\n" EK_RUNS_ROUND_SIGNED("r6", "r7", "r4", "r5") EK_RUNS_OUT
#define EK_RUNS_ONE2                                                                             \
    "ldm r12!, {r8, r9, r10}\n" EK_RUNS_PRODUCTS("r2", "r3", "r0", "r1", "r8", "r9", "", "r10")
/* Single loads behind each other are faster. */
#define EK_RUNS_ONE4                                                                             \
    "ldm r12!, {r8, r9, r10, r11, lr}\n"                                                        \
    EK_RUNS_PRODUCTS("r2", "r3", "r0", "r1", "r8", "r9", "", "r10")                              \
    EK_RUNS_PRODUCTS("r6", "r7", "r4", "r5", "r11", "lr", "ldr r11, [r12], #4\n" EK_RUNS_OUT, "r11")
#if EK_RUNS_ONE_PRODUCT && EK_RUNS_SIGNED
#define EK_RUNS_ROUND(product, any, one, two)                                                    \
    "ldr r8, [sp, #68]\n cmp r8, #32\n beq.w " one "f\n" any "b.w " two "f\n"                    \
    one ":\n" product two ":\n"
#elif EK_RUNS_ONE_PRODUCT
#define EK_RUNS_ROUND(product, any, one, two) product
#else
#define EK_RUNS_ROUND(product, any, one, two) any
#endif

/* A round of the loop, its steps - 1, the bytes of a column that it takes, and the steps up to which
   one round, after the first step, does. */
#if EK_OPTIMIZE_SIZE
#define EK_RUNS_LOOP EK_GEMM_STEPS2
#define EK_RUNS_MASK "#1"
#define EK_RUNS_ROUND_BYTES "#16"
#define EK_RUNS_ONCE "#3"
#elif EK_LARGE && EK_RUNS_LONG
#define EK_RUNS_LOOP EK_GEMM_STEPS8 EK_GEMM_STEPS8 EK_GEMM_STEPS8 EK_GEMM_STEPS8
#define EK_RUNS_MASK "#31"
#define EK_RUNS_ROUND_BYTES "#256"
#define EK_RUNS_ONCE "#33"
#elif EK_OPTIMIZE_SPEED || EK_LARGE
#define EK_RUNS_LOOP EK_GEMM_STEPS8 EK_GEMM_STEPS8
#define EK_RUNS_MASK "#15"
#define EK_RUNS_ROUND_BYTES "#128"
#define EK_RUNS_ONCE "#17"
#else
#define EK_RUNS_LOOP EK_GEMM_STEPS8
#define EK_RUNS_MASK "#7"
#define EK_RUNS_ROUND_BYTES "#64"
#define EK_RUNS_ONCE "#9"
#endif

/* Registers: r0-r7 sums, r8 and r9 inputs of the two pixels, r10 and r11 weights, r12 and lr where
   the stream and columns are read. Stack: 0-28 as in `ek_run_t`, but 8: whether an odd number of
   fours is to be taken (bit 0), inputs after them (bits 1 and 2), and from bit 3 on how many there
   are in eights, without the last; 36 across, 40 pairs to go, 44 stream, 48 half its end of fours, with
   bit 31 if one round does (then the carry flag is set), 52 channels that are left then, 56 where
   the last round of the columns begins, 60 where the loop is entered, 64 zero point
   * 2 + 1, 68 bytes of the stream beside weights, 72 and 76 outputs of the two pixels, 80 channels
   to go. */
static __attribute__((naked, noinline, unused)) void ek_gemm_runs(
    __attribute__((unused)) const ek_gemm_t *g, __attribute__((unused)) const ek_run_t *run) {
    __asm__ volatile(
        "push {r4-r11, lr}\n sub sp, #84\n"
        "ldm r1!, {r2-r9}\n and r10, r4, #3\n bic r4, #3\n ubfx r11, r4, #2, #1\n"
        "add r4, r4, r11, lsl #2\n sub r4, #8\n add r4, r10, r4, lsl #2\n orr r4, r11, r4, lsl #1\n"
        "stm sp, {r2-r9}\n ldm r1, {r2-r5}\n"
        "ldr r12, [r0]\n ldrh r6, [r0, #18]\n ldrb r7, [r0, #27]\n ldrsh r8, [r0, #22]\n"
        "add r10, sp, #36\n stm r10!, {r3, r4, r12}\n str r2, [sp, #76]\n"
        "tst r7, #2\n ite ne\n movne r7, #32\n moveq r7, #36\n"
        "add r11, r7, r5, lsl #3\n lsr r0, r6, #2\n mla r11, r11, r0, r12\n and r6, #3\n"
        "add r9, r9, r5, lsl #3\n rsbs r0, r5, " EK_RUNS_ONCE "\n rrx r11, r11\n"
        "sub r9, " EK_RUNS_ROUND_BYTES "\n rsb r5, #1\n and r5, " EK_RUNS_MASK "\n mov r0, #56\n"
        "adr.w r1, 3f\n mla r5, r5, r0, r1\n orr r5, #1\n lsl r8, #1\n add r8, #1\n"
        "str r11, [sp, #48]\n str r6, [sp, #52]\n str r9, [sp, #56]\n str r5, [sp, #60]\n"
        "str r8, [sp, #64]\n str r7, [sp, #68]\n"
        /* columns */
        "ldr r0, [sp]\n cmp r0, #0\n beq.w 4f\n"
        "1: ldm sp, {r0-r7}\n add r8, r0, r1, lsl #1\n str r8, [sp]\n" EK_RUNS_NINES
        "11: mov r8, r0\n mov r12, r7\n lsrs lr, r2, #1\n bcs 13f\n"
        "12:\n" EK_RUNS_FOUR "13:\n" EK_RUNS_FOUR "subs lr, #32\n bge 12b\n"
#if EK_COLUMN_TAIL
        "ands lr, #3\n beq 15f\n cmp lr, #2\n bge.w 14f\n"
        "ldrb r11, [r8, r1]\n ldrb r10, [r8]\n"
        "sxtab16 r11, r6, r11\n sxtab16 r10, r6, r10\n str r10, [r12]\n str r11, [r12, #4]\n"
#endif
        "15: add r0, r4\n add r7, r5\n subs r3, #1\n bne 11b\n"
        /* channels */
        "4: ldr r0, [sp, #76]\n ldr r1, [sp, #36]\n ldr r12, [sp, #44]\n ldr r2, [sp, #48]\n"
        "add r1, r0\n str r0, [sp, #72]\n str r1, [sp, #76]\n"
        "teq r12, r2, lsl #1\n beq.w 5f\n"
        "2: ldr r0, [r12], #4\n ldr r4, [r12], #4\n ldr lr, [sp, #28]\n"
        EK_RUNS_FIRST "ldr.w pc, [sp, #60]\n"
        ".balign 4\n"
        "33: ldr.w r8, [sp, #56]\n cmp.w lr, r8\n"
        "3:\n" EK_RUNS_LOOP "bcc.w 33b\n"
        EK_RUNS_ROUND(EK_RUNS_ONE4, EK_RUNS_SIGNED4, "31", "32")
        "strb r0, [r8, #1]\n strb r6, [r8, #2]\n strb r4, [r8, #3]\n strb r2, [r8], #4\n"
        "strb r1, [r9, #1]\n strb r7, [r9, #2]\n strb r5, [r9, #3]\n strb r3, [r9], #4\n"
        "str r8, [sp, #72]\n str r9, [sp, #76]\n teq r12, r10, lsl #1\n bne.w 2b\n"
        "5:\n"
#if EK_GEMM_TAIL
        "ldr r8, [sp, #52]\n ldr r0, [sp, #40]\n cmp r8, #0\n bne.w 6f\n"
#else
        "ldr r0, [sp, #40]\n"
#endif
        "9: subs r0, #1\n str r0, [sp, #40]\n bne.w 1b\n"
        "add sp, #84\n pop {r4-r11, pc}\n"
#if EK_GEMM_TAIL
        "6: str r8, [sp, #80]\n ldr r0, [r12], #4\n mov r1, r0\n movs r2, #0\n movs r3, #0\n"
        "ldr lr, [sp, #28]\n ldr r11, [sp, #56]\n"
        "add r11, " EK_RUNS_ROUND_BYTES "\n sub r8, r11, lr\n tst r8, #8\n bne 8f\n"
        "7:\n" EK_GEMM_PAIR_STEP "8:\n" EK_GEMM_PAIR_STEP "cmp lr, r11\n bne 7b\n"
        EK_RUNS_ROUND(EK_RUNS_ONE2, EK_RUNS_SIGNED2, "51", "52")
        "ldrd r8, r9, [sp, #72]\n strb r2, [r8], #1\n strb r3, [r9], #1\n"
        "ldr r10, [sp, #80]\n subs r10, #1\n beq 8f\n"
        "strb r0, [r8], #1\n strb r1, [r9], #1\n subs r10, #1\n"
        "8: strd r8, r9, [sp, #72]\n mov r8, r10\n bne.w 6b\n ldr r0, [sp, #40]\n b.w 9b\n"
#endif
#if EK_COLUMN_TAIL
        "14: add r8, lr\n sub r8, #4\n ldr r11, [r8, r1]\n ldr r10, [r8]\n"
        "rsb r9, lr, #4\n lsl r9, #3\n lsr r10, r9\n lsr r11, r9\n"
        "sxtab16 r8, r6, r10\n sxtab16 r9, r6, r11\n strd r8, r9, [r12]\n"
        "sxtab16 r8, r6, r10, ror #8\n sxtab16 r9, r6, r11, ror #8\n strd r8, r9, [r12, #8]\n"
        "b.w 15b\n"
#endif
#if EK_COLUMN_NINES
        "16: cmp r3, #3\n bne.w 11b\n add lr, r0, r1\n" EK_RUNS_NINE("0", "4", "8", "12", "16",
            "20", "24", "28", "32", "36") "add r0, r4\n add lr, r4\n" EK_RUNS_NINE("40", "44",
            "48", "52", "56", "60", "64", "68", "72", "76") "add r0, r4\n add lr, r4\n"
        EK_RUNS_NINE("80", "84", "88", "92", "96", "100", "104", "108", "112", "116") "b.w 4b\n"
#endif
    );
}
#else
static inline int8_t ek_runs_out(const ek_gemm_t *g, int32_t sum, uint32_t factor, int32_t shift) {
    if (g->fast & 2)
        return (int8_t)ek_clamp((int32_t)((int64_t)sum * (int32_t)factor >> 42), -128, 127);
    sum = ek_multiply(sum / 2, (int32_t)factor, -1 - (shift & 255)) + g->zero_out;
    return (int8_t)ek_clamp(sum, -128, 127);
}

/* Two channels, whose words of weights are `stride` apart, of two pixels. */
static EK_NOINLINE void ek_runs_pair(const ek_gemm_t *g, const ek_run_t *run, const uint32_t *w,
                                     int32_t stride, uint32_t odd, int32_t sums[4]) {
    int32_t p, k;
    for (p = 0; p < 2; ++p) {
        int32_t both = (int32_t)odd, low = 0;
        for (k = 0; k < run->steps; ++k) {
            both = ek_smlad(w[k * stride], run->columns[2 * k + p], both);
            low = ek_smlad(ek_sxtab16(0, w[k * stride]), run->columns[2 * k + p], low);
        }
        both = (int32_t)((uint32_t)both - (uint32_t)low);
        sums[p] = (int32_t)((uint32_t)low * (g->fast & 2 ? 256u : 2u));
        sums[2 + p] = g->fast & 2 ? both : both >> 7;
    }
}

/* The same to outputs, of which there are `channels`; `end`: what is added to sums of the even one,
   and two factors. */
static inline void ek_runs_two(const ek_gemm_t *g, const ek_run_t *run, const uint32_t *w,
                               int32_t stride, uint32_t odd, const uint32_t *end,
                               uint32_t shifts, int32_t channels) {
    int32_t sums[4], i, p;
    ek_runs_pair(g, run, w, stride, odd, sums);
    sums[0] += (int32_t)end[0];
    sums[1] += (int32_t)end[0];
    for (i = 0; i < channels; ++i, shifts >>= 8)
        for (p = 0; p < 2; ++p)
            run->out[p * run->across + i] =
                ek_runs_out(g, sums[2 * i + p], end[1 + i], (int32_t)shifts);
}

static EK_NOINLINE void ek_runs_channels(const ek_gemm_t *g, const ek_run_t *run) {
    const uint32_t *stream = (const uint32_t *)g->weights;
    int32_t left = g->channels, pair, pairs;
    ek_run_t to = *run;
    for (; left > 0; stream += 3 * pairs) {
        const uint32_t *odd = stream;
        uint32_t shifts = 0;
        pairs = left >= 4 ? 2 : 1;
        stream += pairs * (run->steps + 1);
        if (!(g->fast & 2))
            shifts = *stream++;
        for (pair = 0; pair < pairs; ++pair, left -= 2, to.out += 2, shifts >>= 16)
            ek_runs_two(g, &to, odd + pairs + pair, pairs, odd[pair], stream + 3 * pair, shifts,
                        left < 2 ? left : 2);
    }
}

static EK_NOINLINE void ek_gemm_runs(const ek_gemm_t *g, ek_run_t *run) {
    for (; run->pairs > 0; --run->pairs) {
        int32_t p;
        for (p = 0; p < 2 && run->from; ++p, run->from += run->step)
            ek_column_rows(run->zero, run->columns + p, run->from, run->count, run->rows, run->down,
                           run->row_bytes);
        ek_runs_channels(g, run);
        run->out += 2 * run->across;
    }
}
#endif

/* Outputs within the limits of an activation. */
static inline void ek_runs_limit(const ek_gemm_t *g, int8_t *out, int32_t count) {
    (void)g;
    (void)out;
    (void)count;
#if EK_GEMM_CLAMP
    if (g->low > -128 || g->high < 127)
        for (; count > 0; --count, ++out)
            *out = (int8_t)ek_clamp(*out, g->low, g->high);
#endif
}
