/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A small builder of ACPI Machine Language (ACPI 6.4 chapter 20): appends terms to a buffer;
 * packages are opened and closed, their lengths filled in at the close. Private to machine/board.
 */
#ifndef PRIVET_MACHINE_AML_H
#define PRIVET_MACHINE_AML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AML_CAPACITY 16384u
#define AML_DEPTH    8u

struct aml {
    uint8_t bytes[AML_CAPACITY];
    size_t size;
    size_t open[AML_DEPTH]; /* where the open packages' lengths go */
    unsigned depth;
    bool overflow; /* capacity or depth exceeded: the result is unusable */
};

void aml_bytes(struct aml *aml, const void *data, size_t size);
void aml_byte(struct aml *aml, uint8_t value);

/* NameSeg or path: "PCI0", "\\_SB_"; segments have four characters. */
void aml_path(struct aml *aml, const char *path);

/* Closes the innermost package, whatever it is. */
void aml_close(struct aml *aml);

void aml_open_scope(struct aml *aml, const char *path);
void aml_open_device(struct aml *aml, const char *name);
void aml_open_package(struct aml *aml, uint8_t elements);

/* Method (name, arguments, Serialized), If (predicate), Else: terms follow until the close. */
void aml_open_method(struct aml *aml, const char *name, uint8_t arguments);
void aml_open_if(struct aml *aml);
void aml_open_else(struct aml *aml);
/* CreateDWordField (Arg `argument`, offset, name). */
void aml_dword_field(struct aml *aml, unsigned argument, unsigned offset, const char *name);
/* What takes operands: the terms that follow (ACPI 6.4 20.2.5.4). Then the target of and, or. */
enum aml_operator { AML_STORE = 0x70, AML_AND = 0x7B, AML_OR = 0x7D, AML_NOT = 0x92,
                    AML_EQUAL = 0x93, AML_RETURN = 0xA4 };
void aml_operator(struct aml *aml, enum aml_operator operator);
void aml_argument(struct aml *aml, unsigned number); /* Arg0 to Arg6 */
void aml_local(struct aml *aml, unsigned number);    /* Local0 to Local7 */
void aml_buffer(struct aml *aml, const void *data, uint8_t size);

/* Name (name, ...): the object follows. */
void aml_name(struct aml *aml, const char *name);
void aml_integer(struct aml *aml, uint64_t value);
void aml_string(struct aml *aml, const char *text);
void aml_name_integer(struct aml *aml, const char *name, uint64_t value);
/* A compressed EISA identifier such as "PNP0A08". */
void aml_eisa_id(struct aml *aml, const char *id);

/* Name (_CRS, ResourceTemplate () { ... }): descriptors between open and close. */
void aml_open_resources(struct aml *aml, const char *name);
void aml_close_resources(struct aml *aml);
void aml_resource_io(struct aml *aml, uint16_t base, uint8_t length);
void aml_resource_irq(struct aml *aml, unsigned irq); /* edge, high, exclusive */
void aml_resource_memory32_fixed(struct aml *aml, uint32_t base, uint32_t length);

enum aml_space { AML_MEMORY, AML_IO, AML_BUS };
/* An address window that the bridge produces for its children. Inclusive ends. */
void aml_resource_word(struct aml *aml, enum aml_space space, uint16_t first, uint16_t last);
void aml_resource_dword(struct aml *aml, enum aml_space space, uint32_t first, uint32_t last);
void aml_resource_qword(struct aml *aml, enum aml_space space, uint64_t first, uint64_t last);

#endif
