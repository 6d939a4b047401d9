/* Output pixels that the matrix kernel takes at once. */
#define EK_COLUMNS 2

/* A matrix of weights, and what turns its sums into outputs; assembly counts on the order. What
   `fast` and the order of weights mean is the kernel's. */
typedef struct {
    const void *weights;
    const void *bias;
    const int32_t *multiplier;
    const int8_t *shift;
    uint16_t depth, channels;
    int16_t zero_in, zero_out;
    int8_t low, high;
    uint8_t bias_bits, fast;
} ek_gemm_t;
