/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The local APIC: modes, timer, interrupts to itself, priorities, spurious vector, errors: APM 2
 * chapter 16. The same checks through memory (xAPIC) and through MSRs (x2APIC).
 */
#include "guest.h"

enum { ID = 0x20, VERSION = 0x30, TPR = 0x80, PPR = 0xA0, EOI = 0xB0, LDR = 0xD0, DFR = 0xE0,
       SVR = 0xF0, ISR = 0x100, IRR = 0x200, ESR = 0x280, ICR = 0x300, ICR_HIGH = 0x310,
       LVT_TIMER = 0x320, LVT_LINT0 = 0x350, LVT_ERROR = 0x370, INITIAL = 0x380, CURRENT = 0x390,
       DIVIDE = 0x3E0, SELF_IPI = 0x3F0 };

#define BASE     0xFEE00000u
#define BASE_MSR 0x1Bu
#define DEADLINE 0x6E0u
#define MASKED   0x10000u
#define PERIODIC 0x20000u
#define TSC_MODE 0x40000u
#define SELF     0x44000u /* shorthand self, assert */

static bool x2;

static uint32_t get(unsigned reg)
{
    return x2 ? (uint32_t)rdmsr(0x800 + reg / 16) : *(volatile uint32_t *)(word)(BASE + reg);
}

static void set(unsigned reg, uint32_t value)
{
    if (x2)
        wrmsr(0x800 + reg / 16, value);
    else
        *(volatile uint32_t *)(word)(BASE + reg) = value;
}

static bool bit_of(unsigned reg, unsigned vector)
{
    return get(reg + vector / 32 * 16) >> (vector & 31) & 1;
}

static void open_window(void)
{
    asm volatile("sti; nop; nop; cli" : : : "memory");
}

/* Waits for one more interrupt of the vector, for a bounded time. */
static bool arrives(unsigned vector)
{
    unsigned before = interrupts[vector];
    for (unsigned n = 0; n < 2000000 && interrupts[vector] == before; n++)
        asm volatile("sti; pause; cli" : : : "memory");
    return interrupts[vector] != before;
}

static void identity(void)
{
    uint32_t ret[4];
    cpuid(1, 0, ret);
    check((get(ID) >> (x2 ? 0 : 24)) == ret[1] >> 24, "the ID is CPUID's");
    check((get(VERSION) & 0xFF) >= 0x10 && (get(VERSION) >> 16 & 0xFF) >= 3, "version, LVT count");
}

static void to_itself(void)
{
    unsigned before = interrupts[0x60];
    set(ICR, SELF | 0x60);
    check(bit_of(IRR, 0x60), "an interrupt to itself waits in the IRR");
    check(interrupts[0x60] == before, "while IF is clear");
    open_window();
    check(interrupts[0x60] == before + 1, "and comes with IF");
    check(bit_of(ISR, 0x60) && !bit_of(IRR, 0x60), "then it is in service");
    check((get(PPR) & 0xF0) == 0x60, "and sets the processor priority");
    set(ICR, SELF | 0x50);
    open_window();
    check(bit_of(IRR, 0x50), "a lower one waits");
    unsigned higher = interrupts[0x70];
    set(ICR, SELF | 0x70);
    open_window();
    check(interrupts[0x70] == higher + 1, "a higher one does not");
    set(EOI, 0);
    check(!bit_of(ISR, 0x70) && bit_of(ISR, 0x60), "EOI ends the highest");
    set(EOI, 0);
    before = interrupts[0x50];
    open_window();
    check(interrupts[0x50] == before + 1, "then the lower one comes");
    set(EOI, 0);
    check(!(get(PPR) & 0xF0), "all done");
}

