/* The monitor of MLPerf Tiny's protocol: commands end with '%', every reply with m-ready. */
#include "mlperf_tiny.h"
#include "model.h"

#include <string.h>

static char text[EE_CMD_SIZE + 1];
static size_t length;

static uint8_t buffer[MODEL_INPUT_BYTES];
static size_t expected, loaded;

/* The next word of the command, "" behind the last. */
static const char *word(char **rest) {
    char *begin = *rest + strspn(*rest, " ");
    char *end = begin + strcspn(begin, " ");
    *rest = *end ? end + 1 : end;
    *end = 0;
    return begin;
}

/* A whole number, `otherwise` where there is none. */
static unsigned long number(const char *digits, unsigned long otherwise) {
    unsigned long value = 0;
    if (!*digits)
        return otherwise;
    for (; *digits >= '0' && *digits <= '9'; ++digits)
        value = value * 10 + (unsigned long)(*digits - '0');
    return *digits ? 0 : value;
}

static int nibble(char digit) {
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

static void name(char *rest) {
    (void)rest;
    th_printf("m-name-dut-[%s]\r\n", TH_VENDOR_NAME_STRING);
}

static void profile(char *rest) {
    (void)rest;
    th_printf("m-profile-[%s]\r\n", EE_FW_VERSION);
    th_printf("m-model-[%s]\r\n", TH_MODEL_VERSION);
}

static void timestamp(char *rest) {
    (void)rest;
    th_timestamp();
}

static void load(unsigned long bytes) {
    if (bytes == 0 || bytes > sizeof buffer) {
        th_printf("e-[The input has %lu bytes]\r\n", (unsigned long)sizeof buffer);
        return;
    }
    expected = (size_t)bytes;
    loaded = 0;
    th_printf("m-[Expecting %lu bytes]\r\n", bytes);
}

static void print(void) {
    static const char digits[] = "0123456789abcdef";
    char pair[3] = {0, 0, 0};
    size_t i;
    for (i = 0; i < loaded; ++i) {
        pair[0] = digits[buffer[i] >> 4];
        pair[1] = digits[buffer[i] & 15];
        th_printf("%s%s", i % 8 ? "-" : "m-buffer-", pair);
        if (i % 8 == 7 || i + 1 == loaded)
            th_printf("\r\n");
    }
}

static void store(const char *digits) {
    for (; *digits && loaded < expected; digits += 2) {
        int high = nibble(digits[0]), low = high < 0 ? -1 : nibble(digits[1]);
        if (low < 0) {
            th_printf("e-[Not two hexadecimal digits a byte]\r\n");
            return;
        }
        buffer[loaded++] = (uint8_t)(high * 16 + low);
        if (loaded == expected)
            th_printf("m-load-done\r\n");
    }
}

static void db(char *rest) {
    const char *what = word(&rest);
    if (!*what)
        th_printf("e-[Command 'db' requires a subcommand]\r\n");
    else if (!strcmp(what, "load"))
        load(number(word(&rest), 0));
    else if (!strcmp(what, "print"))
        print();
    else
        store(what);
}

static void infer(char *rest) {
    unsigned long timed = number(word(&rest), 1), warmups = number(word(&rest), 10);
    if (timed == 0) {
        th_printf("e-[Inference iterations must be >0]\r\n");
        return;
    }
    th_load_tensor();
    th_printf("m-warmup-start-%lu\r\n", warmups);
    for (; warmups; --warmups)
        th_infer();
    th_printf("m-warmup-done\r\n");
    th_printf("m-infer-start-%lu\r\n", timed);
    th_timestamp();
    for (; timed; --timed)
        th_infer();
    th_timestamp();
    th_printf("m-infer-done\r\n");
    th_results();
}

static void results(char *rest) {
    (void)rest;
    th_results();
}

/* Not of MLPerf Tiny: every bit of the outputs, which `results` rounds. */
static void out(char *rest) {
    (void)rest;
    th_outputs();
}

static void help(char *rest);

static const struct {
    const char *name, *help;
    void (*run)(char *rest);
} commands[] = {
    {"help", "", help},
    {"name", "", name},
    {"profile", "", profile},
    {"timestamp", "", timestamp},
    {"db", " load N | HEX | print", db},
    {"infer", " N [W=10]: N timed inferences after W others", infer},
    {"results", ": outputs with three decimals", results},
    {"out", ": outputs as bytes", out},
};

static void help(char *rest) {
    size_t i;
    (void)rest;
    for (i = 0; i < sizeof commands / sizeof *commands; ++i)
        th_printf("%s%s\r\n", commands[i].name, commands[i].help);
}

static void run(char *rest) {
    const char *called = word(&rest);
    size_t i;
    for (i = 0; i < sizeof commands / sizeof *commands; ++i)
        if (!strcmp(called, commands[i].name)) {
            commands[i].run(rest);
            return;
        }
    th_printf("e-[Unknown command: %s]\r\n", called);
}

void ee_serial_callback(char received) {
    if (received == '%') {
        text[length <= EE_CMD_SIZE ? length : 0] = 0;
        if (length > EE_CMD_SIZE)
            th_printf("e-[The command is too long]\r\n");
        else
            run(text);
        length = 0;
        th_printf("m-ready\r\n");
    } else if (received != '\r' && received != '\n' && length <= EE_CMD_SIZE) {
        if (length < EE_CMD_SIZE)
            text[length] = received;
        ++length;
    }
}

size_t ee_get_buffer(uint8_t *into, size_t most) {
    size_t count = loaded < most ? loaded : most;
    if (into)
        memcpy(into, buffer, count);
    return count;
}

void ee_benchmark_initialize(void) {
    th_serialport_initialize();
    th_printf("m-timestamp-mode-%s\r\n", EE_CFG_ENERGY_MODE ? "energy" : "performance");
    th_timestamp_initialize();
    th_printf("m-init-done\r\nm-ready\r\n");
}
