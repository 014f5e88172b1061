/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The board put together: memory map, wiring of interrupts, the processors' callbacks, time.
 */
#include "machine/board/board_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB             UINT64_C(0x100000)
#define FOUR_GIB        UINT64_C(0x100000000)
#define MIN_RAM         (16 * MIB)
#define MAX_RAM         (UINT64_C(1) << 40)
#define MAX_FLASH       (16 * MIB)            /* down to 0xFF000000 */
#define LEGACY_BASE     0xC0000u
#define LEGACY_SIZE     0x40000u
#define BIOS_WINDOW     0x20000u
#define LOW_RAM_LIMIT   UINT64_C(0xB0000000)  /* as QEMU's q35: ECAM comes right above */
#define LOW_RAM_SPLIT   UINT64_C(0x80000000)
#define TSC_POLL_WINDOW 100u /* instructions between two TSC reads of a loop that waits */
#define TSC_POLL_STREAK 4u
#define IDLE_LIMIT_NS   (3600 * CLOCK_SECOND)
#define IDLE_LIMIT_JUMPS 1000000u

/* --- time --- */

static uint64_t processor_instructions(const struct board *board, unsigned index)
{
    const struct cpu *cpu = board->processor[index].cpu;

    return cpu ? cpu_instructions(cpu) : 0;
}

/* Instructions since turn.base_ns. */
static uint64_t turn_done(const struct board *board)
{
    const struct board_turn *turn = &board->turn;

    return processor_instructions(board, turn->index) - turn->start + turn->rest;
}

static uint64_t turn_ns(void *context)
{
    const struct board *board = context;
    uint64_t done = turn_done(board);

    return board->turn.base_ns +
           (board->turn.sharing == 1 ? done : done / board->turn.sharing);
}

void board_begin_turn(struct board *board, unsigned index, unsigned sharing)
{
    struct board_turn *turn = &board->turn;
    uint64_t now = turn_ns(board);

    turn->rest = turn->sharing == sharing ? turn_done(board) % sharing : 0;
    turn->base_ns = now;
    turn->index = index;
    turn->sharing = sharing;
    turn->start = processor_instructions(board, index);
}

void board_spend(struct board *board, uint64_t ns)
{
    clock_skip_to(&board->clock, clock_now(&board->clock) + ns);
}

/* Only one processor runs: the others look at the clock when their turn comes. */
static void stop_run(void *context)
{
    struct board *board = context;
    struct cpu *cpu = board->processor[board->turn.index].cpu;

    if (cpu)
        cpu_kick(cpu);
}

uint64_t board_now_ns(const struct board *board)
{
    return clock_now(&board->clock);
}

uint64_t board_next_deadline(struct board *board)
{
    uint64_t due, now = clock_now(&board->clock), sharing = board->turn.sharing, wait;
    uint64_t count = processor_instructions(board, board->turn.index);

    if (!clock_next(&board->clock, &due))
        return UINT64_MAX;
    if (due <= now)
        return count;
    if (__builtin_mul_overflow(due - now, sharing, &wait))
        return UINT64_MAX;
    wait -= turn_done(board) % sharing; /* wait >= sharing */
    return wait > UINT64_MAX - count ? UINT64_MAX : count + wait;
}

void board_run_timers(struct board *board)
{
    clock_run(&board->clock);
}

static bool interrupt_line(const struct board_processor *processor)
{
    return apic_pending(&processor->apic) ||
           (apic_passes_extint(&processor->apic) && pic_pending(&processor->board->pic));
}

bool board_processor_runs(const struct board *board, unsigned index)
{
    const struct board_processor *processor = &board->processor[index];

    return processor->wake != BOARD_WAKE_NONE ||
           (!processor->waiting && processor->cpu && cpu_runnable(processor->cpu));
}

static bool somebody_runs(const struct board *board)
{
    for (unsigned i = 0; i < board->processors; i++)
        if (board_processor_runs(board, i))
            return true;
    return false;
}

