
static float @function@_stored(float real) {
    return real;
}
