/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Stands in for firmware/arch/cpu.h where a test plays the processor: what is asked of it goes to
 * functions of the test. Use: `include_directories: [firmware_host_processor_inc, root_inc]`.
 */
#ifndef PRIVET_FIRMWARE_CPU_H
#define PRIVET_FIRMWARE_CPU_H

#include <stdbool.h>
#include <stdint.h>

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};
struct cpuid cpuid(uint32_t leaf, uint32_t subleaf);
uint64_t cpu_tsc(void);
bool cpu_rdseed(uint64_t *ret);
bool cpu_rdrand(uint64_t *ret);

uint64_t msr_read(uint32_t index);
void msr_write(uint32_t index, uint64_t value);
void vmgexit(void);
uint64_t cr0_read(void);
uint64_t cr2_read(void);
uint64_t cr3_read(void);
uint64_t cr4_read(void);
uint64_t xcr0_read(void);
bool segment_is_64bit(uint64_t selector);
bool interrupts_disable(void);
void interrupts_set(bool enabled);
_Noreturn void cpu_stop(void);

#endif
