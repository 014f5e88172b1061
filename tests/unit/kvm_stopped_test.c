/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The KVM whose processors stay stopped, by its ioctls: what is set comes back, what cannot be is
 * refused with the errno of linux' KVM, KVM_RUN ends when the thread is wanted; and CPUID trapped.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/cpuid.h"
#include "preload/kvm.h"
#include "sev/vmsa.h"

enum { FDS = 64, PAGE = 4096, VM_FD = 63 };

static struct {
    enum kvm_fd_kind kind;
    void *object;
} fds[FDS];
static unsigned long encryption_request;
static bool guest_freed;

bool kvm_fd_add(int fd, enum kvm_fd_kind kind, void *object)
{
    if (fd >= FDS)
        return false;
    fds[fd].kind = kind;
    fds[fd].object = object;
    return true;
}

int sev_guest_connect(void)
{
    return open("/dev/null", O_RDWR | O_CLOEXEC);
}

int sev_guest_ioctl(struct sev_guest **guest, int fd, struct kvm_vm *vm, unsigned long request,
                    void *argument)
{
    assert_int_equal(fd, VM_FD);
    assert_int_equal(kvm_vm_vcpus(vm), 1);
    (void)guest;
    (void)argument;
    encryption_request = request;
    return 7;
}

void sev_guest_free(struct sev_guest *guest)
{
    (void)guest;
    guest_freed = true;
}

static void refused(int error, int result)
{
    assert_int_equal(result, -1);
    assert_int_equal(errno, error);
}

static struct kvm_vm *new_vm(void)
{
    int fd = kvm_system_ioctl(KVM_CREATE_VM, NULL);
    assert_true(fd >= 0);
    assert_int_equal(fds[fd].kind, KVM_FD_VM);
    struct kvm_vm *vm = fds[fd].object;
    close(fd);
    return vm;
}

static struct kvm_vcpu *new_vcpu(struct kvm_vm *vm, uintptr_t id, struct kvm_run **ret_run)
{
    int fd = kvm_vm_ioctl(vm, VM_FD, KVM_CREATE_VCPU, (void *)id);
    assert_true(fd >= 0);
    assert_int_equal(fds[fd].kind, KVM_FD_VCPU);
    int size = kvm_system_ioctl(KVM_GET_VCPU_MMAP_SIZE, NULL);
    *ret_run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(*ret_run != MAP_FAILED);
    close(fd);
    return fds[fd].object;
}

static void test_system(void **state)
{
    (void)state;
    assert_int_equal(kvm_system_ioctl(KVM_GET_API_VERSION, NULL), 12);
    assert_int_equal(kvm_system_ioctl(KVM_CHECK_EXTENSION, (void *)KVM_CAP_IMMEDIATE_EXIT), 1);
    assert_int_equal(kvm_system_ioctl(KVM_CHECK_EXTENSION, (void *)KVM_CAP_IRQCHIP), 0);
    refused(EINVAL, kvm_system_ioctl(KVM_CREATE_VM, (void *)1));
    refused(ENOTTY, kvm_system_ioctl(KVM_TRANSLATE, NULL));
}

static void test_cpuid_list(void **state)
{
    (void)state;
    struct kvm_cpuid2 *list = calloc(1, sizeof(*list) + 256 * sizeof(list->entries[0]));
    list->nent = 1;
    refused(E2BIG, kvm_system_ioctl(KVM_GET_SUPPORTED_CPUID, list));
    list->nent = 256;
    assert_int_equal(kvm_system_ioctl(KVM_GET_SUPPORTED_CPUID, list), 0);
    bool encryption = false, hypervisor = false;
    for (uint32_t i = 0; i < list->nent; i++) {
        const struct kvm_cpuid_entry2 *e = &list->entries[i];
        encryption |= e->function == 0x8000001f && (e->ebx & 63) == CPUID_C_BIT &&
                      (e->eax & 0xa) == 0xa && e->ecx == 509 && e->edx == 100; /* SEV and SEV-ES */
        if (e->function == 1)
            hypervisor = (e->ecx >> 31) == 1 && (e->ecx >> 5 & 1) == 0; /* and no VMX */
        if (e->function == 0xd && e->index == 0)
            assert_true(e->ecx <= sizeof(struct kvm_xsave));
    }
    assert_true(encryption && hypervisor);
    free(list);
}

