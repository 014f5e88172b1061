/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Stack switch for started images, and the interrupt flag. An image runs on a stack of its own;
 * Exit() abandons that stack and continues where StartImage() entered it.
 */
    .text

/* uint64_t image_enter(entry, handle, system_table, stack_top, void **ret_resume) */
    .globl image_enter
    .hidden image_enter
    .type image_enter, @function
image_enter:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    sub $8, %rsp
    stmxcsr (%rsp)
    fnstcw 4(%rsp)
    mov %rsp, (%r8)
    mov %rcx, %rsp
    and $-16, %rsp
    sub $48, %rsp               /* 32 bytes of shadow space, alignment, room for %rsp's keeper */
    mov %r8, 40(%rsp)
    mov %rdi, %rax
    mov %rsi, %rcx              /* the second argument, %rdx, is in place */
    xor %ebp, %ebp              /* ends back traces */
    cld
    call *%rax
    mov 40(%rsp), %rbx
    mov (%rbx), %rdi
    mov %rax, %rsi
    jmp image_leave
    .size image_enter, . - image_enter

/* _Noreturn void image_leave(void *resume, uint64_t status): makes image_enter return status */
    .globl image_leave
    .hidden image_leave
    .type image_leave, @function
image_leave:
    mov %rdi, %rsp
    mov %rsi, %rax
    cld
    ldmxcsr (%rsp)
    fldcw 4(%rsp)
    add $8, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
    .size image_leave, . - image_leave

    .globl interrupts_save
    .hidden interrupts_save
    .type interrupts_save, @function
interrupts_save:
    pushf
    pop %rax
    cli
    ret
    .size interrupts_save, . - interrupts_save

    .globl interrupts_restore
    .hidden interrupts_restore
    .type interrupts_restore, @function
interrupts_restore:
    test $0x200, %edi
    jz 1f
    sti
1:  ret
    .size interrupts_restore, . - interrupts_restore

    .globl interrupts_wait
    .hidden interrupts_wait
    .type interrupts_wait, @function
/* void interrupts_wait(void): called with IF=0; sleeps until an interrupt was taken, IF=1 then */
interrupts_wait:
    sti
    hlt
    ret
    .size interrupts_wait, . - interrupts_wait

    .section .note.GNU-stack, "", @progbits
