/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The table of kernel hashes that is measured with the firmware (QEMU kernel-hashes=on). */
#ifndef PRIVET_SEV_HASHES_H
#define PRIVET_SEV_HASHES_H

#include <stdint.h>

#define SEV_HASHES_TABLE_SIZE 176u /* 168 used, padded to 16 */

/* SHA-256 each: command line with its NUL, initrd (of nothing if none), kernel file. */
struct sev_kernel_hashes {
    uint8_t cmdline[32], initrd[32], kernel[32];
};

void sev_hashes_build(const struct sev_kernel_hashes *hashes, uint8_t table[SEV_HASHES_TABLE_SIZE]);

#endif