static void test_memory(void **state)
{
    (void)state;
    struct kvm_vm *vm = new_vm();
    struct kvm_userspace_memory_region region = { .slot = 3, .memory_size = 4 * PAGE,
                                                  .guest_phys_addr = 16 * PAGE };
    assert_int_equal(kvm_vm_ioctl(vm, VM_FD, KVM_SET_USER_MEMORY_REGION, &region), 0);
    uint64_t bitmap = ~0ull;
    struct kvm_dirty_log log = { .slot = 3, .dirty_bitmap = &bitmap };
    refused(ENOENT, kvm_vm_ioctl(vm, VM_FD, KVM_GET_DIRTY_LOG, &log));
    region.flags = KVM_MEM_LOG_DIRTY_PAGES;
    assert_int_equal(kvm_vm_ioctl(vm, VM_FD, KVM_SET_USER_MEMORY_REGION, &region), 0);
    assert_int_equal(kvm_vm_ioctl(vm, VM_FD, KVM_GET_DIRTY_LOG, &log), 0);
    assert_true(bitmap == 0);
    region.slot = 4;
    region.guest_phys_addr += 3 * PAGE;
    refused(EEXIST, kvm_vm_ioctl(vm, VM_FD, KVM_SET_USER_MEMORY_REGION, &region));
    region.guest_phys_addr += PAGE;
    assert_int_equal(kvm_vm_ioctl(vm, VM_FD, KVM_SET_USER_MEMORY_REGION, &region), 0);
    region.guest_phys_addr += 1;
    refused(EINVAL, kvm_vm_ioctl(vm, VM_FD, KVM_SET_USER_MEMORY_REGION, &region));
    region = (struct kvm_userspace_memory_region){ .slot = KVM_SLOTS_MAX, .memory_size = PAGE };
    refused(EINVAL, kvm_vm_ioctl(vm, VM_FD, KVM_SET_USER_MEMORY_REGION, &region));
    region = (struct kvm_userspace_memory_region){ .slot = 3 };
    assert_int_equal(kvm_vm_ioctl(vm, VM_FD, KVM_SET_USER_MEMORY_REGION, &region), 0);
    refused(EINVAL, kvm_vm_ioctl(vm, VM_FD, KVM_SET_USER_MEMORY_REGION, &region));
    kvm_vm_close(vm);
}

static void test_vm(void **state)
{
    (void)state;
    struct kvm_vm *vm = new_vm();
    struct kvm_run *run;
    struct kvm_vcpu *vcpu = new_vcpu(vm, 0, &run);
    refused(EEXIST, kvm_vm_ioctl(vm, VM_FD, KVM_CREATE_VCPU, NULL));
    refused(EINVAL, kvm_vm_ioctl(vm, VM_FD, KVM_CREATE_VCPU, (void *)(uintptr_t)KVM_VCPUS_MAX));
    refused(EINVAL, kvm_vm_ioctl(vm, VM_FD, KVM_SET_GSI_ROUTING, NULL));
    refused(ENOTTY, kvm_vm_ioctl(vm, VM_FD, KVM_CREATE_IRQCHIP, NULL));
    /* As a program passes it that has the request in an int. */
    unsigned long extended = (unsigned long)(int)KVM_MEMORY_ENCRYPT_OP;
    assert_int_equal(kvm_vm_ioctl(vm, VM_FD, extended, NULL), 7);
    assert_true(encryption_request == KVM_MEMORY_ENCRYPT_OP);
    guest_freed = false;
    kvm_vm_close(vm);
    assert_false(guest_freed); /* its vCPU is open */
    kvm_vcpu_close(vcpu);
    assert_true(guest_freed);
    munmap(run, KVM_RUN_SIZE);
}

