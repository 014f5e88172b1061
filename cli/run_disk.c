/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Words behind a disk's file name, and the opening of its image. */
#include "cli/run_disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"

#define SERIAL_LIMIT     20u
#define BOOT_INDEX_LIMIT 9999u

static bool wrong(const char *option, const char *word, const char *fact)
{
    fprintf(stderr, "privet: %s: %s: %s\n", option, word, fact);
    return false;
}

/* A word without a value, or with on or off. */
static bool is_switch(const char *word, const char *name, bool *ret, bool *ret_good)
{
    size_t length = strlen(name);

    if (strncmp(word, name, length) != 0 || (word[length] && word[length] != '='))
        return false;
    *ret = !word[length] || strcmp(word + length, "=on") == 0;
    *ret_good = *ret || strcmp(word + length, "=off") == 0;
    return true;
}

static bool take_serial(const char *option, const char *value, struct run_disk *disk)
{
    disk->serial = value;
    for (const char *at = value; *at; at++)
        if (*at < '!' || *at > '~')
            return wrong(option, value, "a serial number is printable and without blanks");
    return strlen(value) - 1 < SERIAL_LIMIT || /* 0 wraps around */
           wrong(option, value, "a serial number has 1 to 20 characters");
}

static bool take_format(const char *option, const char *value, struct run_disk *disk)
{
    if (strcmp(value, "raw") == 0)
        disk->image.format = IMAGE_RAW;
    else if (strcmp(value, "qcow2") == 0)
        disk->image.format = IMAGE_QCOW2;
    else
        return wrong(option, value, "an unknown format; raw and qcow2 are known");
    return true;
}

static bool take_bus(const char *option, const char *value, struct run_disk *disk)
{
    if (strcmp(value, "virtio") == 0)
        disk->bus = BOARD_DISK_VIRTIO;
    else if (strcmp(value, "scsi") == 0)
        disk->bus = BOARD_DISK_SCSI;
    else
        return wrong(option, value, "an unknown interface; virtio and scsi are known");
    return true;
}

bool run_boot_rank(const char *option, const char *number, unsigned *ret)
{
    uint64_t index;

    if (!number_parse(number, &index) || index > BOOT_INDEX_LIMIT)
        return wrong(option, number, "a boot index is a number from 0 to 9999");
    *ret = (unsigned)index + 1;
    return true;
}

static bool take_boot_index(const char *option, const char *value, struct run_disk *disk)
{
    return run_boot_rank(option, value, &disk->boot_rank);
}

static bool take_word(const char *option, const char *word, struct run_disk *disk)
{
    static const struct {
        const char *name;
        bool (*take)(const char *option, const char *value, struct run_disk *disk);
    } values[] = {
        { "format=", take_format },
        { "if=", take_bus },
        { "serial=", take_serial },
        { "bootindex=", take_boot_index },
    };
    bool good, platform;

    if (is_switch(word, "iommu_platform", &platform, &good)) {
        disk->access = platform ? BOARD_ACCESS_ON : BOARD_ACCESS_OFF;
        return good || wrong(option, word, "it is on or off");
    }
    if (is_switch(word, "readonly", &disk->image.read_only, &good) ||
        is_switch(word, "snapshot", &disk->image.snapshot, &good))
        return good || wrong(option, word, "it is on or off");
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        if (strncmp(word, values[i].name, strlen(values[i].name)) == 0)
            return values[i].take(option, word + strlen(values[i].name), disk);
    return wrong(option, word, "an unknown word; format=, if=, readonly, snapshot, serial=, "
                               "bootindex= and iommu_platform= are known (a comma of a file name "
                               "is doubled)");
}

/* Ends the word at its comma and returns the next one, or NULL. Doubled commas become one. */
static char *cut(char *word)
{
    char *to = word;

    for (char *from = word; *from; from++) {
        if (*from == ',' && from[1] != ',') {
            *to = '\0';
            return from + 1;
        }
        if (*from == ',')
            from++;
        *to++ = *from;
    }
    *to = '\0';
    return NULL;
}

bool run_disk_parse(const char *option, const char *text, struct run_disk *ret)
{
    *ret = (struct run_disk){ .text = strdup(text) };
    if (!ret->text)
        return wrong(option, text, "out of memory");
    ret->image.path = ret->text;
    for (char *word = cut(ret->text); word;) {
        char *next = cut(word);

        if (!take_word(option, word, ret))
            return false;
        word = next;
    }
    if (!ret->image.path[0])
        return wrong(option, text, "no file name");
    return true;
}

bool run_disk_check(const char *option, const struct run_disk *disk)
{
    return disk->access == BOARD_ACCESS_AS_OTHERS || disk->bus == BOARD_DISK_VIRTIO ||
           wrong(option, disk->image.path, "iommu_platform= is for disks with if=virtio");
}

void run_disk_free(struct run_disk *disk)
{
    free(disk->text);
}

struct image *run_disk_open(const struct run_disk *disk)
{
    char error[5120];
    struct image *image = image_open(&disk->image, error, sizeof(error));

    if (!image) {
        fprintf(stderr, "privet: %s\n", error);
        return NULL;
    }
    if (image_is_temporary(image) && !disk->image.snapshot)
        fprintf(stderr, "privet: %s: qcow2 is not written: what the guest writes is lost at the "
                        "end\n", disk->image.path);
    return image;
}
