/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Exceptions: vectors, error codes, classes and priority (APM 2 8.2, 8.4, 8.5), gates and their
 * privileges (8.9), selectors (4.8), IRET. In long mode and in 32-bit protected mode.
 */
#include "guest.h"

#ifdef __x86_64__
#define R "r"
#define LRET "lretq"
#else
#define R "e"
#define LRET "lret"
#endif
#define NOTHING "b"(0)

static volatile uint32_t variable[4];

static void vectors(void)
{
    TRAPS(DE, 0, "DIV by zero", "xor %%edx, %%edx; div %%ebx", NOTHING);
    TRAPS(DE, 0, "IDIV overflow", "mov $0x80000000, %%eax; cdq; mov $-1, %%ecx; idiv %%ecx",
          NOTHING);
    TRAPS(UD, 0, "UD2", "ud2", NOTHING);
    TRAPS(UD, 0, "LOCK on MOV", "lock; movl %%eax, (%%" R "bx)", "b"(&variable));
    TRAPS(UD, 0, "MOV to CR1", ".byte 0x0F, 0x22, 0xC8", NOTHING);
    TRAPS(UD, 0, "MOV CS", ".byte 0x8E, 0xC8", NOTHING);
    TRAPS(GP, 0x40 * 8 + 2, "INT n through a code segment's descriptor", "int $0x40", NOTHING);
    TRAPS(NP, 0x41 * 8 + 2, "INT n through an absent gate", "int $0x41", NOTHING);
    TRAPS(GP, 0x1E0, "handler's selector beyond the GDT", "int $0x42", NOTHING);
    TRAPS(GP, 0, "handler's selector null", "int $0x43", NOTHING);
    TRAPS(GP, DATA, "handler's selector a data segment", "int $0x44", NOTHING);
    TRAPS(GP, 0, "16 bytes of instruction",
          ".byte 0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x90",
          NOTHING);
    WORKS("15 bytes of instruction",
          ".byte 0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x90",
          NOTHING);
}

static void set_up_vectors(void)
{
    word handler = (word)(stubs + 0x40 * 16);
    set_gate(0x40, KERNEL_CODE, handler, 0x9A, 0);
    set_gate(0x41, KERNEL_CODE, handler, 0x0E, 0);
    set_gate(0x42, 0x1E0, handler, 0x8E, 0);
    set_gate(0x43, 0, handler, 0x8E, 0);
    set_gate(0x44, DATA, handler, 0x8E, 0);
    gdt[0x1E0 / 8] = 0;
}

/* Faults leave the instruction's address and RF, traps the next one's. */
static void classes(void)
{
    TRY("mov $7f, %%" R "ax; mov %%" R "ax, (%%" R "bx); 7: ud2", "b"(&variable));
    check(trap.ip == *(volatile word *)variable, "a fault names its instruction");
    check(trap.flags & 1u << 16, "a fault saves RF set");
    TRY("mov $7f, %%" R "ax; mov %%" R "ax, (%%" R "bx); int3; 7:", "b"(&variable));
    check(trap.ip == *(volatile word *)variable, "a trap names the next instruction");
    check(!(trap.flags & 1u << 16), "a trap does not save RF");
    TRY("pushf; pop %%" R "ax; mov %%" R "ax, (%%" R "bx)", "b"(&variable));
    check(!(variable[0] & 1u << 16), "PUSHF never shows RF");
}

static bool has_handler_flags(struct frame *frame)
{
    variable[1] = 0;
    asm volatile("pushf; pop %%" R "ax; mov %%eax, %0" : "=m"(variable[1]) : : "ax");
    return false;
}

/* Interrupt gates clear IF, trap gates leave it; both clear TF, NT, RF: APM 2 8.9. */
static void gates(void)
{
    on_trap = has_handler_flags;
    TRY("push %%" R "bx; popf; int3; cli", "b"(0x4202));
    check(!(variable[1] & 0x4300), "an interrupt gate clears IF, TF and NT");
    check(trap.flags & 0x4000, "and saves NT");
    set_gate(BP, KERNEL_CODE, (word)(stubs + BP * 16), 0x8F, 0);
    TRY("push %%" R "bx; popf; int3; cli", "b"(0x202));
    check(variable[1] & 0x200, "a trap gate leaves IF");
    set_gate(BP, KERNEL_CODE, (word)(stubs + BP * 16), 0x8E, 0);
    on_trap = NULL;
    asm volatile("cli; push $2; popf");
}

USER static void user_int3(word arg)
{
    asm volatile("int3");
}
USER static void user_int(word arg)
{
    asm volatile("int $0x0E");
}
USER static void user_cli(word arg)
{
    asm volatile("cli");
}
USER static void user_hlt(word arg)
{
    asm volatile("hlt");
}
USER static void user_in(word arg)
{
    asm volatile("inb $0x80; int $0x81");
}
USER static void user_ends(word arg)
{
    USER_END;
}
USER static void user_data(word arg)
{
    asm volatile("mov %0, %%ds" : : "r"((word)DATA));
}
USER static void user_popf(word arg)
{
    word flags;
    asm volatile("push %1; popf; pushf; pop %0" : "=r"(flags) : "r"((word)0x3202));
    asm volatile("mov %0, %%" R "bx; int $0x81" : : "r"(flags));
}