static void task_priority(void)
{
    set(TPR, 0x60);
    check(read_cr8() == 6, "CR8 shows the task priority");
    unsigned same = interrupts[0x6F], above = interrupts[0x71];
    set(ICR, SELF | 0x6F);
    open_window();
    check(interrupts[0x6F] == same, "the class of the TPR waits");
    set(ICR, SELF | 0x71);
    open_window();
    check(interrupts[0x71] == above + 1, "a class above it comes");
    set(EOI, 0);
    write_cr8(5);
    check(get(TPR) == 0x50, "the TPR shows CR8");
    open_window();
    check(interrupts[0x6F] == same + 1, "lowering CR8 lets it in");
    set(EOI, 0);
    write_cr8(0);
    TRAPS(GP, 0, "CR8: reserved bits", "mov %%rbx, %%cr8", "b"(16ull));
}

static void timer(void)
{
    set(DIVIDE, 0xB); /* by 1 */
    set(LVT_TIMER, 0x80);
    set(INITIAL, 20000);
    check(get(CURRENT) && get(CURRENT) <= 20000, "the timer counts down");
    check(arrives(0x80), "one shot");
    set(EOI, 0);
    check(!get(CURRENT), "then it stands");
    unsigned count = interrupts[0x80];
    for (unsigned n = 0; n < 50000; n++)
        asm volatile("sti; pause; cli" : : : "memory");
    check(interrupts[0x80] == count, "once only");
    set(LVT_TIMER, 0x84 | PERIODIC);
    set(INITIAL, 20000);
    bool all = true;
    for (unsigned n = 0; n < 5; n++) {
        all = arrives(0x84) && all;
        set(EOI, 0);
    }
    check(all, "periodic");
    set(INITIAL, 0);
    check(!get(CURRENT), "an initial count of 0 stops it");
    set(LVT_TIMER, 0x82 | MASKED);
    set(INITIAL, 1000);
    count = interrupts[0x82];
    for (unsigned n = 0; n < 5000; n++)
        asm volatile("sti; pause; cli" : : : "memory");
    check(interrupts[0x82] == count && !get(CURRENT), "a masked timer counts silently");
    set(DIVIDE, 3); /* by 16 */
    set(LVT_TIMER, MASKED | 0x82);
    set(INITIAL, 0x10000000);
    uint64_t start = rdtsc();
    while (rdtsc() - start < 200000)
        continue;
    uint32_t by16 = 0x10000000 - get(CURRENT);
    set(DIVIDE, 0xB);
    set(INITIAL, 0x10000000);
    start = rdtsc();
    while (rdtsc() - start < 200000)
        continue;
    uint32_t by1 = 0x10000000 - get(CURRENT);
    check(by1 > by16 * 8 && by1 < by16 * 32, "the divide configuration");
    set(INITIAL, 0);
}

static void deadline(void)
{
    uint32_t ret[4];
    cpuid(1, 0, ret);
    if (!(ret[2] >> 24 & 1))
        return;
    set(LVT_TIMER, 0x83 | TSC_MODE);
    asm volatile("mfence");
    wrmsr(DEADLINE, rdtsc() + 100000);
    check(rdmsr(DEADLINE) != 0, "a TSC deadline is armed");
    check(arrives(0x83), "and comes");
    check(rdmsr(DEADLINE) == 0, "then the deadline is 0");
    set(EOI, 0);
    wrmsr(DEADLINE, 1);
    check(arrives(0x83), "a deadline in the past comes at once");
    set(EOI, 0);
    wrmsr(DEADLINE, rdtsc() + 50000);
    wrmsr(DEADLINE, 0);
    unsigned count = interrupts[0x83];
    for (unsigned n = 0; n < 20000; n++)
        asm volatile("sti; pause; cli" : : : "memory");
    check(interrupts[0x83] == count, "a deadline of 0 disarms");
    set(INITIAL, 1000);
    check(!get(CURRENT), "the initial count has no effect in deadline mode");
    set(LVT_TIMER, 0x83 | MASKED);
    wrmsr(DEADLINE, rdtsc() + 1000000);
    check(rdmsr(DEADLINE) == 0, "outside of that mode a deadline is not kept");
}

