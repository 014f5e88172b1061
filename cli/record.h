/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Named values on standard output: a line each, or the members of a JSON object. The caller prints
 * what is around them; names are in kebab-case.
 */
#ifndef PRIVET_CLI_RECORD_H
#define PRIVET_CLI_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct record {
    bool json;
    bool any;         /* a member was printed: the next needs a comma */
    unsigned indent;  /* of lines */
};

__attribute__((format(printf, 3, 4))) void record_text(struct record *record, const char *name,
                                                       const char *format, ...);
void record_number(struct record *record, const char *name, uint64_t value);
/* Hexadecimal with 0x; a string in JSON, which has no numbers of 64 bits. */
void record_mask(struct record *record, const char *name, uint64_t value);
void record_bool(struct record *record, const char *name, bool value);
void record_hex(struct record *record, const char *name, const uint8_t *data, size_t size);

/* A TCB_VERSION as "boot-loader=3 tee=0 ..."; Turin's has another layout. */
void record_tcb(struct record *record, const char *name, bool turin, const uint8_t *tcb);

/* A JSON string with its quotation marks; what is not printable ASCII becomes an escape. */
void print_json_string(const char *text);

#endif
