/* The sum of products of two rows of bytes. */
static inline int32_t ek_dot(const int8_t *x, const int8_t *y, int32_t count) {
    int32_t sum = 0;
    for (; count > 0; --count)
        sum += *x++ * *y++;
    return sum;
}
