/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A network card for one conversation by UDP, over Simple Network (UEFI 2.10 24.1): with everybody,
 * then with one server. Answers ARP on the way. Every wait ends at a time that the caller gives.
 */
#ifndef PRIVET_FIRMWARE_NET_PORT_H
#define PRIVET_FIRMWARE_NET_PORT_H

#include "firmware/net/packet.h"
#include "firmware/uefi/efi_net.h"

#define PORT_SECOND 10000000ull /* of time_now_100ns */

struct port {
    EFI_SIMPLE_NETWORK_PROTOCOL *snp;
    uint8_t station[PACKET_STATION];
    uint32_t address;      /* ours; 0: not known yet */
    uint32_t peer;         /* whom we talk to: a server or IPV4_BROADCAST */
    uint8_t peer_station[PACKET_STATION]; /* its own or its router's */
    uint16_t local;        /* our UDP port */
    uint16_t next_id;
    uint8_t sent[PACKET_MAXIMUM], received[PACKET_MAXIMUM];
};

/* Why a conversation failed. */
struct port_failure {
    EFI_STATUS status;
    char text[320];
};
/* Fills it; returns false, for who returns that. */
bool port_fail(struct port_failure *ret, EFI_STATUS status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Takes the card, in whatever state somebody left it, without address, to talk to everybody. The
 * caller has the protocol open. On failure the card is stopped.
 */
bool port_open(struct port *port, EFI_SIMPLE_NETWORK_PROTOCOL *snp, struct port_failure *ret);
void port_close(struct port *port);

/* From now on `peer` is the other side; found by ARP, through `router` if `mask` says so. */
bool port_reach(struct port *port, uint32_t peer, uint32_t mask, uint32_t router,
                struct port_failure *ret);

/* Where the caller puts the data of the next datagram: PACKET_UDP_MAXIMUM bytes. */
uint8_t *port_data(struct port *port);
/* Sends them; what the card does not take is lost, as on any network. */
void port_send(struct port *port, uint16_t to_port, size_t length);
/*
 * The next datagram for our address and port from the peer, or from anybody where that is
 * everybody; valid until the next call. False: the time has come.
 */
bool port_receive(struct port *port, uint64_t until, struct packet_udp *ret);

#endif
