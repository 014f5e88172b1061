/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The software TLB and everything that an access of the fast path cannot do: misses, page crossing,
 * devices, ROM writes, pages with decoded code, alignment checks, non-canonical addresses.
 *
 * Outside 64-bit mode an effective address may carry junk above bit 31 (base plus a negative
 * displacement). An entry is tagged with the address as computed, so the fast path need not
 * truncate; tlb_alias remembers that such tags exist, because they would lie in 64-bit mode.
 */
#include "machine/cpu/form.h"
#include "machine/cpu/inspect.h"
#include "machine/cpu/mmu.h"
#include "machine/cpu/mode.h"
#include "machine/cpu/observer.h"
#include "machine/cpu/walk.h"

/* Low bits of tlb_entry.gpa. */
enum entry_flag {
    ENTRY_DEVICE = 1,  /* no memory: `addend` is the tag, accesses go to the I/O interface */
    ENTRY_WATCHED = 2, /* may be written, but the page holds decoded code */
    ENTRY_ROM = 4,     /* may be written: by way of the device */
    ENTRY_WRITE = 8,   /* device: may be written */
    ENTRY_LARGE = 16,  /* part of a page of 2 or 4 MiB */
    ENTRY_HUGE = 32,   /* part of a page of 1 GiB */
    ENTRY_PRIVATE = 64, /* of the guest's view */
    ENTRY_GUARDED = 0x800, /* has a breakpoint: no tag matches, every access is looked at */
};

#define NO_TAG       UINT64_MAX
#define GPA(entry)   ((entry)->gpa & ~PAGE_OFFSET)
#define PAGE(linear) ((linear) & ~PAGE_OFFSET)

/* --- faults ------------------------------------------------------------------------------- */

static _Noreturn void page_fault(struct cpu *cpu, const struct insn *i, uint64_t linear,
                                 uint32_t error)
{
    cpu->cr2 = linear;
    cpu_raise_error(cpu, i, VECTOR_PF, error);
}

/*
 * Does this operand belong to the stack (then #SS instead of #GP)? In 64-bit mode the decoder has
 * dropped the segment; what is left is the base register, and for pushes the address itself.
 */
static bool is_stack_access(const struct cpu *cpu, const struct insn *i, uint64_t address)
{
    if (!i || address - cpu->gpr[RSP] + 64 < 128)
        return true;
    if (i->flags & INSN_MEM)
        return i->seg == SS || ((i->seg == SEG_FLAT) && (i->base == RSP || i->base == RBP));
    /* LEAVE and ENTER, not a string instruction that happens to point there. */
    return address == cpu->gpr[RBP] && !(form_by_number(i->form)->attributes & FORM_REP);
}

static uint64_t to_linear(struct cpu *cpu, const struct insn *i, uint64_t address, bool system)
{
    if (!cpu_64bit(cpu) && !(system && cpu_long_mode(cpu)))
        return (uint32_t)address;
    if ((uint64_t)((int64_t)(address << 16) >> 16) != address)
        cpu_raise_error(cpu, i, is_stack_access(cpu, i, address) ? VECTOR_SS : VECTOR_GP, 0);
    return address;
}

/* --- entries ------------------------------------------------------------------------------ */

/* With a bank: descriptor tables and TSS, 64-bit addresses even from compatibility mode. */
#define BANK_SYSTEM 0x100u
#define BANK(bank) ((bank) & ~BANK_SYSTEM)

static unsigned bank_access(unsigned bank)
{
    return bank == TLB_USER ? PF_USER : bank == TLB_SUPERVISOR_AC ? ACCESS_AC : 0;
}

static unsigned current_bank(const struct cpu *cpu)
{
    unsigned bank = (unsigned)((cpu->tlb - cpu->tlb_banks[0]) / TLB_SIZE);
    return bank == TLB_CHECKED ? TLB_USER : bank; /* alignment checks exist at CPL 3 only */
}

static bool checks_alignment(const struct cpu *cpu)
{
    return cpu->tlb == cpu->tlb_banks[TLB_CHECKED];
}

/* The bit of a physical page in cpu->tlb_pages. */
static unsigned filter_bit(uint64_t gpa)
{
    return (unsigned)((gpa >> 12) * 0x9E3779B97F4A7C15ull >> 52) % TLB_FILTER_BITS;
}

