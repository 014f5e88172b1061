/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The save area of a SEV-ES guest (VMSA, APM 2 15.35.2 and table B-4): the registers' way in at VMRUN
 * and out at an exit. Who built the page is hostile: what VMRUN would refuse is refused here.
 */
#include "sev/vmsa.h"

#include <stdio.h>
#include <string.h>

#include "machine/cpu/flags.h"
#include "machine/cpu/observer.h"
#include "machine/cpu/system.h"
#include "machine/cpu/walk.h"
#include "machine/cpu/x87.h"
#include "machine/cpu/xsave.h"
#include "sev/bytes.h"

/* Of RFLAGS; bit 1 is always set. */
#define FLAGS_KNOWN 0x3F7FD5u
#define MXCSR_KNOWN 0xFFFFu

#define FIELD(member) offsetof(struct cpu, member)

struct place {
    uint16_t at;
    size_t offset; /* in struct cpu */
};

/* Registers of 8 bytes that any value fits or that is_valid has looked at. */
static const struct place quadwords[] = {
    {SEV_VMSA_EFER, FIELD(efer)},
    {SEV_VMSA_XSS, FIELD(xss)},
    {SEV_VMSA_CR4, FIELD(cr4)},
    {SEV_VMSA_CR3, FIELD(cr3)},
    {SEV_VMSA_CR0, FIELD(cr0)},
    {SEV_VMSA_DR7, FIELD(dr[7])},
    {SEV_VMSA_DR6, FIELD(dr[6])},
    {SEV_VMSA_RIP, FIELD(rip)},
    {SEV_VMSA_DR0, FIELD(dr[0])},
    {SEV_VMSA_DR0 + 8, FIELD(dr[1])},
    {SEV_VMSA_DR0 + 16, FIELD(dr[2])},
    {SEV_VMSA_DR0 + 24, FIELD(dr[3])},
    {SEV_VMSA_RSP, FIELD(gpr[RSP])},
    {SEV_VMSA_RAX, FIELD(gpr[RAX])},
    {SEV_VMSA_RCX, FIELD(gpr[RCX])},
    {SEV_VMSA_RDX, FIELD(gpr[RDX])},
    {SEV_VMSA_RBX, FIELD(gpr[RBX])},
    {SEV_VMSA_RBP, FIELD(gpr[RBP])},
    {SEV_VMSA_RSI, FIELD(gpr[RSI])},
    {SEV_VMSA_RDI, FIELD(gpr[RDI])},
    {SEV_VMSA_R8, FIELD(gpr[R8])},
    {SEV_VMSA_R8 + 8, FIELD(gpr[R9])},
    {SEV_VMSA_R8 + 16, FIELD(gpr[R10])},
    {SEV_VMSA_R8 + 24, FIELD(gpr[R11])},
    {SEV_VMSA_R8 + 32, FIELD(gpr[R12])},
    {SEV_VMSA_R8 + 40, FIELD(gpr[R13])},
    {SEV_VMSA_R8 + 48, FIELD(gpr[R14])},
    {SEV_VMSA_R8 + 56, FIELD(gpr[R15])},
    {SEV_VMSA_STAR, FIELD(star)},
    {SEV_VMSA_LSTAR, FIELD(lstar)},
    {SEV_VMSA_CSTAR, FIELD(cstar)},
    {SEV_VMSA_SFMASK, FIELD(sfmask)},
    {SEV_VMSA_KERNEL_GS_BASE, FIELD(kernel_gs_base)},
    {SEV_VMSA_SYSENTER_CS, FIELD(sysenter_cs)},
    {SEV_VMSA_SYSENTER_ESP, FIELD(sysenter_esp)},
    {SEV_VMSA_SYSENTER_EIP, FIELD(sysenter_eip)},
    {SEV_VMSA_CR2, FIELD(cr2)},
    {SEV_VMSA_G_PAT, FIELD(pat)},
    {SEV_VMSA_DEBUGCTL, FIELD(debug_control)},
    {SEV_VMSA_XCR0, FIELD(xcr0)},
    {SEV_VMSA_X87_RIP, FIELD(fpu.instruction_pointer)},
    {SEV_VMSA_X87_RDP, FIELD(fpu.data_pointer)},
};

