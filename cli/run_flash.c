/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Flash images of `privet run` that keep what the guest writes. Each program or erase command goes
 * to the file before the guest's next instruction: whenever the run ends, even killed, the file
 * holds what a flash chip would hold after losing power.
 */
#include "cli/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const char *const unit_names[] = { "firmware", "vars" };

unsigned run_flash_split(const char *text, const struct run_flash_word *words)
{
    char *comma = text ? strrchr(text, ',') : NULL;
    for (; comma && words->word; words++) {
        if (strcmp(comma + 1, words->word) == 0) {
            *comma = '\0'; /* the command line's memory is ours to cut */
            return words->meaning;
        }
    }
    return RUN_FLASH_DEFAULT;
}

bool run_flash_open(struct run_flash *flash, enum board_flash_unit unit, const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    flash->path[unit] = path;
    flash->fd[unit] = fd;
    if (fd < 0) {
        bool exists = errno == EACCES || errno == EPERM || errno == EROFS;
        bool absent = errno == ENOENT && unit == BOARD_FLASH_VARIABLES;
        fprintf(stderr, "privet: %s: %s%s\n", path, strerror(errno),
                absent    ? ": 'privet firmware new-vars FILE' makes an empty one"
                : !exists ? ""
                : unit == BOARD_FLASH_VARIABLES ? ": give a copy, or add ',snapshot'"
                                                : ": give a copy, or leave ',flash' out");
        return false;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        fprintf(stderr, "privet: %s: in use by another run (%s)\n", path, strerror(errno));
        return false;
    }
    return true;
}

bool run_flash_store(struct run_flash *flash, enum board_flash_unit unit, uint64_t offset,
                     const uint8_t *data, size_t length)
{
    int fd = flash->fd[unit];
    if (fd < 0)
        return true; /* changes live as long as the run */
    while (length) {
        ssize_t done = pwrite(fd, data, length, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            if (!flash->failed)
                fprintf(stderr, "privet: %s: what the guest wrote to its %s flash is lost: %s\n",
                        flash->path[unit], unit_names[unit],
                        done ? strerror(errno) : "nothing was written");
            flash->failed = true;
            return false;
        }
        data += done;
        offset += (uint64_t)done;
        length -= (size_t)done;
    }
    return true;
}

bool run_flash_close(struct run_flash *flash)
{
    for (unsigned unit = 0; unit < RUN_FLASH_UNITS; unit++) {
        int fd = flash->fd[unit];
        if (fd < 0)
            continue;
        if (fdatasync(fd) != 0 && errno != EINVAL && !flash->failed) {
            fprintf(stderr, "privet: %s: %s flash: %s\n", flash->path[unit], unit_names[unit],
                    strerror(errno));
            flash->failed = true;
        }
        close(fd);
        flash->fd[unit] = -1;
    }
    return !flash->failed;
}
