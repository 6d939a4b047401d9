
/* @name@: a raw row of @elements@ values to the input. */
void @function@_u8(const uint8_t *row, @type@ *input);
void @function@_i8(const int8_t *row, @type@ *input);
void @function@_f32(const float *row, @type@ *input);
