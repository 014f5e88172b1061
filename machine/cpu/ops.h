/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the integer operations share: registers by size, read-modify-write, stack; private to
 * machine/cpu.
 *
 * Names: op_<name>_<operands>_<bits><r or m>, the last letter telling where the E operand is.
 */
#ifndef PRIVET_MACHINE_CPU_OPS_H
#define PRIVET_MACHINE_CPU_OPS_H

#include "machine/cpu/block.h"
#include "machine/cpu/flags.h"
#include "machine/cpu/mmu.h"

#define INLINE static inline __attribute__((always_inline))

#define LOG2_8  0
#define LOG2_16 1
#define LOG2_32 2
#define LOG2_64 3

/* Signed types of the operand sizes. */
typedef int8_t signed_8;
typedef int16_t signed_16;
typedef int32_t signed_32;
typedef int64_t signed_64;

/* Registers by the numbers in struct insn: bytes by offset. 32-bit writes clear the upper half. */
INLINE uint8_t reg_get_8(const struct cpu *cpu, unsigned offset)
{
    return ((const uint8_t *)cpu->gpr)[offset];
}
INLINE uint16_t reg_get_16(const struct cpu *cpu, unsigned number)
{
    return (uint16_t)cpu->gpr[number];
}
INLINE uint32_t reg_get_32(const struct cpu *cpu, unsigned number)
{
    return (uint32_t)cpu->gpr[number];
}
INLINE uint64_t reg_get_64(const struct cpu *cpu, unsigned number)
{
    return cpu->gpr[number];
}
INLINE void reg_set_8(struct cpu *cpu, unsigned offset, uint8_t value)
{
    ((uint8_t *)cpu->gpr)[offset] = value;
}
INLINE void reg_set_16(struct cpu *cpu, unsigned number, uint16_t value)
{
    memcpy(&cpu->gpr[number], &value, sizeof(value));
}
INLINE void reg_set_32(struct cpu *cpu, unsigned number, uint32_t value)
{
    cpu->gpr[number] = value;
}
INLINE void reg_set_64(struct cpu *cpu, unsigned number, uint64_t value)
{
    cpu->gpr[number] = value;
}

/*
 * Read-modify-write of the memory operand: `value` is declared as what was read; `statement`
 * computes `result`. A missing permission is a write fault before anything is changed.
 */
#define MODIFY(cpu, i, bits, value, result, statement)                                             \
    do {                                                                                           \
        uint64_t at_ = insn_address((cpu), (i), (bits) / 8, true);                                 \
        const struct tlb_entry *entry_ = mmu_entry((cpu), at_);                                    \
        uint##bits##_t value, result;                                                              \
        if (__builtin_expect(entry_->write == MMU_TAG(at_, (bits) / 8), 1)) {                      \
            void *host_ = (void *)(uintptr_t)(at_ + entry_->addend);                               \
            memcpy(&value, host_, sizeof(value));                                                  \
            statement;                                                                             \
            memcpy(host_, &result, sizeof(result));                                                \
        } else {                                                                                   \
            mmu_probe_write((cpu), (i), at_, (bits) / 8);                                          \
            value = load##bits((cpu), (i), at_);                                                   \
            statement;                                                                             \
            store##bits((cpu), (i), at_, result);                                                  \
        }                                                                                          \
    } while (0)

#define LOAD_E(cpu, i, bits) load##bits((cpu), (i), insn_address((cpu), (i), (bits) / 8, false))
#define STORE_E(cpu, i, bits, value)                                                               \
    store##bits((cpu), (i), insn_address((cpu), (i), (bits) / 8, true), (value))

/* The stack pointer's width: APM 2 2.3.3. */
INLINE uint64_t stack_mask(const struct cpu *cpu)
{
    if (cpu->mode & MODE_64)
        return UINT64_MAX;
    return cpu->mode & MODE_STACK32 ? 0xFFFFFFFF : 0xFFFF;
}

INLINE uint64_t stack_address(struct cpu *cpu, const struct insn *i, uint64_t pointer,
                              unsigned size, bool write)
{
    if (__builtin_expect(cpu->mode & (MODE_64 | MODE_FLAT), 1))
        return pointer;
    return segment_address(cpu, i, SS, pointer, size, write);
}

INLINE void stack_set(struct cpu *cpu, uint64_t pointer)
{
    uint64_t mask = stack_mask(cpu);
    uint64_t keep = mask == 0xFFFF ? cpu->gpr[RSP] & ~mask : 0;
    cpu->gpr[RSP] = keep | (pointer & mask);
}

/* Pushes and pops 2, 4 or 8 bytes; RSP changes only if the access succeeds. */
INLINE void stack_push(struct cpu *cpu, const struct insn *i, unsigned size, uint64_t value)
{
    uint64_t pointer = (cpu->gpr[RSP] - size) & stack_mask(cpu);
    uint64_t address = stack_address(cpu, i, pointer, size, true);
    if (size == 2)
        store16(cpu, i, address, (uint16_t)value);
    else if (size == 4)
        store32(cpu, i, address, (uint32_t)value);
    else
        store64(cpu, i, address, value);
    stack_set(cpu, pointer);
}

/* `offset` bytes above the top, without moving it. */
INLINE uint64_t stack_peek(struct cpu *cpu, const struct insn *i, unsigned size, uint64_t offset)
{
    uint64_t pointer = (cpu->gpr[RSP] + offset) & stack_mask(cpu);
    uint64_t address = stack_address(cpu, i, pointer, size, false);
    if (size == 2)
        return load16(cpu, i, address);
    return size == 4 ? load32(cpu, i, address) : load64(cpu, i, address);
}

#define ROW_COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* EFLAGS columns of a row. */
#define ALL_FLAGS EFLAGS_ARITHMETIC
#define NO_FLAGS  0, 0, 0
#define SETS(w)   (w), 0, 0

#endif
