/* Runs a model with libLiteRt.so on the device and times it.
 *
 *     worker --runtime libLiteRt.so --model PATH [--threads N] [--kernels default|plain]
 *            [--delegate gpu|npu]
 *
 * Commands come as lines on stdin, events go as lines of JSON to stdout:
 *
 *     ping                                              pong
 *     golden INPUT_FILE OUTPUT_FILE COUNT               golden
 *     run SECONDS WARMUP_SECONDS INFERENCES MOST_SECONDS    samples ..., window
 *     state                                             state
 *     quit
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "golden.h"
#include "litert.h"
#include "model.h"
#include "say.h"
#include "sha256.h"
#include "state.h"
#include "window.h"

typedef struct {
    const char *runtime, *model, *kernels, *delegate;
    int threads;
} Options;

static Options parse(int count, char **words) {
    Options options = {NULL, NULL, "default", NULL, 1};
    for (int i = 1; i < count; i += 2) {
        const char *value = i + 1 < count ? words[i + 1] : NULL;
        if (value != NULL && strcmp(words[i], "--runtime") == 0) {
            options.runtime = value;
        } else if (value != NULL && strcmp(words[i], "--model") == 0) {
            options.model = value;
        } else if (value != NULL && strcmp(words[i], "--kernels") == 0) {
            options.kernels = value;
        } else if (value != NULL && strcmp(words[i], "--delegate") == 0) {
            options.delegate = value;
        } else if (value != NULL && strcmp(words[i], "--threads") == 0) {
            options.threads = atoi(value);
        } else {
            fail("model", "unknown option or no value: %s", words[i]);
        }
    }
    if (options.runtime == NULL || options.model == NULL) {
        fail("model", "--runtime and --model are needed");
    }
    return options;
}

/* Mapped, because LiteRT keeps pointing into it and wants it aligned. */
static const uint8_t *map_file(const char *path, size_t *size) {
    struct stat about;
    int file = open(path, O_RDONLY);
    if (file < 0 || fstat(file, &about) != 0) {
        fail("model", "%s: %s", path, strerror(errno));
    }
    *size = (size_t)about.st_size;
    void *data = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, file, 0);
    if (data == MAP_FAILED) {
        fail("model", "%s: %s", path, strerror(errno));
    }
    close(file);
    return data;
}

static void say_ready(const char *hash, int64_t init_ns) {
    struct utsname machine = {0};
    uname(&machine);
    printf("{\"event\":\"ready\",\"schema\":1,\"worker\":\"native\",\"runtime\":\"libLiteRt\","
           "\"model_sha256\":\"%s\",\"machine\":", hash);
    say_text(machine.machine);
    printf(",\"init_ns\":%lld}", (long long)init_ns);
    say_end();
}

static void obey(Model *model, const char *line) {
    char input[512], output[512];
    size_t count;
    Run run;
    if (strncmp(line, "ping", 4) == 0) {
        printf("{\"event\":\"pong\",\"t_ns\":%lld}", (long long)now_ns());
        say_end();
    } else if (sscanf(line, "golden %511s %511s %zu", input, output, &count) == 3) {
        golden(model, input, output, count);
    } else if (sscanf(line, "run %lf %lf %ld %lf", &run.seconds, &run.warmup_seconds,
                      &run.inferences, &run.most_seconds) == 4) {
        window(model, run);
    } else if (strncmp(line, "state", 5) == 0) {
        say_state();
    } else {
        fail("model", "unknown command: %.80s", line);
    }
}

int main(int count, char **words) {
    Options options = parse(count, words);
    char hash[65], line[1536];
    size_t size;
    static Model model;
    const uint8_t *data = map_file(options.model, &size);
    sha256(data, size, hash);
    const LiteRt *litert = litert_open(options.runtime);
    int64_t begun = now_ns();
    model_load(&model, litert, data, size, options.kernels, options.threads, options.delegate);
    say_ready(hash, now_ns() - begun);
    while (fgets(line, sizeof line, stdin) != NULL && strncmp(line, "quit", 4) != 0) {
        obey(&model, line);
    }
    _Exit(0); /* whoever listens is done; LiteRT is not taken down piece by piece */
}
