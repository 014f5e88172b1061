/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What a guest is made of; private to machine/hypervisor. */
#ifndef PRIVET_MACHINE_GUEST_H
#define PRIVET_MACHINE_GUEST_H

#include "machine/hypervisor/hypervisor.h"

struct guest {
    struct guest_config config;
    struct memory *memory;
    struct board *board;
    struct cpu *cpu;
    struct chip *chip; /* NULL without SEV */
    uint32_t handle;   /* of the launched guest; 0: none */
    bool stop_asked;   /* guest_stop */
    char detail[512];
    char state[4096];
};

/* Host time in seconds, monotonic. */
double host_seconds(void);

#endif
