/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The host's own processor as the reference. A child process runs a batch of cases: a signal
 * handler stores the state that the signal interrupted and loads the next case into the signal
 * frame, so that sigreturn enters it with every register set; the INT3 behind the instruction, or
 * its fault, brings the handler back. The child shares the case pages and results with its parent.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/cpu/case.h"

#define STACK_SIZE  (256 * 1024)
#define SECONDS_MAX 10
#define YMM_OFFSET  576
#define XSTATE_YMM  4u

static struct test_case *cases;
static struct outcome *outcomes;
static uint8_t *code_alias; /* writable view of the code page */
static unsigned batch, current;
static bool running, has_ymm;
static uint8_t alternate_stack[STACK_SIZE] __attribute__((aligned(64)));

static const int greg_of[16] = {
    REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
    REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};

/* The kernel's frame holds an XSAVE area of the standard form. */
static uint64_t xstate_bv(const uint8_t *area)
{
    uint64_t value;
    memcpy(&value, area + 512, sizeof(value));
    return value;
}

static void store(struct outcome *outcome, const ucontext_t *context)
{
    const greg_t *gregs = context->uc_mcontext.gregs;
    for (unsigned k = 0; k < 16; k++)
        outcome->state.gpr[k] = (uint64_t)gregs[greg_of[k]];
    outcome->state.rip = (uint64_t)gregs[REG_RIP];
    outcome->state.rflags = (uint64_t)gregs[REG_EFL];
    outcome->vector = (uint32_t)gregs[REG_TRAPNO];
    outcome->error = (uint64_t)gregs[REG_ERR];
    outcome->cr2 = (uint64_t)gregs[REG_CR2];
    memcpy(outcome->state.fxsave, context->uc_mcontext.fpregs, 512);
    memset(outcome->state.high, 0, sizeof(outcome->state.high));
    if (has_ymm && xstate_bv((uint8_t *)context->uc_mcontext.fpregs) & XSTATE_YMM)
        memcpy(outcome->state.high, (uint8_t *)context->uc_mcontext.fpregs + YMM_OFFSET,
               sizeof(outcome->state.high));
    memcpy(outcome->data, (const void *)DATA_ADDRESS, DATA_SIZE);
    outcome->done = true;
}

static void load(const struct test_case *test, ucontext_t *context)
{
    greg_t *gregs = context->uc_mcontext.gregs;
    for (unsigned k = 0; k < 16; k++)
        gregs[greg_of[k]] = (greg_t)test->state.gpr[k];
    gregs[REG_RIP] = (greg_t)test->state.rip;
    gregs[REG_EFL] = (greg_t)test->state.rflags;
    uint64_t selectors = (uint64_t)gregs[REG_CSGSFS];
    uint16_t cs = test->code32 ? SELECTOR_CODE32 : SELECTOR_CODE64;
    gregs[REG_CSGSFS] = (greg_t)((selectors & ~0xFFFFull) | cs);

    /* Bytes 464 and up are the kernel's: its magic and, behind the legacy area, XSTATE_BV. */
    uint8_t *area = (uint8_t *)context->uc_mcontext.fpregs;
    memcpy(area, test->state.fxsave, 416);
    uint64_t components = xstate_bv(area) | 3;
    if (has_ymm) {
        components |= XSTATE_YMM;
        memcpy(area + YMM_OFFSET, test->state.high, sizeof(test->state.high));
    }
    memcpy(area + 512, &components, sizeof(components));

    memset(code_alias, 0xCC, CODE_SIZE);
    memcpy(code_alias + (test->state.rip - CODE_ADDRESS), test->code, test->length);
    memcpy((void *)DATA_ADDRESS, test->data, DATA_SIZE);
}

static void handler(int signal_number, siginfo_t *info, void *frame)
{
    /* POPF of the case may have left AC set: the handler's own accesses must not fault. */
    __asm__ volatile("pushf; andl $0xFFFBFFFF, (%%rsp); popf" ::: "memory", "cc");
    ucontext_t *context = frame;
    if (running)
        store(&outcomes[current++], context);
    if (current == batch)
        _exit(0);
    running = true;
    load(&cases[current], context);
}

static void child(void)
{
    static const int caught[] = { SIGSEGV, SIGILL, SIGFPE, SIGBUS, SIGTRAP };
    stack_t stack = { .ss_sp = alternate_stack, .ss_size = STACK_SIZE };
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    sigfillset(&action.sa_mask);
    sigdelset(&action.sa_mask, SIGALRM);
    if (sigaltstack(&stack, NULL))
        _exit(1);
    for (unsigned k = 0; k < sizeof(caught) / sizeof(caught[0]); k++) {
        if (sigaction(caught[k], &action, NULL))
            _exit(1);
    }
    signal(SIGALRM, SIG_DFL);
    alarm(SECONDS_MAX);
    /* Flat data segments: compatibility mode needs them, 64-bit mode reads the selectors. */
    __asm__ volatile("movl %0, %%ds; movl %0, %%es" ::"r"(SELECTOR_DATA));
    __asm__ volatile("int3");
    _exit(1);
}

int native_prepare(unsigned capacity)
{
    size_t size = capacity * (sizeof(*cases) + sizeof(*outcomes));
    uint8_t *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int pages = memfd_create("cases", MFD_CLOEXEC);
    if (shared == MAP_FAILED || pages < 0 || ftruncate(pages, CODE_SIZE))
        return -1;
    cases = (void *)shared;
    outcomes = (void *)(shared + capacity * sizeof(*cases));
    void *alias = mmap(NULL, CODE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, pages, 0);
    void *code = mmap((void *)CODE_ADDRESS, CODE_SIZE, PROT_READ | PROT_EXEC,
                      MAP_SHARED | MAP_FIXED_NOREPLACE, pages, 0);
    void *data = mmap((void *)DATA_ADDRESS, DATA_SIZE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    close(pages);
    has_ymm = __builtin_cpu_supports("avx");
    if (alias == MAP_FAILED || code != (void *)CODE_ADDRESS || data != (void *)DATA_ADDRESS)
        return -1;
    code_alias = alias;
    return 0;
}

struct test_case *native_cases(void)
{
    return cases;
}

struct outcome *native_outcomes(void)
{
    return outcomes;
}

int native_run(unsigned first, unsigned count)
{
    for (unsigned k = first; k < count; k++)
        outcomes[k].done = false;
    batch = count;
    current = first;
    running = false;
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        return -1;
    if (pid == 0)
        child();
    int status;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return -1;
    }
    return 0;
}
