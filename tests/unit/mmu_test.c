/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The MMU without instructions: page tables written by hand, accesses made by calling the loads and
 * stores that operations use. Rights and error codes, page sizes, paging modes, the C-bit, devices.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "machine/cpu/mmu.h"
#include "machine/cpu/system.h"

#define RAM_SIZE  0x400000u
#define ROM_BASE  0x80000000u
#define MMIO_BASE 0xFE000000u
#define C_BIT     51u
#define C         (1ull << C_BIT)
#define ASID      1

#define P   1ull
#define RW  2ull
#define US  4ull
#define A   0x20ull
#define D   0x40ull
#define PS  0x80ull
#define NX  (1ull << 63)

/* Where the tables live, and one data page. */
#define PML4 0x1000u
#define PDPT 0x2000u
#define PD   0x3000u
#define PT   0x4000u
#define PAGE 0x10000u
#define LINEAR 0x5000ull /* maps to PAGE */

static struct {
    struct memory *memory;
    struct cpu *cpu;
    uint64_t mmio_address, mmio_value;
    unsigned mmio_size;
} t;

static uint64_t mmio_read(void *context, uint64_t gpa, unsigned size)
{
    t.mmio_address = gpa;
    t.mmio_size = size;
    return 0x1122334455667788;
}

static void mmio_write(void *context, uint64_t gpa, uint64_t value, unsigned size)
{
    t.mmio_address = gpa;
    t.mmio_value = value;
    t.mmio_size = size;
}

static bool apic_msr_read(void *context, uint32_t msr, uint64_t *value)
{
    return false;
}

static void page_changed(void *context, uint64_t gpa)
{
    if (t.cpu)
        cpu_invalidate_page(t.cpu, gpa);
}

static void start(enum cpu_sev_mode sev)
{
    static const uint8_t seed[32] = {9}, key[16] = "a key of the set", rom[MEMORY_PAGE_SIZE];
    struct cpu_config config = {.sev = sev,
                                .asid = sev == CPU_SEV_ON    ? ASID
                                        : sev == CPU_SEV_SME ? MEMORY_SME
                                                             : MEMORY_RAW,
                                .c_bit = C_BIT,
                                .physical_bits = 48,
                                .processors = 1};
    struct cpu_io io = {
        .mmio_read = mmio_read, .mmio_write = mmio_write, .apic_msr_read = apic_msr_read};
    memset(&t, 0, sizeof(t));
    t.memory = memory_create(seed);
    assert_int_equal(memory_add_ram(t.memory, 0, RAM_SIZE), 0);
    assert_int_equal(memory_add_rom(t.memory, ROM_BASE, sizeof(rom), rom), 0);
    memory_set_key(t.memory, ASID, key);
    memory_set_key(t.memory, MEMORY_SME, key);
    memory_set_listener(t.memory, page_changed, NULL);
    t.cpu = cpu_create(&config, t.memory, &io);
    assert_non_null(t.cpu);
}

static int setup_plain(void **state)
{
    start(CPU_SEV_OFF);
    return 0;
}

static int setup_sev(void **state)
{
    start(CPU_SEV_ON);
    return 0;
}

static int setup_sme(void **state)
{
    start(CPU_SEV_SME);
    return 0;
}

static int teardown(void **state)
{
    cpu_destroy(t.cpu);
    t.cpu = NULL;
    memory_destroy(t.memory);
    return 0;
}

static void put(uint64_t gpa, uint64_t value)
{
    assert_int_equal(memory_write(t.memory, gpa, &value, 8, t.cpu->config.asid), 0);
}

static uint64_t get(uint64_t gpa, memory_view view)
{
    uint64_t value = 0;
    assert_int_equal(memory_read(t.memory, gpa, &value, 8, view), 0);
    return value;
}

/* Long mode; LINEAR is mapped by `leaf` under tables that allow everything. */
static void map_long(uint64_t leaf)
{
    struct cpu *cpu = t.cpu;
    put(PML4, PDPT | P | RW | US);
    put(PDPT, PD | P | RW | US);
    put(PD, PT | P | RW | US);
    put(PT + 8 * (LINEAR >> 12), leaf);
    cpu->cr0 = CR0_PE | CR0_PG | CR0_WP;
    cpu->cr4 = CR4_PAE;
    cpu->cr3 = PML4;
    cpu->efer = EFER_LME | EFER_LMA | EFER_NXE;
    cpu->seg[CS].attributes = SEG_P | SEG_S | SEG_L | 0xB;
    cpu->cpl = 0;
    cpu_update_mode(cpu);
    mmu_flush(cpu);
}

