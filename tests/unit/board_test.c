/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The board through its processor callbacks: clocks, interrupt controllers, flash, fw_cfg, PCI.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/board_harness.h"

#define APIC  UINT64_C(0xFEE00000)
#define IOAPIC UINT64_C(0xFEC00000)
#define VARS  (UINT64_C(0x100000000) - 65536 - 16384)

static int setup(void **state)
{
    *state = harness_create(NULL);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    harness_destroy(*state);
    return 0;
}

static uint64_t mmio_read(struct harness *h, uint64_t gpa, unsigned size)
{
    return h->io->mmio_read(h->io->context, gpa, size);
}

static void mmio_write(struct harness *h, uint64_t gpa, uint64_t value, unsigned size)
{
    h->io->mmio_write(h->io->context, gpa, value, size);
}

static void apic_write(struct harness *h, unsigned offset, uint32_t value)
{
    mmio_write(h, APIC + offset, value, 4);
}

static void unclaimed_reads_all_ones(void **state)
{
    struct harness *h = *state;

    assert_int_equal(in(h, 0x2F9, 1), 0xFF);
    assert_int_equal(in(h, 0x1234, 4), 0xFFFFFFFF);
    assert_true(mmio_read(h, 0xFED40000, 8) == UINT64_MAX);
    assert_int_equal(mmio_read(h, 0xFED40000, 4), 0xFFFFFFFF);
    assert_int_equal(config_read(h, 0x50, 0, 4), 0xFFFFFFFF);
    mmio_write(h, 0xFED40000, 1, 8);
    out(h, 0x80, 1, 1);
}

static void polling_moves_time(void **state)
{
    struct harness *h = *state;
    uint64_t start = board_now_ns(h->board);
    uint32_t first, last;

    config_write(h, 0xF8, 0x40, 0x601, 4);
    config_write(h, 0xF8, 0x44, 0x80, 1);
    first = in(h, 0x608, 4);
    for (int i = 0; i < 1000; i++)
        last = in(h, 0x608, 4);
    assert_true(board_now_ns(h->board) - start >= 1000000);
    /* 1000 us of the 3.579545 MHz timer */
    assert_in_range(last - first, 3579 - 4, 3579 + 4);
    assert_true(last < 0x1000000);
}

/* The clocks agree to a part in a thousand over 10 ms. */
static void clocks_agree(void **state)
{
    struct harness *h = *state;
    uint64_t tsc;
    unsigned low, high;

    config_write(h, 0xF8, 0x40, 0x601, 4);
    config_write(h, 0xF8, 0x44, 0x80, 1);
    apic_write(h, 0xF0, 0x1FF);
    apic_write(h, 0x3E0, 0xB); /* divide by 1 */
    apic_write(h, 0x380, 0xFFFFFFFF);
    out(h, 0x61, 1, 1);
    out(h, 0x43, 0xB0, 1); /* channel 2, mode 0 */
    out(h, 0x42, 0xFF, 1);
    out(h, 0x42, 0xFF, 1);
    tsc = h->io->tsc_read(h->io->context);
    uint32_t pm = in(h, 0x608, 4);

    h->cpu.instructions += 10000000; /* 10 ms */
    tsc = h->io->tsc_read(h->io->context) - tsc;
    pm = in(h, 0x608, 4) - pm;
    assert_in_range(tsc, 19980000, 20020000);
    assert_in_range(pm, 35760, 35840);
    assert_in_range(0xFFFFFFFF - mmio_read(h, APIC + 0x390, 4), 9990000, 10020000);
    low = in(h, 0x42, 1);
    high = in(h, 0x42, 1);
    assert_in_range(0xFFFF - (high << 8 | low), 11920, 11960);
}

static void apic_timer_modes(void **state)
{
    struct harness *h = *state;
    uint64_t start;

    apic_write(h, 0xF0, 0x1FF);
    apic_write(h, 0x3E0, 0xB);
    apic_write(h, 0x320, 0x40); /* one-shot, vector 0x40 */
    start = board_now_ns(h->board);
    apic_write(h, 0x380, 5000000);
    assert_int_equal(next_interrupt(h), 0x40);
    assert_in_range(board_now_ns(h->board) - start, 5000000, 5000010);
    apic_write(h, 0xB0, 0);
    assert_int_equal(next_interrupt(h), -1); /* fires once */

    apic_write(h, 0x320, 0x20041); /* periodic */
    start = board_now_ns(h->board);
    apic_write(h, 0x380, 10000000);
    for (int i = 1; i <= 5; i++) {
        assert_int_equal(next_interrupt(h), 0x41);
        assert_in_range(board_now_ns(h->board) - start, i * 10000000, i * 10000000 + 10);
        apic_write(h, 0xB0, 0);
    }
    apic_write(h, 0x320, 0x40042); /* TSC deadline */
    uint64_t tsc = h->io->tsc_read(h->io->context);
    assert_true(h->io->apic_msr_write(h->io->context, 0x6E0, tsc + 2000000));
    start = board_now_ns(h->board);
    assert_int_equal(next_interrupt(h), 0x42);
    assert_in_range(board_now_ns(h->board) - start, 999990, 1000010);
}

