/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The page of a processor's state (VMSA, APM 2 table B-4) that QEMU and KVM give LAUNCH_UPDATE_VMSA
 * for a SEV-ES guest: a processor after reset. It is measured as supplied.
 */
#ifndef PRIVET_SEV_VMSA_H
#define PRIVET_SEV_VMSA_H

#include <stdbool.h>
#include <stdint.h>

#define SEV_VMSA_PAGE_SIZE 4096u

#define SEV_FEATURE_SNP 1u /* of SEV_FEATURES (APM 2 table B-4): SNPActive */

/* Where the first processor begins; the others begin where the firmware's table says. */
#define SEV_VMSA_RESET 0xFFFFFFF0u

struct sev_vmsa_config {
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
