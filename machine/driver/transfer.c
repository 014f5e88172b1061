/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* A guest leaves for another platform, or arrives from one. */
#include <errno.h>
#include <string.h>

#include "machine/driver/internal.h"

/* Parts: the receiver's PDH, its platform's certificates, AMD's; the session goes back in part 0. */
void driver_send_start(struct driver *d, struct connection *c, const uint32_t *size)
{
    uint8_t session[DRIVER_CERTIFICATE_MAX];
    uint64_t pdh = chip_map(d->chip, d->part[0], WIRE_PART_MAX);
    uint64_t platform = chip_map(d->chip, d->part[1], WIRE_PART_MAX);
    uint64_t amd = chip_map(d->chip, d->part[2], WIRE_PART_MAX);
    uint64_t out = chip_map(d->chip, session, sizeof(session));
    struct sev_send_start start = {
        .handle = c->handle, .pdh_cert_paddr = pdh, .pdh_cert_len = size[0],
        .plat_certs_paddr = platform, .plat_certs_len = size[1],
        .amd_certs_paddr = amd, .amd_certs_len = size[2],
        .session_paddr = out, .session_len = d->wire->room[0],
    };
    if (d->wire->room[0] > sizeof(session))
        driver_refuse(d, EINVAL);
    else
        driver_command(d, SEV_SEND_START, &start);
    chip_unmap(d->chip, pdh);
    chip_unmap(d->chip, platform);
    chip_unmap(d->chip, amd);
    chip_unmap(d->chip, out);
    d->wire->room[0] = start.session_len;
    d->wire->policy = start.policy;
    if (!d->wire->error) {
        memcpy(d->part[0], session, start.session_len);
        d->wire->size[0] = start.session_len;
    }
}

/*
 * Part 0: ciphertext at `address`, no more than a page. Header and packet go back in parts 0 and 1. No
 * part, and no room: the lengths are asked.
 */
void driver_send_update(struct driver *d, struct connection *c, const uint32_t *size)
{
    uint64_t place = driver_address(d->wire->address);
    uint64_t header = chip_map(d->chip, d->part[1], WIRE_PART_MAX);
    uint64_t packet = chip_map(d->chip, d->part[2], WIRE_PART_MAX);
    struct sev_launch_secret update = {
        .handle = c->handle, .hdr_paddr = header, .hdr_len = d->wire->room[0],
        .guest_paddr = size[0] ? place : 0, .guest_len = size[0], .trans_paddr = packet,
        .trans_len = d->wire->room[1],
    };
    if (size[0] && (!driver_within_page(d->wire->address, size[0]) ||
                    memory_write(d->memory, place, d->part[0], size[0], MEMORY_RAW) != 0))
        driver_refuse(d, EINVAL);
    else
        driver_command(d, SEV_SEND_UPDATE_DATA, &update);
    chip_unmap(d->chip, header);
    chip_unmap(d->chip, packet);
    d->wire->room[0] = update.hdr_len;
    d->wire->room[1] = update.trans_len;
    if (!d->wire->error) {
        memcpy(d->part[0], d->part[1], update.hdr_len);
        memcpy(d->part[1], d->part[2], update.trans_len);
        d->wire->size[0] = update.hdr_len;
        d->wire->size[1] = update.trans_len;
    }
}

static void finish(struct driver *d, const struct connection *c, enum sev_command id)
{
    struct sev_handle handle = { c->handle };
    driver_command(d, id, &handle);
}

void driver_send_finish(struct driver *d, struct connection *c, const uint32_t *size)
{
    (void)size;
    finish(d, c, SEV_SEND_FINISH);
}

void driver_send_cancel(struct driver *d, struct connection *c, const uint32_t *size)
{
    (void)size;
    finish(d, c, SEV_SEND_CANCEL);
}

/* Parts: the sender's PDH, the session. */
void driver_receive_start(struct driver *d, struct connection *c, const uint32_t *size)
{
    uint64_t pdh = chip_map(d->chip, d->part[0], WIRE_PART_MAX);
    uint64_t session = chip_map(d->chip, d->part[1], WIRE_PART_MAX);
    struct sev_launch_start start = {
        .handle = d->wire->handle, .policy = d->wire->policy, .dh_cert_paddr = pdh,
        .dh_cert_len = size[0], .session_paddr = session, .session_len = size[1],
    };
    driver_command(d, SEV_RECEIVE_START, &start);
    chip_unmap(d->chip, pdh);
    chip_unmap(d->chip, session);
    if (!d->wire->error)
        driver_guest_bind(d, c, start.handle);
}

/* Parts: header, packet; ciphertext of `room` bytes at `address` goes back in part 0. */
void driver_receive_update(struct driver *d, struct connection *c, const uint32_t *size)
{
    uint32_t length = d->wire->room[0];
    uint64_t place = driver_address(d->wire->address);
    uint64_t header = chip_map(d->chip, d->part[0], WIRE_PART_MAX);
    uint64_t packet = chip_map(d->chip, d->part[1], WIRE_PART_MAX);
    struct sev_launch_secret update = {
        .handle = c->handle, .hdr_paddr = header, .hdr_len = size[0], .guest_paddr = place,
        .guest_len = length, .trans_paddr = packet, .trans_len = size[1],
    };
    if (!driver_within_page(d->wire->address, length))
        driver_refuse(d, EINVAL);
    else
        driver_command(d, SEV_RECEIVE_UPDATE_DATA, &update);
    chip_unmap(d->chip, header);
    chip_unmap(d->chip, packet);
    if (!d->wire->error) {
        memory_read(d->memory, place, d->part[0], length, MEMORY_RAW);
        d->wire->size[0] = length;
    }
}

void driver_receive_finish(struct driver *d, struct connection *c, const uint32_t *size)
{
    (void)size;
    finish(d, c, SEV_RECEIVE_FINISH);
}
