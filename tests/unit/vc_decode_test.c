/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The firmware's decoder of instructions that raise #VC against the machine's: what the first takes, the
 * second must know with the same length and the same address. A wrong length would let the host, which
 * can inject a #VC at any instruction of the table, go on in the middle of another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/sev/instruction.h"
#include "machine/cpu/block.h"

enum { ROUNDS = 1000000, REX = 0x40 };

static struct cpu cpu;
static uint64_t seed = 0x9E3779B97F4A7C15;

static uint64_t random_number(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

/* Some prefixes, a REX, a byte of the second map; the opcode and all behind it are chance. */
static void make(uint8_t *bytes)
{
    static const uint8_t prefixes[] = { 0x66, 0x67, 0xF2, 0xF3, 0x26, 0x2E, 0x36, 0x3E, 0x64, 0xF0 };
    unsigned at = 0;
    for (unsigned i = 0; i < INSTRUCTION_MAX; i++)
        bytes[i] = (uint8_t)(random_number() >> 24);
    while (at < 3 && random_number() % 3 == 0)
        bytes[at++] = prefixes[(random_number() >> 20) % sizeof(prefixes)];
    if (random_number() >> 40 & 1)
        bytes[at++] = (uint8_t)(REX | (random_number() >> 24 & 15));
    if (random_number() >> 40 & 1)
        bytes[at] = 0x0F;
}

/* MOV with an absolute address keeps it as an immediate. */
static uint64_t address_of(const struct instruction *mine, const struct insn *theirs)
{
    if (mine->opcode < 0xA0 || mine->opcode > 0xA3)
        return insn_effective_address(&cpu, theirs);
    return mine->address32 ? (uint32_t)theirs->imm : theirs->imm;
}

static void report(const uint8_t *bytes, const struct instruction *mine, const struct insn *theirs)
{
    char text[80] = "";
    disassemble(theirs, cpu.gpr[REG_RIP], text, sizeof(text));
    for (unsigned i = 0; i < INSTRUCTION_MAX; i++)
        print_message("%02x ", bytes[i]);
    print_message("\n  length %u and %u, address %llx and %llx: %s\n", mine->length, theirs->length,
                  (unsigned long long)mine->address,
                  (unsigned long long)address_of(mine, theirs), text);
}

static void test_lengths_and_addresses(void **state)
{
    struct trap_frame frame = { .rip = 0x7FFFFFF0 };
    unsigned taken = 0, wrong = 0;
    (void)state;
    cpu.gpr[REG_RIP] = frame.rip;
    for (unsigned i = 0; i < 16; i++)
        cpu.gpr[i] = *register_at(&frame, i) = random_number();
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint8_t bytes[INSTRUCTION_MAX];
        struct instruction mine;
        struct insn theirs = { .ip = 0 };
        make(bytes);
        if (!instruction_decode(bytes, sizeof(bytes), &frame, &mine))
            continue;
        enum decode_status status =
            decode_insn(&cpu, bytes, sizeof(bytes), MODE_64 | MODE_PROTECTED, &theirs);
        if (status == DECODE_UNDEFINED)
            continue; /* such as a LOCK: nobody's code */
        taken++;
        if (status != DECODE_OK || mine.length != theirs.length
            || (mine.memory && mine.operation != OPERATION_PLAIN
                && mine.address != address_of(&mine, &theirs))) {
            report(bytes, &mine, &theirs);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
    assert_true(taken > ROUNDS / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_lengths_and_addresses) };
    decode_initialise();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