/* A period of one nanosecond must not keep the machine from running. */
static void apic_timer_storm_is_bounded(void **state)
{
    struct harness *h = *state;

    apic_write(h, 0xF0, 0x1FF);
    apic_write(h, 0x3E0, 0xB);
    apic_write(h, 0x320, 0x20041);
    apic_write(h, 0x380, 1);
    for (int i = 0; i < 1000; i++) {
        board_run_timers(h->board);
        assert_true(board_next_deadline(h->board) > h->cpu.instructions);
        h->cpu.instructions += 1000;
    }
}

static void priorities_and_eoi(void **state)
{
    struct harness *h = *state;

    apic_write(h, 0xF0, 0x1FF);
    apic_write(h, 0x300, 0x40031); /* self IPIs */
    apic_write(h, 0x300, 0x40052);
    assert_true(h->cpu.interrupt);
    assert_int_equal(h->io->interrupt_acknowledge(h->io->context), 0x52);
    assert_false(h->cpu.interrupt); /* 0x31 is below what is in service */
    apic_write(h, 0xB0, 0);
    assert_true(h->cpu.interrupt);
    h->io->cr8_write(h->io->context, 3);
    assert_false(h->cpu.interrupt);
    h->io->cr8_write(h->io->context, 2);
    assert_int_equal(h->io->interrupt_acknowledge(h->io->context), 0x31);
    assert_int_equal(h->io->interrupt_acknowledge(h->io->context), -1);
}

static void x2apic_rules(void **state)
{
    struct harness *h = *state;
    void *c = h->io->context;
    uint64_t value;

    assert_false(h->io->apic_msr_read(c, 0x802, &value)); /* not in x2APIC mode yet */
    assert_true(h->io->apic_msr_write(c, 0x1B, 0xFEE00D00));
    assert_true(h->io->apic_msr_read(c, 0x802, &value));
    assert_int_equal(value, 0);
    assert_false(h->io->apic_msr_write(c, 0x802, 1));
    assert_false(h->io->apic_msr_write(c, 0x80B, 1)); /* EOI takes zero only */
    assert_false(h->io->apic_msr_read(c, 0x831, &value));
    assert_false(h->io->apic_msr_write(c, 0x1B, 0xFEE00900)); /* straight back to xAPIC */
    assert_true(h->io->apic_msr_write(c, 0x80F, 0x1FF));
    assert_true(h->io->apic_msr_write(c, 0x83F, 0x77));
    assert_int_equal(h->io->interrupt_acknowledge(c), 0x77);
    assert_int_equal(mmio_read(h, APIC + 0x30, 4), 0xFFFFFFFF); /* the page is gone */
    board_reset(h->board);
    assert_int_equal(mmio_read(h, APIC + 0x30, 4), 0x50014);
}

static void apic_base_moves(void **state)
{
    struct harness *h = *state;

    assert_true(h->io->apic_msr_write(h->io->context, 0x1B, 0xFD000900));
    assert_int_equal(mmio_read(h, 0xFD000030, 4), 0x50014);
    assert_int_equal(mmio_read(h, APIC + 0x30, 4), 0xFFFFFFFF);
}

static void init_pics(struct harness *h)
{
    static const uint8_t sequence[][2] = {
        { 0x20, 0x11 }, { 0xA0, 0x11 }, { 0x21, 0x30 }, { 0xA1, 0x38 }, { 0x21, 4 },
        { 0xA1, 2 },    { 0x21, 1 },    { 0xA1, 1 },    { 0x21, 0 },    { 0xA1, 0 },
    };

    for (size_t i = 0; i < sizeof(sequence) / sizeof(sequence[0]); i++)
        out(h, sequence[i][0], sequence[i][1], 1);
}

