/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The firmware's parsers of what the host says (memory map, ACPI table loader, SMBIOS), built for
 * the host with a fake fw_cfg: good input, each kind of bad input, and random damage, which must
 * end in a refusal and never in an access outside the files (the sanitizers watch).
 */
#define _GNU_SOURCE /* memmem */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "firmware/boot/direct.h"
#include "firmware/platform/acpi.h"
#include "firmware/platform/fwcfg.h"
#include "firmware/platform/memory_map.h"
#include "firmware/platform/q35.h"
#include "firmware/platform/smbios.h"
#include "firmware/sev/sev.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/uefi.h"

void log_line(const char *fmt, ...);
_Noreturn void panic(const char *fmt, ...);

/* The symbols of the linker script. */
const char __body_start[1], __code_end[1], __bss_end[1], __stack_top[1];

struct fake_file {
    const char *name;
    uint8_t *data;
    uint32_t size;
};

enum { KEY_BASE = 0x20, ALLOCATIONS = 64 };

static struct fake_file files[8];
static size_t file_count, position;
static uint16_t selected;
static jmp_buf stopped;
static unsigned tables_set, lines;
static void *last_table;
static struct { void *base; size_t length; } allocations[ALLOCATIONS];
static size_t allocation_count;

void log_line(const char *fmt, ...)
{
    lines++;
}

void panic(const char *fmt, ...)
{
    longjmp(stopped, 1);
}

static bool measured;
static unsigned builtin_used;

bool direct_measured(void)
{
    return measured;
}

void acpi_builtin_init(void)
{
    builtin_used++;
}

static bool encrypted_state;

bool sev_es(void)
{
    return encrypted_state;
}

bool sev_active(void)
{
    return false;
}

uint64_t sev_c_mask(void)
{
    return 0;
}

unsigned q35_address_bits(void)
{
    return 40;
}

bool fwcfg_find(const char *name, uint16_t *ret_key, uint32_t *ret_size)
{
    for (size_t i = 0; i < file_count; i++) {
        if (strcmp(files[i].name, name) == 0) {
            *ret_key = (uint16_t)(KEY_BASE + i);
            *ret_size = files[i].size;
            return true;
        }
    }
    return false;
}

void fwcfg_read_more(void *data, size_t length)
{
    const struct fake_file *file = &files[selected - KEY_BASE];

    for (size_t i = 0; i < length; i++, position++) {
        ((uint8_t *)data)[i] = position < file->size ? file->data[position] : 0;
    }
}

void fwcfg_read(uint16_t key, void *data, size_t length)
{
    selected = key;
    position = 0;
    fwcfg_read_more(data, length);
}

bool fwcfg_write(uint16_t key, uint32_t offset, const void *data, uint32_t length)
{
    struct fake_file *file = &files[key - KEY_BASE];

    assert_true(offset <= file->size && length <= file->size - offset);
    memcpy(file->data + offset, data, length);
    return true;
}

/* Below 4 GiB, as the firmware's; the page after it is not accessible. */
uint64_t memory_allocate(enum memory_type type, uint64_t pages, uint64_t limit)
{
    size_t length = (pages + 1) * 4096;
    uint8_t *base;

    if (allocation_count == ALLOCATIONS) {
        return 0;
    }
    base = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1,
                0);
    if (base == MAP_FAILED || mprotect(base + pages * 4096, 4096, PROT_NONE) != 0) {
        return 0;
    }
    allocations[allocation_count].base = base;
    allocations[allocation_count++].length = length;
    return (uintptr_t)base;
}

void memory_add(uint64_t base, uint64_t length, enum memory_type type)
{
}

void *pool_allocate(enum memory_type type, size_t size)
{
    return malloc(size);
}

void pool_free(void *data)
{
    free(data);
}

void uefi_set_table(const struct guid *guid, void *table)
{
    tables_set++;
    last_table = table;
}

static void reset(void)
{
    while (allocation_count > 0) {
        allocation_count--;
        munmap(allocations[allocation_count].base, allocations[allocation_count].length);
    }
    file_count = 0;
    tables_set = lines = 0;
    last_table = NULL;
}

static void add_file(const char *name, void *data, uint32_t size)
{
    files[file_count++] = (struct fake_file){ name, data, size };
}

