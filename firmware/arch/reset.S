/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Reset vector to C: real mode, flat 32-bit, SEV detection, page tables with C, long mode, C-bit
 * check, copy of the body from flash to private RAM. Until C runs, a failure is a letter on the
 * debug port and the serial port: "!L" no long mode, "!C" C-bit below 32, "!R" no RDRAND,
 * "!N" SEV-SNP active, "!B" wrong C-bit (the host lied). Under SEV-ES no port works without a GHCB:
 * there the letter is the reason of a termination request, which the host prints. "V" is there, too:
 * CPUID trapped, so this is a SEV-ES guest, and yet CPUID says that there is no SEV; "X" is any #VC
 * but CPUID's, "G" an answer to that which is none.
 *
 * The other processors of a SEV-ES guest start here as well, at ap_start: in code that was measured,
 * whenever the host may choose to start them.
 */
#include "firmware/arch/layout.h"

#define MSR_EFER 0xC0000080
#define MSR_GHCB 0xC0010130
#define MSR_SEV_STATUS 0xC0010131
/* GHCB 2.03 2.3.1: the protocol in the MSR. */
#define GHCB_CPUID_ASK 4
#define GHCB_CPUID 5
#define GHCB_AP_HOLD_ASK 6
#define GHCB_TERMINATE 0x2100         /* reasons of our own: set 2 */
#define EXIT_CPUID 0x72

        .macro  VMGEXIT
        .byte   0xF3, 0x0F, 0x01, 0xD9
        .endm

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
        xorl    %edi, %edi            /* %edi: SEV_STATUS */
        cmpl    $0x8000001F, %esi
        jb      no_sev
        movl    $0x8000001F, %eax
        cpuid
        btl     $1, %eax
        jnc     no_sev
        movl    $MSR_SEV_STATUS, %ecx
        rdmsr
        testb   $1, %al
        jz      no_sev
        movl    %eax, %edi
        movl    %ebx, %ecx
        movb    $'N', %bl
        testb   $4, %al
        jnz     stop32
        movl    %eax, WORK_SEV_STATUS
        movl    %edx, WORK_SEV_STATUS + 4
        andl    $0x3F, %ecx
        movb    $'C', %bl
        cmpl    $32, %ecx
        jb      stop32
        movl    $1, %eax
        shll    %cl, %eax             /* the count is taken modulo 32: the upper half */
        movl    %eax, WORK_C_MASK + 4
        movb    $1, WORK_AREA

        /*
         * With paging off every write is private; read back through the tables below, and compared
         * with what stays in %ebp and %esi: a second copy in memory could be an old page of the host's.
         */
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
        movl    %eax, %esi
        jmp     tables

        /* #VC exists in SEV-ES guests only: CPUID, which is the host's, lies. */
no_sev:
        movb    $'V', %bl
        cmpb    $0, WORK_VC
        jne     terminate32
        xorl    %ebp, %ebp            /* as WORK_RANDOM is */
        xorl    %esi, %esi

        /* Identity map of 4 GiB by 2 MiB pages, all private: C in leaves and above. */
tables:
        movl    %edi, %ebx            /* %ebx: SEV_STATUS from here on */
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

        /* SEV-ES: the GHCB is shared. The 2 MiB around it get 4 KiB pages. */
        testb   $2, %bl
        jz      2f
        movl    $RESET_SPLIT, %edi
        movl    $((GHCB_PAGE & 0xFFE00000) + 0x63), %eax
        movl    $512, %ecx
1:      movl    %eax, (%edi)
        movl    %edx, 4(%edi)
        addl    $0x1000, %eax
        addl    $8, %edi
        loop    1b
        movl    $0, RESET_SPLIT + 8 * ((GHCB_PAGE >> 12) & 511) + 4
        movl    $(RESET_SPLIT + 3), RESET_TABLES + 0x2000 + 8 * (GHCB_PAGE >> 21)

2:      movl    $RESET_TABLES, %eax
        movl    %eax, %cr3
        movl    %cr4, %eax
        orl     $0x620, %eax          /* PAE, OSFXSR, OSXMMEXCPT */
        movl    %eax, %cr4
        movl    $MSR_EFER, %ecx
        rdmsr
        orl     $0x100, %eax          /* LME */
        wrmsr
        movl    %cr0, %eax
        andl    $0xFFFFFFFB, %eax     /* EM off */
        orl     $0x80000022, %eax     /* PG, NE, MP */
        movl    %eax, %cr0
        ljmpl   $SELECTOR_CODE64, $start64

        /* %bl: the letter. */
