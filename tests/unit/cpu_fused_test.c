/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Fused pairs against the same two instructions one by one (a NOP between them keeps them apart):
 * every shape, operand size and condition, over operands near the edges.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "machine/cpu/block.h"
#include "machine/cpu/flags.h"
#include "machine/cpu/fused.h"
#include "tests/quiet_io.h"

#define TABLES 0x10000u
#define CODE   0x1000u
#define DATA   0x8000u

struct shape {
    const char *name;
    uint8_t opcode;
    int8_t extension;   /* of ModRM.reg; -1: a register operand; -2: no ModRM, the accumulator */
    uint8_t immediate;  /* bytes; 4 means 2 with operand size 16 */
    bool byte, memory;
};

static const struct shape shapes[] = {
    {"cmp Eb,Gb", 0x38, -1, 0, true, true},    {"cmp Ev,Gv", 0x39, -1, 0, false, true},
    {"cmp Gb,Eb", 0x3A, -1, 0, true, true},    {"cmp Gv,Ev", 0x3B, -1, 0, false, true},
    {"cmp AL,Ib", 0x3C, -2, 1, true, false},   {"cmp rAX,Iz", 0x3D, -2, 4, false, false},
    {"cmp Eb,Ib", 0x80, 7, 1, true, true},     {"cmp Ev,Iz", 0x81, 7, 4, false, true},
    {"cmp Ev,Ibs", 0x83, 7, 1, false, true},   {"test Eb,Gb", 0x84, -1, 0, true, true},
    {"test Ev,Gv", 0x85, -1, 0, false, true},  {"test AL,Ib", 0xA8, -2, 1, true, false},
    {"test rAX,Iz", 0xA9, -2, 4, false, false}, {"test Eb,Ib", 0xF6, 0, 1, true, true},
    {"test Ev,Iz", 0xF7, 0, 4, false, true},
    {"add Ev,Gv", 0x01, -1, 0, false, false},  {"add Ev,Ibs", 0x83, 0, 1, false, false},
    {"sub Ev,Gv", 0x29, -1, 0, false, false},  {"sub Ev,Iz", 0x81, 5, 4, false, false},
    {"sub rAX,Iz", 0x2D, -2, 4, false, false}, {"and Ev,Gv", 0x21, -1, 0, false, false},
    {"and Ev,Ibs", 0x83, 4, 1, false, false},
    {"inc Ev", 0xFF, 0, 0, false, false},
    {"dec Ev", 0xFF, 1, 0, false, false},
};

static const uint8_t conditions[] = {2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15};

static const uint64_t values[] = {
    0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
    0x7FFFFFFFFFFFFFFF, 0x8000000000000000, UINT64_MAX, 0x123456789ABCDEF0,
};
#define VALUES (sizeof(values) / sizeof(values[0]))

static struct memory *memory;
static struct cpu *cpu;

static void page_changed(void *context, uint64_t gpa)
{
    if (cpu)
        cpu_invalidate_page(cpu, gpa);
}

static int setup(void **state)
{
    static const uint8_t seed[32];
    const struct cpu_config config = {
        .sev = CPU_SEV_OFF, .physical_bits = 40, .processors = 1, .tsc_hz = 1000000000};
    /* The first 2 MiB mapped one to one. */
    const uint64_t tables[3] = {TABLES + 0x1003, TABLES + 0x2003, 0x83};
    memory = memory_create(seed);
    assert_non_null(memory);
    assert_int_equal(memory_add_ram(memory, 0, 1 << 20), 0);
    for (unsigned level = 0; level < 3; level++)
        assert_int_equal(
            memory_write(memory, TABLES + 0x1000 * level, &tables[level], 8, MEMORY_RAW), 0);
    memory_set_listener(memory, page_changed, NULL);
    cpu = cpu_create(&config, memory, &quiet_io);
    assert_non_null(cpu);
    return 0;
}

static int teardown(void **state)
{
    cpu_destroy(cpu);
    memory_destroy(memory);
    return 0;
}

static void enter_long_mode(void)
{
    cpu_reset(cpu);
    cpu->cr0 = CR0_PE | CR0_PG | CR0_ET;
    cpu->cr3 = TABLES;
    cpu->cr4 = CR4_PAE;
    cpu->efer = EFER_LME | EFER_LMA;
    cpu->seg[CS] = (struct segment){.limit = 0xFFFFFFFF, .selector = 8, .attributes = 0xA9B};
    cpu_update_mode(cpu);
}

