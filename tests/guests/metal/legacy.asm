; SPDX-License-Identifier: BSD-2-Clause-Patent
; Protected mode without paging: exceptions and their error codes, privilege changes, call gate, I/O
; bitmap, task switch, V86 mode.
C_MASK_HIGH equ 0
%include "common.inc"

    bits 32
DE equ 0
BPT equ 3
OF equ 4
BR equ 5
UD equ 6
NP equ 11
SS_ equ 12
GP equ 13

test32:
    call plain_faults
    call selector_faults
    call software_interrupts
    call user_mode
    call call_gate
    call io_bitmap
    call task_switch
    call v86
    ret

plain_faults:
    xor edx, edx
    xor ecx, ecx
    FAULTS32 DE, 0, div ecx
    mov eax, 0x80000000
    mov edx, -1
    mov ecx, -1
    FAULTS32 DE, 0, idiv ecx
    FAULTS32 UD, 0, ud2
    FAULTS32 BPT, 0, int3
    mov al, 0x7F
    add al, 1
    FAULTS32 OF, 0, into
    mov dword [DATA], 5
    mov dword [DATA + 4], 9
    mov ecx, 4
    FAULTS32 BR, 0, bound ecx, [DATA]
    FAULTS32 UD, 0, mov cr1, eax
    FAULTS32 GP, 0, mov [cs:DATA], eax
    mov ecx, 0x12345
    FAULTS32 GP, 0, rdmsr
    ret

selector_faults:
    mov ax, ABSENT
    FAULTS32 NP, ABSENT, mov ds, ax
    mov ax, ABSENT ; the handler uses AX
    FAULTS32 SS_, ABSENT, mov ss, ax
    mov ax, READ_ONLY
    FAULTS32 GP, READ_ONLY, mov ss, ax
    mov ax, 0x1F8
    FAULTS32 GP, 0x1F8, mov ds, ax
    mov ax, 0x0C
    FAULTS32 GP, 0x0C, mov fs, ax ; no LDT
    xor ax, ax
    FAULTS32 GP, 0, mov ss, ax
    mov ax, USER_DATA
    FAULTS32 GP, USER_DATA & ~3, mov ss, ax
    mov ax, TSS_SEL
    FAULTS32 GP, TSS_SEL, mov es, ax
    FAULTS32 GP, DATA32, jmp DATA32:0
    FAULTS32 GP, 0, jmp 0:0
    xor cx, cx
    mov es, cx
    FAULTS32 GP, 0, mov eax, [es:0]
    mov cx, READ_ONLY
    mov es, cx
    FAULTS32 GP, 0, mov [es:DATA], eax
    mov cx, SMALL
    mov es, cx
    mov [es:0xFC], eax
    FAULTS32 GP, 0, mov [es:0xFD], eax
    mov ax, DATA32
    mov es, ax
    mov ax, TSS_SEL ; busy
    FAULTS32 GP, TSS_SEL, ltr ax
    ; VERR, VERW, LSL, LAR
    mov ax, READ_ONLY
    verr ax
    MUST_EQUAL32
    verw ax
    setz al
    cmp al, 0
    MUST_EQUAL32
    mov ax, SMALL
    lsl ecx, eax
    MUST_EQUAL32
    cmp ecx, 0xFF
    MUST_EQUAL32
    mov eax, CODE32
    lar ecx, eax
    MUST_EQUAL32
    cmp ecx, 0x00CF9B00
    MUST_EQUAL32
    ret

software_interrupts:
    FAULTS32 GP, 32 * 8 + 2, int 32   ; empty gate
    FAULTS32 GP, 40 * 8 + 2, int 40
    mov byte [IDT + 33 * 8 + 5], 0x0E ; present bit off
    mov word [IDT + 33 * 8 + 2], CODE32
    FAULTS32 NP, 33 * 8 + 2, int 33
    ret

; To CPL 3 and back by way of faults and gates.
%macro TO_USER 1
    push dword USER_DATA
    push dword 0xA000
    push dword 0x2
    push dword USER_CODE32
    push dword %1
    iret
%endmacro

user_mode:
    ARM32 .after_cli
    TO_USER .user_cli
.user_cli:
    cli
