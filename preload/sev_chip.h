/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The chip that a program meets behind /dev/sev and KVM: powered on with the first use, in the program's
 * own process, from the state folder that PRIVET_SEV_STATE names; the folder is locked until the
 * program ends. A page's physical address is its address in the program.
 */
#ifndef PRIVET_PRELOAD_SEV_CHIP_H
#define PRIVET_PRELOAD_SEV_CHIP_H

#include <stddef.h>
#include <stdint.h>

/* One command, whose buffer is the chip's (sev/command.h): its status; -ENODEV, with one line, where
 * there is no chip. */
int sev_chip_command(unsigned command, void *buffer);

/* Host memory that a command may reach, as chip_map; 0 for none. */
uint64_t sev_chip_map(uint64_t address, size_t size);
void sev_chip_unmap(uint64_t physical);

/*
 * The program's memory, to the chip's DRAM and back. `pull` is false where the chip has no memory left.
 * Whole blocks of 16 bytes are what encryption works on; other bytes are untouched.
 */
_Bool sev_chip_pull(uint64_t address, size_t size);
void sev_chip_push(uint64_t address, size_t size);

/* WBINVD and DF_FLUSH: what a host does before an ASID is used again. */
void sev_chip_flush(void);


#endif
