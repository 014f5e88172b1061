/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A vCPU: registers that are kept and given back, and a KVM_RUN that waits until somebody wants the
 * thread for something else. Its descriptor is memory of its own, so that a program's mmap of struct
 * kvm_run is the kernel's.
 */
#define _GNU_SOURCE /* memfd_create */
#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "preload/cpuid.h"
#include "preload/kvm.h"
#include "preload/kvm_vmsa.h"
#include "preload/user_memory.h"

enum { CPUID_ENTRIES_MAX = 256, FLAGS_INTERRUPT = 1 << 9, XSAVE_LEAF = 0xd };

/* State that is a structure, with KVM_GET_... and KVM_SET_... */
struct kept {
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    struct kvm_fpu fpu;
    uint32_t xsave[sizeof(struct kvm_xsave) / sizeof(uint32_t)];
    struct kvm_xcrs xcrs;
    struct kvm_vcpu_events events;
    struct kvm_debugregs debug;
    struct kvm_mp_state mp;
};

struct kvm_vcpu {
    struct kvm_vm *vm;
    struct kvm_run *run;
    struct kvm_msr_values *msrs;
    struct kept kept;
    uint32_t cpuid_count;
    struct kvm_cpuid_entry2 cpuid[CPUID_ENTRIES_MAX];
};

