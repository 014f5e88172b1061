/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Kernels that are started in 32-bit protected mode without firmware: multiboot (specification
 * 0.6.96; ELF or the address fields of its header) and PVH (an ELF file with the Xen note
 * PHYS32_ENTRY). This reads the file, which is hostile; boot_direct.c puts it into a guest.
 */
#ifndef PRIVET_MACHINE_BOOT_IMAGE_H
#define PRIVET_MACHINE_BOOT_IMAGE_H

#include <stddef.h>
#include <stdint.h>

enum boot_image_kind { BOOT_IMAGE_OTHER, BOOT_IMAGE_MULTIBOOT, BOOT_IMAGE_PVH };

#define BOOT_IMAGE_SEGMENTS 32

struct boot_image_segment {
    uint64_t gpa;
    uint64_t memory_size; /* what lies beyond file_size is zero */
    uint64_t offset, file_size; /* in the file, and inside it */
};

struct boot_image {
    enum boot_image_kind kind;
    uint32_t entry; /* physical; in a segment's memory */
    unsigned count;
    struct boot_image_segment segment[BOOT_IMAGE_SEGMENTS]; /* all end at 4 GiB at most */
};

/* Looks only at the first bytes: is it worth boot_image_parse? A Linux bzImage is OTHER. */
enum boot_image_kind boot_image_recognise(const uint8_t *data, size_t size);

/*
 * NULL and *ret complete, or what is wrong with the file in a few words. A multiboot header wins
 * over a PVH note, as in QEMU.
 */
const char *boot_image_parse(const uint8_t *data, size_t size, struct boot_image *ret);

#endif
