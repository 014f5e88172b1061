/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * KVM's memory encryption of one guest, as Linux (arch/x86/kvm/svm/sev.c) does it on the program's
 * side of the call. The VM's descriptor is the connection to the chip: when the last of its copies is
 * closed the guest ends.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "preload/client.h"
#include "preload/exchange.h"
#include "preload/kvm.h"
#include "preload/sev_debug.h"
#include "preload/user_memory.h"

#define PAGE 4096u

struct region {
    struct region *next;
    struct kvm_enc_region range;
};

struct sev_guest {
    bool active; /* KVM_SEV_INIT or KVM_SEV_ES_INIT was done */
    bool es;     /* the latter */
    const struct kvm_vm *vm;
    struct region *regions;
};

/* Does it leave the page in which it begins? */
static bool crosses_page(uint64_t address, uint32_t size)
{
    return size > PAGE || address % PAGE + size > PAGE;
}

/* Guest memory that comes back from the chip: pinned for writing in Linux, hence the errno. */
static int give_memory(struct exchange *x, unsigned part, uint64_t address, uint32_t size)
{
    return exchange_give(x, part, address, size) == 0 ? 0 : kvm_error(ENOMEM);
}

static int start(struct exchange *x)
{
    struct kvm_sev_launch_start data;
    if (exchange_get(x, &data, sizeof(data)) != 0)
        return -1;
    if (data.dh_uaddr && exchange_blob(x, 0, data.dh_uaddr, data.dh_len) != 0)
        return -1;
    if (data.session_uaddr && exchange_blob(x, 1, data.session_uaddr, data.session_len) != 0)
        return -1;
    x->wire.handle = data.handle;
    x->wire.policy = data.policy;
    if (exchange_run(x) != 0)
        return -1;
    data.handle = x->wire.handle;
    return exchange_put(x, &data, sizeof(data));
}

/* Page by page, in place: what is plaintext in the program becomes ciphertext. */
static int update(struct exchange *x)
{
    struct kvm_sev_launch_update_data data;
    if (exchange_get(x, &data, sizeof(data)) != 0)
        return -1;
    uint64_t at = data.uaddr, end = at + data.len;
    if (!data.len || end < at)
        return kvm_error(EINVAL);
    for (uint32_t size; at < end; at += size) {
        uint64_t next = (at / PAGE + 1) * PAGE;
        size = (uint32_t)((next < end ? next : end) - at);
        exchange_again(x);
        x->wire.address = at;
        if (exchange_memory(x, 0, at, size) != 0 || exchange_run(x) != 0 ||
            give_memory(x, 0, at, size) != 0)
            return -1;
    }
    return 0;
}

/* What LAUNCH_MEASURE and ATTESTATION answer; length 0 asks for the length needed. */
static int blob_out(struct exchange *x, uint64_t address, uint32_t *length)
{
    uint32_t room = *length;
    if (room && address && room > EXCHANGE_BLOB_MAX)
        return kvm_error(EINVAL);
    x->wire.room[0] = address ? room : 0;
    int result = exchange_run(x);
    if (result == 0 && room && address)
        result = exchange_give(x, 0, address, room);
    if (result == 0 || !room)
        *length = x->wire.room[0];
    return result;
}

/* The vCPUs as they were made. That they have been measured keeps the program from nothing. */
static int update_vmsa(struct exchange *x)
{
    for (unsigned n = 0; n < kvm_vm_vcpus(x->vm); n++) {
        exchange_again(x);
        x->wire.address = n;
        x->wire.size[0] = KVM_VMSA_SIZE;
        if (!kvm_vm_vmsa(x->vm, n, x->part[0]))
            return kvm_error(EINVAL);
        if (exchange_run(x) != 0)
            return -1;
    }
    return 0;
}

static int measure(struct exchange *x)
{
    struct kvm_sev_launch_measure data;
    if (exchange_get(x, &data, sizeof(data)) != 0)
        return -1;
    int result = blob_out(x, data.uaddr, &data.len), error = errno;
    if (exchange_put(x, &data, sizeof(data)) != 0)
        return -1;
    errno = error;
    return result;
}

