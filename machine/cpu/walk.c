/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Page tables: long mode with 4 levels, legacy PAE, legacy 32-bit with PSE-36, and no paging.
 *
 * Under SEV the tables are always read and written with the guest's key (APM 2 15.34.5). The leaf's
 * C-bit picks the view of data in long mode and legacy PAE; elsewhere data is private. With SME the
 * C-bit of CR3 and of each entry says whether what it points to is encrypted, be it a table or a
 * page, data or code; nothing else is (APM 2 7.10.4).
 */
#include "machine/cpu/observer.h"
#include "machine/cpu/walk.h"

#include "machine/cpu/inspect.h"

#include <string.h>

#include "machine/cpu/form.h"

#define ENTRY_P      (1ull << 0)
#define ENTRY_RW     (1ull << 1)
#define ENTRY_US     (1ull << 2)
#define ENTRY_A      (1ull << 5)
#define ENTRY_D      (1ull << 6)
#define ENTRY_PS     (1ull << 7)
#define ENTRY_G      (1ull << 8)
#define ENTRY_NX     (1ull << 63)
#define ADDRESS_BITS 0x000FFFFFFFFFF000ull
#define MAX_LEVELS   4u

struct walk {
    struct cpu *cpu;
    uint64_t linear;
    struct {
        uint8_t *host;
        uint64_t value;
        uint64_t gpa;
        memory_view view;
    } entry[MAX_LEVELS]; /* from the top */
    unsigned used;
    unsigned entry_size; /* 4 or 8 */
    memory_view view;    /* of the next table */
    bool observed;
};

enum walk_end { WALK_LEAF, WALK_ABSENT, WALK_RESERVED };

/* Reads a table entry and remembers it for its accessed bit. Absent memory reads as not present. */
static uint64_t read_entry(struct walk *walk, uint64_t gpa)
{
    struct cpu *cpu = walk->cpu;
    if (walk->observed)
        cpu->observer->walked(cpu->observer->context, cpu, cpu->observed_rip, walk->linear, gpa,
                              walk->entry_size);
    uint8_t *page = memory_page(cpu->memory, gpa, walk->view);
    uint64_t value = 0;
    if (page)
        memcpy(&value, page + gpa % MEMORY_PAGE_SIZE, walk->entry_size);
    walk->entry[walk->used].host = page ? page + gpa % MEMORY_PAGE_SIZE : NULL;
    walk->entry[walk->used].value = value;
    walk->entry[walk->used].gpa = gpa;
    walk->entry[walk->used].view = walk->view;
    walk->used++;
    return value;
}

static uint64_t entry_address(const struct cpu *cpu, uint64_t entry)
{
    return entry & cpu->physical_mask & ~cpu->c_mask & ADDRESS_BITS;
}

/* Address bits that must be zero: beyond MAXPHYADDR, but the C-bit counts as an attribute. */
static uint64_t reserved_address_bits(const struct cpu *cpu)
{
    return ADDRESS_BITS & ~cpu->physical_mask & ~cpu->c_mask;
}

/* The view of a table that an entry or CR3 points to. */
static memory_view table_view(const struct cpu *cpu, uint64_t entry)
{
    if (cpu->config.sev == CPU_SEV_SME && entry & cpu->c_mask)
        return cpu->config.asid;
    return cpu->forced_view;
}

static void add_rights(struct translation *t, uint64_t entry)
{
    t->user = t->user && entry & ENTRY_US;
    t->writable = t->writable && entry & ENTRY_RW;
    t->no_execute = t->no_execute || entry & ENTRY_NX;
}

/* Entries of 8 bytes, from `level` (3: PML4E) down; the table address is that of the top one. */
static enum walk_end walk_wide(struct walk *walk, uint64_t table, int level, uint64_t reserved,
                               struct translation *t)
{
    struct cpu *cpu = walk->cpu;
    int highest_leaf = cpu_has_feature(cpu, FEATURE_PDPE1GB) ? 2 : 1;
    if (!(cpu->efer & EFER_NXE))
        reserved |= ENTRY_NX;
    for (; level >= 0; level--) {
        unsigned shift = 12 + 9 * (unsigned)level;
        uint64_t entry = read_entry(walk, table + (walk->linear >> shift & 511) * 8);
        uint64_t bad = reserved;
        bool leaf = level == 0 || (level <= highest_leaf && entry & ENTRY_PS);
        if (!(entry & ENTRY_P))
            return WALK_ABSENT;
        if (level > highest_leaf)
            bad |= ENTRY_PS;
        if (level == 3)
            bad |= ENTRY_G;
        else if (level == 2 && !leaf)
            bad |= ENTRY_G;
        else if (leaf && level > 0) /* PAT is bit 12; the rest of the offset must be zero */
            bad |= ((1ull << shift) - 1) & ~0x1FFFull;
        if (entry & bad)
            return WALK_RESERVED;
        add_rights(t, entry);
        table = entry_address(cpu, entry);
        walk->view = table_view(cpu, entry);
        if (leaf) {
            uint64_t offset = walk->linear & ((1ull << shift) - 1) & ADDRESS_BITS;
            t->gpa = (table & ~((1ull << shift) - 1)) | offset;
            t->page_shift = shift;
            t->view = entry & cpu->c_mask ? cpu->config.asid : MEMORY_RAW;
            t->global = entry & ENTRY_G && cpu->cr4 & CR4_PGE;
            return WALK_LEAF;
        }
    }
    return WALK_ABSENT;
}