enum access { READ, WRITE, FETCH };

/* The vector that an access raises, -1 for none; error code and value by reference. */
static int try_access(enum access access, uint64_t address, uint64_t *value, uint32_t *error)
{
    struct cpu *cpu = t.cpu;
    uint64_t gpa;
    if (setjmp(cpu->fault_exit)) {
        *error = cpu->fault.error;
        return (int)cpu->fault.vector;
    }
    if (access == READ)
        *value = load64(cpu, NULL, address);
    else if (access == WRITE)
        store64(cpu, NULL, address, *value);
    else
        mmu_fetch_page(cpu, address, &gpa);
    return -1;
}

static void assert_works(enum access access, uint64_t address, uint64_t *value)
{
    uint32_t error;
    assert_int_equal(try_access(access, address, value, &error), -1);
}

static void assert_faults(enum access access, uint64_t address, unsigned vector, uint32_t error)
{
    uint64_t value = 0;
    uint32_t got = 0;
    assert_int_equal(try_access(access, address, &value, &got), vector);
    assert_int_equal(got, error);
    if (vector == VECTOR_PF) /* across a page: its first byte on the second page */
        assert_int_equal(t.cpu->cr2, address % 0x1000 > 0xFF8 ? (address | 0xFFF) + 1 : address);
}

static void long_mode_maps_and_marks(void **state)
{
    uint64_t value = 0x0123456789ABCDEF;
    map_long(PAGE | P | RW | US);
    assert_works(READ, LINEAR, &(uint64_t){0});
    assert_int_equal(get(PT + 40, MEMORY_RAW), PAGE | P | RW | US | A);
    assert_int_equal(get(PD, MEMORY_RAW), PT | P | RW | US | A);
    assert_works(WRITE, LINEAR + 0x10, &value);
    assert_int_equal(get(PT + 40, MEMORY_RAW), PAGE | P | RW | US | A | D);
    assert_int_equal(get(PAGE + 0x10, MEMORY_RAW), value);
}

static void rights_and_error_codes(void **state)
{
    static const struct {
        uint64_t leaf;
        unsigned cpl;
        enum access access;
        uint64_t cr4;
        uint32_t ac;
        int error; /* -1: works */
    } cases[] = {
        {0, 0, READ, 0, 0, 0x0},
        {0, 0, WRITE, 0, 0, 0x2},
        {0, 3, WRITE, 0, 0, 0x6},
        {0, 0, FETCH, 0, 0, 0x10},
        {PAGE | P | RW, 3, READ, 0, 0, 0x5},
        {PAGE | P | RW, 0, READ, 0, 0, -1},
        {PAGE | P | US, 3, WRITE, 0, 0, 0x7},
        {PAGE | P | US, 3, READ, 0, 0, -1},
        {PAGE | P, 0, WRITE, 0, 0, 0x3},
        {PAGE | P | NX, 0, FETCH, 0, 0, 0x11},
        {PAGE | P | NX, 0, READ, 0, 0, -1},
        {PAGE | P | US | NX, 3, FETCH, 0, 0, 0x15},
        {PAGE | P | US, 0, FETCH, 0, 0, -1},
        {PAGE | P | US, 0, FETCH, CR4_SMEP, 0, 0x11},
        {PAGE | P | US, 3, FETCH, CR4_SMEP, 0, -1},
        {PAGE | P | US, 0, READ, CR4_SMAP, 0, 0x1},
        {PAGE | P | RW | US, 0, WRITE, CR4_SMAP, 0, 0x3},
        {PAGE | P | US, 0, READ, CR4_SMAP, EFLAGS_AC, -1},
        {PAGE | P, 0, READ, CR4_SMAP, 0, -1},
        {PAGE | P | RW | 1ull << 48, 0, READ, 0, 0, 0x9}, /* beyond MAXPHYADDR */
        {PAGE | P | RW | C, 0, WRITE, 0, 0, 0xB},         /* no C-bit without SEV */
        {PAGE | P | RW | 1ull << 48, 0, FETCH, 0, 0, 0x19},
    };
    for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        uint64_t value = 0;
        map_long(cases[n].leaf);
        t.cpu->cr4 |= cases[n].cr4;
        t.cpu->cpl = (uint8_t)cases[n].cpl;
        t.cpu->eflags = cases[n].ac | 2;
        cpu_update_mode(t.cpu);
        if (cases[n].error < 0)
            assert_works(cases[n].access, LINEAR, &value);
        else
            assert_faults(cases[n].access, LINEAR, VECTOR_PF, (uint32_t)cases[n].error);
    }
    t.cpu->eflags = 2;
}

