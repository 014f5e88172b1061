/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* `privet firmware`: what a flash image promises, and what a launch measures of it. */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "cli/file.h"
#include "cli/firmware.h"
#include "cli/options.h"
#include "cli/verbs.h"
#include "sev/bytes.h"
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

static void print_guid(const struct sev_guid *guid)
{
    static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
    for (unsigned i = 0; i < sizeof(order); i++)
        printf("%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", guid->bytes[order[i]]);
}

/* Known entries are one or two little-endian words: an address, or base and size. */
static void print_entry(const struct sev_guid_entry *entry)
{
    printf("  ");
    print_guid(&entry->guid);
    printf("  %s:", entry_name(&entry->guid));
    for (unsigned at = 0; at + 4 <= entry->length; at += 4)
        printf(" 0x%08x", load_le32(entry->data + at));
    printf("\n");
}

static void print_hex(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        printf("%02x", data[i]);
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
    if (walk.at != walk.start)
        printf("  damaged: %zu bytes before these are no entry\n", (size_t)(walk.at - walk.start));
}

static void print_table_json(const struct file *image)
{
    struct sev_guid_walk walk;
    struct sev_guid_entry entry;
    bool first = true;
    printf("\"entries\":[");
    if (sev_guid_table_open(image->data, image->size, &walk)) {
        while (sev_guid_table_next(&walk, &entry)) {
            printf("%s{\"guid\":\"", first ? "" : ",");
            print_guid(&entry.guid);
            printf("\",\"name\":\"%s\",\"data\":\"", entry_name(&entry.guid));
            print_hex(entry.data, entry.length);
            printf("\"}");
            first = false;
        }
    }
    printf("]");
}

static int info(const char *path, bool json)
{
    struct file image;
    uint8_t digest[32];
    if (!file_read(path, "firmware image", FLASH_LIMIT, &image))
        return 1;
    EVP_Digest(image.data, image.size, digest, NULL, EVP_sha256(), NULL);
    printf(json ? "{\"measured-size\":%zu,\"launch-digest\":\"" : "measured size: %zu bytes\n"
                                                                 "launch digest: ", image.size);
    print_hex(digest, sizeof(digest));
    printf(json ? "\"," : "\n");
    (json ? print_table_json : print_table)(&image);
    printf(json ? "}\n" : "");
    file_free(&image);
    return output_flush() ? 0 : 1;
}

static int symbols(const struct option_list *words)
{
    uint64_t addresses[OPTION_LIST_MAX];
    for (unsigned i = 2; i < words->count; i++) {
        if (!number_parse(words->items[i], &addresses[i - 2])) {
            fprintf(stderr, "privet: %s: not an address (decimal or 0x...)\n", words->items[i]);
            return 1;
        }
    }
    return firmware_symbols(words->items[1], addresses, words->count - 2);
}

static const char footer[] =
    "Commands:\n"
    "  info FILE                  measured size, launch digest of the image alone (its SHA-256),\n"
    "                             GUIDed table\n"
    "  symbols FILE [ADDRESS...]  functions and variables of a debug image (privet.debug):\n"
    "                             address, size, name; or what each address belongs to\n"
    "\nExit status: 0 done; 1 usage or host error.";

int verb_firmware(int argc, char **argv)
{
    bool json = false;
    const struct option_row rows[] = {
        { "json", OPTION_FLAG, &json, NULL, "info: one JSON document on stdout", 0, 0, NULL },
        { NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0, NULL },
    };
    const struct option_verb verb = {
        .usage = "privet firmware COMMAND [options]",
        .summary = "What a guest's firmware image contains, as a launch and a debugger see it.",
        .rows = rows,
        .footer = footer,
        .operands = true,
    };
    struct option_list words = { .count = 0 };
    enum option_result result = options_parse(&verb, argc, argv, &words);
    if (result != OPTIONS_RUN)
        return result == OPTIONS_HELP ? 0 : 1;
    if (words.count == 2 && strcmp(words.items[0], "info") == 0)
        return info(words.items[1], json);
    if (words.count >= 2 && strcmp(words.items[0], "symbols") == 0)
        return symbols(&words);
    fprintf(stderr, "privet: firmware: 'info FILE' or 'symbols FILE' is missing; try 'privet "
                    "firmware --help'\n");
    return 1;
}