static void remember_page(struct cpu *cpu, uint64_t gpa)
{
    unsigned bit = filter_bit(gpa);
    cpu->tlb_pages[bit / 64] |= 1ull << (bit % 64);
}

static bool may_be_cached(const struct cpu *cpu, uint64_t gpa)
{
    unsigned bit = filter_bit(gpa);
    return cpu->tlb_pages[bit / 64] >> (bit % 64) & 1;
}

static void set_device(struct tlb_entry *entry, uint64_t page, uint64_t gpa, bool writable)
{
    *entry = (struct tlb_entry){.read = NO_TAG,
                                .write = NO_TAG,
                                .addend = page,
                                .gpa = gpa | ENTRY_DEVICE | (writable ? ENTRY_WRITE : 0u)};
}

/* Does the observer want the stores to this page one by one? */
static bool is_watched(const struct cpu *cpu, uint64_t gpa)
{
    return cpu->observer && memory_is_watched(cpu->memory, gpa);
}

static void set_memory(struct cpu *cpu, struct tlb_entry *entry, uint64_t page, uint64_t gpa,
                       const uint8_t *host, bool writable)
{
    *entry = (struct tlb_entry){
        .read = page, .write = NO_TAG, .addend = (uintptr_t)host - (uintptr_t)page, .gpa = gpa};
    if (!writable)
        return;
    if (memory_page_kind(cpu->memory, gpa) == MEMORY_ROM)
        entry->gpa |= ENTRY_ROM;
    else if (memory_has_code(cpu->memory, gpa) || is_watched(cpu, gpa))
        entry->gpa |= ENTRY_WATCHED;
    else
        entry->write = page;
}

static uint64_t size_flag(const struct translation *t)
{
    return t->page_shift == 12 ? 0u : t->page_shift == 30 ? ENTRY_HUGE : ENTRY_LARGE;
}

static uint64_t observed_rip(const struct cpu *cpu, const struct insn *i)
{
    uint64_t rip = i ? insn_rip(cpu, i) : cpu->rip;
    return cpu_64bit(cpu) ? rip : (uint32_t)(rip + cpu->seg[CS].base);
}

/* Does a leaf's C-bit decide the view of data, rather than the mode (APM 2 15.34.5)? */
static bool leaf_decides(const struct cpu *cpu)
{
    return cpu->cr0 & CR0_PG && (cpu->cr4 & CR4_PAE || cpu_long_mode(cpu));
}

/*
 * Shows the access to the observer and does what it wants with the entry: the one to fill, and
 * whether a write may go unseen.
 */
static struct tlb_entry *observe(struct cpu *cpu, const struct insn *i, uint64_t linear,
                                 size_t size, bool write, const struct translation *t,
                                 struct tlb_entry *entry, bool *writable)
{
    const struct cpu_access access = {
        .rip = observed_rip(cpu, i),
        .linear = linear,
        .gpa = t->gpa | (linear & PAGE_OFFSET),
        .size = size,
        .view = t->view,
        .page_shift = t->page_shift,
        .pcid = mmu_pcid(cpu),
        .write = write,
        .paged = leaf_decides(cpu),
        .global = t->global,
        .memory = memory_page_kind(cpu->memory, t->gpa) != MEMORY_NONE,
    };
    switch (cpu->observer->accessed(cpu->observer->context, cpu, &access)) {
    case CPU_KEEP:
        return entry;
    case CPU_KEEP_READ:
        *writable = *writable && write;
        return entry;
    case CPU_KEEP_NEVER:
        break;
    }
    if (entry->read == PAGE(linear)) /* of lesser rights: must not serve reads any more */
        *entry = (struct tlb_entry){.read = NO_TAG, .write = NO_TAG, .gpa = NO_TAG};
    return &cpu->tlb_unkept;
}

