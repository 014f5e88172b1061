/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The firmware's memory map and pool on the host: a random walk compared with a page-wise model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define PAGES  4096u
#define ABSENT 0xFFu

static uint64_t ram; /* base of host memory that plays guest RAM */
static uint8_t model[PAGES];

_Noreturn void panic(const char *fmt, ...);
void panic(const char *fmt, ...)
{
    fprintf(stderr, "panic: %s\n", fmt);
    abort();
}

void events_signal_group(const EFI_GUID *group)
{
    (void)group;
}

uint64_t interrupts_save(void)
{
    return 0;
}

void interrupts_restore(uint64_t flags)
{
    (void)flags;
}

static int prepare(void **state)
{
    (void)state;
    void *memory =
        mmap(NULL, PAGES * 4096ull, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED);
    ram = (uint64_t)(uintptr_t)memory;
    memory_init();
    memory_add(ram, PAGES * 4096ull, MEMORY_CONVENTIONAL);
    memory_add(ram + 100 * 4096, 4096 * 3, MEMORY_RESERVED);
    memset(model, MEMORY_CONVENTIONAL, sizeof(model));
    memset(model + 100, MEMORY_RESERVED, 3);
    return 0;
}

static void compare_with_model(void)
{
    static uint8_t buffer[48 * 4096];
    UINTN size = sizeof(buffer), key, step;
    UINT32 version;
    assert_int_equal(
        bs_get_memory_map(&size, (EFI_MEMORY_DESCRIPTOR *)buffer, &key, &step, &version),
        EFI_SUCCESS);
    assert_int_equal(step, 48);
    uint64_t next = ram;
    uint32_t last_type = ABSENT;
    for (UINTN offset = 0; offset < size; offset += step) {
        EFI_MEMORY_DESCRIPTOR d;
        memcpy(&d, buffer + offset, sizeof(d));
        assert_int_equal(d.PhysicalStart, next);
        assert_int_not_equal(d.Type, last_type); /* coalesced */
        assert_true(d.Attribute & EFI_MEMORY_WB);
        for (uint64_t i = 0; i < d.NumberOfPages; i++)
            assert_int_equal(model[(next - ram) / 4096 + i], d.Type);
        next += d.NumberOfPages * 4096;
        last_type = d.Type;
    }
    assert_int_equal(next, ram + PAGES * 4096ull);
}

static uint32_t random_number(void)
{
    static uint32_t value = 12345;
    value = value * 1664525 + 1013904223;
    return value >> 8;
}

static bool all(uint32_t page, uint32_t count, uint8_t type)
{
    for (uint32_t i = 0; i < count; i++)
        if (model[page + i] != type)
            return false;
    return true;
}

static bool all_allocated(uint32_t page, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (model[page + i] == MEMORY_CONVENTIONAL || model[page + i] == MEMORY_RESERVED)
            return false;
    return true;
}

static void random_walk(void **state)
{
    (void)state;
    static const uint8_t types[] = { MEMORY_LOADER_CODE, MEMORY_LOADER_DATA, MEMORY_BOOT_DATA,
                                     MEMORY_RUNTIME_DATA, MEMORY_ACPI_RECLAIM };
    for (unsigned step = 0; step < 20000; step++) {
        uint32_t count = 1 + random_number() % 16, page = random_number() % (PAGES - 16);
        uint8_t type = types[random_number() % 5];
        EFI_PHYSICAL_ADDRESS base = ram + page * 4096ull;
        uint64_t key = memory_map_key();
        EFI_STATUS status;
        switch (random_number() % 4) {
        case 0:
            status = bs_allocate_pages(AllocateAddress, type, count, &base);
            assert_int_equal(status == EFI_SUCCESS, all(page, count, MEMORY_CONVENTIONAL));
            break;
        case 1:
            status = bs_allocate_pages(AllocateMaxAddress, type, count, &base);
            if (status == EFI_SUCCESS) {
                assert_true(base + count * 4096ull <= ram + page * 4096ull + 1);
                page = (uint32_t)((base - ram) / 4096);
                assert_true(all(page, count, MEMORY_CONVENTIONAL));
            }
            break;
        case 2: /* of whatever types, like the conversion of part of an allocation */
            status = memory_retype(base, count, type) ? EFI_SUCCESS : EFI_NOT_FOUND;
            assert_int_equal(status == EFI_SUCCESS, all_allocated(page, count));
            break;
        default:
            status = bs_free_pages(base, count);
            assert_int_equal(status == EFI_SUCCESS, all_allocated(page, count));
            type = MEMORY_CONVENTIONAL;
        }
        assert_int_equal(status == EFI_SUCCESS, memory_map_key() != key);
        if (status == EFI_SUCCESS)
            memset(model + page, type, count);
        if (step % 256 == 0)
            compare_with_model();
    }
    compare_with_model();
}

