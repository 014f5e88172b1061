; SPDX-License-Identifier: BSD-2-Clause-Patent
; Breaks: reads the local APIC through a mapping with C=1. Right: with C=0.
%include "checks.inc"

test64:
%if BREAK
    MAP_WINDOW C_BIT | 0xFEE00000 | 0x1F
%else
    MAP_WINDOW 0xFEE00000 | 0x1F
%endif
    invlpg [abs WINDOW]
    mov eax, [abs WINDOW + 0x30]
    DONE

%include "tail.inc"
