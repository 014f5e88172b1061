; SPDX-License-Identifier: BSD-2-Clause-Patent
;
; Four processors without an operating system: startup, interrupts between them in xAPIC and x2APIC
; mode, NMIs, timers of each, locks, one time stamp for all, code changed by another processor, INIT
; while one runs. A 64 KiB firmware image in flat 32-bit mode; a byte to port 0xF4 ends it: 0x20 all
; is well, 0x40 + number of the test that failed. Runs under QEMU, too.
;
; RAM: 0x1000 IDT, 0x6000 variables, 0x8000 and 0x9000 real-mode start of the others, stacks from
; 0xA000 (a page each, which also says whose it is), 0x20000 code that changes.

    bits 16
    org 0xFFFF0000

OTHERS      equ 3
IDT         equ 0x1000
started     equ 0x6000
ids         equ 0x6004
work        equ 0x6008 ; what the others do next, when
sequence    equ 0x600C ; this changes;
done        equ 0x6010 ; how many have done it
counter     equ 0x6014
lock_word   equ 0x6018
last_tsc    equ 0x6020
errors      equ 0x6028
expected    equ 0x602C
alive       equ 0x6030
x2          equ 0x6034 ; APICs are in x2APIC mode
start_cs    equ 0x6038
ticks       equ 0x6040 ; per processor, as the next two
nmis        equ 0x6050
ipis        equ 0x6060
START       equ 0x8000
STACKS      equ 0xA000
CHANGING    equ 0x20000
APIC        equ 0xFEE00000
CODE32      equ 0x08
DATA32      equ 0x10
ROUNDS      equ 2000

gdt:
    dq 0
    dq 0x00CF9B000000FFFF
    dq 0x00CF93000000FFFF
gdt_pointer:
    dw $ - gdt - 1
    dd gdt
idt_pointer:
    dw 0xFFF
    dd IDT

first_start:
    cli
    o32 lgdt [cs:gdt_pointer - $$]
    mov eax, cr0
    and eax, 0x9FFFFFFF
    or al, 1
    mov cr0, eax
    jmp dword CODE32:first32

; Copied to START: where the others begin. The descriptor table is in reach of a 32-bit offset only
; once the limits are, so it is copied, too.
other_start:
    cli
    xor ax, ax
    mov ds, ax
    mov [start_cs], cs
    o32 lgdt [START + other_gdt - other_start]
    mov eax, cr0
    and eax, 0x9FFFFFFF
    or al, 1
    mov cr0, eax
    jmp dword CODE32:other32
other_gdt:
    dw 23
    dd gdt
other_end:

    bits 32

%macro FAIL_UNLESS 2 ; condition, test
    j%1 %%fine
    mov al, 0x40 + %2
    jmp end_with
%%fine:
%endmacro

end_with:
    out 0xF4, al
    hlt
    jmp end_with

; EAX: number of the processor, by its stack.
%macro WHO 0
    mov eax, esp
    sub eax, STACKS
    shr eax, 12
%endmacro

; --- interrupts ---

unexpected:
    mov al, 0x7F
    jmp end_with

%macro COUNTING 2 ; handler, counters
%1:
    push eax
    WHO
    lock inc dword [%2 + eax * 4]
    call end_of_interrupt
    pop eax
    iret
%endmacro

end_of_interrupt:
    cmp dword [x2], 0
    jne .x2
    mov dword [APIC + 0xB0], 0
    ret
.x2:
    push ecx
    push edx
    xor eax, eax
    xor edx, edx
    mov ecx, 0x80B
    wrmsr
    pop edx
    pop ecx
    ret

COUNTING on_ipi, ipis
COUNTING on_tick, ticks

on_nmi:
    push eax
    WHO
    lock inc dword [nmis + eax * 4]
    pop eax
    iret

; EAX handler, EDI gate
set_gate:
    mov [edi], ax
    mov word [edi + 2], CODE32
    mov word [edi + 4], 0x8E00
    shr eax, 16
    mov [edi + 6], ax
    ret

; --- the others ---

other32:
    mov ax, DATA32
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov eax, [APIC + 0x20]
    shr eax, 24
    mov ebx, eax
    shl eax, 12
    lea esp, [STACKS + 0x1000 + eax]
    lidt [idt_pointer]
    mov dword [APIC + 0xF0], 0x1FF
    bts dword [ids], ebx
    mov esi, [sequence]
    lock inc dword [started]
