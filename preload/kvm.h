/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A KVM whose processors stay stopped: all that a program asks while it makes a virtual machine,
 * starts an encrypted guest in it and gives it secrets (linux: Documentation/virt/kvm/api.rst). What
 * is set is kept and given back; interrupt controllers and timers are left to the program
 * (KVM_CAP_IRQCHIP is 0); no guest code is ever executed.
 *
 * All functions follow ioctl(2): -1 and errno on failure. An unknown request is ENOTTY, and is named
 * on standard error where PRIVET_SEV_TRACE is set. The real /dev/kvm is never touched. What a request
 * points to is the program's (user_memory.h): EFAULT where nothing is. A VM and its vCPUs belong to the
 * process that made them; in its children they answer EIO, as Linux' do.
 */
#ifndef PRIVET_PRELOAD_KVM_H
#define PRIVET_PRELOAD_KVM_H

#include <stdbool.h>
#include <stdint.h>

struct kvm_vm;
struct kvm_vcpu;
struct sev_guest;
struct kvm_cpuid2;
struct kvm_msr_list;
struct kvm_msrs;

enum {
    KVM_VCPUS_MAX = 255,
    KVM_SLOTS_MAX = 512,
    KVM_VMSA_SIZE = 4096,
    KVM_RUN_SIZE = 3 * 4096, /* struct kvm_run, and the two pages that follow it on x86 */
};

enum kvm_fd_kind { KVM_FD_VM, KVM_FD_VCPU };

/*
 * What the users of this file supply: from now on `fd` is a descriptor of the kind, whose ioctl gets
 * `object`, and whose close calls the kind's. False: there is no room.
 */
bool kvm_fd_add(int fd, enum kvm_fd_kind kind, void *object);
/* A VM's descriptor, close-on-exec: its guest, if it becomes one, ends with it. */
int sev_guest_connect(void);
/* Memory encryption of `vm` at `fd`; its state begins as NULL. sev_guest_free takes NULL. */
int sev_guest_ioctl(struct sev_guest **guest, int fd, struct kvm_vm *vm, unsigned long request,
                    void *argument);
void sev_guest_free(struct sev_guest *guest);
/* Is it a descriptor of /dev/sev? */
bool sev_device_is(int fd);

/* For sev_guest_ioctl: how many vCPUs there are; the state of the n-th that was made (kvm_vmsa.h). */
unsigned kvm_vm_vcpus(const struct kvm_vm *vm);
bool kvm_vm_vmsa(const struct kvm_vm *vm, unsigned n, uint8_t page[KVM_VMSA_SIZE]);

/*
 * What closing a VM's or a vCPU's descriptor frees. A VM lives as long as a descriptor of it or of its
 * vCPUs, and they as long as it does.
 */
void kvm_vm_close(struct kvm_vm *vm);
void kvm_vcpu_close(struct kvm_vcpu *vcpu);

int kvm_system_ioctl(unsigned long request, void *argument);
int kvm_vm_ioctl(struct kvm_vm *vm, int fd, unsigned long request, void *argument);
int kvm_vcpu_ioctl(struct kvm_vcpu *vcpu, unsigned long request, void *argument);

/* kvm_vcpu.c: a descriptor of a new vCPU of `vm`, which is *ret_vcpu from then on. */
int kvm_vcpu_create(struct kvm_vm *vm, uint32_t id, struct kvm_vcpu **ret_vcpu);
void kvm_vcpu_free(struct kvm_vcpu *vcpu);
bool kvm_vcpu_vmsa(const struct kvm_vcpu *vcpu, uint8_t page[KVM_VMSA_SIZE]);
/* kvm.c: a vCPU's descriptor came or went. */
void kvm_vm_get(struct kvm_vm *vm);
void kvm_vm_put(struct kvm_vm *vm);
/* Is this the process that made the VM? */
bool kvm_vm_is_ours(const struct kvm_vm *vm);

/* kvm_cpuid.c: KVM_GET_SUPPORTED_CPUID. */
int kvm_supported_cpuid(struct kvm_cpuid2 *cpuid);
/* kvm_msr.c: the lists, and the values that a vCPU keeps. The structures are the program's. */
struct kvm_msr_values;
int kvm_msr_index_list(struct kvm_msr_list *list);
int kvm_msr_feature_list(struct kvm_msr_list *list);
int kvm_msr_features(struct kvm_msrs *msrs);
struct kvm_msr_values *kvm_msr_values_new(void);
int kvm_msrs_get(struct kvm_msr_values *values, struct kvm_msrs *msrs);
int kvm_msrs_set(struct kvm_msr_values *values, struct kvm_msrs *msrs);
/* One of those that exist. */
uint64_t kvm_msr_value(const struct kvm_msr_values *values, uint32_t index);

/* -1 and errno, for all that answers an ioctl. */
int kvm_error(int error);
/* Within kvm*.c: a descriptor that is closed, with EMFILE, where there is no room for it. */
bool kvm_publish(int fd, enum kvm_fd_kind kind, void *object);
/* ENOTTY, told once a request under PRIVET_SEV_TRACE. */
int kvm_unknown(const char *what, unsigned long request);

#endif
