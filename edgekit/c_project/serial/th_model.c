/* MLPerf Tiny's hooks for the model of this folder. */
#include "mlperf_tiny.h"
#include "model.h"

#include <string.h>

/* Consecutive values of the outputs; kind is 'f' for float, 'i' for signed, 'u' for unsigned. */
typedef struct {
    size_t bytes, width;
    char kind;
    float scale;
    int32_t zero_point;
} output_t;

static const output_t outputs[] = {MODEL_OUTPUTS};

static uint8_t memory[MODEL_ARENA_BYTES + MODEL_ARENA_ALIGN];
static uint8_t input[MODEL_INPUT_BYTES];
static uint8_t output[MODEL_OUTPUT_BYTES];
static int status = MODEL_OK;

static void *arena(void) {
    uintptr_t beyond = (uintptr_t)memory % MODEL_ARENA_ALIGN;
    return memory + (beyond ? MODEL_ARENA_ALIGN - beyond : 0);
}

void th_load_tensor(void) {
    size_t count = ee_get_buffer(input, sizeof input);
    if (count < sizeof input)
        th_printf("e-[%lu of %lu bytes of the input are there]\r\n", (unsigned long)count,
                  (unsigned long)sizeof input);
}

/* A run consumes its input, so it is copied into the arena each time, as a program would do. */
void th_infer(void) {
    status = (int)MODEL_RUN_COPY(input, output, arena());
}

static float integer(const uint8_t *at, size_t width, int is_signed) {
    uint64_t bits = 0, most = UINT64_MAX >> (64 - 8 * width);
    size_t k;
    for (k = width; k > 0; --k)
        bits = bits << 8 | at[k - 1];
    if (is_signed && bits > most / 2)
        return -(float)(most - bits + 1);
    return (float)bits;
}

static float real(const output_t *of, const uint8_t *at) {
    float value;
    if (of->kind == 'f') {
        memcpy(&value, at, sizeof value);
        return value;
    }
    value = integer(at, of->width, of->kind == 'i');
    return of->scale * (value - (float)of->zero_point);
}

/* With three decimals; few boards print floating point themselves. */
static void print(float value) {
    unsigned long whole, thousandths;
    if (!(value > -4e9f && value < 4e9f)) {
        th_printf("%s", value > 0 ? "inf" : value < 0 ? "-inf" : "nan");
        return;
    }
    if (value < 0) {
        th_printf("-");
        value = -value;
    }
    whole = (unsigned long)value;
    thousandths = (unsigned long)((value - (float)whole) * 1000.0f + 0.5f);
    whole += thousandths / 1000;
    thousandths %= 1000;
    th_printf("%lu.", whole);
    th_printf("%s%lu", thousandths < 10 ? "00" : thousandths < 100 ? "0" : "", thousandths);
}

static int failed(void) {
    if (status != MODEL_OK)
        th_printf("e-[The model returned %lu]\r\n", (unsigned long)status);
    return status != MODEL_OK;
}

void th_results(void) {
    const uint8_t *at = output;
    size_t i, k;
    if (failed())
        return;
    th_printf("m-results-[");
    for (i = 0; i < sizeof outputs / sizeof *outputs; ++i)
        for (k = 0; k < outputs[i].bytes; k += outputs[i].width, at += outputs[i].width) {
            th_printf("%s", i || k ? "," : "");
            print(real(&outputs[i], at));
        }
    th_printf("]\r\n");
}

void th_outputs(void) {
    static const char digits[] = "0123456789abcdef";
    char pair[3] = {0, 0, 0};
    size_t k;
    if (failed())
        return;
    th_printf("m-out-[");
    for (k = 0; k < sizeof output; ++k) {
        pair[0] = digits[output[k] >> 4];
        pair[1] = digits[output[k] & 15];
        th_printf("%s", pair);
    }
    th_printf("]\r\n");
}
