/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A decoded instruction and how operations run over it; private to machine/cpu.
 *
 * A block is an array of struct insn that ends with a control transfer or a terminator. Each
 * operation is a function that does its work and then tail-calls the next one (NEXT), so every
 * operation has its own indirect branch for the host's predictor.
 */
#ifndef PRIVET_MACHINE_CPU_INSN_H
#define PRIVET_MACHINE_CPU_INSN_H

#include "machine/cpu/state.h"

typedef void operation(struct cpu *cpu, const struct insn *i);

enum insn_flag {
    INSN_LOCK = 0x01,
    INSN_REP = 0x02,   /* F3 on a string instruction: REP or REPE */
    INSN_REPNE = 0x04, /* F2 on a string instruction */
    INSN_MEM = 0x08,   /* the E operand is in memory */
    INSN_SLOW_EA = 0x10, /* segment checks needed, or 16/32-bit address wrap */
    INSN_OP16 = 0x20,  /* effective operand size, when the handler needs it at run time */
    INSN_OP64 = 0x40,  /* neither: 32 */
    INSN_ADDR16 = 0x80, /* address size; INSN_ADDR32 in flags2 */
};
enum insn_flag2 {
    INSN_ADDR32 = 0x01,
    INSN_REX = 0x02,       /* for the disassembler: SPL..DIL instead of AH..BH */
    INSN_CONDITION = 0xF0, /* low four opcode bits: the condition of Jcc, SETcc, CMOVcc */
};

struct insn {
    operation *fn;
    uint64_t imm; /* immediate, sign-extended; branches: target minus block start */
    int32_t disp; /* displacement; RIP-relative: already relative to the block start */
    uint8_t base, index, scale, seg; /* memory operand: gpr numbers, shift, enum segment_name */
    /*
     * G and E register numbers. For 8-bit general registers this is the byte offset into
     * cpu->gpr, so that AH..BH need no special case; for everything else the number.
     */
    uint8_t reg, rm;
    uint8_t flags, flags2;
    uint8_t ip;     /* offset of the first byte from the block's start */
    uint8_t length; /* bytes, 1 to 15 */
    uint16_t form;  /* index into the form table: disassembly, diagnostics */
};

_Static_assert(sizeof(struct insn) == 32, "two instructions in a cache line");

/*
 * Operations chain by tail calls in optimised builds. Where the compiler may not make them (no
 * optimisation, or a sanitizer), each returns to the run loop, which calls cpu->next.
 */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define CPU_NO_CHAIN 1
#endif
#endif
#if !defined(__OPTIMIZE__) || defined(__SANITIZE_ADDRESS__)
#define CPU_NO_CHAIN 1
#endif

#ifdef CPU_NO_CHAIN
#define EXECUTE(cpu, i)                                                                            \
    do {                                                                                           \
        (cpu)->next = (i);                                                                         \
        return;                                                                                    \
    } while (0)
#else
#define EXECUTE(cpu, i) return (i)->fn((cpu), (i))
#endif
#define NEXT(cpu, i) EXECUTE(cpu, (i) + 1)

/* The register that VEX.vvvv names: the decoder puts it above the immediate byte. */
static inline unsigned insn_vvvv(const struct insn *i)
{
    return i->imm >> 8 & 15;
}

/* Linear offset (RIP) of this and of the following instruction; not truncated to 16/32 bits. */
static inline uint64_t insn_rip(const struct cpu *cpu, const struct insn *i)
{
    return cpu->gpr[REG_RIP] + i->ip;
}

static inline uint64_t insn_next_rip(const struct cpu *cpu, const struct insn *i)
{
    return cpu->gpr[REG_RIP] + i->ip + i->length;
}

/* Slow half of the effective address: wrap, segment limit and type, canonical check later. */
uint64_t insn_address_slow(struct cpu *cpu, const struct insn *i, unsigned size, bool write);

/*
 * Linear address of the memory operand. In the fast case (64-bit addressing, or flat segments in
 * 32-bit code decoded as such) nothing can fault here; canonical form is checked by the TLB miss.
 */
static inline uint64_t insn_address(struct cpu *cpu, const struct insn *i, unsigned size,
                                    bool write)
{
    if (__builtin_expect(i->flags & INSN_SLOW_EA, 0))
        return insn_address_slow(cpu, i, size, write);
    return cpu->gpr[i->base] + (cpu->gpr[i->index] << i->scale) + (int64_t)i->disp +
           cpu->seg[i->seg].base;
}

/* Effective address without segment base, truncated to the address size: LEA. */
uint64_t insn_effective_address(const struct cpu *cpu, const struct insn *i);

/*
 * run.c: ends the block after instruction i with `rip` as the next address (truncated by the caller
 * to the code size): the form for system instructions, far transfers and whatever may change the
 * mode. Use as `return leave_block(cpu, i, rip);`. Such forms carry FORM_ENDS_BLOCK.
 */
void leave_block(struct cpu *cpu, const struct insn *i, uint64_t rip);

/* run.c: near branch: goes to the block at `rip`, by way of the caches. Tail position only. */
void branch_to(struct cpu *cpu, const struct insn *i, uint64_t rip);

#endif