/* --- memory map: the module keeps its ranges, so each case runs in a fresh order --- */

struct entry {
    uint64_t base, length;
    uint32_t type;
} __attribute__((packed));

static bool map_accepted(struct entry *entries, uint32_t size)
{
    reset();
    add_file("etc/e820", entries, size);
    if (setjmp(stopped) != 0) {
        return false;
    }
    memory_map_read();
    return true;
}

static void memory_map_cases(void **state)
{
    struct entry good[] = {
        { 0x100000000, 0x40000000, 1 }, { 0, 0x80000000, 1 }, { 0xFD00000000, 0x300000000, 2 } };
    struct entry overlap[] = { { 0, 0x40000000, 1 }, { 0x30000000, 0x20000000, 1 } };
    struct entry wrap[] = { { 0, 0x40000000, 1 }, { 0xFFFFFFFFFFFFF000, 0x2000, 1 } };
    struct entry beyond[] = { { 0, 0x40000000, 1 }, { 1ull << 40, 0x1000, 1 } };
    struct entry devices[] = { { 0, 0xC0000000, 1 } };
    struct entry small[] = { { 0, 0x800000, 1 } };
    struct entry over_us[] = { { 0, 0x40000000, 1 }, { 0x900000, 0x1000, 2 } };
    uint64_t base, length;

    assert_true(map_accepted(good, sizeof(good)));
    assert_true(memory_map_ram(0, &base, &length));
    assert_int_equal(base, 0);
    assert_int_equal(length, 0xA0000);
    assert_true(memory_map_ram(1, &base, &length));
    assert_int_equal(base, 0x100000);
    assert_int_equal(length, 0x80000000 - 0x100000);
    assert_true(memory_map_ram(2, &base, &length));
    assert_false(memory_map_ram(3, &base, &length));
    assert_int_equal(memory_map_top(), 0x140000000);
    assert_int_equal(memory_map_reserved_after(0x800000000), 0xFD00000000);

    assert_false(map_accepted(overlap, sizeof(overlap)));
    assert_false(map_accepted(wrap, sizeof(wrap)));
    assert_false(map_accepted(beyond, sizeof(beyond)));
    assert_false(map_accepted(devices, sizeof(devices)));
    assert_false(map_accepted(small, sizeof(small)));
    assert_false(map_accepted(over_us, sizeof(over_us)));
    assert_false(map_accepted(good, 0));
    assert_false(map_accepted(good, 21));
    assert_false(map_accepted(good, 20 * 4000));
}

static void memory_map_random(void **state)
{
    srandom(1);
    for (unsigned n = 0; n < 20000; n++) {
        struct entry entries[4] = { { 0, 0x40000000, 1 } };
        for (unsigned i = 1; i < 4; i++) {
            entries[i] = (struct entry){ (uint64_t)random() << (random() % 33),
                                         (uint64_t)random() << (random() % 33),
                                         (uint32_t)random() % 3 };
        }
        if (map_accepted(entries, sizeof(entries))) {
            uint64_t base, length, last = 0;
            for (size_t i = 0; memory_map_ram(i, &base, &length); i++) {
                assert_true(base >= last && length != 0 && base + length <= 1ull << 40);
                last = base + length;
            }
        }
    }
}

/* --- ACPI --- */

enum { COMMAND = 128, TABLES = 256 };

static uint8_t script[16][COMMAND], rsdp[20], tables[TABLES], write_back[8];
static size_t script_count;

static uint8_t *command(uint32_t type, const char *first, const char *second)
{
    uint8_t *c = script[script_count++];

    memset(c, 0, COMMAND);
    memcpy(c, &type, 4);
    snprintf((char *)c + 4, 56, "%s", first);
    if (second != NULL) {
        snprintf((char *)c + 60, 56, "%s", second);
    }
    return c;
}

static void put32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, 4);
}

