/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * PE32+ images (PE/COFF 8.x; UEFI 2.10 2.1.1). A pure parser: the file may be hostile, every
 * offset is bounded. Loading is in three steps, so that the caller chooses the memory.
 */
#ifndef PRIVET_FIRMWARE_PE_H
#define PRIVET_FIRMWARE_PE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pe_result {
    PE_OK,
    PE_MALFORMED,   /* offsets or sizes that do not fit the file or each other */
    PE_UNSUPPORTED, /* well formed, for another machine or subsystem, or no PE image at all */
};

enum pe_subsystem { PE_APPLICATION = 10, PE_BOOT_DRIVER = 11, PE_RUNTIME_DRIVER = 12 };

struct pe_image {
    const uint8_t *file;
    size_t file_size;
    uint32_t image_size; /* bytes in memory */
    uint32_t section_alignment;
    uint32_t headers_size;
    uint32_t entry; /* offset from the image's base */
    uint64_t preferred_base;
    uint16_t subsystem, dll_characteristics;
    bool relocs_stripped;
    uint32_t reloc_address, reloc_size; /* base relocation directory; size 0: none */
    size_t section_table;               /* file offset */
    uint16_t sections;
};

/* Checks the headers and every section. The file must stay in place until pe_load. */
enum pe_result pe_parse(const void *file, size_t size, struct pe_image *ret);

/* Copies headers and sections to `base` (image_size bytes) and zeroes the rest. `base` may be the
   file itself where pe_loads_in_place holds; then only the gaps are zeroed. */
void pe_load(const struct pe_image *image, void *base);

/* Does the file lie as its image would, so that it can become the image inside `room` bytes? */
bool pe_loads_in_place(const struct pe_image *image, uint64_t room);

/* SizeOfImage as the first `length` bytes of a file claim it, unchecked: a hint how much memory
   to read the file into. 0: no PE32+ image, or its header lies further on. */
uint32_t pe_claimed_size(const void *start, size_t length);

/* Adjusts the loaded image to run at `address`. */
enum pe_result pe_relocate(const struct pe_image *image, void *base, uint64_t address);

/* Calls `fixup` for each place of the loaded image that depends on its address, 4 or 8 bytes. */
typedef void pe_fixup(void *context, uint8_t *at, unsigned width);
enum pe_result pe_each_fixup(const struct pe_image *image, void *base, pe_fixup *fixup,
                             void *context);

/* Where a section lies in memory and whether it holds code; index below `sections`. */
struct pe_section {
    uint32_t address, size;
    bool code;
};
struct pe_section pe_section_at(const struct pe_image *image, unsigned index);

#endif
