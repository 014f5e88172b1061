/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * /dev/kvm and its virtual machines: see kvm.h. Two tables of requests and one of capabilities; memory
 * encryption is sev_guest.c's.
 */
#include "preload/kvm.h"

#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "preload/user_memory.h"

enum { PAGE = 4096, TOLD_MAX = 256 };

struct kvm_vm {
    pthread_mutex_t lock;
    atomic_uint users; /* its descriptor, and its vCPUs */
    pid_t process;
    struct sev_guest *guest;
    bool has_vcpu[KVM_VCPUS_MAX]; /* by its id */
    struct kvm_vcpu *vcpus[KVM_VCPUS_MAX]; /* as they were made */
    unsigned vcpu_count;
    struct kvm_userspace_memory_region slots[KVM_SLOTS_MAX]; /* memory_size 0: none */
    uint64_t tss_address, identity_map_address;
};

int kvm_error(int error)
{
    errno = error;
    return -1;
}

int kvm_unknown(const char *what, unsigned long request)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static unsigned long told[TOLD_MAX];
    static size_t count;
    if (getenv("PRIVET_SEV_TRACE") != NULL) {
        pthread_mutex_lock(&lock);
        size_t i = 0;
        while (i < count && told[i] != request)
            i++;
        if (i == count && count < TOLD_MAX) {
            told[count++] = request;
            fprintf(stderr, "privet: KVM: %s: request 0x%lx (type 0x%02lx, number 0x%02lx, %lu bytes) "
                            "is not supported\n",
                    what, request, _IOC_TYPE(request), _IOC_NR(request), _IOC_SIZE(request));
        }
        pthread_mutex_unlock(&lock);
    }
    return kvm_error(ENOTTY);
}

static const struct capability {
    unsigned long id;
    int value;
} capabilities[] = {
    { KVM_CAP_USER_MEMORY, 1 },
    { KVM_CAP_SET_TSS_ADDR, 1 },
    { KVM_CAP_EXT_CPUID, 1 },
    { KVM_CAP_NR_VCPUS, KVM_VCPUS_MAX },
    { KVM_CAP_MAX_VCPUS, KVM_VCPUS_MAX },
    { KVM_CAP_MAX_VCPU_ID, KVM_VCPUS_MAX },
    { KVM_CAP_NR_MEMSLOTS, KVM_SLOTS_MAX },
    { KVM_CAP_NOP_IO_DELAY, 1 },
    { KVM_CAP_IRQ_ROUTING, 1 }, /* asked for by QEMU; set_routing says what it needs */
    { KVM_CAP_MP_STATE, 1 },
    { KVM_CAP_SYNC_MMU, 1 },
    { KVM_CAP_DESTROY_MEMORY_REGION_WORKS, 1 },
    { KVM_CAP_JOIN_MEMORY_REGIONS_WORKS, 1 },
    { KVM_CAP_SET_IDENTITY_MAP_ADDR, 1 },
    { KVM_CAP_VCPU_EVENTS, 1 },
    { KVM_CAP_USER_NMI, 1 },
    { KVM_CAP_DEBUGREGS, 1 },
    { KVM_CAP_XSAVE, 1 },
    { KVM_CAP_XCRS, 1 },
    { KVM_CAP_READONLY_MEM, 1 },
    { KVM_CAP_CHECK_EXTENSION_VM, 1 },
    { KVM_CAP_IMMEDIATE_EXIT, 1 },
    { KVM_CAP_GET_MSR_FEATURES, 1 },
};

static int check_extension(unsigned long id)
{
    for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++) {
        if (capabilities[i].id == id)
            return capabilities[i].value;
    }
    return 0;
}

bool kvm_publish(int fd, enum kvm_fd_kind kind, void *object)
{
    if (kvm_fd_add(fd, kind, object))
        return true;
    close(fd);
    errno = EMFILE;
    return false;
}

void kvm_vm_get(struct kvm_vm *vm)
{
    atomic_fetch_add(&vm->users, 1);
}

bool kvm_vm_is_ours(const struct kvm_vm *vm)
{
    return vm->process == getpid();
}

void kvm_vm_put(struct kvm_vm *vm)
{
    if (atomic_fetch_sub(&vm->users, 1) != 1)
        return;
    for (unsigned i = 0; i < vm->vcpu_count; i++)
        kvm_vcpu_free(vm->vcpus[i]);
    sev_guest_free(vm->guest);
    pthread_mutex_destroy(&vm->lock);
    free(vm);
}

