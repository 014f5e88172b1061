/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Linear memory: software TLB in front of the page walk; private to machine/cpu.
 *
 * Views (APM 2 15.34.5): fetches and walks are private; data is private by the leaf's C-bit in PAE
 * and long mode and always private in the other modes. The decision is made at the TLB fill.
 *
 * Loads and stores take any linear address and alignment; they raise #PF, #GP(0)/#SS(0) for a
 * non-canonical address, #AC when enabled, and go to MMIO, on their own. A store that crosses a
 * page checks both pages before it writes.
 */
#ifndef PRIVET_MACHINE_CPU_MMU_H
#define PRIVET_MACHINE_CPU_MMU_H

#include <string.h>

#include "machine/cpu/insn.h"
#include "machine/cpu/observer.h"

#define PAGE_SIZE   4096u
#define PAGE_OFFSET 0xFFFull

uint64_t mmu_load_slow(struct cpu *cpu, const struct insn *i, uint64_t address, unsigned size);
void mmu_store_slow(struct cpu *cpu, const struct insn *i, uint64_t address, unsigned size,
                    uint64_t value);
void mmu_load128_slow(struct cpu *cpu, const struct insn *i, uint64_t address, void *value);
void mmu_store128_slow(struct cpu *cpu, const struct insn *i, uint64_t address, const void *value);

static inline struct tlb_entry *mmu_entry(struct cpu *cpu, uint64_t address)
{
    return &cpu->tlb[(address >> 12) & (TLB_SIZE - 1)];
}

/* The tag of the last byte's page equals the entry's only if the access stays in the page. */
#define MMU_TAG(address, size) (((address) + (size) - 1) & ~PAGE_OFFSET)

#define MMU_DEFINE(bits)                                                                           \
    static inline uint##bits##_t load##bits(struct cpu *cpu, const struct insn *i,                 \
                                            uint64_t address)                                      \
    {                                                                                              \
        const struct tlb_entry *entry = mmu_entry(cpu, address);                                   \
        if (__builtin_expect(entry->read == MMU_TAG(address, bits / 8), 1)) {                      \
            uint##bits##_t value;                                                                  \
            memcpy(&value, (const void *)(uintptr_t)(address + entry->addend), sizeof(value));     \
            return value;                                                                          \
        }                                                                                          \
        return (uint##bits##_t)mmu_load_slow(cpu, i, address, bits / 8);                           \
    }                                                                                              \
    static inline void store##bits(struct cpu *cpu, const struct insn *i, uint64_t address,        \
                                   uint##bits##_t value)                                           \
    {                                                                                              \
        const struct tlb_entry *entry = mmu_entry(cpu, address);                                   \
        if (__builtin_expect(entry->write == MMU_TAG(address, bits / 8), 1)) {                     \
            memcpy((void *)(uintptr_t)(address + entry->addend), &value, sizeof(value));           \
            return;                                                                                \
        }                                                                                          \
        mmu_store_slow(cpu, i, address, bits / 8, value);                                          \
    }
MMU_DEFINE(8)
MMU_DEFINE(16)
MMU_DEFINE(32)
MMU_DEFINE(64)
#undef MMU_DEFINE

static inline union xmm load128(struct cpu *cpu, const struct insn *i, uint64_t address)
{
    const struct tlb_entry *entry = mmu_entry(cpu, address);
    union xmm value;
    if (__builtin_expect(entry->read == MMU_TAG(address, 16), 1))
        memcpy(&value, (const void *)(uintptr_t)(address + entry->addend), sizeof(value));
    else
        mmu_load128_slow(cpu, i, address, &value);
    return value;
}

static inline void store128(struct cpu *cpu, const struct insn *i, uint64_t address,
                            union xmm value)
{
    const struct tlb_entry *entry = mmu_entry(cpu, address);
    if (__builtin_expect(entry->write == MMU_TAG(address, 16), 1))
        memcpy((void *)(uintptr_t)(address + entry->addend), &value, sizeof(value));
    else
        mmu_store128_slow(cpu, i, address, &value);
}

/*
 * Checks that [address, address + size) can be written (both pages if it crosses), and faults now
 * if not: for read-modify-write (the fault must be a write fault) and multi-part stores.
 */
void mmu_probe_write(struct cpu *cpu, const struct insn *i, uint64_t address, unsigned size);

/* CLFLUSH and its kind: faults as a load of one byte does; devices are not touched. */
void mmu_flush_line(struct cpu *cpu, const struct insn *i, uint64_t address);

/*
 * Block access for string operations: the longest run from `address`, at most `length`, within its
 * page that is plain memory with the permission wanted: its host address, or NULL (MMIO, watched
 * code on a write) and then the caller goes element by element. Faults as an access of
 * one byte would.
 */
uint8_t *mmu_run(struct cpu *cpu, const struct insn *i, uint64_t address, uint64_t length,
                 bool write, uint64_t *ret_run);

/* Accesses with supervisor rights whatever the CPL: descriptor tables, TSS, IDT (implicit). */
uint64_t mmu_load_system(struct cpu *cpu, const struct insn *i, uint64_t address, unsigned size);
void mmu_store_system(struct cpu *cpu, const struct insn *i, uint64_t address, unsigned size,
                      uint64_t value);

/*
 * For the decoder: translates a fetch at linear `address`; raises #PF/#GP. Returns the host
 * address of the page (private view) and its physical page address; NULL if it is not memory
 * (executing from MMIO: the decoder stops with cpu_unimplemented).
 */
const uint8_t *mmu_fetch_page(struct cpu *cpu, uint64_t address, uint64_t *ret_gpa);

/*
 * segment.c: linear address of `offset` (already wrapped to the address or stack size) in a segment
 * outside 64-bit mode, after the limit and type checks for `size` bytes; raises #GP(0) or #SS(0).
 * In 64-bit mode it adds the base of FS or GS and checks nothing. For stacks and string operands.
 */
uint64_t segment_address(struct cpu *cpu, const struct insn *i, unsigned segment, uint64_t offset,
                         unsigned size, bool write);

/*
 * TLB maintenance. Each also tells the block cache (blocks_flush_virtual). An instruction that asks
 * for it tells the observer, too: mmu_flushed.
 */
void mmu_flush(struct cpu *cpu);
void mmu_flush_page(struct cpu *cpu, uint64_t address);
/* The context whose translations are in force. */
static inline unsigned mmu_pcid(const struct cpu *cpu)
{
    return cpu->cr4 & CR4_PCIDE ? (unsigned)(cpu->cr3 & 0xFFF) : 0;
}

static inline void mmu_flushed(struct cpu *cpu, enum cpu_flush_kind kind, uint64_t value,
                               unsigned pcid)
{
    const struct cpu_observer *observer = cpu->observer;
    if (__builtin_expect(observer && observer->tlb_flushed, 0))
        observer->tlb_flushed(observer->context, cpu, kind, value, pcid);
}
/* Makes stores to this physical page take the slow path, so that they are checked against code. */
void mmu_watch_page(struct cpu *cpu, uint64_t gpa);

/* run.c / block.c, called by the MMU: */
void blocks_flush_virtual(struct cpu *cpu);               /* linear-to-block shortcuts are stale */
void blocks_invalidate_page(struct cpu *cpu, uint64_t gpa); /* the page's bytes changed */
/* A store hits a watched page: drops blocks that overlap; true if it was the running one. */
bool blocks_store(struct cpu *cpu, uint64_t gpa, unsigned size);

#endif
