/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* `privet firmware info`: what a flash image promises, and what a launch measures of it. */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "cli/file.h"
#include "cli/options.h"
#include "cli/verbs.h"
#include "sev/guid_table.h"

#define FLASH_LIMIT (8u << 20)

static const struct {
    const struct sev_guid *guid;
    const char *name;
} known[] = {
    { &sev_guid_hashes_area, "kernel hash area" },
    { &sev_guid_secret_area, "secret area" },
    { &sev_guid_reset_block, "SEV-ES reset block" },
    { &sev_guid_snp_metadata, "SEV-SNP metadata" },
};

static const char *entry_name(const struct sev_guid *guid)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (memcmp(known[i].guid, guid, sizeof(*guid)) == 0)
            return known[i].name;
    }
    return "unknown entry";
}

/* Entries are one or two little-endian words: an address, or base and size. */
static void print_entry(const struct sev_guid_entry *entry)
{
    const uint8_t *g = entry->guid.bytes;
    printf("  %02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x  %s:", g[3],
           g[2], g[1], g[0], g[5], g[4], g[7], g[6], g[8], g[9], g[10], g[11], g[12], g[13], g[14],
           g[15], entry_name(&entry->guid));
    for (unsigned at = 0; at + 4 <= entry->length; at += 4) {
        const uint8_t *p = entry->data + at;
        printf(" 0x%08x", p[0] | (unsigned)p[1] << 8 | (unsigned)p[2] << 16 | (unsigned)p[3] << 24);
    }
    printf("\n");
}

static void print_table(const struct file *image)
{
    struct sev_guid_walk walk;
    struct sev_guid_entry entry;
    if (!sev_guid_table_open(image->data, image->size, &walk)) {
        printf("GUIDed table: none\n");
        return;
    }
    printf("GUIDed table:\n");
    while (sev_guid_table_next(&walk, &entry))
        print_entry(&entry);
}

static int info(const char *path)
{
    struct file image;
    uint8_t digest[32];
    if (!file_read(path, "firmware image", FLASH_LIMIT, &image))
        return 1;
    EVP_Digest(image.data, image.size, digest, NULL, EVP_sha256(), NULL);
    printf("measured size: %zu bytes\nlaunch digest: ", image.size);
    for (unsigned i = 0; i < sizeof(digest); i++)
        printf("%02x", digest[i]);
    printf("\n");
    print_table(&image);
    file_free(&image);
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}

int verb_firmware(int argc, char **argv)
{
    const struct option_row rows[] = { { NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0, NULL } };
    const struct option_verb verb = {
        .usage = "privet firmware info FILE",
        .summary = "Prints what a firmware image contains: its size as a launch measures it, the "
                   "launch digest of the\nimage alone (its SHA-256), and its GUIDed table.",
        .rows = rows,
        .operands = true,
    };
    struct option_list words = { .count = 0 };
    enum option_result result = options_parse(&verb, argc, argv, &words);
    if (result != OPTIONS_RUN)
        return result == OPTIONS_HELP ? 0 : 1;
    if (words.count == 2 && strcmp(words.items[0], "info") == 0)
        return info(words.items[1]);
    fprintf(stderr, "privet: usage: %s\n", verb.usage);
    return 1;
}
