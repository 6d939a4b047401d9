
void @function@_picture_@kind@(const @raw@ *picture, uint32_t height, uint32_t width, @type@ *input) {
    uint32_t y, x, c, i = 0;
    if (height == @height@u && width == @width@u) {
        @function@_@kind@(picture, input);
        return;
    }
    for (y = 0; y < @height@u; ++y) {
        neighbours down = between(y, height, @height@u);
        const @raw@ *upper = picture + down.low * width * @depth@u;
        const @raw@ *lower = picture + down.high * width * @depth@u;
        for (x = 0; x < @width@u; ++x) {
            neighbours across = between(x, width, @width@u);
            for (c = 0; c < @depth@u; ++c, ++i) {
                uint32_t left = across.low * @depth@u + c, right = across.high * @depth@u + c;
                float one = mixed((float)upper[left], (float)lower[left], down.weight);
                float two = mixed((float)upper[right], (float)lower[right], down.weight);
                input[i] = @function@_stored(@function@_real(mixed(one, two, across.weight), i));
            }
        }
    }
}
