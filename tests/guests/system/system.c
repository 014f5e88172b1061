/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Long mode's system side: SYSCALL and SYSRET, MSRs, IST and double faults, IRET, NMI blocking,
 * string restart, code that changes itself, alignment checks, PCID, compatibility mode.
 */
#include "guest.h"

#define STAR 0xC0000081u
#define LSTAR 0xC0000082u
#define CSTAR 0xC0000083u
#define SFMASK 0xC0000084u
#define FS_BASE 0xC0000100u
#define EFER 0xC0000080u
#define NOTHING "b"(0)
#define BAD 0x800000000000ull /* not canonical */

__attribute__((used)) static volatile uint64_t result[8];

/* --- SYSCALL, SYSRET: APM 3 ------------------------------------------------------------------ */

static void fast_calls(void)
{
    wrmsr(STAR, (uint64_t)0x18 << 48 | (uint64_t)CODE64 << 32);
    gdt[0x28 / 8] = 0x00AFFA000000FFFF; /* STAR[63:48] + 16, for this test */
    wrmsr(SFMASK, 0x600);
    asm volatile("mov $7f, %%rax; mov %%rax, %%rdx; shr $32, %%rdx; mov %[lstar], %%ecx; wrmsr\n\t"
                 "push $0x4687; popf; syscall\n"
                 "8: ud2\n"
                 "7: pushf; pop %%rax; mov %%rax, (%%rbx)\n\t"
                 "mov %%rcx, 8(%%rbx); mov %%r11, 16(%%rbx); mov %%cs, %%eax; mov %%rax, 24(%%rbx)\n\t"
                 "mov %%ss, %%eax; mov %%rax, 32(%%rbx); mov $8b, %%rax; mov %%rax, 40(%%rbx)\n\t"
                 "push $2; popf; mov %[data], %%eax; mov %%eax, %%ss"
                 :
                 : "b"(result), [lstar] "i"(LSTAR), [data] "i"(DATA)
                 : "rax", "rcx", "rdx", "r11", "memory", "cc");
    check((result[0] & 0x4687) == 0x4087, "SYSCALL clears the flags of SFMASK, and no other");
    check(result[1] == result[5], "RCX is the next instruction");
    check((result[2] & 0x4687) == 0x4687 && !(result[2] >> 16 & 1), "R11 has the old flags, RF 0");
    check(result[3] == CODE64 && result[4] == CODE64 + 8, "CS and SS follow STAR");
    wrmsr(EFER, rdmsr(EFER) & ~1ull);
    TRAPS(UD, 0, "SYSCALL without EFER.SCE", "syscall", NOTHING);
    TRAPS(UD, 0, "SYSRET without EFER.SCE", "sysretq", NOTHING);
    wrmsr(EFER, rdmsr(EFER) | 1);
    check(try_wrmsr(LSTAR, BAD) == GP, "LSTAR must be canonical");
    check(try_wrmsr(CSTAR, BAD) == GP, "CSTAR must be canonical");
    check(try_wrmsr(SFMASK, 1ull << 32) == GP, "SFMASK: upper half");
    TRAPS(UD, 0, "SYSENTER in long mode, as AMD has it", "sysenter", NOTHING);
}

USER static void user_after_sysret(word arg)
{
    asm volatile("mov %%cs, %%ebx; mov %%ss, %%esi; pushf; pop %%rdi; ud2" : : : "memory");
}

static bool keep(struct frame *frame)
{
    if (frame->vector == UD && frame->cs & 3) {
        result[0] = frame->cs;
        result[1] = frame->ss;
        result[2] = frame->di;
        result[3] = frame->flags;
    }
    return false;
}

static void sysret(void)
{
    on_trap = keep;
    trap.vector = NONE;
    asm volatile(SAVE_SP "mov %%rsp, %%rax; mov %[sp], %%rsp; sysretq" LOAD_SP
                 :
                 : "c"(user_after_sysret), [r11] "a"(0), [sp] "b"(user_stack + 8192)
                 : "memory", "cc", "rsi", "rdi", "r11", "rdx");
    check_trap("SYSRET to 64-bit code at CPL 3", UD, 0);
    check(result[0] == (0x18 + 16 + 3) && result[1] == (0x18 + 8 + 3), "CS and SS follow STAR");
    on_trap = NULL;
    /* AMD checks the address at the first fetch, at CPL 3: APM 3, SYSRET. */
    trap.vector = NONE;
    asm volatile(SAVE_SP "mov %[sp], %%rsp; sysretq" LOAD_SP
                 :
                 : "c"(BAD), [sp] "b"(user_stack + 8192)
                 : "memory", "cc", "rsi", "rdi", "r11", "rdx", "rax");
    check(trap.vector == GP && (trap.cs & 3) == 3 && trap.ip == BAD,
          "SYSRET to a non-canonical address faults at CPL 3");
    gdt[0x28 / 8] = 0x00CFFA000000FFFF;
}

