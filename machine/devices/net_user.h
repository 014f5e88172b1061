/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * User-mode network: libslirp plays a router (10.0.2.2), a DHCP server, a name server (10.0.2.3)
 * and turns the guest's connections into sockets of the host. IPv4 only: libslirp's IPv6 router
 * draws random delays, and runs shall repeat.
 *
 * Its clock is the guest's. DHCP, ARP and pings of the router involve no socket and are repeatable.
 */
#ifndef PRIVET_MACHINE_DEVICES_NET_USER_H
#define PRIVET_MACHINE_DEVICES_NET_USER_H

#include <stdbool.h>

#include "machine/devices/bus.h"
#include "machine/devices/host.h"
#include "machine/devices/net.h"

#define NET_MAX_FORWARDS 16u

struct net_forward { /* addresses in host byte order */
    bool udp;
    uint32_t host_address, guest_address; /* host 0: every address; guest 0: 10.0.2.15 */
    uint16_t host_port, guest_port;
};

struct net_user_config {
    bool restricted; /* nothing gets out but to forwarded ports' answers */
    const char *tftp_folder; /* files of it can be read by TFTP at 10.0.2.2; NULL: none */
    const char *boot_file;   /* what DHCP names as boot file; NULL: none */
    struct net_forward forward[NET_MAX_FORWARDS];
    unsigned forward_count;
};

struct net_user;

/*
 * NULL with one line in `error`: a port cannot be listened on, or no memory. Frames for the guest
 * go to `deliver`; `room` tells how many it would take; `settle` is called after a batch.
 */
struct net_card {
    net_frame_fn *deliver;
    unsigned (*room)(void *context);
    void (*settle)(void *context);
    void *context;
};

struct net_user *net_user_create(const struct net_user_config *config, struct clock *clock,
                                 const struct net_card *card, char *error, size_t error_size);
void net_user_destroy(struct net_user *user);
/* A frame from the guest: a net_frame_fn. */
void net_user_transmit(void *user, const uint8_t *frame, size_t length);
/* How it is polled. */
struct host_source net_user_source(struct net_user *user);

#endif
