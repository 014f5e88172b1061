/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The system table and the services' tables (UEFI 2.10 4), configuration tables, CRC and memory
 * helpers. All tables are writable while boot services live: shim and debuggers patch them. System
 * and runtime tables lie in the image's data, which is RuntimeServicesData.
 */
#include "firmware/lib/log.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define FIRST_CONFIGURATION_TABLES 32u

static const CHAR16 vendor[] = { 'P', 'r', 'i', 'v', 'e', 't', 0 };
static EFI_SYSTEM_TABLE the_system_table;
static EFI_RUNTIME_SERVICES the_runtime_table;
static EFI_BOOT_SERVICES the_boot_table;
EFI_SYSTEM_TABLE *system_table = &the_system_table;
EFI_RUNTIME_SERVICES *runtime_table = &the_runtime_table;
EFI_BOOT_SERVICES *boot_table = &the_boot_table;

static size_t configuration_room;

/* CRC-32 as of IEEE 802.3, four bits at a time. */
uint32_t crc32(uint32_t seed, const void *data, size_t length)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    const uint8_t *byte = data;
    uint32_t crc = ~seed;
    for (size_t i = 0; i < length; i++) {
        crc = crc >> 4 ^ table[(crc ^ byte[i]) & 15];
        crc = crc >> 4 ^ table[(crc ^ byte[i] >> 4) & 15];
    }
    return ~crc;
}

static void seal(EFI_TABLE_HEADER *header)
{
    header->CRC32 = 0;
    header->CRC32 = crc32(0, header, header->HeaderSize);
}

void tables_seal(void)
{
    seal(&the_system_table.Hdr);
    seal(&the_runtime_table.Hdr);
    seal(&the_boot_table.Hdr);
}

static EFI_TABLE_HEADER header(uint64_t signature, size_t size)
{
    return (EFI_TABLE_HEADER){ .Signature = signature,
                               .Revision = EFI_REVISION_2_100,
                               .HeaderSize = (UINT32)size };
}

static void fill_boot_table(void)
{
    the_boot_table = (EFI_BOOT_SERVICES){
        .Hdr = header(EFI_BOOT_SERVICES_SIGNATURE, sizeof(EFI_BOOT_SERVICES)),
        .RaiseTPL = bs_raise_tpl,
        .RestoreTPL = bs_restore_tpl,
        .AllocatePages = bs_allocate_pages,
        .FreePages = bs_free_pages,
        .GetMemoryMap = bs_get_memory_map,
        .AllocatePool = bs_allocate_pool,
        .FreePool = bs_free_pool,
        .CreateEvent = bs_create_event,
        .SetTimer = bs_set_timer,
        .WaitForEvent = bs_wait_for_event,
        .SignalEvent = bs_signal_event,
        .CloseEvent = bs_close_event,
        .CheckEvent = bs_check_event,
        .InstallProtocolInterface = bs_install_protocol_interface,
        .ReinstallProtocolInterface = bs_reinstall_protocol_interface,
        .UninstallProtocolInterface = bs_uninstall_protocol_interface,
        .HandleProtocol = bs_handle_protocol,
        .RegisterProtocolNotify = bs_register_protocol_notify,
        .LocateHandle = bs_locate_handle,
        .LocateDevicePath = bs_locate_device_path,
        .InstallConfigurationTable = bs_install_configuration_table,
        .LoadImage = bs_load_image,
        .StartImage = bs_start_image,
        .Exit = bs_exit,
        .UnloadImage = bs_unload_image,
        .ExitBootServices = bs_exit_boot_services,
        .GetNextMonotonicCount = bs_get_next_monotonic_count,
        .Stall = bs_stall,
        .SetWatchdogTimer = bs_set_watchdog_timer,
        .ConnectController = bs_connect_controller,
        .DisconnectController = bs_disconnect_controller,
        .OpenProtocol = bs_open_protocol,
        .CloseProtocol = bs_close_protocol,
        .OpenProtocolInformation = bs_open_protocol_information,
        .ProtocolsPerHandle = bs_protocols_per_handle,
        .LocateHandleBuffer = bs_locate_handle_buffer,
        .LocateProtocol = bs_locate_protocol,
        .InstallMultipleProtocolInterfaces = bs_install_multiple,
        .UninstallMultipleProtocolInterfaces = bs_uninstall_multiple,
        .CalculateCrc32 = bs_calculate_crc32,
        .CopyMem = bs_copy_mem,
        .SetMem = bs_set_mem,
        .CreateEventEx = bs_create_event_ex,
    };
}

