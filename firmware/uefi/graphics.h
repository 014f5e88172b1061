/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Graphics output on a linear frame buffer of 32-bit pixels, for programs that draw themselves; the
 * firmware's console stays on the serial line.
 */
#ifndef PRIVET_FIRMWARE_GRAPHICS_H
#define PRIVET_FIRMWARE_GRAPHICS_H

#include <stdbool.h>

#include "firmware/uefi/efi.h"

struct frame_buffer {
    uint64_t base, size; /* bytes; the modes are those that fit */
    bool (*show)(uint32_t width, uint32_t height); /* false: the display refuses */
};

/* Publishes the display (there is one at most) in its first mode. The path stays for good. */
void graphics_publish(const struct frame_buffer *buffer, EFI_DEVICE_PATH_PROTOCOL *path);

#endif
