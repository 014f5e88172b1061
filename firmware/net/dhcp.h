/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * DHCP messages (RFC 2131, options RFC 2132, RFC 4578) as a client that boots makes and reads them.
 * Pure functions; what a message says was checked when dhcp_read is true.
 */
#ifndef PRIVET_FIRMWARE_NET_DHCP_H
#define PRIVET_FIRMWARE_NET_DHCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DHCP_CLIENT_PORT = 68,
    DHCP_SERVER_PORT = 67,
    DHCP_MESSAGE = 340,   /* room for what we send; RFC 1542 2.1 wants 300 bytes at least */
    DHCP_NAME_ROOM = 256, /* the longest option and its NUL */
    DHCP_STATION = 6,
};

enum dhcp_kind { DHCP_OFFER = 2, DHCP_ACK = 5, DHCP_NAK = 6 };

/* What a server says. Addresses are 0 where it says nothing. */
struct dhcp_answer {
    enum dhcp_kind kind;
    uint32_t address, mask, router;
    uint32_t server;                  /* the DHCP server; never 0 */
    uint32_t boot_server;             /* 0: `boot_server_name` is a name, or there is none */
    char boot_server_name[DHCP_NAME_ROOM]; /* printable ASCII, perhaps empty */
    char boot_file[DHCP_NAME_ROOM];        /* printable ASCII; empty: none, or an unusable one */
};

/* Who asks. */
struct dhcp_client {
    uint8_t station[DHCP_STATION];
    uint32_t transaction;
    uint16_t seconds; /* since it began */
};

/* DHCPDISCOVER; with an offer DHCPREQUEST for it. Returns the length of the message. */
size_t dhcp_write(const struct dhcp_client *client, const struct dhcp_answer *offer,
                  uint8_t message[DHCP_MESSAGE]);
/* An offer with an address, an ACK or NAK, all from a server with a name, for this client. */
bool dhcp_read(const struct dhcp_client *client, const uint8_t *message, size_t length,
               struct dhcp_answer *ret);

#endif
