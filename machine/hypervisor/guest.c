/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Builds and takes apart a guest: memory, board, processor and, for SEV, the chip. */
#include "machine/hypervisor/guest.h"

#include "machine/board/pvpanic.h"
#include "machine/hypervisor/checker.h"
#include "machine/hypervisor/es.h"
#include "machine/hypervisor/gdb.h"
#include "machine/hypervisor/host_clock.h"
#include "machine/hypervisor/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TSC_HZ 1000000000ull

/*
 * Guest-physical address width, QEMU's default. Quirk: OVMF's 32-bit PEI phase maps all of a wider
 * space with 2 MiB pages and runs out of memory.
 */
#define PHYSICAL_BITS 40

double host_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A page changed under the processor: memory.h, memory_listener. */
static void page_changed(void *context, uint64_t gpa)
{
    struct guest *guest = context;
    for (unsigned i = 0; i < guest->cpu_count; i++) {
        /*
         * One that waits to be started forgets everything before it runs; the first never waits. With
         * SEV-ES, only the first start makes it forget.
         */
        if (!board_waits_for_startup(guest->board, i) ||
            (guest->es && es_was_started(guest->es, i)))
            cpu_invalidate_page(guest->cpus[i], gpa);
    }
}

static bool create_processors(struct guest *guest, char *error, size_t error_size)
{
    const struct guest_config *config = &guest->config;
    struct cpu_config cpu_config = {
        .sev = config->sev,
        .asid = cpu_sev_is_guest(config->sev) ? config->asid
                : config->sev == CPU_SEV_SME  ? MEMORY_SME
                                              : MEMORY_RAW,
        .c_bit = config->c_bit,
        .reduced_physical_bits = config->reduced_physical_bits,
        .physical_bits = PHYSICAL_BITS < config->c_bit ? PHYSICAL_BITS : config->c_bit,
        .processors = config->board.processors,
        .tsc_hz = TSC_HZ,
        .model = config->model,
    };
    for (unsigned i = 0; i < config->board.processors; i++) {
        cpu_config.apic_id = i;
        cpu_config.sibling = guest->cpus[0];
        const struct cpu_io *io = board_cpu_io(guest->board, i);
        if (guest->trace)
            io = trace_io(guest->trace, i, io);
        guest->cpus[i] = cpu_create(&cpu_config, guest->memory, io);
        if (!guest->cpus[i]) {
            snprintf(error, error_size, "cannot create processor %u: out of memory", i);
            return false;
        }
        guest->cpu_count = i + 1;
        board_attach_cpu(guest->board, i, guest->cpus[i]);
        if (guest->es)
            es_attach(guest->es, i, io);
        if (guest->trace)
            trace_attach(guest->trace, i, guest->cpus[i]);
    }
    if (guest->config.check.level == CHECK_OFF || !cpu_sev_is_guest(guest->config.sev))
        return true;
    guest->checker = checker_create(guest, &guest->config.check);
    if (!guest->checker)
        snprintf(error, error_size, "cannot create the checker: out of memory");
    return guest->checker;
}

static void say_panic(const struct guest *guest, const char *what)
{
    if (guest->config.panicked)
        guest->config.panicked(guest->config.board.output_context, what);
}

static void watch_console(void *context, unsigned console, const uint8_t *bytes, size_t length)
{
    struct guest *guest = context;
    for (size_t i = 0; i < length; i++) {
        switch (panic_character(&guest->panic, console, (char)bytes[i])) {
        case PANIC_SEEN:
            say_panic(guest, guest->panic.why);
            break;
        case PANIC_FINAL:
            guest_stop(guest);
            break;
        case PANIC_NOTHING:
            break;
        }
    }
}

/* pvpanic: a crash kernel that takes over is no end. */
static void watch_pvpanic(void *context, unsigned events)
{
    static const char why[] = "reported by pvpanic";
    struct guest *guest = context;
    if (events & PVPANIC_CRASH_LOADED)
        say_panic(guest, "the guest's crash kernel takes over");
    if (!(events & PVPANIC_PANICKED))
        return;
    if (!guest->panic.why[0]) {
        memcpy(guest->panic.why, why, sizeof(why));
        say_panic(guest, why);
    }
    if (!guest->config.reboot) {
        guest->panic.final = true;
        guest_stop(guest);
    }
}

