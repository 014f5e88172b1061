/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The disks of `privet run`: FILE[,WORD...] as in QEMU's -drive, where a comma of the file's name
 * is doubled.
 */
#ifndef PRIVET_CLI_RUN_DISK_H
#define PRIVET_CLI_RUN_DISK_H

#include "machine/hypervisor/hypervisor.h"

struct run_disk {
    char *text; /* the words, cut; owned */
    struct image_options image;
    enum board_disk_bus bus;
    enum board_disk_access access;
    const char *serial; /* NULL: one by number */
    unsigned boot_rank; /* as in struct board_disk */
};

/* The number of bootindex=N as a boot rank; false: said why on stderr. */
bool run_boot_rank(const char *option, const char *number, unsigned *ret);

/* False: said why on stderr. Either way run_disk_free is due. */
bool run_disk_parse(const char *option, const char *text, struct run_disk *ret);
void run_disk_free(struct run_disk *disk);

/* Once its bus is settled: false, with a line on stderr: the words do not go together. */
bool run_disk_check(const char *option, const struct run_disk *disk);

/* Opens the image and says on stderr what the user should know of it. NULL: said why. */
struct image *run_disk_open(const struct run_disk *disk);

#endif
