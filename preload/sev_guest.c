/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * KVM's memory encryption of a VM, by the chip (linux: Documentation/virt/kvm/x86/
 * amd-memory-encryption.rst): launch, secret, status, debugging. What is not in the table, SEV-ES and
 * migration among it, is EINVAL, as for a KVM that does not know it.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>

#include "preload/cpuid.h"
#include "preload/kvm.h"
#include "preload/sev_chip.h"
#include "sev/command.h"

enum { BLOCK = 16, PAGE = 4096 };

struct sev_guest {
    uint32_t handle, asid;
    bool launched;
};

static bool asid_used[CPUID_ASIDS + 1];

static int initialise(struct sev_guest *guest, void *data)
{
    (void)data;
    if (guest->asid != 0)
        return -EINVAL;
    for (uint32_t asid = CPUID_FIRST_SEV_ASID; asid <= CPUID_ASIDS; asid++) {
        if (asid_used[asid])
            continue;
        asid_used[asid] = true;
        guest->asid = asid;
        return 0;
    }
    return -EBUSY;
}

static int launch_start(struct sev_guest *guest, void *data)
{
    struct kvm_sev_launch_start *k = data;
    struct sev_launch_start start = {
        .policy = k->policy,
        .dh_cert_paddr = sev_chip_map(k->dh_uaddr, k->dh_len),
        .dh_cert_len = k->dh_len,
        .session_paddr = sev_chip_map(k->session_uaddr, k->session_len),
        .session_len = k->session_len,
    };
    if (guest->launched)
        return -EINVAL;
    sev_chip_flush();
    int status = sev_chip_command(SEV_LAUNCH_START, &start);
    sev_chip_unmap(start.dh_cert_paddr);
    sev_chip_unmap(start.session_paddr);
    if (status != 0)
        return status;
    struct sev_activate activate = { .handle = start.handle, .asid = guest->asid };
    guest->handle = k->handle = start.handle;
    guest->launched = true;
    return sev_chip_command(SEV_ACTIVATE, &activate);
}

static int update_data(struct sev_guest *guest, void *data)
{
    const struct kvm_sev_launch_update_data *k = data;
    struct sev_launch_update_data update = { .handle = guest->handle, .paddr = k->uaddr,
                                             .length = k->len };
    if (!sev_chip_pull(k->uaddr, k->len))
        return -ENOMEM;
    int status = sev_chip_command(SEV_LAUNCH_UPDATE_DATA, &update);
    sev_chip_push(k->uaddr, k->len);
    return status;
}

/* A buffer that is too short is told its length, with the chip's INVALID_LENGTH. */
static int measure(struct sev_guest *guest, void *data)
{
    struct kvm_sev_launch_measure *k = data;
    struct sev_launch_measure measure = { .handle = guest->handle,
                                          .measure_paddr = sev_chip_map(k->uaddr, k->len),
                                          .measure_len = k->len };
    int status = sev_chip_command(SEV_LAUNCH_MEASURE, &measure);
    sev_chip_unmap(measure.measure_paddr);
    k->len = measure.measure_len;
    return status;
}

static int secret(struct sev_guest *guest, void *data)
{
    const struct kvm_sev_launch_secret *k = data;
    if (!sev_chip_pull(k->guest_uaddr, k->guest_len))
        return -ENOMEM;
    struct sev_launch_secret secret = {
        .handle = guest->handle,
        .hdr_paddr = sev_chip_map(k->hdr_uaddr, k->hdr_len),
        .hdr_len = k->hdr_len,
        .guest_paddr = k->guest_uaddr,
        .guest_len = k->guest_len,
        .trans_paddr = sev_chip_map(k->trans_uaddr, k->trans_len),
        .trans_len = k->trans_len,
    };
    int status = sev_chip_command(SEV_LAUNCH_SECRET, &secret);
    sev_chip_unmap(secret.hdr_paddr);
    sev_chip_unmap(secret.trans_paddr);
    sev_chip_push(k->guest_uaddr, k->guest_len);
    return status;
}

