/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The image: the body is linked to run at BODY_BASE and lies at the start of the flash image; the
 * reset page ends it at 4 GiB. Code and constants become RuntimeServicesCode, data and bss
 * RuntimeServicesData, the stack BootServicesData: each on pages of its own.
 */
#include "firmware/arch/layout.h"

OUTPUT_FORMAT("elf64-x86-64")
ENTRY(reset_start)

__flash_base = 0x100000000 - FLASH_SIZE;

SECTIONS
{
    . = BODY_BASE;
    __body_start = .;
    __body_load = __flash_base;
    .text : AT(__flash_base) { *(.text .text.*) }
    .rodata : AT(__flash_base + ADDR(.rodata) - BODY_BASE) { *(.rodata .rodata.*) }
    . = ALIGN(0x1000);
    __code_end = .;
    .data : AT(__flash_base + ADDR(.data) - BODY_BASE) {
        *(.data .data.*) *(.got .got.* .igot.plt)
        . = ALIGN(8);
    }
    __body_end = .;
    __body_quads = (__body_end - __body_start) / 8;
    .bss (NOLOAD) : { . = ALIGN(16); __bss_start = .; *(.bss .bss.* COMMON) . = ALIGN(0x1000); }
    __bss_end = .;
    __bss_quads = (__bss_end - __bss_start) / 8;
    .stack (NOLOAD) : { . += 0x40000; }
    __stack_top = .;

    .reset 0x100000000 - RESET_SIZE : AT(0x100000000 - RESET_SIZE) { KEEP(*(.reset)) }

    ASSERT(__body_end - __body_start <= FLASH_SIZE - RESET_SIZE, "the body does not fit the image")
    ASSERT(SIZEOF(.reset) == RESET_SIZE, "the reset page has the wrong size")

    /DISCARD/ : { *(.comment) *(.note .note.*) *(.eh_frame) }
}
