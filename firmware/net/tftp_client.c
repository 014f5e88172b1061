/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The conversation of a TFTP transfer: who says what to which port, and what is said again when it
 * may have been lost. The server answers from a port of its own, which is its name from then on.
 */
#include "firmware/net/tftp.h"

#include <string.h>

#include "firmware/arch/time.h"
#include "firmware/lib/log.h"
#include "firmware/net/netboot.h"
#include "firmware/net/wire.h"
#include "firmware/uefi/entropy.h"

#define TRIES      5u /* of everything that is said */
#define TRY_TIME   PORT_SECOND
#define FIRST_PORT 0xC000u /* of those that are for anybody's use (RFC 6335) */

struct session {
    struct port *port;
    struct tftp_transfer *transfer;
    const char *file;
    uint16_t server_port; /* 0: it has not answered yet */
    unsigned tries;
};

/* A port that a stranger does not know (RFC 1350 4). */
static uint16_t random_port(void)
{
    uint16_t value;
    if (!entropy_fill((uint8_t *)&value, sizeof(value), false))
        value = (uint16_t)time_now_100ns();
    return (uint16_t)(FIRST_PORT | value);
}

/* What is said last: the request, or the acknowledgement of what has arrived. */
static void say(struct session *s)
{
    uint8_t *data = port_data(s->port);
    if (s->server_port)
        port_send(s->port, s->server_port, tftp_write_ack(data, s->transfer->block));
    else
        port_send(s->port, TFTP_PORT, tftp_write_request(data, s->file));
}

static void say_error(struct session *s, const char *text)
{
    port_send(s->port, s->server_port, tftp_write_error(port_data(s->port), text));
}

/* True: it is over, well or not. */
static bool take(struct session *s, const struct packet_udp *udp, enum tftp_step *ret)
{
    uint64_t before = s->transfer->received;
    bool begun = s->transfer->begun;
    if (s->server_port && udp->from_port != s->server_port)
        return false;
    *ret = tftp_take(s->transfer, udp->data, udp->length);
    if (*ret == TFTP_IGNORE)
        return false;
    s->server_port = udp->from_port;
    if (s->transfer->received != before || s->transfer->begun != begun)
        s->tries = 0; /* only what is new is progress */
    if (*ret == TFTP_ANSWER || *ret == TFTP_DONE)
        say(s);
    if (*ret == TFTP_SIZE)
        say_error(s, "only the size was wanted");
    if (*ret == TFTP_REFUSE)
        say_error(s, s->transfer->reason);
    return *ret != TFTP_ANSWER;
}

/* Until it is over. False: the server fell silent, or only repeats itself. */
static bool converse(struct session *s, enum tftp_step *ret)
{
    struct packet_udp udp;
    for (say(s); s->tries < TRIES; say(s)) {
        uint64_t until = time_now_100ns() + TRY_TIME;
        s->tries++;
        while (port_receive(s->port, until, &udp)) {
            if (take(s, &udp, ret))
                return true;
            if (s->tries == 0) { /* the next block has its own time */
                until = time_now_100ns() + TRY_TIME;
                s->tries = 1;
            }
        }
    }
    return false;
}

bool tftp_run(struct port *port, const char *file, struct tftp_transfer *transfer,
              struct port_failure *ret)
{
    struct session session = { .port = port, .transfer = transfer, .file = file };
    enum tftp_step step;
    port->local = random_port();
    if (!converse(&session, &step))
        return port_fail(ret, EFI_NO_RESPONSE,
                         session.server_port ? "the TFTP server " IPV4_TEXT " fell silent"
                                             : "no TFTP server answers at " IPV4_TEXT,
                         IPV4_OF(port->peer));
    if (step == TFTP_DONE || step == TFTP_SIZE)
        return true;
    return port_fail(ret, transfer->not_found ? EFI_NOT_FOUND : EFI_DEVICE_ERROR,
                     "\"%s\" from " IPV4_TEXT ": %s", file, IPV4_OF(port->peer), transfer->reason);
}
