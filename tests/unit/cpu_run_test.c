/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The run loop and the block cache in real mode: instruction counts, deadlines, code that changes
 * itself, the trap flag, the interrupt shadow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "machine/cpu/block.h"
#include "machine/cpu/flags.h"
#include "tests/quiet_io.h"

#define CODE    0x1000u
#define HANDLER 0x2000u

struct machine {
    struct memory *memory;
    struct cpu *cpu;
};

static int acknowledge(void *context)
{
    struct machine *machine = context;
    cpu_set_interrupt(machine->cpu, false);
    return 0x20;
}
static int setup(void **state)
{
    static struct machine machine;
    static const uint8_t seed[32];
    const struct cpu_config config = { .sev = CPU_SEV_OFF, .physical_bits = 40, .processors = 1,
                                       .tsc_hz = 1000000000 };
    struct cpu_io io = quiet_io;
    io.context = &machine;
    io.interrupt_acknowledge = acknowledge;
    machine.memory = memory_create(seed);
    assert_non_null(machine.memory);
    assert_int_equal(memory_add_ram(machine.memory, 0, 1 << 20), 0);
    machine.cpu = cpu_create(&config, machine.memory, &io);
    assert_non_null(machine.cpu);
    *state = &machine;
    return 0;
}

static int teardown(void **state)
{
    struct machine *machine = *state;
    cpu_destroy(machine->cpu);
    memory_destroy(machine->memory);
    return 0;
}

static void load(struct machine *machine, uint64_t gpa, const char *code, size_t size)
{
    assert_int_equal(memory_write(machine->memory, gpa, code, size, MEMORY_RAW), 0);
}

/* Puts the code at 0:CODE, a HLT at every interrupt's handler, and the processor in front of it. */
static struct cpu *start(void **state, const char *code, size_t size)
{
    struct machine *machine = *state;
    struct cpu *cpu = machine->cpu;
    for (unsigned vector = 0; vector < 256; vector++)
        load(machine, vector * 4, "\x00\x20\x00\x00", 4);
    load(machine, HANDLER, "\xF4", 1);
    load(machine, CODE, code, size);
    cpu_reset(cpu);
    for (unsigned segment = 0; segment < 6; segment++) {
        cpu->seg[segment].base = 0;
        cpu->seg[segment].selector = 0;
    }
    cpu_update_mode(cpu);
    cpu->gpr[RSP] = 0x8000;
    cpu->rip = CODE;
    return cpu;
}
#define START(state, code) start((state), (code), sizeof(code) - 1)

static enum cpu_stop run(struct cpu *cpu, uint64_t instructions)
{
    return cpu_run(cpu, cpu_instructions(cpu) + instructions);
}

static void counts(void **state)
{
    struct cpu *cpu = START(state, "\x40\x40\x40\xF4"); /* inc ax, three times; hlt */
    uint64_t before = cpu_instructions(cpu);
    assert_int_equal(run(cpu, 1000), CPU_STOP_HALT);
    assert_int_equal(cpu_instructions(cpu) - before, 4);
    assert_int_equal(cpu->gpr[RAX] & 0xFFFF, 3);
}

static void endless_loop(void **state)
{
    struct cpu *cpu = START(state, "\x40\xEB\xFD"); /* inc ax; jmp back */
    uint64_t before = cpu_instructions(cpu);
    assert_int_equal(run(cpu, 100000), CPU_STOP_DEADLINE);
    assert_in_range(cpu_instructions(cpu) - before, 100000, 100000 + BLOCK_INSNS);
}

/* An endless repetition must not outlast a deadline by much more than its pieces. */
static void endless_repetition(void **state)
{
    /* mov cx, 0xffff; rep lodsb; jmp back */
    struct cpu *cpu = START(state, "\xB9\xFF\xFF\xF3\xAC\xEB\xF9");
    assert_int_equal(run(cpu, 20), CPU_STOP_DEADLINE);
}

static void changes_itself(void **state)
{
    /* mov byte [CODE+7], 0x43 (inc bx); nop; nop; inc ax, which is inc bx by then; hlt */
    struct cpu *cpu = START(state, "\xC6\x06\x07\x10\x43\x90\x90\x40\xF4");
    uint64_t before = cpu_instructions(cpu);
    assert_int_equal(run(cpu, 1000), CPU_STOP_HALT);
    assert_int_equal(cpu->gpr[RAX] & 0xFFFF, 0);
    assert_int_equal(cpu->gpr[RBX] & 0xFFFF, 1);
    assert_int_equal(cpu_instructions(cpu) - before, 5);
}

