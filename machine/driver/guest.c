/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Guests: their ASIDs and their launch (linux: arch/x86/kvm/svm/sev.c). */
#include <errno.h>
#include <string.h>

#include "machine/driver/internal.h"

uint64_t driver_address(uint64_t address)
{
    return address & (DRIVER_MEMORY - 1);
}

bool driver_within_page(uint64_t address, uint64_t size)
{
    return size && (address & (MEMORY_PAGE_SIZE - 1)) + size <= MEMORY_PAGE_SIZE;
}

/* As one piece in the platform's memory, where pages that follow each other stay so. */
static bool is_contiguous(uint64_t address, uint64_t size)
{
    return size && size <= WIRE_PART_MAX && driver_address(address) + size <= DRIVER_MEMORY;
}

static uint32_t free_asid(const struct driver *d, bool es)
{
    uint32_t first = es ? 1 : d->min_plain_asid, end = es ? d->min_plain_asid : d->max_asid + 1;
    for (uint32_t asid = first; asid < end; asid++) {
        if (d->asid[asid] == DRIVER_ASID_FREE)
            return asid;
    }
    return 0;
}

static void clean_asids(struct driver *d)
{
    chip_note_wbinvd(d->chip);
    if (chip_command(d->chip, SEV_DF_FLUSH, NULL) != SEV_SUCCESS)
        return;
    for (unsigned asid = 1; asid <= d->max_asid; asid++) {
        if (d->asid[asid] == DRIVER_ASID_DIRTY)
            d->asid[asid] = DRIVER_ASID_FREE;
    }
}

/* The lowest ASID of its kind that is free; dirty ones become clean when no other is left. */
static void begin(struct driver *d, struct connection *c, bool es)
{
    if (c->asid) {
        driver_refuse(d, EINVAL);
        return;
    }
    if (!driver_initialise(d))
        return;
    uint32_t asid = free_asid(d, es);
    if (!asid) {
        clean_asids(d);
        asid = free_asid(d, es);
    }
    if (!asid) {
        driver_refuse(d, EBUSY);
        return;
    }
    c->asid = asid;
    d->asid[asid] = DRIVER_ASID_TAKEN;
}

static void guest_init(struct driver *d, struct connection *c, const uint32_t *size)
{
    (void)size;
    begin(d, c, false);
}

static void guest_es_init(struct driver *d, struct connection *c, const uint32_t *size)
{
    (void)size;
    begin(d, c, true);
}

/* ---- processors ---- */

static struct driver_vmsa *find_vmsa(struct driver *d, uint32_t handle, uint64_t vcpu)
{
    for (unsigned i = 0; i < DRIVER_VMSAS; i++) {
        if (d->vmsas[i].handle == handle && (!handle || d->vmsas[i].vcpu == vcpu))
            return &d->vmsas[i];
    }
    return NULL;
}

static void release_vmsas(struct driver *d, uint32_t handle)
{
    for (unsigned i = 0; i < DRIVER_VMSAS; i++) {
        if (d->vmsas[i].handle == handle)
            d->vmsas[i].handle = 0;
    }
}

/* Part 0: the state with which the vCPU `address` begins. KVM has a page for it while the VM lives. */
static void guest_update_vmsa(struct driver *d, struct connection *c, const uint32_t *size)
{
    if (c->asid >= d->min_plain_asid) {
        driver_refuse(d, ENOTTY); /* not a SEV-ES guest */
        return;
    }
    if (size[0] != SEV_VMSA_SIZE) {
        driver_refuse(d, EINVAL);
        return;
    }
    struct driver_vmsa *vmsa = find_vmsa(d, c->handle, d->wire->address);
    if (!vmsa)
        vmsa = find_vmsa(d, 0, 0);
    if (!vmsa) {
        driver_refuse(d, ENOMEM);
        return;
    }
    *vmsa = (struct driver_vmsa){ c->handle, d->wire->address };
    uint64_t place = DRIVER_VMSA_BASE + (uint64_t)(vmsa - d->vmsas) * SEV_VMSA_SIZE;
    struct sev_launch_update_data update = { .handle = c->handle, .paddr = place,
                                             .length = SEV_VMSA_SIZE };
    memory_write(d->memory, place, d->part[0], SEV_VMSA_SIZE, MEMORY_RAW);
    driver_command(d, SEV_LAUNCH_UPDATE_VMSA, &update);
}

