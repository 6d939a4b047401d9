/*
 * The firmware that measures: runs the model on every golden vector and tells the host, through
 * Arm semihosting, one line for each:
 *
 *     vector STATUS COMPARED MISMATCHED STACK GUARDS STACK_FULL
 *     differs INDEX GOT WANTED          the first value of a vector that differs
 *     copy MISMATCHED GUARDS            run_copy with buffers of its own, on the first vector
 *     fault PC CFSR                     instead of all that would have followed
 *     done
 *
 * GUARDS counts bytes that were overwritten outside the arena (or the output, or in the input). The lines are for
 * edgekit/devices/_cortex_m/report.py.
 */
#include <stddef.h>
#include <stdint.h>

#include "bench_model.h"

#define GUARD 64u
#define PATTERN 0xC5u

#ifndef MODEL_GOLDEN_LIMIT
#define MODEL_GOLDEN_LIMIT MODEL_GOLDEN_COUNT
#endif

struct span {
    uint32_t offset, bytes;
};

extern uint32_t stack_limit, stack_top;
extern uint32_t bench_stack; /* the stack pointer when the model was called */
int bench_call(void *arena, int (*run)(void *));
void fault(void);
__attribute__((used)) void fault_at(const uint32_t *frame);

/* The model's instructions are those from the entry of its run function up to bench_end.
 * Before, the stack is painted, so that its deepest use can be seen afterwards. */
__asm(".syntax unified\n"
      ".bss\n.balign 4\n.global bench_stack\nbench_stack: .space 4\n"
      ".section .text.bench_call,\"ax\",%progbits\n.balign 4\n"
      ".global bench_call\n.thumb_func\nbench_call:\n"
      "  push {r4, r5, r6, lr}\n"
      "  mov r4, sp\n"
      "  ldr r5, =stack_limit\n"
      "  ldr r6, =0xC5C5C5C5\n"
      "1: str r6, [r5]\n"
      "  adds r5, r5, #4\n"
      "  cmp r5, r4\n"
      "  blo 1b\n"
      "  ldr r5, =bench_stack\n"
      "  str r4, [r5]\n"
      "  blx r1\n"
      ".global bench_end\n.thumb_func\nbench_end:\n"
      "  pop {r4, r5, r6, pc}\n"
      ".ltorg\n"
      ".section .text.fault,\"ax\",%progbits\n.balign 4\n"
      ".global fault\n.thumb_func\nfault:\n"
      "  mov r0, sp\n"
      "  ldr r1, =stack_limit\n"
      "  cmp r0, r1\n"
      "  bhs 2f\n"
      "  ldr r1, =stack_top\n"
      "  mov sp, r1\n"
      "2: bl fault_at\n"
      ".ltorg\n"
      ".text\n");

static unsigned char memory[GUARD + MODEL_ARENA_BYTES + GUARD] __attribute__((aligned(64)));
static unsigned char *const arena = memory + GUARD;
static const struct span inputs[] = {MODEL_INPUTS};
static const struct span outputs[] = {MODEL_OUTPUTS};

static int semihost(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = argument;
    __asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return (int)r0;
}

static void say(const char *text)
{
    semihost(0x04, text); /* SYS_WRITE0 */
}

static void say_number(uint32_t number)
{
    char digits[12];
    char *at = digits + sizeof digits - 1;
    *at = 0;
    do *--at = (char)('0' + number % 10);
    while (number /= 10);
    *--at = ' ';
    say(at);
}

static __attribute__((noreturn)) void leave(void)
{
    static const uint32_t block[2] = {0x20026, 0}; /* ADP_Stopped_ApplicationExit, 0 */
    semihost(0x20, block);                         /* SYS_EXIT_EXTENDED */
    for (;;) {
    }
}

void fault_at(const uint32_t *frame)
{
    say("fault");
    say_number(frame[6]);
    say_number(*(volatile uint32_t *)0xE000ED28u); /* CFSR; reads 0 on Armv6-M */
    say("\n");
    leave();
}

static void fill(unsigned char *at, uint32_t count)
{
    while (count--) *at++ = PATTERN;
}

