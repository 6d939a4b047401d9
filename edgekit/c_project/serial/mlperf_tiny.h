/*
 * A model behind a serial line, as edgekit bench --device serial and the runner of MLPerf Tiny
 * drive it. Names, commands and replies are those of MLPerf Tiny's reference firmware
 * (github.com/mlcommons/tiny, benchmark/api), so that a port for it serves here, too. What is
 * measured with this is compatible with that protocol; it is not an MLPerf result.
 *
 * C99, no heap. README.md says how to bring it onto a board.
 */
#ifndef MLPERF_TINY_H
#define MLPERF_TINY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What `name` and `profile` answer; define them for the compiler to change them. */
#ifndef TH_VENDOR_NAME_STRING
#define TH_VENDOR_NAME_STRING "unspecified"
#endif
#ifndef EE_FW_VERSION
#define EE_FW_VERSION "edgekit serial 1"
#endif
/* Whether th_timestamp moves a pin for a power meter and prints nothing. */
#ifndef EE_CFG_ENERGY_MODE
#define EE_CFG_ENERGY_MODE 0
#endif

/* The longest command that fits, without the '%' behind it. */
#define EE_CMD_SIZE 80

/* mlperf_tiny.c: the monitor. Your main calls the first once, then the second for every byte. */
void ee_benchmark_initialize(void);
void ee_serial_callback(char received); /* runs commands: call it outside of interrupts */
size_t ee_get_buffer(uint8_t *into, size_t most);

/* th_model.c: the model. */
void th_load_tensor(void);
void th_infer(void);
void th_results(void);
void th_outputs(void);

/* The port: yours. */
void th_serialport_initialize(void); /* 8 data bits, no parity, 115200 baud or what you choose */
char th_getchar(void);               /* waits for a byte */
void th_putchar(char c);             /* waits until there is room */
void th_timestamp_initialize(void);  /* starts a clock of microseconds, or sets the pin high */
void th_timestamp(void);             /* prints EE_MSG_TIMESTAMP, or pulls the pin low and up again */
#define EE_MSG_TIMESTAMP "m-lap-us-%lu\r\n" /* with an unsigned long; it may wrap */

/* th_printf.c knows %s and %lu, which is all that is used; take your own if you have one. */
void th_printf(const char *format, ...);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