/* The first instruction on (EAX or [RBX]) and ECX; returns its length. */
static unsigned encode(const struct shape *shape, unsigned bits, bool in_memory, uint64_t value,
                       uint8_t *code)
{
    unsigned length = 0;
    if (bits == 16)
        code[length++] = 0x66;
    if (bits == 64)
        code[length++] = 0x48;
    code[length++] = shape->opcode;
    if (shape->extension != -2) {
        unsigned reg = shape->extension == -1 ? RCX : (unsigned)shape->extension;
        code[length++] = (uint8_t)((in_memory ? 0x00 | RBX : 0xC0 | RAX) | reg << 3);
    }
    unsigned immediate = shape->immediate == 4 && bits == 16 ? 2 : shape->immediate;
    memcpy(code + length, &value, immediate);
    return length + immediate;
}

struct outcome {
    uint64_t gpr[16];
    uint64_t data, instructions;
    uint32_t flags;
};

/* first; Jcc over `mov dl, 1; hlt` to `mov dl, 2; hlt`. */
static void run(const uint8_t *first, unsigned length, bool apart, uint8_t condition,
                uint64_t a, uint64_t b, struct outcome *ret)
{
    uint8_t code[48] = {0};
    const uint8_t tail[] = {(uint8_t)(0x70 | condition), 3, 0xB2, 1, 0xF4, 0xB2, 2, 0xF4};
    memcpy(code, first, length);
    if (apart)
        code[length++] = 0x90;
    memcpy(code + length, tail, sizeof(tail));
    assert_int_equal(memory_write(memory, CODE, code, sizeof(code), MEMORY_RAW), 0);
    assert_int_equal(memory_write(memory, DATA, &a, 8, MEMORY_RAW), 0);
    enter_long_mode();
    memset(cpu->gpr, 0, sizeof(cpu->gpr));
    cpu->gpr[RAX] = a;
    cpu->gpr[RCX] = b;
    cpu->gpr[RBX] = DATA;
    flags_set(cpu, 2 | EFLAGS_CF);
    cpu->rip = CODE;
    uint64_t start = cpu_instructions(cpu);
    assert_int_equal(cpu_run(cpu, start + 100), CPU_STOP_HALT);
    memset(ret, 0, sizeof(*ret)); /* padding is compared, too */
    memcpy(ret->gpr, cpu->gpr, sizeof(ret->gpr));
    ret->flags = flags_get(cpu);
    ret->instructions = cpu_instructions(cpu) - start - apart;
    assert_int_equal(memory_read(memory, DATA, &ret->data, 8, MEMORY_RAW), 0);
}

static void assert_fuses(const struct shape *shape, const uint8_t *first, unsigned length)
{
    const uint8_t branch[2] = {0x74, 0};
    struct insn pair[2] = {{.ip = 0}, {.ip = 0}};
    assert_int_equal(decode_insn(cpu, first, length, cpu->mode, &pair[0]), DECODE_OK);
    assert_int_equal(decode_insn(cpu, branch, 2, cpu->mode, &pair[1]), DECODE_OK);
    if (!fused_pair(&pair[0], &pair[1]))
        fail_msg("%s is not fused", shape->name);
}

static void compare(const struct shape *shape, unsigned bits, bool in_memory, uint64_t a,
                    uint64_t b)
{
    uint8_t first[16];
    unsigned length = encode(shape, bits, in_memory, b, first);
    enter_long_mode();
    assert_fuses(shape, first, length);
    for (unsigned c = 0; c < sizeof(conditions); c++) {
        struct outcome fused, apart;
        run(first, length, false, conditions[c], a, b, &fused);
        run(first, length, true, conditions[c], a, b, &apart);
        if (memcmp(&fused, &apart, sizeof(fused)))
            fail_msg("%s, %u bits%s, condition %u, %llx and %llx: the pair differs", shape->name,
                     bits, in_memory ? " in memory" : "", conditions[c], (unsigned long long)a,
                     (unsigned long long)b);
    }
}

static void test_pairs(void **state)
{
    for (size_t k = 0; k < sizeof(shapes) / sizeof(shapes[0]); k++) {
        for (unsigned bits = shapes[k].byte ? 8 : 32; bits <= (shapes[k].byte ? 8u : 64u);
             bits *= 2) {
            for (unsigned n = 0; n < VALUES * 2; n++) {
                uint64_t a = values[n % VALUES], b = values[(n * 7 + n / VALUES) % VALUES];
                compare(&shapes[k], bits, false, a, b);
                if (shapes[k].memory)
                    compare(&shapes[k], bits, true, a, b);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pairs, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