static uint32_t overwritten(const unsigned char *at, uint32_t count)
{
    uint32_t found = 0;
    while (count--) found += *at++ != PATTERN;
    return found;
}

static void load(const unsigned char *golden)
{
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        for (uint32_t k = 0; k < inputs[i].bytes; k++) arena[inputs[i].offset + k] = *golden++;
}

static uint32_t differing(const unsigned char *got, const unsigned char *wanted, uint32_t count,
                          uint32_t base, uint32_t before)
{
    uint32_t found = 0;
    for (uint32_t k = 0; k < count; k++) {
        if (got[k] == wanted[k]) continue;
        if (!before && !found++) {
            say("differs");
            say_number(base + k);
            say_number(got[k]);
            say_number(wanted[k]);
            say("\n");
        } else if (before) {
            found++;
        }
    }
    return found;
}

static uint32_t compare(const unsigned char *wanted, uint32_t *compared)
{
    uint32_t found = 0, base = 0;
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++) {
        found += differing(arena + outputs[i].offset, wanted + base, outputs[i].bytes, base, found);
        base += outputs[i].bytes;
    }
    *compared = base;
    return found;
}

static uint32_t deepest(void)
{
    const uint32_t *at = &stack_limit;
    while (*at == 0xC5C5C5C5u && (uintptr_t)at < bench_stack) at++;
    return (uint32_t)(bench_stack - (uintptr_t)at);
}

static void run(uint32_t number)
{
    uint32_t compared, mismatched, stack;
    fill(memory, sizeof memory);
    load((const unsigned char *)MODEL_GOLDEN_INPUT[number]);
    int status = bench_call(arena, (int (*)(void *))MODEL_RUN);
    stack = deepest();
    mismatched = compare((const unsigned char *)MODEL_GOLDEN_OUTPUT[number], &compared);
    say("vector");
    say_number((uint32_t)status);
    say_number(compared);
    say_number(mismatched);
    say_number(stack);
    say_number(overwritten(memory, GUARD) + overwritten(arena + MODEL_ARENA_BYTES, GUARD));
    say_number(stack_limit != 0xC5C5C5C5u);
    say("\n");
}

#ifdef MODEL_RUN_COPY
static unsigned char output_memory[GUARD + MODEL_OUTPUT_BYTES + GUARD] __attribute__((aligned(64)));
static unsigned char input_memory[GUARD + MODEL_INPUT_BYTES + GUARD] __attribute__((aligned(64)));

static void run_copy(void)
{
    unsigned char *output = output_memory + GUARD, *input = input_memory + GUARD;
    const unsigned char *golden = (const unsigned char *)MODEL_GOLDEN_INPUT[0];
    const unsigned char *wanted = (const unsigned char *)MODEL_GOLDEN_OUTPUT[0];
    uint32_t mismatched = 0, changed;
    fill(memory, sizeof memory);
    fill(output_memory, sizeof output_memory);
    fill(input_memory, sizeof input_memory);
    for (uint32_t k = 0; k < MODEL_INPUT_BYTES; k++) input[k] = golden[k];
    mismatched += MODEL_RUN_COPY((const void *)input, (void *)output, arena) != 0;
    for (uint32_t k = 0; k < MODEL_OUTPUT_BYTES; k++) mismatched += output[k] != wanted[k];
    changed = overwritten(memory, GUARD) + overwritten(arena + MODEL_ARENA_BYTES, GUARD);
    changed += overwritten(output_memory, GUARD) + overwritten(output + MODEL_OUTPUT_BYTES, GUARD);
    changed += overwritten(input_memory, GUARD) + overwritten(input + MODEL_INPUT_BYTES, GUARD);
    for (uint32_t k = 0; k < MODEL_INPUT_BYTES; k++) changed += input[k] != golden[k];
    say("copy");
    say_number(mismatched);
    say_number(changed);
    say("\n");
}
#endif

int main(void)
{
    for (uint32_t i = 0; i < MODEL_GOLDEN_COUNT && i < MODEL_GOLDEN_LIMIT; i++) run(i);
#ifdef MODEL_RUN_COPY
    run_copy();
#endif
    say("done\n");
    leave();
}
