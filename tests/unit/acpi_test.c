/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The board's ACPI tables: the loader script is run as firmware would run it, every table must then
 * be sound, and iasl must disassemble all of them and compile the DSDT again without a complaint.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "machine/board/acpi.h"

/* Where the pretended firmware puts the two files. */
#define TABLES_AT 0x7FE00000ull
#define RSDP_AT   0xF5A00ull

static const struct acpi_config config = {
    .processors = 4,
    .ecam_base = 0xB0000000,
    .ecam_size = 0x10000000,
    .pci32_base = 0xC0000000,
    .pci32_limit = 0xFEBFFFFF,
    .pci64_base = 0x8000000000,
    .pci64_size = 0x800000000,
    .sci = 9,
};

static uint64_t get(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static void put(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static uint8_t *file_bytes(struct acpi_blobs *blobs, const char *name, size_t *size)
{
    bool tables = strcmp(name, "etc/acpi/tables") == 0;
    if (!tables)
        assert_string_equal(name, "etc/acpi/rsdp");
    *size = tables ? blobs->tables_size : blobs->rsdp_size;
    return tables ? blobs->tables : blobs->rsdp;
}

static uint8_t sum(const uint8_t *at, size_t length)
{
    uint8_t total = 0;
    while (length--)
        total = (uint8_t)(total + *at++);
    return total;
}

static void run_pointer(struct acpi_blobs *blobs, const uint8_t *arguments)
{
    size_t size;
    uint8_t *file = file_bytes(blobs, (const char *)arguments, &size);
    uint32_t offset = (uint32_t)get(arguments + 112, 4);
    uint8_t width = arguments[116];
    assert_string_equal((const char *)arguments + 56, "etc/acpi/tables");
    assert_true(offset + width <= size);
    assert_true(get(file + offset, width) < blobs->tables_size);
    put(file + offset, get(file + offset, width) + TABLES_AT, width);
}

static void run_checksum(struct acpi_blobs *blobs, const uint8_t *arguments)
{
    size_t size;
    uint8_t *file = file_bytes(blobs, (const char *)arguments, &size);
    uint32_t result = (uint32_t)get(arguments + 56, 4);
    uint32_t start = (uint32_t)get(arguments + 60, 4), length = (uint32_t)get(arguments + 64, 4);
    assert_true(result < size && start <= size && length <= size - start);
    file[result] = (uint8_t)(file[result] - sum(file + start, length));
}

static void run_script(struct acpi_blobs *blobs)
{
    assert_int_equal(blobs->loader_size % 128, 0);
    for (size_t at = 0; at < blobs->loader_size; at += 128) {
        const uint8_t *command = blobs->loader + at;
        switch (get(command, 4)) {
        case 1:
            break;
        case 2:
            run_pointer(blobs, command + 4);
            break;
        case 3:
            run_checksum(blobs, command + 4);
            break;
        default:
            fail_msg("unknown loader command");
        }
    }
}

static const uint8_t *table_at(const struct acpi_blobs *blobs, uint64_t address)
{
    assert_true(address >= TABLES_AT && address < TABLES_AT + blobs->tables_size);
    return blobs->tables + (address - TABLES_AT);
}

static void check_table(const struct acpi_blobs *blobs, const uint8_t *table, const char *signature)
{
    size_t length = (size_t)get(table + 4, 4);
    assert_memory_equal(table, signature, 4);
    assert_true(length <= blobs->tables_size - (size_t)(table - blobs->tables));
    assert_int_equal(sum(table, length), 0);
}

static const char *const expected[] = { "FACP", "APIC", "MCFG", "HPET", "WAET" };
#define TABLES (sizeof(expected) / sizeof(expected[0]))

static void tables_are_linked(void **state)
{
    struct acpi_blobs blobs;
    (void)state;
    assert_true(acpi_build(&config, &blobs));
    run_script(&blobs);
    assert_int_equal(sum(blobs.rsdp, 20), 0);
    assert_int_equal(sum(blobs.rsdp, 36), 0);
    const uint8_t *xsdt = table_at(&blobs, get(blobs.rsdp + 24, 8));
    check_table(&blobs, xsdt, "XSDT");
    assert_int_equal(get(xsdt + 4, 4), 36 + 8 * TABLES);
    for (unsigned i = 0; i < TABLES; i++)
        check_table(&blobs, table_at(&blobs, get(xsdt + 36 + 8 * i, 8)), expected[i]);
    const uint8_t *fadt = table_at(&blobs, get(xsdt + 36, 8));
    check_table(&blobs, table_at(&blobs, get(fadt + 140, 8)), "DSDT");
    assert_int_equal(get(fadt + 40, 4), get(fadt + 140, 8));
    assert_memory_equal(table_at(&blobs, get(fadt + 36, 4)), "FACS", 4);
    acpi_free(&blobs);
}

/* Writes one table to a file of its own and hands it to iasl; any complaint fails. */
static void iasl_accepts(const char *folder, const uint8_t *table)
{
    char path[256], command[1024];
    snprintf(path, sizeof(path), "%s/%.4s.aml", folder, (const char *)table);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(table, 1, (size_t)get(table + 4, 4), file), get(table + 4, 4));
    assert_int_equal(fclose(file), 0);
    snprintf(command, sizeof(command),
             "cd %s && iasl -d %.4s.aml >log 2>&1 && ! grep -Ei 'error|warning' log && "
             "iasl -p again %.4s.dsl >log 2>&1 && "
             "{ ! grep -Eq '[1-9][0-9]* (Errors|Warnings)' log || { cat log; false; }; }",
             folder, (const char *)table, (const char *)table);
    assert_int_equal(system(command), 0);
}

static void iasl_has_no_complaint(void **state)
{
    struct acpi_blobs blobs;
    char folder[] = "/tmp/privet-acpi-XXXXXX", command[64];
    (void)state;
    assert_int_equal(system("command -v iasl >/dev/null"), 0);
    assert_non_null(mkdtemp(folder));
    assert_true(acpi_build(&config, &blobs));
    run_script(&blobs);
    const uint8_t *xsdt = table_at(&blobs, get(blobs.rsdp + 24, 8));
    const uint8_t *fadt = table_at(&blobs, get(xsdt + 36, 8));
    iasl_accepts(folder, table_at(&blobs, get(fadt + 140, 8)));
    for (unsigned i = 0; i < TABLES; i++)
        iasl_accepts(folder, table_at(&blobs, get(xsdt + 36 + 8 * i, 8)));
    snprintf(command, sizeof(command), "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    acpi_free(&blobs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_linked),
        cmocka_unit_test(iasl_has_no_complaint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
