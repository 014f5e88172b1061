/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* SWAP_OUT and SWAP_IN: pages that come back, and those that somebody changed meanwhile. */
#include "tests/unit/chip_rig.h"

#include "sev/bytes.h"

#define PAGE 0x1000u

struct stored {
    struct sev_swap_entry entry;
    uint8_t page[PAGE];
};

static uint16_t swap_page_out(struct rig *rig, struct stored *stored, uint64_t address)
{
    struct sev_swap_out command = {
        .handle = rig->handle,
        .src_paddr = address,
        .dst_paddr = chip_map(rig->chip, stored->page, PAGE),
        .mdata_paddr = chip_map(rig->chip, &stored->entry, sizeof(stored->entry)),
        .software_data = 0x1122334455667788,
    };
    uint16_t status = chip_command(rig->chip, SEV_SWAP_OUT, &command);
    chip_unmap(rig->chip, command.dst_paddr);
    chip_unmap(rig->chip, command.mdata_paddr);
    return status;
}

static uint16_t swap_page_in(struct rig *rig, struct stored *stored, uint64_t address)
{
    struct sev_swap_in command = {
        .handle = rig->handle,
        .src_paddr = chip_map(rig->chip, stored->page, PAGE),
        .dst_paddr = address,
        .mdata_paddr = chip_map(rig->chip, &stored->entry, sizeof(stored->entry)),
    };
    uint16_t status = chip_command(rig->chip, SEV_SWAP_IN, &command);
    chip_unmap(rig->chip, command.src_paddr);
    chip_unmap(rig->chip, command.mdata_paddr);
    return status;
}

static void begin(struct rig *rig)
{
    init(rig);
    rig->handle = launch_start_plain(rig, 1);
    assert_int_equal(activate(rig, rig->handle, ASID), SEV_SUCCESS);
    assert_int_equal(update(rig, FIRMWARE_BASE, FIRMWARE_SIZE), SEV_SUCCESS);
}

static void test_there_and_back(void **state)
{
    struct rig *rig = *state;
    struct stored first, second;
    uint8_t seen[PAGE];
    begin(rig);
    assert_int_equal(swap_page_out(rig, &first, FIRMWARE_BASE), SEV_SUCCESS);
    assert_int_equal(swap_page_out(rig, &second, FIRMWARE_BASE), SEV_SUCCESS);
    assert_hex(&first.entry.software_data, "8877665544332211");
    assert_hex(first.entry.iv, "0000000000000000");
    assert_hex(second.entry.iv, "0100000000000000");
    assert_memory_not_equal(first.page, rig->firmware, PAGE);
    assert_memory_not_equal(first.page, second.page, PAGE);
    assert_int_equal(swap_page_in(rig, &first, SECRET_BASE), SEV_SUCCESS); /* anywhere */
    assert_int_equal(memory_read(rig->memory, SECRET_BASE, seen, PAGE, ASID), 0);
    assert_memory_equal(seen, rig->firmware, PAGE);
    assert_int_equal(memory_read(rig->memory, SECRET_BASE, seen, PAGE, MEMORY_RAW), 0);
    assert_memory_not_equal(seen, rig->firmware, PAGE);
}

static void test_changed_meanwhile(void **state)
{
    struct rig *rig = *state;
    struct stored stored;
    begin(rig);
    assert_int_equal(swap_page_out(rig, &stored, FIRMWARE_BASE), SEV_SUCCESS);
    static const size_t places[] = { 0, 8, 15, 16, 31, 32, 0x3B };
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        uint8_t *byte = (uint8_t *)&stored.entry + places[i];
        *byte ^= 1;
        assert_int_equal(swap_page_in(rig, &stored, FIRMWARE_BASE), SEV_BAD_MEASUREMENT);
        *byte ^= 1;
    }
    stored.page[4000] ^= 1;
    assert_int_equal(swap_page_in(rig, &stored, FIRMWARE_BASE), SEV_BAD_MEASUREMENT);
    stored.page[4000] ^= 1;
    stored.entry.flags[0] ^= 1; /* another size than the command says */
    assert_int_equal(swap_page_in(rig, &stored, FIRMWARE_BASE), SEV_INVALID_PARAM);
    stored.entry.flags[0] ^= 1;
    uint32_t first = rig->handle; /* another guest has another key */
    rig->handle = launch_start_plain(rig, 1);
    assert_int_equal(swap_page_in(rig, &stored, FIRMWARE_BASE), SEV_INACTIVE);
    assert_int_equal(activate(rig, rig->handle, ASID + 1), SEV_SUCCESS);
    assert_int_equal(swap_page_in(rig, &stored, FIRMWARE_BASE), SEV_BAD_MEASUREMENT);
    rig->handle = first;
    assert_int_equal(swap_page_in(rig, &stored, FIRMWARE_BASE), SEV_SUCCESS);
    rig->handle = 99;
    assert_int_equal(swap_page_in(rig, &stored, FIRMWARE_BASE), SEV_INVALID_GUEST);
    assert_int_equal(swap_page_out(rig, &stored, FIRMWARE_BASE), SEV_INVALID_GUEST);
}

