; SPDX-License-Identifier: BSD-2-Clause-Patent
; Breaks: reads through C=0 what was written through C=1. Right: writes it anew first.
%include "checks.inc"

test64:
    mov rax, 0x1122334455667788
    mov [abs FRAME], rax
    mov [abs FRAME + 8], rax
    FLUSH_PAGE FRAME
    MAP_WINDOW FRAME | 7
    invlpg [abs WINDOW]
%if BREAK == 0
    mov rax, 0x1122334455667788
    mov [abs WINDOW], rax
%endif
    mov rax, [abs WINDOW]
    DONE

%include "tail.inc"