/* --- MSRs ------------------------------------------------------------------------------------ */

static void msrs(void)
{
    static const struct {
        uint32_t number;
        uint64_t value;
        bool good;
    } writes[] = {
        {FS_BASE, BAD, false},           {0xC0000102, BAD, false},     {0x175, BAD, false},
        {0x176, BAD, false},             {0x277, 0x0206040600070406, false},
        {0x277, 0x0807040600070406, false}, {0x277, 0x0007040600070406, true},
        {0x2FF, 0x806, true},            {0x2FF, 1ull << 12, false},   {EFER, 1 << 1, false},
        {0xC0010131, 0, false},          {0x12345, 0, false},          {0xFE, 0, false},
        {FS_BASE, 0xFFFF800000000000, true}, {0xC0000103, 1ull << 32, false},
    };
    for (unsigned n = 0; n < sizeof(writes) / sizeof(writes[0]); n++) {
        long vector = try_wrmsr(writes[n].number, writes[n].value);
        if ((vector == NONE) != writes[n].good)
            say("MSR %x\n", (word)writes[n].number);
        check(vector == (writes[n].good ? (long)NONE : (long)GP), "WRMSR");
    }
    wrmsr(FS_BASE, 0);
    check(try_rdmsr(0x12345) == GP, "RDMSR of an unknown register");
    check(try_rdmsr(0xFFFFFFFF) == GP, "RDMSR of another");
    wrmsr(0x10, 0x123456789000);
    check(rdtsc() - 0x123456789000 < 100000, "the TSC can be set");
    write_cr4(read_cr4() | 4);
    WORKS("RDTSC at CPL 0 with CR4.TSD", "rdtsc", NOTHING);
    write_cr4(read_cr4() & ~4ull);
}

USER static void user_rdtsc(word arg)
{
    asm volatile("rdtsc" : : : "rax", "rdx");
    USER_END;
}
USER static void user_rdmsr(word arg)
{
    asm volatile("rdmsr" : : "c"(0x10) : "rax", "rdx");
}
USER static void user_unaligned(word at)
{
    *(volatile uint32_t *)(at + 1) = 1;
    USER_END;
}
USER static void user_aligned(word at)
{
    *(volatile uint32_t *)(at + 4) = 1;
    USER_END;
}
USER static void user_sgdt(word at)
{
    asm volatile("sgdt (%0)" : : "r"(at) : "memory");
    USER_END;
}

static void user_rights(void)
{
    word at = (word)user_stack;
    write_cr4(read_cr4() | 4);
    run_user(user_rdtsc, 0, 0);
    check_trap("RDTSC at CPL 3 with CR4.TSD", GP, 0);
    write_cr4(read_cr4() & ~4ull);
    run_user(user_rdtsc, 0, 0);
    check_trap("RDTSC at CPL 3", NONE, 0);
    run_user(user_rdmsr, 0, 0);
    check_trap("RDMSR at CPL 3", GP, 0);
    run_user(user_unaligned, at, 0x40000);
    check_trap("EFLAGS.AC without CR0.AM", NONE, 0);
    write_cr0(read_cr0() | 1u << 18);
    run_user(user_unaligned, at, 0);
    check_trap("CR0.AM without EFLAGS.AC", NONE, 0);
    run_user(user_unaligned, at, 0x40000);
    check_trap("alignment check", AC, 0);
    run_user(user_aligned, at, 0x40000);
    check_trap("an aligned access", NONE, 0);
    TRAPS(NONE, 0, "no alignment check at CPL 0",
          "pushf; orq $0x40000, (%%rsp); popf; movl $1, 1(%%rbx); pushf; andq $~0x40000, (%%rsp); "
          "popf", "b"(result));
    write_cr0(read_cr0() & ~(1ull << 18));
    run_user(user_sgdt, at, 0);
    check_trap("SGDT at CPL 3", NONE, 0);
    uint32_t ret[4];
    cpuid(7, 0, ret);
    if (!(ret[2] >> 2 & 1))
        return;
    write_cr4(read_cr4() | 1u << 11);
    run_user(user_sgdt, at, 0);
    check_trap("SGDT at CPL 3 with CR4.UMIP", GP, 0);
    write_cr4(read_cr4() & ~(1ull << 11));
}

/* --- IST, double fault ----------------------------------------------------------------------- */