static void status_codes(void **state)
{
    (void)state;
    EFI_PHYSICAL_ADDRESS base = 0;
    UINTN size = 0, step = 0, key;
    UINT32 version = 0;
    assert_int_equal(bs_allocate_pages(AllocateAddress, MEMORY_LOADER_DATA, 1, &base),
                     EFI_NOT_FOUND);
    assert_int_equal(bs_allocate_pages(AllocateAnyPages, MEMORY_CONVENTIONAL, 1, &base),
                     EFI_INVALID_PARAMETER);
    assert_int_equal(bs_allocate_pages(MaxAllocateType, MEMORY_LOADER_DATA, 1, &base),
                     EFI_INVALID_PARAMETER);
    assert_int_equal(bs_allocate_pages(AllocateAnyPages, MEMORY_LOADER_DATA, UINT64_MAX, &base),
                     EFI_OUT_OF_RESOURCES);
    assert_int_equal(bs_free_pages(ram + 100 * 4096, 1), EFI_NOT_FOUND); /* announced */
    assert_int_equal(bs_free_pages(ram + 1, 1), EFI_INVALID_PARAMETER);
    assert_false(memory_retype(ram + 1, 1, MEMORY_LOADER_CODE));
    assert_false(memory_retype(ram, 0, MEMORY_LOADER_CODE));
    assert_false(memory_retype(ram, UINT64_MAX, MEMORY_LOADER_CODE));
    assert_false(memory_retype(ram + 100 * 4096, 1, MEMORY_LOADER_CODE));
    assert_int_equal(bs_get_memory_map(&size, NULL, &key, &step, &version), EFI_BUFFER_TOO_SMALL);
    assert_true(size > 0 && step == 48 && version == 1);
    assert_int_equal(bs_free_pool(NULL), EFI_INVALID_PARAMETER);
}

static void page_zero_stays(void **state)
{
    (void)state;
    memory_init();
    memory_add(0, 16 * 4096, MEMORY_CONVENTIONAL);
    EFI_PHYSICAL_ADDRESS base = 0;
    assert_int_equal(bs_allocate_pages(AllocateAddress, MEMORY_LOADER_DATA, 1, &base),
                     EFI_NOT_FOUND);
    assert_int_equal(bs_free_pages(0, 1), EFI_NOT_FOUND);
    for (unsigned i = 0; i < 15; i++) {
        assert_int_equal(bs_allocate_pages(AllocateAnyPages, MEMORY_LOADER_DATA, 1, &base),
                         EFI_SUCCESS);
        assert_int_not_equal(base, 0);
    }
    assert_int_equal(bs_allocate_pages(AllocateAnyPages, MEMORY_LOADER_DATA, 1, &base),
                     EFI_OUT_OF_RESOURCES);
    base = 16 * 4096 - 1; /* the last byte allowed: freed memory below it is found again */
    assert_int_equal(bs_free_pages(15 * 4096, 1), EFI_SUCCESS);
    assert_int_equal(bs_allocate_pages(AllocateMaxAddress, MEMORY_LOADER_DATA, 1, &base),
                     EFI_SUCCESS);
    assert_int_equal(base, 15 * 4096);
}

static void pool_pieces(void **state)
{
    enum { PIECES = 500 };
    static uint8_t *pieces[PIECES];
    static size_t sizes[PIECES];
    prepare(state);
    for (unsigned step = 0; step < 20000; step++) {
        unsigned i = random_number() % PIECES;
        if (pieces[i]) {
            for (size_t at = 0; at < sizes[i]; at++)
                assert_int_equal(pieces[i][at], (uint8_t)i);
            assert_int_equal(bs_free_pool(pieces[i]), EFI_SUCCESS);
            assert_int_equal(bs_free_pool(pieces[i]), EFI_INVALID_PARAMETER);
            pieces[i] = NULL;
            continue;
        }
        void *data;
        sizes[i] = random_number() % (step % 8 ? 300 : 9000);
        assert_int_equal(
            bs_allocate_pool(step % 2 ? MEMORY_LOADER_DATA : MEMORY_RUNTIME_DATA, sizes[i], &data),
            EFI_SUCCESS);
        assert_int_equal((uintptr_t)data % 16, 0);
        memset(data, (int)i, sizes[i]);
        pieces[i] = data;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup(random_walk, prepare),
                                        cmocka_unit_test_setup(status_codes, prepare),
                                        cmocka_unit_test(page_zero_stays),
                                        cmocka_unit_test(pool_pieces) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