bool board_skip_idle(struct board *board)
{
    uint64_t due, start = clock_now(&board->clock);

    for (unsigned jumps = 0; jumps < IDLE_LIMIT_JUMPS && !somebody_runs(board); jumps++) {
        bool armed = clock_next(&board->clock, &due);

        if (board_wait_host(board, armed ? due : UINT64_MAX))
            return true;
        if (!armed || due - start > IDLE_LIMIT_NS)
            return false;
        clock_skip_to(&board->clock, due);
        clock_run(&board->clock);
    }
    return somebody_runs(board);
}

/* --- interrupts --- */

static void update_processor(void *context, struct apic *apic)
{
    struct board *board = context;
    struct board_processor *processor = &board->processor[apic->index];

    if (processor->cpu)
        cpu_set_interrupt(processor->cpu, interrupt_line(processor));
}

static void pic_output(void *context, bool level)
{
    struct board *board = context;

    for (unsigned i = 0; i < board->processors; i++)
        update_processor(board, &board->processor[i].apic);
}

/* APM 2 16.5: INIT makes the bootstrap processor start anew, the others wait to be started. */
static void processor_event(void *context, struct apic *apic, enum apic_event event,
                            uint8_t vector)
{
    struct board *board = context;
    struct board_processor *processor = &board->processor[apic->index];

    switch (event) {
    case APIC_EVENT_NMI:
        if (processor->cpu && !processor->waiting)
            cpu_set_nmi(processor->cpu);
        return;
    case APIC_EVENT_INIT:
        apic_init_reset(apic);
        processor->waiting = !apic->bootstrap;
        processor->wake = BOARD_WAKE_INIT;
        break;
    case APIC_EVENT_STARTUP:
        if (!processor->waiting)
            return;
        processor->waiting = false;
        processor->wake = BOARD_WAKE_STARTUP;
        processor->wake_vector = vector;
        break;
    }
    if (apic->index == board->turn.index)
        stop_run(board);
}

enum board_wake board_take_wake(struct board *board, unsigned index, uint8_t *vector)
{
    struct board_processor *processor = &board->processor[index];
    enum board_wake wake = processor->wake;

    *vector = processor->wake_vector;
    processor->wake = BOARD_WAKE_NONE;
    return wake;
}

bool board_waits_for_startup(const struct board *board, unsigned index)
{
    return board->processor[index].waiting;
}

/* Lowest priority goes to the first of the matching processors: deterministic and allowed. */
static bool send_message(void *context, const struct apic_message *message)
{
    struct board *board = context;
    bool taken = false;

    for (unsigned i = 0; i < board->processors; i++) {
        struct apic *apic = &board->processor[i].apic;

        if (!apic_matches(apic, message->destination, message->logical))
            continue;
        taken |= apic_deliver(apic, message);
        if (taken && message->mode == 1)
            break;
    }
    return taken;
}

enum { SHORTHAND_NONE, SHORTHAND_SELF, SHORTHAND_ALL, SHORTHAND_OTHERS };

static void send_ipi(void *context, struct apic *from, const struct apic_message *message,
                     unsigned shorthand)
{
    struct board *board = context;

    if (shorthand == SHORTHAND_NONE) {
        send_message(board, message);
        return;
    }
    for (unsigned i = 0; i < board->processors; i++) {
        struct apic *apic = &board->processor[i].apic;

        if (shorthand == SHORTHAND_ALL || (apic == from) == (shorthand == SHORTHAND_SELF))
            apic_deliver(apic, message);
    }
}

static void broadcast_eoi(void *context, uint8_t vector)
{
    struct board *board = context;

    ioapic_eoi(&board->ioapic, vector);
}