static void fill_runtime_table(void)
{
    the_runtime_table = (EFI_RUNTIME_SERVICES){
        .Hdr = header(EFI_RUNTIME_SERVICES_SIGNATURE, sizeof(EFI_RUNTIME_SERVICES)),
        .GetTime = rt_get_time,
        .SetTime = rt_set_time,
        .GetWakeupTime = rt_get_wakeup_time,
        .SetWakeupTime = rt_set_wakeup_time,
        .SetVirtualAddressMap = rt_set_virtual_address_map,
        .ConvertPointer = rt_convert_pointer,
        .GetVariable = rt_get_variable,
        .GetNextVariableName = rt_get_next_variable_name,
        .SetVariable = rt_set_variable,
        .GetNextHighMonotonicCount = rt_get_next_high_monotonic_count,
        .ResetSystem = rt_reset_system,
        .UpdateCapsule = rt_update_capsule,
        .QueryCapsuleCapabilities = rt_query_capsule_capabilities,
        .QueryVariableInfo = rt_query_variable_info,
    };
}

void tables_init(void)
{
    fill_boot_table();
    fill_runtime_table();
    configuration_room = FIRST_CONFIGURATION_TABLES;
    EFI_CONFIGURATION_TABLE *array =
        pool_allocate(MEMORY_RUNTIME_DATA, configuration_room * sizeof(*array));
    if (!array)
        panic("no memory for the configuration tables");
    the_system_table = (EFI_SYSTEM_TABLE){
        .Hdr = header(EFI_SYSTEM_TABLE_SIGNATURE, sizeof(EFI_SYSTEM_TABLE)),
        .FirmwareVendor = (CHAR16 *)(uintptr_t)vendor,
        .FirmwareRevision = 0x00000001,
        .RuntimeServices = &the_runtime_table,
        .BootServices = &the_boot_table,
        .ConfigurationTable = array,
    };
    tables_seal();
}

void tables_exit(void)
{
    the_system_table.ConsoleInHandle = NULL;
    the_system_table.ConIn = NULL;
    the_system_table.ConsoleOutHandle = NULL;
    the_system_table.ConOut = NULL;
    the_system_table.StandardErrorHandle = NULL;
    the_system_table.StdErr = NULL;
    the_system_table.BootServices = NULL;
    memset(&the_boot_table, 0, sizeof(the_boot_table));
    seal(&the_system_table.Hdr);
}

static bool grow_configuration(void)
{
    size_t room = configuration_room * 2;
    EFI_CONFIGURATION_TABLE *array = pool_allocate(MEMORY_RUNTIME_DATA, room * sizeof(*array));
    if (!array)
        return false;
    memcpy(array, the_system_table.ConfigurationTable,
           the_system_table.NumberOfTableEntries * sizeof(*array));
    pool_free(the_system_table.ConfigurationTable);
    the_system_table.ConfigurationTable = array;
    configuration_room = room;
    return true;
}

EFI_STATUS EFIAPI bs_install_configuration_table(EFI_GUID *guid, VOID *table)
{
    if (!guid)
        return EFI_INVALID_PARAMETER;
    size_t count = the_system_table.NumberOfTableEntries, at = 0;
    while (at < count && !guid_equal(&the_system_table.ConfigurationTable[at].VendorGuid, guid))
        at++;
    if (at == count && !table)
        return EFI_NOT_FOUND;
    if (at == count && count == configuration_room && !grow_configuration())
        return EFI_OUT_OF_RESOURCES;
    EFI_CONFIGURATION_TABLE *array = the_system_table.ConfigurationTable;
    if (!table) {
        memmove(&array[at], &array[at + 1], (count - at - 1) * sizeof(*array));
        the_system_table.NumberOfTableEntries--;
    } else {
        array[at] = (EFI_CONFIGURATION_TABLE){ .VendorGuid = *guid, .VendorTable = table };
        the_system_table.NumberOfTableEntries += at == count;
    }
    seal(&the_system_table.Hdr);
    EFI_GUID group = *guid; /* whoever waits for this table, UEFI 2.10 7.5.6 */
    events_signal_group(&group);
    return EFI_SUCCESS;
}

void uefi_set_table(const struct guid *guid, void *table)
{
    EFI_GUID copy = *guid;
    if (bs_install_configuration_table(&copy, table) != EFI_SUCCESS)
        panic("cannot install the configuration table %pg", (const void *)guid);
}

EFI_STATUS EFIAPI bs_calculate_crc32(VOID *data, UINTN size, UINT32 *ret_crc)
{
    if (!data || size == 0 || !ret_crc)
        return EFI_INVALID_PARAMETER;
    *ret_crc = crc32(0, data, size);
    return EFI_SUCCESS;
}

VOID EFIAPI bs_copy_mem(VOID *destination, VOID *source, UINTN length)
{
    memmove(destination, source, length);
}

VOID EFIAPI bs_set_mem(VOID *buffer, UINTN size, UINT8 value)
{
    memset(buffer, value, size);
}
