; SPDX-License-Identifier: BSD-2-Clause-Patent
; Copies the launch secret (and what it keeps at FRAME). Breaks: to shared memory. Right: to private.
SECRET_AREA equ 0x30000
%include "checks.inc"

test64:
    mov esi, text
    mov edi, FRAME
    mov ecx, text_end - text
    rep movsb
%if BREAK
    MAP_WINDOW FRAME + 0x1000 + 7
%else
    MAP_WINDOW C_BIT | FRAME + 0x1000 + 7
%endif
    invlpg [abs WINDOW]
    mov esi, FRAME + 3 ; a part, and elsewhere in the page
    mov edi, WINDOW + 0x105
    mov ecx, 32
    rep movsb
    mov esi, SECRET_AREA
    mov edi, WINDOW + 0x200
    mov ecx, 0x100
    rep movsb
    DONE
text: db "correct horse battery staple, as the password"
text_end:

; The GUIDed table that promises a place for the launch secret.
    times 0xFFE0 - (26 + 18) - ($ - $$) db 0x90
    bits 16
    dd SECRET_AREA, 0x400
    dw 26
    db 0x61, 0xb3, 0x2e, 0x4c, 0x9b, 0x7d, 0xc3, 0x4c
    db 0x80, 0x81, 0x12, 0x7c, 0x90, 0xd3, 0xd2, 0x94
    dw 26 + 18
    db 0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45
    db 0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d
%include "tail.inc"
