/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The board's disks: virtio-blk functions of their own from slot 2 on, in the order given.
 */
#include "machine/board/board_state.h"

#include <stdio.h>
#include <stdlib.h>

static bool add_virtio(struct board *board, unsigned index, char *error, size_t size)
{
    const struct board_disk *disk = &board->config.disks[index];
    char serial[24];

    snprintf(serial, sizeof(serial), "privet-%u", index);
    board->disk[index] = calloc(1, sizeof(*board->disk[index]));
    if (!board->disk[index])
        return board_fail(error, size, "board: out of memory");
    if (!virtio_blk_init(board->disk[index], &board->q35.pci, BOARD_DISK_SLOT + index,
                         board->config.sev, disk->image, disk->serial ? disk->serial : serial))
        return board_fail(error, size, "disk %u: PCI slot %u is taken", index,
                          BOARD_DISK_SLOT + index);
    return true;
}

bool board_add_disks(struct board *board, char *error, size_t size)
{
    for (unsigned i = 0; i < board->config.disk_count; i++) {
        if (board->config.disks[i].bus != BOARD_DISK_VIRTIO)
            return board_fail(error, size, "disk %u: this board has no SCSI controller", i);
        if (!add_virtio(board, i, error, size))
            return false;
    }
    return true;
}

void board_free_disks(struct board *board)
{
    for (unsigned i = 0; i < BOARD_MAX_DISKS; i++)
        free(board->disk[i]);
}
