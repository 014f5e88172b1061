/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Frame of the system guests: bare-metal programs in C that try what the APM says of the processor.
 * Each check prints a line; the run ends by the exit port with 1 (all well) or 3.
 */
#ifndef PRIVET_TESTS_GUESTS_SYSTEM_GUEST_H
#define PRIVET_TESTS_GUESTS_SYSTEM_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uintptr_t word;

enum { DE, DB, NMI, BP, OF, BR, UD, NM, DF, TS = 10, NP, SS, GP, PF, MF = 16, AC, MC, XF };
enum { NONE = -1 };

/* Selectors; descriptors from FREE on are for the tests. */
enum { CODE32 = 0x08, DATA = 0x10, CODE64 = 0x18, USER_DATA = 0x23, USER_CODE32 = 0x2B,
       USER_CODE64 = 0x33, TSS = 0x38, FREE = 0x48 };
#ifdef __x86_64__
#define KERNEL_CODE CODE64
#define USER_CODE   USER_CODE64
#else
#define KERNEL_CODE CODE32
#define USER_CODE   USER_CODE32
#endif

struct frame {
#ifdef __x86_64__
    word r15, r14, r13, r12, r11, r10, r9, r8, di, si, bp, bx, dx, cx, ax;
#else
    word es, ds, di, si, bp, handler_sp, bx, dx, cx, ax;
#endif
    word vector, error, ip, cs, flags, sp, ss; /* the last two only from CPL 3 or in long mode */
};

/* The last exception that a TRY caught. */
struct trap {
    long vector; /* NONE */
    word error, ip, cs, flags, sp, ss, cr2, dr6;
};
extern volatile struct trap trap;
extern volatile word guard_ip, guard_sp; /* where a caught exception goes on */
/* Called first for every vector; true: the frame is to be resumed. */
extern bool (*volatile on_trap)(struct frame *frame);
extern volatile unsigned interrupts[256]; /* how often each vector from 32 came */

extern uint32_t boot_magic, boot_info; /* EAX and EBX at the start */
extern uint64_t gdt[64];
extern uint8_t idt[];
extern uint8_t tss[];
extern uint8_t stubs[];
extern uint8_t stack_top[], interrupt_stack_top[];
extern uint64_t PML4[];

void say(const char *format, ...); /* %s %d %x (words), %c */
void check(bool good, const char *name);
void check_trap(const char *name, long vector, word error);
_Noreturn void finish(void);
void set_gate(unsigned vector, unsigned selector, word offset, unsigned type_dpl, unsigned ist);
/* Base, limit (raw 20 bits), access byte (with P), flags nibble. */
uint64_t descriptor(uint32_t base, uint32_t limit, unsigned access, unsigned flags);
/* Runs fn(arg) at CPL 3; it ends by an exception or by USER_END. `flags`: EFLAGS besides bit 1. */
void run_user(void (*fn)(word), word arg, word flags);

#define USER __attribute__((section(".user"), noinline))
#define USER_END asm volatile("int $0x81")
extern uint8_t user_stack[16384];

#ifdef __x86_64__
#define SAVE_SP "mov %%rsp, guard_sp\n\tmovq $1f, guard_ip\n\t"
#define LOAD_SP "\n1:\tmov guard_sp, %%rsp\n\tmovq $0, guard_ip\n\t"
#else
#define SAVE_SP "mov %%esp, guard_sp\n\tmovl $1f, guard_ip\n\t"
#define LOAD_SP "\n1:\tmov guard_sp, %%esp\n\tmovl $0, guard_ip\n\t"
#endif
/* Runs `code`; an exception in it is caught. Operands in RBX, RSI, RDI (others are clobbered). */
#define TRY(code, ...)                                                                             \
    do {                                                                                           \
        trap.vector = NONE;                                                                        \
        asm volatile(SAVE_SP code LOAD_SP                                                          \
                     :                                                                             \
                     : __VA_ARGS__                                                                 \
                     : "memory", "cc", "ax", "cx", "dx");                                          \
    } while (0)
#define TRAPS(vector, error, name, code, ...)                                                      \
    do {                                                                                           \
        TRY(code, __VA_ARGS__);                                                                    \
        check_trap(name, vector, error);                                                           \
    } while (0)
#define WORKS(name, code, ...) TRAPS(NONE, 0, name, code, __VA_ARGS__)

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t low, high;
    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return low | (uint64_t)high << 32;
}
static inline void wrmsr(uint32_t msr, uint64_t value)
{
    asm volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                 : "memory");
}
/* NONE or the vector that reading or writing the MSR raised. */
long try_rdmsr(uint32_t msr);
long try_wrmsr(uint32_t msr, uint64_t value);

#define REGISTER(name)                                                                             \
    static inline word read_##name(void)                                                           \
    {                                                                                              \
        word value;                                                                                \
        asm volatile("mov %%" #name ", %0" : "=r"(value));                                         \
        return value;                                                                              \
    }                                                                                              \
    static inline void write_##name(word value)                                                    \
    {                                                                                              \
        asm volatile("mov %0, %%" #name : : "r"(value) : "memory");                                \
    }
REGISTER(cr0)
REGISTER(cr2)
REGISTER(cr3)
REGISTER(cr4)
REGISTER(dr0)
REGISTER(dr1)
REGISTER(dr2)
REGISTER(dr3)
REGISTER(dr6)
REGISTER(dr7)
#ifdef __x86_64__
REGISTER(cr8)
#endif

static inline void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t ret[4])
{
    asm volatile("cpuid"
                 : "=a"(ret[0]), "=b"(ret[1]), "=c"(ret[2]), "=d"(ret[3])
                 : "a"(leaf), "c"(subleaf));
}
static inline void out8(uint16_t port, uint8_t value)
{
    asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}
static inline uint8_t in8(uint16_t port)
{
    uint8_t value;
    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
static inline uint64_t rdtsc(void)
{
    uint32_t low, high;
    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    return low | (uint64_t)high << 32;
}

void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *one, const void *other, size_t size);

void test(void); /* of each guest */

#endif
