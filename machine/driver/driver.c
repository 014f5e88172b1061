/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* One thread, one poll: connections, their guests, and the requests of both kinds. */
#include "machine/driver/driver.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "machine/driver/wire.h"
#include "sev/certificate.h"
#include "sev/command.h"
#include "sev/status.h"

#define CONNECTIONS 1024
#define STALL_S     10
#define NO_FIRMWARE 0xFFFFFFFFu
#define CERTIFICATE_MAX 0x4000u /* Linux: SEV_FW_BLOB_MAX_SIZE */

struct connection {
    int fd;
    bool ready; /* KVM_SEV_INIT was done */
    uint32_t handle, asid, policy; /* 0: no guest */
};

struct driver {
    struct chip *chip;
    struct memory *memory;
    struct connection connections[CONNECTIONS];
    unsigned count;
    bool *asid_used;
    unsigned max_asid;
    struct wire wire;
    uint8_t part[WIRE_PARTS][WIRE_PART_MAX];
};

/* A firmware's refusal is EIO with the status beside it, as in Linux. */
static void command(struct driver *d, enum sev_command id, void *buffer)
{
    d->wire.status = chip_command(d->chip, id, buffer);
    d->wire.error = d->wire.status == SEV_SUCCESS ? 0 : EIO;
}

static void refuse(struct driver *d, int error)
{
    d->wire.error = error;
    d->wire.status = NO_FIRMWARE;
}

static uint8_t platform_state(struct driver *d)
{
    struct sev_platform_status status = { .state = SEV_PLATFORM_UNINIT };
    chip_command(d->chip, SEV_PLATFORM_STATUS, &status);
    return status.state;
}

/* Linux initialises a platform that is not when a request needs it. */
static bool initialise(struct driver *d)
{
    struct sev_init init = { 0 };
    if (platform_state(d) == SEV_PLATFORM_UNINIT)
        command(d, SEV_INIT, &init);
    return d->wire.error == 0;
}

/* ---- /dev/sev ---- */

static void device_reset(struct driver *d)
{
    uint8_t state = platform_state(d);
    if (state == SEV_PLATFORM_WORKING) {
        refuse(d, EBUSY);
        return;
    }
    if (state == SEV_PLATFORM_INIT)
        command(d, SEV_SHUTDOWN, NULL);
    if (!d->wire.error)
        command(d, SEV_PLATFORM_RESET, NULL);
}

static void device_status(struct driver *d)
{
    struct sev_platform_status status = { .state = 0 };
    command(d, SEV_PLATFORM_STATUS, &status);
    memcpy(d->part[0], &status, sizeof(status));
    d->wire.size[0] = sizeof(status);
}

static void device_pek_gen(struct driver *d)
{
    if (initialise(d))
        command(d, SEV_PEK_GEN, NULL);
}

static void device_pdh_gen(struct driver *d)
{
    if (initialise(d))
        command(d, SEV_PDH_GEN, NULL);
}

static void device_csr(struct driver *d)
{
    uint64_t place = chip_map(d->chip, d->part[0], WIRE_PART_MAX);
    struct sev_pek_csr csr = { .csr_paddr = place, .csr_len = d->wire.room[0] };
    if (d->wire.room[0] > CERTIFICATE_MAX)
        refuse(d, EFAULT);
    else if (initialise(d))
        command(d, SEV_PEK_CSR, &csr);
    d->wire.room[0] = csr.csr_len;
    d->wire.size[0] = d->wire.error ? 0 : csr.csr_len;
    chip_unmap(d->chip, place);
}