/* `size` is for the observer: bytes of this page that will be touched, 0 if none. */
static struct tlb_entry *fill(struct cpu *cpu, const struct insn *i, uint64_t address,
                              unsigned bank, bool write, size_t size)
{
    struct tlb_entry *entry = &cpu->tlb_banks[BANK(bank)][(address >> 12) & (TLB_SIZE - 1)];
    unsigned access = bank_access(BANK(bank)) | (write ? PF_WRITE : 0u);
    uint64_t linear = to_linear(cpu, i, address, bank & BANK_SYSTEM);
    struct translation t;
    uint32_t error;

    if (__builtin_expect(cpu->observer != NULL, 0))
        cpu->observed_rip = observed_rip(cpu, i);
    if (!walk_translate(cpu, linear, access, &t, &error))
        page_fault(cpu, i, linear, error);
    if (linear != address)
        cpu->tlb_alias = true;
    bool writable = t.dirty && walk_permits(cpu, &t, access | PF_WRITE);
    if (__builtin_expect(cpu->observer && cpu->observer->accessed, 0))
        entry = observe(cpu, i, linear, size, write, &t, entry, &writable);
    /* May call cpu_invalidate_page, which touches the TLB: so before the entry is set. */
    uint8_t *host = memory_page(cpu->memory, t.gpa, t.view);
    cpu->tlb_used[BANK(bank)] = true;
    remember_page(cpu, t.gpa);
    if (host)
        set_memory(cpu, entry, PAGE(address), t.gpa, host, writable);
    else
        set_device(entry, PAGE(address), t.gpa, writable);
    entry->gpa |= size_flag(&t) | (t.view == MEMORY_RAW ? 0u : ENTRY_PRIVATE);
    if (cpu->watch.data_armed && breakpoints_in_page(cpu, linear)) {
        entry->read = entry->write = NO_TAG;
        entry->gpa |= ENTRY_GUARDED;
    }
    return entry;
}

/* The entry for an access that stays in its page, filled if need be, rights checked. */
static struct tlb_entry *lookup(struct cpu *cpu, const struct insn *i, uint64_t address,
                                unsigned bank, bool write, size_t size)
{
    struct tlb_entry *entry = &cpu->tlb_banks[BANK(bank)][(address >> 12) & (TLB_SIZE - 1)];
    uint64_t page = PAGE(address);
    if (entry->read == page &&
        (!write || entry->write == page || entry->gpa & (ENTRY_WATCHED | ENTRY_ROM)))
        return entry;
    if (entry->gpa & ENTRY_DEVICE && entry->addend == page &&
        (!write || entry->gpa & ENTRY_WRITE))
        return entry;
    return fill(cpu, i, address, bank, write, size);
}

static uint8_t *host_address(const struct tlb_entry *entry, uint64_t address)
{
    return (uint8_t *)((uintptr_t)address + entry->addend);
}

/* --- loads and stores ----------------------------------------------------------------------- */

enum mmio_flag { MMIO_WRITE = 1, MMIO_IMPLICIT = 2 };

/* After an access to the I/O interface; `flags` are those of the entry. */
static void observe_mmio(struct cpu *cpu, const struct insn *i, uint64_t address, uint64_t flags,
                         uint64_t value, unsigned size, unsigned how)
{
    const struct cpu_observer *observer = cpu->observer;
    if (!observer || !observer->mmio)
        return;
    const struct cpu_mmio mmio = {
        .rip = observed_rip(cpu, i),
        .linear = cpu_64bit(cpu) ? address : (uint32_t)address,
        .gpa = (flags & ~PAGE_OFFSET) | (address & PAGE_OFFSET),
        .value = value,
        .size = size,
        .write = how & MMIO_WRITE,
        .encrypted = flags & ENTRY_PRIVATE && leaf_decides(cpu),
        .implicit = how & MMIO_IMPLICIT || !i,
        .repeated = i && i->flags & (INSN_REP | INSN_REPNE),
        .mnemonic = i && !(how & MMIO_IMPLICIT) ? form_by_number(i->form)->name : NULL,
    };
    observer->mmio(observer->context, cpu, &mmio);
}

static bool crosses_page(uint64_t address, unsigned size)
{
    return (address & PAGE_OFFSET) + size > PAGE_SIZE;
}

/*
 * Flat 32-bit segments end at 4 GiB, and an access may not run over a segment's end. Where segments
 * have bases, segment_address has looked at the limit, and linear addresses wrap (APM 2 4.5.3).
 */
static void check_end(struct cpu *cpu, const struct insn *i, uint64_t address, unsigned size,
                      unsigned bank)
{
    if (!(cpu->mode & MODE_FLAT) || bank & BANK_SYSTEM || (i && i->flags & INSN_SLOW_EA) ||
        (uint32_t)address + (uint64_t)size <= 1ull << 32)
        return;
    cpu_raise_error(cpu, i, is_stack_access(cpu, i, address) ? VECTOR_SS : VECTOR_GP, 0);
}

