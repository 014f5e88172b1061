/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Segment registers and descriptors: loads with their checks (APM 2 4), limits, and the slow half
 * of the effective address.
 */
#include "machine/cpu/system.h"

_Noreturn void raise_selector(struct cpu *cpu, const struct insn *i, unsigned vector,
                              unsigned selector)
{
    cpu_raise_error(cpu, i, vector, (selector & 0xFFFC) | cpu->fault.external);
}

bool descriptor_read(struct cpu *cpu, const struct insn *i, unsigned selector,
                     struct descriptor *ret)
{
    uint32_t offset = selector & 0xFFF8;
    uint64_t base = cpu->gdtr.base;
    uint32_t limit = cpu->gdtr.limit;
    if (selector & 4) {
        if (!(cpu->ldtr.attributes & SEG_P))
            return false;
        base = cpu->ldtr.base;
        limit = cpu->ldtr.limit;
    }
    if (offset + 7 > limit)
        return false;
    uint64_t value = mmu_load_system(cpu, i, base + offset, 8);
    *ret = (struct descriptor){.low = (uint32_t)value,
                               .high = (uint32_t)(value >> 32),
                               .address = base + offset,
                               .selector = (uint16_t)selector};
    return true;
}

struct descriptor descriptor_require(struct cpu *cpu, const struct insn *i, unsigned selector,
                                     unsigned vector)
{
    struct descriptor descriptor;
    if (selector_is_null(selector) || !descriptor_read(cpu, i, selector, &descriptor))
        raise_selector(cpu, i, vector, selector);
    return descriptor;
}

struct segment descriptor_unpack(const struct descriptor *d)
{
    struct segment segment = {
        .base = d->low >> 16 | (d->high & 0xFF) << 16 | (d->high & 0xFF000000),
        .limit = (d->low & 0xFFFF) | (d->high & 0xF0000),
        .selector = d->selector,
        .attributes = (uint16_t)((d->high >> 8 & 0xFF) | (d->high >> 12 & 0xF00)),
    };
    if (segment.attributes & SEG_G)
        segment.limit = segment.limit << 12 | 0xFFF;
    return segment;
}

uint64_t descriptor_system_base(struct cpu *cpu, const struct insn *i, const struct descriptor *d)
{
    uint64_t base = descriptor_unpack(d).base;
    if (!cpu_long_mode(cpu))
        return base;
    uint64_t upper = mmu_load_system(cpu, i, d->address + 8, 8);
    base |= upper << 32;
    if (upper >> 40 & 0x1F || !is_canonical(base)) /* the upper half's type must be 0 */
        raise_selector(cpu, i, VECTOR_GP, d->selector);
    return base;
}

void descriptor_set_type_bit(struct cpu *cpu, const struct insn *i, struct descriptor *d,
                             unsigned bit)
{
    uint32_t high = d->high | (uint32_t)bit << 8;
    if (high == d->high)
        return;
    d->high = high;
    mmu_store_system(cpu, i, d->address + 4, 4, high);
}

void segment_set_real(struct cpu *cpu, unsigned segment, unsigned selector)
{
    struct segment *s = &cpu->seg[segment];
    s->selector = (uint16_t)selector;
    s->base = (uint64_t)(uint16_t)selector << 4;
    if (cpu_v86(cpu)) {
        s->limit = 0xFFFF;
        s->attributes = 0xF3;
    } else if (!(s->attributes & SEG_P)) {
        /* A null selector left from protected mode; limits stay otherwise ("unreal" mode). */
        s->limit = 0xFFFF;
        s->attributes = 0x93;
    }
}

static bool is_writable_data(const struct descriptor *d)
{
    return !descriptor_is_system(d) && !(descriptor_type(d) & TYPE_CODE) &&
           descriptor_type(d) & TYPE_WRITABLE;
}

struct segment segment_check_stack(struct cpu *cpu, const struct insn *i, unsigned selector,
                                   unsigned cpl, unsigned vector)
{
    struct descriptor d = descriptor_require(cpu, i, selector, vector);
    if ((selector & 3) != cpl || !is_writable_data(&d) || descriptor_dpl(&d) != cpl)
        raise_selector(cpu, i, vector, selector);
    if (!descriptor_present(&d))
        raise_selector(cpu, i, VECTOR_SS, selector);
    descriptor_set_type_bit(cpu, i, &d, TYPE_ACCESSED);
    return descriptor_unpack(&d);
}

static void load_null(struct cpu *cpu, unsigned segment, unsigned selector)
{
    cpu->seg[segment] = (struct segment){.selector = (uint16_t)selector};
}

