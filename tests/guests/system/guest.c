/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What the system guests share: tables, exceptions, output. See guest.h. */
#include "guest.h"

#include <stdarg.h>

#define SERIAL 0x3F8

volatile struct trap trap;
volatile word guard_ip, guard_sp;
bool (*volatile on_trap)(struct frame *frame);
volatile unsigned interrupts[256];
uint8_t idt[4096] __attribute__((aligned(16)));
uint8_t tss[0x2100] __attribute__((aligned(4096)));
uint8_t user_stack[16384] __attribute__((section(".userdata"), aligned(16)));
uint32_t boot_magic = 1, boot_info;
static unsigned passed, failed;

uint64_t gdt[64] __attribute__((aligned(16))) = {
    0,
    0x00CF9A000000FFFF, /* CODE32 */
    0x00CF92000000FFFF, /* DATA */
    0x00AF9A000000FFFF, /* CODE64 */
    0x00CFF2000000FFFF, /* USER_DATA */
    0x00CFFA000000FFFF, /* USER_CODE32 */
    0x00AFFA000000FFFF, /* USER_CODE64 */
};

/* --- output --------------------------------------------------------------------------------- */

static void put(char c)
{
    while (!(in8(SERIAL + 5) & 0x20))
        continue;
    out8(SERIAL, (uint8_t)c);
}

static void put_number(word value, unsigned base)
{
    char text[24];
    unsigned length = 0;
    do {
        text[length++] = "0123456789abcdef"[value % base];
    } while (value /= base);
    while (length)
        put(text[--length]);
}

void say(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    for (; *format; format++) {
        if (*format != '%') {
            put(*format);
            continue;
        }
        switch (*++format) {
        case 's':
            for (const char *s = va_arg(list, const char *); *s; s++)
                put(*s);
            break;
        case 'd':
            put_number(va_arg(list, word), 10);
            break;
        case 'x':
            put_number(va_arg(list, word), 16);
            break;
        }
    }
    va_end(list);
}

void check(bool good, const char *name)
{
    if (good)
        passed++;
    else
        failed++;
    if (!good)
        say("FAIL %s\n", name);
}

void check_trap(const char *name, long vector, word error)
{
    bool good = trap.vector == vector && (vector == NONE || trap.error == error);
    if (good) {
        passed++;
        return;
    }
    failed++;
    if (trap.vector == NONE)
        say("FAIL %s: no exception\n", name);
    else
        say("FAIL %s: vector %d error %x ip %x cr2 %x\n", name, (word)trap.vector, trap.error,
            trap.ip, trap.cr2);
}

_Noreturn void finish(void)
{
    say("%d passed, %d failed\n", (word)passed, (word)failed);
    out8(0xF4, failed ? 1 : 0);
    for (;;)
        asm volatile("cli; hlt");
}

/* The compiler may call these. */
void *memcpy(void *to, const void *from, size_t size)
{
    for (size_t n = 0; n < size; n++)
        ((uint8_t *)to)[n] = ((const volatile uint8_t *)from)[n];
    return to;
}

void *memset(void *to, int value, size_t size)
{
    for (size_t n = 0; n < size; n++)
        ((volatile uint8_t *)to)[n] = (uint8_t)value;
    return to;
}

int memcmp(const void *one, const void *other, size_t size)
{
    const volatile uint8_t *a = one, *b = other;
    for (size_t n = 0; n < size; n++) {
        if (a[n] != b[n])
            return a[n] < b[n] ? -1 : 1;
    }
    return 0;
}

/* --- tables --------------------------------------------------------------------------------- */

uint64_t descriptor(uint32_t base, uint32_t limit, unsigned access, unsigned flags)
{
    return (limit & 0xFFFF) | (uint64_t)(base & 0xFFFFFF) << 16 | (uint64_t)access << 40 |
           (uint64_t)(limit >> 16 & 15) << 48 | (uint64_t)flags << 52 |
           (uint64_t)(base >> 24) << 56;
}

void set_gate(unsigned vector, unsigned selector, word offset, unsigned type_dpl, unsigned ist)
{
#ifdef __x86_64__
    uint64_t *gate = (uint64_t *)(void *)(idt + vector * 16);
    gate[1] = offset >> 32;
#else
    uint64_t *gate = (uint64_t *)(void *)(idt + vector * 8);
#endif
    gate[0] = (offset & 0xFFFF) | (uint64_t)selector << 16 | (uint64_t)ist << 32 |
              (uint64_t)type_dpl << 40 | (uint64_t)(offset >> 16 & 0xFFFF) << 48;
}

static void put_word(uint8_t *to, word value)
{
    __builtin_memcpy(to, &value, sizeof(value));
}

