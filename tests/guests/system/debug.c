/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Debug registers, single step, ICEBP: APM 2 13.1. DR7: L0 is bit 0, R/W0 bits 17:16, LEN0 19:18.
 */
#include "guest.h"

#ifdef __x86_64__
#define R "r"
#else
#define R "e"
#endif
#define B0      1u
#define BS      0x4000u
#define BD      0x2000u
#define NOTHING "b"(0)

enum { EXECUTE, WRITE, PORT, ACCESS };
#define ENABLE(n, type, length) (1u << 2 * (n) | (unsigned)(type) << (16 + 4 * (n)) | \
                                 (unsigned)(length) << (18 + 4 * (n)))
enum { BYTE, HALF, QUAD, LONG };

static volatile uint32_t data[8] __attribute__((aligned(32)));
static volatile word seen[8], seen_dr6[8], seen_flags[8];
static volatile unsigned hits;
static volatile bool resume_with_rf;

static bool note(struct frame *frame)
{
    if (frame->vector != DB)
        return false;
    if (hits < 8) {
        seen[hits] = frame->ip;
        seen_dr6[hits] = read_dr6();
        seen_flags[hits] = frame->flags;
    }
    hits++;
    write_dr6(0xFFFF0FF0);
    if (resume_with_rf)
        frame->flags |= 1u << 16;
    if (hits > 7)
        frame->flags &= ~(word)0x100;
    return true;
}

static void begin(void)
{
    hits = 0;
    write_dr6(0xFFFF0FF0);
    on_trap = note;
}

static void registers(void)
{
    check(read_dr6() == 0xFFFF0FF0, "DR6 after reset");
    check(read_dr7() == 0x400, "DR7 after reset");
    write_dr7(0xFFFFFFFF & ~0x20FFu);
    check(read_dr7() == (0xFFFF0700u & 0xFFFF2FFF), "DR7: bits that are fixed");
    write_dr7(0x400);
    write_dr6(0);
    check(read_dr6() == 0xFFFF0FF0, "DR6: bits that are fixed");
    write_dr6(0xFFFFFFFF);
    check((read_dr6() & 0xFFFF1FFF) == 0xFFFF0FFF, "DR6: bits that can be set");
    write_dr6(0xFFFF0FF0);
#ifdef __x86_64__
    TRAPS(GP, 0, "DR6: upper half", "mov %%rbx, %%dr6", "b"(1ull << 32));
    TRAPS(GP, 0, "DR7: upper half", "mov %%rbx, %%dr7", "b"(1ull << 32));
#endif
    write_cr4(read_cr4() | 8);
    TRAPS(UD, 0, "DR4 with CR4.DE", "mov %%dr4, %%" R "ax", NOTHING);
    write_cr4(read_cr4() & ~(word)8);
    WORKS("DR4 without CR4.DE", "mov %%dr4, %%" R "ax", NOTHING);
}

static void execution(void)
{
    begin();
    resume_with_rf = true;
    word at;
    asm volatile("mov $7f, %0" : "=r"(at));
    write_dr0(at);
    write_dr7(ENABLE(0, EXECUTE, BYTE));
    for (unsigned turn = 0; turn < 3; turn++)
        asm volatile("nop; 7: nop; nop" : : : "memory");
    /* The compiler may have made three of them: one address only is watched. */
    write_dr7(0x400);
    check(hits >= 1 && seen[0] == at && (seen_dr6[0] & 0xF) == B0, "breakpoint on execution");
    check(!(seen_flags[0] & 1u << 16), "it saves RF clear");
    resume_with_rf = false;
    on_trap = NULL;
}

/* The breakpoint is a fault: with RF the instruction runs, without it is caught again. */
static bool count_twice(struct frame *frame)
{
    if (frame->vector != DB)
        return false;
    if (++hits == 3)
        frame->flags |= 1u << 16;
    return true;
}

static void resume_flag(void)
{
    word at;
    begin();
    on_trap = count_twice;
    asm volatile("mov $7f, %0" : "=r"(at));
    write_dr1(at);
    write_dr7(ENABLE(1, EXECUTE, BYTE));
    asm volatile("7: nop");
    write_dr7(0x400);
    check(hits == 3, "RF decides whether the instruction is caught again");
    on_trap = NULL;
}

static void repeated(void)
{
    word at, left = 5;
    void *to = (void *)(word)data;
    begin();
    resume_with_rf = true;
    asm volatile("mov $7f, %0" : "=r"(at));
    write_dr0(at);
    write_dr7(ENABLE(0, EXECUTE, BYTE));
    asm volatile("7: rep stosb" : "+c"(left), "+D"(to) : "a"(0) : "memory");
    write_dr7(0x400);
    check(hits == 1 && !left, "a breakpoint catches a repetition once");
    resume_with_rf = false;
    hits = 0;
    left = 8;
    to = (void *)(word)data;
    write_dr0((word)&data[1]);
    write_dr7(ENABLE(0, WRITE, BYTE));
    asm volatile("rep stosb; 8: mov $8b, %2" : "+c"(left), "+D"(to), "=r"(at) : "a"(0) : "memory");
    write_dr7(0x400);
    check(hits == 1 && !left && (seen_dr6[0] & 0xF) == B0, "a watchpoint inside a repetition");
    on_trap = NULL;
}

