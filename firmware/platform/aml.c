/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* AML terms and resource descriptors (ACPI 6.5 20.2, 6.4). */
#include "firmware/platform/aml.h"

#include "firmware/lib/log.h"
#include "firmware/lib/string.h"

/* Lengths always take three bytes (bits 3:0, 11:4, 19:12), so that they can be filled in later. */
#define LENGTH_BYTES 3u
#define SIZE_TERM    3u /* of a resource buffer: a WordConst */

enum { BYTE_PREFIX = 0x0A, WORD_PREFIX = 0x0B, DWORD_PREFIX = 0x0C, STRING_PREFIX = 0x0D,
       QWORD_PREFIX = 0x0E };

void aml_bytes(struct aml *aml, const void *data, size_t size)
{
    assert(size <= (size_t)(aml->end - aml->at));
    memcpy(aml->at, data, size);
    aml->at += size;
}

void aml_number(struct aml *aml, uint64_t value, unsigned bytes)
{
    aml_bytes(aml, &value, bytes);
}

void aml_integer(struct aml *aml, uint64_t value)
{
    unsigned bytes = value <= 1 ? 0 : value <= UINT8_MAX ? 1 : value <= UINT16_MAX ? 2
                     : value <= UINT32_MAX ? 4 : 8;
    static const uint8_t prefixes[] = { [1] = BYTE_PREFIX, [2] = WORD_PREFIX, [4] = DWORD_PREFIX,
                                        [8] = QWORD_PREFIX };

    if (bytes == 0) {
        aml_number(aml, value, 1); /* ZeroOp, OneOp */
        return;
    }
    aml_number(aml, prefixes[bytes], 1);
    aml_number(aml, value, bytes);
}

static void name_object(struct aml *aml, const char *name)
{
    aml_number(aml, AML_NAME, 1);
    aml_bytes(aml, name, strlen(name));
}

void aml_name_integer(struct aml *aml, const char *name, uint64_t value)
{
    name_object(aml, name);
    aml_integer(aml, value);
}

void aml_name_string(struct aml *aml, const char *name, const char *text)
{
    name_object(aml, name);
    aml_number(aml, STRING_PREFIX, 1);
    aml_bytes(aml, text, strlen(text) + 1);
}

static unsigned hexadecimal(char digit)
{
    return (unsigned)(digit <= '9' ? digit - '0' : digit - 'A' + 10);
}

/* ACPI 6.5 19.3.4: three letters of five bits, four digits, stored with the high byte first. */
void aml_name_eisa(struct aml *aml, const char *name, const char *id)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < 3; i++) {
        value = value << 5 | (uint32_t)(id[i] - '@');
    }
    for (unsigned i = 3; i < 7; i++) {
        value = value << 4 | hexadecimal(id[i]);
    }
    name_object(aml, name);
    aml_number(aml, DWORD_PREFIX, 1);
    aml_number(aml, __builtin_bswap32(value), 4);
}

uint8_t *aml_open(struct aml *aml, enum aml_opcode opcode, const char *name)
{
    if (opcode > UINT8_MAX) {
        aml_number(aml, opcode >> 8, 1);
    }
    aml_number(aml, opcode, 1);
    uint8_t *opened = aml->at;
    aml_number(aml, 0, LENGTH_BYTES);
    if (name != NULL) {
        aml_bytes(aml, name, strlen(name));
    }
    return opened;
}

void aml_close(struct aml *aml, uint8_t *opened)
{
    size_t length = (size_t)(aml->at - opened);

    assert(length < 1u << 20);
    opened[0] = (uint8_t)((LENGTH_BYTES - 1) << 6 | (length & 15));
    opened[1] = (uint8_t)(length >> 4);
    opened[2] = (uint8_t)(length >> 12);
}

uint8_t *aml_open_resources(struct aml *aml)
{
    name_object(aml, "_CRS");
    uint8_t *opened = aml_open(aml, AML_BUFFER, NULL);
    aml_number(aml, WORD_PREFIX, SIZE_TERM);
    return opened;
}

void aml_close_resources(struct aml *aml, uint8_t *opened)
{
    aml_number(aml, 0x79, 2); /* end tag, its checksum 0: not used */
    uint16_t size = (uint16_t)(aml->at - opened - LENGTH_BYTES - SIZE_TERM);
    memcpy(opened + LENGTH_BYTES + 1, &size, sizeof(size));
    aml_close(aml, opened);
}

void aml_io(struct aml *aml, uint16_t base, uint8_t length)
{
    aml_number(aml, 0x0147, 2); /* I/O port descriptor, 16-bit decode */
    aml_number(aml, base, 2);   /* lowest and highest base */
    aml_number(aml, base, 2);
    aml_number(aml, 1, 1); /* alignment */
    aml_number(aml, length, 1);
}

void aml_irq(struct aml *aml, unsigned irq)
{
    aml_number(aml, 0x22, 1);
    aml_number(aml, 1u << irq, 2);
}

void aml_memory32(struct aml *aml, uint32_t base, uint32_t length)
{
    aml_number(aml, 0x86, 1);
    aml_number(aml, 9, 2);
    aml_number(aml, 1, 1); /* writable */
    aml_number(aml, base, 4);
    aml_number(aml, length, 4);
}

void aml_window(struct aml *aml, enum aml_space space, unsigned bytes, uint64_t first,
                uint64_t last)
{
    static const uint8_t tags[] = { [2] = 0x88, [4] = 0x87, [8] = 0x8A };
    static const uint8_t flags[] = { [AML_SPACE_MEMORY] = 1 /* writable, not cacheable */,
                                     [AML_SPACE_IO] = 3 /* the whole range */ };

    aml_number(aml, tags[bytes], 1);
    aml_number(aml, 3 + 5 * bytes, 2);
    aml_number(aml, space, 1);
    aml_number(aml, 0x0C, 1); /* fixed at both ends, positive decode, producer */
    aml_number(aml, space == AML_SPACE_BUS ? 0 : flags[space], 1);
    aml_number(aml, 0, bytes); /* granularity */
    aml_number(aml, first, bytes);
    aml_number(aml, last, bytes);
    aml_number(aml, 0, bytes); /* translation */
    aml_number(aml, last - first + 1, bytes);
}