static uint8_t ist_stack[4096] __attribute__((aligned(16)));

static bool sees_ist(struct frame *frame)
{
    result[0] = (word)frame;
    return false;
}

static void set_ist(unsigned number, word sp)
{
    __builtin_memcpy(tss + 0x24 + 8 * (number - 1), &sp, 8);
}

static void double_faults(void)
{
    word top = (word)ist_stack + sizeof(ist_stack);
    set_ist(1, top);
    set_gate(DF, CODE64, (word)(stubs + DF * 16), 0x8E, 1);
    set_gate(UD, CODE64, (word)(stubs + UD * 16), 0x8E, 1);
    on_trap = sees_ist;
    TRAPS(UD, 0, "a handler on an IST stack", "ud2", NOTHING);
    check(result[0] > (word)ist_stack && result[0] < top, "it is the IST's");
    on_trap = NULL;
    set_gate(UD, CODE64, (word)(stubs + UD * 16), 0x8E, 0);
    TRAPS(DF, 0, "page fault on a bad stack: double fault", "mov %%rbx, %%rsp; push %%rax",
          "b"(0x7FFFFFFFF000));
    /* Contributory pairs, APM 2 table 8-3: the second fault is #NP from the gate, #GP from the IDT. */
    set_gate(GP, CODE64, (word)(stubs + GP * 16), 0x0E, 0);
    TRAPS(DF, 0, "#GP, then #NP: double fault", "mov %%rbx, %%cr4", "b"(1ull << 31));
    TRAPS(DF, 0, "#NP of a gate, then ... #GP's absent gate", "mov %%bx, %%ds", "b"(0xFFF8));
    set_gate(GP, CODE64, (word)(stubs + GP * 16), 0x8E, 0);
    set_gate(UD, CODE64, (word)(stubs + UD * 16), 0x0E, 0);
    TRAPS(NP, UD * 8 + 3, "#UD, then #NP: not a double fault", "ud2", NOTHING);
    set_gate(UD, CODE64, (word)(stubs + UD * 16), 0x8E, 0);
    set_gate(PF, CODE64, (word)(stubs + PF * 16), 0x0E, 0);
    TRAPS(DF, 0, "#PF, then #NP: double fault", "movb (%%rbx), %%al", "b"(0x7FFFFFFFF000));
    set_gate(PF, CODE64, (word)(stubs + PF * 16), 0x8E, 0);
    set_gate(DE, CODE64, (word)(stubs + DE * 16), 0x0E, 0);
    TRAPS(DF, 0, "#DE, then #NP: double fault", "xor %%edx, %%edx; div %%ebx", NOTHING);
    set_gate(DE, CODE64, (word)(stubs + DE * 16), 0x8E, 0);
    set_gate(0x51, CODE64, BAD, 0x8E, 0);
    TRAPS(GP, 0, "a handler at a non-canonical address", "int $0x51", NOTHING);
    set_gate(0x51, CODE32, (word)(stubs + 0x51 * 16), 0x8E, 0);
    TRAPS(GP, CODE32, "a handler in a 32-bit segment", "int $0x51", NOTHING);
    set_gate(0x51, CODE64, (word)(stubs + 0x51 * 16), 0x8C, 0);
    TRAPS(GP, 0x51 * 8 + 2, "a gate of another type", "int $0x51", NOTHING);
    set_gate(0x51, CODE64, (word)(stubs + 0x51 * 16), 0x8E, 0);
}

/* --- IRET, NMI ------------------------------------------------------------------------------- */

static void returns(void)
{
    TRAPS(GP, 0, "IRETQ with NT", "pushf; orq $0x4000, (%%rsp); popf; iretq", NOTHING);
    asm volatile("push $2; popf");
    TRAPS(GP, 0, "IRETQ to a null CS", "push $0x10; push %%rsp; push $2; push $0; push $1f; iretq",
          NOTHING);
    TRAPS(GP, USER_CODE64 & ~3, "IRETQ to a code segment of lower privilege with RPL 0",
          "push $0x10; push %%rsp; push $2; push %%rbx; push $1f; iretq",
          "b"(USER_CODE64 & ~3));
    TRAPS(GP, 0, "IRETQ to a non-canonical address",
          "push $0x10; push %%rsp; push $2; push $0x18; push %%rbx; iretq", "b"(BAD));
    WORKS("IRETQ to a null SS at CPL 0",
          "mov %%rsp, %%rax; push $0; push %%rax; push $2; push $0x18; push $1f; iretq", NOTHING);
    asm volatile("mov %0, %%ss" : : "r"(DATA));
    TRAPS(GP, DATA, "IRETQ to an SS of other privilege",
          "push $0x13; push %%rsp; push $2; push $0x18; push $1f; iretq", NOTHING);
    TRAPS(GP, 0, "far return to a non-canonical address", "push $0x18; push %%rbx; lretq",
          "b"(BAD));
}

