/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Most accesses go near something that answers: ports and MMIO windows come from tables, addresses
 * that BARs and the ECAM window were moved to from the driver's own earlier values.
 */
#include "tests/fuzz/board_ops.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/board_harness.h"

#define FLASH_TOP UINT64_C(0x100000000)
#define REQUEST   0x1000u /* where requests for fw_cfg's DMA are written */

struct input {
    const uint8_t *data;
    size_t left;
};

enum operation { PORT_OUT, PORT_IN, MMIO_WRITE, MMIO_READ, CONFIG_WRITE, CONFIG_READ, REQUEST_DMA,
                 MSR, PASS_TIME, INTERRUPT, RESET, OPERATIONS };

/* PIC, PIT, port 61h, CMOS, port 92h, keyboard, PM, APM, fw_cfg, UART, pvpanic, PCI, reset, VGA. */
static const uint16_t ports[] = { 0x20, 0x21, 0xA0, 0xA1, 0x4D0, 0x40, 0x43, 0x61, 0x70, 0x71, 0x92,
                                  0x60, 0x64, 0x600, 0x604, 0x608, 0x620, 0x628, 0x630, 0x660, 0xB2,
                                  0x510, 0x511, 0x514, 0x518, 0x3F8, 0x3FC, 0x402, 0x505, 0xCF8,
                                  0xCFC, 0xCF9, 0x80 };
static const uint64_t windows[] = { 0xFEE00000, 0xFEC00000, 0xFED00000, 0xFED1C000, 0xB0000000,
                                    0xE0000000, 0xB00F8000, 0xA0000, 0xC0000, 0xE0000, 0xF0000,
                                    0xC0000000, 0x800000000, FLASH_TOP - 65536 - 16384,
                                    FLASH_TOP - 65536 };

static uint64_t take(struct input *input, unsigned size)
{
    uint64_t value = 0;

    while (size-- && input->left) {
        value = value << 8 | *input->data++;
        input->left--;
    }
    return value;
}

static uint16_t choose_port(struct input *input)
{
    unsigned index = (unsigned)take(input, 1);

    if (index & 0x80)
        return (uint16_t)take(input, 2);
    return (uint16_t)(ports[index % (sizeof(ports) / sizeof(ports[0]))] + (take(input, 1) & 3));
}

/* MMIO never crosses its page: cpu.h. */
static uint64_t choose_address(struct input *input, unsigned size)
{
    unsigned index = (unsigned)take(input, 1);
    uint64_t gpa = index & 0x80 ? take(input, 6)
                                : windows[index % (sizeof(windows) / sizeof(windows[0]))] +
                                      take(input, 2);

    return gpa % MEMORY_PAGE_SIZE > MEMORY_PAGE_SIZE - size ? gpa - 8 : gpa;
}

static void request_dma(struct harness *h, struct input *input)
{
    uint8_t request[16] = { 0 };
    static const uint16_t keys[] = { 0x00, 0x05, 0x19, 0x20, 0x24, 0x28, 0xC021, 0xFFFF };
    uint16_t key = keys[take(input, 1) % 8];
    uint32_t at = take(input, 1) & 1 ? REQUEST : (uint32_t)take(input, 4);

    request[0] = (uint8_t)(key >> 8);
    request[1] = (uint8_t)key;
    request[3] = (uint8_t)take(input, 1);
    for (unsigned i = 4; i < 16; i++)
        request[i] = i >= 6 && i < 12 && i != 7 ? 0 : (uint8_t)take(input, 1);
    memory_write(h->memory, REQUEST, request, sizeof(request), MEMORY_RAW);
    out(h, 0x514, (uint32_t)take(input, 1) & 1, 4);
    out(h, 0x518, __builtin_bswap32(at), 4);
}

static void access_msr(struct harness *h, struct input *input)
{
    static const uint32_t msrs[] = { 0x1B, 0x6E0, 0x800, 0x808, 0x80B, 0x80F, 0x828, 0x830, 0x832,
                                     0x838, 0x83E, 0x83F };
    uint32_t msr = msrs[take(input, 1) % 12];
    uint64_t value = take(input, 8);

    h->io->apic_msr_write(h->io->context, msr, value);
    h->io->apic_msr_read(h->io->context, msr, &value);
    h->io->cr8_write(h->io->context, value & 15);
    h->io->cr8_read(h->io->context);
    h->io->tsc_read(h->io->context);
}

static void pass_time(struct harness *h, struct input *input)
{
    h->cpu.instructions += take(input, 3);
    board_next_deadline(h->board);
    board_run_timers(h->board);
    board_take_request(h->board);
}

static void perform(struct harness *h, struct input *input)
{
    unsigned size = 1u << (take(input, 1) & 3), narrow = size > 4 ? 4 : size;

    switch (take(input, 1) % OPERATIONS) {
    case PORT_OUT: {
        uint16_t port = choose_port(input);
        out(h, port, (uint32_t)take(input, 4), narrow);
        break;
    }
    case PORT_IN:
        in(h, choose_port(input), narrow);
        break;
    case MMIO_WRITE: {
        uint64_t gpa = choose_address(input, size);
        h->io->mmio_write(h->io->context, gpa, take(input, 8), size);
        break;
    }
    case MMIO_READ:
        h->io->mmio_read(h->io->context, choose_address(input, size), size);
        break;
    case CONFIG_WRITE: {
        unsigned devfn = (unsigned)take(input, 1), offset = (unsigned)take(input, 1);
        config_write(h, devfn & 1 ? devfn : devfn % 0x10 == 2 ? 0xF8 : devfn % 0x18, offset,
                     (uint32_t)take(input, 4), 1u << (offset & 1 ? 0 : offset & 2 ? 1 : 2));
        break;
    }
    case CONFIG_READ:
        config_read(h, (unsigned)take(input, 1), (unsigned)take(input, 1) & 0xFC, 4);
        break;
    case REQUEST_DMA:
        request_dma(h, input);
        break;
    case MSR:
        access_msr(h, input);
        break;
    case PASS_TIME:
        pass_time(h, input);
        break;
    case INTERRUPT:
        h->io->interrupt_acknowledge(h->io->context);
        break;
    case RESET:
        if (take(input, 1) == 0)
            board_reset(h->board);
        break;
    }
}

static void adjust(struct harness *h)
{
    h->config.display = true;
    h->config.firmware_kind = BOARD_FLASH_WRITABLE;
}

unsigned board_ops_run(const uint8_t *data, size_t size)
{
    struct input input = { data, size };
    struct harness *h = harness_create(adjust);
    unsigned count = 0;

    if (!h)
        abort();
    while (input.left) {
        perform(h, &input);
        count++;
    }
    harness_destroy(h);
    return count;
}