/* Code written from outside, as by a device, is seen as well. */
static void changed_from_outside(void **state)
{
    struct cpu *cpu = START(state, "\x40\xEB\xFD");
    run(cpu, 1000);
    load(*state, CODE, "\xF4", 1);
    cpu_invalidate_page(cpu, CODE);
    assert_int_equal(run(cpu, 1000), CPU_STOP_HALT);
}

static void single_step(void **state)
{
    struct cpu *cpu = START(state, "\x40\x40\x40\xF4");
    flags_set(cpu, 2 | EFLAGS_TF);
    cpu_update_mode(cpu);
    assert_int_equal(run(cpu, 1000), CPU_STOP_HALT); /* in the handler of #DB */
    assert_int_equal(cpu->gpr[RAX] & 0xFFFF, 1);
    assert_int_equal(cpu->rip, HANDLER + 1);
    assert_true(cpu->dr[6] & 1u << 14);
}

static void interrupt_shadow(void **state)
{
    struct cpu *cpu = START(state, "\xFB\x40\x40\xF4"); /* sti; inc ax; inc ax; hlt */
    cpu_set_interrupt(cpu, true);
    assert_int_equal(run(cpu, 1000), CPU_STOP_HALT);
    assert_int_equal(cpu->gpr[RAX] & 0xFFFF, 1); /* one instruction after STI */
    assert_int_equal(cpu->rip, HANDLER + 1);
}

static void undefined(void **state)
{
    struct cpu *cpu = START(state, "\x40\x0F\x0B");
    uint8_t rip[2];
    assert_int_equal(run(cpu, 1000), CPU_STOP_HALT);
    assert_true(cpu_peek(cpu, 0x8000 - 6, rip, 2));
    assert_int_equal(rip[0] | rip[1] << 8, CODE + 1);
}

/* 16-bit code of a large segment: MOV to CR0 and INC have it go on behind 64 KiB, a jump does not. */
static void beyond_64k(void **state)
{
    static const char code[] = "\x0F\x20\xC0\x0F\x22\xC0\x40\xE9\x01\x00";
    struct cpu *cpu = START(state, "\xF4");
    load(*state, 0x20000 + CODE - 11, code, sizeof(code) - 1);
    cpu->seg[CS].limit = 0xFFFFFFFF;
    cpu->rip = 0x20000 + CODE - 11;
    cpu_update_mode(cpu);
    assert_int_equal(run(cpu, 1000), CPU_STOP_HALT);
    assert_int_equal(cpu->gpr[RAX] & 0xFF, 0x11);
    assert_int_equal(cpu->rip, CODE + 1);
}

/* --- breakpoints of the host ---------------------------------------------------------------- */

static void clear_breakpoints(struct cpu *cpu)
{
    for (unsigned n = 0; n < CPU_BREAKPOINTS; n++)
        assert_true(cpu_set_breakpoint(cpu, n, CPU_BREAKPOINT_NONE, 0, 0));
}

static void stops_before_instruction(void **state)
{
    struct cpu *cpu = START(state, "\x40\x40\x40\xEB\xFB"); /* inc ax (3); jmp to the first */
    assert_int_equal(run(cpu, 100), CPU_STOP_DEADLINE);     /* decoded and linked */
    cpu->rip = CODE;
    cpu->gpr[RAX] = 0;
    assert_true(cpu_set_breakpoint(cpu, 5, CPU_BREAKPOINT_EXECUTE, CODE + 1, 1));
    for (unsigned turn = 0; turn < 3; turn++) {
        uint64_t before = cpu_instructions(cpu);
        assert_int_equal(run(cpu, 1000), CPU_STOP_BREAKPOINT);
        assert_int_equal(cpu->rip, CODE + 1);
        assert_int_equal(cpu->gpr[RAX], 3 * turn + 1);
        assert_int_equal(cpu_instructions(cpu) - before, turn ? 4 : 1);
        assert_int_equal(cpu_breakpoint_hit(cpu).slot, 5);
        assert_int_equal(cpu_breakpoint_hit(cpu).address, CODE + 1);
    }
    clear_breakpoints(cpu);
    assert_int_equal(run(cpu, 1000), CPU_STOP_DEADLINE);
}

