/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What a guest is made of; private to machine/hypervisor. */
#ifndef PRIVET_MACHINE_GUEST_H
#define PRIVET_MACHINE_GUEST_H

#include "machine/hypervisor/hypervisor.h"
#include "machine/hypervisor/panic.h"

struct es;
struct gdb;
struct trace;

struct guest {
    struct guest_config config;
    struct memory *memory;
    struct board *board;
    struct cpu *cpus[BOARD_MAX_PROCESSORS]; /* NULL from cpu_count on */
    unsigned cpu_count;
    unsigned current; /* index of the processor that runs or ran last */
    struct chip *chip; /* NULL without SEV */
    struct es *es;     /* NULL without SEV-ES */
    uint32_t handle;   /* of the launched guest; 0: none */
    bool stop_asked;   /* guest_stop */
    struct panic_watch panic;
    uint64_t host_start; /* host_clock.c: host time at which the guest's was 0 */
    struct trace *trace; /* NULL unless config.trace */
    struct gdb *gdb;   /* NULL unless config.gdb */
    uint64_t secret_gpa; /* where the launch secret was put, and its size; 0: none was */
    size_t secret_size;
    bool check_failed; /* the checker asked for the stop */
    struct checker *checker; /* NULL: off */
    char detail[512];
};

/* Instructions retired by all processors. */
uint64_t guest_instructions(const struct guest *guest);

/*
 * boot_direct.c: puts config.image, if there is one, into memory and processor 0 to its start; the
 * board and the processors must be reset. False with one line in `error`.
 */
bool guest_start_image(struct guest *guest, char *error, size_t error_size);

/* Host time in seconds, monotonic. */
double host_seconds(void);

#endif