static void switched_off(void)
{
    set(SVR, 0xFF);
    check(get(LVT_TIMER) & MASKED && get(LVT_LINT0) & MASKED, "software disable masks the LVT");
    set(LVT_TIMER, 0x80);
    check(get(LVT_TIMER) & MASKED, "and keeps it masked");
    set(SVR, 0x1FF);
    set(LVT_TIMER, 0x80);
    check(!(get(LVT_TIMER) & MASKED), "enabled again, masks can be cleared");
    set(LVT_TIMER, 0x80 | MASKED);
}

static void errors(void)
{
    set(LVT_ERROR, 0x90);
    set(ESR, 0);
    set(ESR, 0);
    check(get(ESR) == 0, "no error yet");
    set(ICR, SELF | 5);
    set(ESR, 0);
    check(get(ESR) & 0x20, "sending an illegal vector is an error");
    unsigned before = interrupts[0x90];
    open_window();
    check(interrupts[0x90] == before + 1, "which interrupts");
    set(EOI, 0);
    set(ESR, 0);
    set(ESR, 0);
    check(get(ESR) == 0, "the error register is cleared by two writes");
    set(LVT_ERROR, MASKED);
}

static void physical(void)
{
    unsigned before = interrupts[0xA0];
    if (x2) {
        wrmsr(0x830, (uint64_t)get(ID) << 32 | 0xA0);
    } else {
        set(ICR_HIGH, get(ID));
        set(ICR, 0xA0);
    }
    open_window();
    check(interrupts[0xA0] == before + 1, "physical destination: itself");
    set(EOI, 0);
    before = interrupts[0xA1];
    if (x2) {
        wrmsr(0x830, (uint64_t)get(LDR) << 32 | 0x800 | 0xA1);
    } else {
        set(DFR, 0xFFFFFFFF);
        set(LDR, 2u << 24);
        set(ICR_HIGH, 2u << 24);
        set(ICR, 0x800 | 0xA1);
    }
    open_window();
    check(interrupts[0xA1] == before + 1, "logical destination: itself");
    set(EOI, 0);
    before = interrupts[0xA2];
    set(ICR, 0x80000 | 0xA2); /* all with self */
    open_window();
    check(interrupts[0xA2] == before + 1, "shorthand: all, with itself");
    set(EOI, 0);
}

/* --- NMI, the shadows of STI and POPF --------------------------------------------------------- */

static volatile unsigned nmis, depth, deepest;

static void send_nmi(void)
{
    if (x2) {
        wrmsr(0x830, (uint64_t)get(ID) << 32 | 0x400);
    } else {
        set(ICR_HIGH, get(ID));
        set(ICR, 0x400);
    }
    asm volatile("nop; nop; nop; nop");
}

static bool take_nmi(struct frame *frame)
{
    if (frame->vector != NMI)
        return false;
    depth++;
    if (depth > deepest)
        deepest = depth;
    if (++nmis == 1)
        send_nmi(); /* waits for this one's IRET: APM 2 8.1.4 */
    depth--;
    return true;
}

static void not_maskable(void)
{
    nmis = deepest = 0;
    on_trap = take_nmi;
    send_nmi();
    on_trap = NULL;
    check(nmis == 2 && deepest == 1, "an NMI in an NMI's handler comes after its IRET");
}

static volatile word came_at;

static bool note_place(struct frame *frame)
{
    if (frame->vector == 0x61)
        came_at = frame->ip;
    return false;
}

