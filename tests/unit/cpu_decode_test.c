/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The decoder by way of the disassembler: operands, modes, prefixes, and what it must refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "machine/cpu/block.h"

#define MODE_LONG (MODE_64 | MODE_PROTECTED)
#define MODE_PM32 (MODE_CODE32 | MODE_STACK32 | MODE_PROTECTED | MODE_FLAT)
#define RIP       0x1000u

static struct cpu cpu;

static enum decode_status decode(uint32_t mode, const char *code, unsigned size, struct insn *ret)
{
    *ret = (struct insn){ .ip = 0 };
    return decode_insn(&cpu, (const uint8_t *)code, size, mode, ret);
}

static void expect(uint32_t mode, const char *code, unsigned size, const char *text)
{
    struct insn i;
    char got[80];
    assert_int_equal(decode(mode, code, size, &i), DECODE_OK);
    assert_int_equal(i.length, size);
    disassemble(&i, RIP, got, sizeof(got));
    assert_string_equal(got, text);
}
#define EXPECT(mode, code, text) expect((mode), (code), sizeof(code) - 1, (text))

static void expect_status(uint32_t mode, const char *code, unsigned size, enum decode_status status)
{
    struct insn i;
    assert_int_equal(decode(mode, code, size, &i), status);
}
#define REFUSE(mode, code, status) expect_status((mode), (code), sizeof(code) - 1, (status))

static void operands(void **state)
{
    EXPECT(MODE_LONG, "\x48\x01\x45\x08", "add qword [rbp+0x8], rax");
    EXPECT(MODE_LONG, "\x8B\x04\x8D\x00\x10\x00\x00", "mov eax, dword [rcx*4+0x1000]");
    EXPECT(MODE_LONG, "\x65\x48\x8B\x04\x25\x28\x00\x00\x00", "mov rax, qword [gs:0x28]");
    EXPECT(MODE_LONG, "\x48\x8D\x05\x10\x00\x00\x00", "lea rax, [0x1017]");
    EXPECT(MODE_LONG, "\x49\xB8\x88\x77\x66\x55\x44\x33\x22\x11", "mov r8, 0x1122334455667788");
    EXPECT(MODE_LONG, "\x66\x41\x55", "push r13w");
    EXPECT(MODE_LONG, "\x75\xFE", "jne 0x1000");
    EXPECT(MODE_LONG, "\x88\xE0", "mov al, ah");
    EXPECT(MODE_LONG, "\x40\x88\xE0", "mov al, spl");
    EXPECT(MODE_LONG, "\xF0\x48\x0F\xC7\x0E", "lock cmpxchg16b xmmword [rsi]");
}

static void modes(void **state)
{
    EXPECT(MODE_PM32, "\x40", "inc eax");
    EXPECT(0, "\x66\x40", "inc eax");
    EXPECT(0, "\x8B\x40\x04", "mov ax, word [bx+si+0x4]");
    EXPECT(MODE_PM32, "\x67\x8B\x47\x04", "mov eax, dword [bx+0x4]");
    EXPECT(MODE_LONG, "\x63\xC1", "movsxd eax, ecx");
    REFUSE(MODE_LONG, "\x60", DECODE_UNDEFINED);
    REFUSE(MODE_LONG, "\xEA\x00\x00\x00\x00\x00\x00", DECODE_UNDEFINED);
}

static void refusals(void **state)
{
    REFUSE(MODE_LONG, "\x0F\x0B", DECODE_UNDEFINED);
    REFUSE(MODE_LONG, "\xF0\x48\x01\xC8", DECODE_UNDEFINED); /* LOCK without memory */
    REFUSE(MODE_LONG, "\xF0\x48\x8B\x00", DECODE_UNDEFINED); /* LOCK MOV */
    REFUSE(MODE_LONG, "\x48\x81\x05\x00\x00", DECODE_MORE);
    REFUSE(MODE_LONG, "", DECODE_MORE);
    REFUSE(MODE_LONG, "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90",
           DECODE_TOO_LONG);
}

/* APM 3 1.10: the VEX prefix, and LES and LDS where it could be taken for them. */
static void vex(void **state)
{
    EXPECT(MODE_LONG, "\xC4\xE2\x78\xF2\xC1", "andn eax, eax, ecx");
    EXPECT(MODE_LONG, "\xC4\x42\xB0\xF2\x07", "andn r8, r9, qword [r15]");
    EXPECT(MODE_PM32, "\xC4\xE2\x78\xF2\xC1", "andn eax, eax, ecx");
    EXPECT(MODE_LONG, "\xC4\xE3\x7B\xF0\xC1\x05", "rorx eax, ecx, 0x5");
    EXPECT(MODE_PM32, "\xC4\x00", "les eax, fword [eax]");
    EXPECT(0, "\xC5\x07", "lds ax, dword [bx]");
    REFUSE(0, "\xC4\xE2\x78\xF2\xC1", DECODE_UNDEFINED); /* real mode has no VEX */
    REFUSE(MODE_LONG, "\x66\xC4\xE2\x78\xF2\xC1", DECODE_UNDEFINED);
    REFUSE(MODE_LONG, "\x48\xC4\xE2\x78\xF2\xC1", DECODE_UNDEFINED);
    REFUSE(MODE_LONG, "\xF0\xC4\xE2\x78\xF2\x01", DECODE_UNDEFINED);
    REFUSE(MODE_LONG, "\xC4\xE2\x7C\xF2\xC1", DECODE_UNDEFINED); /* L */
    REFUSE(MODE_LONG, "\xC4\xE4\x78\xF2\xC1", DECODE_UNDEFINED); /* map 4 */
    REFUSE(MODE_LONG, "\xC4\xE3\x73\xF0\xC1\x05", DECODE_UNDEFINED); /* vvvv not used */
    REFUSE(MODE_LONG, "\xC4\xE2", DECODE_MORE);
    REFUSE(MODE_PM32, "\xC4", DECODE_MORE);
}

/* Every opcode in every mode ends in a defined status and stays within the bytes given. */
static void everything(void **state)
{
    static const uint32_t all[] = { 0, MODE_PM32, MODE_LONG };
    uint32_t random = 1;
    for (unsigned k = 0; k < 400000; k++) {
        char code[15];
        for (unsigned n = 0; n < sizeof(code); n++) {
            random = random * 1664525 + 1013904223;
            code[n] = (char)(random >> 24);
        }
        code[0] = (char)k;
        struct insn i;
        if (decode(all[k % 3], code, sizeof(code), &i) == DECODE_OK) {
            char text[16];
            assert_in_range(i.length, 1, 15);
            assert_non_null(i.fn);
            disassemble(&i, RIP, text, sizeof(text));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operands),
        cmocka_unit_test(modes),
        cmocka_unit_test(refusals),
        cmocka_unit_test(vex),
        cmocka_unit_test(everything),
    };
    decode_initialise();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