static const struct kept_row {
    unsigned long get, set;
    size_t offset, size;
} kept_rows[] = {
#define KEPT(name, member) \
    { KVM_GET_##name, KVM_SET_##name, offsetof(struct kept, member), sizeof(((struct kept *)0)->member) }
    KEPT(REGS, regs),           KEPT(SREGS, sregs), KEPT(FPU, fpu),
    KEPT(XSAVE, xsave),         KEPT(XCRS, xcrs),   KEPT(VCPU_EVENTS, events),
    KEPT(DEBUGREGS, debug),     KEPT(MP_STATE, mp),
#undef KEPT
};

/* After reset (APM 2, table 14-1). */
static void reset(struct kvm_vcpu *vcpu, uint32_t id)
{
    const struct kvm_segment data = { .limit = 0xffff, .type = 3, .present = 1, .s = 1 };
    struct kept *k = &vcpu->kept;
    k->regs = (struct kvm_regs){ .rip = 0xfff0, .rflags = 2, .rdx = cpuid_presented(1, 0).eax };
    k->sregs = (struct kvm_sregs){
        .cs = { .base = 0xffff0000, .limit = 0xffff, .selector = 0xf000, .type = 11, .present = 1,
                .s = 1 },
        .ds = data, .es = data, .fs = data, .gs = data, .ss = data,
        .tr = { .limit = 0xffff, .type = 11, .present = 1 },
        .ldt = { .limit = 0xffff, .type = 2, .present = 1 },
        .gdt = { .limit = 0xffff }, .idt = { .limit = 0xffff },
        .cr0 = 0x60000010,
        .apic_base = 0xfee00800 | (id == 0 ? 0x100 : 0),
    };
    k->fpu = (struct kvm_fpu){ .fcw = 0x37f, .mxcsr = 0x1f80 };
    k->xsave[0] = 0x37f;
    k->xsave[6] = 0x1f80;
    k->xcrs = (struct kvm_xcrs){ .nr_xcrs = 1, .xcrs = { { .xcr = 0, .value = 1 } } };
    k->debug = (struct kvm_debugregs){ .dr6 = 0xffff0ff0, .dr7 = 0x400 };
    k->mp.mp_state = KVM_MP_STATE_RUNNABLE;
}

/* False: another request. */
static bool keep(struct kept *kept, unsigned long request, void *argument, int *ret_result)
{
    for (size_t i = 0; i < sizeof(kept_rows) / sizeof(kept_rows[0]); i++) {
        const struct kept_row *row = &kept_rows[i];
        uint8_t *place = (uint8_t *)kept + row->offset;
        bool done;
        if (request == row->get)
            done = user_write((uintptr_t)argument, place, row->size);
        else if (request == row->set)
            done = user_read(place, (uintptr_t)argument, row->size);
        else
            continue;
        *ret_result = done ? 0 : -1;
        return true;
    }
    return false;
}

static int set_cpuid2(struct kvm_vcpu *vcpu, void *argument)
{
    struct kvm_cpuid2 head;
    if (!user_read(&head, (uintptr_t)argument, sizeof(head)))
        return -1;
    if (head.nent > CPUID_ENTRIES_MAX)
        return kvm_error(E2BIG);
    if (!user_read(vcpu->cpuid, (uintptr_t)argument + sizeof(head),
                   head.nent * sizeof(vcpu->cpuid[0])))
        return -1;
    vcpu->cpuid_count = head.nent;
    return 0;
}

static int get_cpuid2(struct kvm_vcpu *vcpu, void *argument)
{
    struct kvm_cpuid2 head;
    if (!user_read(&head, (uintptr_t)argument, sizeof(head)))
        return -1;
    bool fits = head.nent >= vcpu->cpuid_count;
    head.nent = vcpu->cpuid_count;
    if (!user_write((uintptr_t)argument, &head, sizeof(head)))
        return -1;
    if (!fits)
        return kvm_error(E2BIG);
    return user_write((uintptr_t)argument + sizeof(head), vcpu->cpuid,
                      head.nent * sizeof(vcpu->cpuid[0])) ? 0 : -1;
}

static int get_msrs(struct kvm_vcpu *vcpu, void *argument)
{
    return kvm_msrs_get(vcpu->msrs, argument);
}

static int set_msrs(struct kvm_vcpu *vcpu, void *argument)
{
    return kvm_msrs_set(vcpu->msrs, argument);
}

/* The two are queued as KVM queues them; a stopped processor takes neither. */
static int interrupt(struct kvm_vcpu *vcpu, void *argument)
{
    struct kvm_interrupt vector;
    if (!user_read(&vector, (uintptr_t)argument, sizeof(vector)))
        return -1;
    if (vector.irq > UINT8_MAX)
        return kvm_error(EINVAL);
    vcpu->kept.events.interrupt.injected = 1;
    vcpu->kept.events.interrupt.nr = (uint8_t)vector.irq;
    return 0;
}

static int nmi(struct kvm_vcpu *vcpu, void *argument)
{
    (void)argument;
    vcpu->kept.events.nmi.pending = 1;
    return 0;
}

static void tell_stopped(void)
{
    static atomic_flag told = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&told))
        fprintf(stderr, "privet: this KVM keeps its processors stopped: the guest can be launched, "
                        "measured and given secrets, but executes nothing\n");
}

/*
 * Waits until a signal came or immediate_exit is set. Signals are blocked from the look at
 * immediate_exit until sigsuspend opens them: a handler that sets it is never missed.
 */
static int run(struct kvm_vcpu *vcpu, void *argument)
{
    (void)argument;
    struct kvm_run *run = vcpu->run;
    const struct kept *k = &vcpu->kept;
    sigset_t all, before;
    tell_stopped();
    run->if_flag = (k->regs.rflags & FLAGS_INTERRUPT) != 0;
    run->ready_for_interrupt_injection = run->if_flag && !k->events.interrupt.injected;
    run->cr8 = k->sregs.cr8;
    run->apic_base = k->sregs.apic_base;
    run->exit_reason = KVM_EXIT_INTR;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (!*(volatile uint8_t *)&run->immediate_exit)
        sigsuspend(&before);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return kvm_error(EINTR);
}