static void pit_through_pic(void **state)
{
    struct harness *h = *state;
    uint64_t start;

    init_pics(h);
    apic_write(h, 0xF0, 0x1FF);
    apic_write(h, 0x350, 0x700); /* LINT0 as ExtINT */
    out(h, 0x43, 0x34, 1);       /* channel 0, mode 2 */
    start = board_now_ns(h->board);
    out(h, 0x40, 11932 & 0xFF, 1); /* 10 ms */
    out(h, 0x40, 11932 >> 8, 1);
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(next_interrupt(h), 0x30);
        assert_in_range(board_now_ns(h->board) - start, i * 9999000, i * 10001000);
        out(h, 0x20, 0x20, 1);
    }
    out(h, 0x21, 1, 1); /* masked: nobody hears it, and the machine notices */
    assert_int_equal(next_interrupt(h), -1);
}

static void ioapic_write(struct harness *h, unsigned reg, uint32_t value)
{
    mmio_write(h, IOAPIC, reg, 4);
    mmio_write(h, IOAPIC + 0x10, value, 4);
}

static void pit_through_ioapic(void **state)
{
    struct harness *h = *state;

    apic_write(h, 0xF0, 0x1FF);
    mmio_write(h, IOAPIC, 1, 4);
    assert_int_equal(mmio_read(h, IOAPIC + 0x10, 4), 0x170020);
    ioapic_write(h, 0x11 + 2 * 2, 0);
    ioapic_write(h, 0x10 + 2 * 2, 0x30);
    out(h, 0x43, 0x30, 1); /* mode 0: once */
    out(h, 0x40, 0, 1);
    out(h, 0x40, 0x10, 1);
    assert_int_equal(next_interrupt(h), 0x30);
    apic_write(h, 0xB0, 0);
    assert_int_equal(next_interrupt(h), -1);
}

/* SCI: level-triggered, asserted until its cause goes; remote IRR holds it back until EOI. */
static void level_interrupt(void **state)
{
    struct harness *h = *state;

    config_write(h, 0xF8, 0x40, 0x601, 4);
    config_write(h, 0xF8, 0x44, 0x80, 1);
    apic_write(h, 0xF0, 0x1FF);
    ioapic_write(h, 0x10 + 9 * 2, 0x8039);
    out(h, 0x604, 1, 2); /* SCI_EN */
    out(h, 0x602, 1, 2); /* timer overflow enable */
    assert_int_equal(next_interrupt(h), 0x39);
    mmio_write(h, IOAPIC, 0x10 + 9 * 2, 4);
    assert_int_equal(mmio_read(h, IOAPIC + 0x10, 4) >> 14 & 1, 1);
    apic_write(h, 0xB0, 0); /* still asserted: it comes again */
    assert_int_equal(next_interrupt(h), 0x39);
    out(h, 0x600, 1, 2); /* clear the status */
    apic_write(h, 0xB0, 0);
    assert_false(h->cpu.interrupt);
    assert_int_equal(mmio_read(h, IOAPIC + 0x10, 4) >> 14 & 1, 0);
}

static void dead_halt_is_noticed(void **state)
{
    struct harness *h = *state;

    assert_true(board_next_deadline(h->board) == UINT64_MAX);
    assert_false(board_skip_idle(h->board));
    apic_write(h, 0xF0, 0x1FF);
    apic_write(h, 0x300, 0x40031);
    assert_true(board_skip_idle(h->board));
    h->cpu.interrupts_off = true; /* pending, but nothing will ever take it */
    assert_false(board_skip_idle(h->board));
}

static void requests(void **state)
{
    struct harness *h = *state;

    config_write(h, 0xF8, 0x40, 0x601, 4);
    config_write(h, 0xF8, 0x44, 0x80, 1);
    assert_int_equal(board_take_request(h->board), BOARD_RUNNING);
    out(h, 0x604, 0x2001, 2);
    assert_int_equal(board_take_request(h->board), BOARD_POWER_OFF);
    assert_int_equal(board_take_request(h->board), BOARD_RUNNING);
    out(h, 0xCF9, 0x06, 1);
    assert_int_equal(board_take_request(h->board), BOARD_RESET);
    board_reset(h->board);
    out(h, 0x64, 0xFE, 1);
    assert_int_equal(board_take_request(h->board), BOARD_RESET);
    assert_true(h->cpu.kicks >= 3);
}

