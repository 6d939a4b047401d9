/* Golden vectors: files of raw little-endian tensors, vector after vector. */
#ifndef EDGEKIT_GOLDEN_H
#define EDGEKIT_GOLDEN_H

#include "model.h"

void golden(Model *model, const char *input, const char *output, size_t count);

#endif
