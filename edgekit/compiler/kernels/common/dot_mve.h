/* The sum of products of two rows of bytes, by vectors of 16. */
static inline int32_t ek_dot(const int8_t *x, const int8_t *y, int32_t count) {
    int32_t sum = 0;
#if defined(__ARM_FEATURE_MVE)
    if (count > 0)
        __asm__ volatile(
            "dlstp.8 lr, %[count]\n"
            "1: vldrb.8 q0, [%[x]], #16\n vldrb.8 q1, [%[y]], #16\n vmladava.s8 %[sum], q0, q1\n"
            "letp lr, 1b\n"
            : [x] "+&r"(x), [y] "+&r"(y), [sum] "+&Te"(sum)
            : [count] "r"(count)
            : "lr", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "memory");
#else
    for (; count > 0; --count)
        sum += *x++ * *y++;
#endif
    return sum;
}
