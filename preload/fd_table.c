/* SPDX-License-Identifier: BSD-2-Clause-Patent */
#include "preload/fd_table.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

struct entry {
    struct entry *next;
    int fd;
    const struct fd_kind *kind;
    void *object;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry *entries; /* a handful */

static struct entry **place(int fd)
{
    struct entry **at = &entries;
    while (*at != NULL && (*at)->fd != fd)
        at = &(*at)->next;
    return at;
}

bool fd_table_add(int fd, const struct fd_kind *kind, void *object)
{
    struct entry *entry = malloc(sizeof(*entry));
    if (entry == NULL)
        return false;
    pthread_mutex_lock(&lock);
    *entry = (struct entry){ .next = entries, .fd = fd, .kind = kind, .object = object };
    entries = entry;
    pthread_mutex_unlock(&lock);
    return true;
}

const struct fd_kind *fd_table_find(int fd, void **ret_object)
{
    pthread_mutex_lock(&lock);
    const struct entry *entry = *place(fd);
    const struct fd_kind *kind = entry == NULL ? NULL : entry->kind;
    if (entry != NULL)
        *ret_object = entry->object;
    pthread_mutex_unlock(&lock);
    return kind;
}

const struct fd_kind *fd_table_remove(int fd, void **ret_object)
{
    pthread_mutex_lock(&lock);
    struct entry **at = place(fd), *entry = *at;
    const struct fd_kind *kind = entry == NULL ? NULL : entry->kind;
    if (entry != NULL) {
        *ret_object = entry->object;
        *at = entry->next;
    }
    pthread_mutex_unlock(&lock);
    free(entry);
    return kind;
}
