/* value * multiplier * 2^(shift - 31), rounded twice as TensorFlow Lite Micro rounds it. */
static inline int32_t ek_high_mul(int32_t value, int32_t multiplier) {
    return (int32_t)(((int64_t)value * multiplier + (1 << 30)) >> 31);
}

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
