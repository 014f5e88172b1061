/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Two processors: INIT and startup (APM 2 16.5), interrupts between them, atomics, code and page
 * tables that one changes and the other uses. Run with --cpus 2.
 */
#include "guest.h"

#define APIC(reg) (*(volatile uint32_t *)(word)(0xFEE00000u + (reg)))
enum { ID = 0x20, EOI = 0xB0, SVR = 0xF0, ICR = 0x300, ICR_HIGH = 0x310 };

extern uint8_t other_start[], other_start_end[];

/* What the other processor is to do next; 0 when it is done. */
enum { IDLE, COUNT, CALL, READ, FLUSH, SLEEP };
static volatile unsigned order;
static volatile uint64_t counter, answer, *address;
static volatile unsigned starts;
static volatile bool other_woke;

static void set_order(unsigned what)
{
    order = what;
}

static bool waits_for(unsigned what)
{
    for (unsigned n = 0; n < 10000000 && order != what; n++)
        asm volatile("pause" : : : "memory");
    return order == what;
}

static void count_up(void)
{
    for (unsigned n = 0; n < 20000; n++)
        asm volatile("lock incq %0" : "+m"(counter));
}

static uint8_t code[64] __attribute__((aligned(64))) = {0xB8, 1, 0, 0, 0, 0xC3};

static void obey(unsigned what)
{
    unsigned (*volatile run)(void) = (unsigned (*)(void))(void *)code;
    switch (what) {
    case COUNT:
        count_up();
        break;
    case CALL:
        asm volatile("cpuid" : : "a"(0) : "rbx", "rcx", "rdx"); /* serialise: APM 2 7.6.1 */
        answer = run();
        break;
    case READ:
        answer = *address;
        break;
    case FLUSH:
        asm volatile("invlpg %0" : : "m"(*address) : "memory");
        break;
    case SLEEP:
        asm volatile("sti; hlt; cli" : : : "memory");
        other_woke = true;
        break;
    }
}

void other_main(void);
void other_main(void)
{
    struct {
        uint16_t limit;
        word base;
    } __attribute__((packed)) pointer = {4095, (word)idt};
    asm volatile("lidt %0" : : "m"(pointer));
    APIC(SVR) = 0x1FF;
    starts++;
    for (;;) {
        unsigned what = order;
        if (!what) {
            asm volatile("pause" : : : "memory");
            continue;
        }
        obey(what);
        order = IDLE;
    }
}

static void send(uint32_t low)
{
    APIC(ICR_HIGH) = 1u << 24;
    APIC(ICR) = low;
    while (APIC(ICR) & 0x1000)
        continue;
}

static bool starts_become(unsigned count)
{
    for (unsigned n = 0; n < 10000000 && starts != count; n++)
        asm volatile("pause" : : : "memory");
    return starts == count;
}

static void start_other(void)
{
    memcpy((void *)0x8000, other_start, (size_t)(other_start_end - other_start));
    send(0x4500);
    send(0x4608);
    check(starts_become(1), "startup");
    send(0x4608);
    check(waits_for(IDLE) && starts == 1, "a second startup is ignored");
}

static void atomics(void)
{
    set_order(COUNT);
    count_up();
    check(waits_for(IDLE) && counter == 40000, "LOCK INC by two");
}

static void cross_modifying_code(void)
{
    bool good = true;
    for (unsigned n = 1; n <= 100; n++) {
        code[1] = (uint8_t)n;
        set_order(CALL);
        good = waits_for(IDLE) && answer == n && good;
    }
    check(good, "code that the other one changes");
}

static void shoot_down(void)
{
    static uint64_t one[512] __attribute__((aligned(4096)));
    static uint64_t two[512] __attribute__((aligned(4096)));
    static uint64_t table[512] __attribute__((aligned(4096)));
    uint64_t *pdpt = (uint64_t *)(word)(PML4[0] & ~0xFFFull);
    uint64_t *directory = (uint64_t *)(word)(pdpt[0] & ~0xFFFull);
    address = (uint64_t *)0x08000000;
    one[0] = 1;
    two[0] = 2;
    table[0] = (word)one | 3;
    directory[0x08000000 >> 21] = (word)table | 3;
    asm volatile("invlpg %0" : : "m"(*address));
    set_order(FLUSH);
    waits_for(IDLE);
    set_order(READ);
    check(waits_for(IDLE) && answer == 1, "a page that the other one mapped");
    *(volatile uint64_t *)table = (word)two | 3;
    set_order(FLUSH);
    waits_for(IDLE);
    set_order(READ);
    check(waits_for(IDLE) && answer == 2, "and changed, after INVLPG there");
    check(table[0] & 0x20, "its accessed bit");
}

static bool end_interrupt(struct frame *frame)
{
    if (frame->vector < 32 || frame->vector == 0x81)
        return false;
    interrupts[frame->vector]++;
    APIC(EOI) = 0;
    return true;
}

static void interrupts_between(void)
{
    on_trap = end_interrupt;
    set_order(SLEEP);
    for (unsigned n = 0; n < 100000; n++)
        asm volatile("pause");
    check(!other_woke, "the other one sleeps");
    send(0x60);
    check(waits_for(IDLE) && other_woke && interrupts[0x60] == 1, "an interrupt wakes it");
    other_woke = false;
    set_order(SLEEP);
    for (unsigned n = 0; n < 100000; n++)
        asm volatile("pause");
    APIC(ICR) = 0xC0061; /* all but itself */
    check(waits_for(IDLE) && interrupts[0x61] == 1, "shorthand: all but itself");
    on_trap = NULL;
}

static void again(void)
{
    send(0x4500);
    send(0x4608);
    check(starts_become(2), "INIT and startup of a running processor");
    set_order(COUNT);
    check(waits_for(IDLE), "it works");
}

void test(void)
{
    APIC(SVR) = 0x1FF;
    start_other();
    atomics();
    cross_modifying_code();
    shoot_down();
    interrupts_between();
    again();
}
