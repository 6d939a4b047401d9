/* The greatest of each of `channels` bytes at `rows` times `columns` places, a pixel apart; `gap`
   leads from the end of a row to the next. */
static inline void ek_greatest_each(const int8_t *from, int32_t rows, int32_t columns,
                                    int32_t channels, int32_t gap, int8_t *out) {
    int32_t c, y, x;
    for (c = 0; c < channels; ++c, ++from) {
        const int8_t *at = from;
        int32_t most = -128;
        for (y = 0; y < rows; ++y, at += gap)
            for (x = 0; x < columns; ++x, at += channels)
                most = *at > most ? *at : most;
        *out++ = (int8_t)most;
    }
}
