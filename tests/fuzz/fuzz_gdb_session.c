/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a debugger may ask for: any packets, a line each, served to a guest of two processors that
 * executes random bytes; a line "." lets it run a little. Nothing may crash, hang or read beyond.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine/hypervisor/gdb_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIRMWARE_SIZE 65536u

static uint8_t firmware[FIRMWARE_SIZE];

static void no_output(void *context, const uint8_t *bytes, size_t length)
{
}

static struct guest *make_guest(void)
{
    const struct guest_config config = {
        .board = { .ram_size = 64u << 20, .processors = 2, .serial = no_output,
                   .firmware = { firmware, sizeof(firmware) } },
        .c_bit = 51,
    };
    struct chip_failure failure;
    uint32_t random = 1;
    for (size_t k = 0; k < sizeof(firmware); k++) {
        random = random * 1664525 + 1013904223;
        firmware[k] = (uint8_t)(random >> 24);
    }
    struct guest *guest = guest_create(&config, &failure);
    if (!guest) {
        fprintf(stderr, "%s\n", failure.text);
        abort();
    }
    return guest;
}

static void run(struct gdb *gdb)
{
    for (unsigned n = 0; n < gdb->guest->cpu_count; n++) {
        struct cpu *cpu = gdb->guest->cpus[n];
        if (!gdb_holds(gdb, n))
            gdb_run_processor(gdb, n, cpu_instructions(cpu) + 100);
    }
}

static void serve(struct gdb *gdb, const uint8_t *line, size_t length)
{
    if (length > GDB_PACKET_MAX)
        length = GDB_PACKET_MAX;
    if (length == 1 && *line == '.') {
        run(gdb);
        return;
    }
    memcpy(gdb->in.data, line, length);
    gdb->in.data[length] = '\0';
    gdb->in.length = length;
    gdb->resume = gdb->killed = false;
    gdb_serve_packet(gdb);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct gdb *gdb;
    if (!gdb) {
        gdb = calloc(1, sizeof(*gdb));
        if (!gdb)
            abort();
        gdb->guest = make_guest();
    }
    gdb->connection = -1;
    gdb->general = gdb->stopped = 0;
    gdb->physical = false;
    for (unsigned n = 0; n < gdb->guest->cpu_count; n++)
        cpu_reset(gdb->guest->cpus[n]);
    while (size) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t length = end ? (size_t)(end - data) : size;
        serve(gdb, data, length);
        length += end != NULL;
        data += length;
        size -= length;
    }
    gdb_disconnect(gdb);
    return 0;
}
