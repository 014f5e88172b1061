/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * See dhcp.h. The client calls itself what OVMF calls itself: a PXE client for x86-64 UEFI, because
 * servers choose the boot file by that.
 */
#include "firmware/net/dhcp.h"

#include <string.h>

#include "firmware/net/wire.h"

/* RFC 2131 2 */
enum {
    BOOT_REQUEST = 1,
    BOOT_REPLY = 2,
    ETHERNET = 1,
    AT_TRANSACTION = 4,
    AT_SECONDS = 8,
    AT_YOUR_ADDRESS = 16,
    AT_NEXT_SERVER = 20,
    AT_STATION = 28,
    AT_SERVER_NAME = 44,
    AT_FILE = 108,
    AT_COOKIE = 236,
    AT_OPTIONS = 240,
    SERVER_NAME = AT_FILE - AT_SERVER_NAME,
    FILE_NAME = AT_COOKIE - AT_FILE,
};
#define COOKIE 0x63825363u

/* RFC 2132, RFC 4578 */
enum {
    OPTION_PAD = 0,
    OPTION_MASK = 1,
    OPTION_ROUTER = 3,
    OPTION_REQUESTED_ADDRESS = 50,
    OPTION_OVERLOAD = 52,
    OPTION_KIND = 53,
    OPTION_SERVER = 54,
    OPTION_BOOT_SERVER = 66,
    OPTION_BOOT_FILE = 67,
    OPTION_END = 255,
    OVERLOAD_FILE = 1,
    OVERLOAD_SERVER_NAME = 2,
    DISCOVER = 1,
    REQUEST = 3,
};

/* Of every message, behind the kind: largest message, parameters, class, architecture, interface. */
static const uint8_t about_us[] = {
    57, 2,  5, 220, /* 1500 bytes */
    55, 5,  OPTION_MASK, OPTION_ROUTER, OPTION_SERVER, OPTION_BOOT_SERVER, OPTION_BOOT_FILE,
    60, 32, 'P', 'X', 'E', 'C', 'l', 'i', 'e', 'n', 't', ':', 'A', 'r', 'c', 'h', ':', '0', '0',
    '0', '0', '7', ':', 'U', 'N', 'D', 'I', ':', '0', '0', '3', '0', '0', '0',
    93, 2,  0, 7,    /* x86-64 UEFI, as every firmware numbers it (RFC 4578 2.1, erratum 4625) */
    94, 3,  1, 3, 0, /* UNDI 3.0 */
};
/* The kind, two addresses, the end. */
_Static_assert(AT_OPTIONS + 3 + sizeof(about_us) + 6 + 6 + 1 <= DHCP_MESSAGE, "messages fit");

static uint8_t *write_option(uint8_t *at, uint8_t option, uint32_t address)
{
    at[0] = option;
    at[1] = 4;
    wire_put32(at + 2, address);
    return at + 6;
}

size_t dhcp_write(const struct dhcp_client *client, const struct dhcp_answer *offer,
                  uint8_t message[DHCP_MESSAGE])
{
    uint8_t *at = message + AT_OPTIONS;
    memset(message, 0, DHCP_MESSAGE);
    message[0] = BOOT_REQUEST;
    message[1] = ETHERNET;
    message[2] = DHCP_STATION;
    wire_put32(message + AT_TRANSACTION, client->transaction);
    wire_put16(message + AT_SECONDS, client->seconds);
    memcpy(message + AT_STATION, client->station, DHCP_STATION);
    wire_put32(message + AT_COOKIE, COOKIE);
    *at++ = OPTION_KIND;
    *at++ = 1;
    *at++ = offer ? REQUEST : DISCOVER;
    if (offer) {
        at = write_option(at, OPTION_SERVER, offer->server);
        at = write_option(at, OPTION_REQUESTED_ADDRESS, offer->address);
    }
    memcpy(at, about_us, sizeof(about_us));
    at[sizeof(about_us)] = OPTION_END;
    return DHCP_MESSAGE;
}

/* Text of at most `length` bytes, or to its first NUL. One with other characters stays unread. */
static void read_text(char ret[DHCP_NAME_ROOM], const uint8_t *text, size_t length)
{
    size_t used = 0;
    while (used < length && used < DHCP_NAME_ROOM - 1 && text[used]) {
        if (text[used] < ' ' || text[used] > '~')
            return;
        used++;
    }
    memcpy(ret, text, used);
    ret[used] = '\0';
}

static void read_address(uint32_t *ret, const uint8_t *data, size_t length)
{
    if (length >= 4)
        *ret = wire_get32(data);
}

