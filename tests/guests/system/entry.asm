; SPDX-License-Identifier: BSD-2-Clause-Patent
; Start of the system guests: multiboot header, stack, and with WIDE defined long mode on an identity
; map; then `main` in C. Also the 256 interrupt stubs. elf64 has WIDE defined, elf32 has not; with PVH
; defined there is a Xen note instead of the multiboot header.

%ifdef PVH
    section .note.pvh note alloc
    align 4
    dd 4, 4, 18 ; XEN_ELFNOTE_PHYS32_ENTRY
    db "Xen", 0
    dd start
%else
    section .multiboot
    align 4
    dd 0x1BADB002, 3, -(0x1BADB002 + 3)
%endif

    extern main, trap_entered, gdt, boot_magic, boot_info
    global start, stubs, stack_top, interrupt_stack_top, PML4

CODE32 equ 0x08
DATA   equ 0x10
CODE64 equ 0x18
TSS    equ 0x38

    section .bss
    alignb 4096
PML4:   resb 4096
PDPT:   resb 4096
PD:     resb 4 * 4096
stack:  resb 32768
stack_top:
        resb 16384
interrupt_stack_top: ; RSP0 of the TSS

    section .data
    align 8
gdt_pointer:
    dw 0x1FF
    dd gdt
    dd 0

    section .text
    bits 32
start:
    cli
    cld
    mov [boot_magic], eax
    mov [boot_info], ebx
    mov esp, stack_top
    lgdt [gdt_pointer]
    jmp CODE32:.flat
.flat:
    mov ax, DATA
    mov ds, ax
    mov es, ax
    mov fs, ax
    mov gs, ax
    mov ss, ax
%ifdef WIDE
    ; Identity map of 4 GiB in pages of 2 MiB; the fifth (8 MiB) is the user's.
    mov dword [PML4], PDPT + 7
    mov edi, PDPT
    mov eax, PD + 7
    mov ecx, 4
.table:
    mov [edi], eax
    add eax, 0x1000
    add edi, 8
    loop .table
    mov edi, PD
    mov eax, 0x83
    mov ecx, 2048
.entry:
    mov [edi], eax
    add eax, 0x200000
    add edi, 8
    loop .entry
    or dword [PD + 4 * 8], 4
    mov eax, 1 << 5 | 1 << 9 | 1 << 10 ; PAE, OSFXSR, OSXMMEXCPT
    mov cr4, eax
    mov eax, PML4
    mov cr3, eax
    mov ecx, 0xC0000080
    rdmsr
    or eax, 1 << 8 | 1 << 11 | 1
    wrmsr
    mov eax, cr0
    and eax, ~(1 << 2 | 1 << 29 | 1 << 30)
    or eax, 1 << 31 | 1 << 16 | 1 << 5 | 1 << 1
    mov cr0, eax
    jmp CODE64:.wide
    bits 64
.wide:
    mov ax, DATA
    mov ss, ax
    mov rsp, stack_top
%endif
    call main
.hang:
    hlt
    jmp .hang

%ifdef WIDE
; Another processor's start, copied to 0x8000: from real mode to `other_main` in C, on its own stack.
    section .rodata
    global other_start, other_start_end
    extern other_main
    bits 16
other_start:
    cli
    xor ax, ax
    mov ds, ax
    o32 lgdt [cs:.pointer - other_start]
    mov eax, cr0
    or al, 1
    mov cr0, eax
    jmp dword CODE32:0x8000 + .flat - other_start
    align 8
.pointer:
    dw 0x1FF
    dd gdt
    bits 32
.flat:
    mov ax, DATA
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov eax, 1 << 5 | 1 << 9 | 1 << 10
    mov cr4, eax
    mov eax, PML4
    mov cr3, eax
    mov ecx, 0xC0000080
    rdmsr
    or eax, 1 << 8 | 1 << 11
    wrmsr
    mov eax, cr0
    and eax, ~(1 << 2 | 1 << 29 | 1 << 30)
    or eax, 1 << 31 | 1 << 16 | 1 << 5 | 1 << 1
    mov cr0, eax
    jmp CODE64:0x8000 + .wide - other_start
    bits 64
.wide:
    mov ax, DATA
    mov ss, ax
    mov ds, ax
    mov es, ax
    mov rsp, other_stack_top
    mov rax, other_main
    call rax
    hlt
other_start_end:

    section .bss
    alignb 16
    resb 16384
other_stack_top:
    section .text
%endif

; Each stub is 16 bytes: error code (or 0), vector, then the common part.
    align 16
stubs:
%assign n 0
%rep 256
    align 16
%if !(n == 8 || (n >= 10 && n <= 14) || n == 17)
    push byte 0
%endif
    push dword n
    jmp near every_vector
%assign n n + 1
%endrep

%ifdef WIDE
every_vector:
    push rax
    push rcx
    push rdx
    push rbx
    push rbp
    push rsi
    push rdi
    push r8
    push r9
    push r10
    push r11
    push r12
    push r13
    push r14
    push r15
    cld
    mov rdi, rsp
    mov rbx, rsp
    and rsp, -16
    call trap_entered
    mov rsp, rbx
    pop r15
    pop r14
    pop r13
    pop r12
    pop r11
    pop r10
    pop r9
    pop r8
    pop rdi
    pop rsi
    pop rbp
    pop rbx
    pop rdx
    pop rcx
    pop rax
    add rsp, 16
    iretq
%else
every_vector:
    pusha
    push ds
    push es
    mov ax, DATA
    mov ds, ax
    mov es, ax
    cld
    mov ebx, esp
    and esp, -16
    sub esp, 12
    push ebx
    call trap_entered
    mov esp, ebx
    pop es
    pop ds
    popa
    add esp, 8
    iret
%endif