.after_cli:
    CHECK32 GP, 0
    cmp dword [fault_cs], USER_CODE32
    MUST_EQUAL32
    ARM32 .after_int
    TO_USER .user_int
.user_int:
    int 14 ; gate with DPL 0
.after_int:
    CHECK32 GP, 14 * 8 + 2
    mov byte [IDT + 3 * 8 + 5], 0xEE
    ARM32 .after_int3
    TO_USER .user_int3
.user_int3:
    int3
.after_int3:
    CHECK32 BPT, 0
    ARM32 .after_load
    TO_USER .user_load
.user_load:
    mov ax, DATA32
    mov ds, ax
.after_load:
    CHECK32 GP, DATA32
    ARM32 .after_hlt
    TO_USER .user_hlt
.user_hlt:
    hlt
.after_hlt:
    CHECK32 GP, 0
    ret

call_gate:
    mov eax, .inner
    mov [GDT + GATE], ax
    mov word [GDT + GATE + 2], CODE32
    mov word [GDT + GATE + 4], 0xEC02 ; DPL 3, two parameters
    shr eax, 16
    mov [GDT + GATE + 6], ax
    ARM32 .done
    TO_USER .user
.user:
    mov ax, USER_DATA
    mov ds, ax
    mov es, ax
    push dword 0x11111111
    push dword 0x22222222
    call GATE + 3:0
    int3
.inner:
    mov ecx, [esp + 8]
    mov edx, [esp + 12]
    mov ebx, [esp + 20] ; old SS
    retf 8
.done:
    CHECK32 BPT, 0
    cmp ecx, 0x22222222
    MUST_EQUAL32
    cmp edx, 0x11111111
    MUST_EQUAL32
    cmp ebx, USER_DATA
    MUST_EQUAL32
    ret

io_bitmap:
    or byte [TSS + 0x68 + 0x500 / 8], 2 ; port 0x501 denied
    ARM32 .denied
    TO_USER .user
.user:
    mov edx, 0x500
    in al, dx
    in ax, dx ; touches 0x501
.denied:
    CHECK32 GP, 0
    cmp edx, 0x500
    MUST_EQUAL32
    ret

; A second task by JMP, which returns by JMP.
TSS2 equ 0x7000
task_switch:
    mov edi, TSS2
    xor eax, eax
    mov ecx, 0x68 / 4
    rep stosd
    mov dword [TSS2 + 0x20], .task
    mov dword [TSS2 + 0x24], 2
    mov dword [TSS2 + 0x28], 0x12345678 ; EAX
    mov dword [TSS2 + 0x38], 0x8000     ; ESP
    mov dword [TSS2 + 0x48], DATA32
    mov dword [TSS2 + 0x4C], CODE32
    mov dword [TSS2 + 0x50], DATA32
    mov dword [TSS2 + 0x54], DATA32
    mov dword [GDT + GATE], TSS2 << 16 | 0x67
    mov dword [GDT + GATE + 4], 0x00008900
    mov ebx, 0x55AA55AA
    call GATE:0
    cmp ebx, 0x55AA55AA ; our registers are back
    MUST_EQUAL32
    cmp dword [DATA], 0x12345679
    MUST_EQUAL32
    str ax
    cmp ax, TSS_SEL
    MUST_EQUAL32
    pushf
    pop eax
    test eax, 1 << 14
    MUST_EQUAL32
    ret
.task:
    inc eax
    mov [DATA], eax
    mov ebx, 0
    pushf
    pop eax
    and eax, 1 << 14 ; NT
    cmp eax, 1 << 14
    MUST_EQUAL32
    iret

v86:
    mov byte [0x20000], 0xFA ; cli
    ARM32 .after
    push dword 0 ; GS
    push dword 0
    push dword 0
    push dword 0x1234 ; ES
    push dword 0      ; SS
    push dword 0xA000
    push dword 1 << 17 | 2
    push dword 0x2000
    push dword 0
    iret
.after:
    CHECK32 GP, 0 ; IOPL 0: CLI faults
    cmp dword [STACK_TOP0 - 16], 0x1234 ; ES is in the frame, above SS
    MUST_EQUAL32
    cmp dword [fault_cs], 0x2000
    MUST_EQUAL32
    ret

    bits 64
test64:
    ret

%include "tail.inc"