static void device_export(struct driver *d)
{
    uint64_t pdh = chip_map(d->chip, d->part[0], WIRE_PART_MAX);
    uint64_t chain = chip_map(d->chip, d->part[1], WIRE_PART_MAX);
    struct sev_pdh_cert_export export = { .pdh_paddr = pdh, .pdh_len = d->wire.room[0],
                                          .certs_paddr = chain, .certs_len = d->wire.room[1] };
    if (d->wire.room[0] > CERTIFICATE_MAX || d->wire.room[1] > CERTIFICATE_MAX)
        refuse(d, EFAULT);
    else if (initialise(d))
        command(d, SEV_PDH_CERT_EXPORT, &export);
    d->wire.room[0] = export.pdh_len;
    d->wire.room[1] = export.certs_len;
    d->wire.size[0] = d->wire.error ? 0 : export.pdh_len;
    d->wire.size[1] = d->wire.error ? 0 : export.certs_len;
    chip_unmap(d->chip, pdh);
    chip_unmap(d->chip, chain);
}

static void device_import(struct driver *d, const uint32_t size[WIRE_PARTS])
{
    uint64_t pek = chip_map(d->chip, d->part[0], WIRE_PART_MAX);
    uint64_t oca = chip_map(d->chip, d->part[1], WIRE_PART_MAX);
    struct sev_pek_cert_import import = { .pek_paddr = pek, .pek_len = size[0],
                                          .oca_paddr = oca, .oca_len = size[1] };
    if (initialise(d))
        command(d, SEV_PEK_CERT_IMPORT, &import);
    chip_unmap(d->chip, pek);
    chip_unmap(d->chip, oca);
}

static void device_id(struct driver *d)
{
    uint64_t place = chip_map(d->chip, d->part[0], WIRE_PART_MAX);
    struct sev_get_id get = { .id_paddr = place, .id_len = d->wire.room[0] };
    if (d->wire.room[0] > CERTIFICATE_MAX)
        refuse(d, EFAULT);
    else
        command(d, SEV_GET_ID, &get);
    d->wire.room[0] = get.id_len;
    d->wire.size[0] = d->wire.error ? 0 : SEV_ID_SIZE;
    chip_unmap(d->chip, place);
}

/* Numbers of SEV_ISSUE_CMD (linux: include/uapi/linux/psp-sev.h). */
enum {
    DEVICE_RESET, DEVICE_STATUS, DEVICE_PEK_GEN, DEVICE_CSR, DEVICE_PDH_GEN, DEVICE_EXPORT,
    DEVICE_IMPORT, DEVICE_ID, DEVICE_ID2,
};

static void device_request(struct driver *d, const uint32_t size[WIRE_PARTS])
{
    static void (*const requests[])(struct driver *d) = {
        [DEVICE_RESET] = device_reset,     [DEVICE_STATUS] = device_status,
        [DEVICE_PEK_GEN] = device_pek_gen, [DEVICE_CSR] = device_csr,
        [DEVICE_PDH_GEN] = device_pdh_gen, [DEVICE_EXPORT] = device_export,
        [DEVICE_ID] = device_id,           [DEVICE_ID2] = device_id,
    };
    uint32_t id = d->wire.request;
    if (id == DEVICE_IMPORT)
        device_import(d, size);
    else if (id < sizeof(requests) / sizeof(requests[0]) && requests[id])
        requests[id](d);
    else
        refuse(d, EINVAL);
}

/* ---- guests ---- */

static uint64_t system_address(uint64_t address)
{
    return address & (DRIVER_MEMORY - 1);
}

/* One page at most, and not over its end: what is contiguous for sure. */
static bool within_page(uint64_t address, uint64_t size)
{
    return size && (address & (MEMORY_PAGE_SIZE - 1)) + size <= MEMORY_PAGE_SIZE;
}

/* The lowest ASID that is free; dirty ones become clean when no other is left. */
static bool take_asid(struct driver *d, struct connection *c)
{
    struct sev_activate activate = { .handle = c->handle };
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned asid = 1; asid <= d->max_asid; asid++) {
            if (d->asid_used[asid])
                continue;
            activate.asid = asid;
            command(d, SEV_ACTIVATE, &activate);
            if (!d->wire.error) {
                c->asid = asid;
                d->asid_used[asid] = true;
                return true;
            }
            if (d->wire.status != SEV_DF_FLUSH_REQUIRED)
                return false;
        }
        chip_note_wbinvd(d->chip);
        chip_command(d->chip, SEV_DF_FLUSH, NULL);
    }
    refuse(d, EBUSY);
    return false;
}

