/* A model that is ready to run, with buffers for what goes in and comes out. */
#ifndef EDGEKIT_MODEL_H
#define EDGEKIT_MODEL_H

#include "litert.h"

enum { MOST_TENSORS = 64 };

/* Inputs or outputs. `order[i]` is where the i-th of the graph stands in `buffers`, which are in
 * the order of the signature. */
typedef struct {
    size_t count;
    size_t order[MOST_TENSORS];
    int element_type[MOST_TENSORS];
    size_t bytes[MOST_TENSORS];
    LiteRtTensorBuffer buffers[MOST_TENSORS];
} Side;

typedef struct {
    const LiteRt *litert;
    const char *delegate;
    LiteRtEnvironment environment;
    LiteRtModel loaded;
    LiteRtOptions options;
    LiteRtSignature signature;
    LiteRtCompiledModel compiled;
    Side inputs, outputs;
} Model;

/* Loads the model: `kernels` of the CPU are default (XNNPACK) or plain (built in, no delegate);
 * `delegate` is NULL, or gpu or npu, which then runs all of the model. All of these end the worker
 * where they fail. */
void model_load(Model *model, const LiteRt *litert, const void *data, size_t size,
                const char *kernels, int threads, const char *delegate);
void model_run(Model *model);

/* Its variables as they were in the beginning: the C interface has no call for that alone. */
void model_reset(Model *model);

/* Bytes of all tensors of a side together. */
size_t side_bytes(const Side *side);

/* All tensors of a side in the order of the graph, one after the other. */
void side_write(const Model *model, const Side *side, const uint8_t *from);
void side_read(const Model *model, const Side *side, uint8_t *to);

/* Seeded random values that a tensor of each type can have, laid out as side_write takes them. */
void side_random(const Side *side, uint8_t *to);

#endif
