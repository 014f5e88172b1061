/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Two processors of one memory: what one stores to code that the other one has decoded, startup,
 * INIT, PAUSE.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machine/cpu/block.h"
#include "machine/cpu/flags.h"
#include "tests/quiet_io.h"

struct pair {
    struct memory *memory;
    struct cpu *cpu[2];
};

static void page_changed(void *context, uint64_t gpa)
{
    struct pair *pair = context;
    for (unsigned i = 0; i < 2; i++) {
        if (pair->cpu[i])
            cpu_invalidate_page(pair->cpu[i], gpa);
    }
}

static int setup(void **state)
{
    static struct pair pair;
    static const uint8_t seed[32];
    struct cpu_config config = { .sev = CPU_SEV_OFF, .physical_bits = 40, .processors = 2,
                                 .tsc_hz = 1000000000 };
    pair = (struct pair){ .memory = memory_create(seed) };
    assert_non_null(pair.memory);
    memory_set_listener(pair.memory, page_changed, &pair);
    assert_int_equal(memory_add_ram(pair.memory, 0, 1 << 20), 0);
    for (unsigned i = 0; i < 2; i++) {
        config.apic_id = i;
        config.sibling = pair.cpu[0];
        pair.cpu[i] = cpu_create(&config, pair.memory, &quiet_io);
        assert_non_null(pair.cpu[i]);
    }
    *state = &pair;
    return 0;
}

static int teardown(void **state)
{
    struct pair *pair = *state;
    cpu_destroy(pair->cpu[0]); /* the store of decoded code outlives the one that made it */
    cpu_destroy(pair->cpu[1]);
    memory_destroy(pair->memory);
    return 0;
}

/* A processor started at `page` << 12 with this code. */
static struct cpu *start(struct pair *pair, unsigned index, uint8_t page, const char *code,
                         size_t size)
{
    struct cpu *cpu = pair->cpu[index];
    assert_int_equal(memory_write(pair->memory, (uint64_t)page << 12, code, size, MEMORY_RAW), 0);
    cpu_init(cpu);
    cpu_startup(cpu, page);
    return cpu;
}
#define START(pair, index, page, code) start(pair, index, page, code, sizeof(code) - 1)

static enum cpu_stop run(struct cpu *cpu, uint64_t instructions)
{
    return cpu_run(cpu, cpu_instructions(cpu) + instructions);
}

static void starts_in_real_mode(void **state)
{
    struct cpu *cpu = START((struct pair *)*state, 1, 0x9A, "\x8C\xC8\xF4"); /* mov ax, cs; hlt */
    assert_int_equal(cpu->seg[CS].selector, 0x9A00);
    assert_int_equal(run(cpu, 100), CPU_STOP_HALT);
    assert_int_equal(cpu->gpr[RAX], 0x9A00);
    assert_int_equal(cpu->rip, 3);
    assert_false(cpu_runnable(cpu));
    cpu_set_interrupt(cpu, true);
    assert_false(cpu_runnable(cpu)); /* RFLAGS.IF is clear */
    cpu_set_nmi(cpu);
    assert_true(cpu_runnable(cpu));
}

/* APM 2 table 14-1: what INIT resets and what it leaves. */
static void init_keeps_some_state(void **state)
{
    struct pair *pair = *state;
    struct cpu *cpu = pair->cpu[0];
    cpu_reset(cpu);
    assert_int_equal(cpu->cr0, 0x60000010);
    cpu->cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_CD;
    cpu->fpu.xmm[3].u64[1] = 0x1234;
    cpu->fpu.control = 0x37F;
    cpu->mtrr_default = 0xC06;
    cpu->pat = 0x0407050600070106;
    cpu->tsc_offset = 5;
    cpu->efer = EFER_SCE | EFER_NXE;
    cpu->gpr[RBX] = 1;
    cpu->cr4 = CR4_PAE;
    cpu->halted = true;
    cpu_init(cpu);
    assert_int_equal(cpu->cr0, CR0_ET | CR0_CD);
    assert_int_equal(cpu->fpu.xmm[3].u64[1], 0x1234);
    assert_int_equal(cpu->fpu.control, 0x37F);
    assert_int_equal(cpu->mtrr_default, 0xC06);
    assert_true(cpu->pat == 0x0407050600070106);
    assert_int_equal(cpu->tsc_offset, 5);
    assert_int_equal(cpu->efer, 0);
    assert_int_equal(cpu->gpr[RBX], 0);
    assert_int_equal(cpu->cr4, 0);
    assert_int_equal(cpu->rip, 0xFFF0);
    assert_int_equal(cpu->seg[CS].base, 0xFFFF0000);
    assert_true(cpu_runnable(cpu));
    cpu_reset(cpu);
    assert_int_equal(cpu->fpu.xmm[3].u64[1], 0);
    assert_int_equal(cpu->mtrr_default, 0);
    assert_int_equal(cpu->tsc_offset, 0);
}

