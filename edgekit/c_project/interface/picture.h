
/* @name@: a picture of any size, [height][width]@deep@, resized to @size@ (bilinear, half-pixel
   centres, no antialiasing). */
void @function@_picture_u8(const uint8_t *picture, uint32_t height, uint32_t width, @type@ *input);
void @function@_picture_i8(const int8_t *picture, uint32_t height, uint32_t width, @type@ *input);
void @function@_picture_f32(const float *picture, uint32_t height, uint32_t width, @type@ *input);