static void check_alignment(struct cpu *cpu, const struct insn *i, uint64_t address, unsigned size)
{
    if (!checks_alignment(cpu) || !(address & (size - 1)))
        return;
    check_end(cpu, i, address, size, current_bank(cpu));
    to_linear(cpu, i, address, false); /* faults of the segment go first: APM 2 table 8-8 */
    cpu_raise_error(cpu, i, VECTOR_AC, 0);
}

static void look_at(struct cpu *cpu, uint64_t address, unsigned size, unsigned bank, bool write)
{
    bool wide = cpu_64bit(cpu) || (bank & BANK_SYSTEM && cpu_long_mode(cpu));
    breakpoints_data(cpu, wide ? address : (uint32_t)address, size, write);
}

static uint64_t load_bank(struct cpu *cpu, const struct insn *i, uint64_t address, unsigned size,
                          unsigned bank)
{
    uint64_t value = 0;
    if (crosses_page(address, size)) {
        check_end(cpu, i, address, size, bank);
        for (unsigned n = 0; n < size; n++)
            value |= load_bank(cpu, i, address + n, 1, bank) << (8 * n);
        return value;
    }
    const struct tlb_entry *entry = lookup(cpu, i, address, bank, false, size);
    if (entry->gpa & ENTRY_GUARDED)
        look_at(cpu, address, size, bank, false);
    if (entry->gpa & ENTRY_DEVICE) {
        uint64_t flags = entry->gpa;
        cpu_intercept(cpu, i, SEV_EXIT_NPF);
        cpu->current = i;
        value = cpu->io.mmio_read(cpu->io.context, GPA(entry) | (address & PAGE_OFFSET), size);
        observe_mmio(cpu, i, address, flags, value, size, bank & BANK_SYSTEM ? MMIO_IMPLICIT : 0u);
        return value;
    }
    memcpy(&value, host_address(entry, address), size);
    return value;
}

/*
 * What makes a store a fault, #VC too, comes before the first byte is stored: of a store that is partly
 * to a device nothing may be in memory when the handler sees it.
 */
static void probe_bank(struct cpu *cpu, const struct insn *i, uint64_t address, unsigned size,
                       unsigned bank)
{
    bool crosses = crosses_page(address, size);
    if (crosses)
        check_end(cpu, i, address, size, bank);
    uint64_t flags = lookup(cpu, i, address, bank, true, 0)->gpa;
    if (crosses)
        flags |= lookup(cpu, i, PAGE(address + size - 1), bank, true, 0)->gpa;
    if (flags & ENTRY_DEVICE)
        cpu_intercept(cpu, i, SEV_EXIT_NPF);
}

/*
 * KVM maps devices so that an access is #VC for a SEV-ES guest. What reads like memory and cannot be
 * written is an ordinary nested page fault, and there is no way to emulate the store.
 */
static void intercept_store(struct cpu *cpu, const struct insn *i, uint64_t flags)
{
    if (flags & ENTRY_ROM && cpu->config.sev == CPU_SEV_ES)
        cpu_shut_down(cpu, i, "the SEV-ES guest stored to ROM or flash, which its hypervisor cannot "
                      "emulate: such stores go through the GHCB (MMIO write)");
    cpu_intercept(cpu, i, SEV_EXIT_NPF);
}

