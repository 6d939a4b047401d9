/* Example: runs the self test of @p@, and returns 0 if every output is bit for bit as it must be,
   else 1. Define EDGEKIT_PRINT to have that said with printf, too. */
#include "@p@_self_test.h"

#ifdef EDGEKIT_PRINT
#include <stdio.h>
#endif

/* The arena is the caller's: here static, aligned as the model wants it. */
#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define ALIGNED _Alignas(@P@_ARENA_ALIGN)
#elif defined(__GNUC__) || defined(__clang__) || defined(__ARMCC_VERSION)
#define ALIGNED __attribute__((aligned(@P@_ARENA_ALIGN)))
#elif defined(__ICCARM__)
#define ALIGNED _Pragma("data_alignment=16")
#else
#error "compile as C11, or align the arena as your compiler does it"
#endif

ALIGNED static int8_t arena[@P@_ARENA_BYTES];

int main(void) {
    @p@_difference first = {0, 0, 0};
    int status = @p@_self_test(arena, &first);
#ifdef EDGEKIT_PRINT
    if (status == @P@_OK)
        printf("@p@: every output of @vectors@ golden vectors is as it must be\n");
    else
        printf("@p@: status %d, vector %lu, output %lu, element %lu\n", status,
               (unsigned long)first.vector, (unsigned long)first.output,
               (unsigned long)first.element);
#endif
    return status != @P@_OK;
}
