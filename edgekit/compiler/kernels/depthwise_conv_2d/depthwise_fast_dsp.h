#include "depthwise_channel.h"

#if defined(__ARM_FEATURE_DSP)
/* Registers: r4-r7 four sums, scaled; r8-r10 neighbouring inputs; r11 and r12 taps 0, 1 and 1, 2 of
   a row, scaled; lr bytes from row to row. Outputs are neighbours, or every second one. */
#define EK_DEPTHWISE_LOAD(one, two)                                                              \
    "ldr r11, [r0, #" one "]\n ldr r12, [r0, #" two "]\n"                                        \
    "ldr r8, [r1]\n ldr r9, [r1, #4]\n ldr r10, [r1, #8]\n"
#define EK_DEPTHWISE_TAPS(one, two, begin)                                                       \
    EK_DEPTHWISE_LOAD(one, two)                                                                  \
    "smlad r4, r11, r8, " begin("r4") "\n smlabt r5, r11, r8, " begin("r5") "\n"                 \
    "smlad r6, r11, r9, " begin("r6") "\n smlabt r7, r11, r9, r7\n smlatb r4, r12, r9, r4\n"     \
    "smlad r5, r12, r9, r5\n smlatb r6, r12, r10, r6\n smlad r7, r12, r10, r7\n"
#define EK_DEPTHWISE_TAPS_BY_2(one, two, begin)                                                  \
    EK_DEPTHWISE_LOAD(one, two)                                                                  \
    "smlad r4, r11, r8, " begin("r4") "\n smlatb r4, r12, r9, r4\n"                              \
    "smlad r5, r11, r9, " begin("r5") "\n smlatb r5, r12, r10, r5\n"                             \
    "smlad r6, r11, r10, " begin("r6") "\n ldr r8, [r1, #12]\n ldr r9, [r1, #16]\n"              \
    "smlatb r6, r12, r8, r6\n smlad r7, r11, r8, r7\n smlatb r7, r12, r9, r7\n"
/* The sum that another one goes on from: itself, or in the first row r7, which all begin with. */
#define EK_DEPTHWISE_ON(sum) sum
#define EK_DEPTHWISE_FROM_R7(sum) "r7"
#define EK_DEPTHWISE_ROUND(sum)                                                                  \
    "smmlar r8, " sum ", r9, r11\n add r8, r8, " sum ", asr #31\n"                               \
    "asr r8, r8, r10\n ssat " sum ", #8, r8, asr #1\n"
#define EK_DEPTHWISE_ROUND4                                                                      \
    "ldr r9, [r0, #28]\n ldr r10, [r0, #32]\n ldr r11, [r0, #36]\n ldr r12, [r0, #40]\n"         \
    EK_DEPTHWISE_ROUND("r4") EK_DEPTHWISE_ROUND("r5")                                            \
    EK_DEPTHWISE_ROUND("r6") EK_DEPTHWISE_ROUND("r7")
/* One product each: see one_product.py. */
#define EK_DEPTHWISE_ONE4                                                                        \
    "ldr r9, [r0, #28]\n ldr r12, [r0, #40]\n"                                                   \
    "smmul r4, r4, r9\n smmul r5, r5, r9\n smmul r6, r6, r9\n smmul r7, r7, r9\n"                \
    "ssat r4, #8, r4, asr #10\n ssat r5, #8, r5, asr #10\n"                                      \
    "ssat r6, #8, r6, asr #10\n ssat r7, #8, r7, asr #10\n"

/* 3 x 3 taps side by side, four outputs at a time, line by line. */
#define EK_DEPTHWISE_FAST(name, taps, advance, round)                                            \
    static __attribute__((naked, noinline)) void name(                                           \
        __attribute__((unused)) const ek_depthwise_channel_t *k,                                 \
        __attribute__((unused)) const int16_t *x, __attribute__((unused)) int8_t *out,           \
        __attribute__((unused)) int32_t lines) {                                                 \
        __asm__ volatile(                                                                        \
            "push {r4-r11, lr}\n sub sp, #12\n"                                                  \
            "stm sp, {r1, r2, r3}\n ldr r3, [r0, #48]\n ldr lr, [r0, #44]\n"                     \
            "1: ldr r7, [r0, #24]\n" taps("0", "4", EK_DEPTHWISE_FROM_R7)                         \
            "add r1, lr\n" taps("8", "12", EK_DEPTHWISE_ON)                                       \
            "add r1, lr\n" taps("16", "20", EK_DEPTHWISE_ON)                                      \
            round "subs r3, #4\n blt 2f\n"                                                       \
            "sub r1, r1, lr, lsl #1\n add r1, r1, #" advance "\n"                                \
            "strb r4, [r2]\n strb r5, [r2, r12]\n add r2, r2, r12, lsl #1\n"                     \
            "strb r6, [r2]\n strb r7, [r2, r12]\n add r2, r2, r12, lsl #1\n"                     \
            "bne 1b\n b 3f\n"                                                                    \
            "2: strb r4, [r2]\n adds r3, #3\n beq 3f\n strb r5, [r2, r12]\n"                     \
            "subs r3, #1\n beq 3f\n strb r6, [r2, r12, lsl #1]\n"                                \
            "3: ldr r1, [sp]\n ldr r2, [sp, #4]\n ldr r6, [sp, #8]\n"                             \
            "ldr r4, [r0, #52]\n ldr r5, [r0, #56]\n ldr r3, [r0, #48]\n"                        \
            "add r1, r4\n add r2, r5\n subs r6, #1\n"                                            \
            "str r1, [sp]\n str r2, [sp, #4]\n str r6, [sp, #8]\n bne.w 1b\n"                    \
            "add sp, #12\n pop {r4-r11, pc}\n");                                                 \
    }
