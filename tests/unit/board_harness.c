/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The harness and its processor.
 */
#include "tests/unit/board_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t cpu_instructions(const struct cpu *cpu)
{
    return cpu->instructions;
}

void cpu_set_interrupt(struct cpu *cpu, bool pending)
{
    cpu->interrupt = pending;
}

void cpu_set_nmi(struct cpu *cpu)
{
    cpu->nmis++;
}

bool cpu_runnable(const struct cpu *cpu)
{
    return cpu->interrupt && !cpu->interrupts_off;
}

void cpu_kick(struct cpu *cpu)
{
    cpu->kicks++;
}

static void output(void *context, const uint8_t *bytes, size_t length)
{
    struct harness *harness = context;

    for (size_t i = 0; i < length && harness->output_length < sizeof(harness->output) - 1; i++)
        harness->output[harness->output_length++] = (char)bytes[i];
}

static void complaint(void *context, const char *device, const char *what)
{
    struct harness *harness = context;
    size_t used = strlen(harness->notice);

    snprintf(harness->notice + used, sizeof(harness->notice) - used, "%s: %s\n", device, what);
}

static bool store(void *context, enum board_flash_unit unit, uint64_t offset, const uint8_t *data,
                  size_t length)
{
    struct harness *harness = context;

    harness->stores++;
    harness->stored_unit = unit;
    harness->stored_offset = offset;
    harness->stored_length = length;
    harness->stored_first = data[0];
    return !harness->store_fails;
}

struct harness *harness_create(void (*adjust)(struct harness *harness))
{
    struct harness *harness = calloc(1, sizeof(*harness));
    char error[128];

    if (!harness)
        return NULL;
    memset(harness->firmware, 0xF0, sizeof(harness->firmware));
    memset(harness->variables, 0xFF, sizeof(harness->variables));
    harness->memory = memory_create(harness->config.seed);
    harness->config = (struct board_config){
        .memory = harness->memory,
        .ram_size = 64 << 20,
        .processors = 1,
        .firmware = { harness->firmware, sizeof(harness->firmware) },
        .variables = { harness->variables, sizeof(harness->variables) },
        .firmware_kind = BOARD_FLASH_READ_ONLY,
        .flash_store = store,
        .serial = output,
        .complaint = complaint,
        .output_context = harness,
        .rtc_start = 1700000000,
        .tsc_hz = 2000000000,
    };
    if (adjust)
        adjust(harness);
    harness->board = board_create(&harness->config, error, sizeof(error));
    if (!harness->board) {
        memory_destroy(harness->memory);
        free(harness);
        return NULL;
    }
    harness->io = board_cpu_io(harness->board, 0);
    board_attach_cpu(harness->board, 0, &harness->cpu);
    for (unsigned i = 1; i < harness->config.processors; i++)
        board_attach_cpu(harness->board, i, &harness->others[i - 1]);
    return harness;
}

void harness_destroy(struct harness *harness)
{
    board_destroy(harness->board);
    memory_destroy(harness->memory);
    free(harness);
}

uint32_t in(struct harness *harness, uint16_t port, unsigned size)
{
    return harness->io->port_read(harness->io->context, port, size);
}

void out(struct harness *harness, uint16_t port, uint32_t value, unsigned size)
{
    harness->io->port_write(harness->io->context, port, value, size);
}

static void select_config(struct harness *harness, unsigned devfn, unsigned offset)
{
    out(harness, 0xCF8, 0x80000000u | devfn << 8 | (offset & 0xFC), 4);
}

uint32_t config_read(struct harness *harness, unsigned devfn, unsigned offset, unsigned size)
{
    select_config(harness, devfn, offset);
    return in(harness, (uint16_t)(0xCFC + (offset & 3)), size);
}

void config_write(struct harness *harness, unsigned devfn, unsigned offset, uint32_t value,
                  unsigned size)
{
    select_config(harness, devfn, offset);
    out(harness, (uint16_t)(0xCFC + (offset & 3)), value, size);
}

int next_interrupt(struct harness *harness)
{
    harness->cpu.instructions++; /* an interrupt handler ran since the last call */
    if (!harness->cpu.interrupt && !board_skip_idle(harness->board))
        return -1;
    return harness->io->interrupt_acknowledge(harness->io->context);
}
