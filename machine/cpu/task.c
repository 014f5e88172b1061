/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Hardware task switches (APM 2 12.3), legacy protected mode only: 32-bit and 16-bit TSS.
 */
#include "machine/cpu/system.h"
#include "machine/cpu/walk.h"

/* Where a TSS keeps its fields; `size` is that of a register slot. */
struct layout {
    unsigned size, cr3, ip, flags, registers, segments, segment_count, ldt, minimum_limit;
    unsigned segment_step;
};

static const struct layout layout32 = {4, 28, 32, 36, 40, 72, 6, 96, 0x67, 4};
static const struct layout layout16 = {2, 0, 14, 16, 18, 34, 4, 42, 0x2B, 2};

/* The state that a TSS holds, read completely before anything changes. */
struct image {
    uint64_t cr3, ip;
    uint32_t flags;
    bool trap; /* #DB before its first instruction */
    uint32_t registers[8];
    uint16_t segments[6]; /* ES CS SS DS FS GS */
    uint16_t ldt;
};

static bool is_tss32(unsigned type)
{
    return type == TYPE_TSS32 || type == TYPE_TSS32_BUSY;
}

static uint64_t field(struct cpu *cpu, const struct insn *i, uint64_t base, unsigned offset,
                      unsigned size)
{
    return mmu_load_system(cpu, i, base + offset, size);
}

static void read_image(struct cpu *cpu, const struct insn *i, uint64_t base,
                       const struct layout *l, struct image *ret)
{
    *ret = (struct image){0};
    ret->cr3 = l->cr3 ? field(cpu, i, base, l->cr3, 4) : cpu->cr3;
    ret->ip = field(cpu, i, base, l->ip, l->size);
    ret->flags = (uint32_t)field(cpu, i, base, l->flags, l->size);
    for (unsigned n = 0; n < 8; n++) {
        ret->registers[n] = (uint32_t)field(cpu, i, base, l->registers + n * l->size, l->size);
        if (l->size == 2)
            ret->registers[n] |= 0xFFFF0000; /* as 16-bit tasks leave them */
    }
    for (unsigned n = 0; n < l->segment_count; n++)
        ret->segments[n] = (uint16_t)field(cpu, i, base, l->segments + n * l->segment_step, 2);
    ret->ldt = (uint16_t)field(cpu, i, base, l->ldt, 2);
    ret->trap = l->size == 4 && field(cpu, i, base, 0x64, 2) & 1;
}

static void save_current(struct cpu *cpu, const struct insn *i, const struct layout *l,
                         uint64_t rip, uint32_t flags)
{
    uint64_t base = cpu->tr.base;
    mmu_store_system(cpu, i, base + l->ip, l->size, rip);
    mmu_store_system(cpu, i, base + l->flags, l->size, flags);
    for (unsigned n = 0; n < 8; n++)
        mmu_store_system(cpu, i, base + l->registers + n * l->size, l->size, cpu->gpr[n]);
    for (unsigned n = 0; n < l->segment_count; n++)
        mmu_store_system(cpu, i, base + l->segments + n * l->segment_step, 2,
                         cpu->seg[n].selector);
}

static void set_busy(struct cpu *cpu, const struct insn *i, unsigned selector, bool busy)
{
    struct descriptor d;
    if (!descriptor_read(cpu, i, selector, &d))
        return;
    uint32_t high = busy ? d.high | TYPE_BUSY << 8 : d.high & ~(uint32_t)(TYPE_BUSY << 8);
    mmu_store_system(cpu, i, d.address + 4, 4, high);
}

static void load_ldt(struct cpu *cpu, unsigned selector)
{
    struct descriptor d;
    cpu->ldtr = (struct segment){.selector = (uint16_t)selector};
    if (selector_is_null(selector))
        return;
    if (selector & 4 || !descriptor_read(cpu, NULL, selector, &d) || !descriptor_is_system(&d) ||
        descriptor_type(&d) != TYPE_LDT || !descriptor_present(&d))
        raise_selector(cpu, NULL, VECTOR_TS, selector);
    cpu->ldtr = descriptor_unpack(&d);
}

