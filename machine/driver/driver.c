/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * One thread, one poll: connections and their messages. Nothing waits for a program: what has come of
 * a request is kept until the rest is there, and the answer goes out as fast as the program takes it.
 */
#include "machine/driver/driver.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "machine/driver/internal.h"

void driver_command(struct driver *d, enum sev_command id, void *buffer)
{
    d->wire->status = chip_command(d->chip, id, buffer);
    d->wire->error = d->wire->status == SEV_SUCCESS ? 0 : EIO;
}

void driver_refuse(struct driver *d, int error)
{
    d->wire->error = error;
    d->wire->status = WIRE_NO_FIRMWARE;
}

uint8_t driver_platform_state(struct driver *d)
{
    struct sev_platform_status status = { .state = SEV_PLATFORM_UNINIT };
    chip_command(d->chip, SEV_PLATFORM_STATUS, &status);
    return status.state;
}

bool driver_initialise(struct driver *d)
{
    struct sev_init init = { .flags = SEV_INIT_ES, .tmr_paddr = DRIVER_MEMORY,
                             .tmr_len = SEV_TMR_SIZE };
    if (driver_platform_state(d) != SEV_PLATFORM_UNINIT)
        return true;
    driver_command(d, SEV_INIT, &init);
    if (d->wire->error)
        return false;
    chip_note_wbinvd(d->chip); /* no ASID is clean after INIT */
    driver_command(d, SEV_DF_FLUSH, NULL);
    return d->wire->error == 0;
}

static void list_guests(struct driver *d)
{
    struct wire_guest *list = (struct wire_guest *)(void *)d->part[0];
    uint32_t count = 0;
    for (unsigned i = 0; i < d->count; i++) {
        struct sev_guest_status status = { .handle = d->connections[i].handle };
        if (!status.handle || chip_command(d->chip, SEV_GUEST_STATUS, &status) != SEV_SUCCESS)
            continue;
        list[count++] = (struct wire_guest){ status.handle, status.policy, status.asid,
                                             status.state };
    }
    d->wire->size[0] = count * (uint32_t)sizeof(*list);
}

_Static_assert(DRIVER_CONNECTIONS * sizeof(struct wire_guest) <= WIRE_PART_MAX, "the list fits");

static void answer(struct driver *d, struct connection *c)
{
    struct message *m = c->message;
    uint32_t size[WIRE_PARTS];
    d->wire = &m->wire;
    d->part = m->part;
    memcpy(size, m->wire.size, sizeof(size));
    memset(m->wire.size, 0, sizeof(m->wire.size));
    m->wire.error = 0;
    m->wire.status = SEV_SUCCESS;
    if (m->wire.request == WIRE_GUESTS)
        list_guests(d);
    else if (m->wire.request == WIRE_DECRYPT)
        driver_decrypt(d, m->wire.handle, size);
    else if (m->wire.request >= WIRE_GUEST)
        driver_guest_request(d, c, size);
    else
        driver_device_request(d, size);
    m->answered = true;
    m->done = 0;
}

/* ---- messages ---- */

/* Where the next byte of the message is, and how many follow it there; 0: it is whole. */
static size_t rest(struct message *m, uint8_t **ret_place)
{
    size_t at = m->done;
    if (at < sizeof(m->wire)) {
        *ret_place = (uint8_t *)&m->wire + at;
        return sizeof(m->wire) - at;
    }
    at -= sizeof(m->wire);
    for (unsigned i = 0; i < WIRE_PARTS; i++) {
        if (at < m->wire.size[i]) {
            *ret_place = m->part[i] + at;
            return m->wire.size[i] - at;
        }
        at -= m->wire.size[i];
    }
    return 0;
}

static bool is_possible(const struct message *m)
{
    for (unsigned i = 0; i < WIRE_PARTS && m->done >= sizeof(m->wire); i++) {
        if (m->wire.size[i] > WIRE_PART_MAX)
            return false;
    }
    return true;
}