static void steps(void **state)
{
    struct cpu *cpu = START(state, "\x40\x40\x0F\x0B"); /* inc ax (2); ud2 */
    assert_true(cpu_set_breakpoint(cpu, 0, CPU_BREAKPOINT_EXECUTE, CODE, 1));
    assert_int_equal(cpu_step(cpu), CPU_STOP_DEADLINE);
    assert_int_equal(cpu->rip, CODE + 1);
    assert_int_equal(cpu_step(cpu), CPU_STOP_DEADLINE);
    assert_int_equal(cpu->rip, CODE + 2);
    assert_int_equal(cpu_step(cpu), CPU_STOP_DEADLINE);
    assert_int_equal(cpu->rip, HANDLER); /* a fault's delivery is a step */
    assert_int_equal(cpu->gpr[RAX], 2);
    cpu_set_interrupt(cpu, true);
    flags_set(cpu, 2 | EFLAGS_IF);
    cpu_step(cpu); /* the interrupt's entry and its first instruction */
    assert_int_equal(cpu->rip, HANDLER + 1);
    assert_int_equal(cpu_step(cpu), CPU_STOP_HALT);
    clear_breakpoints(cpu);
}

static void watches_data(void **state)
{
    /* mov [0x4000], al; mov bx, [0x4001]; inc word [0x4000]; hlt */
    struct cpu *cpu = START(state, "\xA2\x00\x40\x8B\x1E\x01\x40\xFF\x06\x00\x40\xF4");
    assert_true(cpu_set_breakpoint(cpu, 1, CPU_BREAKPOINT_WRITE, 0x4001, 1));
    assert_true(cpu_set_breakpoint(cpu, 63, CPU_BREAKPOINT_READ, 0x4001, 4));
    assert_int_equal(run(cpu, 100), CPU_STOP_BREAKPOINT); /* the first store is beside it */
    assert_int_equal(cpu->rip, CODE + 7);
    assert_int_equal(cpu_breakpoint_hit(cpu).slot, 63);
    assert_int_equal(cpu_breakpoint_hit(cpu).kind, CPU_BREAKPOINT_READ);
    assert_false(cpu_breakpoint_hit(cpu).is_write);
    cpu_set_breakpoint(cpu, 63, CPU_BREAKPOINT_NONE, 0, 0);
    assert_int_equal(run(cpu, 100), CPU_STOP_BREAKPOINT);
    assert_int_equal(cpu->rip, CODE + 11); /* after the instruction, with its effect */
    assert_int_equal(cpu_breakpoint_hit(cpu).slot, 1);
    assert_int_equal(cpu_breakpoint_hit(cpu).address, 0x4001);
    assert_true(cpu_breakpoint_hit(cpu).is_write);
    clear_breakpoints(cpu);
    assert_int_equal(run(cpu, 100), CPU_STOP_HALT);
}

/* A repetition stops after the element that touched the watched byte, and goes on from there. */
static void watches_repetition(void **state)
{
    struct cpu *cpu = START(state, "\xF3\xAA\xF4"); /* rep stosb; hlt */
    cpu->gpr[RCX] = 16;
    cpu->gpr[RDI] = 0x4000;
    cpu_set_breakpoint(cpu, 0, CPU_BREAKPOINT_ACCESS, 0x4004, 2);
    assert_int_equal(run(cpu, 100), CPU_STOP_BREAKPOINT);
    assert_int_equal(cpu->gpr[RCX], 11);
    assert_int_equal(cpu->rip, CODE);
    assert_int_equal(run(cpu, 100), CPU_STOP_BREAKPOINT);
    assert_int_equal(cpu->gpr[RCX], 10);
    assert_int_equal(run(cpu, 100), CPU_STOP_HALT);
    assert_int_equal(cpu->gpr[RCX], 0);
    clear_breakpoints(cpu);
}

static void refuses_bad_breakpoints(void **state)
{
    struct cpu *cpu = START(state, "\xF4");
    assert_false(cpu_set_breakpoint(cpu, CPU_BREAKPOINTS, CPU_BREAKPOINT_EXECUTE, 0, 1));
    assert_false(cpu_set_breakpoint(cpu, 0, CPU_BREAKPOINT_WRITE, 0, 0));
    assert_false(cpu_set_breakpoint(cpu, 0, CPU_BREAKPOINT_WRITE, 0, CPU_BREAKPOINT_SIZE + 1));
    assert_false(cpu_set_breakpoint(cpu, 0, CPU_BREAKPOINT_WRITE, UINT64_MAX, 2));
    assert_false(cpu_set_breakpoint(cpu, 0, CPU_BREAKPOINT_PORT, 0x80, 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(counts),         TEST(endless_loop),         TEST(endless_repetition),
        TEST(changes_itself), TEST(changed_from_outside), TEST(single_step),
        TEST(interrupt_shadow), TEST(undefined), TEST(beyond_64k),
        TEST(stops_before_instruction), TEST(steps), TEST(watches_data),
        TEST(watches_repetition), TEST(refuses_bad_breakpoints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