static const struct request {
    unsigned long request;
    int (*handle)(struct kvm_vcpu *vcpu, void *argument);
} requests[] = {
    { KVM_RUN, run },           { KVM_SET_CPUID2, set_cpuid2 }, { KVM_GET_CPUID2, get_cpuid2 },
    { KVM_GET_MSRS, get_msrs }, { KVM_SET_MSRS, set_msrs },     { KVM_INTERRUPT, interrupt },
    { KVM_NMI, nmi },
};

int kvm_vcpu_ioctl(struct kvm_vcpu *vcpu, unsigned long request, void *argument)
{
    request = (uint32_t)request; /* all that Linux looks at: programs pass an int, too */
    int result;
    if (!kvm_vm_is_ours(vcpu->vm))
        return kvm_error(EIO);
    if (keep(&vcpu->kept, request, argument, &result))
        return result;
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        if (requests[i].request == request)
            return requests[i].handle(vcpu, argument);
    }
    return kvm_unknown("vCPU", request);
}

void kvm_vcpu_close(struct kvm_vcpu *vcpu)
{
    kvm_vm_put(vcpu->vm);
}

void kvm_vcpu_free(struct kvm_vcpu *vcpu)
{
    munmap(vcpu->run, KVM_RUN_SIZE);
    free(vcpu->msrs);
    free(vcpu);
}

static uint64_t extended_control(const struct kvm_xcrs *xcrs)
{
    for (uint32_t i = 0; i < xcrs->nr_xcrs && i < KVM_MAX_XCRS; i++) {
        if (xcrs->xcrs[i].xcr == 0)
            return xcrs->xcrs[i].value;
    }
    return 1;
}

/* In the standard form, where CPUID has it; 0 where the form says that it is as after reset. */
static uint32_t protection_keys(const uint32_t xsave[])
{
    enum { PKRU = 9, PRESENT = 512 / 4 };
    uint32_t place = cpuid_presented(XSAVE_LEAF, PKRU).ebx / 4;
    bool there = place < sizeof(struct kvm_xsave) / 4 && xsave[PRESENT] >> PKRU & 1;
    return there ? xsave[place] : 0;
}

bool kvm_vcpu_vmsa(const struct kvm_vcpu *vcpu, uint8_t page[KVM_VMSA_SIZE])
{
    const struct kept *k = &vcpu->kept;
    const struct kvm_vmsa_source source = {
        .regs = &k->regs, .sregs = &k->sregs, .debug = &k->debug, .msrs = vcpu->msrs,
        .xcr0 = extended_control(&k->xcrs), .pkru = protection_keys(k->xsave),
    };
    return kvm_vmsa_build(&source, page);
}

/* The descriptor is the memory of struct kvm_run. */
static int run_memory(struct kvm_run **ret_run)
{
    int fd = memfd_create("kvm-vcpu", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    void *memory = MAP_FAILED;
    if (ftruncate(fd, KVM_RUN_SIZE) == 0)
        memory = mmap(NULL, KVM_RUN_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        close(fd);
        return kvm_error(ENOMEM);
    }
    *ret_run = memory;
    return fd;
}

int kvm_vcpu_create(struct kvm_vm *vm, uint32_t id, struct kvm_vcpu **ret_vcpu)
{
    struct kvm_vcpu *vcpu = calloc(1, sizeof(*vcpu));
    struct kvm_msr_values *msrs = kvm_msr_values_new();
    if (vcpu == NULL || msrs == NULL) {
        free(vcpu);
        free(msrs);
        return kvm_error(ENOMEM);
    }
    *vcpu = (struct kvm_vcpu){ .vm = vm, .msrs = msrs };
    int fd = run_memory(&vcpu->run);
    if (fd < 0) {
        free(vcpu);
        free(msrs);
        return -1;
    }
    kvm_vm_get(vm);
    reset(vcpu, id);
    if (!kvm_publish(fd, KVM_FD_VCPU, vcpu)) {
        kvm_vm_put(vm);
        kvm_vcpu_free(vcpu);
        return -1;
    }
    *ret_vcpu = vcpu;
    return fd;
}
