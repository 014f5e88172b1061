/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Reading of qcow2 images, versions 2 and 3 (QEMU's docs/interop/qcow2): the header and its
 * extensions are checked here before anything is used; clusters are in image_qcow2_map.c. Internal
 * snapshots and bitmaps are passed over: they do not change what the disk holds now.
 */
#include "machine/devices/image_qcow2.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER_V2      72u
#define HEADER_V3      104u
#define MIN_CLUSTER    9u
#define MAX_CLUSTER    21u
#define MAX_L1_ENTRIES (UINT32_C(32) << 20 >> 3) /* QEMU's limit: 32 MiB of table */
#define MAX_NAME       1023u
#define MAX_EXTENSIONS 64u

enum { EXTENSION_END = 0, EXTENSION_BACKING_FORMAT = (int)0xE2792ACA };

static const char *const incompatible[] = {
    [1] = "the image is marked as corrupt (see qemu-img check -r)",
    [2] = "the image has an external data file, which is not supported",
    [4] = "the image has extended L2 entries (subclusters), which are not supported",
};

uint32_t qcow2_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

uint64_t qcow2_u64(const uint8_t *at)
{
    return (uint64_t)qcow2_u32(at) << 32 | qcow2_u32(at + 4);
}

/* The file's header, host order. Version 2 has none of what follows snapshots. */
struct header {
    uint32_t version, cluster_bits, crypt_method, l1_entries, length;
    uint64_t backing_offset, backing_length, size, l1_offset, features;
    uint8_t compression;
};

static bool read_header(const struct image_request *request, int fd, struct header *ret)
{
    uint8_t bytes[HEADER_V3 + 8] = { 0 };

    if (!image_pread(fd, bytes, HEADER_V2, 0) || memcmp(bytes, "QFI\xFB", 4) != 0)
        return image_refuse(request, "not a qcow2 image");
    *ret = (struct header){
        .version = qcow2_u32(bytes + 4),
        .backing_offset = qcow2_u64(bytes + 8),
        .backing_length = qcow2_u32(bytes + 16),
        .cluster_bits = qcow2_u32(bytes + 20),
        .size = qcow2_u64(bytes + 24),
        .crypt_method = qcow2_u32(bytes + 32),
        .l1_entries = qcow2_u32(bytes + 36),
        .l1_offset = qcow2_u64(bytes + 40),
        .length = HEADER_V2,
    };
    if (ret->version == 2)
        return true;
    if (ret->version != 3)
        return image_refuse(request, "qcow2 version %" PRIu32 "; 2 and 3 are supported",
                            ret->version);
    if (!image_pread(fd, bytes + HEADER_V2, HEADER_V3 - HEADER_V2, HEADER_V2))
        return image_refuse(request, "the qcow2 header is cut off");
    ret->features = qcow2_u64(bytes + 72);
    ret->length = qcow2_u32(bytes + 100);
    if (ret->length > HEADER_V3) {
        if (!image_pread(fd, bytes + HEADER_V3, 1, HEADER_V3))
            return image_refuse(request, "the qcow2 header is cut off");
        ret->compression = bytes[HEADER_V3];
    }
    return true;
}

static bool check_features(const struct image_request *request, const struct header *header)
{
    uint64_t unknown = header->features & ~UINT64_C(0x1F);

    for (unsigned i = 0; i < sizeof(incompatible) / sizeof(incompatible[0]); i++)
        if (incompatible[i] && header->features >> i & 1)
            return image_refuse(request, "%s", incompatible[i]);
    if (unknown)
        return image_refuse(request, "qcow2 features 0x%" PRIx64 ", which are not supported",
                            unknown);
    if (header->crypt_method)
        return image_refuse(request, "the image is encrypted (qcow2 method %" PRIu32
                            "), which is not supported", header->crypt_method);
    if (header->compression)
        return image_refuse(request, "qcow2 compression type %u%s, which is not supported",
                            header->compression, header->compression == 1 ? " (zstd)" : "");
    return true;
}

static bool check_header(const struct image_request *request, const struct header *header,
                         uint64_t file_size)
{
    uint64_t l1_bytes = (uint64_t)header->l1_entries * 8, covered;

    if (!check_features(request, header))
        return false;
    if (header->cluster_bits < MIN_CLUSTER || header->cluster_bits > MAX_CLUSTER)
        return image_refuse(request, "qcow2 clusters of 2^%" PRIu32 " bytes; 2^9 to 2^21 are right",
                            header->cluster_bits);
    if (header->version == 3 && (header->length < HEADER_V3 || header->length % 8 ||
                                 header->length > UINT32_C(1) << header->cluster_bits))
        return image_refuse(request, "a qcow2 header of %" PRIu32 " bytes", header->length);
    if (header->size > IMAGE_MAX_SIZE || (header->size < IMAGE_SECTOR && request->depth == 0))
        return image_refuse(request, "a disk of %" PRIu64 " bytes; one sector to 8 TiB are right",
                            header->size);
    if (header->l1_entries > MAX_L1_ENTRIES)
        return image_refuse(request, "an L1 table of %" PRIu32 " entries", header->l1_entries);
    /* Entries times the bytes that one covers: a table of L2 entries, 8 bytes each. */
    covered = (uint64_t)header->l1_entries << (2 * header->cluster_bits - 3);
    if (covered < header->size)
        return image_refuse(request, "an L1 table of %" PRIu32 " entries, too few for the disk",
                            header->l1_entries);
    if (header->l1_offset % (UINT64_C(1) << header->cluster_bits) ||
        header->l1_offset > file_size || l1_bytes > file_size - header->l1_offset)
        return image_refuse(request, "the L1 table is outside the file");
    return true;
}

/* --- backing files --- */

/* The format that a header extension names; IMAGE_BY_NAME if none does. */
static bool find_backing_format(const struct image_request *request, int fd,
                                const struct header *header, enum image_format *ret)
{
    uint64_t at = header->length, end = UINT64_C(1) << header->cluster_bits;
    char name[16] = "";
    uint8_t bytes[8];

    *ret = IMAGE_BY_NAME;
    if (header->backing_offset < end)
        end = header->backing_offset;
    for (unsigned i = 0; i < MAX_EXTENSIONS && at + sizeof(bytes) <= end; i++) {
        uint32_t length;

        if (!image_pread(fd, bytes, sizeof(bytes), at) || qcow2_u32(bytes) == EXTENSION_END)
            return true;
        length = qcow2_u32(bytes + 4);
        at += sizeof(bytes);
        if (length > end - at)
            return image_refuse(request, "a header extension that is too long");
        if (qcow2_u32(bytes) == (uint32_t)EXTENSION_BACKING_FORMAT) {
            if (length >= sizeof(name) || !image_pread(fd, name, length, at))
                return image_refuse(request, "an unknown format of the backing file");
            if (strcmp(name, "raw") != 0 && strcmp(name, "qcow2") != 0)
                return image_refuse(request, "a backing file whose format is neither raw nor "
                                             "qcow2");
            *ret = strcmp(name, "raw") == 0 ? IMAGE_RAW : IMAGE_QCOW2;
        }
        at += (length + 7) & ~UINT64_C(7);
    }
    return true;
}

/* "word:" before any slash names a protocol of QEMU's, such as nbd: or json: */
static bool names_protocol(const char *name)
{
    const char *colon = strchr(name, ':'), *slash = strchr(name, '/');

    return colon && (!slash || colon < slash);
}

/* A relative name is beside the image that names it. false: too long. */
static bool resolve(const char *image_path, const char *name, char *ret, size_t size)
{
    const char *slash = strrchr(image_path, '/');
    int folder = slash && name[0] != '/' ? (int)(slash - image_path + 1) : 0;
    int length = snprintf(ret, size, "%.*s%s", folder, image_path, name);

    return length >= 0 && (size_t)length < size;
}

static bool open_backing(struct qcow2 *qcow2, const struct image_request *request,
                         const struct header *header)
{
    struct image_request below = *request;
    char name[MAX_NAME + 1] = "", path[4096];

    if (header->backing_offset == 0)
        return true;
    if (header->backing_length == 0 || header->backing_length > MAX_NAME ||
        !image_pread(qcow2->fd, name, (size_t)header->backing_length, header->backing_offset) ||
        strlen(name) != header->backing_length)
        return image_refuse(request, "the name of the backing file is damaged");
    if (names_protocol(name))
        return image_refuse(request, "the backing file \"%.80s\" is not a plain path", name);
    if (!resolve(request->path, name, path, sizeof(path)))
        return image_refuse(request, "the path of the backing file is too long");
    if (!find_backing_format(request, qcow2->fd, header, &below.format))
        return false;
    below.path = path;
    below.read_only = true;
    below.depth++;
    qcow2->backing = image_open_plain(&below);
    return qcow2->backing;
}

/* --- the image --- */

static void qcow2_close(struct image *image)
{
    struct qcow2 *qcow2 = (struct qcow2 *)image;

    image_close(qcow2->backing);
    if (qcow2->fd >= 0)
        close(qcow2->fd);
    qcow2_map_free(qcow2);
    free(qcow2->path);
    free(qcow2);
}

static const struct image_backend qcow2_backend = {
    .read = qcow2_read,
    .close = qcow2_close,
};

static struct image *open_checked(const struct image_request *request, int fd,
                                  const struct header *header, uint64_t file_size)
{
    struct qcow2 *qcow2 = calloc(1, sizeof(*qcow2));

    if (!qcow2)
        return image_refuse(request, "out of memory");
    qcow2->image.backend = &qcow2_backend;
    qcow2->image.size = header->size;
    qcow2->image.read_only = true;
    qcow2->fd = fd;
    qcow2->version = header->version;
    qcow2->file_size = file_size;
    qcow2->cluster_bits = header->cluster_bits;
    qcow2->path = strdup(request->path);
    if (!qcow2->path || !qcow2_map_init(qcow2, header->l1_offset, header->l1_entries)) {
        image_refuse(request, "the L1 table cannot be read");
    } else if (open_backing(qcow2, request, header)) {
        return &qcow2->image;
    }
    qcow2->fd = -1; /* the caller's, when this fails */
    qcow2_close(&qcow2->image);
    return NULL;
}

struct image *image_qcow2_open(const struct image_request *request, int fd)
{
    off_t file_size = lseek(fd, 0, SEEK_END);
    struct header header;

    if (file_size < 0)
        return image_refuse(request, "%s", strerror(errno));
    if (!read_header(request, fd, &header) ||
        !check_header(request, &header, (uint64_t)file_size))
        return NULL;
    return open_checked(request, fd, &header, (uint64_t)file_size);
}
