/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Floating point and vectors by the host's own unit; private to machine/cpu. The only place that
 * knows the host is an x86-64. Each function runs one host instruction on guest values with the
 * guest's control bits, so results, flags, NaN rules and rounding are those of hardware.
 *
 * MXCSR: while a processor runs, the host's MXCSR holds 0x1F80 plus the sticky flags that guest
 * instructions have raised since the last hostfp_collect. A guest with other control bits pays for
 * a switch per instruction. Callbacks out of cpu_run do no floating-point arithmetic.
 *
 * x87: instructions run with the guest's control word including its masks. With an exception
 * unmasked the host delivers what hardware delivers (operand kept, or result with wrapped
 * exponent), and FNCLEX drops the pending fault before a waiting instruction could take it.
 */
#ifndef PRIVET_MACHINE_CPU_HOSTFP_H
#define PRIVET_MACHINE_CPU_HOSTFP_H

#include <emmintrin.h>
#include <stdint.h>

#include "machine/cpu/form.h"

/* hostfp.c: false if the feature's instructions need one of the host that it lacks. */
bool hostfp_supports(enum cpu_feature feature);

/*
 * hostfp.c: does the host have the feature's instructions? Where there is C code in their place:
 * AES, PCLMULQDQ, SHA. After hostfp_initialise; hostfp_pretend_plain makes them all absent, for
 * tests.
 */
extern bool hostfp_absent[FEATURE_COUNT];
void hostfp_initialise(void);
void hostfp_pretend_plain(void);

static inline bool hostfp_native(enum cpu_feature feature)
{
    return !hostfp_absent[feature];
}

#define MXCSR_FLAGS   0x003Fu
#define MXCSR_DAZ     0x0040u
#define MXCSR_MASKS   0x1F80u
#define MXCSR_FTZ     0x8000u
#define MXCSR_VALID   0xFFFFu
#define MXCSR_DEFAULT 0x1F80u

static inline uint32_t hostfp_get_mxcsr(void)
{
    uint32_t value;
    __asm__ volatile("stmxcsr %0" : "=m"(value));
    return value;
}

static inline void hostfp_set_mxcsr(uint32_t value)
{
    __asm__ volatile("ldmxcsr %0" : : "m"(value));
}

/* Around cpu_run: takes the host's MXCSR for the guest, and gives it back. */
static inline void hostfp_enter(struct cpu *cpu)
{
    cpu->fpu.host_mxcsr = hostfp_get_mxcsr();
    hostfp_set_mxcsr(MXCSR_DEFAULT);
}

/* Moves the flags that the host has gathered into the guest's MXCSR; then the latter is exact. */
static inline void hostfp_collect(struct cpu *cpu)
{
    cpu->fpu.mxcsr |= hostfp_get_mxcsr() & MXCSR_FLAGS;
}

/* The guest's MXCSR gets a new value: nothing gathered before may show in it. */
static inline void hostfp_load_guest(struct cpu *cpu, uint32_t mxcsr)
{
    hostfp_set_mxcsr(MXCSR_DEFAULT);
    cpu->fpu.mxcsr = mxcsr;
}

static inline void hostfp_leave(struct cpu *cpu)
{
    hostfp_collect(cpu);
    hostfp_set_mxcsr(cpu->fpu.host_mxcsr);
}

