/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the files of the FAT file system protocol share: fatfs.c has volumes, nodes and opening,
 * fatfs_io.c reading and writing, fatfs_info.c information. Status codes are those of UEFI 2.10 13.5
 * and, where it leaves room, edk2's.
 */
#ifndef PRIVET_FIRMWARE_FATFS_H
#define PRIVET_FIRMWARE_FATFS_H

#include "firmware/storage/block.h"
#include "firmware/storage/fat.h"

/* A file or directory that is open, once, however many handles it has. */
struct node {
    struct node *next, *parent; /* the root has no parent */
    struct fat_file file;
    unsigned references; /* handles and children */
    unsigned children;   /* open files in this directory */
    bool deleted;
    CHAR16 name[FAT_NAME_ROOM];
};

struct fat_system {
    EFI_SIMPLE_FILE_SYSTEM_PROTOCOL protocol;
    struct fat_system *next;
    struct block_range *range;
    struct fat_volume volume;
    struct node root;
    struct node *nodes; /* all but the root */
};

/* A handle. */
struct open_file {
    EFI_FILE_PROTOCOL protocol;
    struct fat_system *system;
    struct node *node;
    uint64_t position; /* bytes; of a directory: of the next entry */
    bool writable;
    EFI_TPL tpl; /* during a call */
};

/* Around each call of the protocol: nobody else is in the file system. */
struct open_file *fatfs_enter(EFI_FILE_PROTOCOL *this);
EFI_STATUS fatfs_leave(struct open_file *file, EFI_STATUS status);
EFI_STATUS fatfs_status(enum fat_result result);
static inline bool fatfs_is_directory(const struct node *node)
{
    return node->file.attributes & FAT_DIRECTORY;
}

/*
 * Follows a path from a node. On success *ret_node is held (fatfs_drop) and *ret_length is 0, or, if
 * only the last component does not exist, *ret_node is its directory and *ret_name the name.
 */
EFI_STATUS fatfs_locate(struct fat_system *system, struct node *from, const CHAR16 *path,
                        bool directory, struct node **ret_node, const CHAR16 **ret_name,
                        size_t *ret_length);
void fatfs_drop(struct fat_system *system, struct node *node);

void fatfs_now(struct fat_time *ret);
/* Ends a request of an asynchronous call, which is always done by then (UEFI 2.10 13.5.7). */
EFI_STATUS fatfs_complete(EFI_FILE_IO_TOKEN *token, EFI_STATUS status);

/* fatfs_io.c */
EFI_STATUS EFIAPI fatfs_read(EFI_FILE_PROTOCOL *this, UINTN *size, VOID *buffer);
EFI_STATUS EFIAPI fatfs_write(EFI_FILE_PROTOCOL *this, UINTN *size, VOID *buffer);
EFI_STATUS EFIAPI fatfs_flush(EFI_FILE_PROTOCOL *this);
EFI_STATUS EFIAPI fatfs_read_ex(EFI_FILE_PROTOCOL *this, EFI_FILE_IO_TOKEN *token);
EFI_STATUS EFIAPI fatfs_write_ex(EFI_FILE_PROTOCOL *this, EFI_FILE_IO_TOKEN *token);
EFI_STATUS EFIAPI fatfs_flush_ex(EFI_FILE_PROTOCOL *this, EFI_FILE_IO_TOKEN *token);
EFI_STATUS EFIAPI fatfs_get_position(EFI_FILE_PROTOCOL *this, UINT64 *ret_position);
EFI_STATUS EFIAPI fatfs_set_position(EFI_FILE_PROTOCOL *this, UINT64 position);

/* fatfs_info.c */
EFI_STATUS EFIAPI fatfs_get_info(EFI_FILE_PROTOCOL *this, EFI_GUID *type, UINTN *size,
                                 VOID *buffer);
EFI_STATUS EFIAPI fatfs_set_info(EFI_FILE_PROTOCOL *this, EFI_GUID *type, UINTN size, VOID *buffer);
/* EFI_FILE_INFO of a file with this name. */
EFI_STATUS fatfs_fill_info(struct fat_volume *volume, struct fat_file *file, const CHAR16 *name,
                           UINTN *size, VOID *buffer);
/* EFI_TIME as FAT has it. False: not a time, or before 1980 or after 2107. */
bool fatfs_from_time(const EFI_TIME *time, struct fat_time *ret);

#endif
