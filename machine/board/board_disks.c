/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The board's disks: a virtio-blk function each, in slots from 2 on in the order given; those on
 * SCSI are targets of one virtio-scsi host, which has the slot of the first of them.
 */
#include "machine/board/board_state.h"

#include <stdio.h>
#include <stdlib.h>

static bool slot_taken(unsigned index, char *error, size_t size)
{
    return board_fail(error, size, "disk %u: PCI slot %u is taken", index,
                      BOARD_DISK_SLOT + index);
}

static bool add_virtio(struct board *board, unsigned index, const char *serial, char *error,
                       size_t size)
{
    const struct board_disk *disk = &board->config.disks[index];
    bool platform = disk->access == BOARD_ACCESS_AS_OTHERS ? board->config.sev
                                                           : disk->access == BOARD_ACCESS_ON;
    struct virtio_blk *blk = calloc(1, sizeof(*blk));

    if (!blk)
        return board_fail(error, size, "board: out of memory");
    board->disk[index] = blk;
    if (!virtio_blk_init(blk, &board->q35.pci, BOARD_DISK_SLOT + index, platform, disk->image,
                         serial))
        return slot_taken(index, error, size);
    return true;
}

static bool add_scsi(struct board *board, unsigned index, const char *serial, char *error,
                     size_t size)
{
    const struct board_disk *disk = &board->config.disks[index];

    if (!board->scsi) {
        board->scsi = calloc(1, sizeof(*board->scsi));
        board->scsi_slot = BOARD_DISK_SLOT + index;
    }
    if (!board->scsi)
        return board_fail(error, size, "board: out of memory");
    if (!virtio_scsi_add(board->scsi, disk->image, disk->bus == BOARD_DISK_CDROM, serial))
        return board_fail(error, size, "disk %u: too many SCSI disks", index);
    return true;
}

bool board_add_disks(struct board *board, char *error, size_t size)
{
    for (unsigned i = 0; i < board->config.disk_count; i++) {
        const struct board_disk *disk = &board->config.disks[i];
        char numbered[24];
        const char *serial = disk->serial ? disk->serial : numbered;

        snprintf(numbered, sizeof(numbered), "privet-%u", i);
        if (disk->bus == BOARD_DISK_VIRTIO ? !add_virtio(board, i, serial, error, size)
                                           : !add_scsi(board, i, serial, error, size))
            return false;
    }
    if (board->scsi && !virtio_scsi_init(board->scsi, &board->q35.pci, board->scsi_slot,
                                         board->config.sev))
        return slot_taken(board->scsi_slot - BOARD_DISK_SLOT, error, size);
    return true;
}

void board_free_disks(struct board *board)
{
    for (unsigned i = 0; i < BOARD_MAX_DISKS; i++)
        free(board->disk[i]);
    free(board->scsi);
}
