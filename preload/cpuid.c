/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Traps CPUID and answers it: see cpuid.h. A trapped CPUID raises #GP, which Linux delivers as
 * SIGSEGV. sigaction, signal, sigprocmask and pthread_sigmask are interposed, so that the program
 * neither replaces the handler nor blocks the signal: a fault under a blocked SIGSEGV kills.
 */
#define _GNU_SOURCE /* REG_RIP, RTLD_NEXT */
#include "preload/cpuid.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum {
    ARCH_SET_CPUID_CODE = 0x1012, /* linux: asm/prctl.h */
    LEAF_EXTENDED_MAX = 0x80000000,
    LEAF_ADDRESS_SIZES = 0x80000008,
    LEAF_ENCRYPTION = 0x8000001f,
    PHYSICAL_BITS = 48,
    FEATURE_SME = 1 << 0,
    FEATURE_SEV = 1 << 1,
    FEATURE_SEV_ES = 1 << 3,
};

typedef int sigaction_function(int, const struct sigaction *, struct sigaction *);
typedef int sigmask_function(int, const sigset_t *, sigset_t *);

static bool trapped;
static struct sigaction program_action; /* the program's idea of its SIGSEGV action */
static pthread_mutex_t action_lock = PTHREAD_MUTEX_INITIALIZER;

/* By the kernel's own entry: errno of the interrupted code stays as it is. */
static long set_cpuid(unsigned long enabled)
{
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"((long)SYS_arch_prctl), "D"((long)ARCH_SET_CPUID_CODE), "S"(enabled)
                     : "rcx", "r11", "memory");
    return result;
}

static struct cpuid_result host_cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_result r;
    if (trapped)
        set_cpuid(1);
    __asm__ volatile("cpuid"
                     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                     : "a"(leaf), "c"(subleaf));
    if (trapped)
        set_cpuid(0);
    return r;
}

struct cpuid_result cpuid_presented(uint32_t leaf, uint32_t subleaf)
{
    if (leaf == LEAF_ENCRYPTION)
        return (struct cpuid_result){ .eax = FEATURE_SME | FEATURE_SEV | FEATURE_SEV_ES,
                                      .ebx = CPUID_C_BIT | CPUID_REDUCED_BITS << 6,
                                      .ecx = CPUID_ASIDS,
                                      .edx = CPUID_FIRST_SEV_ASID };
    if (leaf > LEAF_EXTENDED_MAX && leaf < LEAF_ENCRYPTION &&
        leaf > host_cpuid(LEAF_EXTENDED_MAX, 0).eax)
        return (struct cpuid_result){ 0 }; /* between the host's last leaf and ours */
    struct cpuid_result r = host_cpuid(leaf, subleaf);
    if (leaf == LEAF_EXTENDED_MAX && r.eax < LEAF_ENCRYPTION)
        r.eax = LEAF_ENCRYPTION;
    if (leaf == LEAF_ADDRESS_SIZES)
        r.eax = (r.eax & ~0xffu) | PHYSICAL_BITS;
    return r;
}

static bool is_cpuid(const siginfo_t *info, const uint8_t *code)
{
    static const uint8_t instruction[] = { 0x0f, 0xa2 };
    return info->si_code == SI_KERNEL && memcmp(code, instruction, sizeof(instruction)) == 0;
}

static void answer(greg_t *registers)
{
    struct cpuid_result r =
        cpuid_presented((uint32_t)registers[REG_RAX], (uint32_t)registers[REG_RCX]);
    registers[REG_RAX] = r.eax;
    registers[REG_RBX] = r.ebx;
    registers[REG_RCX] = r.ecx;
    registers[REG_RDX] = r.edx;
    registers[REG_RIP] += 2;
}

static int real_sigaction(int signal, const struct sigaction *action, struct sigaction *ret_old)
{
    static sigaction_function *next;
    if (next == NULL)
        next = (sigaction_function *)dlsym(RTLD_NEXT, "sigaction");
    return next(signal, action, ret_old);
}

/* To the program's own handler; without one the instruction faults again, and the program dies of it. */
static void pass_on(int signal, siginfo_t *info, void *context)
{
    struct sigaction action = program_action;
    if (action.sa_flags & SA_SIGINFO) {
        action.sa_sigaction(signal, info, context);
    } else if (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN) {
        action.sa_handler(signal);
    } else if (action.sa_handler == SIG_DFL || info->si_code > 0) { /* the kernel ignores no fault */
        struct sigaction fatal = { .sa_handler = SIG_DFL };
        real_sigaction(SIGSEGV, &fatal, NULL);
        if (info->si_code <= 0) /* somebody sent it: nothing will fault again */
            raise(SIGSEGV);
    }
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    if (is_cpuid(info, (const uint8_t *)registers[REG_RIP]))
        answer(registers);
    else
        pass_on(signal, info, context);
}

/* On the alternate stack where the program made one: its handler may count on that. */
static int install(const struct sigaction *program)
{
    struct sigaction action = { .sa_sigaction = on_fault };
    action.sa_flags = SA_SIGINFO | SA_NODEFER | (program->sa_flags & (SA_ONSTACK | SA_RESTART));
    return real_sigaction(SIGSEGV, &action, NULL);
}

bool cpuid_trap(void)
{
    if (real_sigaction(SIGSEGV, NULL, &program_action) != 0 || install(&program_action) != 0)
        return false;
    trapped = set_cpuid(0) == 0;
    if (!trapped)
        real_sigaction(SIGSEGV, &program_action, NULL);
    return trapped;
}

/* What the program calls in the place of libc's. */
#pragma GCC visibility push(default)

int sigaction(int signal, const struct sigaction *action, struct sigaction *ret_old)
{
    if (!trapped || signal != SIGSEGV)
        return real_sigaction(signal, action, ret_old);
    pthread_mutex_lock(&action_lock);
    struct sigaction old = program_action;
    int result = action == NULL ? 0 : install(action);
    if (result == 0 && action != NULL)
        program_action = *action;
    pthread_mutex_unlock(&action_lock);
    if (result == 0 && ret_old != NULL)
        *ret_old = old;
    return result;
}

/* BSD's semantics, which are glibc's. */
sighandler_t signal(int signal, sighandler_t handler)
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART }, old;
    sigemptyset(&action.sa_mask);
    return sigaction(signal, &action, &old) == 0 ? old.sa_handler : SIG_ERR;
}

static int set_mask(const char *name, int how, const sigset_t *set, sigset_t *ret_old)
{
    sigmask_function *next = (sigmask_function *)dlsym(RTLD_NEXT, name);
    sigset_t open;
    if (trapped && set != NULL && how != SIG_UNBLOCK) {
        open = *set;
        sigdelset(&open, SIGSEGV);
        set = &open;
    }
    return next(how, set, ret_old);
}

int sigprocmask(int how, const sigset_t *set, sigset_t *ret_old)
{
    return set_mask("sigprocmask", how, set, ret_old);
}

int pthread_sigmask(int how, const sigset_t *set, sigset_t *ret_old)
{
    return set_mask("pthread_sigmask", how, set, ret_old);
}

#pragma GCC visibility pop
