/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * CPUID (APM 3 appendix E): an AMD EPYC of the Milan generation under a hypervisor. Feature bits
 * are computed from cpu_has_feature, so nothing is claimed that the instruction tables lack.
 */
#include <string.h>

#include "machine/cpu/form.h"
#include "machine/cpu/operations.h"
#include "machine/cpu/system.h"
#include "machine/cpu/xsave.h"

#define MAX_BASIC    0x0Du
#define MAX_EXTENDED 0x80000021u
#define FAMILY_19H   0x00A00F11u /* family 0x19, model 1, stepping 1 */
#define HYPERVISOR_LEAF 0x40000000u
#define XSAVE_LEAF_1    0xFFFFFFFFu /* stands for leaf 0xD, index 1, in the table below */

enum cpuid_register { EAX, EBX, ECX, EDX };

struct feature_bit {
    uint32_t leaf;
    uint8_t reg, bit;
    uint8_t feature;
};

/* FEATURE_BASE: always there, because the machine works that way. */
static const struct feature_bit features[] = {
    {1, EDX, 0, FEATURE_FPU},
    {1, EDX, 2, FEATURE_BASE},  /* DE */
    {1, EDX, 3, FEATURE_BASE},  /* PSE */
    {1, EDX, 4, FEATURE_BASE},  /* TSC */
    {1, EDX, 5, FEATURE_BASE},  /* MSR */
    {1, EDX, 6, FEATURE_BASE},  /* PAE */
    {1, EDX, 7, FEATURE_BASE},  /* MCE: CR4.MCE */
    {1, EDX, 8, FEATURE_BASE},  /* CMPXCHG8B */
    {1, EDX, 9, FEATURE_BASE},  /* APIC */
    {1, EDX, 11, FEATURE_BASE}, /* SYSENTER */
    {1, EDX, 12, FEATURE_BASE}, /* MTRR */
    {1, EDX, 13, FEATURE_BASE}, /* PGE */
    {1, EDX, 14, FEATURE_BASE}, /* MCA, with no banks */
    {1, EDX, 15, FEATURE_BASE}, /* CMOV */
    {1, EDX, 16, FEATURE_BASE}, /* PAT */
    {1, EDX, 17, FEATURE_BASE}, /* PSE-36 */
    {1, EDX, 19, FEATURE_CLFLUSH},
    {1, EDX, 23, FEATURE_MMX},
    {1, EDX, 24, FEATURE_FXSR},
    {1, EDX, 25, FEATURE_SSE},
    {1, EDX, 26, FEATURE_SSE2},
    {1, ECX, 0, FEATURE_SSE3},
    {1, ECX, 1, FEATURE_PCLMULQDQ},
    {1, ECX, 3, FEATURE_MONITOR},
    {1, ECX, 9, FEATURE_SSSE3},
    {1, ECX, 12, FEATURE_FMA},
    {1, ECX, 13, FEATURE_CX16},
    {1, ECX, 17, FEATURE_PCID},
    {1, ECX, 19, FEATURE_SSE41},
    {1, ECX, 20, FEATURE_SSE42},
    {1, ECX, 21, FEATURE_X2APIC},
    {1, ECX, 22, FEATURE_MOVBE},
    {1, ECX, 23, FEATURE_POPCNT},
    {1, ECX, 24, FEATURE_TSC_DEADLINE}, /* as KVM adds it on AMD */
    {1, ECX, 25, FEATURE_AES},
    {1, ECX, 26, FEATURE_XSAVE},
    {1, ECX, 28, FEATURE_AVX},
    {1, ECX, 29, FEATURE_F16C},
    {1, ECX, 30, FEATURE_RDRAND},
    {1, ECX, 31, FEATURE_HYPERVISOR},
    {7, EBX, 0, FEATURE_FSGSBASE},
    {7, EBX, 1, FEATURE_TSC_ADJUST},
    {7, EBX, 3, FEATURE_BMI1},
    {7, EBX, 5, FEATURE_AVX2},
    {7, EBX, 7, FEATURE_SMEP},
    {7, EBX, 8, FEATURE_BMI2},
    {7, EBX, 10, FEATURE_INVPCID},
    {7, EBX, 18, FEATURE_RDSEED},
    {7, EBX, 19, FEATURE_ADX},
    {7, EBX, 20, FEATURE_SMAP},
    {7, EBX, 23, FEATURE_CLFLUSHOPT},
    {7, EBX, 24, FEATURE_CLWB},
    {7, EBX, 29, FEATURE_SHA},
    {7, ECX, 2, FEATURE_UMIP},
    {7, ECX, 22, FEATURE_RDPID},
    {0x80000001, EDX, 0, FEATURE_FPU},
    {0x80000001, EDX, 2, FEATURE_BASE},
    {0x80000001, EDX, 3, FEATURE_BASE},
    {0x80000001, EDX, 4, FEATURE_BASE},
    {0x80000001, EDX, 5, FEATURE_BASE},
    {0x80000001, EDX, 6, FEATURE_BASE},
    {0x80000001, EDX, 7, FEATURE_BASE},
    {0x80000001, EDX, 8, FEATURE_BASE},
    {0x80000001, EDX, 9, FEATURE_BASE},
    {0x80000001, EDX, 11, FEATURE_SYSCALL},
    {0x80000001, EDX, 12, FEATURE_BASE},
    {0x80000001, EDX, 13, FEATURE_BASE},
    {0x80000001, EDX, 14, FEATURE_BASE},
    {0x80000001, EDX, 15, FEATURE_BASE},
    {0x80000001, EDX, 16, FEATURE_BASE},
    {0x80000001, EDX, 17, FEATURE_BASE},
    {0x80000001, EDX, 20, FEATURE_NX},
    {0x80000001, EDX, 23, FEATURE_MMX},
    {0x80000001, EDX, 24, FEATURE_FXSR},
    {0x80000001, EDX, 25, FEATURE_FXSR_OPT},
    {0x80000001, EDX, 26, FEATURE_PDPE1GB},
    {0x80000001, EDX, 27, FEATURE_RDTSCP},
    {0x80000001, EDX, 29, FEATURE_BASE}, /* long mode */
    {0x80000001, ECX, 0, FEATURE_LAHF},
    {0x80000001, ECX, 5, FEATURE_LZCNT},
    {0x80000001, ECX, 8, FEATURE_PREFETCHW},
    {0x80000001, ECX, 22, FEATURE_BASE}, /* topology extensions: 0x8000001D and E */
    {0x80000007, EDX, 8, FEATURE_INVTSC},
    {0x80000008, EBX, 0, FEATURE_CLZERO},
    {XSAVE_LEAF_1, EAX, 0, FEATURE_XSAVEOPT},
    {XSAVE_LEAF_1, EAX, 1, FEATURE_XSAVEC},
    {XSAVE_LEAF_1, EAX, 2, FEATURE_XGETBV1},
    {XSAVE_LEAF_1, EAX, 3, FEATURE_XSAVES},
    {6, EAX, 2, FEATURE_BASE},           /* APIC timer runs always */
    /* An interpreter does not speculate: SSB_NO, BTC_NO; and 0x80000021: SRSO_NO. */
    {0x80000008, EBX, 26, FEATURE_BASE},
    {0x80000008, EBX, 29, FEATURE_BASE},
    {0x80000021, EAX, 0, FEATURE_BASE}, /* no nested data breakpoints */
    {0x80000021, EAX, 2, FEATURE_BASE}, /* LFENCE serialises */
    {0x80000021, EAX, 6, FEATURE_BASE}, /* null selectors clear the base */
    {0x80000021, EAX, 29, FEATURE_BASE},
    {0x80000021, ECX, 1, FEATURE_BASE}, /* TSA_SQ_NO, TSA_L1_NO */
    {0x80000021, ECX, 2, FEATURE_BASE},
};

