/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Life of a processor: creation, reset (APM 2 14.1.3, table 14-1), and what it says about itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/cpu/block.h"
#include "machine/cpu/model.h"
#include "machine/cpu/system.h"
#include "machine/cpu/x87.h"

/* Write-back for everything that matters, as after power-up: APM 2 7.8.2. */
#define PAT_RESET 0x0007040600070406ull

struct cpu *cpu_create(const struct cpu_config *config, struct memory *memory,
                       const struct cpu_io *io)
{
    struct cpu *cpu = aligned_alloc(64, (sizeof(*cpu) + 63) / 64 * 64);
    if (!cpu)
        return NULL;
    memset(cpu, 0, sizeof(*cpu));
    cpu->config = *config;
    cpu->io = *io;
    cpu->memory = memory;
    cpu->forced_view = cpu_sev_is_guest(config->sev) ? config->asid : MEMORY_RAW;
    cpu->missing = model_missing(&config->model);
    if (config->sev == CPU_SEV_SME) /* the host itself */
        cpu->missing |= 1ull << FEATURE_HYPERVISOR;
    cpu->physical_mask = (1ull << config->physical_bits) - 1;
    cpu->config.sibling = NULL;
    decode_initialise();
    if (!blocks_create(cpu, config->sibling)) {
        free(cpu);
        return NULL;
    }
    cpu_reset(cpu);
    return cpu;
}

void cpu_destroy(struct cpu *cpu)
{
    if (!cpu)
        return;
    blocks_destroy(cpu);
    free(cpu);
}

static struct segment reset_segment(uint16_t selector, uint64_t base, uint16_t attributes)
{
    return (struct segment){
        .base = base, .limit = 0xFFFF, .selector = selector, .attributes = attributes};
}

/* The TSC counts at the P0 frequency, whatever the power state (PPR, MSR C001_0015). */
#define HWCR_TSC_FREQ_SEL (1u << 24)

static void reset_msrs(struct cpu *cpu)
{
    cpu->star = cpu->lstar = cpu->cstar = cpu->sfmask = 0;
    cpu->kernel_gs_base = cpu->tsc_aux = cpu->tsc_offset = 0;
    cpu->sysenter_cs = cpu->sysenter_esp = cpu->sysenter_eip = 0;
    cpu->pat = PAT_RESET;
    cpu->mtrr_default = 0;
    memset(cpu->mtrr_variable, 0, sizeof(cpu->mtrr_variable));
    memset(cpu->mtrr_fixed, 0, sizeof(cpu->mtrr_fixed));
    cpu->debug_control = 0;
    cpu->ghcb = 0;
    cpu_set_syscfg(cpu, cpu->config.sev == CPU_SEV_SME ? SYSCFG_MEM_ENCRYPT : 0);
    cpu->hwcr = HWCR_TSC_FREQ_SEL;
    cpu->decode_config = 1u << 1; /* LFENCE serialises */
}

void cpu_init(struct cpu *cpu)
{
    uint32_t signature[4];
    memset(cpu->gpr, 0, sizeof(cpu->gpr));
    cpu_cpuid(cpu, 1, 0, signature);
    cpu->gpr[RDX] = signature[0];
    flags_set(cpu, 2);
    for (unsigned n = ES; n <= GS; n++)
        cpu->seg[n] = reset_segment(0, 0, 0x93);
    cpu->seg[CS] = reset_segment(0xF000, 0xFFFF0000, 0x9B);
    cpu->seg[SEG_FLAT] = (struct segment){.limit = 0xFFFFFFFF, .attributes = 0xC93};
    cpu->ldtr = reset_segment(0, 0, 0x82);
    cpu->tr = reset_segment(0, 0, 0x8B);
    cpu->gdtr = cpu->idtr = (struct table_register){.limit = 0xFFFF};
    cpu->rip = 0xFFF0;
    cpu->cpl = 0;
    cpu->cr0 = (cpu->cr0 & (CR0_CD | CR0_NW)) | CR0_ET;
    cpu->cr2 = cpu->cr3 = cpu->cr4 = 0;
    memset(cpu->dr, 0, sizeof(cpu->dr));
    cpu->dr[6] = 0xFFFF0FF0;
    cpu->dr[7] = 0x400;
    cpu->watch.trap = 0;
    cpu->watch.stop = cpu->watch.passed = false;
    breakpoints_update(cpu);
    cpu->efer = 0;
    cpu->nmi_pending = cpu->kicked = cpu->yielded = cpu->halted = false;
    cpu->interrupt_shadow = cpu->debug_shadow = cpu->nmi_blocked = false;
    memset(&cpu->fault, 0, sizeof(cpu->fault));
    memset(cpu->tlb_used, 1, sizeof(cpu->tlb_used));
    mmu_flush(cpu);
    mmu_flushed(cpu, CPU_FLUSH_ALL, 0, 0);
    cpu_update_mode(cpu);
}

void cpu_set_observer(struct cpu *cpu, const struct cpu_observer *observer)
{
    cpu->observer = observer;
    mmu_flush(cpu);
}

