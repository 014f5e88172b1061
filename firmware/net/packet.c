/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* See packet.h. */
#include "firmware/net/packet.h"

#include <string.h>

#include "firmware/net/wire.h"

enum {
    ETHERNET = 14, /* destination, source, type */
    TYPE_IPV4 = 0x0800,
    TYPE_ARP = 0x0806,
    IPV4 = 20, /* without options */
    PROTOCOL_UDP = 17,
    MORE_OR_OFFSET = 0x3FFF, /* of the flags and fragment offset */
    DO_NOT_FRAGMENT = 0x4000,
    HOPS = 64,
    UDP = 8,
    PSEUDO_HEADER = 12, /* RFC 768: addresses, protocol, length */
    ARP = 28,
};
_Static_assert(PACKET_UDP_AT == ETHERNET + IPV4 + UDP, "where datagrams begin");

static const uint8_t arp_kind[] = { 0, 1, 8, 0, 6, 4 }; /* Ethernet, IPv4, lengths of addresses */

/* The sum of RFC 1071, not folded. */
static uint32_t sum(uint32_t start, const uint8_t *data, size_t length)
{
    for (; length >= 2; data += 2, length -= 2)
        start += wire_get16(data);
    return length ? start + (uint32_t)(data[0] << 8) : start;
}

static uint16_t checksum(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)~sum;
}

/* Of a datagram with its header: 0 if the checksum in it is right. */
static uint16_t udp_checksum(uint32_t from, uint32_t to, const uint8_t *udp, size_t length)
{
    uint8_t pseudo[PSEUDO_HEADER] = { [9] = PROTOCOL_UDP };
    wire_put32(pseudo, from);
    wire_put32(pseudo + 4, to);
    wire_put16(pseudo + 10, (uint16_t)length);
    return checksum(sum(sum(0, pseudo, sizeof(pseudo)), udp, length));
}

/* The header's length and the packet's; false: it is none for us. */
static bool read_ipv4(const uint8_t *ip, size_t room, size_t *ret_header, size_t *ret_length)
{
    if (room < IPV4 || ip[0] >> 4 != 4)
        return false;
    size_t header = (ip[0] & 15u) * 4, length = wire_get16(ip + 2);
    if (header < IPV4 || length < header || length > room)
        return false;
    if (checksum(sum(0, ip, header)) != 0 || (wire_get16(ip + 6) & MORE_OR_OFFSET))
        return false;
    *ret_header = header;
    *ret_length = length;
    return ip[9] == PROTOCOL_UDP;
}

bool packet_read_udp(const uint8_t *frame, size_t length, struct packet_udp *ret)
{
    size_t header, packet;
    if (length < ETHERNET || wire_get16(frame + 12) != TYPE_IPV4 ||
        !read_ipv4(frame + ETHERNET, length - ETHERNET, &header, &packet))
        return false;
    const uint8_t *ip = frame + ETHERNET, *udp = ip + header;
    size_t room = packet - header;
    if (room < UDP || wire_get16(udp + 4) < UDP || wire_get16(udp + 4) > room)
        return false;
    size_t datagram = wire_get16(udp + 4);
    *ret = (struct packet_udp){ .from = wire_get32(ip + 12),
                                .to = wire_get32(ip + 16),
                                .from_port = wire_get16(udp),
                                .to_port = wire_get16(udp + 2),
                                .data = udp + UDP,
                                .length = datagram - UDP };
    memcpy(ret->to_station, frame, PACKET_STATION);
    memcpy(ret->from_station, frame + PACKET_STATION, PACKET_STATION);
    return wire_get16(udp + 6) == 0 || udp_checksum(ret->from, ret->to, udp, datagram) == 0;
}

static void write_ethernet(uint8_t *frame, const uint8_t *to, const uint8_t *from, uint16_t type)
{
    memcpy(frame, to, PACKET_STATION);
    memcpy(frame + PACKET_STATION, from, PACKET_STATION);
    wire_put16(frame + 12, type);
}

size_t packet_write_udp(uint8_t *frame, const struct packet_udp *p)
{
    uint8_t *ip = frame + ETHERNET, *udp = ip + IPV4;
    size_t datagram = UDP + p->length;
    write_ethernet(frame, p->to_station, p->from_station, TYPE_IPV4);
    memset(ip, 0, IPV4 + UDP);
    ip[0] = 4 << 4 | IPV4 / 4;
    wire_put16(ip + 2, (uint16_t)(IPV4 + datagram));
    wire_put16(ip + 4, p->id);
    wire_put16(ip + 6, DO_NOT_FRAGMENT);
    ip[8] = HOPS;
    ip[9] = PROTOCOL_UDP;
    wire_put32(ip + 12, p->from);
    wire_put32(ip + 16, p->to);
    wire_put16(ip + 10, checksum(sum(0, ip, IPV4)));
    wire_put16(udp, p->from_port);
    wire_put16(udp + 2, p->to_port);
    wire_put16(udp + 4, (uint16_t)datagram);
    uint16_t check = udp_checksum(p->from, p->to, udp, datagram);
    wire_put16(udp + 6, check ? check : 0xFFFF); /* RFC 768: 0 would be no checksum */
    return ETHERNET + IPV4 + datagram;
}

bool packet_read_arp(const uint8_t *frame, size_t length, struct packet_arp *ret)
{
    const uint8_t *arp = frame + ETHERNET;
    if (length < ETHERNET + ARP || wire_get16(frame + 12) != TYPE_ARP ||
        memcmp(arp, arp_kind, sizeof(arp_kind)) != 0)
        return false;
    *ret = (struct packet_arp){ .kind = wire_get16(arp + 6),
                                .from = wire_get32(arp + 14),
                                .to = wire_get32(arp + 24) };
    memcpy(ret->from_station, arp + 8, PACKET_STATION);
    memcpy(ret->to_station, arp + 18, PACKET_STATION);
    return (ret->kind == PACKET_ARP_REQUEST || ret->kind == PACKET_ARP_REPLY) &&
           !(ret->from_station[0] & 1); /* a group is no station */
}

void packet_write_arp(uint8_t *frame, const struct packet_arp *p)
{
    static const uint8_t everybody[] = { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF };
    uint8_t *arp = frame + ETHERNET;
    memset(frame, 0, PACKET_ARP);
    write_ethernet(frame, p->kind == PACKET_ARP_REQUEST ? everybody : p->to_station,
                   p->from_station, TYPE_ARP);
    memcpy(arp, arp_kind, sizeof(arp_kind));
    wire_put16(arp + 6, p->kind);
    memcpy(arp + 8, p->from_station, PACKET_STATION);
    wire_put32(arp + 14, p->from);
    memcpy(arp + 18, p->to_station, PACKET_STATION);
    wire_put32(arp + 24, p->to);
}