#if EK_DEPTHWISE_3X3_LONG
/* Eight neighbours at a time, one product each. Registers: r0-r7 sums, r8-r10 inputs, r11 and r12
   taps, lr where inputs are read. Stack: 0 taps, 24 offset, 28 factor, 32 outputs along, 36 bytes
   from row to row, 40 from the last row to the next eight, 44 outputs of a line, 48 those to go, 52
   output, 56 and 60 inputs and outputs of the line, 64 lines to go, 68 and 72 bytes to the next. */
#define EK_DEPTHWISE_ROW8(one, two, step, begin)                                                 \
    "ldr r11, [sp, #" one "]\n ldr r12, [sp, #" two "]\n"                                        \
    "ldr r8, [lr]\n ldr r9, [lr, #4]\n ldr r10, [lr, #8]\n"                                      \
    "smlad r0, r11, r8, " begin("r0") "\n smlabt r1, r11, r8, " begin("r1") "\n"                 \
    "smlad r2, r11, r9, " begin("r2") "\n smlabt r3, r11, r9, " begin("r3") "\n"                 \
    "smlatb r0, r12, r9, r0\n smlad r1, r12, r9, r1\n"                                           \
    "smlatb r2, r12, r10, r2\n smlad r3, r12, r10, r3\n"                                         \
    "smlad r4, r11, r10, " begin("r4") "\n smlabt r5, r11, r10, " begin("r5") "\n"               \
    "ldr r8, [lr, #12]\n ldr r9, [lr, #16]\n ldr r10, [sp, #" step "]\n add lr, r10\n"           \
    "smlad r6, r11, r8, " begin("r6") "\n smlabt r7, r11, r8, r7\n"                              \
    "smlatb r4, r12, r8, r4\n smlad r5, r12, r8, r5\n"                                           \
    "smlatb r6, r12, r9, r6\n smlad r7, r12, r9, r7\n"
#define EK_DEPTHWISE_ONE_OF8(sum)                                                                \
    "smmul " sum ", " sum ", r8\n ssat " sum ", #8, " sum ", asr #10\n"
#define EK_DEPTHWISE_STORE2(first, second)                                                       \
    "strb " first ", [r10]\n strb " second ", [r10, r9]\n add r10, r10, r9, lsl #1\n"
