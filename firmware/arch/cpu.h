/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Processor instructions that C has no words for. */
#ifndef PRIVET_FIRMWARE_CPU_H
#define PRIVET_FIRMWARE_CPU_H

#include <stdbool.h>
#include <stdint.h>

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid r;
    __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                     : "a"(leaf), "c"(subleaf));
    return r;
}

static inline uint64_t msr_read(uint32_t index)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index) : "memory");
    return (uint64_t)high << 32 | low;
}

static inline void msr_write(uint32_t index, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

/* To the hypervisor of a SEV-ES guest, which acts on the GHCB MSR and changes it. */
static inline void vmgexit(void)
{
    __asm__ volatile("rep; vmmcall" : : : "memory");
}

/* XCR0; only with CR4.OSXSAVE. */
static inline uint64_t xcr0_read(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

/* Is the selector in use that of 64-bit code? */
static inline bool segment_is_64bit(uint64_t selector)
{
    uint32_t rights = 0; /* stays so if there is no such segment */
    __asm__("lar %1, %0" : "+r"(rights) : "r"((uint32_t)selector) : "cc");
    return (rights >> 21 & 1) != 0;
}

#define CPU_REGISTER(name)                                                                         \
    static inline uint64_t name##_read(void)                                                       \
    {                                                                                              \
        uint64_t value;                                                                            \
        __asm__ volatile("mov %%" #name ", %0" : "=r"(value) : : "memory");                        \
        return value;                                                                              \
    }                                                                                              \
    static inline void name##_write(uint64_t value)                                                \
    {                                                                                              \
        __asm__ volatile("mov %0, %%" #name : : "r"(value) : "memory");                            \
    }
CPU_REGISTER(cr0)
CPU_REGISTER(cr2)
CPU_REGISTER(cr3)
CPU_REGISTER(cr4)
#undef CPU_REGISTER

/* The interrupt flag as it was; interrupts are off afterwards. */
static inline bool interrupts_disable(void)
{
    uint64_t flags;
    __asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
    return (flags & 0x200) != 0;
}

static inline void interrupts_enable(void)
{
    __asm__ volatile("sti" : : : "memory");
}

static inline void interrupts_set(bool enabled)
{
    if (enabled) {
        interrupts_enable();
    }
}

/* Waits for the next interrupt with interrupts on; they are on afterwards. */
static inline void cpu_idle(void)
{
    __asm__ volatile("sti; hlt" : : : "memory");
}

static inline void cpu_pause(void)
{
    __asm__ volatile("pause" : : : "memory");
}

static inline _Noreturn void cpu_stop(void)
{
    for (;;) {
        __asm__ volatile("cli; hlt" : : : "memory");
    }
}

static inline uint64_t cpu_tsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* False: the processor had none to give. */
static inline bool cpu_rdseed(uint64_t *ret)
{
    uint8_t good;
    __asm__ volatile("rdseed %0; setc %1" : "=r"(*ret), "=qm"(good) : : "cc");
    return good;
}

static inline bool cpu_rdrand(uint64_t *ret)
{
    uint8_t good;
    __asm__ volatile("rdrand %0; setc %1" : "=r"(*ret), "=qm"(good) : : "cc");
    return good;
}

#endif