void driver_guest_end(struct driver *d, struct connection *c)
{
    struct sev_handle handle = { c->handle };
    if (c->handle) {
        chip_command(d->chip, SEV_DEACTIVATE, &handle);
        chip_command(d->chip, SEV_DECOMMISSION, &handle);
        release_vmsas(d, c->handle);
    }
    if (c->asid)
        d->asid[c->asid] = c->handle ? DRIVER_ASID_DIRTY : DRIVER_ASID_FREE;
    c->handle = c->asid = 0;
}

void driver_guest_bind(struct driver *d, struct connection *c, uint32_t handle)
{
    struct sev_activate activate = { .handle = handle, .asid = c->asid };
    struct sev_handle end = { handle };
    driver_command(d, SEV_ACTIVATE, &activate);
    if (d->wire->error) {
        chip_command(d->chip, SEV_DECOMMISSION, &end);
        return;
    }
    c->handle = d->wire->handle = handle;
}

static void guest_start(struct driver *d, struct connection *c, const uint32_t *size)
{
    uint64_t dh = chip_map(d->chip, d->part[0], WIRE_PART_MAX);
    uint64_t session = chip_map(d->chip, d->part[1], WIRE_PART_MAX);
    struct sev_launch_start start = {
        .handle = d->wire->handle, .policy = d->wire->policy,
        .dh_cert_paddr = size[0] ? dh : 0, .dh_cert_len = size[0],
        .session_paddr = size[1] ? session : 0, .session_len = size[1],
    };
    driver_command(d, SEV_LAUNCH_START, &start);
    chip_unmap(d->chip, dh);
    chip_unmap(d->chip, session);
    if (!d->wire->error)
        driver_guest_bind(d, c, start.handle);
}

/* Plaintext comes, ciphertext goes back. */
static void guest_update(struct driver *d, struct connection *c, const uint32_t *size)
{
    uint64_t place = driver_address(d->wire->address);
    struct sev_launch_update_data update = { .handle = c->handle, .paddr = place,
                                             .length = size[0] };
    if (!driver_within_page(d->wire->address, size[0]) ||
        memory_write(d->memory, place, d->part[0], size[0], MEMORY_RAW) != 0) {
        driver_refuse(d, EINVAL);
        return;
    }
    driver_command(d, SEV_LAUNCH_UPDATE_DATA, &update);
    if (!d->wire->error) {
        memory_read(d->memory, place, d->part[0], size[0], MEMORY_RAW);
        d->wire->size[0] = size[0];
    }
}

static void guest_measure(struct driver *d, struct connection *c, const uint32_t *size)
{
    uint64_t place = chip_map(d->chip, d->part[0], WIRE_PART_MAX);
    struct sev_launch_measure measure = { .handle = c->handle, .measure_paddr = place,
                                          .measure_len = d->wire->room[0] };
    (void)size;
    if (d->wire->room[0] > DRIVER_CERTIFICATE_MAX)
        driver_refuse(d, EINVAL);
    else
        driver_command(d, SEV_LAUNCH_MEASURE, &measure);
    d->wire->room[0] = measure.measure_len;
    d->wire->size[0] = d->wire->error ? 0 : measure.measure_len;
    chip_unmap(d->chip, place);
}

