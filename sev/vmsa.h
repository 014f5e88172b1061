/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The page of a processor's state (VMSA, APM 2 table B-4) that a VMM gives LAUNCH_UPDATE_VMSA or
 * SNP_LAUNCH_UPDATE: a processor after reset. It is measured as supplied.
 */
#ifndef PRIVET_SEV_VMSA_H
#define PRIVET_SEV_VMSA_H

#include <stdbool.h>
#include <stdint.h>

#define SEV_VMSA_PAGE_SIZE 4096u

/*
 * Where its fields are (APM 2 table B-4). Segment registers have 16 bytes: selector, attributes,
 * limit (4 bytes), base (8); a descriptor table has only the last two. The rest has 8 bytes but where
 * it says so.
 */
enum sev_vmsa_field {
    SEV_VMSA_ES = 0x000, SEV_VMSA_CS = 0x010, SEV_VMSA_SS = 0x020, SEV_VMSA_DS = 0x030,
    SEV_VMSA_FS = 0x040, SEV_VMSA_GS = 0x050, SEV_VMSA_GDTR = 0x060, SEV_VMSA_LDTR = 0x070,
    SEV_VMSA_IDTR = 0x080, SEV_VMSA_TR = 0x090, SEV_VMSA_CPL = 0x0CB, /* 1 byte */
    SEV_VMSA_EFER = 0x0D0, SEV_VMSA_XSS = 0x140, SEV_VMSA_CR4 = 0x148, SEV_VMSA_CR3 = 0x150,
    SEV_VMSA_CR0 = 0x158, SEV_VMSA_DR7 = 0x160, SEV_VMSA_DR6 = 0x168, SEV_VMSA_RFLAGS = 0x170,
    SEV_VMSA_RIP = 0x178,
    SEV_VMSA_DR0 = 0x180, /* and DR1 to DR3 */
    SEV_VMSA_RSP = 0x1D8, SEV_VMSA_RAX = 0x1F8, SEV_VMSA_STAR = 0x200,
    SEV_VMSA_LSTAR = 0x208, SEV_VMSA_CSTAR = 0x210, SEV_VMSA_SFMASK = 0x218,
    SEV_VMSA_KERNEL_GS_BASE = 0x220, SEV_VMSA_SYSENTER_CS = 0x228, SEV_VMSA_SYSENTER_ESP = 0x230,
    SEV_VMSA_SYSENTER_EIP = 0x238, SEV_VMSA_CR2 = 0x240, SEV_VMSA_G_PAT = 0x268,
    SEV_VMSA_DEBUGCTL = 0x270, SEV_VMSA_TSC_AUX = 0x2EC, /* 4 bytes */
    SEV_VMSA_RCX = 0x308, SEV_VMSA_RDX = 0x310, SEV_VMSA_RBX = 0x318, SEV_VMSA_RBP = 0x328,
    SEV_VMSA_RSI = 0x330, SEV_VMSA_RDI = 0x338, SEV_VMSA_R8 = 0x340, /* and R9 to R15 */
    SEV_VMSA_SEV_FEATURES = 0x3B0, SEV_VMSA_XCR0 = 0x3E8,
    SEV_VMSA_X87_RDP = 0x400, SEV_VMSA_MXCSR = 0x408, /* 4 bytes */
    /* 2 bytes each; the tags abridged, as FXSAVE stores them. */
    SEV_VMSA_X87_FTW = 0x40C, SEV_VMSA_X87_FSW = 0x40E, SEV_VMSA_X87_FCW = 0x410,
    SEV_VMSA_X87_FOP = 0x412, SEV_VMSA_X87_DS = 0x414, SEV_VMSA_X87_CS = 0x416,
    SEV_VMSA_X87_RIP = 0x418,
    SEV_VMSA_X87 = 0x420, /* 8 registers, ST(0) first: their mantissas of 8 bytes, and then */
    SEV_VMSA_X87_HIGH = 0x460, /* their signs and exponents of 2 bytes (Linux: sev_es_sync_vmsa) */
    SEV_VMSA_XMM = 0x470, /* 16 of 16 bytes */
    SEV_VMSA_YMM = 0x570, /* their upper halves */
};

#define SEV_FEATURE_SNP 1u /* of SEV_FEATURES (APM 2 table B-4): SNPActive */

/* Where the first processor begins; the others begin where the firmware's table says. */
#define SEV_VMSA_RESET 0xFFFFFFF0u

/* VMMs whose pages are known. */
enum sev_vmm {
    SEV_VMM_QEMU, /* with KVM */
    SEV_VMM_EC2,  /* Amazon's; the pages of April 2026 and later */
    SEV_VMM_GCE,  /* Google's */
};

struct sev_vmsa_config {
    enum sev_vmm vmm;   /* others than QEMU make nothing of `signature` and `fpu` */
    uint32_t signature; /* CPUID Fn0000_0001 EAX: in RDX after reset */
    uint64_t features;  /* SEV_FEATURES: 0 for SEV-ES unless KVM_SEV_INIT2 asked for more */
    /*
     * MXCSR and the x87 control word are there: hosts that begin a guest by KVM_SEV_INIT2. With the
     * older KVM_SEV_ES_INIT they are zero.
     */
    bool fpu;
};

/* The page of a processor that begins at `reset`. */
void sev_vmsa_build(const struct sev_vmsa_config *config, uint32_t reset,
                    uint8_t page[SEV_VMSA_PAGE_SIZE]);

/* CPUID Fn0000_0001 EAX of a processor; family as the manuals count it, such as 25 (19h). */
uint32_t sev_cpu_signature(unsigned family, unsigned model, unsigned stepping);

/* The same the other way round. */
struct sev_cpu_numbers {
    unsigned family, model, stepping;
};
struct sev_cpu_numbers sev_cpu_numbers(uint32_t signature);

/*
 * The signature of QEMU's processor model, "EPYC-Rome" or with a version, "EPYC-Rome-v2". False: a
 * name that is not one of AMD's server processors.
 */
bool sev_cpu_model_signature(const char *name, uint32_t *ret_signature);

/* The models by number, without versions: NULL ends. */
const char *sev_cpu_model_name(unsigned index);

#endif
