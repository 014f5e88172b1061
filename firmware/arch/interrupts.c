/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * GDT and IDT in RAM and what happens on a trap: a handled vector calls its handler, everything
 * else prints the registers and the page walk and stops.
 */
#include "firmware/arch/interrupts.h"

#include <stddef.h>

#include "firmware/arch/cpu.h"
#include "firmware/arch/layout.h"
#include "firmware/arch/paging.h"
#include "firmware/lib/log.h"
#include "firmware/sev/ghcb.h"
#include "firmware/sev/sev.h"
#include "firmware/sev/vc.h"

#define FLAG_INTERRUPTS 0x200u

struct gate {
    uint16_t offset_low, selector, attributes, offset_middle;
    uint32_t offset_high, reserved;
};

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

enum { GATE_INTERRUPT = 0x8E00, STUB_SIZE = 16, VECTORS = 256, VECTOR_PAGE_FAULT = 14 };

extern const uint8_t trap_stubs[];
extern const char __body_start[], __code_end[];
void segments_load(const struct table_pointer *gdt, uint64_t code, uint32_t data);
void trap_dispatch(struct trap_frame *frame);

static const uint64_t gdt[] = {
    0,
    0x00CF9B000000FFFF, /* 0x08: 32-bit code, for loaders that leave long mode */
    0x00CF93000000FFFF, /* 0x10: data */
    0x00AF9B000000FFFF, /* 0x18: 64-bit code */
};
static struct gate idt[VECTORS];
static void (*handlers[VECTORS])(void);

static const char *const exception_names[] = {
    "divide error", "debug", "NMI", "breakpoint", "overflow", "bound range", "invalid opcode",
    "device not available", "double fault", "coprocessor overrun", "invalid TSS",
    "segment not present", "stack fault", "general protection", "page fault", "vector 15",
    "x87 error", "alignment check", "machine check", "SIMD error",
};

void interrupts_init(void)
{
    const struct table_pointer gdt_pointer = { sizeof(gdt) - 1, (uintptr_t)gdt };
    const struct table_pointer idt_pointer = { sizeof(idt) - 1, (uintptr_t)idt };
    const uint16_t x87_control = 0x37F;
    const uint32_t sse_control = 0x1F80;

    segments_load(&gdt_pointer, SELECTOR_CODE64, SELECTOR_DATA);
    for (unsigned i = 0; i < VECTORS; i++) {
        uint64_t stub = (uintptr_t)trap_stubs + i * STUB_SIZE;
        idt[i] = (struct gate){ (uint16_t)stub, SELECTOR_CODE64, GATE_INTERRUPT,
                                (uint16_t)(stub >> 16), (uint32_t)(stub >> 32), 0 };
    }
    __asm__ volatile("lidt %0" : : "m"(idt_pointer));
    __asm__ volatile("fninit; fldcw %0; ldmxcsr %1" : : "m"(x87_control), "m"(sse_control));
}

void interrupts_handle(uint8_t vector, void (*handler)(void))
{
    assert(vector >= 32);
    handlers[vector] = handler;
}

static void describe_registers(const struct trap_frame *f)
{
    log_line("rax %016lx rbx %016lx rcx %016lx rdx %016lx", f->rax, f->rbx, f->rcx, f->rdx);
    log_line("rsi %016lx rdi %016lx rbp %016lx rsp %016lx", f->rsi, f->rdi, f->rbp, f->rsp);
    log_line("r8  %016lx r9  %016lx r10 %016lx r11 %016lx", f->r8, f->r9, f->r10, f->r11);
    log_line("r12 %016lx r13 %016lx r14 %016lx r15 %016lx", f->r12, f->r13, f->r14, f->r15);
}

/*
 * The console is the host's, and the host can inject an exception wherever it likes: of a SEV-ES guest,
 * whose registers are encrypted, it gets none to read.
 */
static void describe(const struct trap_frame *f)
{
    const char *name = f->vector < sizeof(exception_names) / sizeof(exception_names[0])
                           ? exception_names[f->vector]
                       : f->vector == VECTOR_VC ? "VMM communication" : "unexpected interrupt";

    log_line("%s (vector %lu, error 0x%lx) at 0x%lx, CR2 0x%lx", name, f->vector, f->error, f->rip,
             cr2_read());
    if (f->rip >= (uintptr_t)__body_start && f->rip < (uintptr_t)__code_end) {
        log_line("in the firmware: look up 0x%lx in privet.debug", f->rip);
    } else {
        log_line("not in the firmware: a loaded image");
    }
    if (sev_es()) {
        log_line("SEV-ES: the registers are not for the host to see");
    } else {
        describe_registers(f);
    }
    log_line("cs %lx ss %lx rflags %lx cr0 %lx cr3 %lx cr4 %lx", f->cs, f->ss, f->rflags,
             cr0_read(), cr3_read(), cr4_read());
    paging_describe(f->vector == VECTOR_PAGE_FAULT ? cr2_read() : f->rip);
}

/* Nothing can be said any more, or was said. */
static _Noreturn void stop(void)
{
    if (sev_es()) {
        ghcb_terminate(TERMINATE_VC);
    }
    cpu_stop();
}

void trap_dispatch(struct trap_frame *frame)
{
    static bool failing;
    void (*handler)(void) = handlers[frame->vector & (VECTORS - 1)];
    const char *problem = NULL;

    /* One that comes while interrupts are off was injected by the host, into a critical section. */
    if (handler != NULL && (frame->rflags & FLAG_INTERRUPTS) != 0) {
        handler();
        return;
    }
    if (frame->vector == VECTOR_VC && sev_es() && vc_handle(frame, &problem)) {
        return;
    }
    if (failing) {
        stop(); /* a trap while describing a trap */
    }
    failing = true;
    describe(frame);
    if (problem != NULL) {
        log_line("SEV-ES: %s; the guest ends", problem);
        stop();
    }
    panic("exception");
}
