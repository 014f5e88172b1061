/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* GDT, IDT, exceptions. */
#ifndef PRIVET_FIRMWARE_INTERRUPTS_H
#define PRIVET_FIRMWARE_INTERRUPTS_H

#include <stdint.h>

/* What the stubs leave on the stack, lowest address first. */
struct trap_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};

enum { VECTOR_TIMER = 0x20, VECTOR_SPURIOUS = 0xFF };

/* Own GDT and IDT in RAM; x87 and SSE control as UEFI 2.10 2.3.4 asks. Interrupts stay off. */
void interrupts_init(void);
/* Handler for a vector of 32 or more; runs with interrupts off. NULL: unexpected again. */
void interrupts_handle(uint8_t vector, void (*handler)(void));

#endif
