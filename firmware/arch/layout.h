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
#define RESET_SPLIT 0x808000          /* SEV-ES: page table of the 2 MiB around the GHCB */
#define GHCB_PAGE 0x809000            /* SEV-ES: shared with the hypervisor, for good */
#define WORK_AREA 0x80B000            /* guest type; then the SEV part */
#define WORK_VC 0x80B001              /* not 0: there was a #VC */
#define WORK_SEV_STATUS 0x80B004
#define WORK_RANDOM 0x80B00C
#define WORK_C_MASK 0x80B014
#define LAUNCH_PAGE 0x810000          /* secret block, hash table */
#define RESET_STACK_TOP 0x820000
#define BODY_BASE 0x900000            /* where the firmware proper runs */

/*
 * SEV-ES: the page in which an operating system says where its processors begin (the AP jump table of
 * GHCB 2.03: IP, CS), and at its end a mark that it was made. Below 1 MiB: they read it in real mode.
 */
#define AP_TABLE 0x9F000
#define AP_TABLE_MARK 0xFF0           /* at this offset, 16 bytes */
#define AP_MARK_0 0x76697250
#define AP_MARK_1 0x50417465
#define AP_MARK_2 0x6C626154
#define AP_MARK_3 0x00212165

#define SELECTOR_CODE32 0x08
#define SELECTOR_DATA 0x10
#define SELECTOR_CODE64 0x18

#endif
