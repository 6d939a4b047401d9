/*
 * Start of a Cortex-M firmware: vector table, memory as C expects it, floating point and Helium on.
 * The symbols are of layout.ld.
 */
#include <stdint.h>

extern uint32_t stack_top, data_load, data_start, data_end, bss_start, bss_end;

int main(void);
void reset(void);
void fault(void);

/* The firmware that measures has its own, which says where it happened. */
__attribute__((weak)) void fault(void)
{
    for (;;) {
    }
}

static void enable_units(void)
{
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; /* CPACR: full access to CP10 and CP11 */
#endif
#if defined(__ARM_FEATURE_MVE)
    *(volatile uint32_t *)0xE000ED14u |= 1u << 19; /* CCR.LOB: low-overhead loops */
#endif
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    __asm volatile("dsb\n\tisb" ::: "memory");
#endif
}

__attribute__((noreturn)) void reset(void)
{
    const uint32_t *from = &data_load;
    enable_units();
    /* volatile: compilers would make calls of memcpy and memset, which the model may not need */
    for (volatile uint32_t *to = &data_start; to < &data_end;) *to++ = *from++;
    for (volatile uint32_t *to = &bss_start; to < &bss_end;) *to++ = 0;
    main();
    for (;;) {
    }
}

__attribute__((section(".vectors"), used)) static void *const vectors[16] = {
    &stack_top, reset, fault, fault, fault, fault, fault, fault,
    fault,      fault, fault, fault, fault, fault, fault, fault,
};
