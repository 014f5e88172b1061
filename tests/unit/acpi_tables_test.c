/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The firmware's own ACPI tables: linked and summed as ACPI asks, processors numbered as CPUID's
 * topology says, and iasl disassembles all of them and compiles the DSDT again without a complaint.
 * acpiexec then runs the DSDT's methods.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "firmware/platform/acpi_tables.h"

_Noreturn void panic(const char *fmt, ...);
void panic(const char *fmt, ...)
{
    fail_msg("%s", fmt);
    abort();
}

int format(char *text, size_t size, const char *fmt, ...);
int format(char *text, size_t size, const char *fmt, ...)
{
    va_list list;
    va_start(list, fmt);
    int length = vsnprintf(text, size, fmt, list);
    va_end(list);
    return length;
}

static const struct acpi_board everything = {
    .processors = 4, .threads = 1, .cores = 4, .package_shift = 2, .high_base = 0x800000000,
    .high_end = 0x10000000000, .hpet = 0x8086A201, .keyboard = true, .panic_port = true,
};

static uint64_t get(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;
    memcpy(&value, at, bytes);
    return value;
}

static const uint8_t *table_at(uint64_t address)
{
    return (const uint8_t *)(uintptr_t)address;
}

static uint8_t *memory;
static size_t memory_size;

static const uint8_t *build(const struct acpi_board *board)
{
    memory_size = acpi_tables_size(board);
    memory = mmap(NULL, memory_size, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    assert_true(memory != MAP_FAILED);
    return acpi_tables_build(board, memory, memory_size);
}

static void forget(void)
{
    munmap(memory, memory_size);
}

static uint8_t sum(const uint8_t *at, size_t length)
{
    uint8_t total = 0;
    while (length--)
        total = (uint8_t)(total + *at++);
    return total;
}

static void check_table(const uint8_t *table, const char *signature)
{
    assert_true(table > memory && table < memory + memory_size);
    assert_memory_equal(table, signature, 4);
    assert_true(get(table + 4, 4) <= (size_t)(memory + memory_size - table));
    assert_int_equal(sum(table, get(table + 4, 4)), 0);
}

static void tables_are_linked(void **state)
{
    static const char *const expected[] = { "FACP", "APIC", "MCFG", "HPET" };
    (void)state;
    const uint8_t *rsdp = build(&everything);
    assert_memory_equal(rsdp, "RSD PTR ", 8);
    assert_int_equal(sum(rsdp, 20), 0);
    assert_int_equal(sum(rsdp, 36), 0);
    const uint8_t *rsdt = table_at(get(rsdp + 16, 4)), *xsdt = table_at(get(rsdp + 24, 8));
    check_table(rsdt, "RSDT");
    check_table(xsdt, "XSDT");
    assert_int_equal(get(xsdt + 4, 4), 36 + 8 * 4);
    for (unsigned i = 0; i < 4; i++) {
        check_table(table_at(get(xsdt + 36 + 8 * i, 8)), expected[i]);
        assert_int_equal(get(rsdt + 36 + 4 * i, 4), get(xsdt + 36 + 8 * i, 8));
    }
    const uint8_t *fadt = table_at(get(xsdt + 36, 8));
    check_table(table_at(get(fadt + 140, 8)), "DSDT");
    assert_memory_equal(table_at(get(fadt + 36, 4)), "FACS", 4);
    assert_int_equal(get(fadt + 36, 4) % 64, 0);
    forget();
}

/* APIC ids of the MADT in the order of its entries, of both forms. */
static unsigned list_processors(const uint8_t *rsdp, uint32_t *ids, unsigned room, bool *ret_wide)
{
    const uint8_t *xsdt = table_at(get(rsdp + 24, 8)), *madt = table_at(get(xsdt + 36 + 8, 8));
    const uint8_t *at = madt + 44, *end = madt + get(madt + 4, 4);
    unsigned count = 0;
    *ret_wide = false;
    for (; at < end; at += at[1]) {
        assert_true(at[1] >= 2 && at[1] <= end - at);
        assert_true(count < room);
        if (at[0] == 0) {
            assert_int_equal(at[2], count);
            ids[count++] = at[3];
        } else if (at[0] == 9) {
            assert_int_equal(get(at + 12, 4), count);
            ids[count++] = (uint32_t)get(at + 4, 4);
        } else if (at[0] == 0xA) {
            *ret_wide = true;
        }
    }
    return count;
}

static void processors_are_numbered(void **state)
{
    /* Three cores of two threads: the cores take four numbers of each package. */
    struct acpi_board board = { .processors = 12, .threads = 2, .cores = 3, .core_shift = 1,
                                .package_shift = 3 };
    static const uint32_t expected[] = { 0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13 };
    uint32_t ids[ACPI_PROCESSORS_MAX + 1];
    bool wide;
    (void)state;
    assert_int_equal(list_processors(build(&board), ids, 13, &wide), 12);
    assert_memory_equal(ids, expected, sizeof(expected));
    assert_false(wide);
    forget();
    board = (struct acpi_board){ .processors = ACPI_PROCESSORS_MAX, .threads = 1, .cores = 64,
                                 .package_shift = 6 };
    assert_int_equal(list_processors(build(&board), ids, ACPI_PROCESSORS_MAX + 1, &wide),
                     ACPI_PROCESSORS_MAX);
    for (unsigned i = 0; i < ACPI_PROCESSORS_MAX; i++)
        assert_int_equal(ids[i], i);
    assert_true(wide);
    forget();
}

/* Any complaint fails. */
static void iasl_accepts(const char *folder, const uint8_t *table)
{
    char path[256], command[1024];
    snprintf(path, sizeof(path), "%s/%.4s.aml", folder, (const char *)table);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(table, 1, get(table + 4, 4), file), get(table + 4, 4));
    assert_int_equal(fclose(file), 0);
    snprintf(command, sizeof(command),
             "cd %s && iasl -d %.4s.aml >log 2>&1 && ! grep -Ei 'error|warning' log && "
             "iasl -p again %.4s.dsl >log 2>&1 && "
             "{ ! grep -Eq '[1-9][0-9]* (Errors|Warnings)' log || { cat log; false; }; }",
             folder, (const char *)table, (const char *)table);
    assert_int_equal(system(command), 0);
}