static void serial_port(void **state)
{
    struct harness *h = *state;

    out(h, 0x3FF, 0xA5, 1);
    assert_int_equal(in(h, 0x3FF, 1), 0xA5);
    assert_int_equal(in(h, 0x3FD, 1), 0x60);
    assert_int_equal(in(h, 0x3FE, 1), 0xB0);
    out(h, 0x3FA, 1, 1);
    assert_int_equal(in(h, 0x3FA, 1), 0xC1);
    out(h, 0x3F8, 'x', 1);
    assert_string_equal(h->output, "x");
    assert_int_equal(board_serial_input(h->board, (const uint8_t *)"0123456789abcdefgh", 18), 18);
    for (int i = 0; i < 18; i++)
        assert_int_equal(in(h, 0x3F8, 1), "0123456789abcdefgh"[i]);
    assert_int_equal(in(h, 0x3FD, 1), 0x60);
    out(h, 0x3FC, 0x1E, 1); /* loop-back: RTS, OUT1, OUT2 */
    assert_int_equal(in(h, 0x3FE, 1) & 0xF0, 0xD0);
    out(h, 0x3F8, 'y', 1);
    assert_int_equal(in(h, 0x3F8, 1), 'y');
    assert_string_equal(h->output, "x");
    assert_int_equal(in(h, 0x402, 1), 0xE9);
}

static unsigned cmos(struct harness *h, uint8_t index)
{
    out(h, 0x70, index, 1);
    return in(h, 0x71, 1);
}

static void real_time_clock(void **state)
{
    struct harness *h = *state;

    /* 1700000000 = 2023-11-14 22:13:20, a Tuesday */
    assert_int_equal(cmos(h, 0x80), 0x20);
    assert_int_equal(cmos(h, 2), 0x13);
    assert_int_equal(cmos(h, 4), 0x22);
    assert_int_equal(cmos(h, 6), 0x03);
    assert_int_equal(cmos(h, 7), 0x14);
    assert_int_equal(cmos(h, 8), 0x11);
    assert_int_equal(cmos(h, 9), 0x23);
    assert_int_equal(cmos(h, 0x32), 0x20);
    h->cpu.instructions += 5 * 1000000000ull;
    assert_int_equal(cmos(h, 0), 0x25);
    assert_int_equal(cmos(h, 0x34) | cmos(h, 0x35) << 8, (64 - 16) * 16);
    out(h, 0x70, 0x0B, 1);
    out(h, 0x71, 0x82, 1); /* hold, write, let go */
    out(h, 0x70, 0x09, 1);
    out(h, 0x71, 0x99, 1);
    out(h, 0x70, 0x0B, 1);
    out(h, 0x71, 0x02, 1);
    assert_int_equal(cmos(h, 9), 0x99);
    assert_int_equal(cmos(h, 8), 0x11);
}

static uint8_t flash_byte(struct harness *h, uint64_t gpa)
{
    uint8_t byte = 0;

    if (memory_page_kind(h->memory, gpa) == MEMORY_ROM)
        memory_read(h->memory, gpa, &byte, 1, MEMORY_RAW);
    else
        byte = (uint8_t)mmio_read(h, gpa, 1);
    return byte;
}

static void flash_commands(void **state)
{
    struct harness *h = *state;

    assert_int_equal(flash_byte(h, VARS + 0x123), 0xFF);
    mmio_write(h, VARS, 0x50, 1); /* how firmware tells flash from RAM: clear, read status */
    assert_int_equal(flash_byte(h, VARS), 0xFF);
    mmio_write(h, VARS, 0x70, 1);
    assert_int_equal(flash_byte(h, VARS), 0);
    mmio_write(h, VARS, 0xFF, 1);
    assert_int_equal(flash_byte(h, VARS), 0xFF);
    mmio_write(h, VARS + 0x123, 0x10, 1);
    mmio_write(h, VARS + 0x123, 0x5A, 1);
    assert_int_equal(flash_byte(h, VARS + 0x123), 0x80); /* status until read array */
    mmio_write(h, VARS + 0x123, 0x40, 1);
    mmio_write(h, VARS + 0x123, 0xF3, 1); /* programming only clears bits */
    mmio_write(h, VARS, 0xFF, 1);
    assert_int_equal(flash_byte(h, VARS + 0x123), 0x52);
    mmio_write(h, VARS + 0x100, 0x20, 1);
    mmio_write(h, VARS + 0x100, 0xD0, 1);
    mmio_write(h, VARS, 0xFF, 1);
    assert_int_equal(flash_byte(h, VARS + 0x123), 0xFF);
    mmio_write(h, VARS, 0x20, 1); /* a wrong second byte: error bits, nothing erased */
    mmio_write(h, VARS, 0x11, 1);
    assert_int_equal(flash_byte(h, VARS), 0xB0);
    mmio_write(h, VARS, 0x98, 1);
    assert_int_equal(flash_byte(h, VARS + 0x10), 'Q');
    mmio_write(h, VARS, 0xFF, 1);
}

