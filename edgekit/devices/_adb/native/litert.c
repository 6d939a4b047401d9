#include "litert.h"

#include <dlfcn.h>
#include <string.h>

#include "say.h"

static LiteRt functions;

/* of LiteRtStatus in litert_common.h; the library does not export the function that has them */
static const struct {
    LiteRtStatus status;
    const char *name;
} NAMES[] = {
    {1, "invalid argument"},    {2, "memory allocation failure"}, {3, "runtime failure"},
    {4, "missing input tensor"}, {5, "unsupported"},              {6, "not found"},
    {8, "wrong version"},       {500, "file I/O"},                {501, "invalid flatbuffer"},
    {502, "dynamic loading"},   {504, "compilation"},
};

void litert_must(LiteRtStatus status, const char *call) {
    const char *name = "";
    if (status == LITERT_OK) {
        return;
    }
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        name = NAMES[i].status == status ? NAMES[i].name : name;
    }
    fail(status == 2 ? "memory" : "model", "%s returns %d: %s", call, status, name);
}

/* ISO C has no cast from an object's address to a function's; POSIX has both alike. */
static void look_up(void *library, const char *name, void *function) {
    void *found = dlsym(library, name);
    if (found == NULL) {
        fail("missing", "libLiteRt.so has no %s: LiteRT 2.1.6 or newer is needed", name);
    }
    memcpy(function, &found, sizeof found);
}

const LiteRt *litert_open(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        fail("missing", "the runtime cannot be loaded: %s", dlerror());
    }
#define LOOK_UP(name, arguments) look_up(library, "LiteRt" #name, &functions.name);
    LITERT_FUNCTIONS(LOOK_UP)
    look_up(library, "LiteRtDestroyTensorBuffer", &functions.DestroyTensorBuffer);
    look_up(library, "LiteRtDestroyCompiledModel", &functions.DestroyCompiledModel);
    return &functions;
}
