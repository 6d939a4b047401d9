/* The little of printf that the monitor needs, over th_putchar. */
#include "mlperf_tiny.h"

#include <stdarg.h>

static void put(const char *text) {
    while (*text)
        th_putchar(*text++);
}

static void put_number(unsigned long number) {
    char digits[3 * sizeof number + 1], *at = digits + sizeof digits - 1;
    *at = 0;
    do
        *--at = (char)('0' + number % 10);
    while (number /= 10);
    put(at);
}

void th_printf(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    for (; *format; ++format) {
        if (format[0] == '%' && format[1] == 's') {
            put(va_arg(arguments, const char *));
            format += 1;
        } else if (format[0] == '%' && format[1] == 'l' && format[2] == 'u') {
            put_number(va_arg(arguments, unsigned long));
            format += 2;
        } else {
            th_putchar(*format);
        }
    }
    va_end(arguments);
}
