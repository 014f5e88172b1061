/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * FAT12, FAT16 and FAT32 with long names (UEFI 2.10 13.3), reading and writing. Pure functions over
 * bytes of a volume: the disk may be hostile; every walk is bounded and every offset checked.
 *
 * Writes go to the disk at once and in such an order that a power cut leaves lost clusters at worst:
 * clusters are filled before anything names them, an entry appears and disappears with one write of
 * 512 bytes, clusters are freed after their last mention is gone. fat_modify.c
 */
#ifndef PRIVET_FIRMWARE_FAT_H
#define PRIVET_FIRMWARE_FAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAT_NAME_ROOM  256u /* UTF-16 units with the NUL */
#define FAT_LABEL_ROOM 12u  /* a volume label with the NUL */
#define FAT_ENTRY_SIZE 32u

#define FAT_READ_ONLY    0x01u
#define FAT_VOLUME_LABEL 0x08u
#define FAT_DIRECTORY    0x10u
#define FAT_ARCHIVE      0x20u
#define FAT_CHANGEABLE   0x27u /* attributes that may be set */

enum fat_result {
    FAT_OK,
    FAT_END,       /* no such entry; no more entries */
    FAT_IO_ERROR,  /* the disk failed */
    FAT_CORRUPT,   /* a chain or a directory is not what it should be */
    FAT_FULL,      /* no cluster or no place in the directory is left */
    FAT_TOO_LARGE, /* a file of 4 GiB */
    FAT_NOT_EMPTY, /* a directory that should be removed */
    FAT_BAD_NAME,
};

/* Bytes of the volume; false: I/O error or beyond its end. write is NULL for a read-only one. */
struct fat_disk {
    bool (*read)(void *context, uint64_t offset, void *data, size_t length);
    bool (*write)(void *context, uint64_t offset, const void *data, size_t length);
    void *context;
};

/* FAT's own form of date and time. */
struct fat_time {
    uint16_t date, time;
    uint8_t tenths; /* 10 ms, 0 to 199; kept for the creation only */
};

/* The part of the allocation table that was looked at last; no entry of any width straddles it. */
#define FAT_WINDOW 1536u
struct fat_window {
    uint64_t offset; /* in the table */
    uint32_t length; /* 0: nothing is loaded */
    uint32_t changed_from, changed_to;
    uint8_t bytes[FAT_WINDOW];
};

struct fat_volume {
    struct fat_disk disk;
    unsigned bits; /* 12, 16, 32 */
    uint32_t cluster_size, clusters, root_cluster;
    uint64_t fat, fat_size, root, data; /* byte offsets; root: FAT12 and FAT16 */
    unsigned fats;                      /* copies to write, the one at `fat` first */
    uint32_t root_size;
    uint64_t total;
    uint64_t info, backup; /* FSInfo and backup boot sector of FAT32; 0: none */
    bool has_label;        /* the boot sector has one, too */
    uint32_t free;         /* clusters; FAT_UNKNOWN: to be counted */
    uint32_t next;         /* where to look for a free cluster first */
    bool changing;         /* marked on the disk as not properly left, by us */
    bool was_dirty;        /* by somebody else, before */
    bool failed;           /* a write failed: the mark stays */
    struct fat_window window;
};
#define FAT_UNKNOWN 0xFFFFFFFFu

struct fat_file {
    uint32_t first, size; /* first cluster, 0: empty, or the root directory of FAT12/16 */
    uint8_t attributes;
    bool fixed_root;
    struct fat_time created, modified;
    uint16_t accessed;
    uint32_t at_index, at_cluster; /* where the last access was in the chain */
    uint32_t entries, entry; /* places in its directory: of the set's first entry and the 8.3 one */
};

struct fat_entry {
    uint16_t name[FAT_NAME_ROOM];
    uint8_t raw[FAT_ENTRY_SIZE]; /* the 8.3 entry */
    struct fat_file file;
};