/* Which accesses of 4 bytes at data[0] are seen: type, length, offset of the breakpoint. */
static void watch(void)
{
    static const struct {
        uint8_t type, length, offset, by_read, by_write;
    } cases[] = {
        {WRITE, BYTE, 0, 0, 1},  {WRITE, BYTE, 3, 0, 1},  {WRITE, BYTE, 4, 0, 0},
        {ACCESS, BYTE, 0, 1, 1}, {ACCESS, BYTE, 4, 0, 0}, {ACCESS, HALF, 2, 1, 1},
        {ACCESS, HALF, 4, 0, 0}, {ACCESS, HALF, 3, 1, 1}, /* aligned down to 2 */
        {WRITE, LONG, 0, 0, 1},  {WRITE, LONG, 3, 0, 1},  {WRITE, LONG, 4, 0, 0},
        {ACCESS, LONG, 1, 1, 1},
#ifdef __x86_64__
        {ACCESS, QUAD, 4, 1, 1}, {ACCESS, QUAD, 8, 0, 0}, {WRITE, QUAD, 0, 0, 1},
#endif
    };
    for (unsigned n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        unsigned slot = n & 3;
        word at = (word)data + cases[n].offset, after_read, after_write;
        begin();
        slot == 0 ? write_dr0(at) : slot == 1 ? write_dr1(at) : slot == 2 ? write_dr2(at)
                                                                           : write_dr3(at);
        write_dr7(ENABLE(slot, cases[n].type, cases[n].length) << 0);
        asm volatile("mov (%1), %%eax; 7: mov $7b, %0" : "=r"(after_read) : "r"(data) : "eax");
        bool by_read = hits == 1 && seen[0] == after_read && (seen_dr6[0] & 0xF) == B0 << slot;
        bool silent_read = !hits;
        hits = 0;
        asm volatile("movl $5, (%1); 7: mov $7b, %0"
                     : "=r"(after_write) : "r"(data) : "memory");
        bool by_write = hits == 1 && seen[0] == after_write && (seen_dr6[0] & 0xF) == B0 << slot;
        bool silent_write = !hits;
        write_dr7(0x400);
        on_trap = NULL;
        bool good = (cases[n].by_read ? by_read : silent_read) &&
                    (cases[n].by_write ? by_write : silent_write) && data[0] == 5;
        if (!good)
            say("case %d:\n", (word)n);
        check(good, "watchpoint by type, length and place");
    }
}

static void two_at_once(void)
{
    begin();
    write_dr0((word)data);
    write_dr2((word)data + 2);
    write_dr7(ENABLE(0, ACCESS, BYTE) | ENABLE(2, WRITE, BYTE));
    asm volatile("incl (%0)" : : "r"(data) : "memory");
    write_dr7(0x400);
    check(hits == 1 && (seen_dr6[0] & 0xF) == 5, "one instruction, two watchpoints, one #DB");
    begin();
    write_dr7(ENABLE(0, ACCESS, BYTE) & ~3u);
    asm volatile("incl (%0)" : : "r"(data) : "memory");
    check(!hits, "a breakpoint that is not enabled");
    write_dr7(0x400);
    on_trap = NULL;
}

static void stacks_and_ports(void)
{
    begin();
    word sp;
    asm volatile("mov %%" R "sp, %0" : "=r"(sp));
    write_cr4(read_cr4() | 8);
    write_dr3(0x80);
    write_dr7(ENABLE(3, PORT, HALF));
    out8(0x7F, 0);
    check(!hits, "a port beside the breakpoint");
    out8(0x81, 0);
    check(hits == 1 && (seen_dr6[0] & 0xF) == 8, "breakpoint on a port");
    (void)in8(0x80);
    check(hits == 2, "and on reading it");
    write_dr7(0x400);
    write_cr4(read_cr4() & ~(word)8);
    on_trap = NULL;
}

static void general_detect(void)
{
    write_dr7(0x400 | 1u << 13);
    TRY("mov %%dr0, %%" R "ax", NOTHING);
    check(trap.vector == DB && trap.dr6 & BD, "general detect");
    check(!(read_dr7() & 1u << 13), "GD is clear in the handler");
    write_dr6(0xFFFF0FF0);
}

#define STEP "pushf; or" SUFFIX " $0x100, (%%" R "sp); popf\n\t"
#define STOP "pushf; and" SUFFIX " $~0x100, (%%" R "sp); popf\n\t"
#ifdef __x86_64__
#define SUFFIX "q"
#else
#define SUFFIX "l"
#endif

