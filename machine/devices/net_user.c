/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * libslirp behind a card. It is looked at in three moments: after a frame of the guest, every
 * TICK_NS of guest time while it has sockets, and when an idle guest waits (host.h).
 */
#include "machine/devices/net_user.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slirp/libslirp.h>

#define TICK_NS    UINT64_C(2000000)
#define STALE_NS   UINT64_C(1000000) /* libslirp reads its clock only when polled */
#define MS         UINT64_C(1000000)
#define MIN_FRAME  60u /* of Ethernet: libslirp takes what it parses to be there */
#define MAX_FDS    HOST_MAX_FDS
#define NETWORK    0x0A000200u /* 10.0.2.0/24, addresses as QEMU's */
#define GUEST      (NETWORK | 15)

struct net_user {
    Slirp *slirp;
    struct clock *clock;
    struct net_card card;
    struct clock_timer tick;
    struct pollfd *fds; /* where entries are being filled in or read from */
    unsigned count, room;
    unsigned sockets;       /* at the last look */
    bool changed;           /* a frame went in since */
    uint64_t looked;        /* guest time of the last poll */
    struct pollfd own[MAX_FDS];
};

/* --- what libslirp asks of us --- */

static ssize_t send_packet(const void *frame, size_t length, void *opaque)
{
    struct net_user *user = opaque;

    if (user->card.room(user->card.context))
        user->card.deliver(user->card.context, frame, length);
    return (ssize_t)length; /* what is dropped TCP sends again */
}

/* What is wrong with a guest's packet is the guest's to find out. */
static void guest_error(const char *message, void *opaque)
{
}

static int64_t clock_ns(void *opaque)
{
    const struct net_user *user = opaque;

    return (int64_t)clock_now(user->clock);
}

struct slirp_timer {
    struct clock_timer timer;
    SlirpTimerCb callback;
    void *opaque;
    struct clock *clock;
};

static void timer_fire(void *context)
{
    struct slirp_timer *timer = context;

    timer->callback(timer->opaque);
}

static void *timer_new(SlirpTimerCb callback, void *callback_opaque, void *opaque)
{
    struct net_user *user = opaque;
    struct slirp_timer *timer = calloc(1, sizeof(*timer));

    if (!timer)
        abort(); /* as libslirp's own allocations do */
    *timer = (struct slirp_timer){ .callback = callback, .opaque = callback_opaque,
                                   .clock = user->clock };
    clock_timer_init(&timer->timer, timer_fire, timer);
    return timer;
}

static void timer_free(void *context, void *opaque)
{
    struct slirp_timer *timer = context;

    if (timer)
        clock_cancel(timer->clock, &timer->timer);
    free(timer);
}

static void timer_mod(void *context, int64_t due_ms, void *opaque)
{
    struct slirp_timer *timer = context;

    clock_arm(timer->clock, &timer->timer, (uint64_t)due_ms * MS);
}

/* Nothing is kept between polls. */
static void ignore_fd(int fd, void *opaque)
{
}

static void ignore(void *opaque)
{
}

static const SlirpCb callbacks = {
    .send_packet = send_packet,
    .guest_error = guest_error,
    .clock_get_ns = clock_ns,
    .timer_new = timer_new,
    .timer_free = timer_free,
    .timer_mod = timer_mod,
    .register_poll_fd = ignore_fd,
    .unregister_poll_fd = ignore_fd,
    .notify = ignore,
};

/* --- polling --- */

static const struct {
    int slirp;
    short host;
} events[] = {
    { SLIRP_POLL_IN, POLLIN },   { SLIRP_POLL_OUT, POLLOUT }, { SLIRP_POLL_PRI, POLLPRI },
    { SLIRP_POLL_ERR, POLLERR }, { SLIRP_POLL_HUP, POLLHUP },
};

static int add_poll(int fd, int wanted, void *opaque)
{
    struct net_user *user = opaque;
    struct pollfd *entry;

    if (user->count == user->room)
        return -1;
    entry = &user->fds[user->count];
    *entry = (struct pollfd){ .fd = fd };
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        if ((wanted & events[i].slirp) && events[i].host != POLLERR && events[i].host != POLLHUP)
            entry->events |= events[i].host;
    return (int)user->count++;
}

static int get_events(int index, void *opaque)
{
    const struct net_user *user = opaque;
    int got = 0;

    if (index < 0 || (unsigned)index >= user->count)
        return 0;
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        if (user->fds[index].revents & events[i].host)
            got |= events[i].slirp;
    return got;
}