/* RSDP -> RSDT with one table, all checksums by script, one write-pointer. */
static void acpi_build(void)
{
    uint8_t *c;

    reset();
    script_count = 0;
    memset(rsdp, 0, sizeof(rsdp));
    memset(tables, 0, sizeof(tables));
    memcpy(rsdp, "RSD PTR ", 8);
    memcpy(tables + 64, "RSDT", 4);
    put32(tables + 68, 40);
    memcpy(tables + 128, "FACP", 4);
    put32(tables + 132, 64);
    put32(tables + 64 + 36, 128);
    put32(rsdp + 16, 64);

    put32(command(1, "etc/acpi/rsdp", NULL) + 60, 16);
    put32(command(1, "etc/acpi/tables", NULL) + 60, 64);
    c = command(2, "etc/acpi/tables", "etc/acpi/tables");
    put32(c + 116, 64 + 36);
    c[120] = 4;
    c = command(3, "etc/acpi/tables", NULL);
    put32(c + 60, 64 + 9);
    put32(c + 64, 64);
    put32(c + 68, 40);
    c = command(2, "etc/acpi/rsdp", "etc/acpi/tables");
    put32(c + 116, 16);
    c[120] = 4;
    c = command(3, "etc/acpi/rsdp", NULL);
    put32(c + 60, 8);
    put32(c + 64, 0);
    put32(c + 68, 20);
    c = command(4, "etc/write", "etc/acpi/tables");
    put32(c + 116, 0);
    put32(c + 120, 16);
    c[124] = 8;
    add_file("etc/table-loader", script, (uint32_t)(script_count * COMMAND));
    add_file("etc/acpi/rsdp", rsdp, sizeof(rsdp));
    add_file("etc/acpi/tables", tables, sizeof(tables));
    add_file("etc/write", write_back, sizeof(write_back));
}

static uint8_t byte_sum(const uint8_t *data, size_t length)
{
    uint8_t sum = 0;

    while (length > 0) {
        sum = (uint8_t)(sum + data[--length]);
    }
    return sum;
}

static void acpi_good(void **state)
{
    uint64_t xsdt, written;
    const uint8_t *table;

    acpi_build();
    acpi_init();
    assert_int_equal(tables_set, 1);
    table = last_table;
    assert_memory_equal(table, "RSD PTR ", 8);
    assert_int_equal(table[15], 2);
    assert_int_equal(byte_sum(table, 20), 0);
    assert_int_equal(byte_sum(table, 36), 0);
    memcpy(&xsdt, table + 24, 8);
    assert_memory_equal((const void *)(uintptr_t)xsdt, "XSDT", 4);
    assert_int_equal(byte_sum((const void *)(uintptr_t)xsdt, 44), 0);
    memcpy(&xsdt, (const uint8_t *)(uintptr_t)xsdt + 36, 8);
    assert_memory_equal((const void *)(uintptr_t)xsdt, "FACP", 4);
    memcpy(&written, write_back, 8);
    assert_int_equal(written, xsdt - 128 + 16);
}

static void acpi_refused(size_t index, size_t offset, uint32_t value)
{
    acpi_build();
    put32(script[index] + offset, value);
    acpi_init();
    assert_int_equal(tables_set, 0);
    assert_true(lines > 0);
}

static void acpi_bad(void **state)
{
    acpi_refused(0, 60, 3);           /* alignment */
    acpi_refused(1, 4, 0x41414141);   /* no such file */
    acpi_refused(2, 116, TABLES - 3); /* pointer across the end */
    acpi_refused(2, 116, 0xFFFFFFFF);
    acpi_refused(2, 120, 3);          /* pointer width */
    acpi_refused(2, 120, 2);          /* an address does not fit */
    acpi_refused(3, 60, TABLES);      /* checksum outside */
    acpi_refused(3, 68, 0xFFFFFFFF);
    acpi_refused(6, 120, TABLES);     /* write-pointer target */
    acpi_refused(6, 116, 1);          /* eight bytes at 1 of 8 */
    acpi_build();
    put32(tables + 64 + 36, TABLES);  /* a pointer beyond its target */
    acpi_init();
    assert_int_equal(tables_set, 0);
    acpi_build();
    files[0].size -= 1;
    acpi_init();
    assert_int_equal(tables_set, 0);
}

static void acpi_random(void **state)
{
    srandom(2);
    for (unsigned n = 0; n < 20000; n++) {
        acpi_build();
        for (long i = random() % 4; i >= 0; i--) {
            uint8_t *where = random() % 2 ? script[0] : tables;
            size_t size = where == tables ? TABLES : script_count * COMMAND;
            where[(size_t)random() % size] = (uint8_t)random();
        }
        acpi_init();
    }
    reset();
}