static void test_fields(void **state)
{
    struct rig *rig = *state;
    begin(rig);
    static const struct {
        uint32_t flags;
        uint64_t source, target, entry;
        uint16_t status;
    } faults[] = {
        { 0, FIRMWARE_BASE + 64, 0x20000, 0x30000, SEV_INVALID_ADDRESS },
        { 0, FIRMWARE_BASE, 0x20040, 0x30000, SEV_INVALID_ADDRESS },
        { 0, FIRMWARE_BASE, 0x20000, 0x30020, SEV_INVALID_ADDRESS },
        { 0, 0x200000, 0x20000, 0x30000, SEV_INVALID_ADDRESS },
        { 0, CHIP_HOST_WINDOW, 0x20000, 0x30000, SEV_INVALID_ADDRESS },
        { 0, FIRMWARE_BASE, 0x20000, 0x20FC0, SEV_INVALID_PARAM },
        { 0, FIRMWARE_BASE, 0x20000, FIRMWARE_BASE, SEV_INVALID_PARAM },
        { 0, FIRMWARE_BASE, 0x400000, 0x30000, SEV_INVALID_ADDRESS },
        { 0, FIRMWARE_BASE, 0x20000, 0x400000, SEV_INVALID_ADDRESS },
        { 1, FIRMWARE_BASE, 0x200000, 0x30000, SEV_INVALID_ADDRESS }, /* not aligned to 2 MiB */
        { 2, FIRMWARE_BASE, 0x20000, 0x30000, SEV_INVALID_PARAM },
        { 6, FIRMWARE_BASE, 0x20000, 0x30000, SEV_INVALID_PARAM },
        { 8, FIRMWARE_BASE, 0x20000, 0x30000, SEV_INVALID_PARAM }, /* in place, but OUT */
        { 16, FIRMWARE_BASE, 0x20000, 0x30000, SEV_INVALID_PARAM },
        { 4, FIRMWARE_BASE, 0x20000, 0x30000, SEV_UNSUPPORTED },   /* a VMSA */
        { 5, FIRMWARE_BASE, 0x20000, 0x30000, SEV_INVALID_PARAM }, /* a large VMSA */
        { 0, FIRMWARE_BASE, 0x20000, 0x30000, SEV_SUCCESS },
        { 0, FIRMWARE_BASE, FIRMWARE_BASE, 0x30000, SEV_SUCCESS },
    };
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        struct sev_swap_out out = { rig->handle, faults[i].flags, faults[i].source,
                                    faults[i].target, faults[i].entry, 0 };
        expect(rig, SEV_SWAP_OUT, &out, faults[i].status);
    }
    struct sev_swap_in in = { rig->handle, SEV_SWAP_IN_PLACE, 0x20000, FIRMWARE_BASE, 0x30000 };
    expect(rig, SEV_SWAP_IN, &in, SEV_UNSUPPORTED);
    rig->chip->guests[rig->handle - 1].swaps = UINT64_MAX;
    struct sev_swap_out last = { rig->handle, 0, FIRMWARE_BASE, 0x20000, 0x30000, 0 };
    expect(rig, SEV_SWAP_OUT, &last, SEV_AEAD_OFLOW);
}

/* 2 MiB at once: all memory that the rig has, to the host and back. */
static void test_large_page(void **state)
{
    struct rig *rig = *state;
    static uint8_t page[0x200000];
    struct sev_swap_entry entry;
    uint8_t seen[PAGE];
    begin(rig);
    uint64_t window = chip_map(rig->chip, page, sizeof(page));
    uint64_t mdata = chip_map(rig->chip, &entry, sizeof(entry));
    struct sev_swap_out out = { rig->handle, SEV_SWAP_LARGE, 0, window, mdata, 0 };
    struct sev_swap_in in = { rig->handle, SEV_SWAP_LARGE, window, 0, mdata };
    expect(rig, SEV_SWAP_OUT, &out, SEV_SUCCESS);
    memset(seen, 0, sizeof(seen));
    assert_int_equal(memory_write(rig->memory, FIRMWARE_BASE, seen, PAGE, ASID), 0);
    expect(rig, SEV_SWAP_IN, &in, SEV_SUCCESS);
    assert_int_equal(memory_read(rig->memory, FIRMWARE_BASE, seen, PAGE, ASID), 0);
    assert_memory_equal(seen, rig->firmware, PAGE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_there_and_back),
        TEST(test_changed_meanwhile),
        TEST(test_fields),
        TEST(test_large_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
