/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The configuration table that tells the operating system where a launch secret was injected (SEV
 * API 6.6): readers know a secret by its header's GUID. The firmware itself reads one entry of it,
 * the credentials, for kernels without a driver of that table.
 */
#include "firmware/boot/secret.h"

#include "firmware/boot/credentials.h"
#include "firmware/boot/direct.h"
#include "firmware/lib/log.h"
#include "firmware/sev/sev.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

struct secret_location {
    uint64_t base, size;
};

static uint8_t *handed_on;
static size_t handed_on_size;

static uint8_t *area(void)
{
    return (uint8_t *)(uintptr_t)SEV_SECRET_BASE;
}

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

static bool find_credentials(struct secret_entry *ret)
{
    if (!sev_active())
        return false;
    enum secret_state state = secret_check(area(), SEV_SECRET_SIZE);
    if (state == SECRET_MALFORMED)
        log_line("the launch secret is malformed: no credentials in it");
    return state == SECRET_PRESENT && secret_find(area(), &secret_credentials_guid, ret);
}

size_t secret_archive_size(void)
{
    struct secret_entry entry;
    if (!find_credentials(&entry))
        return 0;
    if (!direct_measured()) {
        log_line("the launch secret's credentials stay where they are: the kernel is not measured");
        return 0;
    }
    size_t size = credentials_archive(entry.data, entry.size, NULL);
    if (size == 0)
        log_line("the launch secret's credentials are malformed and not handed on");
    return size;
}

void secret_archive_wipe(void)
{
    if (handed_on)
        memset(handed_on, 0, handed_on_size);
    handed_on = NULL;
}

static VOID EFIAPI wipe(EFI_EVENT event, VOID *context)
{
    (void)event;
    (void)context;
    secret_archive_wipe();
}

void secret_archive_take(uint8_t *archive)
{
    struct secret_entry entry;
    EFI_EVENT event;
    bool found = find_credentials(&entry);
    assert(found);
    handed_on = archive;
    handed_on_size = credentials_archive(entry.data, entry.size, archive);
    memset(entry.data, 0, entry.size);
    memset(entry.guid, 0, sizeof(struct guid)); /* Linux skips an entry without a name */
    if (bs_create_event(EVT_SIGNAL_EXIT_BOOT_SERVICES, TPL_CALLBACK, wipe, NULL, &event) !=
        EFI_SUCCESS)
        panic("no memory for the credentials");
    log_line("credentials of the launch secret: %lu bytes behind the initrd",
             (unsigned long)handed_on_size);
}