static void code_flash_is_read_only(void **state)
{
    struct harness *h = *state;

    mmio_write(h, 0xFFFFF000, 0x20, 1);
    mmio_write(h, 0xFFFFF000, 0xD0, 1);
    assert_int_equal(flash_byte(h, 0xFFFFF000), 0xA0); /* ready, erase error */
    mmio_write(h, 0xFFFFF000, 0x10, 1);
    mmio_write(h, 0xFFFFF000, 0, 1);
    assert_int_equal(flash_byte(h, 0xFFFFF000), 0xB0);
    assert_string_equal(h->notice,
                        "firmware flash: the guest programs or erases read-only flash\n");
    mmio_write(h, 0xFFFFF000, 0xFF, 1);
    assert_int_equal(memory_page_kind(h->memory, 0xFFFFF000), MEMORY_ROM);
    assert_int_equal(flash_byte(h, 0xFFFFF000), 0xF0);
    assert_int_equal(board_firmware_base(h->board), 0xFFFF0000);
}

static void make_rom(struct harness *h)
{
    h->config.firmware_kind = BOARD_FLASH_ROM;
}

static void rom_takes_no_commands(void **state)
{
    struct harness *h = harness_create(make_rom);

    assert_non_null(h);
    mmio_write(h, 0xFFFFF000, 0x70, 1);
    assert_int_equal(memory_page_kind(h->memory, 0xFFFFF000), MEMORY_ROM);
    assert_int_equal(flash_byte(h, 0xFFFFF000), 0xF0);
    harness_destroy(h);
}

/* What a program or erase command changes is told at once, byte by byte; a failure is reported. */
static void flash_is_stored(void **state)
{
    struct harness *h = *state;

    mmio_write(h, VARS + 0x2123, 0x10, 1);
    mmio_write(h, VARS + 0x2123, 0x5A, 1);
    assert_int_equal(h->stores, 1);
    assert_int_equal(h->stored_unit, BOARD_FLASH_VARIABLES);
    assert_int_equal(h->stored_offset, 0x2123);
    assert_int_equal(h->stored_length, 1);
    assert_int_equal(h->stored_first, 0x5A);
    mmio_write(h, VARS + 0x2FFF, 0x20, 1);
    assert_int_equal(h->stores, 1);
    mmio_write(h, VARS + 0x2FFF, 0xD0, 1);
    assert_int_equal(h->stores, 2);
    assert_int_equal(h->stored_offset, 0x2000);
    assert_int_equal(h->stored_length, 4096);
    assert_int_equal(h->stored_first, 0xFF);
    h->store_fails = true;
    mmio_write(h, VARS, 0x10, 1);
    mmio_write(h, VARS, 0, 1);
    assert_int_equal(flash_byte(h, VARS), 0x90);
    mmio_write(h, VARS, 0xFF, 1);
}

static void flash_survives_random_commands(void **state)
{
    struct harness *h = *state;
    uint32_t random = 1;

    for (int i = 0; i < 200000; i++) {
        random = random * 1664525 + 1013904223;
        mmio_write(h, VARS + (random >> 8) % 16384, random >> 24, 1u << (random >> 5 & 1));
    }
    mmio_read(h, VARS + 16380, 4);
}

static void put_be(uint8_t *bytes, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (size - 1 - i) * 8);
}

/* Runs one DMA request with its descriptor at 0x1000; returns its control word afterwards. */
static uint32_t fw_cfg_dma(struct harness *h, uint32_t control, uint32_t length, uint64_t address)
{
    uint8_t request[16];

    put_be(request, control, 4);
    put_be(request + 4, length, 4);
    put_be(request + 8, address, 8);
    memory_write(h->memory, 0x1000, request, 16, MEMORY_RAW);
    out(h, 0x514, 0, 4);
    out(h, 0x518, __builtin_bswap32(0x1000), 4);
    memory_read(h->memory, 0x1000, request, 4, MEMORY_RAW);
    return (uint32_t)request[0] << 24 | (uint32_t)request[1] << 16 | (uint32_t)request[2] << 8 |
           request[3];
}