static void store_in_page(struct cpu *cpu, const struct insn *i, uint64_t address,
                          const void *value, unsigned size, unsigned bank)
{
    struct tlb_entry *entry = lookup(cpu, i, address, bank, true, size);
    uint64_t gpa = GPA(entry) | (address & PAGE_OFFSET);
    if (entry->gpa & ENTRY_GUARDED)
        look_at(cpu, address, size, bank, true);
    cpu->current = i;
    if (entry->gpa & (ENTRY_DEVICE | ENTRY_ROM)) {
        uint64_t data = 0;
        memcpy(&data, value, size);
        uint64_t flags = entry->gpa;
        intercept_store(cpu, i, flags);
        cpu->io.mmio_write(cpu->io.context, gpa, data, size);
        observe_mmio(cpu, i, address, flags, data, size,
                     MMIO_WRITE | (bank & BANK_SYSTEM ? MMIO_IMPLICIT : 0u));
        return;
    }
    if (!(entry->gpa & ENTRY_WATCHED)) {
        memcpy(host_address(entry, address), value, size);
        return;
    }
    bool watched = is_watched(cpu, gpa);
    uint64_t old = 0;
    memcpy(&old, host_address(entry, address), size);
    memcpy(host_address(entry, address), value, size);
    if (memory_has_code(cpu->memory, gpa))
        blocks_store(cpu, gpa, size);
    if (watched && cpu->observer && cpu->observer->stored) {
        cpu->observer->stored(cpu->observer->context, cpu, gpa, &old, size);
    } else if (!watched && !memory_has_code(cpu->memory, gpa)) {
        entry->gpa &= ~(uint64_t)ENTRY_WATCHED;
        entry->write = entry->read;
    }
}

static void store_bank(struct cpu *cpu, const struct insn *i, uint64_t address, const void *value,
                       unsigned size, unsigned bank)
{
    const uint8_t *bytes = value;
    if (!crosses_page(address, size)) {
        store_in_page(cpu, i, address, value, size, bank);
        return;
    }
    probe_bank(cpu, i, address, size, bank);
    for (unsigned n = 0; n < size; n++)
        store_in_page(cpu, i, address + n, bytes + n, 1, bank);
}

uint64_t mmu_load_slow(struct cpu *cpu, const struct insn *i, uint64_t address, unsigned size)
{
    check_alignment(cpu, i, address, size);
    return load_bank(cpu, i, address, size, current_bank(cpu));
}

void mmu_store_slow(struct cpu *cpu, const struct insn *i, uint64_t address, unsigned size,
                    uint64_t value)
{
    check_alignment(cpu, i, address, size);
    store_bank(cpu, i, address, &value, size, current_bank(cpu));
}

void mmu_load128_slow(struct cpu *cpu, const struct insn *i, uint64_t address, void *value)
{
    check_alignment(cpu, i, address, 16);
    unsigned bank = current_bank(cpu);
    uint64_t half[2];
    check_end(cpu, i, address, 16, bank);
    half[0] = load_bank(cpu, i, address, 8, bank);
    half[1] = load_bank(cpu, i, address + 8, 8, bank);
    memcpy(value, half, sizeof(half));
}

void mmu_store128_slow(struct cpu *cpu, const struct insn *i, uint64_t address, const void *value)
{
    check_alignment(cpu, i, address, 16);
    unsigned bank = current_bank(cpu);
    uint64_t half[2];
    memcpy(half, value, sizeof(half));
    probe_bank(cpu, i, address, 16, bank);
    store_bank(cpu, i, address, &half[0], 8, bank);
    store_bank(cpu, i, address + 8, &half[1], 8, bank);
}

void mmu_probe_write(struct cpu *cpu, const struct insn *i, uint64_t address, unsigned size)
{
    /* Multi-part stores (16 bytes and more) have no alignment of their own. */
    if (size <= 8 && !(size & (size - 1)))
        check_alignment(cpu, i, address, size);
    probe_bank(cpu, i, address, size, current_bank(cpu));
}

uint8_t *mmu_run(struct cpu *cpu, const struct insn *i, uint64_t address, uint64_t length,
                 bool write, uint64_t *ret_run)
{
    uint64_t room = PAGE_SIZE - (address & PAGE_OFFSET);
    if (checks_alignment(cpu))
        return NULL;
    uint64_t run = length < room ? length : room;
    const struct tlb_entry *entry = lookup(cpu, i, address, current_bank(cpu), write, run);
    if (entry->gpa & (ENTRY_DEVICE | ENTRY_GUARDED) ||
        (write && entry->gpa & (ENTRY_WATCHED | ENTRY_ROM)))
        return NULL;
    *ret_run = run;
    return host_address(entry, address);
}

