/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Reading a file by TFTP (RFC 1350) with the options blksize and tsize (RFC 2347 to 2349): packets
 * as a client makes them, and what it does with each that a server sends. Pure functions.
 */
#ifndef PRIVET_FIRMWARE_NET_TFTP_H
#define PRIVET_FIRMWARE_NET_TFTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TFTP_PORT = 69,
    TFTP_BLOCK = 512,           /* without options */
    TFTP_BLOCK_WISH = 1468,     /* fills a frame of 1500 bytes */
    TFTP_PACKET = 4 + TFTP_BLOCK_WISH, /* the longest either way */
    TFTP_REASON_ROOM = 128,
};
#define TFTP_FILE_MAXIMUM 0x40000000ull

/* A file on its way. */
struct tftp_transfer {
    uint8_t *buffer; /* of `size` bytes, which is known then; NULL: only the size is wanted */
    uint64_t size;   /* of the file, when size_known; TFTP_FILE_MAXIMUM at most */
    bool size_known; /* set beforehand: the file must have that size */
    /* The rest begins as zeros. */
    bool begun;         /* the server has answered */
    uint32_t block_size;
    uint64_t received;  /* bytes */
    uint16_t block;     /* the last one received; block numbers go on with 0 behind 65535 */
    char reason[TFTP_REASON_ROOM]; /* why it failed; printable ASCII */
    bool not_found;     /* it failed because the server has no such file */
};

enum tftp_step {
    TFTP_IGNORE, /* the packet changes nothing */
    TFTP_ANSWER, /* acknowledge `block` */
    TFTP_DONE,   /* acknowledge `block`; the whole file is there, `size` is its size */
    TFTP_SIZE,   /* `size` is known and nothing else was wanted: send an error to end it */
    TFTP_REFUSE, /* it failed: send an error to end it */
    TFTP_FAILED, /* it failed, and the server knows */
};

/* What to do about a packet from the server. Whatever it holds, nothing leaves the buffer. */
enum tftp_step tftp_take(struct tftp_transfer *transfer, const uint8_t *packet, size_t length);

/* Packets of at most TFTP_PACKET bytes; the length is returned. `file` has less than 256 bytes. */
size_t tftp_write_request(uint8_t *packet, const char *file);
size_t tftp_write_ack(uint8_t *packet, uint16_t block);
size_t tftp_write_error(uint8_t *packet, const char *text);

#endif
