/* SHA-256 of FIPS 180-4. */
#ifndef EDGEKIT_SHA256_H
#define EDGEKIT_SHA256_H

#include <stddef.h>
#include <stdint.h>

/* `hex` takes 64 digits and a zero. */
void sha256(const uint8_t *data, size_t size, char hex[65]);

#endif
