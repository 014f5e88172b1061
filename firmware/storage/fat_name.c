/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Names of FAT: the 8.3 name in an entry, the long name in the entries before it, and the alias that
 * is made for a long name. Letters of 8.3 names above 0x7F are taken for Latin-1, as edk2 does; none
 * is made.
 */
#include "firmware/storage/fat.h"

#include <string.h>

#define BASE   8u
#define PIECE  13u
#define PIECES 20u
#define LAST   0x40u /* in the number of the piece that ends the name */
#define E5     0x05u /* stands for a first letter 0xE5 */

static const uint8_t places[PIECE] = { 1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30 };

uint16_t fat_upper(uint16_t letter)
{
    bool ascii = letter >= 'a' && letter <= 'z';
    bool latin = letter >= 0xE0 && letter <= 0xFE && letter != 0xF7;
    return ascii || latin ? letter - 0x20 : letter;
}

static uint16_t lower(uint16_t letter)
{
    return letter >= 'A' && letter <= 'Z' ? letter + 0x20 : letter;
}

bool fat_same_name(const uint16_t *a, size_t length, const uint16_t *b)
{
    for (size_t i = 0; i < length; i++)
        if (b[i] == 0 || fat_upper(a[i]) != fat_upper(b[i]))
            return false;
    return b[length] == 0;
}

static bool is_one_of(uint16_t letter, const char *list)
{
    while (*list && letter != (uint8_t)*list)
        list++;
    return *list;
}

bool fat_trim_name(const uint16_t **name, size_t *length)
{
    while (*length > 0 && (*name)[0] == ' ') {
        ++*name;
        --*length;
    }
    while (*length > 0 && ((*name)[*length - 1] == ' ' || (*name)[*length - 1] == '.'))
        --*length;
    for (size_t i = 0; i < *length; i++)
        if ((*name)[i] < ' ' || is_one_of((*name)[i], "\"*/:<>?\\|"))
            return false;
    return *length > 0 && *length < FAT_NAME_ROOM;
}

/*
 * One of the two parts of an 8.3 name. True: it says all of the part, in one case; *ret_lower is
 * set if that is the lower one.
 */
static bool make_part(const uint16_t *letters, size_t length, uint8_t *part, unsigned room,
                      bool *ret_lower)
{
    bool exact = length <= room, small = false, large = false;
    unsigned filled = 0;
    for (size_t i = 0; i < length; i++) {
        uint16_t letter = letters[i];
        if (letter == ' ' || letter == '.') {
            exact = false; /* left out */
            continue;
        }
        small = small || (letter >= 'a' && letter <= 'z');
        large = large || (letter >= 'A' && letter <= 'Z');
        if (letter > '~' || is_one_of(letter, "+,;=[]")) {
            exact = false;
            letter = '_';
        }
        if (filled < room)
            part[filled++] = (uint8_t)fat_upper(letter);
    }
    *ret_lower = small;
    return exact && !(small && large);
}

struct fat_alias fat_make_alias(const uint16_t *name, size_t length)
{
    struct fat_alias alias = { .lower = 0 };
    size_t dot = length;
    bool small_base, small_extension;
    memset(alias.name, ' ', sizeof(alias.name));
    for (size_t i = 1; i < length; i++)
        if (name[i] == '.')
            dot = i;
    size_t extension = dot < length ? dot + 1 : length;
    alias.exact = make_part(name, dot, alias.name, BASE, &small_base);
    alias.exact = make_part(name + extension, length - extension, alias.name + BASE,
                            FAT_SHORT_NAME - BASE, &small_extension) &&
                  alias.exact;
    if (alias.name[0] == ' ')
        alias.name[0] = '_'; /* dots only */
    if (alias.exact)
        alias.lower = (uint8_t)((small_base ? 0x08 : 0) | (small_extension ? 0x10 : 0));
    return alias;
}

