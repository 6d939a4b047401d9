#include "golden.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"

static FILE *open_file(const char *path, const char *mode) {
    FILE *file = fopen(path, mode);
    if (file == NULL) {
        fail("disk", "%s: %s", path, strerror(errno));
    }
    return file;
}

void golden(Model *model, const char *input, const char *output, size_t count) {
    size_t in = side_bytes(&model->inputs), out = side_bytes(&model->outputs);
    uint8_t *given = malloc(in + 1), *found = malloc(out + 1);
    FILE *from = open_file(input, "rb"), *to = open_file(output, "wb");
    if (given == NULL || found == NULL) {
        fail("memory", "out of memory for golden vectors");
    }
    for (size_t i = 0; i < count; i++) {
        if (fread(given, 1, in, from) != in) {
            fail("model", "%s has fewer than %zu vectors of %zu bytes", input, count, in);
        }
        if (i > 0) {
            model_reset(model);
        }
        side_write(model, &model->inputs, given);
        model_run(model);
        side_read(model, &model->outputs, found);
        if (fwrite(found, 1, out, to) != out) {
            fail("disk", "%s: %s", output, strerror(errno));
        }
    }
    fclose(from);
    if (fclose(to) != 0) {
        fail("disk", "%s: %s", output, strerror(errno));
    }
    free(given);
    free(found);
    printf("{\"event\":\"golden\",\"vectors\":%zu}", count);
    say_end();
}
