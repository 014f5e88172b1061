; SPDX-License-Identifier: BSD-2-Clause-Patent
; fw_cfg copies its signature into memory. Breaks: reads it through C=1, as if no device had been at
; it. Right: through C=0.
%include "checks.inc"

BUFFER      equ FRAME + 0x1000
SECOND      equ WINDOW + 0x1000

test64:
    MAP_WINDOW FRAME | 7
    invlpg [abs WINDOW]
    mov qword [abs PTE(SECOND)], BUFFER | 7
    invlpg [abs SECOND]
    mov dword [abs WINDOW], 0x0A000000 ; select key 0, read; big endian
    mov dword [abs WINDOW + 4], 0x04000000
    mov rax, BUFFER + 0x100
    bswap rax
    mov [abs WINDOW + 8], rax
    mov dx, 0x514
    xor eax, eax
    out dx, eax
    mov dx, 0x518
    mov eax, FRAME
    bswap eax
    out dx, eax
%if BREAK
    mov eax, [abs BUFFER + 0x100]
%else
    mov eax, [abs SECOND + 0x100]
    cmp eax, 'QEMU'
    MUST_EQUAL
%endif
    DONE

%include "tail.inc"
