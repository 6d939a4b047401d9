/*
 * The port of c_project/serial for the emulated boards: the CMSDK UART, and the counter of the FPGA's
 * I/O block at one microsecond a step. Addresses and divider are of serial_firmware.py.
 * Sources: Arm CMSDK TRM DDI 0479C 4.3 (APB UART); Arm application note AN385 table 4-2 (FPGAIO).
 */
#include "mlperf_tiny.h"

#define REGISTER(base, offset) (*(volatile uint32_t *)((uintptr_t)(base) + (offset)))
#define UART_DATA REGISTER(UART, 0x00)
#define UART_STATE REGISTER(UART, 0x04)
#define UART_CTRL REGISTER(UART, 0x08)
#define UART_BAUDDIV REGISTER(UART, 0x10)
#define COUNTER REGISTER(FPGAIO, 0x18)
#define PRESCALE REGISTER(FPGAIO, 0x1C)
#define TRANSMIT_FULL 1u
#define RECEIVE_FULL 2u

int main(void);

void th_serialport_initialize(void) {
    UART_BAUDDIV = 16; /* the least; an emulated line is as fast as it can be */
    UART_CTRL = 3;     /* transmit and receive */
}

char th_getchar(void) {
    while (!(UART_STATE & RECEIVE_FULL)) {
    }
    return (char)UART_DATA;
}

void th_putchar(char c) {
    while (UART_STATE & TRANSMIT_FULL) {
    }
    UART_DATA = (uint8_t)c;
}

void th_timestamp_initialize(void) {
    PRESCALE = TICKS_PER_US - 1;
}

void th_timestamp(void) {
    th_printf(EE_MSG_TIMESTAMP, (unsigned long)COUNTER);
}

int main(void) {
    ee_benchmark_initialize();
    for (;;)
        ee_serial_callback(th_getchar());
}
