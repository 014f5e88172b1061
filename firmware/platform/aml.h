/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * ACPI Machine Language as the firmware's own tables need it (ACPI 6.5 20.2): terms are appended;
 * a term with a length is opened, filled and closed. Room is the caller's affair: running out of it
 * is an error of ours and stops the boot.
 */
#ifndef PRIVET_FIRMWARE_AML_H
#define PRIVET_FIRMWARE_AML_H

#include <stddef.h>
#include <stdint.h>

struct aml {
    uint8_t *at, *end;
};

enum aml_opcode {
    AML_NAME = 0x08,
    AML_SCOPE = 0x10,
    AML_BUFFER = 0x11,
    AML_PACKAGE = 0x12,
    AML_METHOD = 0x14,
    AML_DEVICE = 0x5B82,
};

void aml_bytes(struct aml *aml, const void *data, size_t size);
void aml_number(struct aml *aml, uint64_t value, unsigned bytes); /* little-endian, no opcode */
void aml_integer(struct aml *aml, uint64_t value);
/* `name`: four characters, or a path of such. */
void aml_name_integer(struct aml *aml, const char *name, uint64_t value);
void aml_name_string(struct aml *aml, const char *name, const char *text);
void aml_name_eisa(struct aml *aml, const char *name, const char *id); /* "PNP0A08" */

/* Opens a term that begins with its length; `name` NULL: it has none. Close takes what open gave. */
uint8_t *aml_open(struct aml *aml, enum aml_opcode opcode, const char *name);
void aml_close(struct aml *aml, uint8_t *opened);

/* Name (_CRS, ResourceTemplate ()): descriptors (ACPI 6.5 6.4) until the close. */
uint8_t *aml_open_resources(struct aml *aml);
void aml_close_resources(struct aml *aml, uint8_t *opened);
void aml_io(struct aml *aml, uint16_t base, uint8_t length);
void aml_irq(struct aml *aml, unsigned irq); /* edge, active high, exclusive */
void aml_memory32(struct aml *aml, uint32_t base, uint32_t length);
enum aml_space { AML_SPACE_MEMORY, AML_SPACE_IO, AML_SPACE_BUS };
/* What a bridge hands on, [first, last], described in numbers of 2, 4 or 8 bytes. */
void aml_window(struct aml *aml, enum aml_space space, unsigned bytes, uint64_t first,
                uint64_t last);

#endif
