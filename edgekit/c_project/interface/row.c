
void @function@_@kind@(const @raw@ *row, @type@ *input) {
    uint32_t i;
    for (i = 0; i < @elements@u; ++i)
        input[i] = @value@;
}
