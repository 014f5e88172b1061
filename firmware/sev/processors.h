/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The other processors of a SEV-ES guest: arch/reset.S has where they wait. */
#ifndef PRIVET_FIRMWARE_PROCESSORS_H
#define PRIVET_FIRMWARE_PROCESSORS_H

/* Makes the page in which the operating system says where they begin, and tells the hypervisor of it. */
void processors_init(void);

#endif
