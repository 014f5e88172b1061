/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Framing of GDB's remote serial protocol: GDB manual, appendix E.1. */
#include "machine/hypervisor/gdb_packet.h"

#include <string.h>

/* A run of n further characters is written as "*" and the character n + 29, at most "~". */
#define RUN_BIAS    29
#define RUN_LONGEST ('~' - RUN_BIAS)
#define RUN_LEAST   3
#define ESCAPE      '}'
#define ESCAPE_BIT  0x20

enum { STATE_OUTSIDE, STATE_DATA, STATE_SUM_HIGH, STATE_SUM_LOW };

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void append(struct gdb_decoder *d, char c, unsigned count)
{
    if (count > GDB_PACKET_MAX - d->length) {
        d->damaged = true;
        return;
    }
    memset(d->data + d->length, c, count);
    d->length += count;
}

enum { NO_RUN, RUN_COUNT_FOLLOWS = 2 };

static void take_data(struct gdb_decoder *d, uint8_t byte)
{
    if (d->told == RUN_COUNT_FOLLOWS) {
        d->told = NO_RUN;
        if (byte < RUN_BIAS + RUN_LEAST || byte > '~' || !d->length)
            d->damaged = true;
        else
            append(d, d->data[d->length - 1], byte - RUN_BIAS);
    } else if (d->escaped) {
        d->escaped = false;
        append(d, (char)(byte ^ ESCAPE_BIT), 1);
    } else if (byte == ESCAPE) {
        d->escaped = true;
    } else if (byte == '*' && d->expand_runs) {
        d->told = RUN_COUNT_FOLLOWS;
    } else {
        append(d, (char)byte, 1);
    }
}

static enum gdb_event take_outside(struct gdb_decoder *d, uint8_t byte)
{
    switch (byte) {
    case '$':
        d->state = STATE_DATA;
        d->sum = 0;
        d->told = NO_RUN;
        d->damaged = d->escaped = false;
        d->length = 0;
        return GDB_NOTHING;
    case '+':
        return GDB_ACCEPTED;
    case '-':
        return GDB_REJECTED;
    case 0x03:
        return GDB_INTERRUPT;
    default:
        return GDB_NOTHING;
    }
}

static enum gdb_event finish(struct gdb_decoder *d, uint8_t byte)
{
    int low = hex_digit((char)byte);
    d->state = STATE_OUTSIDE;
    d->data[d->length] = '\0';
    if (low < 0 || d->damaged || (d->told | (unsigned)low) != d->sum)
        return GDB_DAMAGED;
    return GDB_PACKET;
}

enum gdb_event gdb_decode(struct gdb_decoder *d, uint8_t byte)
{
    int high;
    switch (d->state) {
    case STATE_DATA:
        if (byte == '$') /* the sender began again */
            return take_outside(d, byte);
        if (byte == '#') {
            d->damaged = d->damaged || d->escaped || d->told == RUN_COUNT_FOLLOWS;
            d->state = STATE_SUM_HIGH;
            return GDB_NOTHING;
        }
        d->sum = (uint8_t)(d->sum + byte);
        take_data(d, byte);
        return GDB_NOTHING;
    case STATE_SUM_HIGH:
        high = hex_digit((char)byte);
        d->damaged = d->damaged || high < 0;
        d->told = high < 0 ? 0 : (uint8_t)(high << 4);
        d->state = STATE_SUM_LOW;
        return GDB_NOTHING;
    case STATE_SUM_LOW:
        return finish(d, byte);
    default:
        return take_outside(d, byte);
    }
}

/* Further characters equal to the first one, as one run can say them. */
static size_t run_length(const char *data, size_t left)
{
    size_t run = 0;
    while (run + 1 < left && run < RUN_LONGEST && data[run + 1] == data[0])
        run++;
    /* These two counts would be written "#" and "$". */
    return run + RUN_BIAS == '#' || run + RUN_BIAS == '$' ? '#' - RUN_BIAS - 1 : run;
}

size_t gdb_encode(const void *data, size_t length, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const char *from = data;
    char *at = out;
    uint8_t sum = 0;
    *at++ = '$';
    for (size_t k = 0; k < length; k++) {
        size_t run = run_length(from + k, length - k);
        if (strchr("#$*}", from[k]) && from[k]) {
            *at++ = ESCAPE;
            *at++ = (char)(from[k] ^ ESCAPE_BIT);
            continue;
        }
        *at++ = from[k];
        if (run < RUN_LEAST)
            continue;
        *at++ = '*';
        *at++ = (char)(run + RUN_BIAS);
        k += run;
    }
    for (const char *c = out + 1; c < at; c++)
        sum = (uint8_t)(sum + (uint8_t)*c);
    *at++ = '#';
    *at++ = digits[sum >> 4];
    *at++ = digits[sum & 15];
    return (size_t)(at - out);
}

void gdb_to_hex(const void *data, size_t length, char *text)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = data;
    for (size_t k = 0; k < length; k++) {
        *text++ = digits[bytes[k] >> 4];
        *text++ = digits[bytes[k] & 15];
    }
    *text = '\0';
}

bool gdb_from_hex(const char *text, void *data, size_t length)
{
    uint8_t *bytes = data;
    for (size_t k = 0; k < length; k++) {
        int high = hex_digit(text[2 * k]);
        int low = high < 0 ? -1 : hex_digit(text[2 * k + 1]);
        if (low < 0)
            return false;
        bytes[k] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool gdb_take_number(const char **text, uint64_t *ret)
{
    const char *at = *text;
    uint64_t value = 0;
    for (; hex_digit(*at) >= 0; at++) {
        if (value >> 60)
            return false;
        value = value << 4 | (uint64_t)hex_digit(*at);
    }
    if (at == *text)
        return false;
    *text = at;
    *ret = value;
    return true;
}
