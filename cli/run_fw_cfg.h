/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The value of --fw-cfg, as QEMU writes it: [name=]NAME,file=FILE or [name=]NAME,string=TEXT. */
#ifndef PRIVET_CLI_RUN_FW_CFG_H
#define PRIVET_CLI_RUN_FW_CFG_H

#include <stdbool.h>

#include "cli/file.h"
#include "machine/board/board.h"

struct run_fw_cfg {
    char name[BOARD_FILE_NAME_SIZE];
    const char *value; /* of `text` */
    bool is_file;      /* value names one; else it is the content, without its NUL */
};

/*
 * The value is everything up to the end, commas included. A name outside opt/ is the firmware's
 * business and gets a warning on stderr, as QEMU's. False: said why on stderr.
 */
bool run_fw_cfg_parse(const char *text, struct run_fw_cfg *ret);
/* Its content, freed by file_free. An empty string is a file of no bytes. */
bool run_fw_cfg_load(const struct run_fw_cfg *option, struct file *ret);

#endif
