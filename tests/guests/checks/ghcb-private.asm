; SPDX-License-Identifier: BSD-2-Clause-Patent
; Breaks: a request is written through C=1. Right: through C=0. In both cases the page is touched, but
; neither read nor written, the other way before VMGEXIT: how it was written is what counts.
%include "checks.inc"
%include "ghcb.inc"

test64:
    MAKE_GHCB
    MAP_WINDOW FRAME | 7
    invlpg [abs WINDOW]
    ASK_AT FRAME
%if BREAK
    mov edi, FRAME
    mov r9d, WINDOW
%else
    mov edi, WINDOW
    mov r9d, FRAME
%endif
    mov ecx, EXIT_WBINVD
    call write_request
    clflush [r9]
    VMGEXIT
    ; A scratch area, too.
    ASK_AT GHCB_FRAME
    mov dword [rdi + BUFFER], 0x12345678
    clflush [r9]
    mov edi, GHCB
    mov ecx, EXIT_IOIO
    mov esi, 0x80 << 16 | 1 << 6 | 1 << 2 ; OUTSD
    mov ebx, 1
    mov r8d, FRAME + BUFFER
    call write_request
    VMGEXIT
    DONE_BY_GHCB

%include "tail.inc"
