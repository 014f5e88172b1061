/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Framing of GDB's remote serial protocol (GDB manual, appendix E.1 "Overview"): "$data#checksum",
 * escapes, run lengths, acknowledgements and the interrupt character. Pure: no socket, no session.
 */
#ifndef PRIVET_MACHINE_GDB_PACKET_H
#define PRIVET_MACHINE_GDB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most bytes of one packet's data, unescaped; offered to GDB as PacketSize. */
#define GDB_PACKET_MAX 16384u

/* Room that gdb_encode can need for `length` bytes: every one escaped, and the frame. */
#define GDB_ENCODED_SIZE(length) (2 * (size_t)(length) + 4)

enum gdb_event {
    GDB_NOTHING,   /* the byte was taken; more is needed */
    GDB_PACKET,    /* decoder->data and ->length hold a packet, and a NUL follows */
    GDB_DAMAGED,   /* wrong checksum, bad escape, or too long: to be answered by "-" */
    GDB_ACCEPTED,  /* "+" */
    GDB_REJECTED,  /* "-": the last answer is to be sent again */
    GDB_INTERRUPT, /* Ctrl-C outside a packet */
};

struct gdb_decoder {
    bool expand_runs; /* for answers; requests have no run lengths and "*" stands for itself */
    unsigned state;
    uint8_t sum, told;
    bool damaged, escaped;
    size_t length;
    char data[GDB_PACKET_MAX + 1];
};

/* An all-zero decoder is ready. */
enum gdb_event gdb_decode(struct gdb_decoder *decoder, uint8_t byte);

/*
 * Frames an answer: escapes, run lengths where they make it shorter, checksum. `out` has room for
 * GDB_ENCODED_SIZE(length). Returns the bytes written.
 */
size_t gdb_encode(const void *data, size_t length, char *out);

/* Two hexadecimal digits a byte, NUL after them: `text` has room for 2 * length + 1. */
void gdb_to_hex(const void *data, size_t length, char *text);

/* False unless the first 2 * length characters of `text` are hexadecimal digits. */
bool gdb_from_hex(const char *text, void *data, size_t length);

/* Takes a hexadecimal number off *text. False: there is no digit, or it exceeds 64 bits. */
bool gdb_take_number(const char **text, uint64_t *ret);

#endif
