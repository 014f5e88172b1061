/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a directly booted program finds around itself: a read-only file system with the files
 * kernel, initrd and cmdline on the device it came from, and LoadFile2 for the initrd.
 */
#ifndef PRIVET_FIRMWARE_KERNELFS_H
#define PRIVET_FIRMWARE_KERNELFS_H

#include <stddef.h>
#include <stdint.h>

#include "firmware/uefi/efi.h"

struct blob {
    uint8_t *data;
    size_t size;
    uint64_t pages; /* that hold it; more than its size needs where it may grow in place */
};

/* Device path of the file system's handle. */
const EFI_DEVICE_PATH_PROTOCOL *kernelfs_path(void);
/* Installs both; empty blobs have no file. The blobs stay the caller's and must stay in place. */
void kernelfs_install(const struct blob *kernel, const struct blob *initrd,
                      const struct blob *command_line);
/* Takes both away again: what is booted instead must not find the host's initrd. */
void kernelfs_remove(void);

#endif
