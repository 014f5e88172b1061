/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* ZIP by its central directory: sizes in local headers may be missing (general purpose bit 3). */
#include "owner/zip.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "sev/bytes.h"

enum {
    LOCAL_MAGIC = 0x04034B50,
    ENTRY_MAGIC = 0x02014B50,
    END_MAGIC = 0x06054B50,
    LOCAL_SIZE = 30,
    ENTRY_SIZE = 46,
    END_SIZE = 22,
    COMMENT_MAX = 65535,
    METHOD_STORED = 0,
    METHOD_DEFLATED = 8,
    FLAG_ENCRYPTED = 1,
    FILES_MAX = 64,
    VERSION = 10,
    DATE = 1 << 5 | 1, /* 1 January 1980 */
};

bool zip_is(const uint8_t *data, size_t size)
{
    return size >= LOCAL_SIZE && load_le32(data) == LOCAL_MAGIC;
}

/* ---- reading ---- */

/* The end record is the last thing but for a comment that fills the rest exactly. */
static const uint8_t *find_end(const uint8_t *data, size_t size)
{
    for (size_t back = END_SIZE; back <= size && back <= END_SIZE + COMMENT_MAX; back++) {
        const uint8_t *end = data + size - back;
        if (load_le32(end) == END_MAGIC && load_le16(end + 20) == back - END_SIZE)
            return end;
    }
    return NULL;
}

static bool inflate_all(const uint8_t *from, size_t packed, uint8_t *to, size_t size)
{
    z_stream stream = { 0 };
    uint8_t *input = malloc(packed + 1); /* zlib's pointer is not const */
    if (!input || inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
        free(input);
        return false;
    }
    memcpy(input, from, packed);
    stream.next_in = input;
    stream.avail_in = (uInt)packed;
    stream.next_out = to;
    stream.avail_out = (uInt)size;
    bool done = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.total_out == size &&
                stream.avail_in == 0;
    inflateEnd(&stream);
    free(input);
    return done;
}

/* One file by its directory entry, which is within the archive. */
static const char *unpack(const uint8_t *data, size_t size, const uint8_t *entry, uint8_t *bytes,
                          size_t *ret_length)
{
    uint16_t method = load_le16(entry + 10);
    size_t packed = load_le32(entry + 20), length = load_le32(entry + 24);
    size_t at = load_le32(entry + 42);
    if (load_le16(entry + 8) & FLAG_ENCRYPTED)
        return "a file in the zip is encrypted";
    if (length > OWNER_ZIP_FILE_MAX)
        return "a file in the zip is larger than any certificate file";
    if (at > size || size - at < LOCAL_SIZE || load_le32(data + at) != LOCAL_MAGIC)
        return "the zip's directory points elsewhere than to a file";
    at += LOCAL_SIZE + (size_t)load_le16(data + at + 26) + load_le16(data + at + 28);
    if (at > size || packed > size - at)
        return "a file in the zip goes past the end";
    if (method == METHOD_STORED && packed == length)
        memcpy(bytes, data + at, length);
    else if (method != METHOD_DEFLATED || !inflate_all(data + at, packed, bytes, length))
        return method == METHOD_DEFLATED || method == METHOD_STORED
                   ? "a file in the zip is damaged"
                   : "a file in the zip is neither stored nor deflated";
    if (crc32(crc32(0, NULL, 0), bytes, (uInt)length) != load_le32(entry + 16))
        return "a file in the zip has the wrong checksum";
    *ret_length = length;
    return NULL;
}

const char *zip_read(const uint8_t *data, size_t size,
                           const char *(*file)(void *context, const uint8_t *bytes, size_t length),
                           void *context)
{
    const uint8_t *end = size >= END_SIZE ? find_end(data, size) : NULL;
    if (!end)
        return "the zip ends before its directory does";
    size_t count = load_le16(end + 10), at = load_le32(end + 16), limit = (size_t)(end - data);
    if (count > FILES_MAX)
        return "the zip has more files than a chain has certificates";
    uint8_t *bytes = malloc(OWNER_ZIP_FILE_MAX);
    const char *reason = bytes ? NULL : "out of memory";
    for (size_t i = 0; !reason && i < count; i++) {
        size_t length = 0;
        if (at > limit || limit - at < ENTRY_SIZE || load_le32(data + at) != ENTRY_MAGIC)
            reason = "the zip's directory is damaged";
        else
            reason = unpack(data, size, data + at, bytes, &length);
        if (!reason && length) /* folders have no bytes */
            reason = file(context, bytes, length);
        if (!reason)
            at += ENTRY_SIZE + (size_t)load_le16(data + at + 28) + load_le16(data + at + 30) +
                  load_le16(data + at + 32);
    }
    free(bytes);
    return reason;
}

/* ---- writing ---- */

size_t zip_size(const struct zip_file *files, size_t count)
{
    size_t total = END_SIZE;
    for (size_t i = 0; i < count; i++)
        total += LOCAL_SIZE + ENTRY_SIZE + 2 * strlen(files[i].name) + files[i].size;
    return total;
}

/* What local header and directory entry have in common: version needed to lengths. */
static void put_common(uint8_t *p, const struct zip_file *file)
{
    memset(p, 0, 26);
    store_le16(p, VERSION);
    store_le16(p + 8, DATE);
    store_le32(p + 10, (uint32_t)crc32(crc32(0, NULL, 0), file->data, (uInt)file->size));
    store_le32(p + 14, (uint32_t)file->size);
    store_le32(p + 18, (uint32_t)file->size);
    store_le16(p + 22, (uint16_t)strlen(file->name));
}

static size_t put_file(uint8_t *p, const struct zip_file *file)
{
    size_t name = strlen(file->name);
    store_le32(p, LOCAL_MAGIC);
    put_common(p + 4, file);
    memcpy(p + LOCAL_SIZE, file->name, name);
    memcpy(p + LOCAL_SIZE + name, file->data, file->size);
    return LOCAL_SIZE + name + file->size;
}

static size_t put_entry(uint8_t *p, const struct zip_file *file, size_t at)
{
    size_t name = strlen(file->name);
    memset(p, 0, ENTRY_SIZE);
    store_le32(p, ENTRY_MAGIC);
    store_le16(p + 4, VERSION);
    put_common(p + 6, file);
    store_le32(p + 42, (uint32_t)at);
    memcpy(p + ENTRY_SIZE, file->name, name);
    return ENTRY_SIZE + name;
}

void zip_write(const struct zip_file *files, size_t count, uint8_t *archive)
{
    size_t at = 0, local = 0;
    for (size_t i = 0; i < count; i++)
        at += put_file(archive + at, &files[i]);
    size_t directory = at;
    for (size_t i = 0; i < count; i++) {
        at += put_entry(archive + at, &files[i], local);
        local += LOCAL_SIZE + strlen(files[i].name) + files[i].size;
    }
    memset(archive + at, 0, END_SIZE);
    store_le32(archive + at, END_MAGIC);
    store_le16(archive + at + 8, (uint16_t)count);
    store_le16(archive + at + 10, (uint16_t)count);
    store_le32(archive + at + 12, (uint32_t)(at - directory));
    store_le32(archive + at + 16, (uint32_t)directory);
}
