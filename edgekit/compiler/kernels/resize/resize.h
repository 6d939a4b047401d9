#include "../common/words.h"

#if EK_RESIZE_NEAREST
/* Which row and which column of the input each of the output is. */
typedef struct {
    const uint16_t *rows, *columns;
    int32_t in_width, out_height, out_width, channels;
} ek_resize_nearest_t;

static EK_NOINLINE void ek_resize_nearest(const ek_resize_nearest_t *r, const int8_t *in,
                                          int8_t *out) {
    int32_t channels = r->channels, y, x;
    for (y = 0; y < r->out_height; ++y) {
        const int8_t *row = in + r->rows[y] * r->in_width * channels;
        for (x = 0; x < r->out_width; ++x, out += channels)
            ek_copy(out, row + r->columns[x] * channels, channels);
    }
}
#endif

#if EK_RESIZE_BILINEAR
/* Steps and offsets in 1/1024 of a pixel of the input. */
typedef struct {
    int32_t height, width, out_height, out_width, channels;
    int32_t step_y, step_x, offset_y, offset_x;
} ek_resize_bilinear_t;

/* The place of an output in 1/1024 after its lower neighbour, to which `at` is set. */
static inline int32_t ek_resize_place(int32_t place, int32_t size, int32_t *at, int32_t *next) {
    *at = place > 0 ? place >> 10 : 0;
    *next = (place + 1023) / 1024;
    *next = *next < size ? *next : size - 1;
    return place - *at * 1024;
}

static EK_NOINLINE void ek_resize_bilinear(const ek_resize_bilinear_t *r, const int8_t *in,
                                           int8_t *out) {
    int32_t channels = r->channels, y, x, c, top, bottom, left, right;
    for (y = 0; y < r->out_height; ++y) {
        int32_t down = ek_resize_place(y * r->step_y + r->offset_y, r->height, &top, &bottom);
        for (x = 0; x < r->out_width; ++x) {
            int32_t over = ek_resize_place(x * r->step_x + r->offset_x, r->width, &left, &right);
            const int8_t *one = in + (top * r->width + left) * channels;
            int32_t next = (right - left) * channels, below = (bottom - top) * r->width * channels;
            for (c = 0; c < channels; ++c, ++one) {
                int32_t upper = one[0] * (1024 - over) + one[next] * over;
                int32_t lower = one[below] * (1024 - over) + one[below + next] * over;
                int32_t sum = upper * (1024 - down) + lower * down;
                *out++ = (int8_t)((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));
            }
        }
    }
}
#endif