void cpu_forget_translations(struct cpu *cpu)
{
    memset(cpu->tlb_used, 1, sizeof(cpu->tlb_used));
    mmu_flush(cpu);
}

void cpu_reset(struct cpu *cpu)
{
    cpu_init(cpu);
    cpu->cr0 |= CR0_CD | CR0_NW;
    cpu->xcr0 = 1;
    reset_msrs(cpu);
    fpu_reset(cpu);
    cpu->interrupt_pending = false;
}

void cpu_startup(struct cpu *cpu, uint8_t vector)
{
    cpu->seg[CS].selector = (uint16_t)(vector << 8);
    cpu->seg[CS].base = (uint64_t)vector << 12;
    cpu->rip = 0;
    cpu_update_mode(cpu);
}

void cpu_enter_flat32(struct cpu *cpu, uint32_t rip, uint32_t rax, uint32_t rbx)
{
    const struct segment data = {.limit = 0xFFFFFFFF, .selector = 0x10, .attributes = 0xC93};
    memset(cpu->gpr, 0, sizeof(cpu->gpr));
    cpu->gpr[RAX] = rax;
    cpu->gpr[RBX] = rbx;
    for (unsigned n = ES; n <= GS; n++)
        cpu->seg[n] = data;
    cpu->seg[CS] = (struct segment){.limit = 0xFFFFFFFF, .selector = 8, .attributes = 0xC9B};
    cpu->tr = (struct segment){.limit = 0x67, .attributes = 0x8B};
    cpu->cr0 = CR0_PE | CR0_ET;
    cpu->mtrr_default = 0x806; /* on, write-back */
    cpu->rip = rip;
    cpu_update_mode(cpu);
}

const char *cpu_error(const struct cpu *cpu)
{
    return cpu->error;
}

/* The instruction at RIP as text; empty if it cannot be read. */
static void print_instruction(struct cpu *cpu, char *text, size_t size)
{
    uint64_t linear = cpu_64bit(cpu) ? cpu->rip : (uint32_t)(cpu->seg[CS].base + cpu->rip);
    uint8_t code[15];
    unsigned length = 0;
    while (length < sizeof(code) && cpu_peek(cpu, linear + length, &code[length], 1))
        length++;
    struct insn i = { .ip = 0 };
    text[0] = '\0';
    if (decode_insn(cpu, code, length, cpu->mode, &i) == DECODE_OK)
        disassemble(&i, cpu->rip, text, size);
}

int cpu_print_state(struct cpu *cpu, char *text, size_t size)
{
    static const char segment_names[][3] = {"ES", "CS", "SS", "DS", "FS", "GS"};
    char segments[6 * 48] = "", instruction[80];
    int used = 0;
    for (unsigned n = 0; n < 6; n++) {
        const struct segment *s = &cpu->seg[n];
        used += snprintf(segments + used, sizeof(segments) - (size_t)used,
                         "%s %04x base %llx limit %x attr %03x\n", segment_names[n], s->selector,
                         (unsigned long long)s->base, s->limit, s->attributes);
    }
    print_instruction(cpu, instruction, sizeof(instruction));
#define Q(value) ((unsigned long long)(value))
    return snprintf(
        text, size,
        "RAX %016llx RCX %016llx RDX %016llx RBX %016llx\n"
        "RSP %016llx RBP %016llx RSI %016llx RDI %016llx\n"
        "R8  %016llx R9  %016llx R10 %016llx R11 %016llx\n"
        "R12 %016llx R13 %016llx R14 %016llx R15 %016llx\n"
        "RIP %016llx RFLAGS %08x CPL %u instructions %llu%s\n"
        "%s"
        "GDT %llx/%x IDT %llx/%x LDT %04x TR %04x base %llx limit %x\n"
        "CR0 %08llx CR2 %016llx CR3 %016llx CR4 %08llx EFER %04llx DR6 %08llx DR7 %08llx\n"
        "next %s\n",
        Q(cpu->gpr[RAX]), Q(cpu->gpr[RCX]), Q(cpu->gpr[RDX]), Q(cpu->gpr[RBX]),
        Q(cpu->gpr[RSP]), Q(cpu->gpr[RBP]), Q(cpu->gpr[RSI]), Q(cpu->gpr[RDI]), Q(cpu->gpr[R8]),
        Q(cpu->gpr[R9]), Q(cpu->gpr[R10]), Q(cpu->gpr[R11]), Q(cpu->gpr[R12]), Q(cpu->gpr[R13]),
        Q(cpu->gpr[R14]), Q(cpu->gpr[R15]), Q(cpu->rip), flags_get(cpu), cpu->cpl,
        Q(cpu_instructions(cpu)), cpu->halted ? " halted" : "", segments, Q(cpu->gdtr.base),
        cpu->gdtr.limit, Q(cpu->idtr.base), cpu->idtr.limit, cpu->ldtr.selector, cpu->tr.selector,
        Q(cpu->tr.base), cpu->tr.limit, Q(cpu->cr0), Q(cpu->cr2), Q(cpu->cr3), Q(cpu->cr4),
        Q(cpu->efer), Q(cpu->dr[6]), Q(cpu->dr[7]), instruction);
#undef Q
}