/* GSI 0 to 15 reach both controllers; IRQ 0 is input 2 of the I/O APIC (MADT says so). */
static void line_changed(void *context, unsigned gsi, bool level)
{
    struct board *board = context;

    if (gsi < 16)
        pic_line(&board->pic, gsi, level);
    ioapic_line(&board->ioapic, gsi == 0 ? 2 : gsi, level);
}

/* MSI address and data, APM 2 16.5: destination 19:12, RH 3, DM 2; vector, mode, level. */
static void message_arrived(void *context, uint64_t address, uint32_t data)
{
    struct apic_message message = {
        .destination = (uint32_t)(address >> 12 & 0xFF),
        .vector = (uint8_t)data,
        .mode = data >> 8 & 7,
        .logical = address & 4,
        .level = false,
    };

    if (address >> 20 == APIC_DEFAULT_BASE >> 20)
        send_message(context, &message);
}

/* --- the processors' callbacks --- */

static uint64_t io_mmio_read(void *context, uint64_t gpa, unsigned size)
{
    struct board_processor *processor = context;

    if (gpa - apic_page(&processor->apic) < MEMORY_PAGE_SIZE)
        return apic_mmio_read(&processor->apic, gpa & (MEMORY_PAGE_SIZE - 1), size);
    return bus_read(&processor->board->bus, BUS_MMIO, gpa, size);
}

static void io_mmio_write(void *context, uint64_t gpa, uint64_t value, unsigned size)
{
    struct board_processor *processor = context;

    if (gpa - apic_page(&processor->apic) < MEMORY_PAGE_SIZE)
        apic_mmio_write(&processor->apic, gpa & (MEMORY_PAGE_SIZE - 1), value, size);
    else
        bus_write(&processor->board->bus, BUS_MMIO, gpa, value, size);
}

static uint32_t io_port_read(void *context, uint16_t port, unsigned size)
{
    struct board_processor *processor = context;

    return (uint32_t)bus_read(&processor->board->bus, BUS_PORTS, port, size);
}

static void io_port_write(void *context, uint16_t port, uint32_t value, unsigned size)
{
    struct board_processor *processor = context;

    bus_write(&processor->board->bus, BUS_PORTS, port, value, size);
}

static int io_acknowledge(void *context)
{
    struct board_processor *processor = context;
    int vector = apic_acknowledge(&processor->apic);

    if (vector < 0 && apic_passes_extint(&processor->apic) &&
        pic_pending(&processor->board->pic))
        vector = pic_acknowledge(&processor->board->pic);
    return vector;
}

/* A few TSC reads in quick succession are a loop that waits: polling moves time. */
static uint64_t io_tsc_read(void *context)
{
    struct board_processor *processor = context;
    uint64_t count = processor->cpu ? cpu_instructions(processor->cpu) : 0;

    if (count - processor->tsc_last > TSC_POLL_WINDOW)
        processor->tsc_streak = 0;
    else if (++processor->tsc_streak >= TSC_POLL_STREAK)
        clock_poll(&processor->board->clock);
    processor->tsc_last = count;
    return apic_tsc(&processor->apic);
}

static bool io_msr_read(void *context, uint32_t msr, uint64_t *value)
{
    struct board_processor *processor = context;

    return apic_msr_read(&processor->apic, msr, value);
}

static bool io_msr_write(void *context, uint32_t msr, uint64_t value)
{
    struct board_processor *processor = context;

    return apic_msr_write(&processor->apic, msr, value);
}

static uint8_t io_cr8_read(void *context)
{
    struct board_processor *processor = context;

    return apic_cr8(&processor->apic);
}

static void io_cr8_write(void *context, uint8_t value)
{
    struct board_processor *processor = context;

    apic_set_cr8(&processor->apic, value);
}

static bool io_random(void *context, uint64_t *value)
{
    struct board_processor *processor = context;

    random_bytes(&processor->board->random, value, sizeof(*value));
    return true;
}

