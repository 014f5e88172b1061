/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * System instructions without state of their own: interrupt flag, EFLAGS, FS and GS base, time,
 * random numbers, caches, INVLPG, HLT.
 */
#include "machine/cpu/operations.h"
#include "machine/cpu/system.h"

void op_hlt(struct cpu *cpu, const struct insn *i)
{
    require_cpl0(cpu, i);
    cpu->halted = true;
    leave_block(cpu, i, insn_return_rip(cpu, i));
}

/* A processor that spins gives its turn away: what it waits for happens on another one. */
void op_pause(struct cpu *cpu, const struct insn *i)
{
    if (!cpu->pause_yields)
        NEXT(cpu, i);
    cpu->yielded = true;
    leave_block(cpu, i, insn_return_rip(cpu, i));
}

/* CLI and STI: CPL must not exceed IOPL; V86 has CPL 3. */
static void require_iopl(struct cpu *cpu, const struct insn *i)
{
    if (cpu->cr0 & CR0_PE && cpu->cpl > cpu_iopl(cpu))
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
}

void op_cli(struct cpu *cpu, const struct insn *i)
{
    require_iopl(cpu, i);
    cpu->eflags &= ~EFLAGS_IF;
    NEXT(cpu, i);
}

void op_sti(struct cpu *cpu, const struct insn *i)
{
    require_iopl(cpu, i);
    if (!(cpu->eflags & EFLAGS_IF))
        cpu->interrupt_shadow = true;
    cpu->eflags |= EFLAGS_IF;
    leave_block(cpu, i, insn_return_rip(cpu, i));
}

/* AMD: #UD above CPL 0. */
static void set_ac(struct cpu *cpu, const struct insn *i, bool value)
{
    if (!cpu_protected(cpu) || cpu->cpl)
        cpu_raise(cpu, i, VECTOR_UD);
    cpu->eflags = value ? cpu->eflags | EFLAGS_AC : cpu->eflags & ~EFLAGS_AC;
    cpu_update_bank(cpu);
}

void op_clac(struct cpu *cpu, const struct insn *i)
{
    set_ac(cpu, i, false);
    NEXT(cpu, i);
}

void op_stac(struct cpu *cpu, const struct insn *i)
{
    set_ac(cpu, i, true);
    NEXT(cpu, i);
}

static void check_v86_flags(struct cpu *cpu, const struct insn *i)
{
    if (cpu_v86(cpu) && cpu_iopl(cpu) < 3)
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
}

void op_pushf(struct cpu *cpu, const struct insn *i)
{
    uint64_t image = flags_get(cpu) & ~(EFLAGS_VM | EFLAGS_RF);
    check_v86_flags(cpu, i);
    if (i->flags & INSN_OP64) {
        store64(cpu, i, cpu->gpr[RSP] - 8, image);
        cpu->gpr[RSP] -= 8;
    } else {
        struct stack stack = stack_current(cpu, i);
        stack_push(&stack, insn_operand_size(i), image);
        stack_commit(&stack);
    }
    NEXT(cpu, i);
}

void op_popf(struct cpu *cpu, const struct insn *i)
{
    unsigned size = insn_operand_size(i);
    struct stack stack = stack_current(cpu, i);
    check_v86_flags(cpu, i);
    uint32_t image = (uint32_t)stack_pop(&stack, size);
    stack_commit(&stack);
    cpu_load_flags(cpu, image, size, cpu->cpl);
    cpu->eflags &= ~EFLAGS_RF;
    cpu_update_mode(cpu);
    leave_block(cpu, i, insn_return_rip(cpu, i));
}

/* --- FS and GS ------------------------------------------------------------------------------ */

void op_swapgs(struct cpu *cpu, const struct insn *i)
{
    uint64_t base = cpu->seg[GS].base;
    require_cpl0(cpu, i);
    cpu->seg[GS].base = cpu->kernel_gs_base;
    cpu->kernel_gs_base = base;
    NEXT(cpu, i);
}

static void read_base(struct cpu *cpu, const struct insn *i, enum segment_name segment)
{
    if (!(cpu->cr4 & CR4_FSGSBASE))
        cpu_raise(cpu, i, VECTOR_UD);
    uint64_t base = cpu->seg[segment].base;
    cpu->gpr[i->rm] = i->flags & INSN_OP64 ? base : (uint32_t)base;
}

