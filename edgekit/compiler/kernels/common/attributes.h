#if defined(__GNUC__)
/* Keeps compilers from making a call of memcpy or memset of a loop. */
#define EK_KEEP_LOOP() __asm__ volatile("")
#define EK_NOINLINE __attribute__((noinline, unused))
/* Compiled for size. */
#define EK_SMALL __attribute__((noinline, unused, cold))
#else
#define EK_KEEP_LOOP() ((void)0)
#define EK_NOINLINE
#define EK_SMALL
#endif