.wait:
    pause
    cmp [sequence], esi
    je .wait
    mov esi, [sequence]
    push esi
    call [work]
    pop esi
    lock inc dword [done]
    jmp .wait

; All processors do the work at EAX; returns when all have.
together:
    call others_begin
    call [work]
others_finish:
    pause
    cmp dword [done], OTHERS
    jne others_finish
    ret
others_begin:
    mov [work], eax
    mov dword [done], 0
    inc dword [sequence]
    ret

take_lock:
    mov eax, 1
    xchg eax, [lock_word]
    test eax, eax
    jnz take_lock
    ret

count_locked:
    mov ecx, ROUNDS
.next:
    lock inc dword [counter]
    loop .next
    ret

; Without PAUSE, and the increment in two steps: another turn may begin in between.
count_in_lock:
    mov ecx, ROUNDS
.next:
    call take_lock
    mov edx, [counter]
    inc edx
    mov [counter], edx
    mov dword [lock_word], 0
    loop .next
    ret

; Nobody sees a time stamp below one that another one has seen before.
compare_time:
    mov ecx, ROUNDS
.next:
    call take_lock
    rdtsc
    cmp edx, [last_tsc + 4]
    ja .later
    jb .earlier
    cmp eax, [last_tsc]
    jae .later
.earlier:
    inc dword [errors]
.later:
    mov [last_tsc], eax
    mov [last_tsc + 4], edx
    mov dword [lock_word], 0
    loop .next
    ret

call_changing:
    call CHANGING
    cmp eax, [expected]
    je .fine
    lock inc dword [errors]
.fine:
    ret

; Sleeps until its own counter is that large.
%macro SLEEP_UNTIL 2 ; counters, least
    WHO
%%next:
    cli
    mov ecx, %2
    cmp [%1 + eax * 4], ecx
    jae %%done
    sti
    hlt
    jmp %%next
%%done:
%endmacro

sleep_for_ipi:
    push eax
    SLEEP_UNTIL ipis, [expected]
    pop eax
    ret

spin_for_nmi:
    push eax
    WHO
.next:
    pause
    cmp dword [nmis + eax * 4], 0
    je .next
    pop eax
    ret

; One-shot, then periodic, then by deadline.
use_timer:
    push ebx
    mov dword [APIC + 0x3E0], 0xB
    mov dword [APIC + 0x320], 0x41
    mov dword [APIC + 0x380], 50000
    SLEEP_UNTIL ticks, 1
    mov dword [APIC + 0x320], 0x20041
    mov dword [APIC + 0x380], 20000
    SLEEP_UNTIL ticks, 5
    mov dword [APIC + 0x380], 0
    pop ebx
    ret

enter_x2:
    mov ecx, 0x1B
    rdmsr
    or eax, 0xC00
    wrmsr
    ret

stay_alive:
    lock inc dword [alive]
    jmp stay_alive

; --- the first ---

; EAX destination, EDX low half of the command
send:
    shl eax, 24
    mov [APIC + 0x310], eax
    mov [APIC + 0x300], edx
    ret

send_x2: ; EAX low half, EDX destination
    mov ecx, 0x830
    wrmsr
    ret

; Some time for what is under way.
wait_a_bit:
    mov ecx, 20000
.next:
    pause
    loop .next
    ret

first32:
    mov ax, DATA32
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov esp, STACKS + 0x1000
    cld
    xor eax, eax
    mov edi, 0x6000
    mov ecx, 0x400
    rep stosd
    mov edi, IDT
    mov ebx, 0x80
.gates:
    mov eax, unexpected
    call set_gate
    add edi, 8
    dec ebx
    jnz .gates
    mov edi, IDT + 2 * 8
    mov eax, on_nmi
    call set_gate
    mov edi, IDT + 0x40 * 8
    mov eax, on_ipi
    call set_gate
    mov edi, IDT + 0x41 * 8
    mov eax, on_tick
    call set_gate
    lidt [idt_pointer]
    mov esi, other_start
    mov edi, START
    mov ecx, other_end - other_start
    rep movsb
    mov dword [APIC + 0xF0], 0x1FF

startup:
    xor eax, eax
    mov edx, 0xC4500 ; INIT to all others
    call send
    call wait_a_bit
    mov edx, 0xC4600 + (START >> 12)
    xor eax, eax
    call send