static enum walk_end walk_pae(struct walk *walk, struct translation *t)
{
    uint64_t pdpte = walk->cpu->pdpte[walk->linear >> 30 & 3];
    if (!(pdpte & ENTRY_P))
        return WALK_ABSENT;
    walk->view = table_view(walk->cpu, pdpte);
    /* Bits 62:52 are available in long mode and must be zero here: APM 2 5.2.3. */
    return walk_wide(walk, entry_address(walk->cpu, pdpte), 1,
                     reserved_address_bits(walk->cpu) | 0x7FF0000000000000ull, t);
}

static enum walk_end walk_narrow(struct walk *walk, struct translation *t)
{
    struct cpu *cpu = walk->cpu;
    uint64_t linear = walk->linear;
    t->view = cpu->forced_view;
    uint64_t entry = read_entry(walk, (cpu->cr3 & 0xFFFFF000) + (linear >> 22 & 1023) * 4);
    if (!(entry & ENTRY_P))
        return WALK_ABSENT;
    add_rights(t, entry);
    if (entry & ENTRY_PS && cpu->cr4 & CR4_PSE) {
        if (entry & 1ull << 21)
            return WALK_RESERVED;
        /* PSE-36: bits 20:13 are address bits 39:32. */
        t->page_shift = 22;
        t->global = entry & ENTRY_G && cpu->cr4 & CR4_PGE;
        t->gpa = (entry & 0xFFC00000) | (entry & 0x1FE000) << 19 | (linear & 0x3FF000);
        return WALK_LEAF;
    }
    entry = read_entry(walk, (entry & 0xFFFFF000) + (linear >> 12 & 1023) * 4);
    if (!(entry & ENTRY_P))
        return WALK_ABSENT;
    add_rights(t, entry);
    t->global = entry & ENTRY_G && cpu->cr4 & CR4_PGE;
    t->gpa = entry & 0xFFFFF000;
    return WALK_LEAF;
}

bool walk_permits(const struct cpu *cpu, const struct translation *t, unsigned access)
{
    if (access & ACCESS_PEEK)
        return true;
    if (access & PF_USER && !t->user)
        return false;
    if (access & PF_FETCH)
        return !t->no_execute && !(t->user && !(access & PF_USER) && cpu->cr4 & CR4_SMEP);
    if (t->user && !(access & (PF_USER | ACCESS_AC)) && cpu->cr4 & CR4_SMAP)
        return false;
    if (!(access & PF_WRITE) || t->writable)
        return true;
    return !(access & PF_USER) && !(cpu->cr0 & CR0_WP);
}

static void set_bits(struct walk *walk, unsigned index, uint64_t bits)
{
    uint64_t value = walk->entry[index].value | bits;
    uint64_t gpa = walk->entry[index].gpa;
    if (value == walk->entry[index].value || !walk->entry[index].host)
        return;
    walk->entry[index].value = value;
    /* Asked for again: a table may be one at two levels, with C-bits that differ. */
    uint8_t *page = memory_page(walk->cpu->memory, gpa, walk->entry[index].view);
    if (page)
        memcpy(page + gpa % MEMORY_PAGE_SIZE, &value, walk->entry_size);
}

static void set_accessed_and_dirty(struct walk *walk, unsigned access, struct translation *t)
{
    for (unsigned i = 0; i < walk->used; i++)
        set_bits(walk, i, ENTRY_A);
    if (access & PF_WRITE)
        set_bits(walk, walk->used - 1, ENTRY_D);
    t->dirty = walk->entry[walk->used - 1].value & ENTRY_D;
}