static void end_guest(struct driver *d, struct connection *c)
{
    struct sev_handle handle = { c->handle };
    if (c->asid)
        chip_command(d->chip, SEV_DEACTIVATE, &handle);
    if (c->handle)
        chip_command(d->chip, SEV_DECOMMISSION, &handle);
    d->asid_used[c->asid] = false;
    c->handle = c->asid = 0;
}

static void guest_init(struct driver *d, struct connection *c, const uint32_t *size)
{
    (void)size;
    if (c->ready)
        refuse(d, EINVAL);
    else
        c->ready = initialise(d);
}

static void guest_start(struct driver *d, struct connection *c, const uint32_t *size)
{
    uint64_t dh = chip_map(d->chip, d->part[0], WIRE_PART_MAX);
    uint64_t session = chip_map(d->chip, d->part[1], WIRE_PART_MAX);
    struct sev_launch_start start = {
        .handle = d->wire.handle, .policy = d->wire.policy,
        .dh_cert_paddr = size[0] ? dh : 0, .dh_cert_len = size[0],
        .session_paddr = size[1] ? session : 0, .session_len = size[1],
    };
    if (!c->ready || c->handle)
        refuse(d, ENOTTY);
    else
        command(d, SEV_LAUNCH_START, &start);
    chip_unmap(d->chip, dh);
    chip_unmap(d->chip, session);
    if (d->wire.error)
        return;
    c->handle = d->wire.handle = start.handle;
    c->policy = start.policy;
    if (!take_asid(d, c)) {
        struct wire why = d->wire;
        end_guest(d, c);
        d->wire = why;
    }
}

/* Plaintext comes, ciphertext goes back. */
static void guest_update(struct driver *d, struct connection *c, const uint32_t *size)
{
    uint64_t place = system_address(d->wire.address);
    struct sev_launch_update_data update = { .handle = c->handle, .paddr = place,
                                             .length = size[0] };
    if (!within_page(d->wire.address, size[0]) ||
        memory_write(d->memory, place, d->part[0], size[0], MEMORY_RAW) != 0) {
        refuse(d, EINVAL);
        return;
    }
    command(d, SEV_LAUNCH_UPDATE_DATA, &update);
    if (!d->wire.error) {
        memory_read(d->memory, place, d->part[0], size[0], MEMORY_RAW);
        d->wire.size[0] = size[0];
    }
}

static void guest_measure(struct driver *d, struct connection *c, const uint32_t *size)
{
    uint64_t place = chip_map(d->chip, d->part[0], WIRE_PART_MAX);
    struct sev_launch_measure measure = { .handle = c->handle, .measure_paddr = place,
                                          .measure_len = d->wire.room[0] };
    (void)size;
    if (d->wire.room[0] > CERTIFICATE_MAX)
        refuse(d, EINVAL);
    else
        command(d, SEV_LAUNCH_MEASURE, &measure);
    d->wire.room[0] = measure.measure_len;
    d->wire.size[0] = d->wire.error ? 0 : measure.measure_len;
    chip_unmap(d->chip, place);
}

