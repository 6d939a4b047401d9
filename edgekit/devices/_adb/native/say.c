#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void say_text(const char *text) {
    if (text == NULL) {
        fputs("null", stdout);
        return;
    }
    putchar('"');
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\') {
            printf("\\%c", *c);
        } else if (*c < 0x20 || *c > 0x7e) { /* what is not ASCII may not be UTF-8 either */
            printf("\\u%04x", *c);
        } else {
            putchar(*c);
        }
    }
    putchar('"');
}

void say_end(void) {
    putchar('\n');
    if (fflush(stdout) != 0) { /* nobody listens any more */
        _Exit(1);
    }
}

void fail(const char *kind, const char *format, ...) {
    char what[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    printf("{\"event\":\"error\",\"kind\":\"%s\",\"what\":", kind);
    say_text(what);
    putchar('}');
    say_end();
    _Exit(1);
}
