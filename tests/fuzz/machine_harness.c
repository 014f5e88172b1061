/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Memory, board and processor without a launch. The hostile bytes are the flash image and also lie
 * in RAM, where every table register points, so that the guest's faults run into them as well.
 */
#include "tests/fuzz/machine_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/board/board.h"
#include "machine/cpu/block.h"
#include "machine/cpu/flags.h"
#include "machine/cpu/mmu.h"
#include "machine/cpu/state.h"

#define IMAGE_SIZE   65536u
#define RAM_SIZE     (64u << 20)
#define CODE_AT      0x10000u
#define TABLES_AT    0x1000u
#define INSTRUCTIONS 20000u
#define ASID         1

enum mode_bits { MODE_KIND = 3, MODE_SEV = 4, MODE_USER_CODE = 8 };
enum mode_kind { KIND_RESET, KIND_PROTECTED, KIND_LONG, KIND_PAE };

struct machine {
    struct memory *memory;
    struct board *board;
    struct cpu *cpu;
    uint8_t image[IMAGE_SIZE];
};

static void swallow(void *context, const uint8_t *bytes, size_t length)
{
}

static void page_changed(void *context, uint64_t gpa)
{
    struct machine *machine = context;
    if (machine->cpu)
        cpu_invalidate_page(machine->cpu, gpa);
}

static void must(const void *made, const char *what)
{
    if (made)
        return;
    fprintf(stderr, "machine harness: cannot make the %s\n", what);
    abort();
}

static void create(struct machine *machine, bool sev)
{
    static const uint8_t seed[32], key[MEMORY_KEY_SIZE] = { 1 };
    char error[256];
    machine->memory = memory_create(seed);
    must(machine->memory, "memory");
    memory_set_listener(machine->memory, page_changed, machine);
    const struct board_config config = {
        .memory = machine->memory,
        .ram_size = RAM_SIZE,
        .processors = 1,
        .sev = sev,
        .firmware = { machine->image, IMAGE_SIZE },
        .serial = swallow,
        .debug = swallow,
        .tsc_hz = 1000000000,
    };
    machine->board = board_create(&config, error, sizeof(error));
    must(machine->board, "board");
    if (sev)
        memory_set_key(machine->memory, ASID, key);
    const struct cpu_config cpu_config = {
        .sev = sev ? CPU_SEV_ON : CPU_SEV_OFF,
        .asid = sev ? ASID : MEMORY_RAW,
        .c_bit = 51,
        .reduced_physical_bits = 1,
        .physical_bits = 48,
        .processors = 1,
        .tsc_hz = config.tsc_hz,
    };
    machine->cpu = cpu_create(&cpu_config, machine->memory, board_cpu_io(machine->board, 0));
    must(machine->cpu, "processor");
    board_attach_cpu(machine->board, 0, machine->cpu);
    cpu_reset(machine->cpu);
}

static void destroy(struct machine *machine)
{
    cpu_destroy(machine->cpu);
    board_destroy(machine->board);
    memory_destroy(machine->memory);
}

/* Identity map of the first GiB by one entry per level; the guest may write it. */
static void write_page_tables(struct machine *machine, memory_view view, enum mode_kind kind)
{
    const uint64_t root = (TABLES_AT + 0x1000) | (kind == KIND_LONG ? 7 : 1);
    const uint64_t giant = kind == KIND_LONG ? 0x87 : (TABLES_AT + 0x2000) | 1;
    uint64_t directory[512];
    for (uint64_t i = 0; i < 512; i++)
        directory[i] = i << 21 | 0x87;
    memory_write(machine->memory, TABLES_AT, &root, sizeof(root), view);
    memory_write(machine->memory, TABLES_AT + 0x1000, &giant, sizeof(giant), view);
    memory_write(machine->memory, TABLES_AT + 0x2000, directory, sizeof(directory), view);
}

static void set_segments(struct cpu *cpu, enum mode_kind kind, unsigned cpl)
{
    for (unsigned i = ES; i <= GS; i++) {
        cpu->seg[i] = (struct segment){
            .limit = UINT32_MAX,
            .selector = (uint16_t)(i == CS ? 0x08 | cpl : 0x10 | cpl),
            .attributes = (uint16_t)(SEG_P | SEG_S | SEG_G | cpl << 5 | (i == CS ? 0x0B : 0x03)),
        };
        cpu->seg[i].attributes |= i == CS && kind == KIND_LONG ? SEG_L : SEG_DB;
    }
    cpu->cpl = (uint8_t)cpl;
}