static int finish(struct sev_guest *guest, void *data)
{
    (void)data;
    struct sev_handle handle = { .handle = guest->handle };
    return sev_chip_command(SEV_LAUNCH_FINISH, &handle);
}

static int guest_status(struct sev_guest *guest, void *data)
{
    struct kvm_sev_guest_status *k = data;
    struct sev_guest_status status = { .handle = guest->handle };
    int result = sev_chip_command(SEV_GUEST_STATUS, &status);
    *k = (struct kvm_sev_guest_status){ guest->handle, status.policy, status.state };
    return result;
}

/* KVM takes any range; here, as the chip, whole blocks. */
static int debug_decrypt(struct sev_guest *guest, void *data)
{
    const struct kvm_sev_dbg *k = data;
    if (k->len == 0 || (k->src_uaddr | k->len) % BLOCK != 0 || !sev_chip_pull(k->src_uaddr, k->len))
        return -EINVAL;
    struct sev_dbg debug = { .handle = guest->handle, .src_paddr = k->src_uaddr,
                             .dst_paddr = sev_chip_map(k->dst_uaddr, k->len), .length = k->len };
    int status = sev_chip_command(SEV_DBG_DECRYPT, &debug);
    sev_chip_unmap(debug.dst_paddr);
    return status;
}

static const struct operation {
    uint32_t id;
    bool needs_launch;
    int (*run)(struct sev_guest *guest, void *data); /* the chip's status, or -errno */
} operations[] = {
    { KVM_SEV_INIT, false, initialise },
    { KVM_SEV_LAUNCH_START, false, launch_start },
    { KVM_SEV_LAUNCH_UPDATE_DATA, true, update_data },
    { KVM_SEV_LAUNCH_MEASURE, true, measure },
    { KVM_SEV_LAUNCH_SECRET, true, secret },
    { KVM_SEV_LAUNCH_FINISH, true, finish },
    { KVM_SEV_GUEST_STATUS, true, guest_status },
    { KVM_SEV_DBG_DECRYPT, true, debug_decrypt },
};

static int encrypt_op(struct sev_guest *guest, struct kvm_sev_cmd *command)
{
    const struct operation *operation = NULL;
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        if (operations[i].id == command->id)
            operation = &operations[i];
    }
    if (operation == NULL)
        return kvm_error(EINVAL);
    if ((operation->id != KVM_SEV_INIT && guest->asid == 0) ||
        (operation->needs_launch && !guest->launched))
        return kvm_error(ENOTTY); /* KVM: not a SEV guest (yet) */
    int status = operation->run(guest, (void *)(uintptr_t)command->data);
    if (status < 0)
        return kvm_error(-status);
    command->error = (uint32_t)status;
    return status == 0 ? 0 : kvm_error(EIO);
}

int sev_guest_ioctl(struct sev_guest **guest, unsigned long request, void *argument)
{
    if (*guest == NULL)
        *guest = calloc(1, sizeof(**guest));
    if (*guest == NULL)
        return kvm_error(ENOMEM);
    if (request == KVM_MEMORY_ENCRYPT_OP)
        return encrypt_op(*guest, argument);
    /* Registering pins pages where they are: they stay at the program's addresses anyway. */
    return (*guest)->asid != 0 ? 0 : kvm_error(ENOTTY);
}

void sev_guest_free(struct sev_guest *guest)
{
    if (guest == NULL)
        return;
    struct sev_handle deactivate = { .handle = guest->handle };
    struct sev_handle decommission = { .handle = guest->handle };
    if (guest->launched) {
        sev_chip_command(SEV_DEACTIVATE, &deactivate);
        sev_chip_command(SEV_DECOMMISSION, &decommission);
    }
    asid_used[guest->asid] = false;
    free(guest);
}
