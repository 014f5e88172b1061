/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The exchange of RFC 2131 4.4.1, with short waits: discover until a server offers a boot file,
 * request what it offers. The lease is not renewed and not given back: what is booted asks anew.
 */
#include <string.h>

#include "firmware/arch/time.h"
#include "firmware/lib/log.h"
#include "firmware/net/netboot.h"
#include "firmware/net/wire.h"
#include "firmware/uefi/entropy.h"

#define TRIES 3u /* which wait 1, 2 and 3 seconds */

/* How many seconds a try waits. An offer without a boot file waits for better ones as long. */
static uint64_t wait_of(unsigned number)
{
    return (number + 1) * PORT_SECOND;
}

/* A host that guesses it could answer instead of the server: the network's word, as DHCP is. */
static uint32_t transaction(void)
{
    uint32_t value;
    if (!entropy_fill((uint8_t *)&value, sizeof(value), false))
        value = (uint32_t)time_now_100ns();
    return value;
}

static void send(struct port *port, const struct dhcp_client *client,
                 const struct dhcp_answer *offer)
{
    port_send(port, DHCP_SERVER_PORT, dhcp_write(client, offer, port_data(port)));
}

static bool receive(struct port *port, const struct dhcp_client *client, uint64_t until,
                    struct dhcp_answer *ret)
{
    struct packet_udp udp;
    while (port_receive(port, until, &udp))
        if (udp.from_port == DHCP_SERVER_PORT && dhcp_read(client, udp.data, udp.length, ret))
            return true;
    return false;
}

/* The first offer with a boot file, else the first of all. */
static bool collect(struct port *port, const struct dhcp_client *client, uint64_t until,
                    struct dhcp_answer *ret)
{
    struct dhcp_answer answer;
    bool found = false;
    while (receive(port, client, until, &answer)) {
        if (answer.kind != DHCP_OFFER || (found && !answer.boot_file[0]))
            continue;
        *ret = answer;
        found = true;
        if (answer.boot_file[0])
            break;
    }
    return found;
}

static bool discover(struct port *port, struct dhcp_client *client, struct dhcp_answer *ret)
{
    uint64_t begin = time_now_100ns();
    for (unsigned i = 0; i < TRIES; i++) {
        uint64_t now = time_now_100ns();
        client->seconds = (uint16_t)((now - begin) / PORT_SECOND);
        send(port, client, NULL);
        if (collect(port, client, now + wait_of(i), ret))
            return true;
    }
    return false;
}

/* The chosen server's answer. */
static bool request(struct port *port, const struct dhcp_client *client,
                    const struct dhcp_answer *offer, struct dhcp_answer *ret)
{
    for (unsigned i = 0; i < TRIES; i++) {
        uint64_t until = time_now_100ns() + wait_of(i);
        send(port, client, offer);
        while (receive(port, client, until, ret))
            if (ret->kind != DHCP_OFFER && ret->server == offer->server)
                return true;
    }
    return false;
}

bool dhcp_ask(struct port *port, struct dhcp_answer *ret, struct port_failure *ret_failure)
{
    struct dhcp_client client = { .transaction = transaction() };
    struct dhcp_answer offer;
    memcpy(client.station, port->station, sizeof(client.station));
    port->local = DHCP_CLIENT_PORT;
    if (!discover(port, &client, &offer))
        return port_fail(ret_failure, EFI_NO_RESPONSE, "no DHCP server answers");
    if (!offer.boot_file[0])
        return port_fail(ret_failure, EFI_NOT_FOUND,
                         "the DHCP server " IPV4_TEXT " names no boot file",
                         IPV4_OF(offer.server));
    if (!request(port, &client, &offer, ret))
        return port_fail(ret_failure, EFI_NO_RESPONSE,
                         "the DHCP server " IPV4_TEXT " made an offer and does not keep it",
                         IPV4_OF(offer.server));
    if (ret->kind == DHCP_NAK || ret->address != offer.address || !ret->boot_file[0])
        return port_fail(ret_failure, EFI_NO_RESPONSE,
                         "the DHCP server " IPV4_TEXT " takes its offer back",
                         IPV4_OF(offer.server));
    port->address = ret->address;
    return true;
}