/* Parts: header, packet; the page's ciphertext goes back in part 0. */
static void guest_secret(struct driver *d, struct connection *c, const uint32_t *size)
{
    uint32_t length = d->wire.room[0];
    uint64_t place = system_address(d->wire.address);
    uint64_t header = chip_map(d->chip, d->part[0], WIRE_PART_MAX);
    uint64_t packet = chip_map(d->chip, d->part[1], WIRE_PART_MAX);
    struct sev_launch_secret secret = {
        .handle = c->handle, .hdr_paddr = header, .hdr_len = size[0], .guest_paddr = place,
        .guest_len = length, .trans_paddr = packet, .trans_len = size[1],
    };
    if (!within_page(d->wire.address, length))
        refuse(d, EINVAL);
    else
        command(d, SEV_LAUNCH_SECRET, &secret);
    chip_unmap(d->chip, header);
    chip_unmap(d->chip, packet);
    if (!d->wire.error) {
        memory_read(d->memory, place, d->part[0], length, MEMORY_RAW);
        d->wire.size[0] = length;
    }
}

static void guest_finish(struct driver *d, struct connection *c, const uint32_t *size)
{
    struct sev_handle finish = { c->handle };
    (void)size;
    command(d, SEV_LAUNCH_FINISH, &finish);
}

static void guest_status(struct driver *d, struct connection *c, const uint32_t *size)
{
    struct sev_guest_status status = { .handle = c->handle };
    (void)size;
    command(d, SEV_GUEST_STATUS, &status);
    d->wire.handle = status.handle;
    d->wire.policy = status.policy;
    d->wire.state = status.state;
    d->wire.asid = status.asid;
}

static void guest_report(struct driver *d, struct connection *c, const uint32_t *size)
{
    uint64_t place = chip_map(d->chip, d->part[0], WIRE_PART_MAX);
    struct sev_attestation report = { .handle = c->handle, .paddr = place,
                                      .length = d->wire.room[0] };
    (void)size;
    memcpy(report.mnonce, d->wire.nonce, sizeof(report.mnonce));
    if (d->wire.room[0] > CERTIFICATE_MAX)
        refuse(d, EINVAL);
    else
        command(d, SEV_ATTESTATION, &report);
    d->wire.room[0] = report.length;
    d->wire.size[0] = d->wire.error ? 0 : report.length;
    chip_unmap(d->chip, place);
}

/* Part 0: ciphertext of a page at `address`, whole blocks; plaintext goes back. */
static void decrypt(struct driver *d, uint32_t handle, const uint32_t *size)
{
    uint64_t place = system_address(d->wire.address);
    uint64_t plain = chip_map(d->chip, d->part[1], WIRE_PART_MAX);
    struct sev_dbg dbg = { .handle = handle, .src_paddr = place, .dst_paddr = plain,
                           .length = size[0] };
    if (!within_page(d->wire.address, size[0]) ||
        memory_write(d->memory, place, d->part[0], size[0], MEMORY_RAW) != 0)
        refuse(d, EINVAL);
    else
        command(d, SEV_DBG_DECRYPT, &dbg);
    chip_unmap(d->chip, plain);
    if (!d->wire.error) {
        memcpy(d->part[0], d->part[1], size[0]);
        d->wire.size[0] = size[0];
    }
}

static void guest_decrypt(struct driver *d, struct connection *c, const uint32_t *size)
{
    decrypt(d, c->handle, size);
}

/* Numbers of struct kvm_sev_cmd (linux: include/uapi/linux/kvm.h). */
typedef void guest_handler(struct driver *d, struct connection *c, const uint32_t *size);
static guest_handler *const guest_requests[] = {
    [0] = guest_init,    [2] = guest_start,   [3] = guest_update,  [5] = guest_secret,
    [6] = guest_measure, [7] = guest_finish,  [16] = guest_status, [17] = guest_decrypt,
    [20] = guest_report, [22] = guest_init,
};

static void guest_request(struct driver *d, struct connection *c, const uint32_t *size)
{
    uint32_t id = d->wire.request - WIRE_GUEST;
    if (id >= sizeof(guest_requests) / sizeof(guest_requests[0]) || !guest_requests[id])
        refuse(d, EINVAL);
    else if (!c->handle && id > 2 && id != 22)
        refuse(d, ENOTTY); /* Linux: not a SEV guest (yet) */
    else
        guest_requests[id](d, c, size);
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
    d->wire.size[0] = count * (uint32_t)sizeof(*list);
}
_Static_assert(CONNECTIONS * sizeof(struct wire_guest) <= WIRE_PART_MAX, "the list fits");