/* An address that leads nowhere is EFAULT for every request with a structure. */
static void test_bad_addresses(void **state)
{
    (void)state;
    static const unsigned long system[] = { KVM_GET_SUPPORTED_CPUID, KVM_GET_MSR_INDEX_LIST,
                                            KVM_GET_MSR_FEATURE_INDEX_LIST, KVM_GET_MSRS };
    static const unsigned long machine[] = { KVM_SET_USER_MEMORY_REGION, KVM_GET_DIRTY_LOG,
                                             KVM_SET_IDENTITY_MAP_ADDR };
    static const unsigned long processor[] = {
        KVM_GET_REGS, KVM_SET_REGS, KVM_GET_SREGS, KVM_SET_SREGS, KVM_GET_FPU, KVM_SET_FPU,
        KVM_GET_XSAVE, KVM_SET_XSAVE, KVM_GET_XCRS, KVM_SET_XCRS, KVM_GET_VCPU_EVENTS,
        KVM_SET_VCPU_EVENTS, KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS, KVM_GET_MP_STATE,
        KVM_SET_MP_STATE, KVM_SET_CPUID2, KVM_GET_CPUID2, KVM_GET_MSRS, KVM_SET_MSRS, KVM_INTERRUPT,
    };
    struct kvm_vm *vm = new_vm();
    struct kvm_run *run;
    struct kvm_vcpu *vcpu = new_vcpu(vm, 0, &run);
    /* Its last 8 bytes are there: heads of structures can be read, what follows cannot. */
    uint8_t *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(pages + PAGE, PAGE, PROT_NONE);
    void *const bad[] = { NULL, (void *)8, pages + PAGE, (void *)(uintptr_t)0xfffffffffffff000 };
    for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
        for (size_t i = 0; i < sizeof(system) / sizeof(system[0]); i++)
            refused(EFAULT, kvm_system_ioctl(system[i], bad[k]));
        for (size_t i = 0; i < sizeof(machine) / sizeof(machine[0]); i++)
            refused(EFAULT, kvm_vm_ioctl(vm, VM_FD, machine[i], bad[k]));
        for (size_t i = 0; i < sizeof(processor) / sizeof(processor[0]); i++)
            refused(EFAULT, kvm_vcpu_ioctl(vcpu, processor[i], bad[k]));
    }
    uint32_t *head = (uint32_t *)(void *)(pages + PAGE - 8);
    head[0] = 200;
    refused(EFAULT, kvm_system_ioctl(KVM_GET_SUPPORTED_CPUID, head));
    head[0] = 200;
    refused(EFAULT, kvm_vcpu_ioctl(vcpu, KVM_SET_CPUID2, head));
    refused(EFAULT, kvm_vcpu_ioctl(vcpu, KVM_SET_MSRS, head));
    refused(EFAULT, kvm_vcpu_ioctl(vcpu, KVM_GET_MSRS, head));
    head[0] = 200;
    refused(EFAULT, kvm_system_ioctl(KVM_GET_MSR_INDEX_LIST, head));
    munmap(pages, 2 * PAGE);
    kvm_vcpu_close(vcpu);
    kvm_vm_close(vm);
    munmap(run, KVM_RUN_SIZE);
}

