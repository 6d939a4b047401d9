/* Unpacks a model that `edgekit pack` made, to the same bytes as before.

   C99, no heap, no other library; about 2 KB of stack. Safe on damaged input: nothing is read or
   written outside of the two buffers, and the result is checked by its CRC-32. */
#ifndef EDGEKIT_UNPACK_H
#define EDGEKIT_UNPACK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of the original; 0 if this is no packed model, or its head is cut. */
size_t edgekit_unpacked_size(const uint8_t *packed, size_t packed_size);

/* Writes the original to `out`, whose size is exactly that of edgekit_unpacked_size, aligned to 4
   bytes. Returns 0, or -1 if the packed bytes are damaged: then `out` holds nothing of use. */
int edgekit_unpack(const uint8_t *packed, size_t packed_size, uint8_t *out, size_t out_size);

#ifdef __cplusplus
}
#endif
#endif