/* --- strings --------------------------------------------------------------------------------- */

static uint8_t area[3 * 4096] __attribute__((aligned(4096)));

/* A fault in the middle leaves registers from which the instruction goes on. */
static uint64_t *entry_2m(word at)
{
    uint64_t *pdpt = (uint64_t *)(word)(PML4[0] & ~0xFFFull);
    uint64_t *directory = (uint64_t *)(word)(pdpt[0] & ~0xFFFull);
    return &directory[at >> 21];
}

static struct {
    word di, si, cx, ip;
} middle;

static bool make_present(struct frame *frame)
{
    if (frame->vector != PF)
        return false;
    middle.di = frame->di;
    middle.si = frame->si;
    middle.cx = frame->cx;
    middle.ip = frame->ip;
    *entry_2m(0xC00000) |= 1;
    return true;
}

static void string_restart(void)
{
    word at, left = 100;
    uint8_t *to = (uint8_t *)0xBFFFF0, *from = area;
    for (unsigned n = 0; n < 100; n++)
        area[n] = (uint8_t)(n + 1);
    *entry_2m(0xC00000) &= ~1ull;
    write_cr3(read_cr3());
    on_trap = make_present;
    asm volatile("mov $7f, %3; 7: rep movsb"
                 : "+D"(to), "+S"(from), "+c"(left), "=&r"(at)
                 :
                 : "memory");
    on_trap = NULL;
    check(middle.ip == at && middle.di == 0xC00000 && middle.cx == 84 &&
              middle.si == (word)area + 16, "REP MOVSB faults in its middle");
    check(!left && !__builtin_memcmp((void *)0xBFFFF0, area, 100), "and ends after its restart");
    left = 40;
    to = (uint8_t *)0xC00000 + 0x1FFFF8;
    *entry_2m(0xE00000) &= ~1ull;
    write_cr3(read_cr3());
    TRY("mov $40, %%ecx; mov $5, %%eax; rep stosq; ud2", "D"(to));
    check(trap.vector == PF && trap.error == 2 && trap.cr2 == 0xE00000, "REP STOSQ likewise");
    *entry_2m(0xE00000) |= 1;
    write_cr3(read_cr3());
}

/* --- code that changes itself ----------------------------------------------------------------- */

static void changing_code(void)
{
    static uint8_t code[64] __attribute__((aligned(64)));
    unsigned (*volatile run)(void) = (unsigned (*)(void))(void *)code;
    static const uint8_t first[] = {0xB8, 1, 0, 0, 0, 0xC3};
    __builtin_memcpy(code, first, sizeof(first));
    unsigned sum = 0;
    for (unsigned n = 1; n <= 50; n++) {
        code[1] = (uint8_t)n;
        sum += run();
    }
    check(sum == 1275, "a store to code is seen by the next call");
    /* The store changes the very next instruction: APM 2 7.6.1. */
    unsigned value;
    asm volatile("movb $0xC3, 7f+1(%%rip); xor %%ebx, %%ebx; 7: inc %%eax; mov %%ebx, %%eax"
                 : "=a"(value)
                 : "a"(0)
                 : "memory", "rbx");
    check(value == 1, "a store to an instruction that follows in the same block");
}

/* --- PCID ------------------------------------------------------------------------------------ */

static void process_contexts(void)
{
    uint32_t ret[4];
    cpuid(1, 0, ret);
    if (!(ret[2] >> 17 & 1)) {
        TRAPS(GP, 0, "CR4.PCIDE without the feature", "mov %%rbx, %%cr4",
              "b"(read_cr4() | 1u << 17));
        return;
    }
    word cr3 = read_cr3();
    TRAPS(GP, 0, "CR4.PCIDE with a PCID in CR3", "mov %%rbx, %%cr3; mov %%rsi, %%cr4",
          "b"(cr3 | 1), "S"(read_cr4() | 1u << 17));
    write_cr3(cr3);
    write_cr4(read_cr4() | 1u << 17);
    WORKS("CR3 with a PCID and without flush", "mov %%rbx, %%cr3", "b"(cr3 | 5 | 1ull << 63));
    check(read_cr3() == (cr3 | 5), "bit 63 does not read back");
    write_cr3(cr3);
    TRAPS(GP, 0, "CR0.PG cannot go with PCIDE", "mov %%rbx, %%cr0",
          "b"(read_cr0() & ~(1ull << 31)));
    cpuid(7, 0, ret);
    if (ret[1] >> 10 & 1) {
        static struct {
            uint64_t pcid, address;
        } d;
        d.pcid = 1;
        WORKS("INVPCID: one address", "mov $0, %%eax; invpcid (%%rbx), %%rax", "b"(&d));
        TRAPS(GP, 0, "INVPCID: unknown type", "mov $4, %%eax; invpcid (%%rbx), %%rax", "b"(&d));
        d.pcid = 0x1000;
        TRAPS(GP, 0, "INVPCID: PCID of 13 bits", "mov $0, %%eax; invpcid (%%rbx), %%rax",
              "b"(&d));
        d.pcid = 0;
        d.address = BAD;
        TRAPS(GP, 0, "INVPCID: non-canonical address", "mov $0, %%eax; invpcid (%%rbx), %%rax",
              "b"(&d));
    }
    write_cr4(read_cr4() & ~(1ull << 17));
}

