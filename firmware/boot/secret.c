/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The configuration table that tells the operating system where a launch secret was injected (SEV
 * API 6.6). The firmware never looks into the area: readers know a secret by its header's GUID.
 */
#include "firmware/boot/secret.h"

#include "firmware/lib/log.h"
#include "firmware/sev/sev.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

struct secret_location {
    uint64_t base, size;
};

void secret_publish(void)
{
    if (!sev_active())
        return;
    struct secret_location *location =
        pool_allocate(MEMORY_ACPI_RECLAIM, sizeof(struct secret_location));
    if (!location)
        panic("no memory for the secret's location");
    *location = (struct secret_location){ .base = SEV_SECRET_BASE, .size = SEV_SECRET_SIZE };
    uefi_set_table(&guid_coco_secret_table, location);
}