static int report(struct exchange *x)
{
    struct kvm_sev_attestation_report data;
    if (exchange_get(x, &data, sizeof(data)) != 0)
        return -1;
    memcpy(x->wire.nonce, data.mnonce, sizeof(x->wire.nonce));
    int result = blob_out(x, data.uaddr, &data.len), error = errno;
    if (exchange_put(x, &data, sizeof(data)) != 0)
        return -1;
    errno = error;
    return result;
}

static int secret(struct exchange *x)
{
    struct kvm_sev_launch_secret data;
    if (exchange_get(x, &data, sizeof(data)) != 0)
        return -1;
    if (!data.guest_len || data.guest_uaddr + data.guest_len < data.guest_uaddr)
        return kvm_error(EINVAL);
    if (exchange_blob(x, 1, data.trans_uaddr, data.trans_len) != 0 ||
        exchange_blob(x, 0, data.hdr_uaddr, data.hdr_len) != 0)
        return -1;
    x->wire.address = data.guest_uaddr;
    x->wire.room[0] = data.guest_len;
    return exchange_run(x) == 0 ? give_memory(x, 0, data.guest_uaddr, data.guest_len) : -1;
}

static int status(struct exchange *x)
{
    if (exchange_run(x) != 0)
        return -1;
    const struct kvm_sev_guest_status data = { x->wire.handle, x->wire.policy, x->wire.state };
    return exchange_put(x, &data, sizeof(data));
}

static int send_start(struct exchange *x)
{
    struct kvm_sev_send_start data;
    if (exchange_get(x, &data, sizeof(data)) != 0)
        return -1;
    uint32_t room = data.session_len; /* 0 asks for the length needed */
    if (room && (!data.pdh_cert_uaddr || !data.pdh_cert_len || !data.session_uaddr ||
                 room > EXCHANGE_BLOB_MAX))
        return kvm_error(EINVAL);
    if (room && (exchange_blob(x, 0, data.pdh_cert_uaddr, data.pdh_cert_len) != 0 ||
                 exchange_blob(x, 1, data.plat_certs_uaddr, data.plat_certs_len) != 0 ||
                 exchange_blob(x, 2, data.amd_certs_uaddr, data.amd_certs_len) != 0))
        return -1;
    x->wire.room[0] = room;
    int result = exchange_run(x), error = errno;
    if (result == 0 && exchange_give(x, 0, data.session_uaddr, room) != 0)
        return -1;
    data.policy = room ? x->wire.policy : data.policy;
    data.session_len = x->wire.room[0];
    if (exchange_put(x, &data, sizeof(data)) != 0)
        return -1;
    errno = error;
    return result;
}

/* A length of 0 asks for the lengths needed. */
static int send_lengths(struct exchange *x, struct kvm_sev_send_update_data *data)
{
    int result = exchange_run(x), error = errno;
    data->hdr_len = x->wire.room[0];
    data->trans_len = x->wire.room[1];
    if (exchange_put(x, data, sizeof(*data)) != 0)
        return -1;
    errno = error;
    return result;
}

static int send_update(struct exchange *x)
{
    struct kvm_sev_send_update_data data;
    if (exchange_get(x, &data, sizeof(data)) != 0)
        return -1;
    if (!data.trans_len || !data.hdr_len)
        return send_lengths(x, &data);
    if (!data.trans_uaddr || !data.guest_uaddr || !data.guest_len || !data.hdr_uaddr ||
        crosses_page(data.guest_uaddr, data.guest_len))
        return kvm_error(EINVAL);
    if (data.hdr_len > WIRE_PART_MAX || data.trans_len > WIRE_PART_MAX)
        return kvm_error(ENOMEM);
    if (exchange_memory(x, 0, data.guest_uaddr, data.guest_len) != 0)
        return -1;
    x->wire.address = data.guest_uaddr;
    x->wire.room[0] = data.hdr_len;
    x->wire.room[1] = data.trans_len;
    if (exchange_run(x) != 0 || exchange_give(x, 1, data.trans_uaddr, data.trans_len) != 0)
        return -1;
    return exchange_give(x, 0, data.hdr_uaddr, data.hdr_len);
}

