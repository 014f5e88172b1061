/* SPDX-License-Identifier: BSD-2-Clause-Patent */
#include "preload/fd_table.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct entry {
    struct entry *next;
    int fd;
    dev_t device; /* with inode: which file the kernel has there */
    ino_t inode;
    struct fd_file *file;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry *entries; /* a handful */
static pid_t process;         /* whose descriptors they are */

static void before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&lock);
}

static void in_child(void)
{
    process = getpid();
    pthread_mutex_unlock(&lock);
}

void fd_table_start(void)
{
    process = getpid();
    pthread_atfork(before_fork, after_fork, in_child);
}

/* Is it the child of vfork? fork's has the table for its own (in_child). */
static bool is_vforked_child(void)
{
    return process != getpid();
}

/* The kernel's answer: fstat is one of the functions that we stand in for. */
static bool identify(int fd, struct entry *entry)
{
    struct stat status;
    if (syscall(SYS_fstat, fd, &status) != 0)
        return false;
    entry->device = status.st_dev;
    entry->inode = status.st_ino;
    return true;
}

static bool is_current(const struct entry *entry)
{
    struct entry now;
    return identify(entry->fd, &now) && now.device == entry->device && now.inode == entry->inode;
}

/* Moves what is chosen to `removed`, to be released without the lock. */
static void take_out(bool (*chosen)(const struct entry *, unsigned, unsigned), unsigned first,
                     unsigned last, struct entry **removed)
{
    for (struct entry **at = &entries; *at;) {
        struct entry *entry = *at;
        if (!chosen(entry, first, last)) {
            at = &entry->next;
            continue;
        }
        *at = entry->next;
        entry->next = *removed;
        *removed = entry;
    }
}

static bool is_between(const struct entry *entry, unsigned first, unsigned last)
{
    return (unsigned)entry->fd >= first && (unsigned)entry->fd <= last;
}

static bool is_stale(const struct entry *entry, unsigned first, unsigned last)
{
    (void)first;
    (void)last;
    return !is_current(entry);
}

static void release(struct entry *removed)
{
    while (removed) {
        struct entry *next = removed->next;
        fd_table_put(removed->file);
        free(removed);
        removed = next;
    }
}

static struct entry *find(int fd)
{
    struct entry *entry = entries;
    while (entry && entry->fd != fd)
        entry = entry->next;
    return entry;
}

/* With the lock. False: out of memory, or no such descriptor. */
static bool insert(int fd, struct fd_file *file)
{
    struct entry *entry = malloc(sizeof(*entry));
    if (!entry || !identify(fd, entry)) {
        free(entry);
        return false;
    }
    entry->fd = fd;
    entry->file = file;
    entry->next = entries;
    entries = entry;
    file->users++;
    return true;
}

bool fd_table_add(int fd, const struct fd_kind *kind, void *object)
{
    struct fd_file *file = malloc(sizeof(*file));
    struct entry *removed = NULL;
    if (!file)
        return false;
    *file = (struct fd_file){ .kind = kind, .object = object };
    pthread_mutex_lock(&lock);
    take_out(is_between, (unsigned)fd, (unsigned)fd, &removed);
    take_out(is_stale, 0, 0, &removed);
    bool added = insert(fd, file);
    pthread_mutex_unlock(&lock);
    release(removed);
    if (!added)
        free(file);
    return added;
}

struct fd_file *fd_table_get(int fd)
{
    struct entry *removed = NULL;
    struct fd_file *file = NULL;
    pthread_mutex_lock(&lock);
    const struct entry *entry = find(fd);
    if (entry && is_current(entry)) {
        file = entry->file;
        file->users++;
    } else if (entry && !is_vforked_child()) {
        take_out(is_between, (unsigned)fd, (unsigned)fd, &removed);
    }
    pthread_mutex_unlock(&lock);
    release(removed);
    return file;
}

void fd_table_put(struct fd_file *file)
{
    pthread_mutex_lock(&lock);
    bool last = --file->users == 0;
    pthread_mutex_unlock(&lock);
    if (!last)
        return;
    if (file->kind->close)
        file->kind->close(file->object);
    free(file);
}

void fd_table_copy(int fd, int copy)
{
    struct entry *removed = NULL;
    if (fd == copy || is_vforked_child())
        return;
    pthread_mutex_lock(&lock);
    take_out(is_between, (unsigned)copy, (unsigned)copy, &removed);
    const struct entry *entry = find(fd);
    if (entry && is_current(entry))
        insert(copy, entry->file); /* out of memory: the copy is a file of the kernel's */
    pthread_mutex_unlock(&lock);
    release(removed);
}

void fd_table_remove(unsigned first, unsigned last)
{
    struct entry *removed = NULL;
    if (is_vforked_child())
        return;
    pthread_mutex_lock(&lock);
    take_out(is_between, first, last, &removed);
    pthread_mutex_unlock(&lock);
    release(removed);
}