/* Both run the code of one page; then one changes it: both must run what it has become. */
static void code_changed_by_the_other(void **state)
{
    struct pair *pair = *state;
    struct cpu *loop = START(pair, 0, 2, "\xB0\x01\xEB\xFC"); /* mov al, 1; jmp back */
    assert_int_equal(run(loop, 1000), CPU_STOP_DEADLINE);
    /* xor ax, ax; mov ds, ax; mov byte [0x2001], 7; hlt */
    struct cpu *writer = START(pair, 1, 3, "\x31\xC0\x8E\xD8\xC6\x06\x01\x20\x07\xF4");
    assert_int_equal(run(writer, 100), CPU_STOP_HALT);
    assert_int_equal(run(loop, 10), CPU_STOP_DEADLINE);
    assert_int_equal(loop->gpr[RAX] & 0xFF, 7);
    cpu_init(writer); /* from the page of code that the other one has in its TLB */
    cpu_startup(writer, 2);
    assert_int_equal(run(writer, 10), CPU_STOP_DEADLINE);
    assert_int_equal(writer->gpr[RAX] & 0xFF, 7);
}

/* A page that one may write freely becomes code of the other. */
static void data_becomes_code(void **state)
{
    struct pair *pair = *state;
    /* xor ax, ax; mov ds, ax; again: mov byte [0x2001], 3; pause; inc byte [0x2001]; hlt */
    struct cpu *writer = START(pair, 1, 3, "\x31\xC0\x8E\xD8\xC6\x06\x01\x20\x03\xF3\x90"
                                           "\xFE\x06\x01\x20\xF4");
    cpu_yield_on_pause(writer, true);
    assert_int_equal(memory_write(pair->memory, 0x2000, "\xB0\x01\xF4", 3, MEMORY_RAW), 0);
    assert_int_equal(run(writer, 100), CPU_STOP_PAUSE);
    struct cpu *reader = pair->cpu[0];
    cpu_init(reader);
    cpu_startup(reader, 2);
    assert_int_equal(run(reader, 100), CPU_STOP_HALT);
    assert_int_equal(reader->gpr[RAX], 3);
    assert_true(memory_has_code(pair->memory, 0x2000));
    assert_int_equal(run(writer, 100), CPU_STOP_HALT);
    cpu_init(reader);
    cpu_startup(reader, 2);
    assert_int_equal(run(reader, 100), CPU_STOP_HALT);
    assert_int_equal(reader->gpr[RAX], 4);
}

static void pause_gives_the_turn_away(void **state)
{
    struct pair *pair = *state;
    struct cpu *cpu = START(pair, 0, 2, "\xF3\x90\x40\xEB\xFB"); /* pause; inc ax; jmp back */
    assert_int_equal(run(cpu, 30), CPU_STOP_DEADLINE);
    assert_int_equal(cpu->gpr[RAX], 10);
    cpu_yield_on_pause(cpu, true);
    uint64_t before = cpu_instructions(cpu);
    assert_int_equal(run(cpu, 30), CPU_STOP_PAUSE);
    assert_int_equal(cpu_instructions(cpu) - before, 1);
    assert_int_equal(run(cpu, 30), CPU_STOP_PAUSE);
    assert_int_equal(cpu_instructions(cpu) - before, 4);
    cpu_kick(cpu);
    assert_int_equal(run(cpu, 30), CPU_STOP_DEADLINE);
    assert_int_equal(cpu_instructions(cpu) - before, 4);
}

#define SIBLINGS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIBLINGS_TEST(starts_in_real_mode),       SIBLINGS_TEST(init_keeps_some_state),
        SIBLINGS_TEST(code_changed_by_the_other), SIBLINGS_TEST(data_becomes_code),
        SIBLINGS_TEST(pause_gives_the_turn_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
