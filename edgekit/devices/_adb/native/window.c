#include "window.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "say.h"

enum { MOST_KEPT = 65536 };
static const int64_t EVERY_NS = 200000000;

static int64_t kept[MOST_KEPT];
static int kept_count;

static int64_t clock_ns(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t now_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

static void say_samples(void) {
    for (int i = 0; i < kept_count; i++) {
        printf("%s%lld", i == 0 ? "{\"event\":\"samples\",\"ns\":[" : ",", (long long)kept[i]);
    }
    if (kept_count > 0) {
        printf("]}");
        say_end();
    }
    kept_count = 0;
}

static void set_inputs(Model *model) {
    uint8_t *values = malloc(side_bytes(&model->inputs) + 1);
    if (values == NULL) {
        fail("memory", "out of memory for inputs");
    }
    side_random(&model->inputs, values);
    side_write(model, &model->inputs, values);
    free(values);
}

/* Latency of the first inference. */
static int64_t warm_up(Model *model, Run run, int64_t begun) {
    double least = run.warmup_seconds < run.most_seconds ? run.warmup_seconds : run.most_seconds;
    model_run(model);
    int64_t first = now_ns() - begun;
    while ((double)(now_ns() - begun) < least * 1e9) {
        model_run(model);
    }
    return first;
}

void window(Model *model, Run run) {
    set_inputs(model);
    int64_t begun = now_ns(), last = begun + (int64_t)(run.most_seconds * 1e9);
    int64_t first = warm_up(model, run, begun);
    int64_t start_real = clock_ns(CLOCK_REALTIME), start = now_ns(), said = start, end = start;
    int64_t least = start + (int64_t)(run.seconds * 1e9);
    long done = 0;
    while ((end < least || done < run.inferences) && (end < last || done == 0)) {
        int64_t before = now_ns();
        model_run(model);
        end = now_ns();
        kept[kept_count++] = end - before;
        done++;
        if (kept_count == MOST_KEPT || end - said >= EVERY_NS) {
            say_samples();
            said = end;
        }
    }
    int64_t end_real = clock_ns(CLOCK_REALTIME) - (now_ns() - end);
    say_samples();
    printf("{\"event\":\"window\",\"inferences\":%ld,\"start_ns\":%lld,\"end_ns\":%lld,"
           "\"first_ns\":%lld,\"start_real_ns\":%lld,\"end_real_ns\":%lld}",
           done, (long long)start, (long long)end, (long long)first, (long long)start_real,
           (long long)end_real);
    say_end();
}
