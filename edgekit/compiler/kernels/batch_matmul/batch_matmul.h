#include "../common/words.h"
#include "../common/requantize.h"

/* Two loops over matrices, with the steps of the operands; steps within a matrix. */
typedef struct {
    int32_t batches[2], left[2], right[2], rows, columns, depth;
    int32_t left_row, left_depth, right_column, right_depth, multiplier;
    int16_t zero0, zero1, zero;
    int8_t shift;
} ek_batch_matmul_t;

static EK_NOINLINE int32_t ek_batch_matmul_dot(const ek_batch_matmul_t *b, const int8_t *left,
                                               const int8_t *right) {
    int32_t sum = 0, k;
    for (k = b->depth; k > 0; --k, left += b->left_depth, right += b->right_depth)
        sum += (*left - b->zero0) * (*right - b->zero1);
    return sum;
}

static EK_NOINLINE void ek_batch_matmul(const ek_batch_matmul_t *b, const int8_t *left,
                                        const int8_t *right, int8_t *out) {
    int32_t i, j, row, column;
    for (i = 0; i < b->batches[0]; ++i)
        for (j = 0; j < b->batches[1]; ++j)
            for (row = 0; row < b->rows; ++row)
                for (column = 0; column < b->columns; ++column) {
                    const int8_t *x = left + i * b->left[0] + j * b->left[1] + row * b->left_row;
                    const int8_t *y = right + i * b->right[0] + j * b->right[1];
                    int32_t sum = ek_batch_matmul_dot(b, x, y + column * b->right_column);
                    sum = ek_multiply(sum, b->multiplier, b->shift) + b->zero;
                    *out++ = (int8_t)ek_clamp(sum, -128, 127);
                }
}
