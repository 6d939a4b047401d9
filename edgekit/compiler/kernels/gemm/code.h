#include "gemm.h"

/* Weights in few bits. `indices`: of 4 bits, or a bit for each weight that is not zero; `tables`:
   of 16 values, or all weights that are not zero, and `starts` where those of each four channels
   begin. `form`: 0 one table, 1 one for each channel, 2 bits. */
typedef struct {
    const uint8_t *indices;
    const int8_t *tables;
    const uint32_t *starts;
    int32_t form;
} ek_code_t;

#if EK_DECODE_SPARSE
/* The weight of bit `at`, if it is set. */
static inline int32_t ek_sparse_next(const int8_t **values, int32_t bits, int32_t at) {
    int32_t some = bits >> at & 1, value = **values & -some;
    *values += some;
    return value;
}
#endif