static void single_step(void)
{
    word first;
    begin();
    asm volatile(STEP "7: nop; nop\n\t" STOP "mov $7b, %0" : "=r"(first) : : "memory", "cc");
    check(hits == 5 && seen[0] == first + 1 && seen[1] == first + 2, "single step");
    check((seen_dr6[0] & (BS | 0xF)) == BS && seen_flags[0] & 0x100, "DR6.BS, TF in the frame");
    begin();
    asm volatile(STEP "mov %%ss, %%ax; 7: mov %%ax, %%ss; nop; 8: nop\n\t" STOP "mov $8b, %0"
                 : "=r"(first) : : "memory", "cc", "ax");
    check(seen[1] == first, "no single-step trap between MOV SS and the next instruction");
    begin();
    write_dr0((word)data);
    write_dr7(ENABLE(0, WRITE, LONG));
    asm volatile(STEP "movl $1, (%0)\n\t" STOP : : "r"(data) : "memory", "cc");
    write_dr7(0x400);
    check((seen_dr6[0] & (BS | 0xF)) == (BS | B0), "a step and a watchpoint: one #DB");
    begin();
    set_gate(0x50, KERNEL_CODE, (word)(stubs + 0x50 * 16), 0x8E, 0);
    asm volatile(STEP "int $0x50; 7: nop; 8: nop\n\t" STOP "mov $8b, %0"
                 : "=r"(first) : : "memory", "cc");
    check(seen[0] == first, "INT n is not followed by a single-step trap");
    begin();
    word at;
    asm volatile(".byte 0xF1; 7: mov $7b, %0" : "=r"(at));
    check(hits == 1 && seen[0] == at && !(seen_dr6[0] & (BS | BD | 0xF)), "ICEBP");
    on_trap = NULL;
}

/* What a MOV SS touches is reported after its successor. */
static void shadow(void)
{
    word at;
    begin();
    data[4] = DATA;
    write_dr0((word)&data[4]);
    write_dr7(ENABLE(0, ACCESS, LONG));
    asm volatile("movw (%1), %%ss; nop; 7: mov $7b, %0" : "=r"(at) : "r"(&data[4]));
    write_dr7(0x400);
    check(hits == 1 && seen[0] == at, "a watchpoint hit by MOV SS waits for the next instruction");
    on_trap = NULL;
}

/* Pairs that an emulator may take together: the trap comes between them. */
static void pairs(void)
{
    word at;
    begin();
    write_dr0((word)data);
    write_dr7(ENABLE(0, ACCESS, LONG));
    asm volatile("cmpl $77, (%1); 7: jne 8f; nop; 8: mov $7b, %0" : "=r"(at) : "r"(data) : "cc");
    check(hits == 1 && seen[0] == at, "a compare that is watched, before its jump");
    begin();
    asm volatile("testl $77, (%1); 7: jz 8f; nop; 8: mov $7b, %0" : "=r"(at) : "r"(data) : "cc");
    check(hits == 1 && seen[0] == at, "a test that is watched, before its jump");
    begin();
    asm volatile("push (%1); 7: pop %0; mov $7b, %0" : "=r"(at) : "r"(data));
    check(hits == 1 && seen[0] == at, "a push of watched memory");
    begin();
    asm volatile("mov $9f, %0; mov %0, (%1); jmp *(%1); nop; 9: mov $9b, %0"
                 : "=&r"(at)
                 : "r"(data)
                 : "memory");
    check(hits == 2 && seen[1] == at, "a jump through watched memory: at its target");
    asm volatile("mov $pair_jump, %0" : "=r"(at));
    write_dr0(at);
    write_dr7(ENABLE(0, EXECUTE, BYTE));
    begin();
    resume_with_rf = true;
    asm volatile("cmp $1, %%eax; pair_jump: jne 8f; nop; 8:" : : : "cc");
    write_dr7(0x400);
    resume_with_rf = false;
    check(hits == 1 && seen[0] == at, "a breakpoint on the second of a pair");
    on_trap = NULL;
}

/* Code that is cached and linked already gets its breakpoint. */
static unsigned loop(unsigned count)
{
    unsigned sum = 0;
    asm volatile("7: inc %0; dec %1; jnz 7b" : "+r"(sum), "+r"(count));
    return sum;
}

static void hot_code(void)
{
    word at = 0;
    loop(1000);
    begin();
    resume_with_rf = true;
    for (uint8_t *code = (uint8_t *)(word)loop; !at; code++) {
        if (code[0] == 0x75) /* JNZ */
            at = (word)code;
    }
    write_dr2(at);
    write_dr7(ENABLE(2, EXECUTE, BYTE));
    loop(5);
    write_dr7(0x400);
    check(hits == 5 && seen[4] == at, "a breakpoint in a loop that runs already");
    hits = 0;
    check(loop(100) == 100 && !hits, "and none when it is gone");
    resume_with_rf = false;
    on_trap = NULL;
}

void test(void)
{
    registers();
    execution();
    resume_flag();
    repeated();
    watch();
    two_at_once();
    stacks_and_ports();
    general_detect();
    single_step();
    shadow();
    pairs();
    hot_code();
}