static void fw_cfg_by_port_and_dma(void **state)
{
    struct harness *h = *state;
    uint8_t bytes[8];
    char name[57] = "", last[57] = "";
    unsigned count;

    out(h, 0x510, 0, 2);
    for (int i = 0; i < 4; i++)
        assert_int_equal(in(h, 0x511, 1), "QEMU"[i]);
    assert_int_equal(in(h, 0x511, 1), 0);
    assert_int_equal(in(h, 0x514, 4), 0x554D4551); /* "QEMU CFG", big endian */
    assert_int_equal(fw_cfg_dma(h, 0 << 16 | 8 | 2, 8, 0x2000), 0);
    memory_read(h->memory, 0x2000, bytes, 8, MEMORY_RAW);
    assert_memory_equal(bytes, "QEMU\0\0\0\0", 8);
    out(h, 0x510, 0x19, 2); /* the directory is sorted by name */
    count = in(h, 0x511, 1) << 24 | in(h, 0x511, 1) << 16 | in(h, 0x511, 1) << 8 |
            in(h, 0x511, 1);
    assert_in_range(count, 5, 32);
    for (unsigned i = 0; i < count; i++) {
        for (int byte = 0; byte < 8; byte++)
            in(h, 0x511, 1);
        for (int byte = 0; byte < 56; byte++)
            name[byte] = (char)in(h, 0x511, 1);
        assert_true(strcmp(last, name) < 0);
        memcpy(last, name, sizeof(last));
    }
}

static void fw_cfg_hostile_requests(void **state)
{
    struct harness *h = *state;

    assert_int_equal(fw_cfg_dma(h, 8 | 2, 0x100, 0xFFFFFF0000000000), 1);
    assert_int_equal(fw_cfg_dma(h, 8 | 2, 0x100, UINT64_MAX - 4), 1);
    assert_int_equal(fw_cfg_dma(h, 8 | 2, 0xFFFFFFFF, 0x100000), 1); /* beyond RAM */
    assert_int_equal(fw_cfg_dma(h, 8 | 2, 0x100, 0xFFFFF000), 1);    /* flash is no target */
    assert_int_equal(flash_byte(h, 0xFFFFF000), 0xF0);
    assert_int_equal(fw_cfg_dma(h, 8 | 16, 4, 0x2000), 1); /* write */
    assert_int_equal(fw_cfg_dma(h, 8 | 4, 0xFFFFFFFF, 0), 0);
    assert_int_equal(in(h, 0x511, 1), 0);
    assert_int_equal(fw_cfg_dma(h, 0xFFFFu << 16 | 8 | 2, 16, 0x2000), 0);
    out(h, 0x514, 0xFFFFFFFF, 4); /* a descriptor that is nowhere */
    out(h, 0x518, 0xFFFFFFFF, 4);
    for (unsigned key = 0; key < 0x10000; key += 7) {
        out(h, 0x510, key, 2);
        in(h, 0x511, 1);
    }
}

static void bar_sizing_and_mapping(void **state)
{
    struct harness *h = *state;
    unsigned rng = 1 << 3;

    assert_int_equal(config_read(h, rng, 0, 4), 0x10441AF4);
    config_write(h, rng, 0x14, 0xFFFFFFFF, 4);
    assert_int_equal(config_read(h, rng, 0x14, 4), 0xFFFFF000);
    config_write(h, rng, 0x20, 0xFFFFFFFF, 4);
    config_write(h, rng, 0x24, 0xFFFFFFFF, 4);
    assert_int_equal(config_read(h, rng, 0x20, 4), 0xFFFFC00C);
    assert_int_equal(config_read(h, rng, 0x24, 4), 0xFFFFFFFF);
    config_write(h, rng, 0x20, 0, 4);
    config_write(h, rng, 0x24, 0x10, 4);
    assert_true(mmio_read(h, 0x1000000012, 2) == 0xFFFF); /* not decoded yet */
    config_write(h, rng, 4, 6, 2);
    assert_int_equal(mmio_read(h, 0x1000000012, 2), 1); /* one queue */
    config_write(h, rng, 0x24, 0x20, 4);
    assert_int_equal(mmio_read(h, 0x1000000012, 2), 0xFFFF);
    assert_int_equal(mmio_read(h, 0x2000000012, 2), 1);
    config_write(h, rng, 0x14, 0xFEC00000, 4); /* over the I/O APIC: it stays what it was */
    mmio_write(h, IOAPIC, 1, 4);
    assert_int_equal(mmio_read(h, IOAPIC + 0x10, 4), 0x170020);
    config_write(h, 0, 0x60, 0xB0000001, 4); /* ECAM */
    assert_int_equal(mmio_read(h, 0xB0000000 + (1 << 15), 4), 0x10441AF4);
    assert_int_equal(mmio_read(h, 0xB0000000 + (1 << 15) + 0x100, 4), 0xFFFFFFFF);
    assert_int_equal(mmio_read(h, 0xB0100000, 4), 0xFFFFFFFF);
}