static void load_code(struct cpu *cpu, unsigned selector)
{
    struct descriptor d = descriptor_require(cpu, NULL, selector, VECTOR_TS);
    unsigned rpl = selector & 3, dpl = descriptor_dpl(&d);
    if (!descriptor_is_code(&d) || (descriptor_is_conforming(&d) ? dpl > rpl : dpl != rpl))
        raise_selector(cpu, NULL, VECTOR_TS, selector);
    if (!descriptor_present(&d))
        raise_selector(cpu, NULL, VECTOR_NP, selector);
    descriptor_set_type_bit(cpu, NULL, &d, TYPE_ACCESSED);
    struct segment cs = descriptor_unpack(&d);
    cpu_set_code(cpu, &cs, rpl);
}

/* The new task is in force already: faults belong to it. */
static void load_segments(struct cpu *cpu, const struct image *image)
{
    static const uint8_t data_segments[] = {ES, DS, FS, GS};
    for (unsigned n = 0; n < 6; n++)
        cpu->seg[n] = (struct segment){.selector = image->segments[n]};
    if (cpu_v86(cpu)) {
        for (unsigned n = 0; n < 6; n++)
            segment_set_real(cpu, n, image->segments[n]);
        cpu->cpl = 3;
        cpu_update_mode(cpu);
        return;
    }
    load_ldt(cpu, image->ldt);
    load_code(cpu, image->segments[CS]);
    cpu->seg[SS] = segment_check_stack(cpu, NULL, image->segments[SS], cpu->cpl, VECTOR_TS);
    for (unsigned n = 0; n < sizeof(data_segments); n++)
        segment_load_of_task(cpu, data_segments[n], image->segments[data_segments[n]]);
    cpu_update_mode(cpu);
}

static void take_over(struct cpu *cpu, const struct layout *l, const struct image *image)
{
    if (l->cr3 && cpu->cr0 & CR0_PG) {
        cpu->cr3 = image->cr3;
        if (cpu->cr4 & CR4_PAE && !walk_load_pdptes(cpu, cpu->cr3))
            raise_selector(cpu, NULL, VECTOR_TS, cpu->tr.selector);
        mmu_flush(cpu);
        mmu_flushed(cpu, CPU_FLUSH_CR3, cpu->cr3, 0);
    }
    cpu->rip = image->ip;
    flags_set(cpu, image->flags & 0x3F7FD5);
    for (unsigned n = 0; n < 8; n++)
        cpu->gpr[n] = image->registers[n];
    cpu->dr[7] &= ~(uint64_t)(DR7_LOCAL | 1u << 8); /* breakpoints of the old task: L0-L3, LE */
    breakpoints_update(cpu);
}

void task_switch(struct cpu *cpu, const struct insn *i, const struct descriptor *d,
                 enum task_reason reason, uint64_t next_rip, bool has_error, uint32_t error)
{
    const struct layout *new_layout = is_tss32(descriptor_type(d)) ? &layout32 : &layout16;
    const struct layout *old_layout =
        is_tss32(cpu->tr.attributes & SEG_TYPE) ? &layout32 : &layout16;
    struct segment tss = descriptor_unpack(d);
    uint32_t flags = flags_get(cpu);
    struct image image;

    if (tss.limit < new_layout->minimum_limit)
        raise_selector(cpu, i, VECTOR_TS, d->selector);
    if (cpu->tr.limit < old_layout->minimum_limit)
        raise_selector(cpu, i, VECTOR_TS, cpu->tr.selector);
    cpu_intercept(cpu, i, SEV_EXIT_TASK_SWITCH);
    read_image(cpu, i, tss.base, new_layout, &image);
    if (reason == TASK_RETURN)
        flags &= ~EFLAGS_NT;
    save_current(cpu, i, old_layout, next_rip, flags);
    if (reason == TASK_CALL) {
        mmu_store_system(cpu, i, tss.base, 2, cpu->tr.selector);
        image.flags |= EFLAGS_NT;
    } else {
        set_busy(cpu, i, cpu->tr.selector, false);
    }
    if (reason != TASK_RETURN)
        set_busy(cpu, i, d->selector, true);
    cpu->tr = tss;
    cpu->tr.attributes |= TYPE_BUSY;
    cpu->cr0 |= CR0_TS;
    take_over(cpu, new_layout, &image);
    load_segments(cpu, &image);
    if (has_error) {
        struct stack stack = stack_current(cpu, NULL);
        stack_push(&stack, new_layout->size, error);
        stack_commit(&stack);
    }
    if (image.trap) {
        cpu->watch.trap |= DR6_BT;
        cpu->deadline = 0;
    }
}
