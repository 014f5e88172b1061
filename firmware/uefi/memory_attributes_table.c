/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The memory attributes table (UEFI 2.10 4.6.4): which runtime memory holds code and which data, so
 * that the operating system can map the one read-only and the other not executable.
 */
#include "firmware/uefi/memory.h"
#include "firmware/uefi/runtime_images.h"
#include "firmware/uefi/services.h"

enum { TABLE_PAGES = 2, DESCRIPTOR = 48 }; /* bytes, as in the memory map */

struct table {
    UINT32 version, entries, descriptor_size, reserved;
};
_Static_assert(sizeof(struct table) == 16, "UEFI 2.10 4.6.4");

extern const char __body_start[];

static struct table *table;

static void add(uint32_t type, uint64_t base, uint64_t length, uint64_t attribute)
{
    size_t at = sizeof(*table) + table->entries * DESCRIPTOR;
    if (length == 0 || at + DESCRIPTOR > TABLE_PAGES * EFI_PAGE_SIZE)
        return; /* memory that is not listed stays as the operating system mapped it */
    EFI_MEMORY_DESCRIPTOR entry = { .Type = type,
                                    .PhysicalStart = base,
                                    .NumberOfPages = length >> EFI_PAGE_SHIFT,
                                    .Attribute = EFI_MEMORY_RUNTIME | attribute };
    memcpy((uint8_t *)table + at, &entry, sizeof(entry));
    table->entries++;
}

/* The code of one image: its headers, its sections, each as what it is. */
static void add_image(uint64_t base, uint64_t end)
{
    uint64_t at = base, address, length;
    bool code;
    for (size_t i = 0; runtime_image_piece(base, i, &address, &length, &code); i++) {
        if (address < at || address > end || length > end - address)
            return; /* sections out of order: the rest is not said */
        add(MEMORY_RUNTIME_CODE, at, address - at, EFI_MEMORY_XP);
        add(MEMORY_RUNTIME_CODE, address, length, code ? EFI_MEMORY_RO : EFI_MEMORY_XP);
        at = address + length;
    }
    if (at != base)
        add(MEMORY_RUNTIME_CODE, at, end - at, EFI_MEMORY_XP);
}

static void add_images(uint64_t at, uint64_t end)
{
    uint64_t base, length;
    for (; runtime_image_next(at, &base, &length) && base < end; at = base + length)
        add_image(base, base + length);
}

void memory_attributes_table_fill(void)
{
    uint64_t base, length;
    uint32_t type;
    if (!table)
        return;
    table->entries = 0;
    for (size_t i = 0; memory_range_at(i, &base, &length, &type); i++) {
        if (type == MEMORY_RUNTIME_DATA)
            add(type, base, length, EFI_MEMORY_XP);
        else if (type == MEMORY_RUNTIME_CODE && base == (uintptr_t)__body_start)
            add(type, base, length, EFI_MEMORY_RO);
        else if (type == MEMORY_RUNTIME_CODE)
            add_images(base, base + length);
    }
}

void memory_attributes_table_init(void)
{
    EFI_GUID guid = guid_memory_attributes_table;
    table = (struct table *)(uintptr_t)memory_allocate(MEMORY_BOOT_DATA, TABLE_PAGES, 0);
    if (!table)
        return;
    *table = (struct table){ .version = 1, .descriptor_size = DESCRIPTOR };
    memory_attributes_table_fill();
    (void)bs_install_configuration_table(&guid, table);
}