/* The I/D bit is reported only where fetches have rights of their own: APM 2 8.4.2. */
static uint32_t fault_code(const struct cpu *cpu, unsigned access, uint32_t why)
{
    bool fetch_rights = (cpu->cr4 & CR4_PAE && cpu->efer & EFER_NXE) || cpu->cr4 & CR4_SMEP;
    uint32_t code = (access & (PF_WRITE | PF_USER)) | why;
    if (access & PF_FETCH && fetch_rights)
        code |= PF_FETCH;
    return code;
}

/* From CR3 to the leaf; only with paging on. */
static enum walk_end walk_tables(struct walk *walk, struct translation *ret)
{
    struct cpu *cpu = walk->cpu;
    *ret = (struct translation){.page_shift = 12, .user = true, .writable = true, .dirty = true};
    walk->entry_size = 8;
    walk->view = table_view(cpu, cpu->cr3);
    if (cpu->efer & EFER_LMA)
        return walk_wide(walk, entry_address(cpu, cpu->cr3), 3, reserved_address_bits(cpu), ret);
    if (cpu->cr4 & CR4_PAE)
        return walk_pae(walk, ret);
    walk->entry_size = 4;
    return walk_narrow(walk, ret);
}

bool walk_translate(struct cpu *cpu, uint64_t linear, unsigned access, struct translation *ret,
                    uint32_t *ret_error)
{
    struct walk walk = {.cpu = cpu, .linear = linear};
    walk.observed = cpu->observer && cpu->observer->walked && !(access & ACCESS_PEEK);
    if (!(cpu->cr0 & CR0_PG)) {
        *ret = (struct translation){.page_shift = 12, .user = true, .writable = true,
                                    .dirty = true, .gpa = linear & 0xFFFFF000,
                                    .view = cpu->forced_view, .leaf = cpu->forced_view};
        return true;
    }
    enum walk_end end = walk_tables(&walk, ret);
    if (end == WALK_ABSENT) {
        *ret_error = fault_code(cpu, access, 0);
        return false;
    }
    if (end == WALK_RESERVED || !walk_permits(cpu, ret, access)) {
        *ret_error = fault_code(cpu, access,
                                PF_PRESENT | (end == WALK_RESERVED ? PF_RESERVED : 0u));
        return false;
    }
    ret->leaf = ret->view;
    if (access & PF_FETCH && cpu_sev_is_guest(cpu->config.sev))
        ret->view = cpu->forced_view;
    if (!(access & ACCESS_PEEK))
        set_accessed_and_dirty(&walk, access, ret);
    return true;
}

bool walk_load_pdptes(struct cpu *cpu, uint64_t cr3)
{
    uint64_t table[4] = {0};
    uint64_t reserved = reserved_address_bits(cpu) | 0xFFF00000000001E6ull;
    uint8_t *page = memory_page(cpu->memory, cr3 & 0xFFFFFFE0, table_view(cpu, cr3));
    if (page)
        memcpy(table, page + (cr3 & 0xFE0), sizeof(table));
    for (unsigned i = 0; i < 4; i++) {
        if (table[i] & ENTRY_P && table[i] & reserved & ~cpu->c_mask)
            return false;
    }
    memcpy(cpu->pdpte, table, sizeof(table));
    return true;
}

void cpu_walk(struct cpu *cpu, uint64_t linear, struct cpu_walk *ret)
{
    static const char *const names[2][4] = {{"PML4E", "PDPE", "PDE", "PTE"},
                                            {"PDE", "PTE", NULL, NULL}};
    struct walk walk = {.cpu = cpu, .linear = linear};
    struct translation t;
    uint32_t error;
    bool wide = cpu->efer & EFER_LMA;
    *ret = (struct cpu_walk){.paging = cpu->cr0 & CR0_PG};
    if (ret->paging) {
        enum walk_end end = walk_tables(&walk, &t);
        ret->mapped = end == WALK_LEAF;
        ret->reserved = end == WALK_RESERVED;
    } else {
        ret->mapped = walk_translate(cpu, linear, ACCESS_PEEK, &t, &error);
    }
    ret->levels = walk.used;
    for (unsigned k = 0; k < walk.used; k++)
        ret->level[k] = (struct cpu_walk_level){.name = names[!wide][k],
                                                .gpa = walk.entry[k].gpa,
                                                .value = walk.entry[k].value,
                                                .memory = walk.entry[k].host != NULL};
    ret->gpa = t.gpa | (linear & (MEMORY_PAGE_SIZE - 1));
    ret->page_shift = t.page_shift;
    ret->view = t.view;
    ret->user = t.user;
    ret->writable = t.writable;
    ret->no_execute = t.no_execute;
}
