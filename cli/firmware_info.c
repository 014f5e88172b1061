/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * `privet firmware info`: what a flash image holds and what a launch measures of it. Images are
 * anybody's: nothing of theirs is printed but numbers and text reduced to plain characters.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/error.h"
#include "cli/file.h"
#include "cli/firmware.h"
#include "cli/print.h"
#include "cli/vars_image.h"
#include "owner/measure.h"
#include "sev/bytes.h"
#include "sev/guid_table.h"
#include "sev/metadata.h"

#define FLASH_LIMIT (8u << 20)
#define FLASH_PAGE  4096u

enum content {
    CONTENT_OTHER,
    CONTENT_AREA,     /* u32 address, u32 size */
    CONTENT_ADDRESS,  /* u32 */
    CONTENT_METADATA, /* u32: distance of SEV metadata from the image's end */
    CONTENT_DISTANCE, /* u32: the same, of something else */
    CONTENT_TEXT,     /* padded with NULs */
};

static const struct entry_kind {
    const struct sev_guid *guid;
    const char *name;
    enum content content;
    unsigned length;
} known[] = {
    { &sev_guid_hashes_area, "kernel hash area", CONTENT_AREA, 8 },
    { &sev_guid_secret_area, "secret area", CONTENT_AREA, 8 },
    { &sev_guid_reset_block, "SEV-ES reset block", CONTENT_ADDRESS, 4 },
    { &sev_guid_snp_metadata, "SEV-SNP metadata", CONTENT_METADATA, 4 },
    { &sev_guid_tdx_metadata, "TDX metadata", CONTENT_DISTANCE, 4 },
    { &sev_guid_igvm_metadata, "IGVM metadata", CONTENT_DISTANCE, 4 },
    { &sev_guid_privet_version, "Privet's version", CONTENT_TEXT, 16 },
};
static const struct entry_kind unknown = { NULL, "unknown entry", CONTENT_OTHER, 0 };

/* An entry of another length than its kind's is of no kind. */
static const struct entry_kind *kind_of(const struct sev_guid_entry *entry)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (memcmp(known[i].guid, &entry->guid, sizeof(entry->guid)) == 0 &&
            known[i].length == entry->length)
            return &known[i];
    }
    return &unknown;
}

/* What could end a line or a JSON string becomes a question mark. */
static void print_text(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size && data[i]; i++) {
        bool plain = data[i] >= ' ' && data[i] <= '~' && data[i] != '"' && data[i] != '\\';
        putchar(plain ? data[i] : '?');
    }
}

/* ---- the GUIDed table */

static void print_section(const struct sev_metadata_section *section)
{
    printf("\n    0x%08" PRIx32 ", 0x%" PRIx32 " bytes: %s", section->base, section->size,
           sev_metadata_type_name(section->type));
}

static void print_metadata(const struct file *image, uint32_t distance)
{
    struct sev_metadata metadata;
    if (!sev_metadata_open(image->data, image->size, distance, &metadata)) {
        printf("not at the place that it names");
        return;
    }
    printf("at offset 0x%zx", image->size - distance);
    for (uint32_t i = 0; i < metadata.count; i++) {
        struct sev_metadata_section section = sev_metadata_section(&metadata, i);
        print_section(&section);
    }
}

static void print_area(uint32_t address, uint32_t size)
{
    if (address)
        printf("0x%08" PRIx32 ", 0x%" PRIx32 " bytes", address, size);
    else
        printf("none: the firmware does not take it");
}

static void print_content(const struct file *image, enum content content,
                          const struct sev_guid_entry *entry)
{
    switch (content) {
    case CONTENT_AREA:
        print_area(load_le32(entry->data), load_le32(entry->data + 4));
        break;
    case CONTENT_ADDRESS:
        printf("0x%08" PRIx32, load_le32(entry->data));
        break;
    case CONTENT_METADATA:
        print_metadata(image, load_le32(entry->data));
        break;
    case CONTENT_DISTANCE:
        printf("0x%" PRIx32 " bytes before the end", load_le32(entry->data));
        break;
    case CONTENT_TEXT:
        print_text(entry->data, entry->length);
        break;
    case CONTENT_OTHER:
        print_hex(entry->data, entry->length);
        break;
    }
}

static void print_table(const struct file *image, struct sev_guid_walk *walk)
{
    struct sev_guid_entry entry;
    printf("GUIDed table:\n");
    while (sev_guid_table_next(walk, &entry)) {
        const struct entry_kind *kind = kind_of(&entry);
        printf("  ");
        print_guid(entry.guid.bytes);
        printf("  %s: ", kind->name);
        print_content(image, kind->content, &entry);
        printf("\n");
    }
}