void mmu_flush_line(struct cpu *cpu, const struct insn *i, uint64_t address)
{
    const struct cpu_observer *observer = cpu->observer;
    const struct tlb_entry *entry = lookup(cpu, i, address, current_bank(cpu), false, 0);
    if (entry->gpa & ENTRY_DEVICE)
        cpu_intercept(cpu, i, SEV_EXIT_NPF);
    if (observer && observer->line_flushed && !(entry->gpa & ENTRY_DEVICE))
        observer->line_flushed(observer->context, cpu, GPA(entry) | (address & PAGE_OFFSET),
                               entry->gpa & ENTRY_PRIVATE ? cpu->config.asid : MEMORY_RAW);
}

uint64_t mmu_load_system(struct cpu *cpu, const struct insn *i, uint64_t address, unsigned size)
{
    return load_bank(cpu, i, address, size, TLB_SUPERVISOR | BANK_SYSTEM);
}

void mmu_store_system(struct cpu *cpu, const struct insn *i, uint64_t address, unsigned size,
                      uint64_t value)
{
    store_bank(cpu, i, address, &value, size, TLB_SUPERVISOR | BANK_SYSTEM);
}

/* --- fetches -------------------------------------------------------------------------------- */

const uint8_t *mmu_fetch_page(struct cpu *cpu, uint64_t address, uint64_t *ret_gpa)
{
    bool user = cpu->cpl == 3;
    struct translation t;
    uint32_t error;
    uint64_t linear = address;

    if (!cpu_64bit(cpu))
        linear = (uint32_t)address;
    else if ((uint64_t)((int64_t)(address << 16) >> 16) != address)
        cpu_raise_error(cpu, NULL, VECTOR_GP, 0);
    struct tlb_entry *entry = &cpu->tlb_fetch[(linear >> 12) & (FETCH_TLB_SIZE - 1)];
    if (entry->read != (PAGE(linear) | user)) {
        cpu->observed_rip = linear;
        if (!walk_translate(cpu, linear, PF_FETCH | (user ? PF_USER : 0u), &t, &error))
            page_fault(cpu, NULL, linear, error);
        if (__builtin_expect(cpu->observer && cpu->observer->fetched, 0))
            cpu->observer->fetched(cpu->observer->context, cpu, linear,
                                   t.gpa | (linear & PAGE_OFFSET), t.leaf);
        const uint8_t *host = memory_page(cpu->memory, t.gpa, t.view);
        if (!host)
            return NULL;
        remember_page(cpu, t.gpa);
        *entry = (struct tlb_entry){.read = PAGE(linear) | user,
                                    .write = NO_TAG,
                                    .addend = (uintptr_t)host,
                                    .gpa = t.gpa | size_flag(&t)};
    }
    *ret_gpa = GPA(entry);
    return (const uint8_t *)entry->addend;
}

/* --- maintenance ---------------------------------------------------------------------------- */

static void forget(struct tlb_entry *entry)
{
    memset(entry, 0xFF, sizeof(*entry)); /* tags are page aligned: none of them matches */
}

void mmu_flush(struct cpu *cpu)
{
    for (unsigned bank = 0; bank < TLB_BANKS; bank++) {
        if (cpu->tlb_used[bank])
            memset(cpu->tlb_banks[bank], 0xFF, sizeof(cpu->tlb_banks[bank]));
        cpu->tlb_used[bank] = false;
    }
    memset(cpu->tlb_fetch, 0xFF, sizeof(cpu->tlb_fetch));
    memset(cpu->tlb_pages, 0, sizeof(cpu->tlb_pages));
    cpu->tlb_alias = false;
    blocks_flush_virtual(cpu);
}

static void flush_if_in_page(struct tlb_entry *entry, uint64_t address)
{
    uint64_t page = PAGE(entry->gpa & ENTRY_DEVICE ? entry->addend : entry->read);
    unsigned shift = entry->gpa & ENTRY_HUGE ? 30 : entry->gpa & ENTRY_LARGE ? 22 : 12;
    if ((page ^ address) >> shift == 0)
        forget(entry);
}

/* INVLPG drops all of a large page, of which there may be many entries: APM 3, INVLPG. */
void mmu_flush_page(struct cpu *cpu, uint64_t address)
{
    if (cpu->tlb_alias) {
        mmu_flush(cpu);
        return;
    }
    for (unsigned bank = 0; bank < TLB_BANKS; bank++) {
        for (unsigned n = 0; cpu->tlb_used[bank] && n < TLB_SIZE; n++)
            flush_if_in_page(&cpu->tlb_banks[bank][n], address);
    }
    for (unsigned n = 0; n < FETCH_TLB_SIZE; n++)
        flush_if_in_page(&cpu->tlb_fetch[n], address);
    blocks_flush_virtual(cpu);
}

