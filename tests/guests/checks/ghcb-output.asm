; SPDX-License-Identifier: BSD-2-Clause-Patent
; What is at FRAME is secret. Breaks: requests to write it to a port and to a device's register. Right:
; requests to write as many zeros.
LENGTH equ 16

%include "checks.inc"
%include "ghcb.inc"

test64:
    mov esi, text
    mov edi, FRAME
    mov ecx, 64
    rep movsb
    MAP_WINDOW FRAME + 0x1000 + 7
    invlpg [abs WINDOW]
    mov qword [abs WINDOW], 0
    FLUSH_PAGE WINDOW
    mov qword [abs FRAME + 0x1000], 0 ; a page turns private: what is secret now is learnt
    MAKE_GHCB
    mov r9d, FRAME
.out:
    mov al, [r9]
%if BREAK == 0
    xor al, al
%endif
    ASK_OUT al, 0x80
    inc r9
    cmp r9d, FRAME + LENGTH
    jb .out
    mov r9d, FRAME
    mov r8d, GHCB_FRAME + BUFFER
.register:
    mov rax, [r9]
%if BREAK == 0
    xor eax, eax
%endif
    mov [abs GHCB + BUFFER], rax
    mov edi, GHCB
    mov ecx, EXIT_MMIO_WRITE
    mov esi, 0xFED01000 ; nobody's
    mov ebx, 8
    call write_request
    VMGEXIT
    add r9, 8
    cmp r9d, FRAME + LENGTH
    jb .register
    DONE_BY_GHCB
text: db "correct horse battery staple, as the password, and so on for 64."

%include "tail.inc"
