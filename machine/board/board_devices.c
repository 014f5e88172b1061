/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The board's PCI devices: which exist, in which slot.
 */
#include "machine/board/board_state.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool board_fail(char *error, size_t size, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error, size, format, arguments);
    va_end(arguments);
    return false;
}

/* Slot 1: entropy; 2 and up: disks in the order given. */
bool board_add_devices(struct board *board, char *error, size_t size)
{
    const struct board_config *config = &board->config;
    struct pci_root *pci = &board->q35.pci;

    if (!virtio_rng_init(&board->rng, pci, 1, config->sev, config->seed))
        return board_fail(error, size, "board: PCI slot 1 is taken");
    for (unsigned i = 0; i < config->disk_count; i++) {
        char serial[24];

        snprintf(serial, sizeof(serial), "privet-%u", i);
        board->disk[i] = calloc(1, sizeof(*board->disk[i]));
        if (!board->disk[i])
            return board_fail(error, size, "board: out of memory");
        if (!virtio_blk_init(board->disk[i], pci, 2 + i, config->sev, config->disks[i].fd,
                             config->disks[i].read_only, serial))
            return board_fail(error, size, "disk %u: %s", i, strerror(errno));
    }
    return board_add_host_devices(board, error, size);
}

void board_free_devices(struct board *board)
{
    board_free_host_devices(board);
    for (unsigned i = 0; i < BOARD_MAX_DISKS; i++)
        free(board->disk[i]);
}
