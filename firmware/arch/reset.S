/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Reset vector to C: real mode, flat 32-bit, SEV detection, page tables with C, long mode, C-bit
 * check, copy of the body from flash to private RAM. Until C runs, a failure is a letter on the
 * debug port and the serial port: "!L" no long mode, "!C" C-bit below 32, "!R" no RDRAND,
 * "!E" SEV-ES or SNP active, "!B" wrong C-bit (the host lied). Under SEV-ES no port works without
 * a GHCB: there the guest ends with a termination request that the host prints.
 */
#include "firmware/arch/layout.h"

#define MSR_EFER 0xC0000080
#define MSR_GHCB 0xC0010130
#define MSR_SEV_STATUS 0xC0010131
#define GHCB_TERMINATE 0x100          /* GHCB 2.03 2.3.1: reason set 0, code 0 */

        .section .reset, "ax"
        .globl reset_start
reset_start:

        .code16
reset16:
        cli
        cld
        lgdtl   %cs:(gdt_pointer - reset_start + 0x10000 - RESET_SIZE)
        movl    %cr0, %eax
        andl    $0x9FFFFFFF, %eax     /* caches on: CD and NW clear */
        orl     $1, %eax
        movl    %eax, %cr0
        ljmpl   $SELECTOR_CODE32, $start32

        .code32
start32:
        movl    $SELECTOR_DATA, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %fs
        movl    %eax, %gs
        movl    %eax, %ss
        movl    $RESET_STACK_TOP, %esp
        lidtl   idt32_pointer

        /* Guest type, SEV status, random, mask: 28 bytes of the work area. */
        xorl    %eax, %eax
        movl    $WORK_AREA, %edi
        movl    $7, %ecx
        rep stosl

        movl    $0x80000000, %eax
        cpuid
        movl    %eax, %esi
        movb    $'L', %bl
        cmpl    $0x80000001, %esi
        jb      stop32
        movl    $0x80000001, %eax
        cpuid
        movb    $'L', %bl
        btl     $29, %edx
        jnc     stop32

        /* SEV: CPUID says it may exist, the MSR that it is on (APM 2 15.34.1, 15.34.10). */
        cmpl    $0x8000001F, %esi
        jb      tables
        movl    $0x8000001F, %eax
        cpuid
        btl     $1, %eax
        jnc     tables
        movl    $MSR_SEV_STATUS, %ecx
        rdmsr
        testb   $1, %al
        jz      tables
        testb   $6, %al
        jnz     encrypted_state
        movl    %eax, WORK_SEV_STATUS
        movl    %edx, WORK_SEV_STATUS + 4
        movl    %ebx, %ecx
        andl    $0x3F, %ecx
        movb    $'C', %bl
        cmpl    $32, %ecx
        jb      stop32
        movl    $1, %eax
        shll    %cl, %eax             /* the count is taken modulo 32: the upper half */
        movl    %eax, WORK_C_MASK + 4
        movb    $1, WORK_AREA

        /* With paging off every write is private; read back through the tables below. */
        movl    $1, %eax
        cpuid
        movl    %ecx, %edx
        movb    $'R', %bl
        btl     $30, %edx             /* CPUID 1 ECX: RDRAND */
        jnc     stop32
        movl    $100, %ecx
1:      rdrand  %eax
        jc      2f
        loop    1b
        jmp     stop32
2:      movl    %eax, WORK_RANDOM
        movl    %eax, %ebp
3:      rdrand  %eax
        jc      4f
        loop    3b
        jmp     stop32
4:      movl    %eax, WORK_RANDOM + 4

        /* Identity map of 4 GiB by 2 MiB pages, all private: C in leaves and above. */
tables:
        xorl    %eax, %eax
        movl    $RESET_TABLES, %edi
        movl    $(RESET_TABLES_SIZE / 4), %ecx
        rep stosl
        movl    WORK_C_MASK + 4, %edx
        movl    $(RESET_TABLES + 0x1003), RESET_TABLES
        movl    %edx, RESET_TABLES + 4
        movl    $(RESET_TABLES + 0x2003), %eax
        movl    $(RESET_TABLES + 0x1000), %edi
        movl    $4, %ecx
1:      movl    %eax, (%edi)
        movl    %edx, 4(%edi)
        addl    $0x1000, %eax
        addl    $8, %edi
        loop    1b
        movl    $0xE3, %eax           /* present, writable, accessed, dirty, large */
        movl    $(RESET_TABLES + 0x2000), %edi
        movl    $2048, %ecx
1:      movl    %eax, (%edi)
        movl    %edx, 4(%edi)
        addl    $0x200000, %eax
        addl    $8, %edi
        loop    1b

        movl    $RESET_TABLES, %eax
        movl    %eax, %cr3
        movl    %cr4, %eax
        orl     $0x620, %eax          /* PAE, OSFXSR, OSXMMEXCPT */
        movl    %eax, %cr4
        movl    $MSR_EFER, %ecx
        rdmsr
        orl     $0x100, %eax          /* LME */
        wrmsr
        movl    WORK_RANDOM, %ebp     /* private: paging is still off */
        movl    WORK_RANDOM + 4, %esi
        movl    %cr0, %eax
        andl    $0xFFFFFFFB, %eax     /* EM off */
        orl     $0x80000022, %eax     /* PG, NE, MP */
        movl    %eax, %cr0
        ljmpl   $SELECTOR_CODE64, $start64

        /* %bl: the letter. */