static void set_up_tables(void)
{
    struct {
        uint16_t limit;
        word base;
    } __attribute__((packed)) pointer = {sizeof(idt) - 1, (word)idt};
    uint32_t base = (uint32_t)(word)tss;
    for (unsigned n = 0; n < 256; n++)
        set_gate(n, KERNEL_CODE, (word)(stubs + n * 16), n == 0x81 ? 0xEE : 0x8E, 0);
    asm volatile("lidt %0" : : "m"(pointer));
    put_word(tss + 4, (word)interrupt_stack_top);
#ifndef __x86_64__
    put_word(tss + 8, DATA);
#endif
    tss[0x66] = 0x68;
    tss[0x2068] = 0xFF;
    gdt[TSS / 8] = descriptor(base, 0x2068, 0x89, 0);
    gdt[TSS / 8 + 1] = 0;
    asm volatile("ltr %w0" : : "r"(TSS));
}

/* --- exceptions ----------------------------------------------------------------------------- */

void trap_entered(struct frame *frame);
void trap_entered(struct frame *frame)
{
    if (on_trap && on_trap(frame))
        return;
    if (frame->vector >= 32 && frame->vector != 0x81) {
        interrupts[frame->vector]++;
        return;
    }
    if (!guard_ip) {
        say("FAIL unexpected vector %d error %x at %x\n", frame->vector, frame->error, frame->ip);
        failed++;
        finish();
    }
    bool outer = frame->cs & 3;
    if (frame->vector != 0x81) {
        trap.vector = (long)frame->vector;
        trap.error = frame->error;
        trap.ip = frame->ip;
        trap.cs = frame->cs;
        trap.flags = frame->flags;
        if (outer || sizeof(word) == 8) {
            trap.sp = frame->sp;
            trap.ss = frame->ss;
        }
        trap.cr2 = read_cr2();
        trap.dr6 = read_dr6();
    }
    frame->ip = guard_ip;
    frame->cs = KERNEL_CODE;
    frame->flags = 2;
#ifdef __x86_64__
    frame->sp = guard_sp;
    frame->ss = DATA;
#else
    frame->ds = frame->es = DATA;
#endif
}

void run_user(void (*fn)(word), word arg, word flags)
{
    trap.vector = NONE;
#ifdef __x86_64__
    asm volatile(SAVE_SP "push %[ss]; push %[sp]; push %[flags]; push %[cs]; push %[fn]; iretq" LOAD_SP
                 :
                 : [ss] "i"(USER_DATA), [sp] "b"(user_stack + sizeof(user_stack) - 8),
                   [flags] "r"(flags | 2), [cs] "i"(USER_CODE), [fn] "r"(fn), "D"(arg)
                 : "memory", "cc", "rax", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "rbp",
                   "r12", "r13");
#else
    word *sp = (word *)(void *)(user_stack + sizeof(user_stack) - 8), cr4 = read_cr4();
    write_cr4(cr4 & ~(word)(1u << 21)); /* SMAP */
    sp[1] = arg;
    write_cr4(cr4);
    asm volatile("push %%ebp\n\t" SAVE_SP "mov %[ss], %%eax; mov %%ax, %%ds; mov %%ax, %%es\n\t"
                 "push %[ss]; push %[sp]; push %[flags]; push %[cs]; push %[fn]; iret" LOAD_SP
                 "pop %%ebp; mov %[ds], %%eax; mov %%ax, %%ds; mov %%ax, %%es; mov %%ax, %%fs; "
                 "mov %%ax, %%gs"
                 :
                 : [ss] "i"(USER_DATA), [sp] "b"(sp), [flags] "S"(flags | 2), [cs] "i"(USER_CODE),
                   [fn] "D"(fn), [ds] "i"(DATA)
                 : "memory", "cc", "eax", "ecx", "edx");
#endif
}

long try_rdmsr(uint32_t msr)
{
    TRY("mov %%ebx, %%ecx; rdmsr", "b"(msr));
    return trap.vector;
}

long try_wrmsr(uint32_t msr, uint64_t value)
{
    TRY("mov %%ebx, %%ecx; mov %%esi, %%eax; mov %%edi, %%edx; wrmsr", "b"(msr),
        "S"((uint32_t)value), "D"((uint32_t)(value >> 32)));
    return trap.vector;
}

/* The second processor of guests that have none. */
void other_main(void);
__attribute__((weak)) void other_main(void)
{
}

int main(void);
int main(void)
{
    set_up_tables();
    out8(0x21, 0xFF); /* firmware may have left the 8259s on */
    out8(0xA1, 0xFF);
    test();
    finish();
}