static void load_stack(struct cpu *cpu, const struct insn *i, unsigned selector)
{
    if (selector_is_null(selector)) {
        if (!cpu_64bit(cpu) || cpu->cpl == 3 || (selector & 3) != cpu->cpl)
            cpu_raise_error(cpu, i, VECTOR_GP, cpu->fault.external);
        load_null(cpu, SS, selector);
        return;
    }
    cpu->seg[SS] = segment_check_stack(cpu, i, selector, cpu->cpl, VECTOR_GP);
}

static void load_data(struct cpu *cpu, const struct insn *i, unsigned segment, unsigned selector,
                      unsigned vector)
{
    if (selector_is_null(selector)) {
        load_null(cpu, segment, selector);
        return;
    }
    struct descriptor d = descriptor_require(cpu, i, selector, vector);
    unsigned rpl = selector & 3, dpl = descriptor_dpl(&d);
    if (descriptor_is_system(&d) ||
        (descriptor_is_code(&d) && !(descriptor_type(&d) & TYPE_READABLE)) ||
        (!descriptor_is_conforming(&d) && (rpl > dpl || cpu->cpl > dpl)))
        raise_selector(cpu, i, vector, selector);
    if (!descriptor_present(&d))
        raise_selector(cpu, i, VECTOR_NP, selector);
    descriptor_set_type_bit(cpu, i, &d, TYPE_ACCESSED);
    cpu->seg[segment] = descriptor_unpack(&d);
}

void segment_load(struct cpu *cpu, const struct insn *i, unsigned segment, unsigned selector)
{
    if (!cpu_protected(cpu))
        segment_set_real(cpu, segment, selector);
    else if (segment == SS)
        load_stack(cpu, i, selector);
    else
        load_data(cpu, i, segment, selector, VECTOR_GP);
    cpu_update_mode(cpu);
}

void segment_load_of_task(struct cpu *cpu, unsigned segment, unsigned selector)
{
    load_data(cpu, NULL, segment, selector, VECTOR_TS);
}

void segment_drop_privileged(struct cpu *cpu, unsigned cpl)
{
    static const uint8_t data_segments[] = {ES, DS, FS, GS};
    for (unsigned n = 0; n < sizeof(data_segments); n++) {
        const struct segment *s = &cpu->seg[data_segments[n]];
        bool conforming = (s->attributes & (TYPE_CODE | TYPE_CONFORMING)) ==
                          (TYPE_CODE | TYPE_CONFORMING);
        if (!s->attributes || segment_dpl(s) >= cpl || conforming)
            continue;
        /* The bases of FS and GS are MSRs, too: they stay, as processors have it. */
        uint64_t base = data_segments[n] >= FS && cpu_long_mode(cpu) ? s->base : 0;
        load_null(cpu, data_segments[n], 0);
        cpu->seg[data_segments[n]].base = base;
    }
}

bool segment_contains(const struct segment *s, uint32_t offset, unsigned size)
{
    uint64_t last = (uint64_t)offset + size - 1;
    if ((s->attributes & (SEG_S | TYPE_CODE | TYPE_EXPAND_DOWN)) == (SEG_S | TYPE_EXPAND_DOWN)) {
        uint64_t top = s->attributes & SEG_DB ? 0xFFFFFFFF : 0xFFFF;
        return offset > s->limit && last <= top;
    }
    return last <= s->limit;
}

/* May the segment register be used this way at all? APM 2 4.7. */
static bool access_allowed(const struct segment *s, bool write)
{
    if (!(s->attributes & SEG_P))
        return false;
    if (s->attributes & TYPE_CODE)
        return !write && s->attributes & TYPE_READABLE;
    return !write || s->attributes & TYPE_WRITABLE;
}

uint64_t segment_address(struct cpu *cpu, const struct insn *i, unsigned segment, uint64_t offset,
                         unsigned size, bool write)
{
    const struct segment *s = &cpu->seg[segment];
    if (cpu_64bit(cpu))
        return segment == FS || segment == GS ? s->base + offset : offset;
    if (segment == SEG_FLAT)
        return (uint32_t)offset;
    if ((cpu_protected(cpu) && !access_allowed(s, write)) ||
        !segment_contains(s, (uint32_t)offset, size ? size : 1))
        cpu_raise_error(cpu, i, segment == SS ? VECTOR_SS : VECTOR_GP, 0);
    return (uint32_t)(s->base + offset);
}

uint64_t insn_address_slow(struct cpu *cpu, const struct insn *i, unsigned size, bool write)
{
    return segment_address(cpu, i, i->seg, insn_effective_address(cpu, i), size, write);
}
