/* The port for a computer: standard input and output as the serial line. An example for yours. */
#define _POSIX_C_SOURCE 199309L
#include "mlperf_tiny.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

void th_serialport_initialize(void) {
}

char th_getchar(void) {
    char c;
    if (read(0, &c, 1) != 1)
        exit(0);
    return c;
}

void th_putchar(char c) {
    if (write(1, &c, 1) != 1)
        exit(1);
}

void th_timestamp_initialize(void) {
}

void th_timestamp(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    th_printf(EE_MSG_TIMESTAMP,
              (unsigned long)now.tv_sec * 1000000ul + (unsigned long)now.tv_nsec / 1000ul);
}

int main(void) {
    ee_benchmark_initialize();
    for (;;)
        ee_serial_callback(th_getchar());
}
