/* The smallest program that has the model in it: its size is what the model costs an application. */
#include "bench_model.h"

static _Alignas(MODEL_ARENA_ALIGN) unsigned char arena[MODEL_ARENA_BYTES];

int main(void)
{
    return (int)MODEL_RUN(arena);
}
