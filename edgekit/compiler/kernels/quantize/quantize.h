#include "../common/words.h"

#if EK_QUANTIZE_FLOAT
/* To nearest, halves away from zero; what is no number gives the zero point, as conversions of
   Cortex-M do. */
static EK_NOINLINE void ek_quantize(float scale, int32_t zero, const int8_t *from, int8_t *out,
                                    int32_t count) {
    const float *in = (const float *)(const void *)from;
    for (; count > 0; --count) {
        float ratio = *in++ / scale, rest;
        int32_t value;
        ratio = ratio > 1000.0f ? 1000.0f : ratio < -1000.0f ? -1000.0f : ratio;
        value = ratio == ratio ? (int32_t)ratio : 0;
        rest = ratio - (float)value;
        value += zero + (rest >= 0.5f) - (rest <= -0.5f);
        *out++ = (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
    }
}
#endif

#if EK_DEQUANTIZE_INT8
static EK_NOINLINE void ek_dequantize(float scale, int32_t zero, const int8_t *in, int8_t *to,
                                      int32_t count) {
    float *out = (float *)(void *)to;
    for (; count > 0; --count)
        *out++ = scale * (float)(*in++ - zero);
}
#endif

#if EK_DEQUANTIZE_UINT8
static EK_NOINLINE void ek_dequantize_uint8(float scale, int32_t zero, const int8_t *in, int8_t *to,
                                            int32_t count) {
    float *out = (float *)(void *)to;
    for (; count > 0; --count)
        *out++ = scale * (float)((uint8_t)*in++ - zero);
}
#endif
