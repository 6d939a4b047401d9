
/* The two values of an axis that a new one lies between, and the weight of the second. */
typedef struct {
    uint32_t low, high;
    float weight;
} neighbours;

static neighbours between(uint32_t place, uint32_t size, uint32_t wanted) {
    neighbours found;
    volatile double ratio = (double)size / (double)wanted;
    volatile double scaled = ((double)place + 0.5) * ratio;
    volatile double centre = scaled - 0.5;
    if (centre < 0.0)
        centre = 0.0;
    if (centre > (double)(size - 1))
        centre = (double)(size - 1);
    found.low = (uint32_t)centre;
    found.high = found.low + 1 < size ? found.low + 1 : size - 1;
    found.weight = (float)(centre - (double)found.low);
    return found;
}

static float mixed(float low, float high, float weight) {
    volatile float rest = 1.0f - weight, one = low * rest, two = high * weight, sum = one + two;
    return sum;
}
