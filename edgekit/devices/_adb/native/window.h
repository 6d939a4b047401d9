/* One window of timed inferences. */
#ifndef EDGEKIT_WINDOW_H
#define EDGEKIT_WINDOW_H

#include "model.h"

typedef struct {
    double seconds, warmup_seconds, most_seconds;
    long inferences;
} Run;

/* CLOCK_MONOTONIC */
int64_t now_ns(void);

/* Warms up, then runs until both `seconds` and `inferences` are reached, or `most_seconds`. */
void window(Model *model, Run run);

#endif