static void user_mode(void)
{
    run_user(user_ends, 0, 0);
    check_trap("to CPL 3 and back", NONE, 0);
    run_user(user_int3, 0, 0);
    check_trap("INT3 at CPL 3 through a gate of DPL 0", GP, BP * 8 + 2);
    run_user(user_int, 0, 0);
    check_trap("INT 14 at CPL 3", GP, PF * 8 + 2);
    run_user(user_cli, 0, 0);
    check_trap("CLI at CPL 3, IOPL 0", GP, 0);
    run_user(user_hlt, 0, 0x3000);
    check_trap("HLT at CPL 3", GP, 0);
    run_user(user_in, 0x80, 0);
    check_trap("IN at CPL 3, allowed by the bitmap", NONE, 0);
    tss[0x68 + 0x80 / 8] = 1;
    run_user(user_in, 0x80, 0);
    check_trap("IN at CPL 3, denied by the bitmap", GP, 0);
    run_user(user_in, 0x80, 0x3000);
    check_trap("IN at CPL 3, IOPL 3", NONE, 0);
    run_user(user_data, 0, 0);
    check_trap("a segment of DPL 0 at CPL 3", GP, DATA);
    check((trap.cs & 3) == 3 && (trap.ss & 3) == 3, "the frame has the outer CS and SS");
    check(trap.sp >= (word)user_stack && trap.sp < (word)user_stack + sizeof(user_stack),
          "the frame has the outer stack pointer");
    run_user(user_popf, 0, 0);
    check_trap("POPF at CPL 3 changes neither IF nor IOPL, without a fault", NONE, 0);
}

static void selectors(void)
{
    gdt[FREE / 8] = descriptor(0, 0xFFFFF, 0x12, 0xC);     /* absent data */
    gdt[FREE / 8 + 1] = descriptor(0, 0xFFFFF, 0x90, 0xC); /* read only */
    gdt[FREE / 8 + 2] = descriptor(0, 0xFFFFF, 0x9C, 0xC); /* conforming code, not readable */
    gdt[FREE / 8 + 3] = descriptor(0, 0xFFFFF, 0x92, 0xC); /* not accessed yet */
    TRAPS(NP, FREE, "MOV DS: absent", "mov %%bx, %%ds", "b"(FREE));
    TRAPS(SS, FREE, "MOV SS: absent", "mov %%bx, %%ss", "b"(FREE));
    TRAPS(GP, FREE + 8, "MOV SS: read only", "mov %%bx, %%ss", "b"(FREE + 8));
    TRAPS(GP, FREE + 16, "MOV DS: execute only", "mov %%bx, %%ds", "b"(FREE + 16));
    TRAPS(GP, TSS, "MOV ES: a system descriptor", "mov %%bx, %%es", "b"(TSS));
    TRAPS(GP, 0xFFF8, "MOV ES: beyond the GDT", "mov %%bx, %%es", "b"(0xFFF8));
    TRAPS(GP, 0x0C, "MOV FS: LDT without an LDT", "mov %%bx, %%fs", "b"(0x0C));
    TRAPS(GP, DATA, "MOV SS: RPL is not CPL", "mov %%bx, %%ss", "b"(DATA | 3));
    TRAPS(GP, TSS, "LTR: busy", "ltr %%bx", "b"(TSS));
    TRAPS(GP, 0, "LTR: null", "ltr %%bx", "b"(0));
    TRAPS(GP, DATA, "LLDT: no LDT", "lldt %%bx", "b"(DATA));
    TRAPS(GP, 0x0C, "LLDT: selector in the LDT", "lldt %%bx", "b"(0x0C));
    WORKS("LLDT: null", "lldt %%bx", "b"(0));
    TRY("mov %%bx, %%es; mov %%si, %%es", "b"(FREE + 24), "S"(DATA));
    check(gdt[FREE / 8 + 3] >> 40 & 1, "loading a segment sets the accessed bit");
    TRAPS(GP, DATA, "far jump to data", "push %%" R "bx; push $0; " LRET, "b"(DATA));
}

static void look_ups(void)
{
    uint32_t value = 0x5A5A5A5A;
    gdt[FREE / 8] = descriptor(0x1000, 0x12, 0xF2, 0x4);     /* data, DPL 3, limit 0x12 */
    gdt[FREE / 8 + 1] = descriptor(0x1000, 0x12, 0xF2, 0xC); /* the same in pages */
    asm volatile("lsl %1, %0" : "=r"(value) : "r"(FREE));
    check(value == 0x12, "LSL: bytes");
    asm volatile("lsl %1, %0" : "=r"(value) : "r"(FREE + 8));
    check(value == 0x12FFF, "LSL: pages");
    asm volatile("lar %1, %0" : "=r"(value) : "r"(FREE));
    check(value == 0x0040F200, "LAR");
    bool zero;
    asm volatile("verw %w1; setz %0" : "=q"(zero) : "r"(FREE));
    check(zero, "VERW: writable data");
    asm volatile("verw %w1; setz %0" : "=q"(zero) : "r"(KERNEL_CODE));
    check(!zero, "VERW: code");
    asm volatile("verr %w1; setz %0" : "=q"(zero) : "r"(KERNEL_CODE));
    check(zero, "VERR: readable code");
    asm volatile("verr %w1; setz %0" : "=q"(zero) : "r"(TSS));
    check(!zero, "VERR: system");
    asm volatile("verr %w1; setz %0" : "=q"(zero) : "r"(0));
    check(!zero, "VERR: null");
    asm volatile("lar %1, %%ecx; setz %0" : "=q"(zero) : "r"(0xFFF8) : "ecx");
    check(!zero, "LAR: beyond the GDT");
    asm volatile("lsl %1, %%ecx; setz %0" : "=q"(zero) : "r"(TSS) : "ecx");
    check(zero, "LSL: TSS");
}

void test(void)
{
    set_up_vectors();
    vectors();
    classes();
    gates();
    user_mode();
    selectors();
    look_ups();
}
