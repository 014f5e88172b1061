/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What the reset code found out about encryption (APM 2 15.34; CPUID 0x8000001F; SEV_STATUS). */
#ifndef PRIVET_FIRMWARE_SEV_H
#define PRIVET_FIRMWARE_SEV_H

#include <stdbool.h>
#include <stdint.h>

void sev_init(void); /* first thing in C: takes over what the reset code found */
bool sev_active(void);
bool sev_es(void); /* the guest's registers are encrypted, too: SEV-ES */
uint64_t sev_status(void); /* MSR 0xC0010131, 0 without SEV */
uint64_t sev_c_mask(void); /* 1 << C-bit position, 0 without SEV */

/* Fixed addresses promised in the GUIDed table at the image's end (as OVMF's). */
#define SEV_SECRET_BASE 0x810000u
#define SEV_SECRET_SIZE 0xC00u
#define SEV_HASHES_BASE 0x810C00u
#define SEV_HASHES_SIZE 0x400u

#endif