/* _OSC, with the last byte of the UUID. */
static void control_answers(const char *folder, const char *last, const char *answer)
{
    char command[1024];
    snprintf(command, sizeof(command),
             "cd %s && acpiexec -b 'execute \\_SB.PCI0._OSC (5B 4D DB 33 F7 1F 1C 40 96 57 74 41 "
             "C0 3D D7 %s) 1 3 (00 00 00 00 00 00 00 00 05 00 00 00)' DSDT.aml >log 2>&1 && "
             "grep -q '0000: %s' log || { cat log; false; }",
             folder, last, answer);
    assert_int_equal(system(command), 0);
}

static void tools_have_no_complaint(const struct acpi_board *board)
{
    char folder[] = "/tmp/privet-acpi-XXXXXX", command[64];
    assert_non_null(mkdtemp(folder));
    const uint8_t *xsdt = table_at(get(build(board) + 24, 8));
    const uint8_t *fadt = table_at(get(xsdt + 36, 8));
    iasl_accepts(folder, table_at(get(fadt + 140, 8)));
    for (unsigned i = 0; i < (get(xsdt + 4, 4) - 36) / 8; i++)
        iasl_accepts(folder, table_at(get(xsdt + 36 + 8 * i, 8)));
    /* Hot plug and PME asked for, PME granted; a foreign UUID is refused. */
    control_answers(folder, "66", "10 00 00 00 00 00 00 00 04 00 00 00");
    control_answers(folder, "67", "04 00 00 00 00 00 00 00 05 00 00 00");
    snprintf(command, sizeof(command), "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    forget();
}

static void iasl_has_no_complaint(void **state)
{
    static const struct acpi_board little = { .processors = 1, .threads = 1, .cores = 1 };
    (void)state;
    assert_int_equal(system("command -v iasl acpiexec >/dev/null"), 0);
    tools_have_no_complaint(&everything);
    tools_have_no_complaint(&little);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_linked),
        cmocka_unit_test(processors_are_numbered),
        cmocka_unit_test(iasl_has_no_complaint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