static void random_configuration_writes(void **state)
{
    struct harness *h = *state;
    uint32_t random = 7;

    for (int i = 0; i < 50000; i++) {
        random = random * 1664525 + 1013904223;
        config_write(h, (random >> 8 & 3) == 3 ? 0xF8 : random >> 8 & 0x18, random >> 16 & 0xFC,
                     random ^ random << 13, 4);
        mmio_read(h, (uint64_t)(random * 2654435761u) & ~7ull, 8);
    }
}

static void note_panic(void *context, unsigned events)
{
    *(unsigned *)context |= events;
}

static unsigned panic_events;

static void watch_panic(struct harness *h)
{
    h->config.watch.panic = note_panic;
    h->config.watch.context = &panic_events;
}

static void pvpanic(void **state)
{
    struct harness *h = harness_create(watch_panic);

    assert_non_null(h);
    assert_int_equal(in(h, 0x505, 1), 3);
    out(h, 0x505, 0xFC, 1);
    assert_int_equal(panic_events, 0);
    out(h, 0x505, 1, 1);
    assert_int_equal(panic_events, 1);
    out(h, 0x505, 2, 1);
    assert_int_equal(panic_events, 3);
    harness_destroy(h);
}

/* Two windows at one place: one is decoded, and the host hears of it once. */
static void overlapping_bars(void **state)
{
    struct harness *h = *state;

    config_write(h, 0x08, 0x20, 0xC0000000, 4);
    config_write(h, 0x08, 0x14, 0xC0000000, 4);
    config_write(h, 0x08, 0x04, 2, 2);
    assert_non_null(strstr(h->notice, "pci: BAR 4 of 00:01.0 at 0xc0000000 overlaps"));
    h->notice[0] = 0;
    config_write(h, 0x08, 0x04, 0, 2);
    config_write(h, 0x08, 0x04, 2, 2);
    assert_string_equal(h->notice, "");
}

static void want_display(struct harness *h)
{
    h->config.display = true;
}

/* The key of a fw_cfg file, from the directory by port; 0: there is none. */
static uint16_t file_key(struct harness *h, const char *name)
{
    uint8_t entry[64];
    uint32_t count = 0;

    out(h, 0x510, 0x19, 2);
    for (int i = 0; i < 4; i++)
        count = count << 8 | in(h, 0x511, 1);
    while (count--) {
        for (unsigned i = 0; i < sizeof(entry); i++)
            entry[i] = (uint8_t)in(h, 0x511, 1);
        if (strcmp((char *)entry + 8, name) == 0)
            return (uint16_t)(entry[4] << 8 | entry[5]);
    }
    return 0;
}

/* The display's file takes 28 bytes; nothing else takes any, and what is refused is told once. */
static void fw_cfg_writes(void **state)
{
    struct harness *h = harness_create(want_display);
    uint32_t key;

    assert_non_null(h);
    key = (uint32_t)file_key(h, "etc/ramfb") << 16;
    assert_int_not_equal(key, 0);
    memory_write(h->memory, 0x2000, "0123456789abcdef0123456789AB", 28, MEMORY_RAW);
    assert_int_equal(fw_cfg_dma(h, key | 8 | 16, 29, 0x2000), 1);
    assert_int_equal(fw_cfg_dma(h, key | 8 | 16, 28, 0xFFFFFFFF0000), 1);
    assert_int_equal(fw_cfg_dma(h, key | 8 | 16, 28, 0x2000), 0);
    out(h, 0x510, key >> 16, 2);
    assert_int_equal(in(h, 0x511, 1), '0');
    assert_int_equal(in(h, 0x511, 1), '1');
    assert_int_equal(fw_cfg_dma(h, 0 << 16 | 8 | 16, 4, 0x2000), 1);
    assert_non_null(strstr(h->notice, "which takes no such write\n"));
    assert_non_null(strstr(h->notice, "fw_cfg: a request failed: its buffer is no RAM"));
    harness_destroy(h);
    h = harness_create(NULL);
    assert_int_equal(file_key(h, "etc/ramfb"), 0);
    harness_destroy(h);
}