static void acpi_builtin_choice(void **state)
{
    static char word[] = "builtin", other[] = "builtout";

    acpi_build();
    measured = true;
    acpi_init();
    measured = false;
    assert_int_equal(tables_set, 0);
    assert_int_equal(builtin_used, 1);
    acpi_build();
    add_file("opt/org.privet/acpi", word, 7);
    acpi_init();
    assert_int_equal(tables_set, 0);
    assert_int_equal(builtin_used, 2);
    acpi_build();
    add_file("opt/org.privet/acpi", other, 8);
    acpi_init();
    assert_int_equal(tables_set, 1);
    assert_int_equal(builtin_used, 2);
    reset();
}

/* --- SMBIOS --- */

static uint8_t anchor[31], structures[64];

static void smbios_build(void)
{
    static const uint8_t sample[] = { 1, 6, 0, 0, 1, 0, 'a', 0, 0, 127, 4, 1, 0, 0, 0 };

    reset();
    memset(anchor, 0, sizeof(anchor));
    memcpy(anchor, "_SM_", 4);
    memcpy(structures, sample, sizeof(sample));
    add_file("etc/smbios/smbios-anchor", anchor, sizeof(anchor));
    add_file("etc/smbios/smbios-tables", structures, sizeof(sample));
}

static void smbios_cases(void **state)
{
    smbios_build();
    smbios_init();
    assert_int_equal(tables_set, 1);
    assert_int_equal(byte_sum(last_table, 31), 0);
    assert_int_equal(byte_sum((const uint8_t *)last_table + 16, 15), 0);
    assert_int_equal(((const uint8_t *)last_table)[0x1C], 3); /* with the firmware's own */

    smbios_build();
    structures[1] = 3; /* shorter than a header */
    smbios_init();
    assert_int_equal(tables_set, 0);
    smbios_build();
    structures[1] = 200; /* beyond the end */
    smbios_init();
    assert_int_equal(tables_set, 0);
    smbios_build();
    files[1].size = 14; /* the last string set is open */
    smbios_init();
    assert_int_equal(tables_set, 0);
    smbios_build();
    files[0].size = 30;
    smbios_init();
    assert_int_equal(tables_set, 0);
    reset();
}

static uint64_t number(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;

    memcpy(&value, at, bytes);
    return value;
}

/* In a measured boot not a byte is the host's; dmidecode's rules of structure hold. */
static void smbios_own(void **state)
{
    static const uint8_t types[] = { 0, 1, 3, 16, 17, 19, 19, 32, 127 };
    struct entry ram[] = { { 0, 0x80000000, 1 }, { 0x100000000, 0x40000000, 1 } };
    const uint8_t *at;

    assert_true(map_accepted(ram, sizeof(ram)));
    smbios_build();
    memcpy(structures + 6, "HOST", 4);
    measured = true;
    smbios_init();
    measured = false;
    assert_int_equal(tables_set, 1);
    assert_memory_equal(last_table, "_SM3_", 5);
    assert_int_equal(byte_sum(last_table, 24), 0);
    at = (const uint8_t *)(uintptr_t)number((const uint8_t *)last_table + 16, 8);
    uint64_t size = number((const uint8_t *)last_table + 12, 4);
    assert_null(memmem(at, size, "HOST", 4));
    const uint8_t *end = at + size;
    for (unsigned i = 0; i < sizeof(types); i++) {
        assert_int_equal(at[0], types[i]);
        if (types[i] == 16) {
            assert_int_equal(number(at + 15, 8), 3ull << 30);
        }
        const uint8_t *text = at + at[1];
        while (text[0] != 0 || text[1] != 0) {
            text++;
        }
        at = text + 2;
    }
    assert_ptr_equal(at, end);
    reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_map_cases), cmocka_unit_test(memory_map_random),
        cmocka_unit_test(acpi_good), cmocka_unit_test(acpi_bad), cmocka_unit_test(acpi_random),
        cmocka_unit_test(acpi_builtin_choice), cmocka_unit_test(smbios_cases),
        cmocka_unit_test(smbios_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