.wait:
    pause
    cmp dword [started], OTHERS
    jne .wait
    cmp dword [ids], 0xE
    FAIL_UNLESS e, 1
    cmp word [start_cs], START >> 4
    FAIL_UNLESS e, 1
    mov edx, 0xC4600 + (START >> 12) ; they run: nothing happens
    xor eax, eax
    call send
    call wait_a_bit
    cmp dword [started], OTHERS
    FAIL_UNLESS e, 2

    mov eax, count_locked
    call together
    cmp dword [counter], (OTHERS + 1) * ROUNDS
    FAIL_UNLESS e, 3
    mov dword [counter], 0
    mov eax, count_in_lock
    call together
    cmp dword [counter], (OTHERS + 1) * ROUNDS
    FAIL_UNLESS e, 4
    mov eax, compare_time
    call together
    cmp dword [errors], 0
    FAIL_UNLESS e, 5

; mov eax, number; ret: the number changes while the others have decoded it.
changing_code:
    mov byte [CHANGING], 0xB8
    mov byte [CHANGING + 5], 0xC3
    mov ebx, 200
.next:
    mov [CHANGING + 1], ebx
    mov [expected], ebx
    mov eax, call_changing
    call together
    dec ebx
    jnz .next
    cmp dword [errors], 0
    FAIL_UNLESS e, 6

; One to each, to all others, to all, by logical destination; the others sleep.
interrupts:
    mov dword [expected], 3
    mov eax, sleep_for_ipi
    call others_begin
    mov ebx, OTHERS
.each:
    mov eax, ebx
    mov edx, 0x4040
    call send
    dec ebx
    jnz .each
    call wait_a_bit
    mov edx, 0xC4040
    xor eax, eax
    call send
    call wait_a_bit
    mov edx, 0x4040
    mov eax, 0xFF
    call send
    call others_finish
    cmp dword [ipis], 0
    FAIL_UNLESS e, 7 ; our interrupts are off: it waits
    sti
    nop
    cli
    cmp dword [ipis], 1
    FAIL_UNLESS e, 7
    mov edx, 0x44040 ; self
    xor eax, eax
    call send
    sti
    nop
    cli
    cmp dword [ipis], 2
    FAIL_UNLESS e, 8

nmi_to_all:
    mov eax, spin_for_nmi
    call others_begin
    mov edx, 0xC4400
    xor eax, eax
    call send
    call others_finish
    cmp dword [nmis], 0
    FAIL_UNLESS e, 9

    mov eax, use_timer
    call together

; INIT stops one in its loop; another start brings it back.
init_running:
    mov eax, stay_alive
    call others_begin
.wait:
    pause
    cmp dword [alive], 100
    jb .wait
    mov edx, 0xC4500
    xor eax, eax
    call send
    call wait_a_bit
    mov ebx, [alive]
    call wait_a_bit
    cmp [alive], ebx
    FAIL_UNLESS e, 10
    mov dword [started], 0
    mov dword [ids], 0
    mov edx, 0x4600 + (START >> 12) ; only number 2
    mov eax, 2
    call send
    call wait_a_bit
    cmp dword [started], 1
    FAIL_UNLESS e, 11
    cmp dword [ids], 4
    FAIL_UNLESS e, 11
    mov edx, 0xC4600 + (START >> 12)
    xor eax, eax
    call send
.all:
    pause
    cmp dword [started], OTHERS
    jne .all

x2apic:
    mov eax, 1
    cpuid
    test ecx, 1 << 21
    jz well
    mov dword [ipis + 4], 0
    mov dword [ipis + 8], 0
    mov dword [ipis + 12], 0
    mov dword [x2], 1
    mov eax, enter_x2
    call together
    mov dword [expected], 3
    mov eax, sleep_for_ipi
    call others_begin
    mov ebx, OTHERS
.each:
    mov edx, ebx
    mov eax, 0x4040
    call send_x2
    dec ebx
    jnz .each
    call wait_a_bit
    mov edx, 0xE ; logical, cluster 0
    mov eax, 0x4840
    call send_x2
    call wait_a_bit
    mov edx, -1
    mov eax, 0x4040
    call send_x2
    call others_finish
    mov ecx, 0x83F ; self
    mov eax, 0x40
    xor edx, edx
    mov dword [ipis], 0
    sti
    nop
    wrmsr
    nop
    cli
    cmp dword [ipis], 2
    FAIL_UNLESS e, 12

well:
    mov al, 0x20
    jmp end_with

    bits 16
    times 0xFFF0 - ($ - $$) db 0x90
    jmp near first_start
    times 0x10000 - ($ - $$) db 0
