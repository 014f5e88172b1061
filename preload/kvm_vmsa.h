/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The initial state of a SEV-ES guest's processor, as KVM supplies it to the firmware. */
#ifndef PRIVET_PRELOAD_KVM_VMSA_H
#define PRIVET_PRELOAD_KVM_VMSA_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include "preload/kvm.h"

/* What a vCPU was set to. */
struct kvm_vmsa_source {
    const struct kvm_regs *regs;
    const struct kvm_sregs *sregs;
    const struct kvm_debugregs *debug;
    const struct kvm_msr_values *msrs;
    uint64_t xcr0;
    uint32_t pkru;
};

/* False: KVM refuses a processor with breakpoints. */
bool kvm_vmsa_build(const struct kvm_vmsa_source *source, uint8_t page[KVM_VMSA_SIZE]);

#endif
