/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * `--clock host`: the guest's time follows the host's. It still advances with instructions, is
 * pushed forward where the host's is further, and an idle guest waits instead of skipping. Private
 * to machine/hypervisor.
 */
#ifndef PRIVET_MACHINE_HOST_CLOCK_H
#define PRIVET_MACHINE_HOST_CLOCK_H

#include "machine/hypervisor/guest.h"

/* While the guest is made: idle waits from now on. False: no room among the board's sources. */
bool host_clock_add(struct guest *guest);

/* From here on the clocks go together. */
void host_clock_start(struct guest *guest);

/* Between turns: pushes the guest's time forward to the host's. */
void host_clock_push(struct guest *guest);

/* Nobody runs: waits, for 50 ms at most, while the guest's time is ahead of the host's. */
void host_clock_wait(const struct guest *guest);

#endif
