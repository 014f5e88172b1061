; SPDX-License-Identifier: BSD-2-Clause-Patent
; A disk's first two sectors for a legacy BIOS: prints by INT 10h, counts the memory map's entries,
; reads the second sector by INT 13h, looks for ACPI in the F segment, powers off.
bits 16
org 0x7C00
start:
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, 0x7C00
    mov [drive], dl
    mov si, hello
    call print
    xor ebx, ebx
    xor bp, bp
.next:
    mov eax, 0xE820
    mov edx, 0x534D4150
    mov ecx, 20
    mov di, 0x8000
    int 0x15
    jc .done
    inc bp
    test ebx, ebx
    jnz .next
.done:
    mov ax, bp
    add al, '0'
    mov [count], al
    mov ah, 0x42
    mov dl, [drive]
    mov si, packet
    int 0x13
    jc .bad
    mov si, 0x7E00
    call print
    mov si, text_map
    call print
    mov si, rsdp_text
    mov ax, 0xF000
    mov es, ax
    xor di, di
.scan:
    cmp dword [es:di], 'RSD '
    jne .more
    cmp dword [es:di + 4], 'PTR '
    je .found
.more:
    add di, 16
    jnz .scan
    jmp .off
.found:
    call print
.off:
    mov dx, 0x604       ; PM1 control, where SeaBIOS puts it: S5
    mov ax, 0x2000
    out dx, ax
.bad:
    mov si, text_bad
    call print
    cli
    hlt                 ; for good: the run ends with status 2

print:
    lodsb
    test al, al
    jz .end
    mov ah, 0x0E
    mov bx, 7
    int 0x10
    jmp print
.end:
    ret
drive: db 0
packet: db 16, 0
    dw 1, 0x7E00, 0
    dq 1
hello: db "MBR-STARTED", 13, 10, 0
text_map: db "E820 entries: "
count: db "0", 13, 10, 0
rsdp_text: db "RSDP found", 13, 10, "end", 13, 10, 0
text_bad: db "READ FAILED", 13, 10, 0
    times 510 - ($ - $$) db 0
    dw 0xAA55
    db "SECOND-SECTOR-READ", 13, 10, 0
    times 1024 - ($ - $$) db 0