static int receive_start(struct exchange *x)
{
    struct kvm_sev_receive_start data;
    if (exchange_get(x, &data, sizeof(data)) != 0 ||
        exchange_blob(x, 0, data.pdh_uaddr, data.pdh_len) != 0 ||
        exchange_blob(x, 1, data.session_uaddr, data.session_len) != 0)
        return -1;
    x->wire.handle = data.handle;
    x->wire.policy = data.policy;
    if (exchange_run(x) != 0)
        return -1;
    data.handle = x->wire.handle;
    return exchange_put(x, &data, sizeof(data));
}

static int receive_update(struct exchange *x)
{
    struct kvm_sev_receive_update_data data;
    if (exchange_get(x, &data, sizeof(data)) != 0)
        return -1;
    if (!data.guest_uaddr || !data.guest_len || crosses_page(data.guest_uaddr, data.guest_len))
        return kvm_error(EINVAL);
    if (exchange_blob(x, 0, data.hdr_uaddr, data.hdr_len) != 0 ||
        exchange_blob(x, 1, data.trans_uaddr, data.trans_len) != 0)
        return -1;
    x->wire.address = data.guest_uaddr;
    x->wire.room[0] = data.guest_len;
    return exchange_run(x) == 0 ? give_memory(x, 0, data.guest_uaddr, data.guest_len) : -1;
}

static const struct request {
    int (*run)(struct exchange *x);
    bool opens_device; /* sev_fd of struct kvm_sev_cmd is looked at */
} requests[] = {
    [KVM_SEV_INIT] = { exchange_run, false },
    [KVM_SEV_ES_INIT] = { exchange_run, false },
    [KVM_SEV_LAUNCH_START] = { start, true },
    [KVM_SEV_LAUNCH_UPDATE_DATA] = { update, false },
    [KVM_SEV_LAUNCH_UPDATE_VMSA] = { update_vmsa, false },
    [KVM_SEV_LAUNCH_SECRET] = { secret, false },
    [KVM_SEV_LAUNCH_MEASURE] = { measure, false },
    [KVM_SEV_LAUNCH_FINISH] = { exchange_run, false },
    [KVM_SEV_SEND_START] = { send_start, false },
    [KVM_SEV_SEND_UPDATE_DATA] = { send_update, false },
    [KVM_SEV_SEND_FINISH] = { exchange_run, false },
    [KVM_SEV_RECEIVE_START] = { receive_start, true },
    [KVM_SEV_RECEIVE_UPDATE_DATA] = { receive_update, false },
    [KVM_SEV_RECEIVE_FINISH] = { exchange_run, false },
    [KVM_SEV_GUEST_STATUS] = { status, false },
    [KVM_SEV_DBG_DECRYPT] = { sev_debug_decrypt, false },
    [KVM_SEV_DBG_ENCRYPT] = { sev_debug_encrypt, false },
    [KVM_SEV_GET_ATTESTATION_REPORT] = { report, false },
    [KVM_SEV_SEND_CANCEL] = { exchange_run, false },
};

/* What is asked before the request's own structure is looked at. */
static int check(const struct sev_guest *guest, const struct kvm_sev_cmd *command)
{
    bool begins = command->id == KVM_SEV_INIT || command->id == KVM_SEV_ES_INIT;
    if (begins && kvm_vm_vcpus(guest->vm) > 0) /* too late */
        return kvm_error(EINVAL);
    if (command->id == KVM_SEV_LAUNCH_UPDATE_VMSA && !guest->es)
        return kvm_error(ENOTTY);
    if (!begins && !guest->active) /* Linux has another errno for the one */
        return kvm_error(command->id == KVM_SEV_RECEIVE_UPDATE_DATA ? EINVAL : ENOTTY);
    if (requests[command->id].opens_device && !sev_device_is((int)command->sev_fd))
        return kvm_error(EBADF);
    return 0;
}

