/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The instruction is framed by code that loads and stores the state by absolute addresses, so that
 * it may use any register but RSP. Exceptions arrive as signals, with the state in the frame.
 */
#define _GNU_SOURCE
#include "tests/cpu/host_step.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define SIGNAL_STACK 65536u

static struct host_step *current;
static uint8_t *code_page;
static sigjmp_buf after_signal;

static void on_signal(int number, siginfo_t *info, void *data)
{
    static const int registers[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                      REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                      REG_R12, REG_R13, REG_R14, REG_R15};
    const ucontext_t *context = data;

    current->vector = (int)context->uc_mcontext.gregs[REG_TRAPNO];
    memcpy(current->out.fx, context->uc_mcontext.fpregs, sizeof(current->out.fx));
    for (unsigned k = 0; k < 16; k++)
        current->out.gpr[k] = (uint64_t)context->uc_mcontext.gregs[registers[k]];
    current->out.flags = (uint64_t)context->uc_mcontext.gregs[REG_EFL];
    siglongjmp(after_signal, 1);
}

static void *low_page(size_t size, int protection)
{
    void *page = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    return page == MAP_FAILED ? NULL : page;
}

struct host_step *host_step_create(void)
{
    static const int signals[] = {SIGFPE, SIGSEGV, SIGILL, SIGBUS};
    stack_t stack = {.ss_sp = malloc(SIGNAL_STACK), .ss_size = SIGNAL_STACK};
    struct sigaction action = {.sa_sigaction = on_signal,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};

    current = low_page(sizeof(*current), PROT_READ | PROT_WRITE);
    code_page = low_page(HOST_PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
    if (!current || !code_page || !stack.ss_sp || sigaltstack(&stack, NULL))
        return NULL;
    current->page = low_page(HOST_PAGE, PROT_READ | PROT_WRITE);
    for (unsigned k = 0; k < sizeof(signals) / sizeof(signals[0]); k++)
        if (sigaction(signals[k], &action, NULL))
            return NULL;
    return current->page ? current : NULL;
}

static uint8_t *emit(uint8_t *at, const char *bytes, unsigned count)
{
    memcpy(at, bytes, count);
    return at + count;
}

static uint8_t *emit_address(uint8_t *at, const void *address)
{
    uint32_t value = (uint32_t)(uintptr_t)address;
    memcpy(at, &value, sizeof(value));
    return at + sizeof(value);
}

/* MOV between a register and an absolute address: opcode 8B loads, 89 stores. */
static uint8_t *emit_registers(uint8_t *at, uint8_t opcode, const uint64_t *gpr)
{
    for (unsigned k = 0; k < 16; k++) {
        if (k == 4)
            continue;
        *at++ = (uint8_t)(0x48 | (k >> 3) << 2);
        *at++ = opcode;
        *at++ = (uint8_t)(0x04 | (k & 7) << 3);
        *at++ = 0x25;
        at = emit_address(at, &gpr[k]);
    }
    return at;
}

static void build(const uint8_t *insn, unsigned length)
{
    uint8_t *at = code_page;

    at = emit(at, "\x53\x55\x41\x54\x41\x55\x41\x56\x41\x57", 10); /* push callee-saved */
    at = emit(at, "\x48\x0F\xAE\x0C\x25", 5);                      /* fxrstor64 */
    at = emit_address(at, current->in.fx);
    at = emit(at, "\xFF\x34\x25", 3); /* push flags */
    at = emit_address(at, &current->in.flags);
    at = emit(at, "\x9D", 1); /* popfq */
    at = emit_registers(at, 0x8B, current->in.gpr);
    current->code = (uint64_t)(uintptr_t)at;
    memcpy(at, insn, length);
    at += length;
    at = emit_registers(at, 0x89, current->out.gpr);
    at = emit(at, "\x9C\x8F\x04\x25", 4); /* pushfq, pop flags */
    at = emit_address(at, &current->out.flags);
    at = emit(at, "\x48\x0F\xAE\x04\x25", 5); /* fxsave64 */
    at = emit_address(at, current->out.fx);
    at = emit(at, "\x41\x5F\x41\x5E\x41\x5D\x41\x5C\x5D\x5B\xC3", 11);
}

void host_step_run(struct host_step *step, const uint8_t *insn, unsigned length)
{
    static const uint32_t default_mxcsr = 0x1F80;
    void (*code)(void);

    build(insn, length);
    memcpy(&code, &code_page, sizeof(code));
    step->vector = -1;
    if (!sigsetjmp(after_signal, 1))
        code();
    __asm__ volatile("fninit\n\tldmxcsr %0" : : "m"(default_mxcsr));
}
