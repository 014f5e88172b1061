/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * From the device path of a boot option to the full paths that it may mean (UEFI 2.10 3.1.2):
 * partitions without the way to them, files without a device, devices without a file.
 */
#ifndef PRIVET_FIRMWARE_BOOTPATH_H
#define PRIVET_FIRMWARE_BOOTPATH_H

#include "firmware/uefi/efi.h"

#define REMOVABLE_LOADER u"\\EFI\\BOOT\\BOOTX64.EFI" /* UEFI 2.10 3.5.1.1 */
#define PATH_TEXT_ROOM   320u

/* True: go no further. The path is valid during the call. */
typedef bool bootpath_visit(void *context, EFI_DEVICE_PATH_PROTOCOL *full);

/*
 * Visits each full path until one ends the search. Returns NULL, or why there was none to visit
 * (constant text).
 */
const char *bootpath_expand(EFI_DEVICE_PATH_PROTOCOL *path, bootpath_visit *visit, void *context);

/* The removable-media loader of every volume that is not the host's kernel; removable ones first. */
void bootpath_every_loader(bootpath_visit *visit, void *context);

/* As bootpath_expand, but only the device: what qemu_order compares. NULL: none; else pool. */
EFI_DEVICE_PATH_PROTOCOL *bootpath_device(EFI_DEVICE_PATH_PROTOCOL *path);

/* The path as ASCII text, shortened if it must be; returns `text`. */
const char *bootpath_text(const EFI_DEVICE_PATH_PROTOCOL *path, char *text, size_t size);

#endif
