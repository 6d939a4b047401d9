#include <string.h>

#include "model.h"

static uint8_t *lock(const Model *model, LiteRtTensorBuffer buffer, int mode) {
    void *memory = NULL;
    litert_must(model->litert->LockTensorBuffer(buffer, &memory, mode), "LiteRtLockTensorBuffer");
    return memory;
}

size_t side_bytes(const Side *side) {
    size_t all = 0;
    for (size_t i = 0; i < side->count; i++) {
        all += side->bytes[i];
    }
    return all;
}

void side_write(const Model *model, const Side *side, const uint8_t *from) {
    for (size_t i = 0; i < side->count; i++) {
        size_t at = side->order[i];
        memcpy(lock(model, side->buffers[at], LITERT_LOCK_WRITE), from, side->bytes[at]);
        model->litert->UnlockTensorBuffer(side->buffers[at]);
        from += side->bytes[at];
    }
}

void side_read(const Model *model, const Side *side, uint8_t *to) {
    for (size_t i = 0; i < side->count; i++) {
        size_t at = side->order[i];
        memcpy(to, lock(model, side->buffers[at], LITERT_LOCK_READ), side->bytes[at]);
        model->litert->UnlockTensorBuffer(side->buffers[at]);
        to += side->bytes[at];
    }
}

/* xorshift32 of Marsaglia 2003, Journal of Statistical Software 8(14) */
static uint32_t random32(void) {
    static uint32_t state = 2463534242u;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

/* One element. Wide integers are mostly indices, of which 0 and 1 always exist. */
static void random_element(int type, uint8_t *to, size_t size) {
    uint32_t bits = random32();
    float real = (float)(int32_t)bits / 2147483648.0f;
    double wide = real;
    uint64_t index = bits >> 31;
    uint16_t half = (uint16_t)((bits & 0x8000) | (0x3000 + (bits & 0x07ff))); /* +-0.125 to 0.5 */
    switch (type) {
    case LITERT_FLOAT32: memcpy(to, &real, size); break;
    case LITERT_FLOAT64: memcpy(to, &wide, size); break;
    case LITERT_FLOAT16: memcpy(to, &half, size); break;
    case LITERT_BOOL:
    case LITERT_INT32:
    case LITERT_INT64:
    case LITERT_UINT32:
    case LITERT_UINT64: memcpy(to, &index, size); break; /* little-endian, as all of Android */
    default: memcpy(to, &bits, size); break;
    }
}

static size_t element_bytes(int type) {
    switch (type) {
    case LITERT_FLOAT32:
    case LITERT_INT32:
    case LITERT_UINT32: return 4;
    case LITERT_FLOAT64:
    case LITERT_INT64:
    case LITERT_UINT64: return 8;
    case LITERT_FLOAT16: return 2;
    default: return 1; /* bytes of int8, int16 and smaller are all alike */
    }
}

void side_random(const Side *side, uint8_t *to) {
    for (size_t i = 0; i < side->count; i++) {
        size_t at = side->order[i], size = element_bytes(side->element_type[at]);
        for (size_t done = 0; done + size <= side->bytes[at]; done += size) {
            random_element(side->element_type[at], to + done, size);
        }
        to += side->bytes[at];
    }
}
