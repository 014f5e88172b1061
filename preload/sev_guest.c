/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * KVM's memory encryption of one guest (linux: Documentation/virt/kvm/x86/amd-memory-encryption.rst):
 * a connection to the chip, whose end deactivates and decommissions the guest.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "preload/client.h"
#include "preload/kvm.h"

#define PAGE     4096u
#define BLOB_MAX 0x4000u

struct sev_guest {
    int fd;
};

static void *user(uint64_t address)
{
    return (void *)(uintptr_t)address; // NOLINT: the ABI has pointers as numbers
}

static int fail(int error)
{
    errno = error;
    return -1;
}

/* Requests whose fields are all in `wire`. */
static int simple(int fd, struct wire *wire, void *data)
{
    (void)data;
    return client_request(fd, wire, NULL, NULL, NULL);
}

static int start(int fd, struct wire *wire, void *data)
{
    struct kvm_sev_launch_start *start = data;
    const void *const in[WIRE_PARTS] = { user(start->dh_uaddr), user(start->session_uaddr) };
    if (start->dh_len > BLOB_MAX || start->session_len > BLOB_MAX)
        return fail(EINVAL);
    wire->handle = start->handle;
    wire->policy = start->policy;
    wire->size[0] = start->dh_uaddr ? start->dh_len : 0;
    wire->size[1] = start->session_uaddr ? start->session_len : 0;
    int result = client_request(fd, wire, in, NULL, NULL);
    if (result == 0)
        start->handle = wire->handle;
    return result;
}

/* Page by page, in place: what is plaintext in the program becomes ciphertext. */
static int update(int fd, struct wire *wire, void *data)
{
    const struct kvm_sev_launch_update_data *update = data;
    const struct wire template = *wire;
    uint64_t at = update->uaddr, end = at + update->len;
    int result = 0;
    if (!update->len || end < at)
        return fail(EINVAL);
    while (result == 0 && at < end) {
        uint64_t next = (at / PAGE + 1) * PAGE;
        uint32_t size = (uint32_t)((next < end ? next : end) - at);
        const void *const in[WIRE_PARTS] = { user(at) };
        void *const out[WIRE_PARTS] = { user(at) };
        const uint32_t capacity[WIRE_PARTS] = { size };
        *wire = template;
        wire->address = at;
        wire->size[0] = size;
        result = client_request(fd, wire, in, out, capacity);
        at += size;
    }
    return result;
}

static int measure(int fd, struct wire *wire, void *data)
{
    struct kvm_sev_launch_measure *measure = data;
    void *const out[WIRE_PARTS] = { user(measure->uaddr) };
    const uint32_t capacity[WIRE_PARTS] = { measure->len };
    wire->room[0] = measure->uaddr ? measure->len : 0;
    int result = client_request(fd, wire, NULL, out, capacity);
    measure->len = wire->room[0];
    return result;
}

static int secret(int fd, struct wire *wire, void *data)
{
    const struct kvm_sev_launch_secret *secret = data;
    const void *const in[WIRE_PARTS] = { user(secret->hdr_uaddr), user(secret->trans_uaddr) };
    void *const out[WIRE_PARTS] = { user(secret->guest_uaddr) };
    const uint32_t capacity[WIRE_PARTS] = { secret->guest_len };
    if (secret->hdr_len > BLOB_MAX || secret->trans_len > BLOB_MAX)
        return fail(EINVAL);
    wire->address = secret->guest_uaddr;
    wire->room[0] = secret->guest_len;
    wire->size[0] = secret->hdr_len;
    wire->size[1] = secret->trans_len;
    return client_request(fd, wire, in, out, capacity);
}

static int status(int fd, struct wire *wire, void *data)
{
    struct kvm_sev_guest_status *status = data;
    int result = client_request(fd, wire, NULL, NULL, NULL);
    if (result == 0)
        *status = (struct kvm_sev_guest_status){ wire->handle, wire->policy, wire->state };
    return result;
}

/* Whole 16-byte blocks within a page, as the chip has them. */
static int decrypt(int fd, struct wire *wire, void *data)
{
    const struct kvm_sev_dbg *dbg = data;
    const void *const in[WIRE_PARTS] = { user(dbg->src_uaddr) };
    void *const out[WIRE_PARTS] = { user(dbg->dst_uaddr) };
    const uint32_t capacity[WIRE_PARTS] = { dbg->len };
    if (!dbg->len || dbg->len > PAGE)
        return fail(EINVAL);
    wire->address = dbg->src_uaddr;
    wire->size[0] = dbg->len;
    return client_request(fd, wire, in, out, capacity);
}

static int report(int fd, struct wire *wire, void *data)
{
    struct kvm_sev_attestation_report *report = data;
    void *const out[WIRE_PARTS] = { user(report->uaddr) };
    const uint32_t capacity[WIRE_PARTS] = { report->len };
    memcpy(wire->nonce, report->mnonce, sizeof(wire->nonce));
    wire->room[0] = report->uaddr ? report->len : 0;
    int result = client_request(fd, wire, NULL, out, capacity);
    report->len = wire->room[0];
    return result;
}

static const struct request {
    int (*run)(int fd, struct wire *wire, void *data);
    bool takes_data;
} requests[] = {
    [KVM_SEV_INIT] = { simple, false },
    [KVM_SEV_LAUNCH_START] = { start, true },
    [KVM_SEV_LAUNCH_UPDATE_DATA] = { update, true },
    [KVM_SEV_LAUNCH_SECRET] = { secret, true },
    [KVM_SEV_LAUNCH_MEASURE] = { measure, true },
    [KVM_SEV_LAUNCH_FINISH] = { simple, false },
    [KVM_SEV_GUEST_STATUS] = { status, true },
    [KVM_SEV_DBG_DECRYPT] = { decrypt, true },
    [KVM_SEV_GET_ATTESTATION_REPORT] = { report, true },
};

static int memory_encrypt(struct sev_guest *guest, struct kvm_sev_cmd *command)
{
    if (!command)
        return 0; /* "is SEV there?" */
    if (command->id >= sizeof(requests) / sizeof(requests[0]) || !requests[command->id].run) {
        kvm_unknown("KVM_MEMORY_ENCRYPT_OP", command->id);
        return fail(EINVAL);
    }
    if (requests[command->id].takes_data && !command->data)
        return fail(EFAULT);
    struct wire wire = { .request = WIRE_GUEST + command->id };
    int result = requests[command->id].run(guest->fd, &wire, user(command->data));
    int error = errno;
    command->error = wire.status;
    errno = error;
    return result;
}

static struct sev_guest *open_guest(void)
{
    struct sev_guest *guest = malloc(sizeof(*guest));
    int fd = guest ? client_connect() : -1;
    if (fd >= 0) {
        guest->fd = fd;
        return guest;
    }
    free(guest);
    return NULL;
}

int sev_guest_ioctl(struct sev_guest **guest, unsigned long request, void *argument)
{
    if (!*guest)
        *guest = open_guest();
    if (!*guest)
        return fail(ENOTTY);
    if ((uint32_t)request == (uint32_t)KVM_MEMORY_ENCRYPT_OP)
        return memory_encrypt(*guest, argument);
    return argument ? 0 : fail(EFAULT); /* regions: a program's memory stays where it is */
}

void sev_guest_free(struct sev_guest *guest)
{
    if (guest)
        close(guest->fd);
    free(guest);
}
