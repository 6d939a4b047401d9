/* What the worker needs of the C interface of LiteRT, as in litert/c of google-ai-edge/LiteRT 2.1.6
 * to 2.3 (Apache-2.0): declared here, so that no header of it is needed, and found when the library
 * is opened, so that one worker runs with every libLiteRt.so. */
#ifndef EDGEKIT_LITERT_H
#define EDGEKIT_LITERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LITERT_OK = 0, LITERT_LOCK_READ = 0, LITERT_LOCK_WRITE = 1 };
enum { LITERT_CPU = 1, LITERT_GPU = 2, LITERT_NPU = 4 };
enum { LITERT_OPTION_ACCELERATORS = 24, LITERT_OPTION_LOG = 25, LITERT_LOG_WARNING = 2 };
enum { LITERT_ANY_INT = 2, LITERT_MAX_RANK = 8 };

/* LiteRtElementType, those that need other inputs than random bytes */
enum { LITERT_FLOAT32 = 1, LITERT_INT32 = 2, LITERT_INT64 = 4, LITERT_BOOL = 6 };
enum { LITERT_FLOAT16 = 10, LITERT_FLOAT64 = 11, LITERT_UINT64 = 13, LITERT_UINT32 = 16 };

typedef int LiteRtStatus;
typedef struct LiteRtEnvironmentT *LiteRtEnvironment;
typedef struct LiteRtModelT *LiteRtModel;
typedef struct LiteRtSignatureT *LiteRtSignature;
typedef struct LiteRtSubgraphT *LiteRtSubgraph;
typedef struct LiteRtTensorT *LiteRtTensor;
typedef struct LiteRtOptionsT *LiteRtOptions;
typedef struct LiteRtOpaqueOptionsT *LiteRtOpaqueOptions;
typedef struct LiteRtCompiledModelT *LiteRtCompiledModel;
typedef struct LiteRtRequirementsT *LiteRtRequirements;
typedef struct LiteRtTensorBufferT *LiteRtTensorBuffer;

typedef struct {
    int tag;
    struct {
        int type;
        union {
            int64_t integer;
            const void *pointer;
        };
    } value;
} LiteRtEnvOption;

typedef struct {
    unsigned int rank : 7;
    unsigned int has_strides : 1;
    int32_t dimensions[LITERT_MAX_RANK];
    uint32_t strides[LITERT_MAX_RANK];
} LiteRtLayout;

typedef struct {
    int element_type;
    LiteRtLayout layout;
} LiteRtTensorType;

_Static_assert(sizeof(LiteRtEnvOption) == 24, "as in litert_environment_options.h");
_Static_assert(sizeof(LiteRtTensorType) == 72, "as in litert_model_types.h");

/* LiteRtCreateModelFromFd is never called: it came with the environment as first argument of
 * LiteRtCreateModelFromBuffer, so a library without it takes other arguments than these. */
#define LITERT_FUNCTIONS(F)                                                                        \
    F(CreateModelFromFd, (LiteRtEnvironment, int, size_t, size_t, LiteRtModel *))                  \
    F(CreateEnvironment, (int, const LiteRtEnvOption *, LiteRtEnvironment *))                      \
    F(CreateModelFromBuffer, (LiteRtEnvironment, const void *, size_t, LiteRtModel *))             \
    F(GetModelSignature, (LiteRtModel, size_t, LiteRtSignature *))                                 \
    F(GetSignatureSubgraph, (LiteRtSignature, LiteRtSubgraph *))                                   \
    F(GetNumSubgraphInputs, (LiteRtSubgraph, size_t *))                                            \
    F(GetNumSubgraphOutputs, (LiteRtSubgraph, size_t *))                                           \
    F(GetSubgraphInput, (LiteRtSubgraph, size_t, LiteRtTensor *))                                  \
    F(GetSubgraphOutput, (LiteRtSubgraph, size_t, LiteRtTensor *))                                 \
    F(GetNumSignatureInputs, (LiteRtSignature, size_t *))                                          \
    F(GetNumSignatureOutputs, (LiteRtSignature, size_t *))                                         \
    F(GetSignatureInputTensorByIndex, (LiteRtSignature, size_t, LiteRtTensor *))                   \
    F(GetSignatureOutputTensorByIndex, (LiteRtSignature, size_t, LiteRtTensor *))                  \
    F(GetRankedTensorType, (LiteRtTensor, LiteRtTensorType *))                                     \
    F(CreateOptions, (LiteRtOptions *))                                                            \
    F(SetOptionsHardwareAccelerators, (LiteRtOptions, int))                                        \
    F(CreateOpaqueOptions, (const char *, void *, void (*)(void *), LiteRtOpaqueOptions *))        \
    F(AddOpaqueOptions, (LiteRtOptions, LiteRtOpaqueOptions))                                      \
    F(CreateCompiledModel, (LiteRtEnvironment, LiteRtModel, LiteRtOptions, LiteRtCompiledModel *)) \
    F(CompiledModelIsFullyAccelerated, (LiteRtCompiledModel, bool *))                              \
    F(CompiledModelResizeInputTensor, (LiteRtCompiledModel, size_t, size_t, const int *, size_t))  \
    F(GetCompiledModelInputTensorLayout, (LiteRtCompiledModel, size_t, size_t, LiteRtLayout *))    \
    F(GetCompiledModelOutputTensorLayouts,                                                         \
      (LiteRtCompiledModel, size_t, size_t, LiteRtLayout *, bool))                                 \
    F(GetCompiledModelInputBufferRequirements,                                                     \
      (LiteRtCompiledModel, size_t, size_t, LiteRtRequirements *))                                 \
    F(GetCompiledModelOutputBufferRequirements,                                                    \
      (LiteRtCompiledModel, size_t, size_t, LiteRtRequirements *))                                 \
    F(CreateManagedTensorBufferFromRequirements,                                                   \
      (LiteRtEnvironment, const LiteRtTensorType *, LiteRtRequirements, LiteRtTensorBuffer *))     \
    F(GetTensorBufferPackedSize, (LiteRtTensorBuffer, size_t *))                                   \
    F(LockTensorBuffer, (LiteRtTensorBuffer, void **, int))                                        \
    F(UnlockTensorBuffer, (LiteRtTensorBuffer))                                                    \
    F(RunCompiledModel, (LiteRtCompiledModel, size_t, size_t, LiteRtTensorBuffer *, size_t,        \
                         LiteRtTensorBuffer *))

typedef struct {
#define DECLARE(name, arguments) LiteRtStatus(*name) arguments;
    LITERT_FUNCTIONS(DECLARE)
#undef DECLARE
    void (*DestroyTensorBuffer)(LiteRtTensorBuffer);
    void (*DestroyCompiledModel)(LiteRtCompiledModel);
} LiteRt;

/* The functions of the library at `path`; ends the worker where they are not there. */
const LiteRt *litert_open(const char *path);

/* Ends the worker where a call went wrong; `call` is its name. */
void litert_must(LiteRtStatus status, const char *call);

#endif
