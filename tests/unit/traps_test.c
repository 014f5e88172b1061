/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What firmware/arch/interrupts.c does with a trap that the host chose: whom it calls, what it tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "firmware/arch/cpu.h"
#include "firmware/arch/interrupts.h"
#include "firmware/arch/paging.h"
#include "firmware/lib/log.h"
#include "firmware/sev/ghcb.h"
#include "firmware/sev/sev.h"
#include "firmware/sev/vc.h"

enum { VECTOR_GP = 13, ON = 0x202, OFF = 0x002, SECRET = 0x5EC2E700 };

void trap_dispatch(struct trap_frame *frame);
void segments_load(const void *gdt, uint64_t code, uint32_t data);

const uint8_t trap_stubs[1];
const char __body_start[1], __code_end[1];

static bool es, handled;
/* What a trap did, in a process of its own: the first that stops the guest is the last. */
static struct {
    unsigned ticks, terminated;
    char console[8192];
} *seen;

bool sev_es(void)
{
    return es;
}

static void say(const char *fmt, va_list arguments)
{
    size_t length = strlen(seen->console);
    vsnprintf(seen->console + length, sizeof(seen->console) - length, fmt, arguments);
}

void log_line(const char *fmt, ...)
{
    va_list arguments;
    va_start(arguments, fmt);
    say(fmt, arguments);
    va_end(arguments);
}

void panic(const char *fmt, ...)
{
    va_list arguments;
    va_start(arguments, fmt);
    say(fmt, arguments);
    va_end(arguments);
    _exit(1);
}

void ghcb_terminate(uint32_t reason)
{
    seen->terminated = reason;
    _exit(1);
}

void cpu_stop(void)
{
    _exit(1);
}

bool vc_handle(struct trap_frame *frame, const char **ret_problem)
{
    (void)frame;
    *ret_problem = "a reason";
    return handled;
}

void paging_describe(uint64_t address)
{
    (void)address;
}

void segments_load(const void *gdt, uint64_t code, uint32_t data)
{
    (void)gdt;
    (void)code;
    (void)data;
}

uint64_t cr0_read(void)
{
    return 0;
}

uint64_t cr2_read(void)
{
    return 0;
}

uint64_t cr3_read(void)
{
    return 0;
}

uint64_t cr4_read(void)
{
    return 0;
}

static void tick(void)
{
    seen->ticks++;
}

/* A trap with a secret in each register; does the program go on behind it? */
static bool trap(uint64_t vector, uint64_t rflags)
{
    struct trap_frame frame;
    for (size_t i = 0; i < 15; i++)
        ((uint64_t *)&frame)[i] = SECRET + i;
    frame.vector = vector;
    frame.error = frame.rip = frame.cs = frame.ss = 0;
    frame.rsp = SECRET;
    frame.rflags = rflags;
    memset(seen, 0, sizeof(*seen));
    pid_t child = fork();
    if (child == 0) {
        trap_dispatch(&frame);
        _exit(0);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status) == 0;
}

static void test_interrupts_come_when_they_may(void **state)
{
    (void)state;
    interrupts_handle(VECTOR_TIMER, tick);
    assert_true(trap(VECTOR_TIMER, ON));
    assert_int_equal(seen->ticks, 1);
    assert_false(trap(VECTOR_TIMER, OFF));
    assert_int_equal(seen->ticks, 0);
    assert_non_null(strstr(seen->console, "vector 32"));
}

static void test_registers_of_an_encrypted_state(void **state)
{
    (void)state;
    assert_false(trap(VECTOR_GP, ON));
    assert_non_null(strstr(seen->console, "general protection"));
    assert_non_null(strstr(seen->console, "000000005ec2e700"));
    es = true;
    assert_false(trap(VECTOR_GP, ON));
    assert_non_null(strstr(seen->console, "general protection"));
    assert_null(strstr(seen->console, "5ec2e7"));
    assert_false(trap(VECTOR_VC, ON));
    assert_non_null(strstr(seen->console, "a reason"));
    assert_null(strstr(seen->console, "5ec2e7"));
    assert_int_equal(seen->terminated, TERMINATE_VC);
    handled = true;
    assert_true(trap(VECTOR_VC, OFF));
    assert_string_equal(seen->console, "");
}

static int begin(void **state)
{
    (void)state;
    es = handled = false;
    if (!seen)
        seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(seen != MAP_FAILED);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_interrupts_come_when_they_may, begin),
        cmocka_unit_test_setup(test_registers_of_an_encrypted_state, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
