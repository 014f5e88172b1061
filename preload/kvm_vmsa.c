/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The page of a SEV-ES guest's processor that KVM_SEV_LAUNCH_UPDATE_VMSA gives the firmware, of the
 * registers that the program set (APM 2 table B-4; linux: sev_es_sync_vmsa in svm/sev.c, and what
 * svm.c keeps in the save area). FPU and SSE state is not in it: KVM has put it there only since
 * KVM_SEV_INIT2.
 */
#include "preload/kvm_vmsa.h"

#include <string.h>

enum {
    CR0_CD = 1 << 30, CR0_NW = 1 << 29, /* KVM's quirk: never the guest's */
    CR4_MCE = 1 << 6,                   /* the host's */
    EFER_SVME = 1 << 12,                /* VMRUN demands it */
    DR7_FIXED = 1 << 10,
};

/* Little-endian, as the processor of both. */
static void put(uint8_t *page, unsigned place, uint64_t value, size_t size)
{
    memcpy(page + place, &value, size);
}

static uint16_t attributes(const struct kvm_segment *s)
{
    bool present = s->present && !s->unusable;
    return (uint16_t)(s->type | s->s << 4 | s->dpl << 5 | present << 7 | s->avl << 8 | s->l << 9 |
                      s->db << 10 | s->g << 11);
}

static void put_segment(uint8_t *page, unsigned place, const struct kvm_segment *s)
{
    put(page, place, s->selector, 2);
    put(page, place + 2, attributes(s), 2);
    put(page, place + 4, s->limit, 4);
    put(page, place + 8, s->base, 8);
}

static void put_segments(uint8_t *page, const struct kvm_sregs *sregs)
{
    const struct kvm_segment *const segments[] = { &sregs->es, &sregs->cs, &sregs->ss, &sregs->ds,
                                                   &sregs->fs, &sregs->gs, NULL, &sregs->ldt, NULL,
                                                   &sregs->tr };
    for (unsigned i = 0; i < sizeof(segments) / sizeof(segments[0]); i++) {
        if (segments[i] != NULL)
            put_segment(page, i * 16, segments[i]);
    }
    put(page, 0x064, sregs->gdt.limit, 4);
    put(page, 0x068, sregs->gdt.base, 8);
    put(page, 0x084, sregs->idt.limit, 4);
    put(page, 0x088, sregs->idt.base, 8);
    put(page, 0x0CB, sregs->ss.dpl, 1); /* CPL */
}

static void put_general(uint8_t *page, const struct kvm_regs *r)
{
    const struct {
        unsigned place;
        uint64_t value;
    } registers[] = {
        { 0x170, r->rflags }, { 0x178, r->rip }, { 0x1D8, r->rsp }, { 0x1F8, r->rax },
        { 0x308, r->rcx },    { 0x310, r->rdx }, { 0x318, r->rbx }, { 0x328, r->rbp },
        { 0x330, r->rsi },    { 0x338, r->rdi }, { 0x340, r->r8 },  { 0x348, r->r9 },
        { 0x350, r->r10 },    { 0x358, r->r11 }, { 0x360, r->r12 }, { 0x368, r->r13 },
        { 0x370, r->r14 },    { 0x378, r->r15 },
    };
    for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
        put(page, registers[i].place, registers[i].value, 8);
}

static void put_msrs(uint8_t *page, const struct kvm_msr_values *values)
{
    static const struct {
        unsigned place;
        uint32_t index;
    } registers[] = {
        { 0x200, 0xC0000081 }, { 0x208, 0xC0000082 }, { 0x210, 0xC0000083 }, /* STAR, LSTAR, CSTAR */
        { 0x218, 0xC0000084 }, { 0x220, 0xC0000102 },                   /* SFMASK, KERNEL_GS_BASE */
        { 0x228, 0x174 },      { 0x230, 0x175 },      { 0x238, 0x176 }, /* SYSENTER_CS, ESP, EIP */
        { 0x268, 0x277 },                                               /* PAT */
    };
    for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
        put(page, registers[i].place, kvm_msr_value(values, registers[i].index), 8);
}

bool kvm_vmsa_build(const struct kvm_vmsa_source *source, uint8_t page[KVM_VMSA_SIZE])
{
    const struct kvm_sregs *sregs = source->sregs;
    if ((source->debug->dr7 & ~(uint64_t)DR7_FIXED) != 0)
        return false;
    memset(page, 0, KVM_VMSA_SIZE);
    put_segments(page, sregs);
    put(page, 0x0D0, sregs->efer | EFER_SVME, 8);
    put(page, 0x148, sregs->cr4 | CR4_MCE, 8);
    put(page, 0x150, sregs->cr3, 8);
    put(page, 0x158, sregs->cr0 & ~(uint64_t)(CR0_CD | CR0_NW), 8);
    put(page, 0x160, source->debug->dr7, 8);
    put(page, 0x168, source->debug->dr6, 8);
    put_general(page, source->regs);
    put_msrs(page, source->msrs);
    put(page, 0x2E8, source->pkru, 4);
    put(page, 0x3E8, source->xcr0, 8);
    return true;
}