/* As much of the message as can be moved now. False: the program is gone or out of step. */
static bool move(int fd, struct message *m, bool *ret_whole)
{
    uint8_t *place;
    size_t size;
    while (is_possible(m) && (size = rest(m, &place)) > 0) {
        ssize_t done = m->answered ? send(fd, place, size, MSG_DONTWAIT | MSG_NOSIGNAL)
                                   : recv(fd, place, size, MSG_DONTWAIT);
        *ret_whole = false;
        if (done < 0)
            return errno == EAGAIN || errno == EINTR;
        if (done == 0)
            return false;
        m->done += (size_t)done;
    }
    *ret_whole = true;
    return is_possible(m);
}

/* What the debugger saw of a guest was in it, in plain. */
static void forget(struct connection *c)
{
    if (c->message)
        OPENSSL_cleanse(c->message, sizeof(*c->message));
    free(c->message);
    c->message = NULL;
}

/* False: the connection ends. */
static bool serve(struct driver *d, struct connection *c)
{
    bool whole;
    if (!c->message)
        c->message = calloc(1, sizeof(*c->message));
    if (!c->message || !move(c->fd, c->message, &whole))
        return false;
    if (whole && !c->message->answered) {
        answer(d, c);
        if (!move(c->fd, c->message, &whole))
            return false;
    }
    if (whole)
        forget(c);
    return true;
}

/* ---- connections ---- */

static void drop(struct driver *d, unsigned index)
{
    struct connection *c = &d->connections[index];
    driver_guest_end(d, c);
    forget(c);
    close(c->fd);
    *c = d->connections[--d->count];
    d->full = false;
}

static void welcome(struct driver *d, int listener)
{
    int fd = accept(listener, NULL, NULL);
    if (fd < 0) {
        d->full = errno == EMFILE || errno == ENFILE;
        return;
    }
    if (d->count == DRIVER_CONNECTIONS) {
        close(fd);
        return;
    }
    d->connections[d->count++] = (struct connection){ .fd = fd };
}

bool driver_serve(struct driver *d, int listener, int done)
{
    static struct pollfd polls[DRIVER_CONNECTIONS + 2];
    for (;;) {
        unsigned count = d->count;
        polls[0] = (struct pollfd){ .fd = done, .events = POLLIN };
        polls[1] = (struct pollfd){ .fd = listener, .events = d->full ? 0 : POLLIN };
        for (unsigned i = 0; i < count; i++) {
            const struct connection *c = &d->connections[i];
            bool sends = c->message && c->message->answered;
            polls[i + 2] = (struct pollfd){ .fd = c->fd, .events = sends ? POLLOUT : POLLIN };
        }
        if (poll(polls, count + 2, -1) < 0) {
            if (errno != EINTR)
                return false;
            continue;
        }
        for (unsigned i = count; i-- > 0;) {
            if (polls[i + 2].revents && !serve(d, &d->connections[i]))
                drop(d, i);
        }
        if (polls[1].revents)
            welcome(d, listener);
        if (polls[0].revents)
            return true;
    }
}

static void probe(struct driver *d)
{
    struct wire wire = { 0 };
    d->wire = &wire;
    driver_initialise(d);
    d->wire = NULL;
}

struct driver *driver_create(struct chip *chip, struct memory *memory, unsigned min_plain_asid,
                             unsigned max_asid)
{
    struct driver *d = calloc(1, sizeof(*d));
    uint8_t *asid = calloc(max_asid + 1, sizeof(*asid));
    if (!d || !asid || memory_add_ram(memory, 0, DRIVER_MEMORY + DRIVER_OWN) != 0) {
        free(d);
        free(asid);
        return NULL;
    }
    d->chip = chip;
    d->memory = memory;
    d->min_plain_asid = min_plain_asid;
    d->max_asid = max_asid;
    d->asid = asid;
    probe(d);
    return d;
}

void driver_destroy(struct driver *d)
{
    if (!d)
        return;
    while (d->count)
        drop(d, d->count - 1);
    free(d->asid);
    free(d);
}
