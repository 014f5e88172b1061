/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The board's SMBIOS structures (SMBIOS 3.0), as QEMU's fw_cfg files etc/smbios/smbios-anchor and
 * etc/smbios/smbios-tables; the firmware places them and fills in the address. Private to
 * machine/board.
 */
#ifndef PRIVET_MACHINE_SMBIOS_H
#define PRIVET_MACHINE_SMBIOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Owned by the caller; smbios_free. */
struct smbios_blobs {
    uint8_t *anchor, *tables;
    size_t anchor_size, tables_size;
};

/* False: out of memory. */
bool smbios_build(uint64_t ram_size, unsigned processors, struct smbios_blobs *ret);
void smbios_free(struct smbios_blobs *blobs);

#endif
