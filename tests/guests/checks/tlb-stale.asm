; SPDX-License-Identifier: BSD-2-Clause-Patent
; Breaks: uses a page after its C-bit changed, without INVLPG. Right: with it.
%include "checks.inc"

test64:
    mov qword [abs WINDOW], 1 ; private: the TLB has it
    FLUSH_PAGE WINDOW
    MAP_WINDOW WINDOW | 7     ; the same frame with C=0
%if BREAK == 0
    invlpg [abs WINDOW]
%endif
    mov qword [abs WINDOW], 2
    ; A write to CR3 flushes, too.
    FLUSH_PAGE WINDOW
    MAP_WINDOW C_BIT | WINDOW | 7
    mov rax, cr3
    mov cr3, rax
    mov qword [abs WINDOW], 3
    DONE

%include "tail.inc"
