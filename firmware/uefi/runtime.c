/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Runtime services but the variables (UEFI 2.10 8). They touch nothing but ports and the image's
 * own data, reach that relative to RIP, and so run at physical and at virtual addresses alike.
 */
#include "firmware/arch/time.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/runtime_images.h"
#include "firmware/uefi/services.h"

static INT16 time_zone = EFI_UNSPECIFIED_TIMEZONE;
static UINT8 daylight;

/* The map that is being installed: valid during SetVirtualAddressMap only. */
static struct {
    const uint8_t *entries;
    size_t count, step;
    bool done;
} virtual_map;

static unsigned days_in_month(unsigned year, unsigned month)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static bool time_valid(const EFI_TIME *time)
{
    return time->Year >= 1900 && time->Year <= 9999 && time->Month >= 1 && time->Month <= 12 &&
           time->Day >= 1 && time->Day <= days_in_month(time->Year, time->Month) &&
           time->Hour <= 23 && time->Minute <= 59 && time->Second <= 59 &&
           time->Nanosecond <= 999999999 &&
           (time->TimeZone == EFI_UNSPECIFIED_TIMEZONE ||
            (time->TimeZone >= -1440 && time->TimeZone <= 1440)) &&
           !(time->Daylight & ~3u);
}

EFI_STATUS EFIAPI rt_get_time(EFI_TIME *ret_time, EFI_TIME_CAPABILITIES *ret_capabilities)
{
    if (!ret_time)
        return EFI_INVALID_PARAMETER;
    struct calendar_time now;
    rtc_get(&now);
    EFI_TIME time = { .Year = now.year,
                      .Month = now.month,
                      .Day = now.day,
                      .Hour = now.hour,
                      .Minute = now.minute,
                      .Second = now.second,
                      .TimeZone = time_zone,
                      .Daylight = daylight };
    if (!time_valid(&time))
        return EFI_DEVICE_ERROR; /* no clock, or one that the host made up */
    *ret_time = time;
    if (ret_capabilities)
        *ret_capabilities = (EFI_TIME_CAPABILITIES){ .Resolution = 1, .Accuracy = 50000000 };
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI rt_set_time(EFI_TIME *time)
{
    if (!time || !time_valid(time))
        return EFI_INVALID_PARAMETER;
    struct calendar_time now = { .year = time->Year,
                                 .month = time->Month,
                                 .day = time->Day,
                                 .hour = time->Hour,
                                 .minute = time->Minute,
                                 .second = time->Second };
    rtc_set(&now);
    time_zone = time->TimeZone;
    daylight = time->Daylight;
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI rt_get_wakeup_time(BOOLEAN *enabled, BOOLEAN *pending, EFI_TIME *time)
{
    if (!enabled || !pending || !time)
        return EFI_INVALID_PARAMETER;
    return EFI_UNSUPPORTED; /* UEFI 2.10 8.3.3: platform without a wake-up alarm */
}

EFI_STATUS EFIAPI rt_set_wakeup_time(BOOLEAN enable, EFI_TIME *time)
{
    (void)enable;
    (void)time;
    return EFI_UNSUPPORTED;
}

VOID EFIAPI rt_reset_system(EFI_RESET_TYPE type, EFI_STATUS status, UINTN size, VOID *data)
{
    (void)status;
    (void)size;
    (void)data;
    platform_reset(type == EfiResetShutdown ? RESET_SHUTDOWN
                   : type == EfiResetWarm   ? RESET_WARM
                                            : RESET_COLD);
}

/* Flags that no capsule of any kind may have: both need one that persists (UEFI 2.10 8.5.3.1). */
static bool flags_allowed(VOID **headers, UINTN count)
{
    enum { PERSIST = 0x10000, POPULATE = 0x20000, RESET = 0x40000 };
    for (UINTN i = 0; i < count; i++) {
        uint32_t flags;
        memcpy(&flags, (const uint8_t *)headers[i] + sizeof(EFI_GUID) + sizeof(UINT32),
               sizeof(flags));
        if ((flags & (POPULATE | RESET)) && !(flags & PERSIST))
            return false;
    }
    return true;
}

/* There is nothing that could be updated by a capsule. */
EFI_STATUS EFIAPI rt_update_capsule(VOID **headers, UINTN count, EFI_PHYSICAL_ADDRESS list)
{
    (void)list;
    return headers && count && flags_allowed(headers, count) ? EFI_UNSUPPORTED
                                                             : EFI_INVALID_PARAMETER;
}

EFI_STATUS EFIAPI rt_query_capsule_capabilities(VOID **headers, UINTN count, UINT64 *maximum,
                                                EFI_RESET_TYPE *reset)
{
    return headers && count && maximum && reset && flags_allowed(headers, count)
               ? EFI_UNSUPPORTED
               : EFI_INVALID_PARAMETER;
}

/* True: *address lies in a runtime region of the new map and was converted. */
static bool convert(uint64_t *address)
{
    for (size_t i = 0; i < virtual_map.count; i++) {
        EFI_MEMORY_DESCRIPTOR entry;
        memcpy(&entry, virtual_map.entries + i * virtual_map.step, sizeof(entry));
        if (!(entry.Attribute & EFI_MEMORY_RUNTIME) || *address < entry.PhysicalStart ||
            *address - entry.PhysicalStart >= entry.NumberOfPages << EFI_PAGE_SHIFT)
            continue;
        *address += entry.VirtualStart - entry.PhysicalStart;
        return true;
    }
    return false;
}

EFI_STATUS EFIAPI rt_convert_pointer(UINTN disposition, VOID **address)
{
    if (!address)
        return EFI_INVALID_PARAMETER;
    uint64_t value = (uintptr_t)*address;
    if (value == 0)
        return disposition & 1 ? EFI_SUCCESS : EFI_INVALID_PARAMETER; /* EFI_OPTIONAL_PTR */
    if (!convert(&value)) /* outside of SetVirtualAddressMap nothing is in the map */
        return EFI_NOT_FOUND;
    *address = (void *)(uintptr_t)value;
    return EFI_SUCCESS;
}

/* Converts `count` pointers in a row. */
static void convert_all(void *first, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value;
        uint8_t *at = (uint8_t *)first + i * sizeof(value);
        memcpy(&value, at, sizeof(value));
        if (convert(&value))
            memcpy(at, &value, sizeof(value));
    }
}

EFI_STATUS EFIAPI rt_set_virtual_address_map(UINTN size, UINTN descriptor_size, UINT32 version,
                                             EFI_MEMORY_DESCRIPTOR *map)
{
    if (!boot_services_ended || virtual_map.done)
        return EFI_UNSUPPORTED;
    if (version != 1 || descriptor_size < sizeof(EFI_MEMORY_DESCRIPTOR) || !map)
        return EFI_INVALID_PARAMETER;
    virtual_map.entries = (const uint8_t *)map;
    virtual_map.count = size / descriptor_size;
    virtual_map.step = descriptor_size;
    uint64_t here = (uintptr_t)runtime_table;
    if (!convert(&here)) { /* a map without our own runtime memory */
        virtual_map.count = 0;
        return EFI_NO_MAPPING;
    }
    virtual_map.done = true;
    events_signal_address_change();
    runtime_images_relocate(convert);
    convert_all(&runtime_table->GetTime,
                (sizeof(*runtime_table) - sizeof(runtime_table->Hdr)) / sizeof(void *));
    convert_all(&system_table->FirmwareVendor, 1);
    convert_all(&system_table->ConfigurationTable, 1);
    convert_all(&system_table->RuntimeServices, 1);
    runtime_table->Hdr.CRC32 = 0;
    runtime_table->Hdr.CRC32 = crc32(0, runtime_table, sizeof(*runtime_table));
    system_table->Hdr.CRC32 = 0;
    system_table->Hdr.CRC32 = crc32(0, system_table, sizeof(*system_table));
    virtual_map.count = 0;
    return EFI_SUCCESS;
}

void runtime_properties_init(void)
{
    static EFI_RT_PROPERTIES_TABLE table = {
        .Version = EFI_RT_PROPERTIES_TABLE_VERSION,
        .Length = sizeof(table),
        .RuntimeServicesSupported =
            EFI_RT_SUPPORTED_ALL &
            ~(EFI_RT_SUPPORTED_GET_WAKEUP_TIME | EFI_RT_SUPPORTED_SET_WAKEUP_TIME |
              EFI_RT_SUPPORTED_UPDATE_CAPSULE | EFI_RT_SUPPORTED_QUERY_CAPSULE_CAPABILITIES),
    };
    uefi_set_table(&guid_rt_properties_table, &table);
}
