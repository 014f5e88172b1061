/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Interrupt entry: 256 stubs of 16 bytes, one common path that saves the integer and the
 * floating-point state (event notifications may use SSE), one C function. APM 2 8.9.
 */
        .text
        .globl  trap_stubs, segments_load

        .balign 16
trap_stubs:
        .set    vector, 0
        .rept   256
        .balign 16
        /* These push an error code of their own: 8, 10-14, 17, 21, 29, 30. */
        .if vector > 31
        pushq   $0
        .elseif !((0x60227D00 >> vector) & 1)
        pushq   $0
        .endif
        pushq   $vector
        jmp     trap_common
        .set    vector, vector + 1
        .endr

trap_common:
        pushq   %rax
        pushq   %rcx
        pushq   %rdx
        pushq   %rbx
        pushq   %rbp
        pushq   %rsi
        pushq   %rdi
        pushq   %r8
        pushq   %r9
        pushq   %r10
        pushq   %r11
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        cld
        movq    %rsp, %rdi
        movq    %rsp, %rbx
        subq    $512, %rsp
        andq    $-16, %rsp
        fxsave64 (%rsp)
        call    trap_dispatch
        fxrstor64 (%rsp)
        movq    %rbx, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %r11
        popq    %r10
        popq    %r9
        popq    %r8
        popq    %rdi
        popq    %rsi
        popq    %rbp
        popq    %rbx
        popq    %rdx
        popq    %rcx
        popq    %rax
        addq    $16, %rsp
        iretq

/* segments_load(gdt pointer, code selector, data selector): GDT into use, all segments reloaded. */
segments_load:
        lgdt    (%rdi)
        movl    %edx, %ds
        movl    %edx, %es
        movl    %edx, %fs
        movl    %edx, %gs
        movl    %edx, %ss
        popq    %rax
        pushq   %rsi
        pushq   %rax
        lretq

        .section .note.GNU-stack, "", @progbits