static uint64_t io_vmgexit(void *context, uint64_t ghcb)
{
    const struct board_processor *processor = context;
    const struct board_watch *watch = &processor->board->config.watch;

    return watch->vmgexit(watch->context, processor->apic.index, ghcb);
}

const struct cpu_io *board_cpu_io(struct board *board, unsigned index)
{
    return &board->processor[index].io;
}

void board_attach_cpu(struct board *board, unsigned index, struct cpu *cpu)
{
    board->processor[index].cpu = cpu;
    update_processor(board, &board->processor[index].apic);
}

static void init_processor(struct board *board, unsigned index)
{
    struct board_processor *processor = &board->processor[index];

    processor->board = board;
    processor->io = (struct cpu_io){
        .context = processor,
        .mmio_read = io_mmio_read,
        .mmio_write = io_mmio_write,
        .port_read = io_port_read,
        .port_write = io_port_write,
        .interrupt_acknowledge = io_acknowledge,
        .tsc_read = io_tsc_read,
        .apic_msr_read = io_msr_read,
        .apic_msr_write = io_msr_write,
        .cr8_read = io_cr8_read,
        .cr8_write = io_cr8_write,
        .random = io_random,
        .vmgexit = io_vmgexit,
    };
    apic_init(&processor->apic, &board->bus, &board->apic_host, index, board->config.tsc_hz);
}

/* --- creation --- */

static bool check(const struct board_config *config, char *error, size_t size)
{
    uint64_t flash = config->firmware.size + (uint64_t)config->variables.size;

    if (config->ram_size < MIN_RAM || config->ram_size > MAX_RAM || config->ram_size % MIB)
        return board_fail(error, size, "memory: %llu bytes: must be 16M to 1T, in whole MiB",
                          (unsigned long long)config->ram_size);
    if (config->processors < 1 || config->processors > BOARD_MAX_PROCESSORS)
        return board_fail(error, size, "processors: %u: must be 1 to %d", config->processors,
                          BOARD_MAX_PROCESSORS);
    if ((config->firmware.size == 0) != config->no_firmware ||
        config->firmware.size % PFLASH_BLOCK ||
        config->variables.size % PFLASH_BLOCK)
        return board_fail(error, size,
                          "firmware: flash images must be whole 4 KiB blocks (%zu, %zu)",
                          config->firmware.size, config->variables.size);
    if (flash > MAX_FLASH || config->firmware.size > MAX_FLASH)
        return board_fail(error, size, "firmware: flash images of more than 16 MiB");
    if (config->tsc_hz == 0 || config->disk_count > BOARD_MAX_DISKS)
        return board_fail(error, size, "board: TSC rate of zero or more than %d disks",
                          BOARD_MAX_DISKS);
    return true;
}

/*
 * Below 1 MiB there is an empty ROM for extensions, and the firmware's end, too: a copy, unencrypted, as
 * QEMU has both. A SEV-ES guest may look for extensions there: memory is read without an exit.
 */
static int add_legacy_memory(struct board *board)
{
    const struct board_blob *firmware = &board->config.firmware;
    size_t copied = firmware->size < BIOS_WINDOW ? firmware->size : BIOS_WINDOW;
    uint8_t *rom = calloc(1, LEGACY_SIZE);
    int result;

    if (!rom)
        return -1;
    if (copied)
        memcpy(rom + LEGACY_SIZE - copied, firmware->data + firmware->size - copied, copied);
    result = memory_add_shadow(board->memory, LEGACY_BASE, LEGACY_SIZE, rom, LEGACY_SIZE);
    free(rom);
    return result;
}

static bool add_memory(struct board *board, char *error, size_t size)
{
    uint64_t total = board->config.ram_size;

    board->ram_low = total >= LOW_RAM_LIMIT ? LOW_RAM_SPLIT : total;
    board->ram_high = total - board->ram_low;
    if (memory_add_ram(board->memory, 0, 0xA0000) ||
        add_legacy_memory(board) ||
        memory_add_ram(board->memory, MIB, board->ram_low - MIB) ||
        (board->ram_high && memory_add_ram(board->memory, FOUR_GIB, board->ram_high)))
        return board_fail(error, size, "memory: %llu MiB: %s", (unsigned long long)(total / MIB),
                          strerror(errno));
    return true;
}

