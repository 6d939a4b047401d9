/* Events as lines of JSON on stdout. */
#ifndef EDGEKIT_SAY_H
#define EDGEKIT_SAY_H

#include <stdint.h>

/* A string of JSON, quotes included, or null. */
void say_text(const char *text);

/* Ends a line and sends it. */
void say_end(void);

/* Says what is wrong, as printf does, and ends the worker with code 1. `kind` is missing (the
 * runtime), memory, disk or model. */
_Noreturn void fail(const char *kind, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
