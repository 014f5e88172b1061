/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* AML terms, byte by byte (ACPI 6.4 20.2). */
#include "machine/board/aml.h"

#include <string.h>

enum opcode {
    OP_ZERO = 0x00,
    OP_ONE = 0x01,
    OP_NAME = 0x08,
    OP_BYTE = 0x0A,
    OP_WORD = 0x0B,
    OP_DWORD = 0x0C,
    OP_STRING = 0x0D,
    OP_QWORD = 0x0E,
    OP_SCOPE = 0x10,
    OP_BUFFER = 0x11,
    OP_PACKAGE = 0x12,
    OP_METHOD = 0x14,
    OP_EXTENDED = 0x5B,
    OP_LOCAL0 = 0x60,
    OP_ARG0 = 0x68,
    OP_DEVICE = 0x82, /* after OP_EXTENDED */
    OP_DWORD_FIELD = 0x8A,
    OP_IF = 0xA0,
    OP_ELSE = 0xA1,
};

/* Packages always use the three-byte length (bits 3:0, 11:4, 19:12), so that it can be filled in
 * later without moving what follows (ACPI 6.4 20.2.4). */
#define LENGTH_BYTES 3u

void aml_bytes(struct aml *aml, const void *data, size_t size)
{
    if (size > sizeof(aml->bytes) - aml->size) {
        aml->overflow = true;
        return;
    }
    memcpy(aml->bytes + aml->size, data, size);
    aml->size += size;
}

void aml_byte(struct aml *aml, uint8_t value)
{
    aml_bytes(aml, &value, 1);
}

static void number(struct aml *aml, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        aml_byte(aml, (uint8_t)(value >> (8 * i)));
}

void aml_path(struct aml *aml, const char *path)
{
    if (*path == '\\')
        aml_byte(aml, (uint8_t)*path++);
    aml_bytes(aml, path, strlen(path));
    if (!*path)
        aml_byte(aml, 0);
}

static void open_length(struct aml *aml)
{
    static const uint8_t room[LENGTH_BYTES];
    if (aml->depth == AML_DEPTH) {
        aml->overflow = true;
        return;
    }
    aml->open[aml->depth++] = aml->size;
    aml_bytes(aml, room, sizeof(room));
}

void aml_close(struct aml *aml)
{
    if (aml->overflow || !aml->depth)
        return;
    size_t at = aml->open[--aml->depth], length = aml->size - at;
    aml->bytes[at] = (uint8_t)((LENGTH_BYTES - 1) << 6 | (length & 0xF));
    aml->bytes[at + 1] = (uint8_t)(length >> 4);
    aml->bytes[at + 2] = (uint8_t)(length >> 12);
}

void aml_open_scope(struct aml *aml, const char *path)
{
    aml_byte(aml, OP_SCOPE);
    open_length(aml);
    aml_path(aml, path);
}

void aml_open_device(struct aml *aml, const char *name)
{
    aml_byte(aml, OP_EXTENDED);
    aml_byte(aml, OP_DEVICE);
    open_length(aml);
    aml_path(aml, name);
}

void aml_open_package(struct aml *aml, uint8_t elements)
{
    aml_byte(aml, OP_PACKAGE);
    open_length(aml);
    aml_byte(aml, elements);
}

void aml_open_method(struct aml *aml, const char *name, uint8_t arguments)
{
    aml_byte(aml, OP_METHOD);
    open_length(aml);
    aml_path(aml, name);
    aml_byte(aml, arguments | 1 << 3); /* serialized: it makes named objects */
}

void aml_open_if(struct aml *aml)
{
    aml_byte(aml, OP_IF);
    open_length(aml);
}

void aml_open_else(struct aml *aml)
{
    aml_byte(aml, OP_ELSE);
    open_length(aml);
}

void aml_dword_field(struct aml *aml, unsigned argument, unsigned offset, const char *name)
{
    aml_byte(aml, OP_DWORD_FIELD);
    aml_argument(aml, argument);
    aml_integer(aml, offset);
    aml_path(aml, name);
}

void aml_operator(struct aml *aml, enum aml_operator operator)
{
    aml_byte(aml, (uint8_t)operator);
}

void aml_argument(struct aml *aml, unsigned number)
{
    aml_byte(aml, (uint8_t)(OP_ARG0 + number));
}

void aml_local(struct aml *aml, unsigned number)
{
    aml_byte(aml, (uint8_t)(OP_LOCAL0 + number));
}

void aml_buffer(struct aml *aml, const void *data, uint8_t size)
{
    aml_byte(aml, OP_BUFFER);
    open_length(aml);
    aml_byte(aml, OP_BYTE);
    aml_byte(aml, size);
    aml_bytes(aml, data, size);
    aml_close(aml);
}

void aml_name(struct aml *aml, const char *name)
{
    aml_byte(aml, OP_NAME);
    aml_path(aml, name);
}