/* Protected, PAE or long mode with every table register pointing at hostile bytes. */
static void enter_mode(struct machine *machine, enum mode_kind kind, unsigned cpl)
{
    struct cpu *cpu = machine->cpu;
    cpu->gdtr = (struct table_register){ .base = CODE_AT + 0x800, .limit = 0x7FF };
    cpu->idtr = (struct table_register){ .base = CODE_AT + 0x1000, .limit = 0xFFF };
    cpu->tr = (struct segment){ .base = CODE_AT, .limit = 0x2FFF, .selector = 0x18,
                                .attributes = SEG_P | 0x0B };
    cpu->cr0 = CR0_PE | CR0_ET | CR0_NE | (kind == KIND_PROTECTED ? 0 : CR0_PG);
    cpu->cr3 = TABLES_AT;
    cpu->cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT | (kind == KIND_PROTECTED ? 0 : CR4_PAE);
    cpu->efer = kind == KIND_LONG ? EFER_LME | EFER_LMA | EFER_SCE | EFER_NXE : 0;
    cpu->pdpte[0] = (TABLES_AT + 0x2000) | 1;
    if (kind == KIND_PAE)
        cpu->cr3 = TABLES_AT + 0x1000;
    set_segments(cpu, kind, cpl);
    flags_set(cpu, 0x3202);
    for (unsigned i = 0; i < 16; i++)
        cpu->gpr[i] = CODE_AT + 0x1000 * i;
    cpu->rip = CODE_AT;
    mmu_flush(cpu);
    cpu_update_mode(cpu);
}

/*
 * True: the guest ended by itself, at a place that does not depend on where blocks begin, as that
 * of a timer's effect on memory does.
 */
static bool run(struct machine *machine)
{
    for (;;) {
        uint64_t deadline = board_next_deadline(machine->board);
        enum cpu_stop stop = cpu_run(machine->cpu, deadline < INSTRUCTIONS ? deadline
                                                                           : INSTRUCTIONS);
        uint64_t done = cpu_instructions(machine->cpu);
        board_run_timers(machine->board);
        if (board_take_request(machine->board) != BOARD_RUNNING)
            return true;
        if (stop == CPU_STOP_HALT || stop == CPU_STOP_SHUTDOWN)
            return true;
        if (done >= INSTRUCTIONS || stop == CPU_STOP_UNIMPLEMENTED)
            return false;
    }
}

/* Breakpoints of every kind on and around the bytes that are code, tables and stack. */
static void set_breakpoints(struct cpu *cpu, uint64_t seed)
{
    for (unsigned slot = 0; seed && slot < 24; slot++) {
        seed = seed * 0x5851F42D4C957F2Du + 0x14057B7EF767814Fu;
        uint64_t place = CODE_AT + (seed >> 33 & 0xFFF);
        unsigned kind = CPU_BREAKPOINT_EXECUTE + (unsigned)(seed >> 50 & 3);
        if (slot < 8)
            kind = CPU_BREAKPOINT_EXECUTE;
        cpu_set_breakpoint(cpu, slot, (enum cpu_breakpoint_kind)kind,
                           slot < 8 ? CODE_AT + slot * (seed >> 40 & 7) : place,
                           1 + (unsigned)(seed >> 54 & 63));
    }
}

static uint64_t digest(const struct cpu *cpu)
{
    uint64_t hash = cpu->cpl; /* not the count: a long repetition counts its pieces */
    for (unsigned n = 0; n < 16; n++)
        hash = (hash ^ cpu->gpr[n]) * 0x100000001B3u;
    hash = (hash ^ cpu->rip) * 0x100000001B3u;
    hash = (hash ^ cpu->cr2) * 0x100000001B3u;
    hash = (hash ^ cpu->dr[6]) * 0x100000001B3u;
    return hash | 1;
}

static uint64_t run_guest(const uint8_t *data, size_t size, uint64_t seed, uint64_t *ret_digest)
{
    struct machine *machine = calloc(1, sizeof(*machine));
    must(machine, "harness");
    bool sev = data[0] & MODE_SEV;
    size_t length = size - 1 < IMAGE_SIZE ? size - 1 : IMAGE_SIZE;
    /* The image ends at 4 GiB: the last bytes hold the reset vector. */
    memcpy(machine->image + IMAGE_SIZE - length, data + 1, length);
    create(machine, sev);
    enum mode_kind kind = data[0] & MODE_KIND;
    memory_view view = sev ? ASID : MEMORY_RAW;
    memory_write(machine->memory, CODE_AT, data + 1, length, view);
    if (kind != KIND_RESET) {
        write_page_tables(machine, view, kind);
        enter_mode(machine, kind, data[0] & MODE_USER_CODE ? 3 : 0);
    }
    set_breakpoints(machine->cpu, seed);
    bool ended = run(machine);
    uint64_t instructions = cpu_instructions(machine->cpu);
    *ret_digest = ended ? digest(machine->cpu) : 0;
    destroy(machine);
    free(machine);
    return instructions;
}

uint64_t machine_harness_run(const uint8_t *data, size_t size)
{
    uint64_t ignored;
    return size < 2 ? 0 : run_guest(data, size, 0, &ignored);
}

void machine_harness_watch(const uint8_t *data, size_t size, uint64_t seed, uint64_t *ret_digest)
{
    run_guest(data, size, seed, ret_digest);
}
