; SPDX-License-Identifier: BSD-2-Clause-Patent
; A SEV guest, C-bit 51: discovery, forced-private modes, one frame through both values of the C-bit.
C_MASK_HIGH equ 1 << (51 - 32)
%include "common.inc"

UD equ 6
GP equ 13
PF equ 14
SECRET equ 0x73336372

    bits 32
test32:
    mov eax, 0x8000001F
    cpuid
    and eax, 2
    cmp eax, 2
    MUST_EQUAL32
    and ebx, 63
    cmp ebx, 51
    MUST_EQUAL32
    mov ecx, 0xC0010131
    rdmsr
    cmp eax, 1
    MUST_EQUAL32
    FAULTS32 GP, 0, wrmsr
    FAULTS32 UD, 0, outsb
    FAULTS32 UD, 0, rep insb
    mov dword [DATA], SECRET ; no paging: private
    call narrow_paging
    call pae_paging
    jmp enter_long

; Legacy PAE: the leaf's C-bit picks the view of data, tables and fetches are private.
PAE_SHARED equ 0x00600000 ; the frame at DATA with C = 0, in a page of 4 KiB
pae_paging:
    mov edi, TABLES
    xor eax, eax
    mov ecx, 0x3000 / 4
    rep stosd
    mov dword [TABLES], TABLES + 0x1001 ; PDPTE 0, private
    mov dword [TABLES + 4], C_MASK_HIGH
    mov edi, TABLES + 0x1000
    mov eax, 0x83
.next:
    mov [edi], eax
    mov dword [edi + 4], C_MASK_HIGH
    add edi, 8
    add eax, 1 << 21
    cmp eax, 3 << 21
    jb .next
    mov dword [TABLES + 24], TABLES + 0x4001 ; PDPTE 3: the ROM that this runs from
    mov dword [TABLES + 28], C_MASK_HIGH
    mov dword [TABLES + 0x4000 + 511 * 8], 0xFFE00083
    mov dword [TABLES + 0x4000 + 511 * 8 + 4], C_MASK_HIGH
    mov dword [TABLES + 0x1000 + 3 * 8], TABLES + 0x2003
    mov dword [TABLES + 0x1000 + 3 * 8 + 4], 0 ; a table that C = 0 points to is read privately
    mov dword [TABLES + 0x2000], DATA + 3
    mov dword [TABLES + 0x2000 + 4], 0
    mov eax, cr4
    or eax, 1 << 5
    mov cr4, eax
    mov eax, TABLES
    mov cr3, eax
    mov eax, cr0
    or eax, 1 << 31
    mov cr0, eax
    cmp dword [DATA], SECRET
    MUST_EQUAL32
    mov eax, [PAE_SHARED]
    mov ebx, [PAE_SHARED + 4]
    cmp eax, SECRET
    setne cl
    cmp cl, 1
    MUST_EQUAL32
    cmp eax, [PAE_SHARED] ; the same ciphertext each time
    MUST_EQUAL32
    mov dword [PAE_SHARED + 0x80], 0x12345678
    mov dword [PAE_SHARED + 0x84], 0x9ABCDEF0
    cmp dword [PAE_SHARED + 0x80], 0x12345678
    MUST_EQUAL32
    mov ecx, [DATA + 0x80]
    cmp ecx, 0x12345678
    setne cl
    cmp cl, 1
    MUST_EQUAL32
    mov dword [DATA + 0x40], 0xC3902AB0 ; mov al, 0x2A; nop; ret
    xor eax, eax
    mov ecx, PAE_SHARED + 0x40
    call ecx
    cmp al, 0x2A
    MUST_EQUAL32
    mov dword [TABLES + 0x2000 + 4], 1 << (50 - 32) ; another bit is reserved
    invlpg [PAE_SHARED]
    FAULTS32 PF, 9, mov al, [PAE_SHARED]
    mov eax, cr0
    btr eax, 31
    mov cr0, eax
    cmp dword [DATA], SECRET
    MUST_EQUAL32
    ret

; 32-bit paging without PAE is private as well.
narrow_paging:
    mov edi, TABLES
    mov eax, 0x83
    mov ecx, 1024
.next:
    stosd
    add eax, 1 << 22
    loop .next
    mov eax, cr4
    or eax, 1 << 4 ; PSE
    mov cr4, eax
    mov eax, TABLES
    mov cr3, eax
    mov eax, cr0
    or eax, 1 << 31
    mov cr0, eax
    cmp dword [DATA], SECRET
    MUST_EQUAL32
    mov dword [DATA + 4], ~SECRET
    mov eax, cr0
    btr eax, 31
    mov cr0, eax
    ret

    bits 64
SHARED equ 0x300000 ; linear address of the frame at DATA with C = 0

test64:
    mov qword [abs PT_LOW + SHARED / 0x1000 * 8], DATA | 7
    invlpg [abs SHARED]
    cmp dword [abs DATA], SECRET
    MUST_EQUAL
    cmp dword [abs DATA + 4], ~SECRET
    MUST_EQUAL
    ; The shared view is ciphertext, the same each time, and another one at another address.
    mov rax, [abs SHARED]
    mov rbx, [abs DATA]
    cmp rax, rbx
    setne cl
    cmp cl, 1
    MUST_EQUAL
    cmp rax, [abs SHARED]
    MUST_EQUAL
    mov [abs DATA + 0x10], rbx
    mov [abs DATA + 0x20], rbx
    mov rcx, [abs DATA + 8]
    mov [abs DATA + 0x18], rcx
    mov [abs DATA + 0x28], rcx
    mov rcx, [abs SHARED + 0x10]
    cmp rcx, [abs SHARED + 0x20]
    setne cl
    cmp cl, 1
    MUST_EQUAL
    ; Writing the shared view is not what the private view reads; putting the ciphertext back is.
    mov qword [abs SHARED], 0
    cmp rbx, [abs DATA]
    setne cl
    cmp cl, 1
    MUST_EQUAL
    mov [abs SHARED], rax
    cmp rbx, [abs DATA]
    MUST_EQUAL
    ; One instruction may use both views of a frame.
    mov rax, 0x0807060504030201
    mov [abs DATA + 0x100], rax
    mov esi, DATA + 0x100
    mov edi, SHARED + 0x200
    mov ecx, 8
    rep movsb
    cmp rax, [abs SHARED + 0x200]
    MUST_EQUAL
    ; Fetches ignore the C-bit: code written privately runs through the shared mapping.
    mov dword [abs DATA + 0x40], 0xC3902AB0 ; mov al, 0x2A; nop; ret
    xor eax, eax
    mov ecx, SHARED + 0x40
    call rcx
    cmp al, 0x2A
    MUST_EQUAL
    ; Another bit of that kind is reserved.
    mov rcx, 1 << 50 | DATA | 7
    mov [abs PT_LOW + SHARED / 0x1000 * 8], rcx
    invlpg [abs SHARED]
    FAULTS PF, 9, mov al, [abs SHARED]
    ret

%include "tail.inc"