static void set_feature_bits(const struct cpu *cpu, uint32_t leaf, uint32_t ret[4])
{
    for (size_t n = 0; n < sizeof(features) / sizeof(features[0]); n++) {
        if (features[n].leaf == leaf && cpu_has_feature(cpu, features[n].feature))
            ret[features[n].reg] |= 1u << features[n].bit;
    }
}

static unsigned log2_ceil(unsigned value)
{
    unsigned bits = 0;
    while (1u << bits < value)
        bits++;
    return bits;
}

static void put_text(uint32_t *to, const char *text, size_t length)
{
    memcpy(to, text, length);
}

static void vendor(uint32_t maximum, uint32_t ret[4])
{
    static const char name[] = "AuthenticAMD";
    ret[EAX] = maximum;
    put_text(&ret[EBX], name, 4);
    put_text(&ret[EDX], name + 4, 4);
    put_text(&ret[ECX], name + 8, 4);
}

static void brand(const struct cpu *cpu, uint32_t leaf, uint32_t ret[4])
{
    static const char epyc[48] = "AMD EPYC Processor (Privet)";
    static const char baseline[48] = "AMD Processor (Privet baseline)";
    const char *name = cpu->config.model.baseline ? baseline : epyc;
    put_text(ret, name + 16 * (leaf - 0x80000002), 16);
}

