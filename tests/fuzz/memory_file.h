/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* A fuzzer's bytes as a file that has a path. Needs _GNU_SOURCE, for memfd_create. */
#ifndef PRIVET_FUZZ_MEMORY_FILE_H
#define PRIVET_FUZZ_MEMORY_FILE_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMORY_FILE_PATH 32u

/* The caller closes what is returned, after which the path is no more. */
static inline int memory_file(const void *data, size_t size, char path[MEMORY_FILE_PATH])
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, MEMORY_FILE_PATH, "/proc/self/fd/%d", fd);
    return fd;
}

#endif