static void write_base(struct cpu *cpu, const struct insn *i, enum segment_name segment)
{
    uint64_t base = i->flags & INSN_OP64 ? cpu->gpr[i->rm] : (uint32_t)cpu->gpr[i->rm];
    if (!(cpu->cr4 & CR4_FSGSBASE))
        cpu_raise(cpu, i, VECTOR_UD);
    if (!is_canonical(base))
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
    cpu->seg[segment].base = base;
}

#define DEFINE(name, work, segment)                                                                \
    void name(struct cpu *cpu, const struct insn *i)                                               \
    {                                                                                              \
        work(cpu, i, segment);                                                                     \
        NEXT(cpu, i);                                                                              \
    }
DEFINE(op_rdfsbase, read_base, FS)
DEFINE(op_rdgsbase, read_base, GS)
DEFINE(op_wrfsbase, write_base, FS)
DEFINE(op_wrgsbase, write_base, GS)
#undef DEFINE

/* --- time and chance ------------------------------------------------------------------------ */

static void read_tsc(struct cpu *cpu, const struct insn *i)
{
    if (cpu->cr4 & CR4_TSD && cpu->cr0 & CR0_PE && cpu->cpl)
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
    cpu->current = i;
    uint64_t value = cpu->io.tsc_read(cpu->io.context) + cpu->tsc_offset;
    cpu->gpr[RAX] = (uint32_t)value;
    cpu->gpr[RDX] = value >> 32;
}

void op_rdtsc(struct cpu *cpu, const struct insn *i)
{
    read_tsc(cpu, i);
    NEXT(cpu, i);
}

void op_rdtscp(struct cpu *cpu, const struct insn *i)
{
    read_tsc(cpu, i);
    cpu->gpr[RCX] = (uint32_t)cpu->tsc_aux;
    NEXT(cpu, i);
}

void op_rdpid(struct cpu *cpu, const struct insn *i)
{
    cpu->gpr[i->rm] = cpu->tsc_aux;
    NEXT(cpu, i);
}

/* No performance counter exists, so no index is valid. */
void op_rdpmc(struct cpu *cpu, const struct insn *i)
{
    if (!cpu->cpl || cpu->cr4 & CR4_PCE || !(cpu->cr0 & CR0_PE))
        cpu_intercept(cpu, i, SEV_EXIT_RDPMC);
    cpu_raise_error(cpu, i, VECTOR_GP, 0);
}

static void random_number(struct cpu *cpu, const struct insn *i)
{
    uint64_t value = 0;
    uint64_t *gpr = &cpu->gpr[i->rm];
    cpu->current = i;
    bool ok = cpu->io.random(cpu->io.context, &value);
    if (!ok)
        value = 0;
    if (i->flags & INSN_OP64)
        *gpr = value;
    else if (i->flags & INSN_OP16)
        *gpr = (*gpr & ~0xFFFFull) | (uint16_t)value;
    else
        *gpr = (uint32_t)value;
    flags_set_arithmetic(cpu, ok ? EFLAGS_CF : 0);
}

void op_rdrand(struct cpu *cpu, const struct insn *i)
{
    random_number(cpu, i);
    NEXT(cpu, i);
}

void op_rdseed(struct cpu *cpu, const struct insn *i)
{
    random_number(cpu, i);
    NEXT(cpu, i);
}

/* --- caches and translations ---------------------------------------------------------------- */

void op_invlpg(struct cpu *cpu, const struct insn *i)
{
    require_cpl0(cpu, i);
    uint64_t address = insn_effective_address(cpu, i) + cpu->seg[i->seg].base;
    uint64_t rip = insn_return_rip(cpu, i);
    mmu_flush_page(cpu, cpu_64bit(cpu) ? address : (uint32_t)address);
    mmu_flushed(cpu, CPU_FLUSH_PAGE, cpu_64bit(cpu) ? address : (uint32_t)address, mmu_pcid(cpu));
    leave_block(cpu, i, rip);
}

