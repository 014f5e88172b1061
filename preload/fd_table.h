/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Which descriptors of the program are ours. All functions may be called from any thread. */
#ifndef PRIVET_PRELOAD_FD_TABLE_H
#define PRIVET_PRELOAD_FD_TABLE_H

#include <stdbool.h>

/* What ioctl and close of a descriptor do; `object` is the descriptor's. close may be NULL. */
struct fd_kind {
    int (*ioctl)(void *object, unsigned long request, void *argument);
    void (*close)(void *object);
};

/* False: out of memory. */
bool fd_table_add(int fd, const struct fd_kind *kind, void *object);
/* NULL: not ours. */
const struct fd_kind *fd_table_find(int fd, void **ret_object);
/* The same, and the descriptor is not ours any more. */
const struct fd_kind *fd_table_remove(int fd, void **ret_object);

#endif
