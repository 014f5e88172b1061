; SPDX-License-Identifier: BSD-2-Clause-Patent
; Breaks: copies from MMIO to memory by one instruction, which needs two addresses. Right: by MOV.
%include "checks.inc"

test64:
    MAP_WINDOW 0xFEE00000 | 0x1F
    invlpg [abs WINDOW]
%if BREAK
    mov esi, WINDOW + 0x30
    mov edi, FRAME
    movsd
%else
    mov eax, [abs WINDOW + 0x30]
    mov [abs FRAME], eax
%endif
    DONE

%include "tail.inc"
