/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The file "bootorder" of fw_cfg: the devices with a boot index, the lowest first, a line each, in
 * the manner of OpenFirmware as QEMU writes them (bootindex=); the last line ends with NUL.
 */
#include "machine/board/board_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX (BOARD_MAX_DISKS + 1)
#define ROOT      "/pci@i0cf8/"

struct line {
    unsigned rank;
    char path[56];
};

static void describe_disk(const struct board *board, unsigned index, unsigned *target,
                          struct line *line)
{
    const struct board_disk *disk = &board->config.disks[index];

    line->rank = disk->boot_rank;
    if (disk->bus == BOARD_DISK_VIRTIO)
        snprintf(line->path, sizeof(line->path), ROOT "scsi@%x/disk@0,0", BOARD_DISK_SLOT + index);
    else
        snprintf(line->path, sizeof(line->path), ROOT "scsi@%x/channel@0/disk@%x,0",
                 board->scsi_slot, (*target)++);
}

static unsigned collect(const struct board *board, struct line *lines)
{
    unsigned count = 0, target = 0;

    for (unsigned i = 0; i < board->config.disk_count; i++) {
        describe_disk(board, i, &target, &lines[count]);
        count += lines[count].rank != 0;
    }
    if (board->config.net && board->config.net->boot_rank) {
        lines[count].rank = board->config.net->boot_rank;
        snprintf(lines[count++].path, sizeof(lines[0].path), ROOT "ethernet@%x/ethernet-phy@0",
                 BOARD_NET_SLOT);
    }
    return count;
}

static int by_rank(const void *a, const void *b)
{
    unsigned x = ((const struct line *)a)->rank, y = ((const struct line *)b)->rank;

    return x < y ? -1 : x > y;
}

bool board_add_boot_order(struct board *board, char *error, size_t error_size)
{
    struct line lines[LINES_MAX] = { { 0 } };
    unsigned count = collect(board, lines);
    size_t length = 0;

    qsort(lines, count, sizeof(*lines), by_rank);
    for (unsigned i = 0; i < count; i++) {
        if (i > 0 && lines[i].rank == lines[i - 1].rank)
            return board_fail(error, error_size, "bootindex %u: two devices have it",
                              lines[i].rank - 1);
        length += (size_t)snprintf(board->boot_order + length, sizeof(board->boot_order) - length,
                                   "%s%s", i ? "\n" : "", lines[i].path);
    }
    if (count)
        fw_cfg_add_file(&board->fw_cfg, "bootorder", board->boot_order, length + 1, NULL, NULL);
    return true;
}
