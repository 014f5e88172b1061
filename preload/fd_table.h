/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Which descriptors of the program are ours. A descriptor and its copies share an object, which is
 * closed with the last of them. All functions may be called from any thread.
 *
 * A descriptor that was closed or replaced behind our back (by a raw system call, fclose, ...) is
 * noticed by the file that it leads to. The child of vfork, which has its parent's memory but
 * descriptors of its own, changes nothing here.
 */
#ifndef PRIVET_PRELOAD_FD_TABLE_H
#define PRIVET_PRELOAD_FD_TABLE_H

#include <stdbool.h>

/* What ioctl of a descriptor and the end of its last copy do. close may be NULL. */
struct fd_kind {
    int (*ioctl)(void *object, int fd, unsigned long request, void *argument);
    void (*close)(void *object);
};

/* An object that is in use: it stays until fd_table_put. */
struct fd_file {
    const struct fd_kind *kind;
    void *object;
    unsigned users;
};

/* Once, before anything else. */
void fd_table_start(void);

/* False: out of memory; the object is still the caller's. */
bool fd_table_add(int fd, const struct fd_kind *kind, void *object);
/* NULL: not ours. */
struct fd_file *fd_table_get(int fd);
void fd_table_put(struct fd_file *file);
/* `copy` leads to where `fd` leads, ours or not, and not any more to where it led. */
void fd_table_copy(int fd, int copy);
/* The descriptors from `first` to `last` are closed. */
void fd_table_remove(unsigned first, unsigned last);

#endif
