; SPDX-License-Identifier: BSD-2-Clause-Patent
; Breaks: string output, which raises #UD in a SEV guest. Right: OUT in a loop.
%include "checks.inc"

test64:
    mov esi, text
    mov dx, 0x3F8
%if BREAK
    FAULTS 6, 0, outsb
%else
    mov al, [rsi]
    out dx, al
%endif
    DONE
text: db "x"

%include "tail.inc"
