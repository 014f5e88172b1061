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

/* Slot 1: entropy; 2 and up: disks. */
bool board_add_devices(struct board *board, char *error, size_t size)
{
    const struct board_config *config = &board->config;
    struct pci_root *pci = &board->q35.pci;

    if (!virtio_rng_init(&board->rng, pci, 1, config->sev, config->seed))
        return board_fail(error, size, "board: PCI slot 1 is taken");
    return board_add_disks(board, error, size) && board_add_host_devices(board, error, size);
}

void board_free_devices(struct board *board)
{
    board_free_host_devices(board);
    board_free_disks(board);
}
