; SPDX-License-Identifier: BSD-2-Clause-Patent
; fw_cfg copies its signature into memory. Breaks: the request lies in private memory, so the device
; reads ciphertext. Right: in shared memory.
%include "checks.inc"

test64:
%if BREAK == 0
    MAP_WINDOW FRAME | 7
%else
    MAP_WINDOW C_BIT | FRAME | 7
%endif
    invlpg [abs WINDOW]
    ; struct: control (select key 0, read), length 4, address; big endian
    mov dword [abs WINDOW], 0x0A000000
    mov dword [abs WINDOW + 4], 0x04000000
    mov rax, FRAME + 0x100
    bswap rax
    mov [abs WINDOW + 8], rax
    mov dx, 0x514
    xor eax, eax
    out dx, eax
    mov dx, 0x518
    mov eax, FRAME
    bswap eax
    out dx, eax
    DONE

%include "tail.inc"