void aml_integer(struct aml *aml, uint64_t value)
{
    static const struct {
        uint64_t limit;
        enum opcode opcode;
        unsigned bytes;
    } forms[] = {
        { UINT8_MAX, OP_BYTE, 1 },
        { UINT16_MAX, OP_WORD, 2 },
        { UINT32_MAX, OP_DWORD, 4 },
        { UINT64_MAX, OP_QWORD, 8 },
    };
    if (value <= 1) {
        aml_byte(aml, value ? OP_ONE : OP_ZERO);
        return;
    }
    unsigned form = 0;
    while (value > forms[form].limit)
        form++;
    aml_byte(aml, (uint8_t)forms[form].opcode);
    number(aml, value, forms[form].bytes);
}

void aml_string(struct aml *aml, const char *text)
{
    aml_byte(aml, OP_STRING);
    aml_bytes(aml, text, strlen(text) + 1);
}

void aml_name_integer(struct aml *aml, const char *name, uint64_t value)
{
    aml_name(aml, name);
    aml_integer(aml, value);
}

static unsigned hex_digit(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'A' + 10);
}

/* ACPI 6.4 19.3.4: three letters of five bits, four hexadecimal digits, big-endian. */
void aml_eisa_id(struct aml *aml, const char *id)
{
    uint32_t value = (uint32_t)(id[0] - '@') << 26 | (uint32_t)(id[1] - '@') << 21 |
                     (uint32_t)(id[2] - '@') << 16;
    for (unsigned i = 0; i < 4; i++)
        value |= hex_digit(id[3 + i]) << (12 - 4 * i);
    aml_byte(aml, OP_DWORD);
    number(aml, __builtin_bswap32(value), 4);
}

/* The buffer's size is a term of its own before the bytes: a WordConst, filled in at the close. */
void aml_open_resources(struct aml *aml, const char *name)
{
    static const uint8_t size_term[] = { OP_WORD, 0, 0 };
    aml_name(aml, name);
    aml_byte(aml, OP_BUFFER);
    open_length(aml);
    aml_bytes(aml, size_term, sizeof(size_term));
}

void aml_close_resources(struct aml *aml)
{
    static const uint8_t end_tag[] = { 0x79, 0 }; /* checksum 0: none (ACPI 6.4 6.4.2.9) */
    aml_bytes(aml, end_tag, sizeof(end_tag));
    if (!aml->overflow && aml->depth) {
        size_t at = aml->open[aml->depth - 1] + LENGTH_BYTES;
        size_t length = aml->size - (at + 3);
        aml->bytes[at + 1] = (uint8_t)length;
        aml->bytes[at + 2] = (uint8_t)(length >> 8);
    }
    aml_close(aml);
}

void aml_resource_io(struct aml *aml, uint16_t base, uint8_t length)
{
    aml_byte(aml, 0x47); /* I/O port descriptor, 7 bytes */
    aml_byte(aml, 1);    /* decodes 16 bits */
    number(aml, base, 2);
    number(aml, base, 2);
    aml_byte(aml, 1);
    aml_byte(aml, length);
}

void aml_resource_irq(struct aml *aml, unsigned irq)
{
    aml_byte(aml, 0x22); /* IRQ descriptor without flags: edge, active high, exclusive */
    number(aml, 1u << irq, 2);
}

void aml_resource_memory32_fixed(struct aml *aml, uint32_t base, uint32_t length)
{
    aml_byte(aml, 0x86);
    number(aml, 9, 2);
    aml_byte(aml, 1); /* writable */
    number(aml, base, 4);
    number(aml, length, 4);
}

/* ACPI 6.4 6.4.3.5: address space descriptors of 2, 4 or 8 byte numbers. */
static void window(struct aml *aml, uint8_t tag, unsigned bytes, enum aml_space space,
                   uint64_t first, uint64_t last)
{
    static const uint8_t specific[] = {
        [AML_MEMORY] = 0x01, /* writable, not cacheable */
        [AML_IO] = 0x03,     /* the entire range */
        [AML_BUS] = 0x00,
    };
    aml_byte(aml, tag);
    number(aml, 3 + 5 * bytes, 2);
    aml_byte(aml, (uint8_t)space);
    aml_byte(aml, 0x0C); /* fixed minimum and maximum, positive decode, producer */
    aml_byte(aml, specific[space]);
    number(aml, 0, bytes); /* granularity */
    number(aml, first, bytes);
    number(aml, last, bytes);
    number(aml, 0, bytes); /* translation */
    number(aml, last - first + 1, bytes);
}

void aml_resource_word(struct aml *aml, enum aml_space space, uint16_t first, uint16_t last)
{
    window(aml, 0x88, 2, space, first, last);
}

void aml_resource_dword(struct aml *aml, enum aml_space space, uint32_t first, uint32_t last)
{
    window(aml, 0x87, 4, space, first, last);
}

void aml_resource_qword(struct aml *aml, enum aml_space space, uint64_t first, uint64_t last)
{
    window(aml, 0x8A, 8, space, first, last);
}