/*
 * SME's key, which the Secure Processor draws at reset and nobody ever sees (APM 2 7.10): it follows
 * from the run's seed, so that runs repeat.
 */
struct sme_key {
    uint8_t bytes[MEMORY_KEY_SIZE];
};

static struct sme_key sme_key(const uint8_t seed[32])
{
    struct sme_key key;
    for (unsigned k = 0; k < sizeof(key.bytes); k++)
        key.bytes[k] = (uint8_t)(seed[k] ^ seed[31 - k] ^ (0x53 + 29 * k));
    return key;
}

static bool create_parts(struct guest *guest, struct chip_failure *failure)
{
    char *error = failure->text;
    const size_t error_size = sizeof(failure->text);
    struct guest_config *config = &guest->config;
    guest->memory = memory_create(config->board.seed);
    if (!guest->memory) {
        snprintf(error, error_size, "cannot set up guest memory: out of memory");
        return false;
    }
    memory_set_listener(guest->memory, page_changed, guest);
    if (config->trace.subjects && !(guest->trace = trace_open(guest, error, error_size)))
        return false;
    config->board.memory = guest->memory;
    config->board.sev = config->sev != CPU_SEV_OFF;
    if (config->sev == CPU_SEV_SME) {
        config->board.dma_c_mask = 1ull << config->c_bit;
        memory_set_key(guest->memory, MEMORY_SME, sme_key(config->board.seed).bytes);
    }
    config->board.tsc_hz = TSC_HZ;
    config->board.watch = (struct board_watch){ watch_console, watch_pvpanic, es_vmgexit, guest };
    guest->board = board_create(&config->board, error, error_size);
    if (!guest->board)
        return false;
    if (cpu_sev_is_guest(config->sev)) {
        guest->chip = chip_open(&config->chip, guest->memory, failure);
        if (!guest->chip)
            return false;
    }
    if (config->sev == CPU_SEV_ES && !(guest->es = es_create(guest, error, error_size)))
        return false;
    if (!create_processors(guest, error, error_size) ||
        !guest_start_image(guest, error, error_size))
        return false;
    if (config->host_clock && !host_clock_add(guest)) {
        snprintf(error, error_size, "the host's clock: too many consoles");
        return false;
    }
    if (config->gdb)
        guest->gdb = gdb_open(guest, config->gdb, error, error_size);
    return !config->gdb || guest->gdb;
}

struct guest *guest_create(const struct guest_config *config, struct chip_failure *failure)
{
    struct guest *guest = calloc(1, sizeof(*guest));
    *failure = (struct chip_failure){ .text = "out of memory" };
    if (!guest)
        return NULL;
    guest->config = *config;
    if (!create_parts(guest, failure)) {
        guest_destroy(guest);
        return NULL;
    }
    return guest;
}

void guest_destroy(struct guest *guest)
{
    if (!guest)
        return;
    gdb_close(guest->gdb);
    chip_close(guest->chip); /* first: it takes keys away, which page_changed tells the processors */
    es_destroy(guest->es);
    checker_destroy(guest->checker);
    for (unsigned i = 0; i < guest->cpu_count; i++)
        cpu_destroy(guest->cpus[i]);
    if (guest->board)
        board_destroy(guest->board);
    if (guest->memory)
        memory_destroy(guest->memory);
    trace_close(guest->trace);
    free(guest);
}

bool guest_flush_trace(struct guest *guest)
{
    return !guest->trace || trace_flush(guest->trace);
}

struct memory *guest_memory(struct guest *guest)
{
    return guest->memory;
}

const struct chip *guest_chip(const struct guest *guest)
{
    return guest->chip;
}

size_t guest_type_room(const struct guest *guest, enum guest_console console)
{
    return console == GUEST_CONSOLE_VIRTIO ? board_console_room(guest->board)
                                           : board_serial_room(guest->board);
}

size_t guest_type(struct guest *guest, enum guest_console console, const uint8_t *bytes,
                  size_t length)
{
    return console == GUEST_CONSOLE_VIRTIO ? board_console_input(guest->board, bytes, length)
                                           : board_serial_input(guest->board, bytes, length);
}

bool guest_add_host_source(struct guest *guest, const struct host_source *source)
{
    return board_add_host_source(guest->board, source);
}
