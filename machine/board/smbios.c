/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Builds the SMBIOS structures (SMBIOS 3.0 chapter 7). */
#include "machine/board/smbios.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY    8192u
#define ANCHOR_SIZE 24u
#define MIB         (1ull << 20)

struct builder {
    uint8_t bytes[CAPACITY];
    size_t size;
    uint16_t next_handle;
};

static void put(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

/*
 * Opens a structure of `length` bytes followed by its strings, numbered from 1 (NULL ends; none:
 * the double NUL). Returns the formatted area; all structures together fit by construction.
 */
static uint8_t *structure(struct builder *b, uint8_t type, uint8_t length,
                          const char *const *strings)
{
    uint8_t *at = b->bytes + b->size;
    at[0] = type;
    at[1] = length;
    put(at + 2, b->next_handle++, 2);
    b->size += length;
    b->size += *strings ? 1 : 2; /* the NUL that ends the list; two if it is empty */
    for (; *strings; strings++) {
        size_t size = strlen(*strings) + 1;
        memcpy(b->bytes + b->size - 1, *strings, size);
        b->size += size;
    }
    return at;
}

static const char *const no_strings[] = { NULL };

static void bios(struct builder *b)
{
    static const char *const strings[] = { "Privet", "0.1", "01/01/2026", NULL };
    uint8_t *s = structure(b, 0, 24, strings);
    s[4] = 1;
    s[5] = 2;
    put(s + 6, 0xE800, 2);
    s[8] = 3;
    s[10] = 1 << 3; /* characteristics not supported */
    s[19] = 1 << 3 | 1 << 4; /* UEFI, virtual machine */
    s[22] = s[23] = 0xFF; /* no embedded controller */
}

static void system_information(struct builder *b)
{
    static const char *const strings[] = { "Privet", "SEV machine (Q35 + ICH9)", "0.1", NULL };
    uint8_t *s = structure(b, 1, 27, strings);
    s[4] = 1;
    s[5] = 2;
    s[6] = 3;
    s[24] = 6; /* power switch */
}

static void chassis(struct builder *b)
{
    static const char *const strings[] = { "Privet", NULL };
    uint8_t *s = structure(b, 3, 22, strings);
    s[4] = 1;
    s[5] = 1;                /* other */
    s[9] = s[10] = s[11] = 3; /* safe */
    s[12] = 2;               /* security: unknown */
}

static void processor(struct builder *b, unsigned processors)
{
    static const char *const strings[] = { "CPU 0", "AMD", NULL };
    uint8_t *s = structure(b, 4, 48, strings);
    uint8_t count = processors > 255 ? 255 : (uint8_t)processors;
    s[4] = 1;
    s[5] = 3; /* central processor */
    s[6] = 1; /* other family */
    s[7] = 2;
    put(s + 20, 1000, 2);
    put(s + 22, 1000, 2);
    s[24] = 0x41; /* populated, enabled */
    s[25] = 1;
    put(s + 26, 0xFFFF, 2);
    put(s + 28, 0xFFFF, 2);
    put(s + 30, 0xFFFF, 2);
    s[35] = s[36] = s[37] = count;
    put(s + 38, 1 << 2, 2); /* 64-bit capable */
    put(s + 40, 1, 2);
    put(s + 42, processors, 2);
    put(s + 44, processors, 2);
    put(s + 46, processors, 2);
}

static uint16_t memory_array(struct builder *b, uint64_t ram_size)
{
    uint8_t *s = structure(b, 16, 23, no_strings);
    s[4] = 1; /* other location */
    s[5] = 3; /* system memory */
    s[6] = 3; /* no error correction */
    put(s + 7, 0x80000000, 4); /* the extended field counts */
    put(s + 11, 0xFFFE, 2);
    put(s + 13, 1, 2);
    put(s + 15, ram_size, 8);
    return (uint16_t)(b->next_handle - 1);
}

static void memory_device(struct builder *b, uint16_t array, uint64_t ram_size)
{
    static const char *const strings[] = { "DIMM 0", "Privet", NULL };
    uint8_t *s = structure(b, 17, 40, strings);
    put(s + 4, array, 2);
    put(s + 6, 0xFFFE, 2);
    put(s + 8, 0xFFFF, 2);
    put(s + 10, 0xFFFF, 2);
    put(s + 12, 0x7FFF, 2); /* the extended field counts */
    s[14] = 9; /* DIMM */
    s[16] = 1;
    s[18] = 7; /* RAM */
    put(s + 19, 1 << 1, 2);
    s[23] = 2;
    put(s + 28, ram_size / MIB, 4);
}

static void mapped_range(struct builder *b, uint16_t array, uint64_t ram_size)
{
    uint8_t *s = structure(b, 19, 31, no_strings);
    put(s + 4, UINT32_MAX, 4); /* the extended fields count */
    put(s + 8, UINT32_MAX, 4);
    put(s + 12, array, 2);
    s[14] = 1;
    put(s + 15, 0, 8);
    put(s + 23, ram_size - 1, 8);
}

static void boot_information(struct builder *b)
{
    structure(b, 32, 11, no_strings);
}

static void end_of_table(struct builder *b)
{
    structure(b, 127, 4, no_strings);
}

/* SMBIOS 3.0 5.2.2; the table's address and the checksum are the firmware's. */
static void build_anchor(uint8_t anchor[ANCHOR_SIZE], size_t tables_size)
{
    uint8_t sum = 0;
    memset(anchor, 0, ANCHOR_SIZE);
    memcpy(anchor, "_SM3_", 5);
    anchor[6] = ANCHOR_SIZE;
    anchor[7] = 3;
    anchor[10] = 1;
    put(anchor + 12, tables_size, 4);
    for (unsigned i = 0; i < ANCHOR_SIZE; i++)
        sum = (uint8_t)(sum + anchor[i]);
    anchor[5] = (uint8_t)(0 - sum);
}

bool smbios_build(uint64_t ram_size, unsigned processors, struct smbios_blobs *ret)
{
    struct builder *b = calloc(1, sizeof(*b));
    memset(ret, 0, sizeof(*ret));
    if (!b)
        return false;
    bios(b);
    system_information(b);
    chassis(b);
    processor(b, processors);
    uint16_t array = memory_array(b, ram_size);
    memory_device(b, array, ram_size);
    mapped_range(b, array, ram_size);
    boot_information(b);
    end_of_table(b);
    ret->anchor = malloc(ANCHOR_SIZE);
    ret->tables = malloc(b->size);
    ret->anchor_size = ANCHOR_SIZE;
    ret->tables_size = b->size;
    bool done = ret->anchor && ret->tables;
    if (done) {
        memcpy(ret->tables, b->bytes, b->size);
        build_anchor(ret->anchor, b->size);
    } else {
        smbios_free(ret);
    }
    free(b);
    return done;
}

void smbios_free(struct smbios_blobs *blobs)
{
    free(blobs->anchor);
    free(blobs->tables);
    memset(blobs, 0, sizeof(*blobs));
}