/* KVM's VMs belong to an address space. */
static void test_other_process(void **state)
{
    (void)state;
    struct kvm_vm *vm = new_vm();
    struct kvm_run *run;
    struct kvm_vcpu *vcpu = new_vcpu(vm, 0, &run);
    struct kvm_regs regs;
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(kvm_vm_ioctl(vm, VM_FD, KVM_CHECK_EXTENSION, NULL) == -1 && errno == EIO &&
                      kvm_vcpu_ioctl(vcpu, KVM_GET_REGS, &regs) == -1 && errno == EIO
                  ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    kvm_vcpu_close(vcpu);
    kvm_vm_close(vm);
    munmap(run, KVM_RUN_SIZE);
}

static void test_registers(void **state)
{
    (void)state;
    struct kvm_vm *vm = new_vm();
    struct kvm_run *run;
    struct kvm_vcpu *vcpu = new_vcpu(vm, 1, &run);
    struct kvm_regs regs, again;
    struct kvm_sregs sregs;
    assert_int_equal(kvm_vcpu_ioctl(vcpu, KVM_GET_REGS, &regs), 0);
    assert_int_equal(regs.rip, 0xfff0);
    assert_int_equal(kvm_vcpu_ioctl(vcpu, KVM_GET_SREGS, &sregs), 0);
    assert_int_equal(sregs.cs.base, 0xffff0000);
    assert_int_equal(sregs.apic_base, 0xfee00800); /* not the boot processor */
    memset(&regs, 0x5a, sizeof(regs));
    assert_int_equal(kvm_vcpu_ioctl(vcpu, KVM_SET_REGS, &regs), 0);
    assert_int_equal(kvm_vcpu_ioctl(vcpu, KVM_GET_REGS, &again), 0);
    assert_memory_equal(&regs, &again, sizeof(regs));
    struct kvm_interrupt vector = { .irq = 0x31 };
    struct kvm_vcpu_events events;
    assert_int_equal(kvm_vcpu_ioctl(vcpu, KVM_INTERRUPT, &vector), 0);
    assert_int_equal(kvm_vcpu_ioctl(vcpu, KVM_GET_VCPU_EVENTS, &events), 0);
    assert_int_equal(events.interrupt.injected, 1);
    assert_int_equal(events.interrupt.nr, 0x31);
    vector.irq = 256;
    refused(EINVAL, kvm_vcpu_ioctl(vcpu, KVM_INTERRUPT, &vector));
    refused(ENOTTY, kvm_vcpu_ioctl(vcpu, KVM_GET_LAPIC, NULL));
    kvm_vcpu_close(vcpu);
    kvm_vm_close(vm);
    munmap(run, KVM_RUN_SIZE);
}

static void test_msrs(void **state)
{
    (void)state;
    struct kvm_vm *vm = new_vm();
    struct kvm_run *run;
    struct kvm_vcpu *vcpu = new_vcpu(vm, 0, &run);
    struct kvm_msrs *msrs = calloc(1, sizeof(*msrs) + 3 * sizeof(msrs->entries[0]));
    msrs->nmsrs = 3;
    msrs->entries[0] = (struct kvm_msr_entry){ .index = 0xc0000082, .data = 0x1234 };
    msrs->entries[1].index = 0xdead;
    msrs->entries[2].index = 0x277;
    assert_int_equal(kvm_vcpu_ioctl(vcpu, KVM_SET_MSRS, msrs), 1);
    msrs->nmsrs = 1;
    msrs->entries[0].data = 0;
    assert_int_equal(kvm_vcpu_ioctl(vcpu, KVM_GET_MSRS, msrs), 1);
    assert_int_equal(msrs->entries[0].data, 0x1234);

    struct kvm_msr_list *list = calloc(1, sizeof(*list) + 256 * sizeof(list->indices[0]));
    refused(E2BIG, kvm_system_ioctl(KVM_GET_MSR_INDEX_LIST, list));
    assert_int_equal(kvm_system_ioctl(KVM_GET_MSR_INDEX_LIST, list), 0);
    for (uint32_t i = 0; i < list->nmsrs; i++) {
        msrs->entries[0].index = list->indices[i];
        assert_int_equal(kvm_vcpu_ioctl(vcpu, KVM_GET_MSRS, msrs), 1);
    }
    free(list);
    free(msrs);
    kvm_vcpu_close(vcpu);
    kvm_vm_close(vm);
    munmap(run, KVM_RUN_SIZE);
}

/* ---- the pages of a SEV-ES guest's processors ---- */

static uint64_t page_value(const uint8_t *page, unsigned place, size_t size)
{
    uint64_t value = 0;
    memcpy(&value, page + place, size);
    return value;
}

/* After reset the page is the one that a guest's owner computes. */
static void test_vmsa_after_reset(void **state)
{
    (void)state;
    struct kvm_vm *vm = new_vm();
    struct kvm_run *run[2];
    struct kvm_vcpu *vcpu = new_vcpu(vm, 1, &run[0]);
    struct kvm_vcpu *second = new_vcpu(vm, 0, &run[1]);
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    uint8_t page[KVM_VMSA_SIZE], expected[KVM_VMSA_SIZE];
    assert_int_equal(kvm_vcpu_ioctl(second, KVM_GET_REGS, &regs), 0);
    assert_int_equal(kvm_vcpu_ioctl(second, KVM_GET_SREGS, &sregs), 0);
    const struct sev_vmsa_config config = { .signature = (uint32_t)regs.rdx };
    regs.rip = 0xB004;
    sregs.cs.base = 0x800000;
    assert_int_equal(kvm_vcpu_ioctl(second, KVM_SET_REGS, &regs), 0);
    assert_int_equal(kvm_vcpu_ioctl(second, KVM_SET_SREGS, &sregs), 0);
    kvm_vcpu_close(vcpu); /* its descriptor is closed: it is there as before */
    assert_int_equal(kvm_vm_vcpus(vm), 2);
    assert_true(kvm_vm_vmsa(vm, 0, page)); /* in the order in which they were made */
    sev_vmsa_build(&config, SEV_VMSA_RESET, expected);
    assert_memory_equal(page, expected, sizeof(page));
    assert_true(kvm_vm_vmsa(vm, 1, page));
    sev_vmsa_build(&config, 0x80B004, expected);
    assert_memory_equal(page, expected, sizeof(page));
    kvm_vcpu_close(second);
    kvm_vm_close(vm);
    munmap(run[0], KVM_RUN_SIZE);
    munmap(run[1], KVM_RUN_SIZE);
}

static void set_msr(struct kvm_vcpu *vcpu, uint32_t index, uint64_t value)
{
    struct {
        struct kvm_msrs head;
        struct kvm_msr_entry entry;
    } one = { { .nmsrs = 1 }, { .index = index, .data = value } };
    assert_int_equal(kvm_vcpu_ioctl(vcpu, KVM_SET_MSRS, &one), 1);
}

/* Each register in its place (APM 2 table B-4). */
static void test_vmsa_places(void **state)
{
    (void)state;
    static const struct {
        unsigned place;
        uint64_t value;
    } places[] = {
        { 0x170, 11 }, { 0x178, 12 }, { 0x1D8, 4 }, { 0x1F8, 1 }, { 0x308, 3 }, { 0x310, 5 },
        { 0x318, 2 },  { 0x328, 8 },  { 0x330, 6 }, { 0x338, 7 }, { 0x340, 20 }, { 0x348, 21 },
        { 0x350, 22 }, { 0x358, 23 }, { 0x360, 24 }, { 0x368, 25 }, { 0x370, 26 }, { 0x378, 27 },
        { 0x200, 31 }, { 0x208, 32 }, { 0x210, 33 }, { 0x218, 34 }, { 0x220, 35 }, { 0x228, 36 },
        { 0x230, 37 }, { 0x238, 38 }, { 0x268, 39 }, { 0x0D0, 0x1500 }, { 0x148, 0x60 },
        { 0x150, 0x3000 }, { 0x158, 0x80000011 }, { 0x3E8, 7 }, { 0x068, 0x1234 }, { 0x088, 0x5678 },
        { 0x168, 0xFFFF0FF1 },
    };
    struct kvm_vm *vm = new_vm();
    struct kvm_run *run;
    struct kvm_vcpu *vcpu = new_vcpu(vm, 0, &run);
    struct kvm_regs regs = { 1, 2, 3, 5, 6, 7, 4, 8, 20, 21, 22, 23, 24, 25, 26, 27, 12, 11 };
    struct kvm_sregs sregs;
    struct kvm_xcrs xcrs = { .nr_xcrs = 1, .xcrs = { { .xcr = 0, .value = 7 } } };
    struct kvm_debugregs debug = { .dr6 = 0xFFFF0FF1, .dr7 = 0x400 };
    uint8_t page[KVM_VMSA_SIZE];
    assert_int_equal(kvm_vcpu_ioctl(vcpu, KVM_GET_SREGS, &sregs), 0);
    sregs.gdt.base = 0x1234;
    sregs.idt.base = 0x5678;
    sregs.efer = 0x500;
    sregs.cr0 = 0xE0000011;
    sregs.cr3 = 0x3000;
    sregs.cr4 = 0x20;
    sregs.ss = (struct kvm_segment){ .base = 0x11223344, .limit = 0xFFFFF, .selector = 0x2B,
                                     .type = 3, .present = 1, .dpl = 3, .db = 1, .s = 1, .g = 1 };
    sregs.ldt.unusable = 1;
    assert_int_equal(kvm_vcpu_ioctl(vcpu, KVM_SET_REGS, &regs), 0);
    assert_int_equal(kvm_vcpu_ioctl(vcpu, KVM_SET_SREGS, &sregs), 0);
    assert_int_equal(kvm_vcpu_ioctl(vcpu, KVM_SET_XCRS, &xcrs), 0);
    assert_int_equal(kvm_vcpu_ioctl(vcpu, KVM_SET_DEBUGREGS, &debug), 0);
    static const uint32_t msrs[] = { 0xC0000081, 0xC0000082, 0xC0000083, 0xC0000084, 0xC0000102,
                                     0x174, 0x175, 0x176, 0x277 };
    for (size_t i = 0; i < sizeof(msrs) / sizeof(msrs[0]); i++)
        set_msr(vcpu, msrs[i], 31 + i);
    assert_true(kvm_vm_vmsa(vm, 0, page));
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (page_value(page, places[i].place, 8) != places[i].value)
            fail_msg("%x: %lx", places[i].place, (unsigned long)page_value(page, places[i].place, 8));
    }
    assert_int_equal(page_value(page, 0x20, 4), 0xCF3 << 16 | 0x2B);
    assert_int_equal(page_value(page, 0x24, 4), 0xFFFFF);
    assert_int_equal(page_value(page, 0x28, 8), 0x11223344);
    assert_int_equal(page[0xCB], 3);                    /* CPL */
    assert_int_equal(page_value(page, 0x72, 2), 0x002); /* LDTR: not present */
    debug.dr7 = 0x401;
    assert_int_equal(kvm_vcpu_ioctl(vcpu, KVM_SET_DEBUGREGS, &debug), 0);
    assert_false(kvm_vm_vmsa(vm, 0, page));
    kvm_vcpu_close(vcpu);
    kvm_vm_close(vm);
    munmap(run, KVM_RUN_SIZE);
}

