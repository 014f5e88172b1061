/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Legacy protected mode: segment limits and types (APM 2 4.7, 4.12), conforming code, call gates
 * (4.9), the LDT, task switches and their errors (12.3), virtual-8086 mode (10), SYSENTER.
 */
#include "guest.h"

#define NOTHING "b"(0)
enum { S0 = FREE, S1 = FREE + 8, S2 = FREE + 16, S3 = FREE + 24, S4 = FREE + 32 };

static void set(unsigned selector, uint32_t base, uint32_t limit, unsigned access, unsigned flags)
{
    gdt[selector / 8] = descriptor(base, limit, access, flags);
}

static uint8_t area[8192] __attribute__((aligned(4096)));

/* One access of `size` bytes at `offset` of ES; GP, or NONE. */
static long reach(unsigned selector, uint32_t offset, unsigned size, bool write)
{
    switch (size + write) {
    case 1:
        TRY("mov %%bx, %%es; movb %%es:(%%esi), %%al", "b"(selector), "S"(offset));
        break;
    case 2:
        TRY("mov %%bx, %%es; movb $1, %%es:(%%esi)", "b"(selector), "S"(offset));
        break;
    case 4:
        TRY("mov %%bx, %%es; movl %%es:(%%esi), %%eax", "b"(selector), "S"(offset));
        break;
    case 5:
        TRY("mov %%bx, %%es; movl $1, %%es:(%%esi)", "b"(selector), "S"(offset));
        break;
    }
    asm volatile("mov %0, %%es" : : "r"(DATA));
    return trap.vector;
}

static void limits(void)
{
    static const struct {
        uint32_t limit, offset;
        uint8_t access, flags, size;
        bool write, good;
    } cases[] = {
        {0xFF, 0xFC, 0x92, 4, 4, true, true},    {0xFF, 0xFD, 0x92, 4, 4, true, false},
        {0xFF, 0xFF, 0x92, 4, 1, false, true},   {0xFF, 0x100, 0x92, 4, 1, false, false},
        {0xFF, 0xFFFFFFFF, 0x92, 4, 1, false, false},
        {0, 0, 0x92, 4, 1, true, true},          {0, 1, 0x92, 4, 1, true, false},
        {0, 0xFFC, 0x92, 0xC, 4, true, true},    {0, 0xFFD, 0x92, 0xC, 4, true, false},
        {0xFF, 0x10, 0x90, 4, 4, false, true},   {0xFF, 0x10, 0x90, 4, 4, true, false},
        {0xFF, 0x10, 0x9A, 4, 4, false, true},   {0xFF, 0x10, 0x9A, 4, 4, true, false},
        /* Expand-down: valid above the limit, to 4 GiB (B) or 64 KiB. */
        {0xFF, 0xFF, 0x96, 4, 1, true, false},   {0xFF, 0x100, 0x96, 4, 1, true, true},
        {0xFF, 0xFD, 0x96, 4, 4, false, false},  {0xFF, 0x100, 0x94, 4, 4, true, false},
        {0xFF, 0x1000, 0x96, 0, 4, true, true},  {0xFF, 0xFFFD, 0x96, 0, 4, true, false},
        {0xFF, 0x10000, 0x96, 0, 1, true, false}, {0, 0xFFF, 0x96, 0xC, 1, true, false},
        {0, 0x1000, 0x96, 0xC, 1, true, true},
    };
    for (unsigned n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        set(S0, (word)area, cases[n].limit, cases[n].access, cases[n].flags);
        long vector = reach(S0, cases[n].offset, cases[n].size, cases[n].write);
        bool good = vector == (cases[n].good ? (long)NONE : (long)GP) &&
                    (cases[n].good || !trap.error);
        if (!good)
            say("case %d: vector %d\n", (word)n, (word)vector);
        check(good, "limit and type");
    }
    TRAPS(GP, 0, "a null segment", "mov %%bx, %%fs; movb %%fs:0, %%al", NOTHING);
    TRAPS(GP, 0, "a write through CS", "movb $1, %%cs:(%%ebx)", "b"(area));
}

