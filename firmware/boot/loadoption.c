/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The layout (UEFI 2.10 3.1.3): attributes, length of the path list, description with NUL, path
 * list, optional data; packed, so that everything behind the description may be unaligned.
 */
#include "firmware/boot/loadoption.h"

#include <string.h>

#define HEADER_SIZE      6u
#define NODE_HEADER      4u
#define END_TYPE         0x7Fu /* UEFI 2.10 10.3.1 */
#define END_ENTIRE       0xFFu
#define MAXIMUM_PATHS    0xFFFFu
#define FIRST_PRINTABLE  0x20u
#define BEYOND_PRINTABLE 0x7Fu

static uint16_t letter_at(const uint8_t *text, size_t index)
{
    return (uint16_t)(text[2 * index] | text[2 * index + 1] << 8);
}

/* Size of the device path at the start of a list, with its end node; 0: malformed. */
static size_t path_size(const uint8_t *list, size_t size)
{
    size_t at = 0;
    while (size - at >= NODE_HEADER) {
        size_t length = (size_t)list[at + 2] | (size_t)list[at + 3] << 8;
        if (length < NODE_HEADER || length > size - at)
            return 0;
        bool end = list[at] == END_TYPE && list[at + 1] == END_ENTIRE;
        at += length;
        if (end)
            return at;
    }
    return 0;
}

bool load_option_parse(const void *data, size_t size, struct load_option *ret)
{
    struct load_option option = { 0 };
    const uint8_t *bytes = data;
    if (size < HEADER_SIZE)
        return false;
    memcpy(&option.attributes, bytes, sizeof(option.attributes));
    size_t list_size = (size_t)bytes[4] | (size_t)bytes[5] << 8;
    option.description = bytes + HEADER_SIZE;
    size_t limit = (size - HEADER_SIZE) / 2;
    while (option.letters < limit && letter_at(option.description, option.letters))
        option.letters++;
    if (option.letters == limit)
        return false; /* no NUL */
    option.path = option.description + 2 * (option.letters + 1);
    size_t left = size - (size_t)(option.path - bytes);
    if (list_size > left)
        return false;
    option.path_size = path_size(option.path, list_size);
    if (!option.path_size)
        return false;
    option.optional = option.path + list_size;
    option.optional_size = left - list_size;
    *ret = option;
    return true;
}

size_t load_option_build(const struct load_option *option, uint8_t *data, size_t room)
{
    static const uint8_t nul[2];
    const struct {
        const void *bytes;
        size_t size;
    } parts[] = { { &option->attributes, sizeof(option->attributes) },
                  { &option->path_size, 2 },
                  { option->description, 2 * option->letters },
                  { nul, sizeof(nul) },
                  { option->path, option->path_size },
                  { option->optional, option->optional_size } };
    size_t total = 0;
    if (option->path_size > MAXIMUM_PATHS)
        return 0;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        total += parts[i].size;
    if (total > room)
        return total;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i].size)
            memcpy(data, parts[i].bytes, parts[i].size);
        data += parts[i].size;
    }
    return total;
}

void load_option_text(const struct load_option *option, char *text, size_t size)
{
    size_t i;
    for (i = 0; i < option->letters && i + 1 < size; i++) {
        uint16_t letter = letter_at(option->description, i);
        bool printable = letter >= FIRST_PRINTABLE && letter < BEYOND_PRINTABLE;
        text[i] = printable ? (char)letter : '?';
    }
    text[i] = '\0';
}