/* What the options say besides the answer. */
struct options {
    uint8_t kind, overload;
};

static void read_option(uint8_t option, const uint8_t *data, size_t length, struct options *options,
                        struct dhcp_answer *answer)
{
    switch (option) {
    case OPTION_KIND:
        options->kind = length ? data[0] : 0;
        break;
    case OPTION_OVERLOAD:
        options->overload = length ? data[0] : 0;
        break;
    case OPTION_MASK:
        read_address(&answer->mask, data, length);
        break;
    case OPTION_ROUTER:
        read_address(&answer->router, data, length);
        break;
    case OPTION_SERVER:
        read_address(&answer->server, data, length);
        break;
    case OPTION_BOOT_SERVER:
        read_text(answer->boot_server_name, data, length);
        break;
    case OPTION_BOOT_FILE:
        read_text(answer->boot_file, data, length);
        break;
    default:
        break;
    }
}

/* False: an option ends beyond the field. One without an end is at its end. */
static bool read_options(const uint8_t *at, size_t length, struct options *options,
                         struct dhcp_answer *answer)
{
    const uint8_t *end = at + length;
    while (at < end && *at != OPTION_END) {
        if (*at == OPTION_PAD) {
            at++;
            continue;
        }
        if (end - at < 2 || end - at - 2 < at[1])
            return false;
        read_option(at[0], at + 2, at[1], options, answer);
        at += 2 + at[1];
    }
    return true;
}

/* RFC 2131 4.1: the fields may hold options instead, file first. */
static bool read_fields(const uint8_t *message, struct options *options, struct dhcp_answer *answer)
{
    struct options inner;
    bool file_too = options->overload & OVERLOAD_FILE;
    bool name_too = options->overload & OVERLOAD_SERVER_NAME;
    if ((file_too && !read_options(message + AT_FILE, FILE_NAME, &inner, answer)) ||
        (name_too && !read_options(message + AT_SERVER_NAME, SERVER_NAME, &inner, answer)))
        return false;
    if (!file_too && !answer->boot_file[0])
        read_text(answer->boot_file, message + AT_FILE, FILE_NAME);
    return true;
}

/* 1.2.3.4, and nothing else. */
static uint32_t read_dotted(const char *text)
{
    uint32_t address = 0;
    for (unsigned part = 0; part < 4; part++) {
        unsigned value = 0, digits = 0;
        for (; *text >= '0' && *text <= '9' && digits < 3; text++, digits++)
            value = value * 10 + (unsigned)(*text - '0');
        if (digits == 0 || value > 255 || *text != (part < 3 ? '.' : '\0'))
            return 0;
        text++;
        address = address << 8 | value;
    }
    return address;
}

/* The header's next server, else option 66, else the DHCP server itself. */
static void find_boot_server(const uint8_t *message, struct dhcp_answer *answer)
{
    answer->boot_server = wire_get32(message + AT_NEXT_SERVER);
    if (!answer->boot_server && answer->boot_server_name[0])
        answer->boot_server = read_dotted(answer->boot_server_name);
    else if (!answer->boot_server)
        answer->boot_server = answer->server;
}

static bool is_for(const struct dhcp_client *client, const uint8_t *message, size_t length)
{
    return length >= AT_OPTIONS && message[0] == BOOT_REPLY && message[1] == ETHERNET &&
           message[2] == DHCP_STATION && wire_get32(message + AT_COOKIE) == COOKIE &&
           wire_get32(message + AT_TRANSACTION) == client->transaction &&
           memcmp(message + AT_STATION, client->station, DHCP_STATION) == 0;
}

/* 0, the loopback network, groups and what is above them name no station. */
static bool is_station(uint32_t address)
{
    return address >> 24 != 0 && address >> 24 != 127 && address >> 28 < 0xE;
}

bool dhcp_read(const struct dhcp_client *client, const uint8_t *message, size_t length,
               struct dhcp_answer *ret)
{
    struct options options = { 0 };
    if (!is_for(client, message, length))
        return false;
    *ret = (struct dhcp_answer){ .address = wire_get32(message + AT_YOUR_ADDRESS) };
    if (!read_options(message + AT_OPTIONS, length - AT_OPTIONS, &options, ret) ||
        !read_fields(message, &options, ret) || !is_station(ret->server))
        return false;
    find_boot_server(message, ret);
    if (ret->boot_server && !is_station(ret->boot_server))
        return false;
    ret->kind = options.kind;
    if (ret->kind == DHCP_NAK)
        return true;
    return (ret->kind == DHCP_OFFER || ret->kind == DHCP_ACK) && is_station(ret->address);
}