/* --- call gates ------------------------------------------------------------------------------ */

asm("gate_target: mov %cs, %eax; mov %rax, result; mov %ss, %eax; mov %rax, result + 8\n\t"
    "mov 24(%rsp), %rax; mov %rax, result + 16; mov %rsp, result + 24; lretq");
extern uint8_t gate_target[];

static const struct {
    uint32_t offset;
    uint16_t selector;
} gate_pointer __attribute__((section(".userdata"))) = {0, FREE + 3};

USER static void user_gate(word arg)
{
    asm volatile("lcall *%0; int $0x81" : : "m"(gate_pointer) : "rax", "memory");
}

static void put_gate(unsigned target, word offset, unsigned type_dpl)
{
    gdt[FREE / 8] = (offset & 0xFFFF) | (uint64_t)target << 16 | (uint64_t)type_dpl << 40 |
                    (uint64_t)(offset >> 16 & 0xFFFF) << 48;
    gdt[FREE / 8 + 1] = offset >> 32;
}

static void call_gates(void)
{
    put_gate(CODE64, (word)gate_target, 0xEC);
    run_user(user_gate, 0, 0);
    check_trap("64-bit call gate to CPL 0 and back", NONE, 0);
    check(result[0] == CODE64 && !(result[1] & ~3ull), "CS, and a null SS");
    check(result[2] == USER_DATA, "the old SS is on the new stack");
    check(result[3] == (word)interrupt_stack_top - 32, "which is RSP0");
    put_gate(CODE64, (word)gate_target, 0x8C);
    run_user(user_gate, 0, 0);
    check_trap("a gate of DPL 0", GP, FREE);
    put_gate(CODE64, (word)gate_target, 0x6C);
    run_user(user_gate, 0, 0);
    check_trap("an absent gate", NP, FREE);
    put_gate(CODE32, (word)gate_target, 0xEC);
    run_user(user_gate, 0, 0);
    check_trap("a gate to a 32-bit segment", GP, CODE32);
    put_gate(CODE64, BAD, 0xEC);
    run_user(user_gate, 0, 0);
    check_trap("a gate to a non-canonical address", GP, 0);
    put_gate(CODE64, (word)gate_target, 0xEC);
    gdt[FREE / 8 + 1] |= 1ull << 40;
    run_user(user_gate, 0, 0);
    check_trap("a type in the upper half", GP, FREE);
}

/* --- compatibility mode ---------------------------------------------------------------------- */

static void compatibility(void)
{
    uint32_t value = 0;
    asm volatile("push %[c32]; push $7f; lretq\n\t"
                 ".code32\n"
                 "7: mov $-1, %%eax; .byte 0x40\n\t" /* INC EAX here, a prefix in 64-bit code */
                 "mov %%eax, %%ecx; mov $0xFFFFFFFF, %%eax; add $1, %%eax; adc $5, %%ecx\n\t"
                 "ljmp %[c64], $8f\n\t"
                 ".code64\n"
                 "8: nop"
                 : "=c"(value)
                 : [c32] "i"(CODE32), [c64] "i"(CODE64)
                 : "rax", "memory", "cc");
    check(value == 6, "to compatibility mode and back");
    /* Descriptor caches: CODE64 with both L and D is reserved. */
    gdt[FREE / 8] = 0x00EF9A000000FFFF;
    TRAPS(GP, FREE, "a code segment with L and D", "push %%rbx; push $1f; lretq", "b"(FREE));
}

void test(void)
{
    fast_calls();
    sysret();
    msrs();
    user_rights();
    double_faults();
    returns();
    string_restart();
    changing_code();
    process_contexts();
    call_gates();
    compatibility();
}