/* --- fat_volume.c --- */

/* True: a FAT volume of at most `size` bytes; *ret is set. */
bool fat_mount(const struct fat_disk *disk, uint64_t size, struct fat_volume *ret);
void fat_root(const struct fat_volume *volume, struct fat_file *ret);
/* Forgets what was read of the table: others may have written to the disk. */
void fat_refresh(struct fat_volume *volume);
/* Called by each function that changes something: the volume is marked as in use. */
enum fat_result fat_begin(struct fat_volume *volume);
/* Nothing is under way: the mark goes, FSInfo is written; not after a write that failed. */
enum fat_result fat_settle(struct fat_volume *volume);
enum fat_result fat_get_label(struct fat_volume *volume, uint16_t label[FAT_LABEL_ROOM]);
enum fat_result fat_set_label(struct fat_volume *volume, const uint16_t *label,
                              const struct fat_time *now);

/* --- fat_table.c: the allocation table. set changes the window only, flush writes it --- */

bool fat_is_cluster(const struct fat_volume *volume, uint32_t cluster);
enum fat_result fat_table_get(struct fat_volume *volume, uint32_t cluster, uint32_t *ret);
enum fat_result fat_table_set(struct fat_volume *volume, uint32_t cluster, uint32_t value);
enum fat_result fat_table_flush(struct fat_volume *volume);
#define FAT_CHAIN_END 0x0FFFFFFFu
/* A chain of so many free clusters, written. */
enum fat_result fat_allocate(struct fat_volume *volume, uint32_t count, uint32_t *ret_first);
enum fat_result fat_free_chain(struct fat_volume *volume, uint32_t first);
/* Counts if nobody knows. */
enum fat_result fat_free_clusters(struct fat_volume *volume, uint32_t *ret);

/* --- fat_chain.c: content of files and directories --- */

/* Moves the file's place in its chain to cluster number `index`. FAT_END: the chain is shorter. */
enum fat_result fat_seek(struct fat_volume *volume, struct fat_file *file, uint32_t index);
/* Reads from a file, up to its size. */
enum fat_result fat_read(struct fat_volume *volume, struct fat_file *file, uint32_t offset,
                         void *data, size_t length);
/* Reads or writes in the chain, whatever the size. */
enum fat_result fat_chain_read(struct fat_volume *volume, struct fat_file *file, uint32_t offset,
                               void *data, size_t length);
enum fat_result fat_chain_write(struct fat_volume *volume, struct fat_file *file, uint32_t offset,
                                const void *data, size_t length);
/* Makes the chain at least so many clusters long. */
enum fat_result fat_chain_extend(struct fat_volume *volume, struct fat_file *file,
                                 uint32_t clusters);
enum fat_result fat_chain_zero(struct fat_volume *volume, struct fat_file *file, uint32_t from,
                               uint32_t to);
/* Bytes that the clusters of a directory hold. */
enum fat_result fat_directory_size(struct fat_volume *volume, struct fat_file *directory,
                                   uint32_t *ret);

/* --- fat_name.c: names, without a disk --- */

#define FAT_SHORT_NAME 11u
#define FAT_SET_MOST   21u /* entries of one name: 20 of the long one, one of the 8.3 name */
#define FAT_DELETED    0xE5u
#define FAT_LONG       0x0Fu /* attributes of a piece of a long name */

struct fat_alias {
    uint8_t name[FAT_SHORT_NAME];
    uint8_t lower; /* bit 3: the base, bit 4: the extension is meant in lower case */
    bool exact;    /* it says all of the name: no long one is needed */
};

/* A long name as its pieces come in, the last first. */
struct fat_long_name {
    unsigned expected; /* number of the next piece; 0: none under way, or complete */
    bool complete;
    uint8_t checksum;
    uint16_t letters[20 * 13 + 1];
};