void kvm_vm_close(struct kvm_vm *vm)
{
    kvm_vm_put(vm);
}

static int create_vm(void *argument)
{
    if (argument != NULL) /* machine type: x86 has one, 0 */
        return kvm_error(EINVAL);
    struct kvm_vm *vm = calloc(1, sizeof(*vm));
    if (vm == NULL)
        return kvm_error(ENOMEM);
    atomic_init(&vm->users, 1);
    vm->process = getpid();
    pthread_mutex_init(&vm->lock, NULL);
    int fd = sev_guest_connect();
    if (fd < 0 || !kvm_publish(fd, KVM_FD_VM, vm)) {
        kvm_vm_put(vm);
        return -1;
    }
    return fd;
}

static int get_api_version(void *argument)
{
    return argument == NULL ? KVM_API_VERSION : kvm_error(EINVAL);
}

static int system_extension(void *argument)
{
    return check_extension((unsigned long)argument);
}

static int vcpu_mmap_size(void *argument)
{
    return argument == NULL ? KVM_RUN_SIZE : kvm_error(EINVAL);
}

static int supported_cpuid(void *argument)
{
    return kvm_supported_cpuid(argument);
}

static int msr_index_list(void *argument)
{
    return kvm_msr_index_list(argument);
}

static int msr_feature_list(void *argument)
{
    return kvm_msr_feature_list(argument);
}

static int msr_features(void *argument)
{
    return kvm_msr_features(argument);
}

static const struct system_request {
    unsigned long request;
    int (*handle)(void *argument);
} system_requests[] = {
    { KVM_GET_API_VERSION, get_api_version },
    { KVM_CHECK_EXTENSION, system_extension },
    { KVM_CREATE_VM, create_vm },
    { KVM_GET_VCPU_MMAP_SIZE, vcpu_mmap_size },
    { KVM_GET_SUPPORTED_CPUID, supported_cpuid },
    { KVM_GET_MSR_INDEX_LIST, msr_index_list },
    { KVM_GET_MSR_FEATURE_INDEX_LIST, msr_feature_list },
    { KVM_GET_MSRS, msr_features },
};

int kvm_system_ioctl(unsigned long request, void *argument)
{
    request = (uint32_t)request; /* all that Linux looks at: programs pass an int, too */
    for (size_t i = 0; i < sizeof(system_requests) / sizeof(system_requests[0]); i++) {
        if (system_requests[i].request == request)
            return system_requests[i].handle(argument);
    }
    return kvm_unknown("/dev/kvm", request);
}

static int vm_extension(struct kvm_vm *vm, void *argument)
{
    (void)vm;
    return check_extension((unsigned long)argument);
}

static int create_vcpu(struct kvm_vm *vm, void *argument)
{
    uintptr_t id = (uintptr_t)argument;
    int fd = -1;
    if (id >= KVM_VCPUS_MAX)
        return kvm_error(EINVAL);
    pthread_mutex_lock(&vm->lock);
    if (vm->has_vcpu[id])
        errno = EEXIST;
    else
        fd = kvm_vcpu_create(vm, (uint32_t)id, &vm->vcpus[vm->vcpu_count]);
    if (fd >= 0) {
        vm->has_vcpu[id] = true;
        vm->vcpu_count++;
    }
    pthread_mutex_unlock(&vm->lock);
    return fd;
}

static bool overlaps(const struct kvm_userspace_memory_region *a,
                     const struct kvm_userspace_memory_region *b)
{
    return a->memory_size != 0 && b->memory_size != 0 &&
           a->guest_phys_addr < b->guest_phys_addr + b->memory_size &&
           b->guest_phys_addr < a->guest_phys_addr + a->memory_size;
}