static void signature(const struct cpu *cpu, uint32_t ret[4])
{
    unsigned processors = cpu->config.processors;
    ret[EAX] = FAMILY_19H;
    ret[EBX] = cpu->config.apic_id << 24 | processors << 16 | 8u << 8; /* CLFLUSH: 64 bytes */
    if (cpu->cr4 & CR4_OSXSAVE)
        ret[ECX] |= 1u << 27;
    if (processors > 1)
        ret[EDX] |= 1u << 28; /* HTT: EBX[23:16] is valid */
}

/* Sizes and offsets of the XSAVE area: APM 3 E.3.9. */
static void extended_state(const struct cpu *cpu, uint32_t index, uint32_t ret[4])
{
    if (!cpu_has_feature(cpu, FEATURE_XSAVE))
        return;
    if (index == 0) {
        ret[EAX] = (uint32_t)xsave_supported(cpu);
        ret[EBX] = xsave_size(cpu->xcr0, false);
        ret[ECX] = xsave_size(xsave_supported(cpu), false);
    } else if (index == 1) {
        set_feature_bits(cpu, XSAVE_LEAF_1, ret);
        if (cpu_has_feature(cpu, FEATURE_XSAVEC))
            ret[EBX] = xsave_size(cpu->xcr0, true);
    } else if (index == 2 && xsave_supported(cpu) & XCR0_YMM) {
        ret[EAX] = XSAVE_YMM_SIZE;
        ret[EBX] = XSAVE_YMM_OFFSET;
    }
}

/* Leaf 0xB: one thread a core, all cores in one package. */
static void topology(const struct cpu *cpu, uint32_t level, uint32_t ret[4])
{
    unsigned processors = cpu->config.processors;
    ret[ECX] = level & 0xFF;
    ret[EDX] = cpu->config.apic_id;
    if (level == 0) {
        ret[EBX] = 1;
        ret[ECX] |= 1u << 8; /* thread level */
    } else if (level == 1) {
        ret[EAX] = log2_ceil(processors);
        ret[EBX] = processors;
        ret[ECX] |= 2u << 8; /* core level */
    }
}

static void hypervisor(uint32_t ret[4])
{
    static const char name[12] = "PrivetPrivet";
    ret[EAX] = HYPERVISOR_LEAF + 1;
    put_text(&ret[EBX], name, 12);
}

/* Caches: L1 32 KiB 8 ways, L2 512 KiB 8 ways, L3 16 MiB 16 ways, lines of 64 bytes. */
static void cache_topology(const struct cpu *cpu, uint32_t index, uint32_t ret[4])
{
    static const struct {
        unsigned type, level, ways, sets;
    } caches[] = {{1, 1, 8, 64}, {2, 1, 8, 64}, {3, 2, 8, 1024}, {3, 3, 16, 16384}};
    if (index >= sizeof(caches) / sizeof(caches[0]))
        return;
    unsigned sharers = caches[index].level == 3 ? cpu->config.processors : 1;
    ret[EAX] = caches[index].type | caches[index].level << 5 | 1u << 8 | (sharers - 1) << 14;
    ret[EBX] = 63 | (caches[index].ways - 1) << 22;
    ret[ECX] = caches[index].sets - 1;
}