enum invpcid_type {
    INVPCID_ADDRESS,    /* one address of one PCID */
    INVPCID_CONTEXT,    /* one PCID, without global pages */
    INVPCID_ALL_GLOBAL, /* all PCIDs and global pages */
    INVPCID_ALL,        /* all PCIDs, without global pages */
};

/* APM 3, INVPCID. Translations of other PCIDs are not kept: one address at most is spared more. */
void op_invpcid(struct cpu *cpu, const struct insn *i)
{
    static const enum cpu_flush_kind kinds[] = {CPU_FLUSH_PCID_PAGE, CPU_FLUSH_PCID, CPU_FLUSH_ALL,
                                                CPU_FLUSH_NOT_GLOBAL};
    uint64_t rip = insn_return_rip(cpu, i), type = cpu->gpr[i->reg];
    require_cpl0(cpu, i);
    if (!cpu_64bit(cpu))
        type = (uint32_t)type;
    uint64_t at = insn_address(cpu, i, 16, false);
    uint64_t pcid = load64(cpu, i, at), address = load64(cpu, i, at + 8);
    bool single = type == INVPCID_ADDRESS;
    if (type > INVPCID_ALL || pcid >> 12 || (single && !is_canonical(address)) ||
        (type <= INVPCID_CONTEXT && pcid && !(cpu->cr4 & CR4_PCIDE)))
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
    if (single)
        mmu_flush_page(cpu, address);
    else
        mmu_flush(cpu);
    mmu_flushed(cpu, kinds[type], address, (unsigned)pcid);
    leave_block(cpu, i, rip);
}

/* The machine is coherent. */
void cpu_caches_flushed(struct cpu *cpu)
{
    const struct cpu_observer *observer = cpu->observer;
    if (observer && observer->caches_flushed)
        observer->caches_flushed(observer->context, cpu);
}

static void flush_caches(struct cpu *cpu, const struct insn *i, enum sev_exit exit)
{
    require_cpl0(cpu, i);
    cpu_intercept(cpu, i, exit);
    cpu_caches_flushed(cpu);
}

void op_invd(struct cpu *cpu, const struct insn *i)
{
    flush_caches(cpu, i, SEV_EXIT_INVD);
    NEXT(cpu, i);
}

void op_wbinvd(struct cpu *cpu, const struct insn *i)
{
    flush_caches(cpu, i, SEV_EXIT_WBINVD);
    NEXT(cpu, i);
}

/* --- the hypervisor ------------------------------------------------------------------------- */

/* Without SEV-ES there is no hypercall. */
void op_vmmcall(struct cpu *cpu, const struct insn *i)
{
    cpu_intercept(cpu, i, SEV_EXIT_VMMCALL);
    cpu_raise(cpu, i, VECTOR_UD);
}

/* APM 3, VMGEXIT: elsewhere the prefix has no meaning. */
void op_vmgexit(struct cpu *cpu, const struct insn *i)
{
    if (cpu->config.sev != CPU_SEV_ES)
        cpu_raise(cpu, i, VECTOR_UD);
    cpu->current = i;
    cpu->ghcb = cpu->io.vmgexit(cpu->io.context, cpu->ghcb);
    leave_block(cpu, i, insn_return_rip(cpu, i));
}

/* The machine executes in order: fences have nothing to wait for. */
void op_fence(struct cpu *cpu, const struct insn *i)
{
    NEXT(cpu, i);
}

/* CLFLUSH and its kind fault as a load of one byte does, and do nothing to a device. */
void op_cache_line(struct cpu *cpu, const struct insn *i)
{
    mmu_flush_line(cpu, i, insn_address(cpu, i, 1, false));
    NEXT(cpu, i);
}

/* CLZERO: the cache line that rAX points into becomes zero. */
void op_clzero(struct cpu *cpu, const struct insn *i)
{
    uint64_t offset = cpu->gpr[RAX] & ~63ull;
    if (i->flags2 & INSN_ADDR32)
        offset = (uint32_t)offset;
    else if (i->flags & INSN_ADDR16)
        offset = (uint16_t)offset;
    uint64_t address = segment_address(cpu, i, i->seg, offset, 64, true);
    mmu_probe_write(cpu, i, address, 64);
    for (unsigned k = 0; k < 64; k += 8)
        store64(cpu, i, address + k, 0);
    NEXT(cpu, i);
}
