#if defined(__GNUC__)
/* Keeps compilers from making a call of memcpy or memset of a loop. */
#define EK_KEEP_LOOP() __asm__ volatile("")
#define EK_NOINLINE __attribute__((noinline, unused))
/* Compiled for size. */
#define EK_SMALL __attribute__((noinline, unused, cold))
#if defined(__clang__)
#define EK_LAYER __attribute__((noinline))
#else
/* Two layers that do the same stay two functions. */
#define EK_LAYER __attribute__((noinline, no_icf))
#endif
#else
#define EK_LAYER
#define EK_KEEP_LOOP() ((void)0)
#define EK_NOINLINE
#define EK_SMALL
#endif
