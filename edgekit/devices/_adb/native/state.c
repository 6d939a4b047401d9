#include "state.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "say.h"

enum { MOST_CORES = 64, MOST_ZONES = 128 };

/* First line of a file below /proc or /sys; false where it cannot be read, or is empty. */
static bool read_line(const char *path, char line[128]) {
    FILE *file = fopen(path, "r");
    bool read = file != NULL && fgets(line, 128, file) != NULL;
    if (file != NULL) {
        fclose(file);
    }
    if (read) {
        line[strcspn(line, "\n")] = 0;
    }
    return read && line[0] != 0;
}

static bool read_number(const char *path, double *value) {
    char line[128];
    return read_line(path, line) && sscanf(line, "%lf", value) == 1;
}

static void say_load(void) {
    double load;
    if (read_number("/proc/loadavg", &load)) {
        printf("\"load\":%g", load);
    } else {
        printf("\"load\":null");
    }
}

static void cpu_path(char path[96], int core, const char *name) {
    snprintf(path, 96, "/sys/devices/system/cpu/cpu%d/cpufreq/%s", core, name);
}

static void say_frequencies(void) {
    char path[96];
    double khz;
    int said = 0;
    printf(",\"frequencies_mhz\":");
    for (int core = 0; core < MOST_CORES; core++) {
        cpu_path(path, core, "scaling_cur_freq");
        if (read_number(path, &khz)) {
            printf("%s%g", said++ == 0 ? "[" : ",", khz / 1000);
        }
    }
    printf(said == 0 ? "null" : "]");
}

static void say_governors(void) {
    char path[96], governor[128];
    int said = 0;
    printf(",\"governors\":");
    for (int core = 0; core < MOST_CORES; core++) {
        cpu_path(path, core, "scaling_governor");
        if (read_line(path, governor)) {
            printf(said++ == 0 ? "[" : ",");
            say_text(governor);
        }
    }
    printf(said == 0 ? "null" : "]");
}

/* Zones of the same type are told apart by their number. */
static void say_temperatures(void) {
    char path[96], type[128], name[160];
    double value;
    int said = 0;
    printf(",\"temperatures_c\":");
    for (int zone = 0; zone < MOST_ZONES; zone++) {
        snprintf(path, sizeof path, "/sys/class/thermal/thermal_zone%d/temp", zone);
        if (!read_number(path, &value)) {
            continue;
        }
        snprintf(path, sizeof path, "/sys/class/thermal/thermal_zone%d/type", zone);
        snprintf(name, sizeof name, "%s-%d", read_line(path, type) ? type : "zone", zone);
        printf(said++ == 0 ? "{" : ",");
        say_text(name);
        printf(":%g", value / 1000);
    }
    printf(said == 0 ? "null" : "}");
}

void say_state(void) {
    printf("{\"event\":\"state\",");
    say_load();
    printf(",\"processors\":%ld", sysconf(_SC_NPROCESSORS_ONLN));
    say_frequencies();
    say_governors();
    say_temperatures();
    printf(",\"throttled\":null,\"charging\":null}"); /* Android tells those to adb, not to us */
    say_end();
}
