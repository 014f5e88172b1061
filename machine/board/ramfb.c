/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The file that the firmware writes; whatever it says is only given back. */
#include "machine/board/ramfb.h"

#include <string.h>

bool ramfb_init(struct ramfb *ramfb, struct fw_cfg *fw_cfg)
{
    memset(ramfb, 0, sizeof(*ramfb));
    return fw_cfg_add_writable_file(fw_cfg, "etc/ramfb", ramfb->config, sizeof(ramfb->config));
}