/* dst = dst OP src on 128-bit registers. volatile: must not move over a change of MXCSR. */
#define HOST_VECTOR2(name)                                                                         \
    static inline __m128i host_##name(__m128i a, __m128i b)                                        \
    {                                                                                              \
        __asm__ volatile(#name " %1, %0" : "+x"(a) : "x"(b));                                      \
        return a;                                                                                  \
    }

/* dst = OP src with an immediate, one of a few: FN##k for each k. */
#define HOST_VECTOR_IMM(name, k)                                                                   \
    static inline __m128i host_##name##_##k(__m128i a, __m128i b)                                  \
    {                                                                                              \
        __asm__ volatile(#name " $" #k ", %1, %0" : "+x"(a) : "x"(b));                             \
        return a;                                                                                  \
    }

/* Vector to general register, and back (the upper part of the vector is kept). */
#define HOST_TO_GPR(name, mnemonic, type)                                                          \
    static inline type host_##name(__m128i b)                                                      \
    {                                                                                              \
        type result;                                                                               \
        __asm__ volatile(mnemonic " %1, %0" : "=r"(result) : "x"(b));                              \
        return result;                                                                             \
    }
#define HOST_FROM_GPR(name, mnemonic, type)                                                        \
    static inline __m128i host_##name(__m128i a, type b)                                           \
    {                                                                                              \
        __asm__ volatile(mnemonic " %1, %0" : "+x"(a) : "r"(b));                                   \
        return a;                                                                                  \
    }
/* Compares that set EFLAGS: returns RFLAGS. */
#define HOST_COMPARE(name)                                                                         \
    static inline uint32_t host_##name(__m128i a, __m128i b)                                       \
    {                                                                                              \
        uint64_t rflags;                                                                           \
        __asm__ volatile(#name " %2, %1\n\tpushfq\n\tpopq %0"                                      \
                         : "=r"(rflags)                                                            \
                         : "x"(a), "x"(b)                                                          \
                         : "cc", "memory");                                                        \
        return (uint32_t)rflags;                                                                   \
    }

#define HOST_X87_CLOBBERS                                                                          \
    "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "cc"
#define HOST_X87_END                                                                               \
    "\n\tfnstsw %w[sw]\n\tfnclex\n\t"

static const uint16_t host_x87_default = 0x037F;

/* ST(0) = ST(0) OP ST(1), operands stay in place. Returns the status word. */
#define HOST_X87_BINARY(name)                                                                      \
    static inline uint16_t host_##name(uint16_t control, struct x87_register *a,                   \
                                       const struct x87_register *b)                               \
    {                                                                                              \
        uint16_t sw;                                                                               \
        __asm__ volatile("fnclex\n\tfldcw %[cw]\n\tfldt %[b]\n\tfldt %[a]\n\t"                     \
                         #name " %%st(1), %%st" HOST_X87_END                                       \
                         "fstpt %[a]\n\tfstp %%st(0)\n\tfldcw %[host]"                             \
                         : [sw] "=&a"(sw), [a] "+m"(*a)                                            \
                         : [b] "m"(*b), [cw] "m"(control), [host] "m"(host_x87_default)            \
                         : HOST_X87_CLOBBERS);                                                     \
        return sw;                                                                                 \
    }

/* ST(0) = ST(0) OP memory operand of the given type. */
#define HOST_X87_MEMORY(name, mnemonic, type)                                                      \
    static inline uint16_t host_##name(uint16_t control, struct x87_register *a, type b)           \
    {                                                                                              \
        uint16_t sw;                                                                               \
        __asm__ volatile("fnclex\n\tfldcw %[cw]\n\tfldt %[a]\n\t" mnemonic " %[b]" HOST_X87_END    \
                         "fstpt %[a]\n\tfldcw %[host]"                                             \
                         : [sw] "=&a"(sw), [a] "+m"(*a)                                            \
                         : [b] "m"(b), [cw] "m"(control), [host] "m"(host_x87_default)             \
                         : HOST_X87_CLOBBERS);                                                     \
        return sw;                                                                                 \
    }

/* ST(0) = OP ST(0), or a test of it. */
#define HOST_X87_UNARY(name)                                                                       \
    static inline uint16_t host_##name(uint16_t control, struct x87_register *a)                   \
    {                                                                                              \
        uint16_t sw;                                                                               \
        __asm__ volatile("fnclex\n\tfldcw %[cw]\n\tfldt %[a]\n\t" #name HOST_X87_END               \
                         "fstpt %[a]\n\tfldcw %[host]"                                             \
                         : [sw] "=&a"(sw), [a] "+m"(*a)                                            \
                         : [cw] "m"(control), [host] "m"(host_x87_default)                         \
                         : HOST_X87_CLOBBERS);                                                     \
        return sw;                                                                                 \
    }

/* ST(0), ST(1) in; works on both and does not pop: FPREM, FPREM1, FSCALE, FCOM, FUCOM. */
#define HOST_X87_BOTH(name)                                                                        \
    static inline uint16_t host_##name(uint16_t control, struct x87_register *a,                   \
                                       const struct x87_register *b)                               \
    {                                                                                              \
        uint16_t sw;                                                                               \
        __asm__ volatile("fnclex\n\tfldcw %[cw]\n\tfldt %[b]\n\tfldt %[a]\n\t" #name HOST_X87_END  \
                         "fstpt %[a]\n\tfstp %%st(0)\n\tfldcw %[host]"                             \
                         : [sw] "=&a"(sw), [a] "+m"(*a)                                            \
                         : [b] "m"(*b), [cw] "m"(control), [host] "m"(host_x87_default)            \
                         : HOST_X87_CLOBBERS);                                                     \
        return sw;                                                                                 \
    }

/* The same with the guest's condition bits loaded, which some operands leave alone: FPREM. */
#define HOST_X87_REMAINDER(name)                                                                   \
    static inline uint16_t host_##name(uint16_t control, uint16_t conditions,                      \
                                       struct x87_register *a, const struct x87_register *b)       \
    {                                                                                              \
        uint16_t sw;                                                                               \
        uint32_t environment[7] = {control, conditions, 0xFFFF};                                   \
        __asm__ volatile("fldenv %[env]\n\tfldt %[b]\n\tfldt %[a]\n\t" #name HOST_X87_END          \
                         "fstpt %[a]\n\tfstp %%st(0)\n\tfldcw %[host]"                            \
                         : [sw] "=&a"(sw), [a] "+m"(*a)                                            \
                         : [b] "m"(*b), [env] "m"(environment), [host] "m"(host_x87_default)       \
                         : HOST_X87_CLOBBERS);                                                     \
        return sw;                                                                                 \
    }

