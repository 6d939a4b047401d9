
static @type@ @function@_stored(float real) {
    volatile float divided = real@divided@;
    float steps = divided, rest;
    int32_t whole;
    if (steps != steps)
        return @zero@;
    steps = steps > 1e6f ? 1e6f : steps < -1e6f ? -1e6f : steps;
    whole = (int32_t)steps;
    rest = steps - (float)whole;
    whole += @zero@ + (rest >= 0.5f) - (rest <= -0.5f);
    return (@type@)(whole < @low@ ? @low@ : whole > @high@ ? @high@ : whole);
}
