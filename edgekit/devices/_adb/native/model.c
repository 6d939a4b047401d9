#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"

#define CALL(model, name, ...) \
    litert_must((model)->litert->name(__VA_ARGS__), "LiteRt" #name)

/* What libLiteRt.so reads as the options of its CPU, in TOML, under the name "xnnpack". Its mode
 * "reference" is never asked for: up to 2.3 it gives the built-in kernels all the same. */
static char *cpu_options(const char *kernels, int threads) {
    bool plain = strcmp(kernels, "plain") == 0;
    if (!plain && strcmp(kernels, "default") != 0) {
        fail("missing", "libLiteRt.so has no %s kernels, only default and plain ones", kernels);
    }
    char *toml = malloc(96);
    if (toml != NULL) {
        snprintf(toml, 96, "kernel_mode = \"%s\"\nnum_threads = %d\n",
                 plain ? "builtin" : "xnnpack", threads);
    }
    return toml;
}

static int accelerator_of(const char *delegate) {
    if (delegate == NULL) {
        return LITERT_CPU;
    }
    if (strcmp(delegate, "gpu") != 0 && strcmp(delegate, "npu") != 0) {
        fail("delegate", "LiteRT has no accelerator %s, only gpu and npu", delegate);
    }
    return strcmp(delegate, "gpu") == 0 ? LITERT_GPU : LITERT_NPU;
}

static void create_options(Model *model, const char *kernels, int threads, int accelerator) {
    LiteRtOpaqueOptions cpu;
    CALL(model, CreateOptions, &model->options);
    CALL(model, SetOptionsHardwareAccelerators, model->options, accelerator);
    CALL(model, CreateOpaqueOptions, "xnnpack", cpu_options(kernels, threads), free, &cpu);
    CALL(model, AddOpaqueOptions, model->options, cpu);
}

/* Accelerators that are never used are not registered: the one for WebGPU ends the process on
 * processors without atomic instructions (Cortex-A72). */
static void create_environment(Model *model, int accelerator) {
    LiteRtEnvOption options[] = {
        {LITERT_OPTION_ACCELERATORS, {LITERT_ANY_INT, {.integer = LITERT_CPU | accelerator}}},
        {LITERT_OPTION_LOG, {LITERT_ANY_INT, {.integer = LITERT_LOG_WARNING}}},
    };
    CALL(model, CreateEnvironment, 2, options, &model->environment);
}

typedef struct {
    LiteRtStatus (*graph_tensor)(LiteRtSubgraph, size_t, LiteRtTensor *);
    LiteRtStatus (*signature_tensor)(LiteRtSignature, size_t, LiteRtTensor *);
    LiteRtStatus (*requirements)(LiteRtCompiledModel, size_t, size_t, LiteRtRequirements *);
} Getters;

static void fill_side(Model *model, Side *side, Getters get, LiteRtSubgraph graph,
                      const LiteRtLayout *layouts) {
    for (size_t i = 0; i < side->count; i++) {
        LiteRtTensor tensor, other;
        LiteRtTensorType type;
        LiteRtRequirements needed;
        litert_must(get.signature_tensor(model->signature, i, &tensor), "signature");
        for (size_t j = 0; j < side->count; j++) {
            litert_must(get.graph_tensor(graph, j, &other), "graph");
            if (other == tensor) {
                side->order[j] = i;
            }
        }
        CALL(model, GetRankedTensorType, tensor, &type);
        type.layout = layouts[i];
        litert_must(get.requirements(model->compiled, 0, i, &needed), "requirements");
        CALL(model, CreateManagedTensorBufferFromRequirements, model->environment, &type, needed,
             &side->buffers[i]);
        side->element_type[i] = type.element_type;
        CALL(model, GetTensorBufferPackedSize, side->buffers[i], &side->bytes[i]);
    }
}

/* A dimension that the model leaves open becomes 1. */
static void fix_input(Model *model, size_t index, LiteRtLayout *layout) {
    bool open = false;
    CALL(model, GetCompiledModelInputTensorLayout, model->compiled, 0, index, layout);
    for (unsigned i = 0; i < layout->rank; i++) {
        if (layout->dimensions[i] < 1) {
            layout->dimensions[i] = 1;
            open = true;
        }
    }
    if (open) {
        CALL(model, CompiledModelResizeInputTensor, model->compiled, 0, index, layout->dimensions,
             layout->rank);
    }
}

static void make_buffers(Model *model) {
    const LiteRt *litert = model->litert;
    LiteRtLayout inputs[MOST_TENSORS], outputs[MOST_TENSORS];
    LiteRtSubgraph graph;
    Getters in = {litert->GetSubgraphInput, litert->GetSignatureInputTensorByIndex,
                  litert->GetCompiledModelInputBufferRequirements};
    Getters out = {litert->GetSubgraphOutput, litert->GetSignatureOutputTensorByIndex,
                   litert->GetCompiledModelOutputBufferRequirements};
    CALL(model, GetSignatureSubgraph, model->signature, &graph);
    for (size_t i = 0; i < model->inputs.count; i++) {
        fix_input(model, i, &inputs[i]);
    }
    CALL(model, GetCompiledModelOutputTensorLayouts, model->compiled, 0, model->outputs.count,
         outputs, true);
    fill_side(model, &model->inputs, in, graph, inputs);
    fill_side(model, &model->outputs, out, graph, outputs);
}

/* Not there at all is refused; where a part runs on it, LiteRT runs the rest on the CPU and does not
 * say so. */
static void compile_for_delegate(Model *model) {
    bool all = false;
    LiteRtStatus status = model->litert->CreateCompiledModel(
        model->environment, model->loaded, model->options, &model->compiled);
    if (status == LITERT_OK) {
        CALL(model, CompiledModelIsFullyAccelerated, model->compiled, &all);
    }
    if (!all) {
        fail("delegate", "the %s is not there, or does not run all of the model",
             model->delegate);
    }
}

static void compile(Model *model) {
    if (model->delegate != NULL) {
        compile_for_delegate(model);
    } else {
        CALL(model, CreateCompiledModel, model->environment, model->loaded, model->options,
             &model->compiled);
    }
    make_buffers(model);
}

void model_load(Model *model, const LiteRt *litert, const void *data, size_t size,
                const char *kernels, int threads, const char *delegate) {
    int accelerator = accelerator_of(delegate);
    model->litert = litert;
    model->delegate = delegate;
    create_environment(model, accelerator);
    create_options(model, kernels, threads, accelerator);
    CALL(model, CreateModelFromBuffer, model->environment, data, size, &model->loaded);
    CALL(model, GetModelSignature, model->loaded, 0, &model->signature);
    CALL(model, GetNumSignatureInputs, model->signature, &model->inputs.count);
    CALL(model, GetNumSignatureOutputs, model->signature, &model->outputs.count);
    if (model->inputs.count > MOST_TENSORS || model->outputs.count > MOST_TENSORS) {
        fail("model", "the model has more than %d inputs or outputs", MOST_TENSORS);
    }
    compile(model);
}

static void destroy_buffers(const LiteRt *litert, const Side *side) {
    for (size_t i = 0; i < side->count; i++) {
        litert->DestroyTensorBuffer(side->buffers[i]);
    }
}

void model_reset(Model *model) {
    destroy_buffers(model->litert, &model->inputs);
    destroy_buffers(model->litert, &model->outputs);
    model->litert->DestroyCompiledModel(model->compiled);
    compile(model);
}

void model_run(Model *model) {
    CALL(model, RunCompiledModel, model->compiled, 0, model->inputs.count, model->inputs.buffers,
         model->outputs.count, model->outputs.buffers);
}