/* ASCII and Latin-1 in upper case; other letters have none. */
uint16_t fat_upper(uint16_t letter);
/* Names that differ in case only are the same. `b` ends with NUL. */
bool fat_same_name(const uint16_t *a, size_t length, const uint16_t *b);
/* Leaves out blanks in front, blanks and dots behind. False: not a possible name. */
bool fat_trim_name(const uint16_t **name, size_t *length);
/* The 8.3 name; without numeric tail if it is not exact. */
struct fat_alias fat_make_alias(const uint16_t *name, size_t length);
/* Puts "~number" into an alias. */
void fat_number_alias(struct fat_alias *alias, unsigned number);
/* Writes the entries of the long name in front of the 8.3 entry; returns how many in all. */
unsigned fat_encode_set(const uint16_t *name, size_t length, bool exact,
                        const uint8_t entry[FAT_ENTRY_SIZE],
                        uint8_t ret[FAT_SET_MOST][FAT_ENTRY_SIZE]);
void fat_take_piece(struct fat_long_name *name, const uint8_t *entry);
/* The name that an 8.3 entry means, with the long name in front of it. True: it had one. */
bool fat_decode_name(const uint8_t *entry, const struct fat_long_name *long_name,
                     uint16_t ret[FAT_NAME_ROOM]);

/* --- fat_directory.c: reading directories --- */

/* Entries are moved in units that lie within a sector, whatever its size. */
#define FAT_UNIT         512u
#define FAT_UNIT_ENTRIES (FAT_UNIT / FAT_ENTRY_SIZE)

enum fat_result fat_unit_read(struct fat_volume *volume, struct fat_file *directory,
                              uint32_t position, uint8_t unit[FAT_UNIT]);
enum fat_result fat_unit_write(struct fat_volume *volume, struct fat_file *directory,
                               uint32_t position, const uint8_t unit[FAT_UNIT]);
/* The next entry of a directory from *position (start with 0), which advances. */
enum fat_result fat_next(struct fat_volume *volume, struct fat_file *directory, uint32_t *position,
                         struct fat_entry *ret);
/* Finds a name, long or 8.3, in a directory. */
enum fat_result fat_find(struct fat_volume *volume, struct fat_file *directory,
                         const uint16_t *name, size_t length, struct fat_entry *ret);

/* --- fat_modify.c: changing directories and files --- */

/* Puts a set of entries, the 8.3 one last, into a directory, which grows if need be. */
enum fat_result fat_insert(struct fat_volume *volume, struct fat_file *directory,
                           const uint8_t set[][FAT_ENTRY_SIZE], unsigned count,
                           uint32_t *ret_position);
/* A new entry. A directory gets its first cluster with "." and "..". The name must be free. */
enum fat_result fat_create(struct fat_volume *volume, struct fat_file *directory,
                           const uint16_t *name, size_t length, uint8_t attributes,
                           const struct fat_time *now, struct fat_entry *ret);
/* Removes a file or an empty directory. */
enum fat_result fat_remove(struct fat_volume *volume, struct fat_file *directory,
                           struct fat_file *file);
/* Gives a file another name, in the same directory (to == from) or another one. */
enum fat_result fat_rename(struct fat_volume *volume, struct fat_file *from, struct fat_file *to,
                           struct fat_file *file, const uint16_t *name, size_t length);
/* Writes size, first cluster, attributes and times into the entry. */
enum fat_result fat_update(struct fat_volume *volume, struct fat_file *directory,
                           const struct fat_file *file);
/* Writes to a file, which grows if need be; what lies between the old end and offset is zeros. The
 * entry is not written: fat_update. */
enum fat_result fat_write(struct fat_volume *volume, struct fat_file *file, uint64_t offset,
                          const void *data, size_t length);
/* Cuts or extends with zeros; the entry is written. */
enum fat_result fat_resize(struct fat_volume *volume, struct fat_file *directory,
                           struct fat_file *file, uint64_t size);

#endif