static void write_protection_is_for_cr0_wp(void **state)
{
    uint64_t value = 5;
    map_long(PAGE | P);
    t.cpu->cr0 &= ~(uint64_t)CR0_WP;
    mmu_flush(t.cpu);
    assert_works(WRITE, LINEAR, &value);
}

static void nx_is_reserved_without_nxe(void **state)
{
    map_long(PAGE | P | NX);
    t.cpu->efer &= ~(uint64_t)EFER_NXE;
    assert_faults(READ, LINEAR, VECTOR_PF, 0x9);
    assert_faults(FETCH, LINEAR, VECTOR_PF, 0x9); /* and the I/D bit does not exist */
}

static void large_pages(void **state)
{
    uint64_t value = 0x77;
    map_long(0);
    put(PD + 8, 0x200000 | P | RW | PS);
    assert_works(WRITE, 0x200000 + 0x12345, &value);
    assert_int_equal(get(0x212345, MEMORY_RAW), value);
    put(PD + 16, 0x202000 | P | RW | PS);
    assert_faults(READ, 0x400000, VECTOR_PF, 0x9);
    put(PDPT + 8, 0 | P | RW | PS);
    assert_works(READ, 0x40000000 + 0x212345, &value);
    assert_int_equal(value, 0x77);
    put(PML4 + 8, PDPT | P | RW | PS);
    assert_faults(READ, 1ull << 39, VECTOR_PF, 0x9);
}

static void invlpg_drops_all_of_a_large_page(void **state)
{
    uint64_t value = 0;
    map_long(0);
    put(PD + 8, 0x200000 | P | RW | PS);
    assert_works(READ, 0x201000, &value);
    assert_works(READ, 0x3FF000, &value);
    put(PD + 8, 0);
    mmu_flush_page(t.cpu, 0x280000);
    assert_faults(READ, 0x201000, VECTOR_PF, 0);
    assert_faults(READ, 0x3FF000, VECTOR_PF, 0);
}

static void non_canonical_addresses(void **state)
{
    struct insn data = {.flags = INSN_MEM, .seg = SEG_FLAT, .base = RAX};
    struct insn stack = {.flags = INSN_MEM, .seg = SEG_FLAT, .base = RBP};
    map_long(PAGE | P | RW);
    if (!setjmp(t.cpu->fault_exit)) {
        load64(t.cpu, &data, 1ull << 47);
        fail();
    }
    assert_int_equal(t.cpu->fault.vector, VECTOR_GP);
    if (!setjmp(t.cpu->fault_exit)) {
        load64(t.cpu, &stack, 1ull << 47);
        fail();
    }
    assert_int_equal(t.cpu->fault.vector, VECTOR_SS);
}

static void stores_across_pages_check_both(void **state)
{
    uint64_t value = 0x8877665544332211;
    map_long(PAGE | P | RW);
    put(PAGE + 0xFF8, 0);
    assert_faults(WRITE, LINEAR + 0xFFC, VECTOR_PF, 2);
    assert_int_equal(get(PAGE + 0xFF8, MEMORY_RAW), 0);
    put(PT + 8 * 6, 0x20000 | P | RW);
    assert_works(WRITE, LINEAR + 0xFFC, &value);
    value = 0;
    assert_works(READ, LINEAR + 0xFFC, &value);
    assert_int_equal(value, 0x8877665544332211);
    assert_int_equal(get(0x20000, MEMORY_RAW) & 0xFFFFFFFF, 0x88776655);
}

static void devices_and_rom(void **state)
{
    uint64_t value = 0xABCD;
    map_long(MMIO_BASE | P | RW);
    assert_works(WRITE, LINEAR + 8, &value);
    assert_int_equal(t.mmio_address, MMIO_BASE + 8);
    assert_int_equal(t.mmio_value, 0xABCD);
    assert_works(READ, LINEAR + 16, &value);
    assert_int_equal(value, 0x1122334455667788);
    assert_int_equal(t.mmio_address, MMIO_BASE + 16);
    put(PT + 40, ROM_BASE | P | RW);
    mmu_flush_page(t.cpu, LINEAR);
    value = 0x40;
    assert_works(WRITE, LINEAR + 24, &value);
    assert_int_equal(t.mmio_address, ROM_BASE + 24);
    assert_works(READ, LINEAR + 24, &value);
    assert_int_equal(value, 0);
}

