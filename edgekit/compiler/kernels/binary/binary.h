#include "../common/words.h"

/* A function of two rows; a step of 0 repeats one value. */
typedef void ek_binary_row(const void *function, const int8_t *left, int32_t left_step,
                           const int8_t *right, int32_t right_step, int8_t *out, int32_t count);

#if EK_BINARY_BROADCAST
/* Sizes of four axes of the output, and the steps of the operands along them. */
typedef struct {
    int32_t size[4], left[4], right[4];
} ek_binary_t;

static EK_NOINLINE void ek_binary(const ek_binary_t *b, ek_binary_row *row, const void *function,
                                  const int8_t *left, const int8_t *right, int8_t *out) {
    int32_t i, j, k, count = b->size[3];
    for (i = 0; i < b->size[0]; ++i)
        for (j = 0; j < b->size[1]; ++j)
            for (k = 0; k < b->size[2]; ++k, out += count) {
                const int8_t *x = left + i * b->left[0] + j * b->left[1] + k * b->left[2];
                const int8_t *y = right + i * b->right[0] + j * b->right[1] + k * b->right[2];
                row(function, x, b->left[3], y, b->right[3], out, count);
            }
}
#endif
