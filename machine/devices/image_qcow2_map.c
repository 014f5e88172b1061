/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Where the clusters of a qcow2 image are: two levels of tables, then data, zeros, a compressed
 * cluster or the backing file. Every offset is checked against the file before it is followed.
 */
#include "machine/devices/image_qcow2.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define OFFSET_MASK    UINT64_C(0x00FFFFFFFFFFFE00) /* bits 9 to 55 */
#define L1_RESERVED    UINT64_C(0x7F000000000001FF)
#define L2_RESERVED    UINT64_C(0x3F000000000001FE)
#define ENTRY_ZERO     UINT64_C(1) /* version 3 */
#define ENTRY_COMPRESSED (UINT64_C(1) << 62)
#define WINDOW_BITS    12 /* of a raw deflate stream */

static uint64_t cluster_size(const struct qcow2 *qcow2)
{
    return UINT64_C(1) << qcow2->cluster_bits;
}

static bool damaged(struct qcow2 *qcow2, const char *what, uint64_t at)
{
    return image_fail(&qcow2->image, "%s: damaged: %s 0x%" PRIx64, qcow2->path, what, at);
}

bool qcow2_map_init(struct qcow2 *qcow2, uint64_t l1_offset, uint32_t l1_entries)
{
    size_t size = (size_t)l1_entries * 8;

    qcow2->l1_entries = l1_entries;
    qcow2->l1 = malloc(size ? size : 1);
    return qcow2->l1 && image_pread(qcow2->fd, qcow2->l1, size, l1_offset);
}

void qcow2_map_free(struct qcow2 *qcow2)
{
    free(qcow2->l1);
    free(qcow2->inflated);
    free(qcow2->packed);
    for (unsigned i = 0; i < QCOW2_CACHED_TABLES; i++)
        free(qcow2->table[i].bytes);
}

/* --- tables --- */

static struct qcow2_table *oldest(struct qcow2 *qcow2)
{
    struct qcow2_table *found = &qcow2->table[0];

    for (unsigned i = 1; i < QCOW2_CACHED_TABLES; i++)
        if (qcow2->table[i].used < found->used)
            found = &qcow2->table[i];
    return found;
}

static struct qcow2_table *load_table(struct qcow2 *qcow2, uint64_t offset)
{
    struct qcow2_table *table = oldest(qcow2);

    table->offset = 0;
    if (!table->bytes)
        table->bytes = malloc((size_t)cluster_size(qcow2));
    if (!table->bytes) {
        image_fail(&qcow2->image, "%s: out of memory", qcow2->path);
        return NULL;
    }
    if (!image_pread(qcow2->fd, table->bytes, (size_t)cluster_size(qcow2), offset)) {
        image_fail(&qcow2->image, "%s: read of an L2 table at %" PRIu64 ": %s", qcow2->path, offset,
                   errno ? strerror(errno) : "the file ends");
        return NULL;
    }
    table->offset = offset;
    return table;
}

static const struct qcow2_table *find_table(struct qcow2 *qcow2, uint64_t offset)
{
    struct qcow2_table *found = NULL;

    for (unsigned i = 0; i < QCOW2_CACHED_TABLES && !found; i++)
        if (qcow2->table[i].offset == offset)
            found = &qcow2->table[i];
    if (!found)
        found = load_table(qcow2, offset);
    if (found)
        found->used = ++qcow2->uses;
    return found;
}

/* The L2 entry of a cluster of the disk; 0 where there is no table. */
static bool find_entry(struct qcow2 *qcow2, uint64_t cluster, uint64_t *ret)
{
    uint64_t per_table = cluster_size(qcow2) / 8, index = cluster / per_table, entry, offset;
    const struct qcow2_table *table;

    *ret = 0;
    if (index >= qcow2->l1_entries)
        return damaged(qcow2, "no L1 entry of cluster", cluster);
    entry = qcow2_u64(qcow2->l1 + index * 8);
    offset = entry & OFFSET_MASK;
    if (entry & L1_RESERVED)
        return damaged(qcow2, "reserved bits in an L1 entry", entry);
    if (offset == 0)
        return true;
    if (offset % cluster_size(qcow2) || offset > qcow2->file_size ||
        qcow2->file_size - offset < cluster_size(qcow2))
        return damaged(qcow2, "an L2 table outside the file, at", offset);
    table = find_table(qcow2, offset);
    if (table)
        *ret = qcow2_u64(table->bytes + cluster % per_table * 8);
    return table;
}

/* --- clusters --- */

/* Raw deflate without a header; exactly a cluster must come out. What follows it is padding. */
static bool inflate_cluster(struct qcow2 *qcow2, size_t packed)
{
    z_stream stream = { .next_in = qcow2->packed, .avail_in = (uInt)packed,
                        .next_out = qcow2->inflated, .avail_out = (uInt)cluster_size(qcow2) };
    int result;

    if (inflateInit2(&stream, -WINDOW_BITS) != Z_OK)
        return image_fail(&qcow2->image, "%s: out of memory", qcow2->path);
    result = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    return (result == Z_STREAM_END || result == Z_BUF_ERROR) && stream.avail_out == 0;
}

