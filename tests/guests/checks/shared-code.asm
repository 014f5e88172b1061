; SPDX-License-Identifier: BSD-2-Clause-Patent
; Breaks: runs code through a mapping with C=0, which hardware allows. Right: with C=1.
%include "checks.inc"

test64:
    mov dword [abs FRAME], 0xC3909090 ; nop; nop; nop; ret
%if BREAK
    MAP_WINDOW FRAME | 7
%else
    MAP_WINDOW C_BIT | FRAME | 7
%endif
    invlpg [abs WINDOW]
    mov eax, WINDOW
    call rax
    DONE

%include "tail.inc"
