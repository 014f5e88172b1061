/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Registers for the debugger and the reports, and the text of an instruction. */
#include "machine/cpu/inspect.h"

#include <stdio.h>
#include <string.h>

#include "machine/cpu/block.h"
#include "machine/cpu/system.h"
#include "machine/cpu/x87.h"

/* What cpu_set_registers may change of RFLAGS. */
#define SETTABLE_FLAGS                                                                             \
    (EFLAGS_ARITHMETIC | EFLAGS_TF | EFLAGS_IF | EFLAGS_DF | EFLAGS_IOPL | EFLAGS_NT |             \
     EFLAGS_RF | EFLAGS_AC | EFLAGS_ID)

#define MXCSR_SETTABLE 0xFFFFu

static uint64_t to_linear(const struct cpu *cpu, uint64_t rip)
{
    return cpu_64bit(cpu) ? rip : (uint32_t)(cpu->seg[CS].base + rip);
}

static struct cpu_segment describe_segment(const struct segment *s)
{
    return (struct cpu_segment){ .selector = s->selector, .attributes = s->attributes,
                                 .limit = s->limit, .base = s->base };
}

static void get_fpu(const struct cpu *cpu, struct cpu_registers *ret)
{
    const struct fpu *fpu = &cpu->fpu;
    unsigned top = fpu->status >> 11 & 7;
    for (unsigned k = 0; k < 8; k++) {
        const struct x87_register *st = &fpu->st[(top + k) & 7];
        memcpy(ret->st[k], &st->mantissa, 8);
        memcpy(ret->st[k] + 8, &st->exponent, 2);
    }
    ret->fpu_control = fpu->control;
    ret->fpu_status = fpu->status;
    ret->fpu_tags = x87_full_tags(cpu);
    ret->fpu_opcode = fpu->opcode;
    ret->fpu_instruction_selector = fpu->instruction_selector;
    ret->fpu_data_selector = fpu->data_selector;
    ret->fpu_instruction = fpu->instruction_pointer;
    ret->fpu_data = fpu->data_pointer;
    for (unsigned k = 0; k < 16; k++)
        memcpy(ret->xmm[k], fpu->xmm[k].u8, 16);
    ret->mxcsr = fpu->mxcsr;
}

void cpu_get_registers(struct cpu *cpu, struct cpu_registers *ret)
{
    memset(ret, 0, sizeof(*ret));
    memcpy(ret->gpr, cpu->gpr, sizeof(ret->gpr));
    ret->rip = cpu->rip;
    ret->linear_rip = to_linear(cpu, cpu->rip);
    ret->rflags = flags_get(cpu);
    for (unsigned n = ES; n <= GS; n++)
        ret->seg[n] = describe_segment(&cpu->seg[n]);
    ret->ldtr = describe_segment(&cpu->ldtr);
    ret->tr = describe_segment(&cpu->tr);
    ret->gdt_base = cpu->gdtr.base;
    ret->gdt_limit = cpu->gdtr.limit;
    ret->idt_base = cpu->idtr.base;
    ret->idt_limit = cpu->idtr.limit;
    ret->cr0 = cpu->cr0;
    ret->cr2 = cpu->cr2;
    ret->cr3 = cpu->cr3;
    ret->cr4 = cpu->cr4;
    ret->cr8 = cpu->io.cr8_read(cpu->io.context);
    memcpy(ret->dr, cpu->dr, sizeof(ret->dr));
    ret->efer = cpu->efer;
    ret->kernel_gs_base = cpu->kernel_gs_base;
    ret->star = cpu->star;
    ret->lstar = cpu->lstar;
    ret->cstar = cpu->cstar;
    ret->sfmask = cpu->sfmask;
    ret->pat = cpu->pat;
    ret->xcr0 = cpu->xcr0;
    ret->tsc_aux = cpu->tsc_aux;
    ret->sysenter_cs = cpu->sysenter_cs;
    ret->sysenter_esp = cpu->sysenter_esp;
    ret->sysenter_eip = cpu->sysenter_eip;
    get_fpu(cpu, ret);
    ret->cpl = cpu->cpl;
    ret->code_bits = cpu_64bit(cpu) ? 64 : cpu->seg[CS].attributes & SEG_DB ? 32 : 16;
    ret->halted = cpu->halted;
}

static void set_fpu(struct cpu *cpu, const struct cpu_registers *from)
{
    struct fpu *fpu = &cpu->fpu;
    unsigned top = from->fpu_status >> 11 & 7;
    for (unsigned k = 0; k < 8; k++) {
        struct x87_register *st = &fpu->st[(top + k) & 7];
        memcpy(&st->mantissa, from->st[k], 8);
        memcpy(&st->exponent, from->st[k] + 8, 2);
    }
    fpu->control = (uint16_t)((from->fpu_control & 0x1F3F) | 0x40);
    fpu->status = from->fpu_status;
    fpu->valid = x87_abridged_tags(from->fpu_tags);
    fpu->opcode = from->fpu_opcode & 0x7FF;
    fpu->instruction_selector = from->fpu_instruction_selector;
    fpu->data_selector = from->fpu_data_selector;
    fpu->instruction_pointer = from->fpu_instruction;
    fpu->data_pointer = from->fpu_data;
    x87_update_summary(cpu);
    for (unsigned k = 0; k < 16; k++)
        memcpy(fpu->xmm[k].u8, from->xmm[k], 16);
    fpu->mxcsr = from->mxcsr & MXCSR_SETTABLE;
}

static bool is_canonical_address(uint64_t address)
{
    return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

void cpu_set_registers(struct cpu *cpu, const struct cpu_registers *from)
{
    memcpy(cpu->gpr, from->gpr, sizeof(from->gpr));
    if (from->rip != cpu->rip) {
        cpu->halted = false;
        cpu->rip = cpu_64bit(cpu) ? from->rip : (uint32_t)from->rip;
    }
    uint64_t flags = flags_get(cpu);
    flags_set(cpu, (uint32_t)((flags & ~(uint64_t)SETTABLE_FLAGS) |
                              (from->rflags & SETTABLE_FLAGS)));
    /* WRFSBASE and the MSRs take canonical addresses only: APM 3. */
    if (is_canonical_address(from->seg[FS].base))
        cpu->seg[FS].base = from->seg[FS].base;
    if (is_canonical_address(from->seg[GS].base))
        cpu->seg[GS].base = from->seg[GS].base;
    if (is_canonical_address(from->kernel_gs_base))
        cpu->kernel_gs_base = from->kernel_gs_base;
    cpu->cr2 = from->cr2;
    set_fpu(cpu, from);
    cpu_update_mode(cpu);
}

uint64_t cpu_c_mask(const struct cpu *cpu)
{
    return cpu->c_mask;
}

unsigned cpu_disassemble(struct cpu *cpu, uint64_t rip, char *text, size_t size)
{
    struct insn i = { .ip = 0 };
    uint8_t code[15];
    unsigned length = 0;
    while (length < sizeof(code) && cpu_peek(cpu, to_linear(cpu, rip) + length, &code[length], 1))
        length++;
    switch (decode_insn(cpu, code, length, cpu->mode, &i)) {
    case DECODE_OK:
        disassemble(&i, rip, text, size);
        return i.length;
    case DECODE_MORE:
        snprintf(text, size, length ? "(cut short)" : "(no memory)");
        return 0;
    default:
        snprintf(text, size, "(undefined)");
        return 0;
    }
}
