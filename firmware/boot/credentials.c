/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The table of secrets: GUID and 32-bit length of all, then entries of GUID, length (of the header,
 * too), data. The entry of credentials is a row of: name, NUL, 32-bit length, value.
 *
 * The archive has them where systemd-stub puts those that it finds, and for initrds of
 * initramfs-tools, which have no systemd to look there, a piece of their configuration that takes
 * them to the system's systemd.
 */
#include "firmware/boot/credentials.h"

#include <string.h>

#include "firmware/lib/log.h"

#define HEADER_SIZE  20u
#define NAME_MAXIMUM 255u /* of a credential: it is a file's name */
#define FOLDER       ".extra/credentials"
#define NAME_ROOM    (sizeof(FOLDER "/") + NAME_MAXIMUM + sizeof(".cred"))

/* inode(5), cpio's newc */
enum { MODE_FOLDER = 040000, MODE_FILE = 0100000, CPIO_ALIGNMENT = 4 };

const struct guid secret_credentials_guid = {
    0xaa84af95, 0xb5a3, 0x42a0, { 0xa1, 0x68, 0x04, 0xd9, 0xf7, 0xdf, 0xf4, 0x42 }
};
static const struct guid table_guid = {
    0x1e74f542, 0x71dd, 0x4d66, { 0x96, 0x3e, 0xef, 0x42, 0x87, 0xff, 0x17, 0x3b }
};

/*
 * Sourced early by /init of initramfs-tools, which sources param.conf again after each of its
 * scripts, then with /run in place; its tools may be klibc's few. The name in the environment is how
 * systemd as first process learns that it has credentials (systemd 252, core/import-creds.c).
 */
static const char hand_over[] =
    "privet_credentials() {\n"
    "\tmkdir -p /run/credentials\n"
    "\tmkdir -m 0700 /run/credentials/@system 2>/dev/null || return 0\n"
    "\t(umask 0377\n"
    "\tfor file in /.extra/credentials/*.cred; do\n"
    "\t\tname=${file##*/}\n"
    "\t\tcat \"$file\" >\"/run/credentials/@system/${name%.cred}\"\n"
    "\tdone)\n"
    "\texport CREDENTIALS_DIRECTORY=/run/credentials/@system\n"
    "}\n"
    "echo privet_credentials >>/conf/param.conf\n";

static uint32_t number_at(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

enum secret_state secret_check(const uint8_t *area, size_t size)
{
    if (size < HEADER_SIZE || memcmp(area, &table_guid, sizeof(table_guid)) != 0)
        return SECRET_ABSENT;
    size_t total = number_at(area + 16), at = HEADER_SIZE;
    if (total < HEADER_SIZE || total > size)
        return SECRET_MALFORMED;
    while (at < total) {
        if (total - at < HEADER_SIZE)
            return SECRET_MALFORMED;
        size_t length = number_at(area + at + 16);
        if (length < HEADER_SIZE || length > total - at)
            return SECRET_MALFORMED;
        at += length;
    }
    return SECRET_PRESENT;
}

bool secret_find(uint8_t *area, const struct guid *name, struct secret_entry *ret)
{
    size_t total = number_at(area + 16);
    for (size_t at = HEADER_SIZE; at < total; at += number_at(area + at + 16)) {
        if (memcmp(area + at, name, sizeof(*name)) != 0)
            continue;
        *ret = (struct secret_entry){ .guid = area + at,
                                      .data = area + at + HEADER_SIZE,
                                      .size = number_at(area + at + 16) - HEADER_SIZE };
        return true;
    }
    return false;
}

struct archive {
    uint8_t *at; /* NULL: only counted */
    size_t size;
};

static void put(struct archive *archive, const void *data, size_t size)
{
    if (archive->at && size)
        memcpy(archive->at + archive->size, data, size);
    archive->size += size;
}

static void align(struct archive *archive)
{
    static const uint8_t zeros[CPIO_ALIGNMENT];
    put(archive, zeros, -archive->size % CPIO_ALIGNMENT);
}

static void put_member(struct archive *archive, const char *name, unsigned mode, const void *data,
                       size_t size)
{
    char header[111];
    size_t name_size = strlen(name) + 1;
    /* magic; inode, mode, owner, group, links, time; size; devices; name's size; no sum */
    format(header, sizeof(header), "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 0,
           mode, 0, 0, 1, 0, (unsigned)size, 0, 0, 0, 0, (unsigned)name_size, 0);
    put(archive, header, sizeof(header) - 1);
    put(archive, name, name_size);
    align(archive);
    put(archive, data, size);
    align(archive);
}

/* What systemd takes for a name: a file's, printable, without a colon. */
static bool name_valid(const uint8_t *name, size_t length)
{
    if (length == 0 || length > NAME_MAXIMUM || name[0] == '.')
        return false;
    for (size_t i = 0; i < length; i++)
        if (name[i] <= ' ' || name[i] > '~' || name[i] == '/' || name[i] == ':')
            return false;
    return true;
}

/* Takes one credential off the row. Its bytes used; 0: malformed. */
static size_t put_credential(struct archive *archive, const uint8_t *data, size_t size)
{
    char path[NAME_ROOM];
    size_t length = strnlen((const char *)data, size), used = length + 1 + sizeof(uint32_t);
    if (!name_valid(data, length) || used > size)
        return 0;
    size_t value = number_at(data + length + 1);
    if (value > size - used)
        return 0;
    format(path, sizeof(path), FOLDER "/%s.cred", (const char *)data);
    put_member(archive, path, MODE_FILE | 0400, data + used, value);
    return used + value;
}

size_t credentials_archive(const uint8_t *data, size_t size, uint8_t *at)
{
    struct archive archive = { .at = at };
    put_member(&archive, ".extra", MODE_FOLDER | 0555, NULL, 0);
    put_member(&archive, FOLDER, MODE_FOLDER | 0500, NULL, 0);
    for (size_t used = 0; used < size;) {
        size_t step = put_credential(&archive, data + used, size - used);
        if (step == 0)
            return 0;
        used += step;
    }
    put_member(&archive, "conf/conf.d/privet-credentials", MODE_FILE | 0444, hand_over,
               sizeof(hand_over) - 1);
    put_member(&archive, "TRAILER!!!", 0, NULL, 0);
    return archive.size;
}