stop32:
        movb    $'!', %al
        call    put32
        movb    %bl, %al
        call    put32
        movb    $'\n', %al
        call    put32
1:      cli
        hlt
        jmp     1b

put32:
        movw    $0x402, %dx
        outb    %al, %dx
        movw    $0x3F8, %dx
        outb    %al, %dx
        ret

        /* SEV-ES: CPUID traps here (#VC, vector 29) before anything else can. */
encrypted_state:
        movl    $MSR_GHCB, %ecx
        movl    $GHCB_TERMINATE, %eax
        xorl    %edx, %edx
        wrmsr
        .byte   0xF3, 0x0F, 0x01, 0xD9 /* VMGEXIT */
        movb    $'E', %bl
        jmp     stop32

        .code64
start64:
        .cfi_sections .debug_frame      /* for debuggers: no caller beyond this */
        .cfi_startproc
        .cfi_undefined rip
        /*
         * Fetches are always private, data by the C-bit: with a wrong C-bit these words differ.
         * Checked without SEV as well, where a host that hides it would fail here.
         */
        movb    $'B', %bl
        movl    probe(%rip), %eax
        cmpl    $0x65766972, %eax
        jne     stop64
        cmpl    %ebp, WORK_RANDOM
        jne     stop64
        cmpl    %esi, WORK_RANDOM + 4
        jne     stop64

        movl    $__body_load, %esi
        movl    $__body_start, %edi
        movl    $__body_quads, %ecx
        rep movsq
        xorl    %eax, %eax
        movl    $__bss_start, %edi
        movl    $__bss_quads, %ecx
        rep stosq
        movl    $__stack_top, %esp
        xorl    %ebp, %ebp
        movl    $firmware_start, %eax
        call    *%rax
1:      cli
        hlt
        jmp     1b

        .cfi_endproc
stop64:
        movb    $'!', %al
        call    put64
        movb    %bl, %al
        call    put64
        movb    $'\n', %al
        call    put64
1:      cli
        hlt
        jmp     1b

put64:
        movw    $0x402, %dx
        outb    %al, %dx
        movw    $0x3F8, %dx
        outb    %al, %dx
        ret

        .balign 4
probe:
        .long   0x65766972

        .balign 8
gdt:
        .quad   0
        .quad   0x00CF9B000000FFFF    /* 0x08: 32-bit code */
        .quad   0x00CF93000000FFFF    /* 0x10: data */
        .quad   0x00AF9B000000FFFF    /* 0x18: 64-bit code */
gdt_pointer:
        .word   gdt_pointer - gdt - 1
        .long   gdt

        .balign 8
idt32:
        .fill   29, 8, 0
        /* A gate splits the address; the page is the last of 4 GiB, so the upper half is known. */
        .word   (encrypted_state - reset_start) + 0x10000 - RESET_SIZE
        .word   SELECTOR_CODE32
        .word   0x8E00
        .word   0xFFFF
idt32_pointer:
        .word   idt32_pointer - idt32 - 1
        .long   idt32

/*
 * The GUIDed table: data, length, GUID, read downward from the footer 48 bytes below 4 GiB.
 * GUIDs in their EFI memory form.
 */
        .equ    VERSION_LENGTH, 16
        .equ    TABLE_LENGTH, (VERSION_LENGTH + 18) + (8 + 18) + (8 + 18) + (4 + 18) + 18
        .org    RESET_SIZE - 32 - TABLE_LENGTH, 0xFF
guid_table:
        /* f71c4475-00c9-4744-a71a-316412a1288a: our version, for tools that look at an image */
        .ascii  PRIVET_VERSION
        .org    guid_table + VERSION_LENGTH, 0
        .word   VERSION_LENGTH + 18
        .byte   0x75, 0x44, 0x1c, 0xf7, 0xc9, 0x00, 0x44, 0x47
        .byte   0xa7, 0x1a, 0x31, 0x64, 0x12, 0xa1, 0x28, 0x8a
        /* 7255371f-3a3b-4b04-927b-1da6efa8d454: kernel hash table block */
        .long   LAUNCH_PAGE + 0xC00, 0x400
        .word   26
        .byte   0x1f, 0x37, 0x55, 0x72, 0x3b, 0x3a, 0x04, 0x4b
        .byte   0x92, 0x7b, 0x1d, 0xa6, 0xef, 0xa8, 0xd4, 0x54
        /* 4c2eb361-7d9b-4cc3-8081-127c90d3d294: secret block */
        .long   LAUNCH_PAGE, 0xC00
        .word   26
        .byte   0x61, 0xb3, 0x2e, 0x4c, 0x9b, 0x7d, 0xc3, 0x4c
        .byte   0x80, 0x81, 0x12, 0x7c, 0x90, 0xd3, 0xd2, 0x94
        /* 00f771de-1a7e-4fcb-890e-68c77e2fb44e: SEV-ES reset block, so that the launch gets far
           enough for the firmware to say that it does not run there */
        .long   WORK_SEV_STATUS
        .word   22
        .byte   0xde, 0x71, 0xf7, 0x00, 0x7e, 0x1a, 0xcb, 0x4f
        .byte   0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e
        /* 96b582de-1fb2-45f7-baea-a366c55a082d: footer */
        .word   TABLE_LENGTH
        .byte   0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45
        .byte   0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d

        .org    RESET_SIZE - 32, 0
        .fill   16, 1, 0
        .code16
        jmp     reset16
        .org    RESET_SIZE, 0

        .section .note.GNU-stack, "", @progbits
