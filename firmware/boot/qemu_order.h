/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The host's boot order: fw_cfg's file "bootorder", which QEMU makes of bootindex=. Each line is a
 * device in OpenFirmware's manner. Pure: text and device paths in, ranks out.
 */
#ifndef PRIVET_FIRMWARE_QEMU_ORDER_H
#define PRIVET_FIRMWARE_QEMU_ORDER_H

#include <stdbool.h>
#include <stddef.h>

#include "firmware/uefi/efi.h"

#define QEMU_ORDER_NONE SIZE_MAX

struct qemu_order {
    const char *text; /* lines, ended by '\n', NUL or the length; NULL: the host has no order */
    size_t length;
};

/*
 * The number of the first line that names the path's device (a path that starts with it is the
 * device's, too), QEMU_ORDER_NONE if no line does. The path is well-formed.
 */
size_t qemu_order_rank(const struct qemu_order *order, const EFI_DEVICE_PATH_PROTOCOL *path);

/* Does the order end in HALT (QEMU: -boot strict=on)? Then nothing else may be booted. */
bool qemu_order_strict(const struct qemu_order *order);

#endif
