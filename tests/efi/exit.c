/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* ExitBootServices (UEFI 2.10 7.4.6), and what the tables hold afterwards. */
#include "tests/efi/conformance.h"

static char order[16];
static size_t ordered;
static uint8_t *map;
static UINTN room, key, step;

static VOID EFIAPI note(EFI_EVENT event, VOID *context)
{
    if (ordered < sizeof(order) - 1)
        order[ordered++] = *(const char *)context;
    order[ordered] = 0;
}

static void get_key(void)
{
    UINTN size = room;
    bs->GetMemoryMap(&size, (EFI_MEMORY_DESCRIPTOR *)map, &key, &step, NULL);
}

static void leave(void)
{
    EFI_EVENT event;
    bs->CreateEvent(EVT_SIGNAL_EXIT_BOOT_SERVICES, TPL_CALLBACK, note, "c", &event);
    bs->CreateEvent(EVT_SIGNAL_EXIT_BOOT_SERVICES, TPL_NOTIFY, note, "n", &event);
    bs->CreateEventEx(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, note, "g", &exit_group_guid, &event);
    bs->CreateEventEx(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, note, "b", &before_exit_group_guid, &event);
    bs->SetWatchdogTimer(0, 0x10000, 0, NULL);
    bs->GetMemoryMap(&room, NULL, NULL, &step, NULL);
    room += 16 * step;
    map = take(room);
    get_key();
    check_status("wrong-key", bs->ExitBootServices(self, key + 1));
    check_text("wrong-key.calls", order);
    EFI_PHYSICAL_ADDRESS page;
    check_status("still-allocates", bs->AllocatePages(AllocateAnyPages, 4, 1, &page));
    ordered = 0;
    order[0] = 0;
    EFI_STATUS status;
    unsigned tries = 0;
    do {
        get_key();
        status = bs->ExitBootServices(self, key);
    } while (status != EFI_SUCCESS && ++tries < 4);
    processor_interrupts_off();
    check_status("exit", status);
    check_true("exit.calls-both", ordered >= 3);
    check_text("exit.calls", order);
}

static uint32_t crc(const void *data, size_t length)
{
    const uint8_t *bytes = data;
    uint32_t value = ~0u;
    for (size_t i = 0; i < length; i++) {
        value ^= bytes[i];
        for (unsigned bit = 0; bit < 8; bit++)
            value = value >> 1 ^ (value & 1 ? 0xEDB88320u : 0);
    }
    return ~value;
}

void test_exit(void)
{
    leave();
    check_true("boot-services-gone", st->BootServices == NULL);
    check_true("console-in-gone", st->ConIn == NULL && st->ConsoleInHandle == NULL);
    check_true("console-out-gone", st->ConOut == NULL && st->ConsoleOutHandle == NULL);
    check_true("standard-error-gone", st->StdErr == NULL && st->StandardErrorHandle == NULL);
    EFI_SYSTEM_TABLE copy = *st;
    copy.Hdr.CRC32 = 0;
    check_true("system.crc", crc(&copy, copy.Hdr.HeaderSize) == st->Hdr.CRC32);
    EFI_RUNTIME_SERVICES services = *rt;
    services.Hdr.CRC32 = 0;
    check_true("runtime.crc", crc(&services, services.Hdr.HeaderSize) == rt->Hdr.CRC32);
    check_true("runtime-table-stays", st->RuntimeServices == rt);
    check_true("configuration-stays", st->NumberOfTableEntries > 0);
}

/* --- the virtual address map --- */

#define OFFSET        0xFFFF800000000000ull /* what the upper half of the address space adds */
#define TABLE_ADDRESS 0x00007FFFFFFFF000ull
#define UPPER_HALF    256u

/* The lower half of the address space once more in the upper half; the C-bit is in the entries. */
static void map_upper_half(void)
{
    static _Alignas(4096) uint64_t top[512];
    uint64_t cr3;
    __asm__ volatile("movq %%cr3, %0" : "=r"(cr3));
    uint64_t bits = cr3 & ~TABLE_ADDRESS;
    memcpy(top, (const void *)(uintptr_t)(cr3 & TABLE_ADDRESS), sizeof(top));
    memcpy(top + UPPER_HALF, top, sizeof(top) / 2);
    __asm__ volatile("movq %0, %%cr3" : : "r"((uintptr_t)top | bits) : "memory");
}

static UINTN runtime_entries(void)
{
    UINTN size = 0;
    for (uint8_t *at = map; at < map + room; at += step) {
        EFI_MEMORY_DESCRIPTOR *d = (EFI_MEMORY_DESCRIPTOR *)at;
        if (!(d->Attribute & EFI_MEMORY_RUNTIME) || d->NumberOfPages == 0)
            continue;
        memmove(map + size, at, step);
        ((EFI_MEMORY_DESCRIPTOR *)(map + size))->VirtualStart = d->PhysicalStart + OFFSET;
        size += step;
    }
    return size;
}

void test_virtual(void)
{
    VOID *pointer = (VOID *)(uintptr_t)rt->GetTime;
    check_status("convert.before", rt->ConvertPointer(0, &pointer));
    map_upper_half();
    UINTN size = runtime_entries();
    EFI_MEMORY_DESCRIPTOR *list = (EFI_MEMORY_DESCRIPTOR *)map;
    uint64_t old = (uintptr_t)(VOID *)rt->GetTime;
    check_status("bad-version", rt->SetVirtualAddressMap(size, step, 7, list));
    check_status("small-descriptor", rt->SetVirtualAddressMap(size, 8, 1, list));
    check_status("set", rt->SetVirtualAddressMap(size, step, 1, list));
    check_true("table-moved", (uintptr_t)st->RuntimeServices == (uintptr_t)rt + OFFSET);
    rt = st->RuntimeServices;
    check_true("services-moved", (uintptr_t)(VOID *)rt->GetTime == old + OFFSET);
    EFI_RUNTIME_SERVICES services = *rt;
    services.Hdr.CRC32 = 0;
    check_true("runtime.crc", crc(&services, services.Hdr.HeaderSize) == rt->Hdr.CRC32);
    EFI_SYSTEM_TABLE copy = *st;
    copy.Hdr.CRC32 = 0;
    check_true("system.crc", crc(&copy, copy.Hdr.HeaderSize) == st->Hdr.CRC32);
    check_true("vendor-readable", st->FirmwareVendor && st->FirmwareVendor[0]);
    check_true("configuration-readable", st->ConfigurationTable[0].VendorTable != NULL);
    check_status("set-again", rt->SetVirtualAddressMap(size, step, 1, list));
    check_status("convert.after", rt->ConvertPointer(0, &pointer));
    test_runtime();
}
