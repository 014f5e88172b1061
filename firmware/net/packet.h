/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Ethernet frames with ARP (RFC 826) and with UDP (RFC 768) in IPv4 (RFC 791): made and taken apart.
 * Pure functions. Whatever is wrong with a frame is checked here, once; readers say false to it.
 */
#ifndef PRIVET_FIRMWARE_NET_PACKET_H
#define PRIVET_FIRMWARE_NET_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PACKET_STATION = 6,           /* bytes of a station address */
    PACKET_UDP_AT = 14 + 20 + 8,  /* where the data of a datagram that we make begins */
    PACKET_MAXIMUM = 14 + 1500,   /* a frame */
    PACKET_UDP_MAXIMUM = PACKET_MAXIMUM - PACKET_UDP_AT,
    PACKET_ARP = 60,              /* a frame with ARP, padded to Ethernet's minimum */
};

struct packet_udp {
    uint8_t from_station[PACKET_STATION], to_station[PACKET_STATION];
    uint32_t from, to;
    uint16_t from_port, to_port;
    uint16_t id;         /* of the IPv4 packet; for writing only */
    const uint8_t *data; /* in the frame */
    size_t length;
};

/*
 * A whole datagram with correct lengths and checksums (a UDP checksum of 0 is none, RFC 768). IPv4
 * options are skipped; fragments are refused, because nobody whom we ask has to send any.
 */
bool packet_read_udp(const uint8_t *frame, size_t length, struct packet_udp *ret);
/*
 * Puts the headers around `udp->length` bytes, PACKET_UDP_MAXIMUM at most, which lie at
 * frame + PACKET_UDP_AT already. Returns the frame's length.
 */
size_t packet_write_udp(uint8_t *frame, const struct packet_udp *udp);

enum packet_arp_kind { PACKET_ARP_REQUEST = 1, PACKET_ARP_REPLY = 2 };

struct packet_arp {
    uint16_t kind;
    uint8_t from_station[PACKET_STATION];
    uint32_t from;
    uint8_t to_station[PACKET_STATION]; /* zeros in a request */
    uint32_t to;
};

/* A request or reply for IPv4 on Ethernet from one station's address. */
bool packet_read_arp(const uint8_t *frame, size_t length, struct packet_arp *ret);
/* Requests go to all stations, replies to one. `frame` has PACKET_ARP bytes, the length. */
void packet_write_arp(uint8_t *frame, const struct packet_arp *arp);

#endif