static void print_metadata_json(const struct file *image, uint32_t distance)
{
    struct sev_metadata metadata;
    if (!sev_metadata_open(image->data, image->size, distance, &metadata))
        return;
    printf(",\"offset\":%zu,\"sections\":[", image->size - distance);
    for (uint32_t i = 0; i < metadata.count; i++) {
        struct sev_metadata_section section = sev_metadata_section(&metadata, i);
        printf("%s{\"address\":%" PRIu32 ",\"size\":%" PRIu32 ",\"type\":%" PRIu32
               ",\"name\":\"%s\"}", i ? "," : "", section.base, section.size, section.type,
               sev_metadata_type_name(section.type));
    }
    printf("]");
}

static void print_content_json(const struct file *image, enum content content,
                               const struct sev_guid_entry *entry)
{
    if (content == CONTENT_AREA || content == CONTENT_ADDRESS)
        printf(",\"address\":%" PRIu32, load_le32(entry->data));
    if (content == CONTENT_AREA)
        printf(",\"size\":%" PRIu32, load_le32(entry->data + 4));
    if (content == CONTENT_METADATA)
        print_metadata_json(image, load_le32(entry->data));
}

static void print_table_json(const struct file *image, struct sev_guid_walk *walk)
{
    struct sev_guid_entry entry;
    for (bool first = true; sev_guid_table_next(walk, &entry); first = false) {
        const struct entry_kind *kind = kind_of(&entry);
        printf("%s{\"guid\":\"", first ? "" : ",");
        print_guid(entry.guid.bytes);
        printf("\",\"name\":\"%s\",\"data\":\"", kind->name);
        print_hex(entry.data, entry.length);
        printf("\"");
        print_content_json(image, kind->content, &entry);
        printf("}");
    }
}

/* The first variable store on a page of the image. */
static bool store_find(const struct file *image, size_t *ret_offset, struct vars_image *ret)
{
    for (size_t offset = 0; offset < image->size; offset += FLASH_PAGE) {
        if (!vars_open(image->data + offset, image->size - offset, ret)) {
            *ret_offset = offset;
            return true;
        }
    }
    return false;
}

/* ---- the whole */

struct facts {
    uint8_t digest[OWNER_DIGEST_SIZE];
    struct sev_guid_walk walk; /* at the table's end */
    struct sev_guid_entry version;
    struct vars_image store;
    size_t store_offset;
    bool has_table, damaged, has_version, has_store;
};

static void gather(const struct file *image, struct facts *ret)
{
    const struct owner_guest guest = { .firmware = { image->data, image->size } };
    struct sev_guid_entry entry;
    memset(ret, 0, sizeof(*ret));
    owner_launch_digest(&guest, ret->digest);
    ret->has_store = store_find(image, &ret->store_offset, &ret->store);
    ret->has_table = sev_guid_table_open(image->data, image->size, &ret->walk);
    if (!ret->has_table)
        return;
    struct sev_guid_walk walk = ret->walk;
    while (sev_guid_table_next(&walk, &entry)) {
        if (!ret->has_version && kind_of(&entry)->content == CONTENT_TEXT) {
            ret->version = entry;
            ret->has_version = true;
        }
    }
    ret->damaged = walk.at != walk.start;
}

static void print_facts(const struct file *image, struct facts *facts)
{
    printf("version: ");
    if (facts->has_version)
        print_text(facts->version.data, facts->version.length);
    else
        printf("not stated");
    printf("\nmeasured size: %zu bytes: the whole image%s\n", image->size,
           image->size % FLASH_PAGE ? "; but no launch takes part of a page" : "");
    printf("measured besides: kernel hashes, if the launch gives them; the processors' state under "
           "SEV-ES\nlaunch digest: ");
    print_hex(facts->digest, sizeof(facts->digest));
    if (facts->has_store)
        printf("\nvariable store: at offset 0x%zx, 0x%zx bytes\n", facts->store_offset,
               facts->store.size);
    else
        printf("\nvariable store: none\n");
    if (facts->has_table)
        print_table(image, &facts->walk);
    else
        printf("GUIDed table: none\n");
}

static void print_facts_json(const struct file *image, struct facts *facts)
{
    printf("{\"measured-size\":%zu,\"launch-digest\":\"", image->size);
    print_hex(facts->digest, sizeof(facts->digest));
    printf("\",\"vcpu-state-measured\":false");
    if (facts->has_version) {
        printf(",\"version\":\"");
        print_text(facts->version.data, facts->version.length);
        printf("\"");
    }
    if (facts->has_store)
        printf(",\"variable-store\":{\"offset\":%zu,\"size\":%zu}", facts->store_offset,
               facts->store.size);
    printf(",\"entries\":[");
    if (facts->has_table)
        print_table_json(image, &facts->walk);
    printf("]}\n");
}

int firmware_info(const char *path, bool json)
{
    struct file image;
    struct facts facts;
    if (!file_read(path, "firmware image", FLASH_LIMIT, &image))
        return 1;
    gather(&image, &facts);
    bool damaged = facts.damaged;
    if (damaged)
        error_say("%s: the GUIDed table is damaged: its length and its entries disagree", path);
    else
        (json ? print_facts_json : print_facts)(&image, &facts);
    file_free(&image);
    return !damaged && output_flush() ? 0 : 1;
}