static void address_sizes(const struct cpu *cpu, uint32_t ret[4])
{
    ret[EAX] = cpu->config.physical_bits | 48u << 8;
    ret[ECX] = (cpu->config.processors - 1) | log2_ceil(cpu->config.processors) << 12;
}

/* What KVM shows a SEV guest, or a processor with SME and nothing more: APM 3 E.4.17. */
static void encryption(const struct cpu *cpu, uint32_t ret[4])
{
    enum { SME = 1 << 0, SEV = 1 << 1, SEV_ES = 1 << 3 };
    static const uint32_t kinds[] = {[CPU_SEV_ON] = SEV, [CPU_SEV_ES] = SEV | SEV_ES,
                                     [CPU_SEV_SME] = SME};
    if (cpu->config.sev == CPU_SEV_OFF)
        return;
    ret[EAX] = kinds[cpu->config.sev];
    ret[EBX] = cpu->config.c_bit | cpu->config.reduced_physical_bits << 6;
}

/* The local APIC can be switched off, and CPUID says so: APM 2 16.3.1. */
static bool apic_is_off(const struct cpu *cpu)
{
    uint64_t base = 0;
    return cpu->io.apic_msr_read(cpu->io.context, 0x1B, &base) && !(base & 1u << 11);
}

void cpu_cpuid(const struct cpu *cpu, uint32_t leaf, uint32_t subleaf, uint32_t ret[4])
{
    memset(ret, 0, 4 * sizeof(ret[0]));
    if (leaf != 7 || subleaf == 0)
        set_feature_bits(cpu, leaf, ret);
    if ((leaf == 1 || leaf == 0x80000001) && apic_is_off(cpu))
        ret[EDX] &= ~(1u << 9);
    switch (leaf) {
    case 0:
        vendor(MAX_BASIC, ret);
        break;
    case 1:
        signature(cpu, ret);
        break;
    case 0xB:
        topology(cpu, subleaf, ret);
        break;
    case 0xD:
        extended_state(cpu, subleaf, ret);
        break;
    case HYPERVISOR_LEAF:
        if (cpu_has_feature(cpu, FEATURE_HYPERVISOR))
            hypervisor(ret);
        break;
    case 0x80000000:
        vendor(MAX_EXTENDED, ret);
        break;
    case 0x80000001:
        ret[EAX] = FAMILY_19H;
        break;
    case 0x80000002:
    case 0x80000003:
    case 0x80000004:
        brand(cpu, leaf, ret);
        break;
    case 0x80000005: /* L1 TLBs and caches */
        ret[EAX] = ret[EBX] = 0xFF40FF40;
        ret[ECX] = ret[EDX] = 32u << 24 | 8u << 16 | 1u << 8 | 64;
        break;
    case 0x80000006: /* L2 and L3 caches */
        ret[ECX] = 512u << 16 | 6u << 12 | 1u << 8 | 64;
        ret[EDX] = 32u << 18 | 8u << 12 | 1u << 8 | 64;
        break;
    case 0x80000008:
        address_sizes(cpu, ret);
        break;
    case 0x8000001D:
        cache_topology(cpu, subleaf, ret);
        break;
    case 0x8000001E:
        ret[EAX] = cpu->config.apic_id;
        ret[EBX] = cpu->config.apic_id & 0xFF; /* core id; one thread */
        break;
    case 0x8000001F:
        encryption(cpu, ret);
        break;
    }
}

void op_cpuid(struct cpu *cpu, const struct insn *i)
{
    uint32_t ret[4];
    cpu_intercept(cpu, i, SEV_EXIT_CPUID);
    cpu_cpuid(cpu, (uint32_t)cpu->gpr[RAX], (uint32_t)cpu->gpr[RCX], ret);
    cpu->gpr[RAX] = ret[EAX];
    cpu->gpr[RBX] = ret[EBX];
    cpu->gpr[RCX] = ret[ECX];
    cpu->gpr[RDX] = ret[EDX];
    NEXT(cpu, i);
}
