/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The host's side of SEV as Linux plays it, over the emulated chip: the ioctls of /dev/sev
 * (drivers/crypto/ccp) and KVM's memory encryption (arch/x86/kvm/svm/sev.c), for programs that reach
 * it through a socket (wire.h). ASIDs are handed out here, and made clean by WBINVD and DF_FLUSH
 * before they are used again.
 *
 * A page's system physical address is the program's own modulo DRIVER_MEMORY. Above are the pages that
 * the kernel has for SEV-ES: the trusted memory region and the states of processors.
 */
#ifndef PRIVET_MACHINE_DRIVER_DRIVER_H
#define PRIVET_MACHINE_DRIVER_DRIVER_H

#include <stdbool.h>

#include "machine/chip/chip.h"

#define DRIVER_MEMORY (4ull << 30)

struct driver;

/*
 * `chip` over `memory`, which is empty still; both stay the caller's. SEV-ES guests get ASIDs below
 * `min_plain_asid`, others from there to `max_asid`. The platform is initialised, as Linux does when it
 * finds the device; if the chip refuses, requests that need it try again. NULL: out of memory.
 */
struct driver *driver_create(struct chip *chip, struct memory *memory, unsigned min_plain_asid,
                             unsigned max_asid);
void driver_destroy(struct driver *driver);

/*
 * Serves the programs that connect to the listening socket until `done` (a descriptor) is readable.
 * A program that breaks the protocol loses its connection; one that stalls within a message keeps
 * nobody but itself waiting.
 */
bool driver_serve(struct driver *driver, int listener, int done);

#endif
