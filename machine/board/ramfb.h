/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * QEMU's ramfb: a display that is a frame buffer in guest memory. The firmware allocates it and
 * writes into the fw_cfg file etc/ramfb where it is. Nobody looks at the picture here; it is for
 * software that will not run without a display.
 */
#ifndef PRIVET_MACHINE_BOARD_RAMFB_H
#define PRIVET_MACHINE_BOARD_RAMFB_H

#include "machine/board/fw_cfg.h"

struct ramfb {
    uint8_t config[28]; /* big endian: u64 address, u32 fourcc, flags, width, height, stride */
};

bool ramfb_init(struct ramfb *ramfb, struct fw_cfg *fw_cfg);

#endif