/* Registers of 2 bytes. */
static const struct place words[] = {
    {SEV_VMSA_X87_FSW, FIELD(fpu.status)},
    {SEV_VMSA_X87_FOP, FIELD(fpu.opcode)},
    {SEV_VMSA_X87_DS, FIELD(fpu.data_selector)},
    {SEV_VMSA_X87_CS, FIELD(fpu.instruction_selector)},
};

static const struct place segments[] = {
    {SEV_VMSA_ES, FIELD(seg[ES])}, {SEV_VMSA_CS, FIELD(seg[CS])},   {SEV_VMSA_SS, FIELD(seg[SS])},
    {SEV_VMSA_DS, FIELD(seg[DS])}, {SEV_VMSA_FS, FIELD(seg[FS])},   {SEV_VMSA_GS, FIELD(seg[GS])},
    {SEV_VMSA_TR, FIELD(tr)},      {SEV_VMSA_LDTR, FIELD(ldtr)},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* --- what VMRUN refuses: APM 2 15.5.1 ------------------------------------------------------- */

struct controls {
    uint64_t cr0, cr3, cr4, efer, dr6, dr7, xcr0, pat, xss, debug_control, features;
    uint16_t cs_attributes;
};

static struct controls read_controls(const uint8_t *vmsa)
{
    return (struct controls){
        .cr0 = load_le64(vmsa + SEV_VMSA_CR0),
        .cr3 = load_le64(vmsa + SEV_VMSA_CR3),
        .cr4 = load_le64(vmsa + SEV_VMSA_CR4),
        .efer = load_le64(vmsa + SEV_VMSA_EFER),
        .dr6 = load_le64(vmsa + SEV_VMSA_DR6),
        .dr7 = load_le64(vmsa + SEV_VMSA_DR7),
        .xcr0 = load_le64(vmsa + SEV_VMSA_XCR0),
        .pat = load_le64(vmsa + SEV_VMSA_G_PAT),
        .xss = load_le64(vmsa + SEV_VMSA_XSS),
        .debug_control = load_le64(vmsa + SEV_VMSA_DEBUGCTL),
        .features = load_le64(vmsa + SEV_VMSA_SEV_FEATURES),
        .cs_attributes = load_le16(vmsa + SEV_VMSA_CS + 2),
    };
}

static const char *fault_of_cr0(const struct controls *c)
{
    if (c->cr0 >> 32)
        return "CR0 has bits above 31";
    if (!(c->cr0 & CR0_CD) && c->cr0 & CR0_NW)
        return "CR0.NW is set without CR0.CD";
    return NULL;
}

static const char *fault_of_long_mode(const struct controls *c)
{
    if (!(c->efer & EFER_LME) || !(c->cr0 & CR0_PG))
        return NULL;
    if (!(c->cr4 & CR4_PAE))
        return "EFER.LME and CR0.PG are set without CR4.PAE";
    if (!(c->cr0 & CR0_PE))
        return "EFER.LME and CR0.PG are set without CR0.PE";
    if (c->cs_attributes & SEG_L && c->cs_attributes & SEG_DB)
        return "CS is a 64-bit and a 32-bit segment";
    return NULL;
}

static const char *fault_of_reserved(const struct cpu *cpu, const struct controls *c)
{
    if (c->cr4 & ~cpu_known_cr4(cpu))
        return "CR4 has reserved bits";
    if (c->efer & ~(msr_efer_writable(cpu) | EFER_LMA))
        return "EFER has reserved bits";
    if (c->cr3 & ~(cpu->physical_mask | cpu->c_mask))
        return "CR3 has reserved bits";
    if (c->dr6 >> 32 || c->dr7 >> 32)
        return "DR6 or DR7 has bits above 31";
    if (!xcr0_is_valid(cpu, c->xcr0) || c->xss)
        return "XCR0 or XSS names states that this processor does not have";
    if (!msr_pat_is_valid(c->pat))
        return "G_PAT has a memory type that there is not";
    if (c->features)
        return "SEV_FEATURES asks for what this processor does not have";
    return c->debug_control ? "DebugCtl has bits that this processor does not have" : NULL;
}

static const char *fault_of(const struct cpu *cpu, const struct controls *c)
{
    if (!(c->efer & EFER_SVME))
        return "EFER.SVME is clear";
    const char *fault = fault_of_cr0(c);
    if (!fault)
        fault = fault_of_long_mode(c);
    return fault ? fault : fault_of_reserved(cpu, c);
}

/* --- in and out ----------------------------------------------------------------------------- */

/* VMRUN extends the sign of bases: APM 2 15.5.1. */
static uint64_t load_base(const uint8_t *from)
{
    return (uint64_t)((int64_t)(load_le64(from) << 16) >> 16);
}

static void load_segment(struct segment *segment, const uint8_t *from)
{
    *segment = (struct segment){
        .selector = load_le16(from),
        .attributes = load_le16(from + 2) & 0xFFF,
        .limit = load_le32(from + 4),
        .base = load_base(from + 8),
    };
}

static void save_segment(const struct segment *segment, uint8_t *to)
{
    store_le16(to, segment->selector);
    store_le16(to + 2, segment->attributes);
    store_le32(to + 4, segment->limit);
    store_le64(to + 8, segment->base);
}

static void load_table(struct table_register *table, const uint8_t *from)
{
    table->limit = (uint16_t)load_le32(from + 4);
    table->base = load_base(from + 8);
}

static void save_table(const struct table_register *table, uint8_t *to)
{
    store_le32(to + 4, table->limit);
    store_le64(to + 8, table->base);
}

static void load_fpu(struct cpu *cpu, const uint8_t *vmsa)
{
    struct fpu *fpu = &cpu->fpu;
    unsigned top = fpu->status >> 11 & 7;
    for (unsigned k = 0; k < 8; k++) {
        struct x87_register *st = &fpu->st[(top + k) & 7];
        st->mantissa = load_le64(vmsa + SEV_VMSA_X87 + 8 * k);
        st->exponent = load_le16(vmsa + SEV_VMSA_X87_HIGH + 2 * k);
    }
    fpu->control = (uint16_t)((load_le16(vmsa + SEV_VMSA_X87_FCW) & 0x1F3F) | 0x40);
    fpu->valid = (uint8_t)load_le16(vmsa + SEV_VMSA_X87_FTW);
    fpu->mxcsr = load_le32(vmsa + SEV_VMSA_MXCSR) & MXCSR_KNOWN;
    for (unsigned k = 0; k < XMM_COUNT; k++) {
        memcpy(fpu->xmm[k].u8, vmsa + SEV_VMSA_XMM + 16 * k, 16);
        memcpy(fpu->ymm_high[k].u8, vmsa + SEV_VMSA_YMM + 16 * k, 16);
    }
    x87_update_summary(cpu);
}

static void save_fpu(const struct cpu *cpu, uint8_t *vmsa)
{
    const struct fpu *fpu = &cpu->fpu;
    unsigned top = fpu->status >> 11 & 7;
    for (unsigned k = 0; k < 8; k++) {
        const struct x87_register *st = &fpu->st[(top + k) & 7];
        store_le64(vmsa + SEV_VMSA_X87 + 8 * k, st->mantissa);
        store_le16(vmsa + SEV_VMSA_X87_HIGH + 2 * k, st->exponent);
    }
    store_le16(vmsa + SEV_VMSA_X87_FCW, fpu->control);
    store_le16(vmsa + SEV_VMSA_X87_FTW, fpu->valid);
    store_le32(vmsa + SEV_VMSA_MXCSR, fpu->mxcsr);
    for (unsigned k = 0; k < XMM_COUNT; k++) {
        memcpy(vmsa + SEV_VMSA_XMM + 16 * k, fpu->xmm[k].u8, 16);
        memcpy(vmsa + SEV_VMSA_YMM + 16 * k, fpu->ymm_high[k].u8, 16);
    }
}

static void *member(struct cpu *cpu, const struct place *place)
{
    return (char *)cpu + place->offset;
}

static const void *const_member(const struct cpu *cpu, const struct place *place)
{
    return (const char *)cpu + place->offset;
}

/* EFER.LMA, CPL and the like follow from the rest: APM 2 15.5.1. */
static void settle_mode(struct cpu *cpu, const uint8_t *vmsa)
{
    bool is_long = cpu->efer & EFER_LME && cpu->cr0 & CR0_PG;
    cpu->efer = is_long ? cpu->efer | EFER_LMA : cpu->efer & ~(uint64_t)EFER_LMA;
    cpu->cr0 |= CR0_ET;
    if (is_long || !(cpu->cr0 & CR0_PE)) /* there is no virtual-8086 mode: APM 2 1.2.4 */
        cpu->eflags &= ~EFLAGS_VM;
    cpu->cpl = vmsa[SEV_VMSA_CPL] & 3;
    if (!(cpu->cr0 & CR0_PE))
        cpu->cpl = 0;
    else if (cpu_v86(cpu))
        cpu->cpl = 3;
    if (cpu->cr0 & CR0_PG && cpu->cr4 & CR4_PAE && !is_long)
        walk_load_pdptes(cpu, cpu->cr3);
    cpu_forget_translations(cpu);
    breakpoints_update(cpu);
    cpu_update_mode(cpu);
}

bool cpu_vmsa_load(struct cpu *cpu, const uint8_t *vmsa, char *why, size_t why_size)
{
    const struct controls controls = read_controls(vmsa);
    const char *fault = fault_of(cpu, &controls);
    if (fault) {
        snprintf(why, why_size, "VMRUN refuses its save area (VMEXIT_INVALID): %s", fault);
        return false;
    }
    for (size_t k = 0; k < COUNT(quadwords); k++) {
        uint64_t value = load_le64(vmsa + quadwords[k].at);
        memcpy(member(cpu, &quadwords[k]), &value, sizeof(value));
    }
    for (size_t k = 0; k < COUNT(words); k++) {
        uint16_t value = load_le16(vmsa + words[k].at);
        memcpy(member(cpu, &words[k]), &value, sizeof(value));
    }
    for (size_t k = 0; k < COUNT(segments); k++)
        load_segment(member(cpu, &segments[k]), vmsa + segments[k].at);
    load_table(&cpu->gdtr, vmsa + SEV_VMSA_GDTR);
    load_table(&cpu->idtr, vmsa + SEV_VMSA_IDTR);
    cpu->tsc_aux = load_le32(vmsa + SEV_VMSA_TSC_AUX);
    flags_set(cpu, (load_le32(vmsa + SEV_VMSA_RFLAGS) & FLAGS_KNOWN) | 2);
    load_fpu(cpu, vmsa);
    settle_mode(cpu, vmsa);
    return true;
}

void cpu_vmsa_save(const struct cpu *cpu, uint8_t *vmsa)
{
    for (size_t k = 0; k < COUNT(quadwords); k++) {
        uint64_t value;
        memcpy(&value, const_member(cpu, &quadwords[k]), sizeof(value));
        store_le64(vmsa + quadwords[k].at, value);
    }
    for (size_t k = 0; k < COUNT(words); k++) {
        uint16_t value;
        memcpy(&value, const_member(cpu, &words[k]), sizeof(value));
        store_le16(vmsa + words[k].at, value);
    }
    for (size_t k = 0; k < COUNT(segments); k++)
        save_segment(const_member(cpu, &segments[k]), vmsa + segments[k].at);
    save_table(&cpu->gdtr, vmsa + SEV_VMSA_GDTR);
    save_table(&cpu->idtr, vmsa + SEV_VMSA_IDTR);
    store_le32(vmsa + SEV_VMSA_TSC_AUX, (uint32_t)cpu->tsc_aux);
    store_le64(vmsa + SEV_VMSA_RFLAGS, flags_get(cpu));
    vmsa[SEV_VMSA_CPL] = cpu->cpl;
    save_fpu(cpu, vmsa);
}
