; SPDX-License-Identifier: BSD-2-Clause-Patent
; As much of UEFI as the hand-over needs: a system table, a memory map, ExitBootServices. Breaks:
; a page of conventional memory stays mapped with C=0. Right: it turns private before.
%include "checks.inc"

SYSTEM      equ FRAME + 0x2000
BOOT        equ FRAME + 0x3000
MAP         equ FRAME + 0x4000
SIZES       equ FRAME + 0x5000
NORMAL      equ 0x200000 ; 16 pages of EfiConventionalMemory
BUFFER      equ NORMAL + 0x4000

test64:
    mov rax, 0x5453595320494249 ; "IBI SYST"
    mov [abs SYSTEM], rax
    mov rax, 120 << 32 | 0x20046
    mov [abs SYSTEM + 8], rax
    mov qword [abs SYSTEM + 96], BOOT
    mov rax, 0x56524553544f4f42 ; "BOOTSERV"
    mov [abs BOOT], rax
    mov eax, get_memory_map
    mov [abs BOOT + 56], rax
    mov eax, exit_boot_services
    mov [abs BOOT + 232], rax
    FLUSH_PAGE BUFFER
    mov qword [abs PTE(BUFFER)], BUFFER | 7
    invlpg [abs BUFFER]
    mov qword [abs BUFFER], 1
    mov ecx, 6000000 ; a firmware's work
.work:
    loop .work
    mov ecx, SIZES
    mov edx, MAP
    mov r9d, SIZES + 8
    call [abs BOOT + 56]
%if BREAK == 0
    FLUSH_PAGE BUFFER
    mov rax, C_BIT | BUFFER | 7
    mov [abs PTE(BUFFER)], rax
    invlpg [abs BUFFER]
%endif
    call [abs BOOT + 232]
    DONE

get_memory_map:
    mov qword [rcx], 48
    mov qword [r9], 48
    mov qword [rdx], 7 ; EfiConventionalMemory
    mov qword [rdx + 8], NORMAL
    mov qword [rdx + 24], 16
    xor eax, eax
    ret

exit_boot_services:
    xor eax, eax
    ret

%include "tail.inc"