/* One frame through C = 1 (LINEAR) and C = 0 (LINEAR + 0x1000). */
static void c_bit_aliases(void **state)
{
    uint64_t secret = 0x5345435245543432, seen = 0, back = 0;
    map_long(PAGE | C | P | RW);
    put(PT + 8 * 6, PAGE | P | RW);
    assert_works(WRITE, LINEAR, &secret);
    assert_works(READ, LINEAR + 0x1000, &seen);
    assert_int_not_equal(seen, secret);
    assert_int_equal(get(PAGE, MEMORY_RAW), seen);
    assert_works(READ, LINEAR, &back);
    assert_int_equal(back, secret);
    /* A shared write of part of a 16-byte block garbles all of it for the private view. */
    assert_works(WRITE, LINEAR + 8, &secret);
    assert_works(WRITE, LINEAR + 0x1000, &back);
    assert_works(READ, LINEAR + 8, &seen);
    assert_int_not_equal(seen, secret);
}

static void fetches_are_private(void **state)
{
    const uint8_t *page = NULL;
    uint64_t gpa = 0;
    map_long(PAGE | P | RW);
    put(PAGE, 0x90909090); /* written with the guest's key */
    assert_int_equal(get(PAGE, MEMORY_RAW) == 0x90909090, 0);
    page = mmu_fetch_page(t.cpu, LINEAR, &gpa);
    assert_non_null(page);
    assert_int_equal(gpa, PAGE);
    assert_int_equal(page[0], 0x90);
}

static void put_view(uint64_t gpa, uint64_t value, memory_view view)
{
    assert_int_equal(memory_write(t.memory, gpa, &value, 8, view), 0);
}

/* APM 2 7.10.4: each C-bit on the way says how the next table, or the page, is stored. */
static void sme_walks_by_the_c_bits(void **state)
{
    uint64_t value = 0x0123456789ABCDEF, seen = 0, gpa;
    uint32_t error;
    map_long(0);
    put_view(PML4, PDPT | P | RW, MEMORY_RAW);
    put_view(PDPT, PD | C | P | RW, MEMORY_RAW);
    put_view(PD, PT | P | RW, MEMORY_SME);
    put_view(PT + 8 * (LINEAR >> 12), PAGE | C | P | RW, MEMORY_RAW);
    assert_works(WRITE, LINEAR, &value);
    assert_int_equal(get(PAGE, MEMORY_SME), value);
    assert_int_equal(get(PD, MEMORY_SME), PT | P | RW | A);
    put_view(PAGE, 0x9090, MEMORY_SME);
    assert_int_equal(mmu_fetch_page(t.cpu, LINEAR, &gpa)[0], 0x90);
    assert_int_equal(gpa, PAGE);

    t.cpu->cr3 = PML4 | C; /* the table was not written as encrypted */
    mmu_flush(t.cpu);
    (void)try_access(READ, LINEAR, &seen, &error);
    assert_int_not_equal(seen, 0x9090);
    put_view(PML4, PDPT | P | RW, MEMORY_SME);
    mmu_flush(t.cpu);
    assert_works(READ, LINEAR, &seen);
    assert_int_equal(seen, 0x9090);
}

/* SYSCFG bit 23 clear: the C-bit is reserved. Set at reset. */
static void sme_by_syscfg(void **state)
{
    uint64_t seen = 0, syscfg = 0, status = 1;
    uint32_t error, leaf[4];
    map_long(PAGE | C | P | RW);
    assert_true(cpu_msr_read(t.cpu, 0xC0010010, &syscfg));
    assert_int_equal(syscfg, 1u << 23);
    assert_true(cpu_msr_read(t.cpu, 0xC0010131, &status));
    assert_int_equal(status, 0);
    cpu_cpuid(t.cpu, 0x8000001F, 0, leaf);
    assert_int_equal(leaf[0], 1);
    assert_int_equal(leaf[1] & 0x3F, C_BIT);
    cpu_cpuid(t.cpu, 1, 0, leaf);
    assert_int_equal(leaf[2] >> 31, 0); /* no hypervisor */

    assert_true(cpu_msr_write(t.cpu, 0xC0010010, 0));
    put_view(PML4, PDPT | P | RW, MEMORY_RAW);
    put_view(PDPT, PD | P | RW, MEMORY_RAW);
    put_view(PD, PT | P | RW, MEMORY_RAW);
    put_view(PT + 8 * (LINEAR >> 12), PAGE | C | P | RW, MEMORY_RAW);
    assert_int_equal(try_access(READ, LINEAR, &seen, &error), VECTOR_PF);
    assert_int_equal(error, 1 | 8);
    assert_false(cpu_msr_write(t.cpu, 0xC0010010, 1u << 24));
}