/* ST(1) = f(ST(1), ST(0)) and pop, unless an unmasked exception stops it. The result is in b. */
#define HOST_X87_POPPING(name)                                                                     \
    static inline uint16_t host_##name(uint16_t control, const struct x87_register *a,             \
                                       struct x87_register *b)                                     \
    {                                                                                              \
        uint16_t sw;                                                                               \
        __asm__ volatile("fninit\n\tfldcw %[cw]\n\tfldt %[b]\n\tfldt %[a]\n\t" #name HOST_X87_END  \
                         "testw $0x0800, %w[sw]\n\tjnz 1f\n\tfstp %%st(0)\n1:\n\t"                 \
                         "fstpt %[b]\n\tfldcw %[host]"                                             \
                         : [sw] "=&a"(sw), [b] "+m"(*b)                                            \
                         : [a] "m"(*a), [cw] "m"(control), [host] "m"(host_x87_default)            \
                         : HOST_X87_CLOBBERS);                                                     \
        return sw;                                                                                 \
    }

/*
 * One operand, two results: ST(0) in a, then the pushed one in b: FPTAN, FSINCOS, FXTRACT. If
 * nothing was pushed (C2, or an unmasked exception) the host's TOP is 7 and b is not written.
 */
#define HOST_X87_PUSHING(name)                                                                     \
    static inline uint16_t host_##name(uint16_t control, struct x87_register *a,                   \
                                       struct x87_register *b)                                     \
    {                                                                                              \
        uint16_t sw;                                                                               \
        __asm__ volatile("fninit\n\tfldcw %[cw]\n\tfldt %[a]\n\t" #name HOST_X87_END               \
                         "testw $0x0800, %w[sw]\n\tjnz 1f\n\tfstpt %[b]\n1:\n\t"                   \
                         "fstpt %[a]\n\tfldcw %[host]"                                             \
                         : [sw] "=&a"(sw), [a] "+m"(*a), [b] "+m"(*b)                              \
                         : [cw] "m"(control), [host] "m"(host_x87_default)                         \
                         : HOST_X87_CLOBBERS);                                                     \
        return sw;                                                                                 \
    }

/* Pushes the operand (memory, or none for the constants), unless an unmasked exception stops it. */
#define HOST_X87_LOAD(name, mnemonic, type)                                                        \
    static inline uint16_t host_##name(uint16_t control, struct x87_register *a, type b)           \
    {                                                                                              \
        uint16_t sw;                                                                               \
        __asm__ volatile("fninit\n\tfldcw %[cw]\n\t" mnemonic " %[b]" HOST_X87_END                 \
                         "testw $0x0800, %w[sw]\n\tjz 1f\n\tfstpt %[a]\n1:\n\tfldcw %[host]"       \
                         : [sw] "=&a"(sw), [a] "+m"(*a)                                            \
                         : [b] "m"(b), [cw] "m"(control), [host] "m"(host_x87_default)             \
                         : HOST_X87_CLOBBERS);                                                     \
        return sw;                                                                                 \
    }
#define HOST_X87_CONSTANT(name)                                                                    \
    static inline void host_##name(uint16_t control, struct x87_register *a)                       \
    {                                                                                              \
        __asm__ volatile("fnclex\n\tfldcw %[cw]\n\t" #name "\n\tfstpt %[a]\n\tfldcw %[host]"       \
                         : [a] "=m"(*a)                                                            \
                         : [cw] "m"(control), [host] "m"(host_x87_default)                         \
                         : HOST_X87_CLOBBERS);                                                     \
    }

/* Stores ST(0) converted (a popping instruction); an unmasked exception leaves b unwritten. */
#define HOST_X87_STORE(name, mnemonic, type)                                                       \
    static inline uint16_t host_##name(uint16_t control, const struct x87_register *a, type *b)    \
    {                                                                                              \
        uint16_t sw;                                                                               \
        __asm__ volatile("fninit\n\tfldcw %[cw]\n\tfldt %[a]\n\t" mnemonic " %[b]" HOST_X87_END    \
                         "testw $0x0800, %w[sw]\n\tjz 1f\n\tfstp %%st(0)\n1:\n\tfldcw %[host]"     \
                         : [sw] "=&a"(sw), [b] "+m"(*b)                                            \
                         : [a] "m"(*a), [cw] "m"(control), [host] "m"(host_x87_default)            \
                         : HOST_X87_CLOBBERS);                                                     \
        return sw;                                                                                 \
    }

#endif
