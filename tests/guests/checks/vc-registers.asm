; SPDX-License-Identifier: BSD-2-Clause-Patent
; Breaks: a #VC handler that keeps the old RBP, one that changes R9, one that changes the flags. Right:
; what the instructions would have done.
%include "checks.inc"
%include "ghcb.inc"

VC       equ 29
REGISTER equ 0xFEE000E0 ; of the local APIC: it reads 0xFFFFFFFF
CARRY    equ 1

; %1 raises #VC; the handler asks for %2 bytes of the register (0: for nothing), then does %3 instead.
%macro INSTEAD 3
    lea r14, [rel %%next]
    lea r15, [rel %%instead]
    mov r12d, %2
    %1
%%next:
    jmp %%end
%%instead:
    %3
    ret
%%end:
%endmacro

%macro LOAD 2
    INSTEAD {%1 [abs WINDOW + 0xE0]}, %2, {%1 [abs GHCB + BUFFER]}
%endmacro

test64:
    MAKE_GHCB
    MAP_WINDOW (REGISTER & ~0xFFF) | 0x1F
    invlpg [abs WINDOW]
    lea rax, [rel handler]
    mov edi, IDT + VC * 16
    mov [rdi], ax
    mov word [rdi + 2], CODE64
    mov word [rdi + 4], 0x8E00
    shr rax, 16
    mov [rdi + 6], ax
    shr rax, 16
    mov [rdi + 8], rax

    mov rax, 0x1122334455667788
    mov rbx, rax
    mov rcx, rax
    mov rdx, rax
    mov rbp, rax
    mov r9, rax
    LOAD {mov al,}, 1
    LOAD {mov bh,}, 1
    LOAD {mov cx,}, 2
    LOAD {mov rdx,}, 8
    LOAD {movzx r8d, byte}, 1
    LOAD {movzx r8, word}, 2
    LOAD {movsx bp, byte}, 1
    LOAD {movsx r9d, word}, 2
    LOAD {movsx r9, byte}, 1
    LOAD {movsxd r9, dword}, 4
    INSTEAD {mov eax, [WINDOW + 0xE0]}, 4, {mov eax, [abs GHCB + BUFFER]}
    INSTEAD rdtsc, 0, {mov rax, rdx}
    INSTEAD wbinvd, 0, nop
%if BREAK
    INSTEAD {mov ebp, [abs WINDOW + 0xE0]}, 4, nop
    INSTEAD cpuid, 0, inc r9
    INSTEAD {mov [abs WINDOW + 0xE0], eax}, 0, {xor byte [rsp + 32], CARRY}
%else
    LOAD {mov ebp,}, 4
    INSTEAD cpuid, 0, {xchg rax, rbx}
    INSTEAD {mov [abs WINDOW + 0xE0], eax}, 0, nop
%endif
    DONE_BY_GHCB

; The stack: error code, RIP, CS, RFLAGS.
handler:
    test r12d, r12d
    jz .there
    push rax
    push rbx
    push rcx
    push rdx
    push rsi
    push rdi
    push r8
    mov edi, GHCB
    mov ecx, EXIT_MMIO_READ
    mov esi, REGISTER
    mov ebx, r12d
    mov r8d, GHCB_FRAME + BUFFER
    call write_request
    VMGEXIT
    pop r8
    pop rdi
    pop rsi
    pop rdx
    pop rcx
    pop rbx
    pop rax
.there:
    mov [rsp + 8], r14
    call r15
    add rsp, 8
    iretq

%include "tail.inc"
