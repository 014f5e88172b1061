/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* See tftp.h. */
#include "firmware/net/tftp.h"

#include <string.h>

#include "firmware/lib/log.h"
#include "firmware/net/wire.h"

enum {
    READ_REQUEST = 1,
    DATA = 3,
    ACKNOWLEDGEMENT = 4,
    ERROR = 5,
    OPTIONS = 6, /* RFC 2347 */
    HEADER = 4,
    FILE_NOT_FOUND = 1,
    REQUEST_ENDED = 8, /* RFC 2347: of the error that ends a negotiation */
    BLOCK_MINIMUM = 8, /* RFC 2348 */
};
#define STRING_OF(x) #x
#define STRING(x)    STRING_OF(x)
#define WISH         1468
_Static_assert(WISH == TFTP_BLOCK_WISH, "what is asked for is what fits");

static uint8_t *put_text(uint8_t *at, const char *text)
{
    size_t length = strlen(text) + 1;
    memcpy(at, text, length);
    return at + length;
}

size_t tftp_write_request(uint8_t *packet, const char *file)
{
    static const char *const words[] = { "octet", "tsize", "0", "blksize", STRING(WISH) };
    wire_put16(packet, READ_REQUEST);
    uint8_t *at = put_text(packet + 2, file);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        at = put_text(at, words[i]);
    return (size_t)(at - packet);
}

size_t tftp_write_ack(uint8_t *packet, uint16_t block)
{
    wire_put16(packet, ACKNOWLEDGEMENT);
    wire_put16(packet + 2, block);
    return HEADER;
}

size_t tftp_write_error(uint8_t *packet, const char *text)
{
    wire_put16(packet, ERROR);
    wire_put16(packet + 2, REQUEST_ENDED);
    return (size_t)(put_text(packet + HEADER, text) - packet);
}

static enum tftp_step refuse(struct tftp_transfer *t, const char *reason)
{
    format(t->reason, sizeof(t->reason), "%s", reason);
    return TFTP_REFUSE;
}

/* A text that the packet ends, if no NUL does it before. */
static enum tftp_step take_error(struct tftp_transfer *t, const uint8_t *packet, size_t length)
{
    size_t used = 0;
    for (const uint8_t *at = packet + HEADER; at < packet + length && *at; at++)
        if (used + 1 < sizeof(t->reason))
            t->reason[used++] = *at >= ' ' && *at <= '~' ? (char)*at : '?';
    t->reason[used] = '\0';
    if (used == 0)
        format(t->reason, sizeof(t->reason), "error %u", wire_get16(packet + 2));
    t->not_found = wire_get16(packet + 2) == FILE_NOT_FOUND;
    return TFTP_FAILED;
}

/* Cuts a text and its NUL off. NULL: there is none. */
static const char *take_text(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *text = *at;
    for (const uint8_t *c = text; c < end; c++)
        if (*c == '\0') {
            *at = c + 1;
            return (const char *)text;
        }
    return NULL;
}

static bool read_number(const char *text, uint64_t limit, uint64_t *ret)
{
    uint64_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && value <= limit; at++)
        value = value * 10 + (uint64_t)(*at - '0');
    *ret = value;
    return at > text && *at == '\0' && value <= limit;
}

/* Option names are in either case (RFC 2347). */
static bool is_option(const char *text, const char *name)
{
    while (*name && (*text | 0x20) == *name) {
        text++;
        name++;
    }
    return *text == '\0' && *name == '\0';
}

/* NULL, or why the transfer cannot go on. */
static const char *settle_size(struct tftp_transfer *t, uint64_t size)
{
    if (t->size_known && size != t->size)
        return "the file's size has changed";
    t->size = size;
    t->size_known = true;
    return size == 0 ? "the file is empty" : NULL;
}

static const char *take_option(struct tftp_transfer *t, const char *name, const char *value)
{
    uint64_t number;
    if (is_option(name, "tsize")) {
        if (!read_number(value, TFTP_FILE_MAXIMUM, &number))
            return "the file is larger than 1 GiB";
        return number ? settle_size(t, number) : NULL; /* 0: a server that does not know it */
    }
    if (!is_option(name, "blksize"))
        return "the server sets an option that nobody asked for";
    if (!read_number(value, TFTP_BLOCK_WISH, &number) || number < BLOCK_MINIMUM)
        return "the server sets an impossible block size";
    t->block_size = (uint32_t)number;
    return NULL;
}

static enum tftp_step take_options(struct tftp_transfer *t, const uint8_t *packet, size_t length)
{
    const uint8_t *at = packet + 2, *end = packet + length;
    if (t->begun) /* again, because our answer was lost; or much too late */
        return t->received == 0 && t->block == 0 ? TFTP_ANSWER : TFTP_IGNORE;
    t->begun = true;
    t->block_size = TFTP_BLOCK;
    while (at < end) {
        const char *name = take_text(&at, end), *value = name ? take_text(&at, end) : NULL;
        const char *reason = value ? take_option(t, name, value)
                                   : "the server's options are malformed";
        if (reason)
            return refuse(t, reason);
    }
    return t->size_known && !t->buffer ? TFTP_SIZE : TFTP_ANSWER;
}

static enum tftp_step finish(struct tftp_transfer *t)
{
    const char *reason = settle_size(t, t->received);
    return reason ? refuse(t, reason) : TFTP_DONE;
}

static enum tftp_step take_data(struct tftp_transfer *t, const uint8_t *packet, size_t length)
{
    uint16_t block = wire_get16(packet + 2);
    size_t bytes = length - HEADER;
    if (block == t->block && t->received > 0)
        return TFTP_ANSWER; /* once more: the acknowledgement was lost */
    if (block != (uint16_t)(t->block + 1))
        return TFTP_IGNORE;
    if (!t->begun) { /* a server without options */
        t->begun = true;
        t->block_size = TFTP_BLOCK;
    }
    if (bytes > t->block_size)
        return refuse(t, "a block is too long");
    if (bytes > (t->size_known ? t->size : TFTP_FILE_MAXIMUM) - t->received)
        return refuse(t, "the file is longer than it was said to be");
    if (t->buffer)
        memcpy(t->buffer + t->received, packet + HEADER, bytes);
    t->received += bytes;
    t->block = block;
    return bytes < t->block_size ? finish(t) : TFTP_ANSWER;
}

enum tftp_step tftp_take(struct tftp_transfer *t, const uint8_t *packet, size_t length)
{
    uint16_t kind = length >= 2 ? wire_get16(packet) : 0;
    if (kind == OPTIONS)
        return take_options(t, packet, length);
    if (length < HEADER)
        return TFTP_IGNORE;
    if (kind == ERROR)
        return take_error(t, packet, length);
    return kind == DATA ? take_data(t, packet, length) : TFTP_IGNORE;
}