/* --- transfers ------------------------------------------------------------------------------- */

static void transfers(void)
{
    set(S0, 0, 0xFFFFF, 0x9E, 0xC); /* conforming, DPL 0 */
    set(S1, 0, 0xFFFFF, 0x1A, 0xC); /* absent */
    set(S2, 0, 0xFF, 0x9A, 0x4);    /* small */
    WORKS("far call to a conforming segment", "push %%cs; push $1f; push %%ebx; push $1f; lret",
          "b"(S0));
    TRAPS(NP, S1, "far return to an absent segment", "push %%ebx; push $1f; lret", "b"(S1));
    TRAPS(GP, 0, "far return beyond the limit", "push %%ebx; push $1f; lret", "b"(S2));
    TRAPS(GP, USER_CODE32 & ~3, "far jump to code of lower privilege",
          ".byte 0xEA; .long 1f; .word 0x28", NOTHING);
    TRAPS(GP, 0, "far jump to null", ".byte 0xEA; .long 1f; .word 0", NOTHING);
    TRAPS(GP, 0xFFF8, "far jump beyond the GDT", ".byte 0xEA; .long 1f; .word 0xFFF8", NOTHING);
}

__attribute__((used)) static volatile word seen[8];

asm("gate_target: mov 8(%esp), %eax; mov %eax, seen; mov 12(%esp), %eax; mov %eax, seen + 4\n\t"
    "mov %cs, %eax; mov %eax, seen + 8; mov %ss, %eax; mov %eax, seen + 12\n\t"
    "mov 20(%esp), %eax; mov %eax, seen + 16; lret $8");
extern uint8_t gate_target[];

USER static void user_call(word arg)
{
    asm volatile("push $0x1111; push $0x2222; .byte 0x9A; .long 0; .word %c0; int $0x81"
                 :
                 : "i"(S0 + 3)
                 : "eax", "memory");
}

static void put_gate(unsigned selector, unsigned target, uint32_t offset, unsigned type_dpl,
                     unsigned count)
{
    gdt[selector / 8] = (offset & 0xFFFF) | (uint64_t)target << 16 | (uint64_t)count << 32 |
                        (uint64_t)type_dpl << 40 | (uint64_t)(offset >> 16) << 48;
}

static void call_gates(void)
{
    uint32_t target = (uint32_t)(word)gate_target;
    put_gate(S0, CODE32, target, 0xEC, 2);
    run_user(user_call, 0, 0);
    check_trap("call gate to CPL 0 and back", NONE, 0);
    check(seen[0] == 0x2222 && seen[1] == 0x1111, "its parameters are copied");
    check(seen[2] == CODE32 && seen[3] == DATA && seen[4] == USER_DATA, "CS, SS and the old SS");
    put_gate(S0, CODE32, target, 0x8C, 2);
    run_user(user_call, 0, 0);
    check_trap("a gate of DPL 0 at CPL 3", GP, S0);
    put_gate(S0, CODE32, target, 0x6C, 2);
    run_user(user_call, 0, 0);
    check_trap("an absent gate", NP, S0);
    put_gate(S0, DATA, target, 0xEC, 2);
    run_user(user_call, 0, 0);
    check_trap("a gate to a data segment", GP, DATA);
    put_gate(S0, CODE32, target, 0xEC, 2);
}

/* --- LDT ------------------------------------------------------------------------------------- */

static uint64_t ldt[2] __attribute__((aligned(8)));

static void local_table(void)
{
    ldt[1] = descriptor(0, 0xFFFFF, 0x92, 0xC);
    set(S3, (word)ldt, 15, 0x82, 0);
    WORKS("LLDT and a selector in it", "lldt %%bx; mov %%si, %%fs; mov %%di, %%fs", "b"(S3),
          "S"(0x0C), "D"(DATA));
    TRAPS(GP, 0x14, "a selector beyond the LDT", "mov %%bx, %%fs", "b"(0x14));
    set(S3, (word)ldt, 15, 0x02, 0);
    TRAPS(NP, S3, "LLDT: absent", "lldt %%bx", "b"(S3));
    asm volatile("lldt %w0" : : "r"(0));
}