static bool store_firmware(void *context, uint64_t offset, const uint8_t *data, size_t length)
{
    const struct board_config *config = &((struct board *)context)->config;

    return config->flash_store(config->output_context, BOARD_FLASH_FIRMWARE, offset, data, length);
}

static bool store_variables(void *context, uint64_t offset, const uint8_t *data, size_t length)
{
    const struct board_config *config = &((struct board *)context)->config;

    return config->flash_store(config->output_context, BOARD_FLASH_VARIABLES, offset, data, length);
}

/* The firmware ends at 4 GiB, the variables end where it begins. */
static bool add_flash(struct board *board, char *error, size_t size)
{
    const struct board_config *config = &board->config;
    const struct pflash_config firmware = {
        .base = FOUR_GIB - config->firmware.size,
        .size = config->firmware.size,
        .data = config->firmware.data,
        .name = "firmware flash",
        .read_only = config->firmware_kind == BOARD_FLASH_READ_ONLY,
        .rom = config->firmware_kind == BOARD_FLASH_ROM,
        .store = config->flash_store ? store_firmware : NULL,
        .context = board,
    };
    const struct pflash_config variables = {
        .base = firmware.base - config->variables.size,
        .size = config->variables.size,
        .data = config->variables.data,
        .name = "variables flash",
        .read_only = config->variables_kind == BOARD_FLASH_READ_ONLY,
        .rom = config->variables_kind == BOARD_FLASH_ROM,
        .store = config->flash_store ? store_variables : NULL,
        .context = board,
    };

    if (config->no_firmware)
        return true;
    if (pflash_init(&board->firmware, &board->bus, &firmware))
        return board_fail(error, size, "firmware: %s", strerror(errno));
    if (config->variables.size && pflash_init(&board->variables, &board->bus, &variables))
        return board_fail(error, size, "variables: %s", strerror(errno));
    return true;
}

static void serial_output(void *context, const uint8_t *bytes, size_t length)
{
    const struct board_config *config = &((struct board *)context)->config;

    if (config->watch.console)
        config->watch.console(config->watch.context, 0, bytes, length);
    config->serial(config->output_context, bytes, length);
}

static void panicked(void *context, unsigned events)
{
    const struct board_watch *watch = &((struct board *)context)->config.watch;

    if (watch->panic)
        watch->panic(watch->context, events);
}

static void reset_line(void *context)
{
    acpi_pm_ask_reset(context);
}

static void watchdog_expired(void *context)
{
    struct board *board = context;

    bus_complain(&board->bus, "watchdog", "ran out, because the guest fed it no more: reset");
    acpi_pm_ask_reset(&board->pm);
}

static void init_devices(struct board *board)
{
    const struct board_config *config = &board->config;

    pic_init(&board->pic, &board->bus, pic_output, board);
    ioapic_init(&board->ioapic, &board->bus, send_message, board);
    pit_init(&board->pit, &board->bus);
    hpet_init(&board->hpet, &board->bus);
    cmos_init(&board->cmos, &board->bus, config->rtc_start, board->ram_low, board->ram_high,
              config->processors);
    acpi_pm_init(&board->pm, &board->bus, stop_run, board);
    serial_init(&board->serial, &board->bus, 0x3F8, 4, serial_output, board);
    pvpanic_init(&board->pvpanic, &board->bus, panicked, board);
    tco_init(&board->tco, &board->bus, watchdog_expired, board);
    i8042_init(&board->i8042, &board->bus, reset_line, &board->pm);
    debugcon_init(&board->debugcon, &board->bus, 0x402, config->debug, config->output_context);
    fw_cfg_init(&board->fw_cfg, &board->bus);
    q35_init(&board->q35, &board->bus, &board->pm, &board->tco);
    random_init(&board->random, config->seed, 0);
}