/* Parts: header, packet; the memory's ciphertext goes back in part 0. */
static void guest_secret(struct driver *d, struct connection *c, const uint32_t *size)
{
    uint32_t length = d->wire->room[0];
    uint64_t place = driver_address(d->wire->address);
    uint64_t header = chip_map(d->chip, d->part[0], WIRE_PART_MAX);
    uint64_t packet = chip_map(d->chip, d->part[1], WIRE_PART_MAX);
    struct sev_launch_secret secret = {
        .handle = c->handle, .hdr_paddr = header, .hdr_len = size[0], .guest_paddr = place,
        .guest_len = length, .trans_paddr = packet, .trans_len = size[1],
    };
    if (!is_contiguous(d->wire->address, length))
        driver_refuse(d, EINVAL);
    else
        driver_command(d, SEV_LAUNCH_SECRET, &secret);
    chip_unmap(d->chip, header);
    chip_unmap(d->chip, packet);
    if (!d->wire->error) {
        memory_read(d->memory, place, d->part[0], length, MEMORY_RAW);
        d->wire->size[0] = length;
    }
}

static void guest_finish(struct driver *d, struct connection *c, const uint32_t *size)
{
    struct sev_handle finish = { c->handle };
    (void)size;
    driver_command(d, SEV_LAUNCH_FINISH, &finish);
}

static void guest_status(struct driver *d, struct connection *c, const uint32_t *size)
{
    struct sev_guest_status status = { .handle = c->handle };
    (void)size;
    driver_command(d, SEV_GUEST_STATUS, &status);
    d->wire->handle = status.handle;
    d->wire->policy = status.policy;
    d->wire->state = status.state;
    d->wire->asid = status.asid;
}

static void guest_report(struct driver *d, struct connection *c, const uint32_t *size)
{
    uint64_t place = chip_map(d->chip, d->part[0], WIRE_PART_MAX);
    struct sev_attestation report = { .handle = c->handle, .paddr = place,
                                      .length = d->wire->room[0] };
    (void)size;
    memcpy(report.mnonce, d->wire->nonce, sizeof(report.mnonce));
    if (d->wire->room[0] > DRIVER_CERTIFICATE_MAX)
        driver_refuse(d, EINVAL);
    else
        driver_command(d, SEV_ATTESTATION, &report);
    d->wire->room[0] = report.length;
    d->wire->size[0] = d->wire->error ? 0 : report.length;
    chip_unmap(d->chip, place);
}

static void guest_decrypt(struct driver *d, struct connection *c, const uint32_t *size)
{
    driver_decrypt(d, c->handle, size);
}

static void guest_encrypt(struct driver *d, struct connection *c, const uint32_t *size)
{
    driver_encrypt(d, c->handle, size);
}

/* Numbers of struct kvm_sev_cmd (linux: include/uapi/linux/kvm.h). */
enum { INIT = 0, ES_INIT = 1, LAUNCH_START = 2, RECEIVE_START = 12 };
static driver_guest_handler *const requests[] = {
    [INIT] = guest_init,
    [ES_INIT] = guest_es_init,
    [LAUNCH_START] = guest_start,
    [3] = guest_update,
    [4] = guest_update_vmsa,
    [5] = guest_secret,
    [6] = guest_measure,
    [7] = guest_finish,
    [8] = driver_send_start,
    [9] = driver_send_update,
    [11] = driver_send_finish,
    [RECEIVE_START] = driver_receive_start,
    [13] = driver_receive_update,
    [15] = driver_receive_finish,
    [16] = guest_status,
    [17] = guest_decrypt,
    [18] = guest_encrypt,
    [20] = guest_report,
    [21] = driver_send_cancel,
};

void driver_guest_request(struct driver *d, struct connection *c, const uint32_t size[WIRE_PARTS])
{
    uint32_t id = d->wire->request - WIRE_GUEST;
    if (id >= sizeof(requests) / sizeof(requests[0]) || !requests[id]) {
        driver_refuse(d, EINVAL);
        return;
    }
    bool makes = id == INIT || id == ES_INIT;
    bool starts = id == LAUNCH_START || id == RECEIVE_START;
    if (!makes && !c->asid)
        driver_refuse(d, ENOTTY); /* not a SEV guest (yet) */
    else if (!makes && !starts && !c->handle)
        driver_refuse(d, EBADF); /* Linux: no device was named for it yet */
    else
        requests[id](d, c, size);
}
