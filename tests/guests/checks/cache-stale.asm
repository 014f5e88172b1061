; SPDX-License-Identifier: BSD-2-Clause-Patent
; Breaks: a page changes its C-bit while its lines may be cached. Right: CLFLUSH of each before.
%include "checks.inc"

test64:
    mov qword [abs FRAME], 1
    MAP_WINDOW FRAME | 7
    invlpg [abs WINDOW]
%if BREAK == 0
    FLUSH_PAGE FRAME
%endif
    mov qword [abs WINDOW], 2 ; a write: what the page held is given up
    ; WBINVD is the other way.
    mov qword [abs FRAME + 0x1000], 1
    wbinvd
    MAP_WINDOW FRAME + 0x1000 + 7
    invlpg [abs WINDOW]
    mov qword [abs WINDOW], 2
    DONE

%include "tail.inc"