static void other_modes_force_private(void **state)
{
    struct cpu *cpu = t.cpu;
    uint64_t secret = 0xFEEDFACECAFEBEEF, value = 0;
    assert_works(WRITE, PAGE, &secret); /* real mode */
    assert_int_not_equal(get(PAGE, MEMORY_RAW), secret);
    assert_int_equal(get(PAGE, ASID), secret);

    uint32_t pde = PT | P | RW, pte = PAGE | P | RW; /* 32-bit paging without PAE */
    memory_write(t.memory, PD, &pde, 4, ASID);
    memory_write(t.memory, PT + 4 * (LINEAR >> 12), &pte, 4, ASID);
    cpu->cr3 = PD;
    cpu->cr0 = CR0_PE | CR0_PG;
    cpu_update_mode(cpu);
    mmu_flush(cpu);
    assert_works(READ, LINEAR, &value);
    assert_int_equal(value, secret);
    secret = ~secret;
    assert_works(WRITE, LINEAR, &secret);
    assert_int_equal(get(PAGE, ASID), secret);
    assert_int_not_equal(get(PAGE, MEMORY_RAW), secret);
}

static void pae_obeys_the_leaf(void **state)
{
    struct cpu *cpu = t.cpu;
    uint64_t value = 0x1234, seen = 0;
    cpu->pdpte[0] = PD | P;
    put(PD, PT | P | RW | US);
    put(PT + 40, PAGE | C | P | RW);
    put(PT + 48, PAGE | P | RW);
    cpu->cr0 = CR0_PE | CR0_PG;
    cpu->cr4 = CR4_PAE;
    cpu_update_mode(cpu);
    mmu_flush(cpu);
    assert_works(WRITE, LINEAR, &value);
    assert_works(READ, LINEAR + 0x1000, &seen);
    assert_int_not_equal(seen, value);
    assert_works(WRITE, LINEAR + 0x1000, &value);
    assert_int_equal(get(PAGE, MEMORY_RAW), value);
    assert_works(READ, 0xFFFFFFFF00005000ull, &seen); /* junk above bit 31 is dropped */
    assert_faults(READ, 0x40000000, VECTOR_PF, 0);    /* absent PDPTE */
}

static void pse36_reaches_above_4g(void **state)
{
    struct cpu *cpu = t.cpu;
    uint64_t value = 3;
    uint32_t pde = 0x400000 | 1u << 13 | P | RW | PS; /* physical bit 32 */
    memory_write(t.memory, PD, &pde, 4, MEMORY_RAW);
    cpu->cr3 = PD;
    cpu->cr4 = CR4_PSE;
    cpu->cr0 = CR0_PE | CR0_PG;
    cpu_update_mode(cpu);
    mmu_flush(cpu);
    assert_works(WRITE, 0x1230, &value);
    assert_int_equal(t.mmio_address, 0x100401230ull);
}

static void peek_leaves_no_trace(void **state)
{
    uint32_t word = 0;
    map_long(PAGE | P);
    put(PAGE, 0x11223344);
    assert_true(cpu_peek(t.cpu, LINEAR, &word, 4));
    assert_int_equal(word, 0x11223344);
    assert_int_equal(get(PT + 40, MEMORY_RAW), PAGE | P);
    assert_false(cpu_peek(t.cpu, 0x7000, &word, 4));
}

int main(void)
{
#define PLAIN(f) cmocka_unit_test_setup_teardown(f, setup_plain, teardown)
#define SEV(f)   cmocka_unit_test_setup_teardown(f, setup_sev, teardown)
#define SME(f)   cmocka_unit_test_setup_teardown(f, setup_sme, teardown)
    const struct CMUnitTest tests[] = {
        PLAIN(long_mode_maps_and_marks),
        PLAIN(rights_and_error_codes),
        PLAIN(write_protection_is_for_cr0_wp),
        PLAIN(nx_is_reserved_without_nxe),
        PLAIN(large_pages),
        PLAIN(invlpg_drops_all_of_a_large_page),
        PLAIN(non_canonical_addresses),
        PLAIN(stores_across_pages_check_both),
        PLAIN(devices_and_rom),
        SEV(c_bit_aliases),
        SEV(fetches_are_private),
        SEV(other_modes_force_private),
        SEV(pae_obeys_the_leaf),
        SME(sme_walks_by_the_c_bits),
        SME(sme_by_syscfg),
        PLAIN(pse36_reaches_above_4g),
        PLAIN(peek_leaves_no_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
