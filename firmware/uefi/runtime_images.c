/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Images of runtime drivers (UEFI 2.10 2.3.1, 8.4). SetVirtualAddressMap moves them: every fixup is
 * done anew for the virtual address, but for those that the driver has converted by itself, which
 * differ from what was there at the start.
 */
#include "firmware/uefi/runtime_images.h"

#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

struct runtime_image {
    struct runtime_image *next;
    struct pe_image pe;
    uint64_t base;
    uint64_t *originals; /* of the 64-bit fixups, in their order */
    size_t fixups;
    size_t pieces;
    struct pe_section piece[];
};

static struct runtime_image *images;

static void record(void *context, uint8_t *at, unsigned width)
{
    struct runtime_image *image = context;
    if (width != sizeof(uint64_t))
        return;
    if (image->originals)
        memcpy(&image->originals[image->fixups], at, width);
    image->fixups++;
}

/* Headers first, then the sections; an image whose sections share pages is one piece of both. */
static void find_pieces(struct runtime_image *image, const struct pe_image *pe)
{
    bool apart = pe->section_alignment % EFI_PAGE_SIZE == 0;
    for (unsigned i = 0; apart && i < pe->sections; i++)
        image->piece[image->pieces++] = pe_section_at(pe, i);
}

bool runtime_image_add(const struct pe_image *pe, uint64_t base)
{
    struct runtime_image *image =
        pool_allocate(MEMORY_RUNTIME_DATA,
                      sizeof(*image) + pe->sections * sizeof(image->piece[0]));
    if (!image)
        return false;
    *image = (struct runtime_image){ .pe = *pe, .base = base };
    find_pieces(image, pe);
    image->pe.file = NULL;
    (void)pe_each_fixup(pe, (void *)(uintptr_t)base, record, image); /* counts */
    if (image->fixups) {
        image->originals =
            pool_allocate(MEMORY_RUNTIME_DATA, image->fixups * sizeof(image->originals[0]));
        if (!image->originals) {
            pool_free(image);
            return false;
        }
        image->fixups = 0;
        (void)pe_each_fixup(pe, (void *)(uintptr_t)base, record, image);
    }
    image->next = images;
    images = image;
    return true;
}

void runtime_image_remove(uint64_t base)
{
    for (struct runtime_image **link = &images; *link; link = &(*link)->next) {
        struct runtime_image *image = *link;
        if (image->base != base)
            continue;
        *link = image->next;
        pool_free(image->originals);
        pool_free(image);
        return;
    }
}

struct move {
    const uint64_t *original;
    uint64_t delta;
};

static void rebase(void *context, uint8_t *at, unsigned width)
{
    struct move *move = context;
    uint64_t value;
    if (width != sizeof(value))
        return;
    memcpy(&value, at, sizeof(value));
    if (value == *move->original++)
        value += move->delta;
    memcpy(at, &value, sizeof(value));
}

void runtime_images_relocate(bool (*convert)(uint64_t *address))
{
    for (struct runtime_image *image = images; image; image = image->next) {
        uint64_t address = image->base;
        if (!convert(&address))
            continue; /* the operating system did not map it: nobody calls it */
        struct move move = { image->originals, address - image->base };
        (void)pe_each_fixup(&image->pe, (void *)(uintptr_t)image->base, rebase, &move);
    }
}

static uint64_t whole_pages(uint64_t length)
{
    return (length + EFI_PAGE_SIZE - 1) & ~(uint64_t)(EFI_PAGE_SIZE - 1);
}

bool runtime_image_next(uint64_t address, uint64_t *ret_base, uint64_t *ret_length)
{
    const struct runtime_image *best = NULL;
    for (const struct runtime_image *image = images; image; image = image->next)
        if (image->base >= address && (!best || image->base < best->base))
            best = image;
    if (!best)
        return false;
    *ret_base = best->base;
    *ret_length = whole_pages(best->pe.image_size);
    return true;
}

bool runtime_image_piece(uint64_t base, size_t index, uint64_t *ret_address, uint64_t *ret_length,
                         bool *ret_code)
{
    const struct runtime_image *image = images;
    while (image && image->base != base)
        image = image->next;
    if (!image || index >= image->pieces)
        return false;
    *ret_address = base + image->piece[index].address;
    *ret_length = whole_pages(image->piece[index].size);
    *ret_code = image->piece[index].code;
    return true;
}