static __attribute__((naked, noinline)) void ek_depthwise_3x3_long(
    __attribute__((unused)) const ek_depthwise_channel_t *k,
    __attribute__((unused)) const int16_t *x, __attribute__((unused)) int8_t *out,
    __attribute__((unused)) int32_t lines) {
    __asm__ volatile(
        "push {r4-r11, lr}\n sub sp, #76\n ldm r0!, {r4-r11}\n stm sp, {r4-r11}\n"
        "ldr r4, [r0, #8]\n ldr r5, [r0, #12]\n ldr r6, [r0, #16]\n ldr r7, [r0, #20]\n"
        "ldr r8, [r0, #24]\n rsb r9, r5, #8\n lsl r9, #1\n"
        "str r4, [sp, #32]\n str r5, [sp, #36]\n str r9, [sp, #40]\n str r6, [sp, #44]\n"
        "str r1, [sp, #56]\n str r2, [sp, #60]\n str r3, [sp, #64]\n str r7, [sp, #68]\n"
        "str r8, [sp, #72]\n"
        "5: ldr lr, [sp, #56]\n ldr r8, [sp, #60]\n ldr r9, [sp, #44]\n"
        "str r8, [sp, #52]\n str r9, [sp, #48]\n"
        "1: ldr r7, [sp, #24]\n" EK_DEPTHWISE_ROW8("0", "4", "36", EK_DEPTHWISE_FROM_R7)
        EK_DEPTHWISE_ROW8("8", "12", "36", EK_DEPTHWISE_ON)
        EK_DEPTHWISE_ROW8("16", "20", "40", EK_DEPTHWISE_ON)
        "ldr r8, [sp, #28]\n ldr r9, [sp, #32]\n ldr r10, [sp, #52]\n"
        EK_DEPTHWISE_ONE_OF8("r0") EK_DEPTHWISE_ONE_OF8("r1") EK_DEPTHWISE_ONE_OF8("r2")
        EK_DEPTHWISE_ONE_OF8("r3") EK_DEPTHWISE_ONE_OF8("r4") EK_DEPTHWISE_ONE_OF8("r5")
        EK_DEPTHWISE_ONE_OF8("r6") EK_DEPTHWISE_ONE_OF8("r7")
        EK_DEPTHWISE_STORE2("r0", "r1") EK_DEPTHWISE_STORE2("r2", "r3")
        EK_DEPTHWISE_STORE2("r4", "r5") EK_DEPTHWISE_STORE2("r6", "r7")
        "str r10, [sp, #52]\n ldr r9, [sp, #48]\n"
        "subs r9, #8\n str r9, [sp, #48]\n bne.w 1b\n"
        "ldr r4, [sp, #56]\n ldr r5, [sp, #60]\n ldr r6, [sp, #64]\n ldr r7, [sp, #68]\n"
        "ldr r8, [sp, #72]\n add r4, r7\n add r5, r8\n str r4, [sp, #56]\n str r5, [sp, #60]\n"
        "subs r6, #1\n str r6, [sp, #64]\n bne.w 5b\n"
        "add sp, #76\n pop {r4-r11, pc}\n");
}
#endif
#if EK_DEPTHWISE_3X3
EK_DEPTHWISE_FAST(ek_depthwise_3x3, EK_DEPTHWISE_TAPS, "8", EK_DEPTHWISE_ROUND4)
#endif
#if EK_DEPTHWISE_3X3_BY_2
EK_DEPTHWISE_FAST(ek_depthwise_3x3_by_2, EK_DEPTHWISE_TAPS_BY_2, "16", EK_DEPTHWISE_ROUND4)
#endif
#if EK_DEPTHWISE_3X3_ONE
EK_DEPTHWISE_FAST(ek_depthwise_3x3_one, EK_DEPTHWISE_TAPS, "8", EK_DEPTHWISE_ONE4)
#endif
#if EK_DEPTHWISE_3X3_BY_2_ONE
EK_DEPTHWISE_FAST(ek_depthwise_3x3_by_2_one, EK_DEPTHWISE_TAPS_BY_2, "16", EK_DEPTHWISE_ONE4)
#endif

/* The taps of three rows times 256, as pairs 0, 1 and 1, 2. */
#define EK_DEPTHWISE_PAIRS(taps, pair, first, second)                                            \
    "and " pair ", " taps ", #0xff00ff00\n lsl " taps ", #8\n and " taps ", #0xff00ff00\n"        \
    "pkhbt r12, " taps ", " pair ", lsl #16\n pkhbt " taps ", " pair ", " taps "\n"              \
    "str r12, " first "\n str " taps ", " second "\n"
static inline void ek_depthwise_spread(const int8_t *w, uint32_t *pairs) {
#if EK_LARGE
    uint32_t pair, first, second, third;
    __asm__ volatile(
        "ldr %[first], [%[w]]\n ldr %[second], [%[w], #3]\n ldr %[third], [%[w], #6]\n"
        EK_DEPTHWISE_PAIRS("%[first]", "%[pair]", "[%[to]]", "[%[to], #4]")
        EK_DEPTHWISE_PAIRS("%[second]", "%[pair]", "[%[to], #8]", "[%[to], #12]")
        EK_DEPTHWISE_PAIRS("%[third]", "%[pair]", "[%[to], #16]", "[%[to], #20]")
        : [pair] "=&r"(pair), [first] "=&r"(first), [second] "=&r"(second), [third] "=&r"(third)
        : [w] "r"(w), [to] "r"(pairs)
        : "r12", "memory");
#else
    const uint32_t *end = pairs + 6;
    uint32_t even, odd, pair;
    __asm__ volatile(
        "1: ldr %[even], [%[w]], #3\n and %[odd], %[even], #0xff00ff00\n lsl %[even], #8\n"
        "and %[even], #0xff00ff00\n pkhbt %[pair], %[even], %[odd], lsl #16\n"
        "pkhbt %[even], %[odd], %[even]\n str %[pair], [%[to]], #4\n str %[even], [%[to]], #4\n"
        "cmp %[to], %[end]\n bne 1b\n"
        : [even] "=&r"(even), [odd] "=&r"(odd), [pair] "=&r"(pair), [w] "+r"(w), [to] "+r"(pairs)
        : [end] "r"(end)
        : "cc", "memory");
#endif
}
#endif
