/* sum / count, to nearest, halves away from zero, for |sum| <= 128 * count: by a reciprocal in 32
   bits, which is exact for counts up to 5780. */
static inline uint32_t ek_reciprocal(uint32_t count) {
    return count > 1 && count <= 5780 ? 0xffffffffu / count + 1 : 0;
}

static inline int32_t ek_average(int32_t sum, uint32_t count, uint32_t reciprocal) {
    uint32_t size = (uint32_t)(sum < 0 ? -sum : sum) + count / 2;
    size = reciprocal ? (uint32_t)(((uint64_t)size * reciprocal) >> 32) : size / count;
    return sum < 0 ? -(int32_t)size : (int32_t)size;
}