static int run(struct sev_guest *guest, int fd, struct kvm_sev_cmd *command)
{
    if (check(guest, command) != 0)
        return -1;
    struct exchange *x = exchange_new(fd, WIRE_GUEST + command->id, command->data);
    if (!x)
        return -1;
    x->vm = guest->vm;
    int result = requests[command->id].run(x), error = errno;
    if (x->wire.status != WIRE_NO_FIRMWARE)
        command->error = x->wire.status;
    if (result == 0 && (command->id == KVM_SEV_INIT || command->id == KVM_SEV_ES_INIT)) {
        guest->active = true;
        guest->es = command->id == KVM_SEV_ES_INIT;
    }
    free(x);
    errno = error;
    return result;
}

static int memory_encrypt(struct sev_guest *guest, int fd, uint64_t argument)
{
    struct kvm_sev_cmd command;
    if (!argument)
        return 0; /* "is SEV there?" */
    if (!user_read(&command, argument, sizeof(command)))
        return -1;
    if (command.id >= sizeof(requests) / sizeof(requests[0]) || !requests[command.id].run) {
        kvm_unknown("KVM_MEMORY_ENCRYPT_OP", command.id);
        return kvm_error(EINVAL);
    }
    int result = run(guest, fd, &command), error = errno;
    if (!user_write(argument, &command, sizeof(command)))
        return -1;
    errno = error;
    return result;
}

/* Is the memory there? Each page is looked at; Linux pins it. */
static bool is_mapped(const struct kvm_enc_region *range)
{
    uint8_t byte;
    uint64_t last = range->addr + range->size - 1;
    for (uint64_t page = range->addr / PAGE; page <= last / PAGE; page++) {
        if (!user_read(&byte, page * PAGE, 1))
            return false;
    }
    return true;
}

static int add_region(struct sev_guest *guest, const struct kvm_enc_region *range)
{
    if (!range->size || range->addr + range->size < range->addr)
        return kvm_error(EINVAL);
    struct region *region = malloc(sizeof(*region));
    if (!region || !is_mapped(range)) {
        free(region);
        return kvm_error(ENOMEM);
    }
    *region = (struct region){ guest->regions, *range };
    guest->regions = region;
    return 0;
}

static int remove_region(struct sev_guest *guest, const struct kvm_enc_region *range)
{
    for (struct region **at = &guest->regions; *at; at = &(*at)->next) {
        struct region *region = *at;
        if (region->range.addr == range->addr && region->range.size == range->size) {
            *at = region->next;
            free(region);
            return 0;
        }
    }
    return kvm_error(EINVAL);
}

/* A program's memory stays where it is: what is left of pinning is the list. */
static int encrypted_region(struct sev_guest *guest, uint64_t argument, bool add)
{
    struct kvm_enc_region range;
    if (!user_read(&range, argument, sizeof(range)))
        return -1;
    if (!guest->active)
        return kvm_error(ENOTTY);
    return add ? add_region(guest, &range) : remove_region(guest, &range);
}

int sev_guest_ioctl(struct sev_guest **guest, int fd, struct kvm_vm *vm, unsigned long request,
                    void *argument)
{
    if (!*guest)
        *guest = calloc(1, sizeof(**guest));
    if (!*guest)
        return kvm_error(ENOMEM);
    (*guest)->vm = vm;
    if ((uint32_t)request == (uint32_t)KVM_MEMORY_ENCRYPT_OP)
        return memory_encrypt(*guest, fd, (uintptr_t)argument);
    return encrypted_region(*guest, (uintptr_t)argument,
                            (uint32_t)request == (uint32_t)KVM_MEMORY_ENCRYPT_REG_REGION);
}

int sev_guest_connect(void)
{
    return client_connect();
}

void sev_guest_free(struct sev_guest *guest)
{
    while (guest && guest->regions) {
        struct region *region = guest->regions;
        guest->regions = region->next;
        free(region);
    }
    free(guest);
}