/* --- task switches --------------------------------------------------------------------------- */

static uint32_t other[26] __attribute__((aligned(128)));
static uint8_t other_stack[4096] __attribute__((aligned(16)));
enum { T_LINK = 0, T_EIP = 8, T_FLAGS, T_EAX, T_ESP = 14, T_ES = 18, T_CS, T_SS, T_DS, T_FS, T_GS,
       T_LDT, T_TRAP };

__attribute__((used)) static volatile uint32_t task_runs;
asm("task_entry: incl task_runs; mov %eax, seen; pushf; pop seen + 4; str %ax; mov %eax, seen + 8; "
    "mov %cr0, %eax; mov %eax, seen + 12; clts; iret; incl task_runs; iret");
extern uint8_t task_entry[];

static void fill_task(void)
{
    memset(other, 0, sizeof(other));
    other[T_EIP] = (word)task_entry;
    other[T_FLAGS] = 2;
    other[T_EAX] = 0x1234;
    other[T_ESP] = (word)other_stack + sizeof(other_stack);
    other[T_CS] = CODE32;
    other[T_ES] = other[T_SS] = other[T_DS] = other[T_FS] = other[T_GS] = DATA;
    set(S4, (word)other, 0x67, 0x89, 0);
}

#define CALL_TASK ".byte 0x9A; .long 0; .word 0x68"

static void tasks(void)
{
    _Static_assert(S4 == 0x68, "in CALL_TASK");
    fill_task();
    WORKS("CALL to a task and IRET back", CALL_TASK, NOTHING);
    check(task_runs == 1 && seen[0] == 0x1234, "it ran with its registers");
    check(seen[1] & 0x4000, "with NT");
    check((seen[2] & 0xFFFF) == S4, "TR was its TSS");
    check(seen[3] & 8, "CR0.TS is set by a switch");
    check((gdt[S4 / 8] >> 40 & 0x1F) == 9, "its TSS is available again");
    check(other[T_EIP] != (word)task_entry, "its state was saved");
    uint16_t tr;
    asm volatile("str %0" : "=r"(tr));
    check(tr == TSS, "TR is ours again");
    fill_task();
    set(S4, (word)other, 0x66, 0x89, 0);
    TRAPS(TS, S4, "a TSS that is too short", CALL_TASK, NOTHING);
    set(S4, (word)other, 0x67, 0x09, 0);
    TRAPS(NP, S4, "an absent TSS", CALL_TASK, NOTHING);
    set(S4, (word)other, 0x67, 0x8B, 0);
    TRAPS(GP, S4, "a busy TSS", CALL_TASK, NOTHING);
    /* A task gate for an exception. */
    fill_task();
    set_gate(0x52, S4, 0, 0x85, 0);
    WORKS("INT n through a task gate", "int $0x52", NOTHING);
    check(task_runs == 2, "it ran");
    set_gate(0x52, S3, 0, 0x85, 0);
    set(S3, (word)ldt, 15, 0x82, 0);
    TRAPS(GP, S3, "a task gate to no TSS", "int $0x52", NOTHING);
}

/*
 * Faults of the new task, whose TSS is in force then: APM 2 8.2.11, 12.3. CS and SS are good, or no
 * handler could run without a task of its own.
 */
