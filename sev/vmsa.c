/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* A processor's state after reset as VMMs write it, and the signatures of QEMU's models. */
#include "sev/vmsa.h"

#include <stddef.h>
#include <string.h>

#include "sev/bytes.h"

struct segment {
    uint16_t place, selector, attributes;
};

static const struct segment segments[] = {
    { SEV_VMSA_ES, 0, 0x93 },   { SEV_VMSA_CS, 0xF000, 0x9B }, { SEV_VMSA_DS, 0, 0x93 },
    { SEV_VMSA_FS, 0, 0x93 },   { SEV_VMSA_GS, 0, 0x93 },      { SEV_VMSA_GDTR, 0, 0 },
    { SEV_VMSA_LDTR, 0, 0x82 }, { SEV_VMSA_IDTR, 0, 0 },
};

struct value {
    uint16_t place;
    uint64_t value;
};

static const struct value values[] = {
    { SEV_VMSA_EFER, 0x1000 },       /* SVME: KVM sets it for every guest */
    { SEV_VMSA_CR4, 0x40 },          /* MCE, the same */
    { SEV_VMSA_CR0, 0x10 },          { SEV_VMSA_DR7, 0x400 }, { SEV_VMSA_DR6, 0xFFFF0FF0u },
    { SEV_VMSA_RFLAGS, 0x2 },        { SEV_VMSA_XCR0, 0x1 },
};

#define RESET_PAT 0x0007040600070406u /* APM 2 7.8.2 */

/*
 * Where VMMs differ. Amazon and Google publish theirs by way of sev-snp-measure (0.0.13), Google also
 * in gce-tcb-verifier. Until April 2026 EC2 had 0 in RDX.
 */
static const struct vmm {
    uint8_t first_code; /* attributes of CS, of the first processor */
    uint8_t stack, task;
    uint64_t pat;
    uint32_t rdx;   /* 0: the processor's signature */
    bool known_fpu; /* MXCSR and the x87 control word, if the host has them */
} vmms[] = {
    [SEV_VMM_QEMU] = { 0x9B, 0x93, 0x8B, RESET_PAT, 0, true },
    [SEV_VMM_EC2] = { 0x9A, 0x92, 0x83, RESET_PAT, 0x600, false },
    [SEV_VMM_GCE] = { 0x9B, 0x93, 0x8B, 0x00070106, 0x600, false },
};

static void put_segment(uint8_t *page, const struct segment *segment)
{
    uint8_t *at = page + segment->place;
    store_le16(at, segment->selector);
    store_le16(at + 2, segment->attributes);
    store_le32(at + 4, 0xFFFF);
}

void sev_vmsa_build(const struct sev_vmsa_config *config, uint32_t reset,
                    uint8_t page[SEV_VMSA_PAGE_SIZE])
{
    const struct vmm *vmm = &vmms[config->vmm];
    memset(page, 0, SEV_VMSA_PAGE_SIZE);
    for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++)
        put_segment(page, &segments[i]);
    put_segment(page, &(const struct segment){ SEV_VMSA_SS, 0, vmm->stack });
    put_segment(page, &(const struct segment){ SEV_VMSA_TR, 0, vmm->task });
    if (reset == SEV_VMSA_RESET)
        store_le16(page + SEV_VMSA_CS + 2, vmm->first_code);
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        store_le64(page + values[i].place, values[i].value);
    store_le64(page + SEV_VMSA_CS + 8, reset & 0xFFFF0000u);
    store_le64(page + SEV_VMSA_RIP, reset & 0xFFFFu);
    store_le64(page + SEV_VMSA_G_PAT, vmm->pat);
    store_le64(page + SEV_VMSA_RDX, vmm->rdx ? vmm->rdx : config->signature);
    store_le64(page + SEV_VMSA_SEV_FEATURES, config->features);
    if (config->fpu && vmm->known_fpu) {
        store_le32(page + SEV_VMSA_MXCSR, 0x1F80);
        store_le16(page + SEV_VMSA_X87_FCW, 0x37F);
    }
}

uint32_t sev_cpu_signature(unsigned family, unsigned model, unsigned stepping)
{
    unsigned extended = family > 15 ? family - 15 : 0;
    return (extended & 0xFF) << 20 | (model >> 4 & 0xF) << 16 |
           (family > 15 ? 15 : family) << 8 | (model & 0xF) << 4 | (stepping & 0xF);
}

struct sev_cpu_numbers sev_cpu_numbers(uint32_t signature)
{
    return (struct sev_cpu_numbers){
        .family = (signature >> 8 & 0xF) + (signature >> 20 & 0xFF),
        .model = (signature >> 12 & 0xF0) | (signature >> 4 & 0xF),
        .stepping = signature & 0xF,
    };
}

static const struct {
    const char *name;
    uint8_t family, model, stepping;
} models[] = {
    { "EPYC", 23, 1, 2 },        { "EPYC-IBPB", 23, 1, 2 },  { "EPYC-Rome", 23, 49, 0 },
    { "EPYC-Milan", 25, 1, 1 },  { "EPYC-Genoa", 25, 17, 0 }, { "EPYC-Turin", 26, 0, 0 },
};

#define MODEL_COUNT (sizeof(models) / sizeof(models[0]))

/* "" or "-v1": versions of a model differ in features only. */
static bool is_version(const char *text)
{
    if (!*text)
        return true;
    return strncmp(text, "-v", 2) == 0 && text[2] &&
           strspn(text + 2, "0123456789") == strlen(text + 2);
}

bool sev_cpu_model_signature(const char *name, uint32_t *ret_signature)
{
    for (size_t i = 0; i < MODEL_COUNT; i++) {
        size_t length = strlen(models[i].name);
        if (strncmp(name, models[i].name, length) != 0 || !is_version(name + length))
            continue;
        *ret_signature = sev_cpu_signature(models[i].family, models[i].model, models[i].stepping);
        return true;
    }
    return false;
}

const char *sev_cpu_model_name(unsigned index)
{
    return index < MODEL_COUNT ? models[index].name : NULL;
}