void mmu_watch_page(struct cpu *cpu, uint64_t gpa)
{
    if (!may_be_cached(cpu, gpa))
        return;
    for (unsigned bank = 0; bank < TLB_BANKS; bank++) {
        if (!cpu->tlb_used[bank])
            continue;
        for (struct tlb_entry *entry = cpu->tlb_banks[bank];
             entry < cpu->tlb_banks[bank] + TLB_SIZE; entry++) {
            if (GPA(entry) == PAGE(gpa) && entry->write != NO_TAG) {
                entry->write = NO_TAG;
                entry->gpa |= ENTRY_WATCHED;
            }
        }
    }
}

void cpu_watch_stores(struct cpu *cpu, uint64_t gpa)
{
    memory_mark_watched(cpu->memory, gpa, true);
    mmu_watch_page(cpu, gpa);
}

static void forget_page(struct cpu *cpu, uint64_t gpa)
{
    for (unsigned bank = 0; bank < TLB_BANKS; bank++) {
        for (unsigned n = 0; cpu->tlb_used[bank] && n < TLB_SIZE; n++) {
            if (GPA(&cpu->tlb_banks[bank][n]) == PAGE(gpa))
                forget(&cpu->tlb_banks[bank][n]);
        }
    }
    for (unsigned n = 0; n < FETCH_TLB_SIZE; n++) {
        if (GPA(&cpu->tlb_fetch[n]) == PAGE(gpa))
            forget(&cpu->tlb_fetch[n]);
    }
}

void cpu_invalidate_page(struct cpu *cpu, uint64_t gpa)
{
    if (may_be_cached(cpu, gpa))
        forget_page(cpu, gpa);
    blocks_invalidate_page(cpu, gpa);
}

bool cpu_peek(struct cpu *cpu, uint64_t address, void *data, size_t length)
{
    uint8_t *to = data;
    while (length) {
        uint64_t linear = cpu_64bit(cpu) ? address : (uint32_t)address;
        size_t room = PAGE_SIZE - (linear & PAGE_OFFSET);
        size_t piece = length < room ? length : room;
        struct translation t;
        uint32_t error;
        if (cpu_64bit(cpu) && (uint64_t)((int64_t)(linear << 16) >> 16) != linear)
            return false;
        if (!walk_translate(cpu, linear, ACCESS_PEEK, &t, &error) ||
            memory_read(cpu->memory, t.gpa | (linear & PAGE_OFFSET), to, piece, t.view))
            return false;
        to += piece;
        address += piece;
        length -= piece;
    }
    return true;
}

static void visit_entry(const struct tlb_entry *entry, const char *bank, cpu_tlb_visitor *visitor,
                        void *context)
{
    bool device = entry->gpa & ENTRY_DEVICE, fetch = !strcmp(bank, "fetch");
    if (!~entry->gpa)
        return;
    const struct cpu_tlb_line line = {
        .bank = bank,
        .linear = PAGE(device ? entry->addend : entry->read),
        .gpa = GPA(entry),
        .device = device,
        .read = !fetch,
        .write = !fetch && (~entry->write || entry->gpa & (ENTRY_WATCHED | ENTRY_ROM | ENTRY_WRITE)),
        .watched = entry->gpa & ENTRY_WATCHED,
        .page_shift = entry->gpa & ENTRY_HUGE ? 30 : entry->gpa & ENTRY_LARGE ? 21 : 12,
    };
    visitor(context, &line);
}

void cpu_tlb_visit(const struct cpu *cpu, cpu_tlb_visitor *visitor, void *context)
{
    static const char *const names[TLB_BANKS] = {"supervisor", "user", "supervisor-ac", "checked"};
    for (unsigned n = 0; n < FETCH_TLB_SIZE; n++)
        visit_entry(&cpu->tlb_fetch[n], "fetch", visitor, context);
    for (unsigned bank = 0; bank < TLB_BANKS; bank++) {
        for (unsigned n = 0; cpu->tlb_used[bank] && n < TLB_SIZE; n++)
            visit_entry(&cpu->tlb_banks[bank][n], names[bank], visitor, context);
    }
}
