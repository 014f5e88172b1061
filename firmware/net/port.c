/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* See port.h. Our Simple Network copies what it sends, so one buffer does. */
#include "firmware/net/port.h"

#include <string.h>

#include "firmware/arch/time.h"
#include "firmware/lib/log.h"
#include "firmware/net/wire.h"

#define PAUSE_US    20u              /* between two looks at a silent card */
#define SEND_TIME   (PORT_SECOND / 10)
#define ARP_TIME    (PORT_SECOND / 2)
#define ARP_TRIES   4u
#define RECYCLE_MAX 32u /* buffers that one call takes back at most */

#define FILTERS (EFI_SIMPLE_NETWORK_RECEIVE_UNICAST | EFI_SIMPLE_NETWORK_RECEIVE_BROADCAST)

bool port_fail(struct port_failure *ret, EFI_STATUS status, const char *fmt, ...)
{
    va_list list;
    va_start(list, fmt);
    ret->status = status;
    format_list(ret->text, sizeof(ret->text), fmt, list);
    va_end(list);
    return false;
}

static void stop(EFI_SIMPLE_NETWORK_PROTOCOL *snp)
{
    if (snp->Mode->State == EfiSimpleNetworkInitialized)
        (void)snp->Shutdown(snp);
    if (snp->Mode->State == EfiSimpleNetworkStarted)
        (void)snp->Stop(snp);
}

static void talk_to_everybody(struct port *port)
{
    port->peer = IPV4_BROADCAST;
    memset(port->peer_station, 0xFF, sizeof(port->peer_station));
}

bool port_open(struct port *port, EFI_SIMPLE_NETWORK_PROTOCOL *snp, struct port_failure *ret)
{
    *port = (struct port){ .snp = snp };
    memcpy(port->station, snp->Mode->CurrentAddress.Addr, sizeof(port->station));
    talk_to_everybody(port);
    stop(snp); /* a program that ended may have left it running, with its filters */
    EFI_STATUS status = snp->Start(snp);
    if (status == EFI_SUCCESS)
        status = snp->Initialize(snp, 0, 0);
    if (status == EFI_SUCCESS)
        status = snp->ReceiveFilters(snp, FILTERS, 0, true, 0, NULL);
    if (status != EFI_SUCCESS) {
        stop(snp);
        return port_fail(ret, EFI_DEVICE_ERROR, "the network card does not start");
    }
    if (!snp->Mode->MediaPresent) {
        stop(snp);
        return port_fail(ret, EFI_NO_MEDIA, "the network card has no link");
    }
    return true;
}

void port_close(struct port *port)
{
    stop(port->snp);
}

/* Takes sent buffers back from the card. */
static void recycle(EFI_SIMPLE_NETWORK_PROTOCOL *snp)
{
    VOID *done = snp; /* anything but NULL */
    for (unsigned i = 0; done && i < RECYCLE_MAX; i++)
        if (snp->GetStatus(snp, NULL, &done) != EFI_SUCCESS)
            return;
}

static void send_frame(struct port *port, size_t length)
{
    EFI_SIMPLE_NETWORK_PROTOCOL *snp = port->snp;
    uint64_t until = time_now_100ns() + SEND_TIME;
    while (snp->Transmit(snp, 0, length, port->sent, NULL, NULL, NULL) == EFI_NOT_READY &&
           time_now_100ns() < until) {
        recycle(snp);
        time_delay_us(PAUSE_US);
    }
    recycle(snp);
}

uint8_t *port_data(struct port *port)
{
    return port->sent + PACKET_UDP_AT;
}

void port_send(struct port *port, uint16_t to_port, size_t length)
{
    struct packet_udp udp = { .from = port->address,
                              .to = port->peer,
                              .from_port = port->local,
                              .to_port = to_port,
                              .id = port->next_id++,
                              .length = length };
    memcpy(udp.from_station, port->station, sizeof(udp.from_station));
    memcpy(udp.to_station, port->peer_station, sizeof(udp.to_station));
    send_frame(port, packet_write_udp(port->sent, &udp));
}

static void send_arp(struct port *port, enum packet_arp_kind kind, uint32_t to,
                     const uint8_t *to_station)
{
    struct packet_arp arp = { .kind = kind, .from = port->address, .to = to };
    memcpy(arp.from_station, port->station, sizeof(arp.from_station));
    if (to_station)
        memcpy(arp.to_station, to_station, sizeof(arp.to_station));
    packet_write_arp(port->sent, &arp);
    send_frame(port, PACKET_ARP);
}

/* The next frame; false: the time has come. A frame in time does not end the waiting for others. */
static bool next_frame(struct port *port, uint64_t until, size_t *ret_length)
{
    EFI_SIMPLE_NETWORK_PROTOCOL *snp = port->snp;
    while (time_now_100ns() < until) {
        UINTN length = sizeof(port->received);
        EFI_STATUS status = snp->Receive(snp, NULL, &length, port->received, NULL, NULL, NULL);
        if (status == EFI_SUCCESS && length <= sizeof(port->received)) {
            *ret_length = length;
            return true;
        }
        if (status == EFI_DEVICE_ERROR)
            return false; /* it does not come back */
        time_delay_us(PAUSE_US);
    }
    return false;
}

/* Somebody asks who we are. The answer goes out from `sent`: what was there has been sent. */
static void answer_arp(struct port *port, const struct packet_arp *arp)
{
    if (arp->kind == PACKET_ARP_REQUEST && port->address && arp->to == port->address)
        send_arp(port, PACKET_ARP_REPLY, arp->from, arp->from_station);
}

static bool is_for_us(const struct port *port, const struct packet_udp *udp)
{
    if (udp->to_port != port->local || (port->peer != IPV4_BROADCAST && udp->from != port->peer))
        return false;
    return !port->address || udp->to == port->address;
}

bool port_receive(struct port *port, uint64_t until, struct packet_udp *ret)
{
    size_t length;
    while (next_frame(port, until, &length)) {
        struct packet_arp arp;
        if (packet_read_arp(port->received, length, &arp))
            answer_arp(port, &arp);
        else if (packet_read_udp(port->received, length, ret) && is_for_us(port, ret))
            return true;
    }
    return false;
}

/* Waits for the reply of one host. */
static bool wait_for_station(struct port *port, uint32_t host, uint64_t until)
{
    size_t length;
    while (next_frame(port, until, &length)) {
        struct packet_arp arp;
        if (!packet_read_arp(port->received, length, &arp))
            continue;
        if (arp.kind == PACKET_ARP_REPLY && arp.from == host && arp.to == port->address) {
            memcpy(port->peer_station, arp.from_station, sizeof(port->peer_station));
            return true;
        }
        answer_arp(port, &arp);
    }
    return false;
}

bool port_reach(struct port *port, uint32_t peer, uint32_t mask, uint32_t router,
                struct port_failure *ret)
{
    bool direct = ((peer ^ port->address) & mask) == 0;
    uint32_t hop = direct ? peer : router;
    if (!hop)
        return port_fail(ret, EFI_NO_RESPONSE,
                         IPV4_TEXT " is on another network, and DHCP named no router",
                         IPV4_OF(peer));
    port->peer = peer;
    for (unsigned i = 0; i < ARP_TRIES; i++) {
        send_arp(port, PACKET_ARP_REQUEST, hop, NULL);
        if (wait_for_station(port, hop, time_now_100ns() + ARP_TIME))
            return true;
    }
    return port_fail(ret, EFI_NO_RESPONSE, "the %s " IPV4_TEXT " does not answer",
                     direct ? "server" : "router", IPV4_OF(hop));
}
