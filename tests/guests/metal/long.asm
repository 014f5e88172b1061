; SPDX-License-Identifier: BSD-2-Clause-Patent
; Long mode: page-fault error codes, NX, WP, SMEP and SMAP, non-canonical addresses, IST, SYSCALL and
; SYSRET, interrupts from CPL 3, far returns, compatibility mode.
C_MASK_HIGH equ 0
%include "common.inc"

UD equ 6
DF equ 8
SS_ equ 12
GP equ 13
PF equ 14

    bits 32
test32:
    jmp enter_long

    bits 64
; Sets the entry of the page at DATA.
%macro MAP 1
    mov rcx, %1
    mov [abs PT_LOW + DATA / 0x1000 * 8], rcx
    invlpg [abs DATA]
%endmacro

test64:
    call rights
    call canonical
    call system_registers
    call user
    call fast_calls
    call stacks
    call compatibility
    ret

rights:
    MAP DATA | 7
    mov ebx, DATA
    WORKS mov [rbx], eax
    MAP DATA | 6
    FAULTS PF, 0, mov cl, [rbx]
    cmp qword [abs fault_cr2], DATA
    MUST_EQUAL
    FAULTS PF, 2, mov [rbx + 8], cl
    cmp qword [abs fault_cr2], DATA + 8
    MUST_EQUAL
    MAP DATA | 5
    FAULTS PF, 3, mov [rbx], cl
    WORKS mov cl, [rbx]
    FAULTS PF, 3, inc byte [rbx] ; read-modify-write faults as a write
    mov rax, cr0
    btr eax, 16
    mov cr0, rax
    WORKS mov [rbx], cl
    mov rax, cr0
    bts eax, 16
    mov cr0, rax
    MAP DATA | 7 | 1 << 63
    FAULTS PF, 0x11, jmp rbx
    MAP DATA | 7 | 1 << 51
    FAULTS PF, 9, mov cl, [rbx]
    MAP DATA | 7
    mov byte [rbx], 0xC3
    WORKS call rbx
    ret

canonical:
    mov rbx, 1 << 47
    FAULTS GP, 0, mov cl, [rbx]
    mov rbp, rbx
    FAULTS SS_, 0, mov cl, [rbp]
    FAULTS GP, 0, jmp rbx
    mov ecx, 0xC0000100
    mov edx, 0x8000
    xor eax, eax
    FAULTS GP, 0, wrmsr
    ret

system_registers:
    mov rbx, cr4
    btr rbx, 5
    FAULTS GP, 0, mov cr4, rbx ; PAE cannot go in long mode
    mov rbx, 1 << 63
    FAULTS GP, 0, mov cr0, rbx
    mov rbx, 1 << 31
    FAULTS GP, 0, mov cr0, rbx ; PG without PE
    FAULTS UD, 0, mov cr5, rbx
    mov ecx, 0xC0000080
    rdmsr
    test eax, 1 << 10 ; LMA
    setnz al
    cmp al, 1
    MUST_EQUAL
    ret

%macro TO_USER64 1
    push qword USER_DATA
    push qword 0xA000
    push qword 2
    push qword USER_CODE64
    mov ecx, %1
    push rcx
    iretq
%endmacro

user:
    mov ebx, DATA
    ARM .after_hlt
    TO_USER64 .hlt
.hlt:
    hlt
.after_hlt:
    CHECK GP, 0
    cmp qword [abs fault_cs], USER_CODE64
    MUST_EQUAL
    MAP DATA | 3
    ARM .after_read
    TO_USER64 .read
.read:
    mov cl, [rbx]
.after_read:
    CHECK PF, 5
    ARM .after_write
    TO_USER64 .write
.write:
    mov [rbx], cl
.after_write:
    CHECK PF, 7
    ARM .after_jump
    TO_USER64 .jump
.jump:
    jmp rbx
.after_jump:
    CHECK PF, 0x15
    MAP DATA | 7
    ARM .after_int
    TO_USER64 .int
.int:
    int 14
.after_int:
    CHECK GP, 14 * 8 + 2
    ret

fast_calls:
    mov ecx, 0xC0000081 ; STAR: SYSRET base 0x18, so that SS is 0x20 and CS 0x28
    xor eax, eax
    mov edx, 0x18 << 16 | CODE32
    wrmsr
    mov ecx, 0xC0000082
    mov eax, .target
    xor edx, edx
    wrmsr
    mov ecx, 0xC0000084
    mov eax, 1 << 10 ; DF
    xor edx, edx
    wrmsr
    ARM .done
    std
    syscall
.returned:
    jmp .bad
.target:
    pushfq
    pop rax
    test eax, 1 << 10
    MUST_EQUAL
    mov eax, .returned
    cmp rcx, rax
    MUST_EQUAL
    bt r11, 10
    setc al
    cmp al, 1
    MUST_EQUAL
    mov ax, cs
    cmp ax, CODE32
    MUST_EQUAL
    mov ax, ss
    cmp ax, CODE32 + 8
    MUST_EQUAL
    mov ecx, .user
    mov r11d, 2
    o64 sysret
.user:
    mov bx, cs
    hlt
.bad:
    int3
.done:
    CHECK GP, 0
    cmp bx, 0x28 + 3
    MUST_EQUAL
    ret

; IST 1 for #UD; and a page fault on the stack that becomes a double fault on IST 2.
stacks:
    mov qword [abs TSS + 0x24], 0xB000
    mov qword [abs TSS + 0x2C], 0xC000
    mov byte [abs IDT + UD * 16 + 4], 1
    mov byte [abs IDT + DF * 16 + 4], 2
    mov qword [abs 0xB000 - 40], 0
    FAULTS UD, 0, ud2
    cmp qword [abs 0xB000 - 32], CODE64 ; CS in the frame: after error (none) and RIP
    MUST_EQUAL
    mov [abs DATA + 0x800], rsp
    ARM .doubled
    mov rsp, 0x500000 ; not mapped
    push rax
.doubled:
    CHECK DF, 0
    mov byte [abs IDT + UD * 16 + 4], 0
    mov byte [abs IDT + DF * 16 + 4], 0
    ret

compatibility:
    mov ax, DATA32 ; the way to CPL 3 has made DS null
    mov ds, ax
    push qword CODE32
    mov ecx, .code32
    push rcx
    retfq
    bits 32
.code32:
    mov eax, 0xFFFFFFFF
    inc eax        ; 0x40 is INC here and a prefix in 64-bit code
    mov [DATA], eax
    jmp CODE64:.code64
    bits 64
.code64:
    cmp dword [abs DATA], 0
    MUST_EQUAL
    ret

%include "tail.inc"