static void complain(void *context, const char *device, const char *what)
{
    struct board *board = context;

    if (board->config.complaint)
        board->config.complaint(board->config.output_context, device, what);
}

static bool assemble(struct board *board, char *error, size_t size)
{
    const struct board_config *config = &board->config;
    const struct bus_sinks sinks = { line_changed, message_arrived, board, complain };

    clock_init(&board->clock, turn_ns, stop_run, board);
    board->turn.sharing = 1;
    bus_init(&board->bus, board->memory, &board->clock, &sinks);
    board->bus.c_mask = board->config.dma_c_mask;
    board->apic_host = (struct apic_host){ board, update_processor, processor_event, send_ipi,
                                           broadcast_eoi };
    for (unsigned i = 0; i < board->processors; i++)
        init_processor(board, i);
    if (!add_memory(board, error, size) || !add_flash(board, error, size))
        return false;
    init_devices(board);
    if (config->exit_port &&
        !test_device_init(&board->test, &board->bus, config->exit_port, stop_run, board))
        return board_fail(error, size,
                          "debug exit: port 0x%x, 0x2000 or memory at 0xFF000000 belongs to "
                          "another device",
                          config->exit_port);
    if (!board_add_devices(board, error, size) || !board_add_files(board, error, size) ||
        !board_add_boot_order(board, error, size) || !board_add_tables(board, error, size) ||
        !board_add_extra_files(board, error, size))
        return false;
    board_reset(board);
    return true;
}

struct board *board_create(const struct board_config *config, char *error, size_t error_size)
{
    struct board *board;

    if (!check(config, error, error_size))
        return NULL;
    board = calloc(1, sizeof(*board));
    if (board)
        board->processor = calloc(config->processors, sizeof(board->processor[0]));
    if (!board || !board->processor) {
        free(board);
        board_fail(error, error_size, "board: out of memory");
        return NULL;
    }
    board->config = *config;
    board->memory = config->memory;
    board->processors = config->processors;
    if (!assemble(board, error, error_size)) {
        board_destroy(board);
        return NULL;
    }
    return board;
}

void board_destroy(struct board *board)
{
    if (!board)
        return;
    board_free_tables(board);
    board_free_devices(board);
    free(board->processor);
    free(board);
}

uint64_t board_firmware_base(const struct board *board)
{
    return board->firmware.base;
}

uint8_t board_exit_status(const struct board *board)
{
    return board->test.status;
}

enum board_request board_take_request(struct board *board)
{
    static const enum board_request map[] = {
        [ACPI_PM_NOTHING] = BOARD_RUNNING,
        [ACPI_PM_POWER_OFF] = BOARD_POWER_OFF,
        [ACPI_PM_RESET] = BOARD_RESET,
    };
    enum board_request request = map[board->pm.request];

    board->pm.request = ACPI_PM_NOTHING;
    if (board->test.asked)
        return BOARD_EXIT;
    return request;
}

void board_reset(struct board *board)
{
    bus_reset(&board->bus);
    for (unsigned i = 0; i < board->processors; i++) {
        board->processor[i].wake = BOARD_WAKE_NONE;
        board->processor[i].waiting = i != 0;
    }
}

void board_watch_dma(struct board *board, bus_dma_watch *watch, void *context)
{
    board->bus.dma_watch = watch;
    board->bus.dma_context = context;
}

bool board_answers(const struct board *board, unsigned index, uint64_t gpa)
{
    if (gpa - LEGACY_BASE < LEGACY_SIZE) /* ROM and DRAM as the PAM registers route them */
        return false;
    return gpa - apic_page(&board->processor[index].apic) < MEMORY_PAGE_SIZE ||
           bus_claimed(&board->bus, BUS_MMIO, gpa);
}