static void bad_tasks(void)
{
    static const struct {
        uint8_t field;
        uint16_t value;
        uint8_t vector;
        uint16_t error;
    } cases[] = {
        {T_DS, S2, NP, S2},         {T_ES, TSS, TS, TSS},    {T_FS, 0xFFF8, TS, 0xFFF8},
        {T_GS, S3, TS, S3},         {T_DS, 0x0C, TS, 0x0C},
    };
    set(S2, 0, 0xFFFFF, 0x12, 0xC); /* absent data */
    set(S3, 0, 0xFFFFF, 0x98, 0xC); /* code that cannot be read */
    for (unsigned n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        fill_task();
        other[cases[n].field] = cases[n].value;
        trap.vector = NONE;
        /* The task's registers are not ours. */
        asm volatile("pusha; " SAVE_SP CALL_TASK LOAD_SP "popa" : : : "memory", "cc");
        long vector = trap.vector;
        word error = trap.error, ip = trap.ip;
        uint16_t tr;
        asm volatile("str %0" : "=r"(tr));
        gdt[TSS / 8] &= ~(2ull << 40);
        asm volatile("ltr %w0; pushf; andl $~0x4000, (%%esp); popf; mov %1, %%ds; mov %1, %%es; "
                     "mov %1, %%fs; mov %1, %%gs; mov %1, %%ss; lldt %w2; clts"
                     :
                     : "r"(TSS), "r"(DATA), "r"(0));
        bool good = vector == cases[n].vector && error == cases[n].error && tr == S4 &&
                    ip == (word)task_entry;
        if (!good)
            say("case %d: vector %d error %x ip %x tr %x\n", (word)n, (word)vector, error, ip,
                (word)tr);
        check(good, "a task with a bad segment");
    }
}

static volatile unsigned traps;

static bool count_bt(struct frame *frame)
{
    if (frame->vector != DB)
        return false;
    if (read_dr6() & 0x8000 && frame->ip == (word)task_entry)
        traps++;
    write_dr6(0xFFFF0FF0);
    return true;
}

static void task_trap(void)
{
    fill_task();
    other[T_TRAP] = 1;
    on_trap = count_bt;
    write_dr7(0x555);
    WORKS("a task with its trap bit", CALL_TASK, NOTHING);
    on_trap = NULL;
    check(traps == 1, "DR6.BT, before its first instruction");
    check(!(read_dr7() & 0x55), "local breakpoints end with a task switch");
    write_dr7(0x400);
}

/* --- V86 ------------------------------------------------------------------------------------- */

/* Runs code at 2000:0000 in virtual-8086 mode. */
static void run_v86(const uint8_t *code, unsigned size, unsigned iopl)
{
    memcpy((void *)0x20000, code, size);
    TRY("push $0; push $0; push $0; push $0x2345; push $0x3000; push $0x100; push %%ebx; "
        "push $0x2000; push $0; iret", "b"(0x20002 | iopl << 12));
    asm volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs; mov %0, %%gs" : : "r"(DATA));
}

static void virtual_8086(void)
{
    static const struct {
        const char *name;
        uint8_t code[4], iopl, vector;
        uint16_t error;
    } cases[] = {
        {"V86: CLI, IOPL 0", {0xFA}, 0, GP, 0},
        {"V86: PUSHF, IOPL 0", {0x9C}, 0, GP, 0},
        {"V86: INT n, IOPL 0", {0xCD, 0x21}, 0, GP, 0},
        {"V86: INT n, IOPL 3, gate of DPL 0", {0xCD, 0x21}, 3, GP, 0x21 * 8 + 2},
        {"V86: HLT", {0xF4}, 3, GP, 0},
        {"V86: MOV from CR0", {0x0F, 0x20, 0xC0}, 3, GP, 0},
        {"V86: LLDT", {0x0F, 0x00, 0xD0}, 3, UD, 0},
        {"V86: UD2, after PUSHF with IOPL 3", {0x9C, 0x0F, 0x0B}, 3, UD, 0},
        {"V86: any segment, then UD2", {0x8E, 0xD8, 0x0F, 0x0B}, 3, UD, 0},
    };
    for (unsigned n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        run_v86(cases[n].code, 4, cases[n].iopl);
        check_trap(cases[n].name, cases[n].vector, cases[n].error);
        check(trap.cs == 0x2000 && trap.flags & 0x20000, "VM in the frame");
    }
}

void test(void)
{
    limits();
    transfers();
    call_gates();
    local_table();
    tasks();
    task_trap();
    bad_tasks();
    virtual_8086();
}