static struct kvm_run *kicked_run;

static void kick(int signal)
{
    (void)signal;
    kicked_run->immediate_exit = 1;
}

static void *run_vcpu(void *vcpu)
{
    errno = 0;
    int result = kvm_vcpu_ioctl(vcpu, KVM_RUN, NULL);
    return (void *)(uintptr_t)(result == -1 && errno == EINTR);
}

/* A kick ends KVM_RUN whether it comes before, while or after the thread begins to wait. */
static void test_run(void **state)
{
    (void)state;
    struct kvm_vm *vm = new_vm();
    struct kvm_vcpu *vcpu = new_vcpu(vm, 0, &kicked_run);
    struct sigaction action = { .sa_handler = kick };
    sigaction(SIGUSR1, &action, NULL);
    kicked_run->immediate_exit = 1;
    assert_non_null(run_vcpu(vcpu));
    for (int i = 0; i < 200; i++) {
        pthread_t thread;
        void *ended;
        kicked_run->immediate_exit = 0;
        assert_int_equal(pthread_create(&thread, NULL, run_vcpu, vcpu), 0);
        pthread_kill(thread, SIGUSR1);
        pthread_join(thread, &ended);
        assert_non_null(ended);
    }
    assert_int_equal(kicked_run->exit_reason, KVM_EXIT_INTR);
    kvm_vcpu_close(vcpu);
    kvm_vm_close(vm);
    munmap(kicked_run, KVM_RUN_SIZE);
}