/* Lists the sockets and sets the next look: soon while there are any, else at libslirp's timer. */
static unsigned fill(void *context, struct pollfd *fds, unsigned room)
{
    struct net_user *user = context;
    uint32_t timeout = UINT32_MAX;

    user->fds = fds;
    user->room = room;
    user->count = 0;
    slirp_pollfds_fill(user->slirp, &timeout, add_poll, user);
    user->sockets = user->count;
    user->changed = false;
    clock_cancel(user->clock, &user->tick);
    if (user->sockets)
        clock_arm(user->clock, &user->tick, clock_now(user->clock) + TICK_NS);
    else if (timeout != UINT32_MAX)
        clock_arm(user->clock, &user->tick, clock_now(user->clock) + (timeout + 1) * MS);
    return user->count;
}

static void ready(void *context, const struct pollfd *fds, unsigned count)
{
    struct net_user *user = context;

    user->looked = clock_now(user->clock);
    slirp_pollfds_poll(user->slirp, 0, get_events, user);
    user->card.settle(user->card.context);
    user->changed = true; /* connections may have come or gone */
}

static void look(struct net_user *user)
{
    unsigned count = fill(user, user->own, MAX_FDS);

    if (poll(user->own, count, 0) < 0)
        for (unsigned i = 0; i < count; i++)
            user->own[i].revents = 0;
    ready(user, user->own, count);
}

static void tick(void *context)
{
    struct net_user *user = context;

    look(user);
    fill(user, user->own, MAX_FDS);
}

static bool expects(void *context)
{
    struct net_user *user = context;

    if (user->changed)
        fill(user, user->own, MAX_FDS);
    return user->sockets != 0;
}

struct host_source net_user_source(struct net_user *user)
{
    return (struct host_source){ fill, ready, expects, user };
}

void net_user_transmit(void *context, const uint8_t *frame, size_t length)
{
    struct net_user *user = context;
    uint8_t padded[NET_MAX_FRAME] = { 0 };

    if (length > sizeof(padded))
        return;
    if (clock_now(user->clock) - user->looked > STALE_NS)
        look(user);
    memcpy(padded, frame, length);
    slirp_input(user->slirp, padded, (int)(length < MIN_FRAME ? MIN_FRAME : length));
    if (!user->changed)
        clock_arm(user->clock, &user->tick, clock_now(user->clock) + TICK_NS);
    user->changed = true;
}

/* --- creation --- */

static bool forward(struct net_user *user, const struct net_forward *rule, char *error,
                    size_t error_size)
{
    struct in_addr host = { htonl(rule->host_address) };
    struct in_addr guest = { htonl(rule->guest_address ? rule->guest_address : GUEST) };

    if (slirp_add_hostfwd(user->slirp, rule->udp, host, rule->host_port, guest,
                          rule->guest_port) == 0)
        return true;
    snprintf(error, error_size, "network: cannot listen on %s port %u: %s",
             rule->udp ? "UDP" : "TCP", rule->host_port, strerror(errno));
    return false;
}

static struct in_addr address(uint32_t number)
{
    return (struct in_addr){ htonl(NETWORK | number) };
}

struct net_user *net_user_create(const struct net_user_config *config, struct clock *clock,
                                 const struct net_card *card, char *error, size_t error_size)
{
    struct net_user *user = calloc(1, sizeof(*user));
    const SlirpConfig slirp = {
        .version = 4,
        .restricted = config->restricted,
        .in_enabled = true,
        .vnetwork = address(0),
        .vnetmask = { htonl(0xFFFFFF00) },
        .vhost = address(2),
        .tftp_path = config->tftp_folder,
        .bootfile = config->boot_file,
        .vdhcp_start = address(15),
        .vnameserver = address(3),
        .if_mtu = NET_MTU,
        .if_mru = NET_MTU,
    };

    if (user) {
        user->clock = clock;
        user->card = *card;
        clock_timer_init(&user->tick, tick, user);
        user->slirp = slirp_new(&slirp, &callbacks, user);
    }
    if (!user || !user->slirp) {
        snprintf(error, error_size, "network: out of memory");
        free(user);
        return NULL;
    }
    user->changed = true;
    for (unsigned i = 0; i < config->forward_count; i++) {
        if (!forward(user, &config->forward[i], error, error_size)) {
            net_user_destroy(user);
            return NULL;
        }
    }
    return user;
}

void net_user_destroy(struct net_user *user)
{
    if (!user)
        return;
    slirp_cleanup(user->slirp);
    clock_cancel(user->clock, &user->tick);
    free(user);
}