static int set_memory_region(struct kvm_vm *vm, void *argument)
{
    struct kvm_userspace_memory_region region;
    if (!user_read(&region, (uintptr_t)argument, sizeof(region)))
        return -1;
    const uint32_t known = KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY;
    if (region.slot >= KVM_SLOTS_MAX || (region.flags & ~known) != 0 ||
        (region.guest_phys_addr | region.memory_size | region.userspace_addr) % PAGE != 0 ||
        region.guest_phys_addr + region.memory_size < region.guest_phys_addr)
        return kvm_error(EINVAL);
    int error = 0;
    pthread_mutex_lock(&vm->lock);
    for (uint32_t i = 0; i < KVM_SLOTS_MAX; i++) {
        if (i != region.slot && overlaps(&region, &vm->slots[i]))
            error = EEXIST;
    }
    if (region.memory_size == 0 && vm->slots[region.slot].memory_size == 0)
        error = EINVAL; /* there is nothing to delete */
    if (error == 0)
        vm->slots[region.slot] = region;
    pthread_mutex_unlock(&vm->lock);
    return error == 0 ? 0 : kvm_error(error);
}

/* A guest that executes nothing writes nothing. */
static int get_dirty_log(struct kvm_vm *vm, void *argument)
{
    static const uint8_t clean[PAGE];
    struct kvm_dirty_log log;
    if (!user_read(&log, (uintptr_t)argument, sizeof(log)))
        return -1;
    if (log.slot >= KVM_SLOTS_MAX)
        return kvm_error(EINVAL);
    const struct kvm_userspace_memory_region *slot = &vm->slots[log.slot];
    if (slot->memory_size == 0 || (slot->flags & KVM_MEM_LOG_DIRTY_PAGES) == 0)
        return kvm_error(ENOENT);
    uint64_t size = (slot->memory_size / PAGE + 63) / 64 * 8, done = 0;
    for (uint64_t part; done < size; done += part) {
        part = size - done < sizeof(clean) ? size - done : sizeof(clean);
        if (!user_write((uintptr_t)log.dirty_bitmap + done, clean, part))
            return -1;
    }
    return 0;
}

/* Where Intel's real mode would borrow guest memory: kept, nothing runs that would use it. */
static int set_tss_address(struct kvm_vm *vm, void *argument)
{
    vm->tss_address = (uintptr_t)argument;
    return 0;
}

static int set_identity_map_address(struct kvm_vm *vm, void *argument)
{
    return user_read(&vm->identity_map_address, (uintptr_t)argument, sizeof(uint64_t)) ? 0 : -1;
}

/* As KVM without an interrupt controller of its own answers. */
static int set_routing(struct kvm_vm *vm, void *argument)
{
    (void)vm;
    (void)argument;
    return kvm_error(EINVAL);
}

unsigned kvm_vm_vcpus(const struct kvm_vm *vm)
{
    return vm->vcpu_count;
}

bool kvm_vm_vmsa(const struct kvm_vm *vm, unsigned n, uint8_t page[KVM_VMSA_SIZE])
{
    return kvm_vcpu_vmsa(vm->vcpus[n], page);
}

/* One at a time: a launch is a sequence. */
static int memory_encryption(struct kvm_vm *vm, int fd, unsigned long request, void *argument)
{
    pthread_mutex_lock(&vm->lock);
    int result = sev_guest_ioctl(&vm->guest, fd, vm, request, argument);
    pthread_mutex_unlock(&vm->lock);
    return result;
}

static const struct vm_request {
    unsigned long request;
    int (*handle)(struct kvm_vm *vm, void *argument);
} vm_requests[] = {
    { KVM_CHECK_EXTENSION, vm_extension },
    { KVM_CREATE_VCPU, create_vcpu },
    { KVM_SET_USER_MEMORY_REGION, set_memory_region },
    { KVM_GET_DIRTY_LOG, get_dirty_log },
    { KVM_SET_GSI_ROUTING, set_routing },
    { KVM_SET_TSS_ADDR, set_tss_address },
    { KVM_SET_IDENTITY_MAP_ADDR, set_identity_map_address },
};

int kvm_vm_ioctl(struct kvm_vm *vm, int fd, unsigned long request, void *argument)
{
    request = (uint32_t)request; /* all that Linux looks at: programs pass an int, too */
    if (!kvm_vm_is_ours(vm))
        return kvm_error(EIO);
    if (request == KVM_MEMORY_ENCRYPT_OP || request == KVM_MEMORY_ENCRYPT_REG_REGION ||
        request == KVM_MEMORY_ENCRYPT_UNREG_REGION)
        return memory_encryption(vm, fd, request, argument);
    for (size_t i = 0; i < sizeof(vm_requests) / sizeof(vm_requests[0]); i++) {
        if (vm_requests[i].request == request)
            return vm_requests[i].handle(vm, argument);
    }
    return kvm_unknown("VM", request);
}