static sigjmp_buf after_fault;

static void fault_handler(int signal)
{
    siglongjmp(after_fault, signal);
}

static unsigned c_bit(void)
{
    uint32_t eax, ebx, ecx, edx;
    __cpuid(0x8000001f, eax, ebx, ecx, edx);
    return ebx & 63;
}

/* In a child, whose exit code is 0 when all is as it should be. */
static int trapped_child(void)
{
    if (!cpuid_trap())
        return 77;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL); /* a blocked fault would kill */
    if (c_bit() != CPUID_C_BIT)
        return 1;
    struct sigaction action = { .sa_handler = fault_handler }, old;
    sigaction(SIGSEGV, &action, NULL);
    if (sigaction(SIGSEGV, NULL, &old) != 0 || old.sa_handler != fault_handler)
        return 2;
    if (c_bit() != CPUID_C_BIT)
        return 3;
    if (sigsetjmp(after_fault, 1) == 0) {
        raise(SIGSEGV); /* the program's handler gets what is no CPUID */
        return 4;
    }
    return c_bit() == CPUID_C_BIT ? 0 : 5;
}

static void test_trap(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(trapped_child());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip(); /* neither kernel nor processor is bound to have CPUID faulting */
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vmsa_after_reset), cmocka_unit_test(test_vmsa_places),
        cmocka_unit_test(test_system), cmocka_unit_test(test_cpuid_list),
        cmocka_unit_test(test_memory), cmocka_unit_test(test_vm),
        cmocka_unit_test(test_registers), cmocka_unit_test(test_msrs),
        cmocka_unit_test(test_run), cmocka_unit_test(test_trap),
        cmocka_unit_test(test_bad_addresses), cmocka_unit_test(test_other_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
