/*
 * TCG plugin of QEMU: counts the instructions that a firmware executes between two addresses, by
 * layer and by address. Its API is version 1 up to QEMU 8, and 2 at least from QEMU 9 on; what is
 * used here is the same in both.
 *
 * Arguments: markers=FILE with lines of hexadecimal addresses: where an inference begins (the
 * entry of the model's run function), where it ends (its return address), then the entry of each
 * layer. out=FILE is written when the emulator ends:
 *
 *     total N                          instructions of one inference, a line for each
 *     at BUCKET ADDRESS COUNT TAKEN    of the first inference only
 *
 * BUCKET is the layer whose entry was passed last, 0 before the first. TAKEN counts how often the
 * last instruction of a translated block was not followed by its neighbour: the taken branches.
 *
 * Counting is by translated block, which is exact: QEMU ends a block at every branch, and nothing
 * interrupts this firmware. Debian ships no qemu-plugin.h, so what is used is declared here; the
 * declarations follow the documentation of the API.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef PLUGIN_API
#define PLUGIN_API 1
#endif
#define MARKERS 4096
#define EXPORT __attribute__((visibility("default")))

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
extern void qemu_plugin_register_vcpu_tb_trans_cb(
    plugin_id, void (*)(plugin_id, struct qemu_plugin_tb *));
extern void qemu_plugin_register_vcpu_tb_exec_cb(
    struct qemu_plugin_tb *, void (*)(unsigned, void *), int flags, void *);
extern void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void *), void *);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
extern uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
extern size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *);

EXPORT int qemu_plugin_version = PLUGIN_API;
EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);

/* One translated block; translated again it is another one of the same addresses. */
struct block {
    struct block *next;
    int marker;         /* index of the marker at its first instruction, -1 for none */
    uint32_t after;     /* the address behind its last instruction */
    size_t length;      /* instructions */
    uint32_t *pc;       /* [length] */
    uint64_t *entered;  /* [buckets] */
    uint64_t *fell;     /* [buckets]: the instruction that follows in memory came next */
};

static uint32_t marker[MARKERS];
static int markers;
static struct block *blocks, *last;
static int bucket, last_bucket, inferences;
static bool active;
static uint64_t total;
static FILE *out;

static void die(const char *why)
{
    fprintf(stderr, "plugin: %s\n", why);
    exit(3);
}

static void *zeroed(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    if (!memory) die("out of memory");
    return memory;
}

static int marker_at(uint32_t pc)
{
    for (int i = 0; i < markers; i++)
        if (marker[i] == pc) return i;
    return -1;
}

static void pass_marker(int index)
{
    if (index == 0 && !active) {
        active = true;
        total = 0;
        bucket = 0;
        last = NULL;
    } else if (index == 1 && active) {
        active = false;
        fprintf(out, "total %llu\n", (unsigned long long)total);
        inferences++;
    } else if (index > 1) {
        bucket = index - 1;
    }
}

static void enter(unsigned cpu, void *data)
{
    struct block *block = data;
    (void)cpu;
    if (active && last && last->after == block->pc[0]) last->fell[last_bucket]++;
    last = NULL;
    if (block->marker >= 0) pass_marker(block->marker);
    if (!active) return;
    total += block->length;
    if (inferences) return;
    block->entered[bucket]++;
    last = block;
    last_bucket = bucket;
}

static void translate(plugin_id id, struct qemu_plugin_tb *tb)
{
    struct block *block = zeroed(1, sizeof *block);
    (void)id;
    block->length = qemu_plugin_tb_n_insns(tb);
    block->pc = zeroed(block->length, sizeof *block->pc);
    block->entered = zeroed((size_t)markers, sizeof *block->entered);
    block->fell = zeroed((size_t)markers, sizeof *block->fell);
    for (size_t i = 0; i < block->length; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        block->pc[i] = (uint32_t)qemu_plugin_insn_vaddr(insn);
        block->after = block->pc[i] + (uint32_t)qemu_plugin_insn_size(insn);
        if (i && marker_at(block->pc[i]) >= 0) die("a marker inside a block");
    }
    block->marker = marker_at(block->pc[0]);
    block->next = blocks;
    blocks = block;
    qemu_plugin_register_vcpu_tb_exec_cb(tb, enter, 0, block);
}

static void report(plugin_id id, void *data)
{
    (void)id;
    (void)data;
    for (struct block *block = blocks; block; block = block->next)
        for (int b = 0; b < markers; b++)
            for (size_t i = 0; block->entered[b] && i < block->length; i++) {
                uint64_t taken = i + 1 == block->length ? block->entered[b] - block->fell[b] : 0;
                fprintf(out, "at %d %x %llu %llu\n", b, block->pc[i],
                        (unsigned long long)block->entered[b], (unsigned long long)taken);
            }
    fclose(out);
}

static void read_markers(const char *path)
{
    FILE *in = fopen(path, "r");
    if (!in) die("the markers cannot be read");
    while (markers < MARKERS && fscanf(in, "%x", &marker[markers]) == 1) markers++;
    fclose(in);
    if (markers < 2 || markers == MARKERS) die("too few or too many markers");
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (!strncmp(argv[i], "markers=", 8)) read_markers(argv[i] + 8);
        if (!strncmp(argv[i], "out=", 4)) out = fopen(argv[i] + 4, "w");
    }
    if (!out || !markers) die("markers=FILE and out=FILE are needed");
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    qemu_plugin_register_atexit_cb(id, report, NULL);
    return 0;
}
