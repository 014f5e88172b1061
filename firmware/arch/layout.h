/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Fixed addresses of the low 16 MiB, shared by the reset code, the linker script and C. The block
 * at 0x800000 is laid out as OVMF's, because hosts know it: secrets and hashes at 0x810000.
 * Usable from assembly and from the linker script: plain defines only.
 */
#ifndef PRIVET_FIRMWARE_LAYOUT_H
#define PRIVET_FIRMWARE_LAYOUT_H

#define FLASH_SIZE 0x30000            /* the whole image, ending at 4 GiB */
#define RESET_SIZE 0x1000             /* its last page: reset code, GUIDed table, vector */

#define RESET_TABLES 0x800000         /* PML4, PDPT, four PDs */
#define RESET_TABLES_SIZE 0x6000
#define WORK_AREA 0x80B000            /* guest type; then the SEV part */
#define WORK_SEV_STATUS 0x80B004
#define WORK_RANDOM 0x80B00C
#define WORK_C_MASK 0x80B014
#define LAUNCH_PAGE 0x810000          /* secret block, hash table */
#define RESET_STACK_TOP 0x820000
#define BODY_BASE 0x900000            /* where the firmware proper runs */

#define SELECTOR_CODE32 0x08
#define SELECTOR_DATA 0x10
#define SELECTOR_CODE64 0x18

#endif