/* At most a cluster of compressed data and the sectors that it lies in. */
static size_t packed_limit(const struct qcow2 *qcow2)
{
    return (size_t)cluster_size(qcow2) + 2 * IMAGE_SECTOR;
}

/* Compressed entry: below bit 62 - (cluster_bits - 8) the byte offset, then further sectors. */
static bool unpack(struct qcow2 *qcow2, uint64_t entry)
{
    unsigned shift = 62 - (qcow2->cluster_bits - 8);
    uint64_t offset = entry & ((UINT64_C(1) << shift) - 1);
    uint64_t sectors = ((entry & (ENTRY_COMPRESSED - 1)) >> shift) + 1;
    uint64_t length = sectors * IMAGE_SECTOR - offset % IMAGE_SECTOR;

    if (qcow2->inflated_entry == entry)
        return true;
    qcow2->inflated_entry = 0;
    if (!qcow2->inflated)
        qcow2->inflated = malloc((size_t)cluster_size(qcow2));
    if (!qcow2->packed)
        qcow2->packed = malloc(packed_limit(qcow2));
    if (!qcow2->inflated || !qcow2->packed)
        return image_fail(&qcow2->image, "%s: out of memory", qcow2->path);
    if (offset == 0 || offset >= qcow2->file_size || length > packed_limit(qcow2))
        return damaged(qcow2, "a compressed cluster outside the file, at", offset);
    if (length > qcow2->file_size - offset)
        length = qcow2->file_size - offset; /* the last sector need not be whole */
    if (!image_pread(qcow2->fd, qcow2->packed, (size_t)length, offset))
        return image_fail(&qcow2->image, "%s: read at %" PRIu64 ": %s", qcow2->path, offset,
                          strerror(errno));
    if (!inflate_cluster(qcow2, (size_t)length))
        return damaged(qcow2, "a compressed cluster that does not unpack, at", offset);
    qcow2->inflated_entry = entry;
    return true;
}

/* Not allocated: from the backing file as far as that goes, then zeros. */
static bool read_below(struct qcow2 *qcow2, uint64_t offset, uint8_t *data, size_t length)
{
    uint64_t size = qcow2->backing ? image_size(qcow2->backing) : 0;
    size_t there = 0;

    if (offset < size)
        there = size - offset < length ? (size_t)(size - offset) : length;
    if (there && !image_read(qcow2->backing, offset, data, there))
        return image_fail(&qcow2->image, "%s", qcow2->backing->problem);
    memset(data + there, 0, length - there);
    return true;
}

/* A data cluster; the last one of a file may be cut, and reads as zeros behind its end. */
static bool read_data(struct qcow2 *qcow2, uint64_t entry, uint64_t inner, uint8_t *data,
                      size_t length)
{
    uint64_t offset = entry & OFFSET_MASK, at = offset + inner;
    size_t there = 0;

    if (offset % cluster_size(qcow2) || offset >= qcow2->file_size)
        return damaged(qcow2, "a cluster outside the file, at", offset);
    if (at < qcow2->file_size)
        there = qcow2->file_size - at < length ? (size_t)(qcow2->file_size - at) : length;
    if (!image_pread(qcow2->fd, data, there, at))
        return image_fail(&qcow2->image, "%s: read at %" PRIu64 ": %s", qcow2->path, at,
                          errno ? strerror(errno) : "the file became shorter");
    memset(data + there, 0, length - there);
    return true;
}

/* Bytes within one cluster of the disk. */
static bool read_cluster(struct qcow2 *qcow2, uint64_t offset, uint8_t *data, size_t length)
{
    uint64_t inner = offset & (cluster_size(qcow2) - 1), entry;

    if (!find_entry(qcow2, offset >> qcow2->cluster_bits, &entry))
        return false;
    if (entry & ENTRY_COMPRESSED) {
        if (!unpack(qcow2, entry & ~(UINT64_C(1) << 63)))
            return false;
        memcpy(data, qcow2->inflated + inner, length);
        return true;
    }
    if (entry & L2_RESERVED || (qcow2->version == 2 && entry & ENTRY_ZERO))
        return damaged(qcow2, "reserved bits in an L2 entry", entry);
    if (entry & ENTRY_ZERO) {
        memset(data, 0, length);
        return true;
    }
    if ((entry & OFFSET_MASK) == 0)
        return read_below(qcow2, offset, data, length);
    return read_data(qcow2, entry, inner, data, length);
}

bool qcow2_read(struct image *image, uint64_t offset, uint8_t *data, size_t length)
{
    struct qcow2 *qcow2 = (struct qcow2 *)image;

    while (length) {
        uint64_t room = cluster_size(qcow2) - (offset & (cluster_size(qcow2) - 1));
        size_t step = room < length ? (size_t)room : length;

        if (!read_cluster(qcow2, offset, data, step))
            return false;
        data += step;
        offset += step;
        length -= step;
    }
    return true;
}
