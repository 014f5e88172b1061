/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* SMBIOS tables from fw_cfg. */
#ifndef PRIVET_FIRMWARE_SMBIOS_H
#define PRIVET_FIRMWARE_SMBIOS_H

/* After uefi_init. Tables that fail a check are left out with a message. */
void smbios_init(void);

#endif
