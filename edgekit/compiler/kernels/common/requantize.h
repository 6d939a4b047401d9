/* value * multiplier * 2^(shift - 31), rounded twice as TensorFlow Lite Micro rounds it. */
#if defined(__thumb__) && !defined(__thumb2__)
/* These cores (ARMv6-M) multiply 64 bits by a call of the compiler's library. Of the products of
   halves, the 14 lowest bits that are summed up here change nothing. */
static __attribute__((noinline, unused)) int32_t ek_high_mul(int32_t value, int32_t multiplier) {
    int32_t high = value >> 16, low = value & 0xffff;
    int32_t up = multiplier >> 16, down = multiplier & 0xffff;
    int32_t first = low * up + (int32_t)((uint32_t)low * (uint32_t)down >> 16);
    int32_t second = high * down + (first & 0xffff);
    high = high * up + (first >> 16) + (second >> 16);
    return (int32_t)(((uint32_t)high << 1) + (uint32_t)((((second & 0xffff) >> 14) + 1) >> 1));
}
#else
static inline int32_t ek_high_mul(int32_t value, int32_t multiplier) {
    return (int32_t)(((int64_t)value * multiplier + (1 << 30)) >> 31);
}
#endif

/* Division by 2^right, to nearest, halves away from zero. */
static inline int32_t ek_round_shift(int32_t value, int32_t right) {
    int32_t mask = (int32_t)((1u << right) - 1u);
    return (value >> right) + (int32_t)((value & mask) > (mask >> 1) + (value < 0));
}

static inline int32_t ek_multiply(int32_t value, int32_t multiplier, int32_t shift) {
    if (shift > 0)
        return ek_high_mul((int32_t)((uint32_t)value << shift), multiplier);
    return ek_round_shift(ek_high_mul(value, multiplier), -shift);
}

static inline int32_t ek_clamp(int32_t value, int32_t low, int32_t high) {
    return value < low ? low : value > high ? high : value;
}
