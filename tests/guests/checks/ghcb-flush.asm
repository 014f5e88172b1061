; SPDX-License-Identifier: BSD-2-Clause-Patent
; Breaks: a page changes its C-bit while its lines may be cached. Right: after a request for WBINVD.
%include "checks.inc"
%include "ghcb.inc"

test64:
    MAKE_GHCB
    mov qword [abs FRAME], 1
%if BREAK == 0
    mov edi, GHCB
    mov ecx, EXIT_WBINVD
    call write_request
    VMGEXIT
%endif
    MAP_WINDOW FRAME | 7
    invlpg [abs WINDOW]
    mov qword [abs WINDOW], 2
    DONE_BY_GHCB

%include "tail.inc"