static void shadows(void)
{
    word expected;
    unsigned before = interrupts[0x61];
    on_trap = note_place;
    set(ICR, SELF | 0x61);
    asm volatile("sti; cli; nop" : : : "memory");
    check(interrupts[0x61] == before, "STI then CLI: no interrupt between");
    asm volatile("sti; nop; 7: nop; cli; mov $7b, %0" : "=r"(expected) : : "memory");
    check(interrupts[0x61] == before + 1 && came_at == expected, "one instruction after STI");
    set(EOI, 0);
    set(ICR, SELF | 0x61);
    asm volatile("pushf; orq $0x200, (%%rsp); popf; 7: nop; cli; mov $7b, %0"
                 : "=r"(expected)
                 :
                 : "memory");
    check(came_at == expected, "at once after POPF");
    set(EOI, 0);
    set(ICR, SELF | 0x61);
    asm volatile("mov %%ss, %%eax; pushf; orq $0x200, (%%rsp); nop; sti; mov %%eax, %%ss; nop; "
                 "7: nop; cli; add $8, %%rsp; mov $7b, %0"
                 : "=r"(expected)
                 :
                 : "memory", "rax");
    check(came_at == expected, "MOV SS after STI: one instruction more");
    set(EOI, 0);
    unsigned count = interrupts[0x62];
    set(ICR, SELF | 0x62);
    asm volatile("sti; hlt; cli" : : : "memory");
    check(interrupts[0x62] == count + 1, "STI, HLT: the interrupt wakes it");
    set(EOI, 0);
    on_trap = NULL;
}

static void both(void)
{
    set(SVR, 0x1FF);
    set(TPR, 0);
    identity();
    to_itself();
    task_priority();
    timer();
    deadline();
    switched_off();
    errors();
    physical();
    not_maskable();
    shadows();
}

static void x2_only(void)
{
    check((get(LDR) & 0xFFFF) == 1u << (get(ID) & 15), "the x2APIC's logical ID follows from its ID");
    unsigned before = interrupts[0xB0];
    set(SELF_IPI, 0xB0);
    open_window();
    check(interrupts[0xB0] == before + 1, "SELF IPI register");
    set(EOI, 0);
    check(try_wrmsr(0x800 + SELF_IPI / 16, 0x1B0) == GP, "SELF IPI: reserved bits");
    check(try_rdmsr(0x800 + EOI / 16) == GP, "EOI cannot be read");
    check(try_wrmsr(0x800 + EOI / 16, 1) == GP, "EOI takes 0 only");
    check(try_wrmsr(0x800 + ID / 16, 0) == GP, "ID cannot be written");
    check(try_wrmsr(0x800 + TPR / 16, 1ull << 32) == GP, "reserved bits of the TPR");
    check(try_rdmsr(0x800 + DFR / 16) == GP, "there is no DFR");
    check(try_rdmsr(0x800 + ICR_HIGH / 16) == GP, "there is no upper half of the ICR");
    check(try_rdmsr(0x840) == GP, "a register that does not exist");
    uint64_t base = rdmsr(BASE_MSR);
    check(try_wrmsr(BASE_MSR, base & ~0x400ull) == GP, "from x2APIC there is no way to xAPIC");
    check(try_wrmsr(BASE_MSR, base & ~0x800ull) == GP, "x2APIC without enable");
    check(try_wrmsr(BASE_MSR, base | 1) == GP, "APIC base: reserved bit");
    wrmsr(BASE_MSR, base & ~0xC00ull);
    uint32_t ret[4];
    cpuid(1, 0, ret);
    check(!(ret[3] >> 9 & 1), "disabled, CPUID does not show it");
    check(try_wrmsr(BASE_MSR, base) == GP, "from disabled there is no way to x2APIC");
    wrmsr(BASE_MSR, base & ~0x400ull);
    cpuid(1, 0, ret);
    check(ret[3] >> 9 & 1, "enabled, CPUID shows it");
    check(try_rdmsr(0x802) == GP, "in xAPIC mode the MSRs do not exist");
    x2 = false;
    check((get(SVR) & 0x1FF) == 0xFF && get(LVT_TIMER) & MASKED, "disabling resets it");
}

void test(void)
{
    both();
    uint32_t ret[4];
    cpuid(1, 0, ret);
    if (!(ret[2] >> 21 & 1))
        return;
    wrmsr(BASE_MSR, rdmsr(BASE_MSR) | 0x400);
    x2 = true;
    both();
    x2_only();
}