void fat_number_alias(struct fat_alias *alias, unsigned number)
{
    unsigned digits = 1, end = 0;
    for (unsigned rest = number; rest >= 10; rest /= 10)
        digits++;
    while (end < BASE - 1 - digits && alias->name[end] != ' ' && alias->name[end] != '~')
        end++;
    memset(alias->name + end, ' ', BASE - end);
    alias->name[end] = '~';
    for (unsigned i = digits; i > 0; i--, number /= 10)
        alias->name[end + i] = (uint8_t)('0' + number % 10);
}

static uint8_t checksum(const uint8_t *name)
{
    uint8_t sum = 0;
    for (unsigned i = 0; i < FAT_SHORT_NAME; i++)
        sum = (uint8_t)((uint8_t)(sum << 7 | sum >> 1) + name[i]);
    return sum;
}

unsigned fat_encode_set(const uint16_t *name, size_t length, bool exact,
                        const uint8_t entry[FAT_ENTRY_SIZE],
                        uint8_t ret[FAT_SET_MOST][FAT_ENTRY_SIZE])
{
    unsigned pieces = exact ? 0 : (unsigned)((length + PIECE - 1) / PIECE);
    for (unsigned number = pieces; number > 0; number--) {
        uint8_t *piece = ret[pieces - number];
        memset(piece, 0, FAT_ENTRY_SIZE);
        piece[0] = (uint8_t)(number | (number == pieces ? LAST : 0));
        piece[11] = FAT_LONG;
        piece[13] = checksum(entry);
        for (unsigned i = 0; i < PIECE; i++) {
            size_t index = (number - 1) * PIECE + i;
            uint16_t letter = index < length ? name[index] : index == length ? 0 : 0xFFFF;
            piece[places[i]] = (uint8_t)letter;
            piece[places[i] + 1] = (uint8_t)(letter >> 8);
        }
    }
    memcpy(ret[pieces], entry, FAT_ENTRY_SIZE);
    return pieces + 1;
}

void fat_take_piece(struct fat_long_name *name, const uint8_t *entry)
{
    unsigned number = entry[0] & 0x1F;
    if (entry[0] & LAST) {
        memset(name, 0, sizeof(*name));
        name->expected = number;
        name->checksum = entry[13];
    }
    if (number == 0 || number > PIECES || number != name->expected ||
        entry[13] != name->checksum) {
        memset(name, 0, sizeof(*name));
        return;
    }
    for (unsigned i = 0; i < PIECE; i++) {
        uint16_t letter = (uint16_t)(entry[places[i]] | entry[places[i] + 1] << 8);
        name->letters[(number - 1) * PIECE + i] = letter == 0xFFFF ? 0 : letter;
    }
    name->expected = number - 1;
    name->complete = number == 1;
}

/* 8.3 name; bits 3 and 4 of byte 12 say that base or extension are in lower case. */
static void decode_short(const uint8_t *entry, uint16_t *name)
{
    size_t length = 0;
    for (unsigned i = 0; i < FAT_SHORT_NAME; i++) {
        bool small = entry[12] & (i < BASE ? 0x08 : 0x10);
        if (i == BASE) {
            while (length > 0 && name[length - 1] == ' ')
                length--;
            if (entry[i] == ' ')
                break;
            name[length++] = '.';
        }
        uint16_t letter = i == 0 && entry[0] == E5 ? FAT_DELETED : entry[i];
        name[length++] = small ? lower(letter) : letter;
    }
    while (length > 0 && name[length - 1] == ' ')
        length--;
    name[length] = 0;
}

bool fat_decode_name(const uint8_t *entry, const struct fat_long_name *long_name,
                     uint16_t ret[FAT_NAME_ROOM])
{
    if (long_name && long_name->complete && long_name->letters[0] &&
        long_name->checksum == checksum(entry)) {
        memcpy(ret, long_name->letters, FAT_NAME_ROOM * sizeof(*ret));
        ret[FAT_NAME_ROOM - 1] = 0;
        return true;
    }
    decode_short(entry, ret);
    return false;
}