/* PAM: the BIOS's copy below 1 MiB, RAM behind it, and a reset that shows the copy again. */
static void legacy_memory(void **state)
{
    struct harness *h = *state;

    assert_int_equal(memory_page_kind(h->memory, 0xC0000), MEMORY_ROM);
    assert_int_equal(flash_byte(h, 0xC0000), 0);
    assert_int_equal(flash_byte(h, 0xEFFFF), 0); /* firmware: 64 KiB */
    assert_int_equal(memory_page_kind(h->memory, 0xF0000), MEMORY_ROM);
    assert_int_equal(flash_byte(h, 0xF0000), 0xF0);
    config_write(h, 0, 0x90, 0x20, 1); /* F0000: writes */
    mmio_write(h, 0xF1234, 0x55AA, 2);
    assert_int_equal(flash_byte(h, 0xF1234), 0xF0);
    config_write(h, 0, 0x90, 0x10, 1); /* reads: RAM, protected */
    assert_int_equal(memory_page_kind(h->memory, 0xF1000), MEMORY_ROM);
    mmio_write(h, 0xF1234, 0, 1);
    assert_int_equal(flash_byte(h, 0xF1234), 0xAA);
    assert_int_equal(flash_byte(h, 0xF1235), 0x55);
    config_write(h, 0, 0x90, 0xFFFFFFFF, 4);
    assert_int_equal(config_read(h, 0, 0x90, 4), 0x33333330);
    assert_int_equal(memory_page_kind(h->memory, 0xF0000), MEMORY_RAM);
    assert_int_equal(memory_page_kind(h->memory, 0xD4000), MEMORY_RAM);
    assert_int_equal(memory_page_kind(h->memory, 0xD8000), MEMORY_ROM);
    config_write(h, 0, 0x95, 0x13, 1); /* E0000 RAM, E4000 read only */
    assert_int_equal(memory_page_kind(h->memory, 0xE3FFF), MEMORY_RAM);
    assert_int_equal(memory_page_kind(h->memory, 0xE4000), MEMORY_ROM);
    board_reset(h->board);
    assert_int_equal(memory_page_kind(h->memory, 0xC0000), MEMORY_ROM);
    assert_int_equal(flash_byte(h, 0xF1234), 0xF0);
}

static void bad_configurations(void **state)
{
    static const uint8_t text[1000] = "no kernel";
    struct harness *h = *state;
    struct board_config config = h->config;
    char error[128] = "";

    config.ram_size = 1 << 20;
    assert_null(board_create(&config, error, sizeof(error)));
    assert_non_null(strstr(error, "memory"));
    config = h->config;
    config.firmware.size = 3;
    assert_null(board_create(&config, error, sizeof(error)));
    config.firmware.size = 17 << 20;
    assert_null(board_create(&config, error, sizeof(error)));
    assert_non_null(strstr(error, "16 MiB"));
    config = h->config;
    config.memory = memory_create(config.seed);
    config.kernel = (struct board_blob){ text, sizeof(text) }; /* of any kind */
    struct board *board = board_create(&config, error, sizeof(error));
    assert_non_null(board);
    board_destroy(board);
    memory_destroy(config.memory);
    config.memory = memory_create(config.seed);
    config.kernel.size = 1ull << 32;
    assert_null(board_create(&config, error, sizeof(error)));
    assert_non_null(strstr(error, "kernel"));
    memory_destroy(config.memory);
}

#define BOARD_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOARD_TEST(unclaimed_reads_all_ones),
        BOARD_TEST(polling_moves_time),
        BOARD_TEST(clocks_agree),
        BOARD_TEST(apic_timer_modes),
        BOARD_TEST(apic_timer_storm_is_bounded),
        BOARD_TEST(priorities_and_eoi),
        BOARD_TEST(x2apic_rules),
        BOARD_TEST(apic_base_moves),
        BOARD_TEST(pit_through_pic),
        BOARD_TEST(pit_through_ioapic),
        BOARD_TEST(level_interrupt),
        BOARD_TEST(dead_halt_is_noticed),
        BOARD_TEST(requests),
        BOARD_TEST(serial_port),
        BOARD_TEST(real_time_clock),
        BOARD_TEST(flash_commands),
        BOARD_TEST(code_flash_is_read_only),
        BOARD_TEST(rom_takes_no_commands),
        BOARD_TEST(flash_is_stored),
        BOARD_TEST(flash_survives_random_commands),
        BOARD_TEST(legacy_memory),
        BOARD_TEST(fw_cfg_writes),
        BOARD_TEST(pvpanic),
        BOARD_TEST(overlapping_bars),
        BOARD_TEST(fw_cfg_by_port_and_dma),
        BOARD_TEST(fw_cfg_hostile_requests),
        BOARD_TEST(bar_sizing_and_mapping),
        BOARD_TEST(random_configuration_writes),
        BOARD_TEST(bad_configurations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