/* ---- connections ---- */

static bool receive(int fd, void *data, size_t size)
{
    return size == 0 || recv(fd, data, size, MSG_WAITALL) == (ssize_t)size;
}

static bool transmit(int fd, const void *data, size_t size)
{
    return size == 0 || send(fd, data, size, MSG_NOSIGNAL) == (ssize_t)size;
}

/* False: the program is gone or out of step. */
static bool serve_request(struct driver *d, struct connection *c)
{
    uint32_t size[WIRE_PARTS];
    if (!receive(c->fd, &d->wire, sizeof(d->wire)))
        return false;
    memcpy(size, d->wire.size, sizeof(size));
    for (unsigned i = 0; i < WIRE_PARTS; i++) {
        if (size[i] > WIRE_PART_MAX || !receive(c->fd, d->part[i], size[i]))
            return false;
    }
    d->wire.error = 0;
    d->wire.status = SEV_SUCCESS;
    memset(d->wire.size, 0, sizeof(d->wire.size));
    if (d->wire.request == WIRE_GUESTS)
        list_guests(d);
    else if (d->wire.request == WIRE_DECRYPT)
        decrypt(d, d->wire.handle, size);
    else if (d->wire.request >= WIRE_GUEST)
        guest_request(d, c, size);
    else
        device_request(d, size);
    bool sent = transmit(c->fd, &d->wire, sizeof(d->wire));
    for (unsigned i = 0; sent && i < WIRE_PARTS; i++)
        sent = transmit(c->fd, d->part[i], d->wire.size[i]);
    return sent;
}

static void drop(struct driver *d, unsigned index)
{
    end_guest(d, &d->connections[index]);
    close(d->connections[index].fd);
    d->connections[index] = d->connections[--d->count];
}

static void welcome(struct driver *d, int listener)
{
    const struct timeval patience = { .tv_sec = STALL_S };
    int fd = accept(listener, NULL, NULL);
    if (fd < 0)
        return;
    if (d->count == CONNECTIONS) {
        close(fd);
        return;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    d->connections[d->count++] = (struct connection){ .fd = fd };
}

bool driver_serve(struct driver *d, int listener, int done)
{
    static struct pollfd polls[CONNECTIONS + 2];
    for (;;) {
        unsigned count = d->count;
        polls[0] = (struct pollfd){ .fd = done, .events = POLLIN };
        polls[1] = (struct pollfd){ .fd = listener, .events = POLLIN };
        for (unsigned i = 0; i < count; i++)
            polls[i + 2] = (struct pollfd){ .fd = d->connections[i].fd, .events = POLLIN };
        if (poll(polls, count + 2, -1) < 0 && errno != EINTR)
            return false;
        for (unsigned i = count; i-- > 0;) {
            if (polls[i + 2].revents && !serve_request(d, &d->connections[i]))
                drop(d, i);
        }
        if (polls[1].revents)
            welcome(d, listener);
        if (polls[0].revents)
            return true;
    }
}

struct driver *driver_create(struct chip *chip, struct memory *memory, unsigned max_asid)
{
    struct driver *d = calloc(1, sizeof(*d));
    bool *used = calloc(max_asid + 1, sizeof(*used));
    if (!d || !used || memory_add_ram(memory, 0, DRIVER_MEMORY) != 0) {
        free(d);
        free(used);
        return NULL;
    }
    d->chip = chip;
    d->memory = memory;
    d->max_asid = max_asid;
    d->asid_used = used;
    return d;
}

void driver_destroy(struct driver *d)
{
    if (!d)
        return;
    while (d->count)
        drop(d, d->count - 1);
    free(d->asid_used);
    free(d);
}