stop32:
        cmpb    $0, WORK_VC
        jne     terminate32
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

terminate32:
        movzbl  %bl, %eax
        shll    $16, %eax
        orl     $GHCB_TERMINATE, %eax
        xorl    %edx, %edx
        movl    $MSR_GHCB, %ecx
        wrmsr
        VMGEXIT
1:      cli
        hlt
        jmp     1b

        /*
         * #VC of a SEV-ES guest, error code on the stack: CPUID is answered by the host, a register at
         * a time. What raised it is looked at: the host may inject a #VC whenever it likes.
         */
vc32:
        movb    $1, WORK_VC
        pushl   %esi
        pushl   %edi
        movl    12(%esp), %esi        /* EIP */
        movb    $'X', %bl
        cmpl    $EXIT_CPUID, 8(%esp)
        jne     terminate32
        cmpw    $0xA20F, (%esi)
        jne     terminate32
        movl    %eax, %edi
        xorl    %esi, %esi            /* bits 31:30: EAX, EBX, ECX, EDX */
        movl    $MSR_GHCB, %ecx
        movb    $'G', %bl
1:      leal    GHCB_CPUID_ASK(%esi), %eax
        movl    %edi, %edx
        wrmsr
        VMGEXIT
        rdmsr
        andl    $0xFFF, %eax
        cmpl    $GHCB_CPUID, %eax
        jne     terminate32
        pushl   %edx
        addl    $0x40000000, %esi
        jnc     1b
        popl    %edx
        popl    %ecx
        popl    %ebx
        popl    %eax
        popl    %edi
        popl    %esi
        addl    $4, %esp
        addl    $2, (%esp)
        iretl

        /*
         * A processor but the first of a SEV-ES guest, in real mode: where the operating system
         * says, once it did. The mark tells the table from memory that was never written; of the
         * address Linux writes IP first, then CS. The host can start it at any time, and inject what it
         * likes: without an interrupt table that ends the guest, and leads nowhere at address 0.
         */
        .code16
ap_start:
        cli
        lidtw   %cs:(gdt - reset_start + 0x10000 - RESET_SIZE) /* whose first entry is 0 */
        movw    $(AP_TABLE >> 4), %ax
        movw    %ax, %ds
        cmpl    $AP_MARK_0, AP_TABLE_MARK
        jne     1f
        cmpl    $AP_MARK_1, AP_TABLE_MARK + 4
        jne     1f
        cmpl    $AP_MARK_2, AP_TABLE_MARK + 8
        jne     1f
        cmpl    $AP_MARK_3, AP_TABLE_MARK + 12
        jne     1f
        cmpw    $0, 2
        je      1f
        ljmpw   *0
1:      movl    $MSR_GHCB, %ecx
        movl    $GHCB_AP_HOLD_ASK, %eax
        xorl    %edx, %edx
        wrmsr
        VMGEXIT                       /* until the next startup interrupt */
        jmp     ap_start

        .code64
start64:
        .cfi_sections .debug_frame      /* for debuggers: no caller beyond this */
        .cfi_startproc
        .cfi_undefined rip
        /*
         * Fetches are always private, data by the C-bit: with a wrong C-bit these words differ.
         * Checked without SEV as well, where a host that hides it would fail here.
         */
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
        /* %bl: SEV_STATUS; memory is not to be trusted. */
stop64:
        testb   $2, %bl
        jnz     terminate64
        movb    $'!', %al
        call    put64
        movb    $'B', %al
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

terminate64:
        movl    $(GHCB_TERMINATE + ('B' << 16)), %eax
        xorl    %edx, %edx
        movl    $MSR_GHCB, %ecx
        wrmsr
        VMGEXIT
1:      cli
        hlt
        jmp     1b

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
        .word   (vc32 - reset_start) + 0x10000 - RESET_SIZE
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
        /* 00f771de-1a7e-4fcb-890e-68c77e2fb44e: SEV-ES reset block: CS base 31:16, IP 15:0 */
        .long   ap_start
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
