/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Decoded blocks, their cache and the run loop's contracts; private to machine/cpu.
 *
 * A block is a run of decoded instructions of one physical page under one mode key (mode.h). It is
 * found by (physical address, mode key); a jump cache and links between blocks shorten the way from
 * one block to the next. A block that must no longer run is "dead": all its operations are
 * replaced by one that goes back through the cache, so neither links nor the running block need any
 * check. Its memory is reused only when the whole cache is emptied, between blocks.
 *
 * Faults end in cpu->fault_exit (state.h: enum fault_exit). The run loop computes
 * cpu->instructions from cpu->current, which the raising functions set, and has the fault
 * delivered.
 *
 * Running a few bytes on a bare processor, for tests: cpu_create with a memory holding the code
 * and page tables; set cpu->cr0, cr3, cr4, efer and cpu->seg[] as wanted, then cpu_update_mode,
 * flags_set, cpu->gpr[], cpu->rip; cpu_run(cpu, cpu_instructions(cpu) + 1) runs one instruction.
 */
#ifndef PRIVET_MACHINE_CPU_BLOCK_H
#define PRIVET_MACHINE_CPU_BLOCK_H

#include "machine/cpu/form.h"
#include "machine/cpu/mode.h"

/* Values of the longjmp to cpu->fault_exit: deliver cpu->fault, or end the run with cpu->stop. */
enum run_exit { RUN_EXIT_FAULT = 1, RUN_EXIT_STOP = 2 };

#define BLOCK_INSNS 32u  /* most instructions in a block */
#define BLOCK_BYTES 224u /* no instruction starts beyond this offset: insn.ip is a byte */

struct block_page;

struct block {
    struct block *link[2]; /* successors: 0 branch taken, 1 fall through; NULL unknown */
    struct block *hash_next;
    struct block *page_next[2]; /* other blocks of the first and of the second page */
    operation *checked;         /* the first operation, if run_check_breakpoint is in its place */
    uint64_t gpa;               /* of the first byte */
    uint64_t gpa_second;        /* page of the last byte if it is another one, else ~0 */
    uint32_t mode;
    uint16_t bytes; /* covered by the instructions */
    uint8_t count;
    bool dead;
    struct insn insn[];
};

#define JUMP_BITS 12

struct jump_entry {
    uint64_t rip;
    uint64_t key; /* generation << 16 | mode key */
    struct block *block;
};

/*
 * A processor's shortcuts into the store of blocks. The processors of a machine share one store:
 * they take turns, so a block dies for all of them at once.
 */
struct block_cache {
    uint64_t generation; /* of linear shortcuts; starts at 1 */
    uint64_t code_base;  /* CS base and limit the jump cache was filled under */
    uint32_t code_limit;
    struct block_store *store;
    struct cpu *next; /* that shares the store */
    struct jump_entry jump[1u << JUMP_BITS];
};

/* block.c: fills cpu->blocks; `sibling` shares its store, NULL: a new one. False: out of memory. */
bool blocks_create(struct cpu *cpu, struct cpu *sibling);
void blocks_destroy(struct cpu *cpu);

/*
 * The block at cpu->rip, decoded if need be; fills the jump cache. Raises the fault of the fetch
 * with no current instruction. Only between blocks: it may empty the cache.
 */
struct block *blocks_find(struct cpu *cpu);

/* Forgets all decoded code. Only between blocks. */
void blocks_flush(struct cpu *cpu);

/*
 * For tracing: from the next flush on, while some processor traces instructions, run_traced stands
 * for every operation, and this finds the one it stands for. False: out of memory.
 */
bool blocks_keep_originals(struct cpu *cpu);
operation *blocks_original(const struct cpu *cpu, const struct insn *i);

/* The instruction that runs is to be the last of its block: what follows goes by the run loop. */
void blocks_end_running(struct cpu *cpu);

/*
 * Remembers that `from` continues at `to` through link `which`, if that holds wherever the page is
 * mapped: both in one page, and code whose offsets neither wrap nor meet a limit.
 */
void blocks_link(struct block *from, unsigned which, struct block *to);

/* Where in the jump cache the block at `rip` may be. */
static inline struct jump_entry *blocks_jump_entry(struct block_cache *cache, uint64_t rip)
{
    return &cache->jump[(rip ^ (rip >> JUMP_BITS)) & ((1u << JUMP_BITS) - 1)];
}

static inline uint64_t blocks_jump_key(const struct cpu *cpu, const struct block_cache *cache)
{
    return cache->generation << 16 | cpu->mode;
}

/*
 * decode.c: builds the tables; call once before any decoding (again is harmless).
 */
void decode_initialise(void);

enum decode_status {
    DECODE_OK,
    DECODE_MORE,      /* the instruction continues beyond the bytes given */
    DECODE_UNDEFINED, /* #UD */
    DECODE_TOO_LONG,  /* more than 15 bytes: #GP(0) */
};

/*
 * Decodes one instruction of at most `size` bytes at `code` under a mode key into *ret, whose ip
 * must be set (offset from the block's start). On DECODE_OK *ret is complete; otherwise only
 * ret->length may be used.
 */
enum decode_status decode_insn(const struct cpu *cpu, const uint8_t *code, unsigned size,
                               uint32_t mode, struct insn *ret);

/*
 * disasm.c: text of a decoded instruction at `rip`, such as "add qword [rbp+0x8], rax". Returns the
 * length as snprintf does.
 */
int disassemble(const struct insn *i, uint64_t rip, char *text, size_t size);

/*
 * run.c: goes to the block at `rip` through a link of the running block, which instruction i ends:
 * direct branches. `rip` is truncated to the operand size.
 */
void branch_unlinked(struct cpu *cpu, const struct insn *i, unsigned which, uint64_t rip);

static inline void branch_link(struct cpu *cpu, const struct insn *i, unsigned which, uint64_t rip)
{
    struct block *block = cpu->block;
    struct block *to = block->link[which];
    if (__builtin_expect(!to, 0))
        return branch_unlinked(cpu, i, which, rip);
    cpu->instructions += block->count;
    cpu->gpr[REG_RIP] = rip;
    if (__builtin_expect(cpu->instructions >= cpu->deadline, 0)) {
        cpu->rip = rip;
        return;
    }
    cpu->block = to;
    EXECUTE(cpu, to->insn);
}

/* run.c: a string instruction stops between elements: the next block starts at it again. */
void restart_later(struct cpu *cpu, const struct insn *i);

/* run.c: the same for a repetition that has done elements: a breakpoint on it was seen already. */
void repeat_later(struct cpu *cpu, const struct insn *i);

/* run.c: operations that are not instructions. */
operation run_continue;  /* falls through to the next instruction's block */
operation run_undefined; /* raises #UD */
operation run_too_long;  /* raises #GP(0) */
operation run_check_breakpoint; /* first in a block: looks, then does the block's `checked` */
operation run_stale;     /* in dead blocks: leaves before this instruction */

#endif
