/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Device path utilities and text (UEFI 2.10 10.5, 10.6). Results are pool memory of the caller. */
#include "firmware/lib/log.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define TEXT_ROOM 2048u

struct text {
    CHAR16 *letters;
    size_t length;
};

static void add_wide(struct text *text, const uint8_t *letters, size_t count)
{
    for (size_t i = 0; i < count && text->length + 1 < TEXT_ROOM; i++) {
        CHAR16 letter = (CHAR16)(letters[2 * i] | letters[2 * i + 1] << 8);
        if (!letter)
            break;
        text->letters[text->length++] = letter;
    }
}

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *fmt, ...)
{
    char line[160];
    va_list list;
    va_start(list, fmt);
    format_list(line, sizeof(line), fmt, list);
    va_end(list);
    for (size_t i = 0; line[i] && text->length + 1 < TEXT_ROOM; i++)
        text->letters[text->length++] = (uint8_t)line[i];
}

/* A node copied to its structure; zeros where the node is shorter. */
#define NODE(type, name, node)                                                                     \
    type name;                                                                                     \
    memset(&name, 0, sizeof(name));                                                                \
    memcpy(&name, node,                                                                            \
           devicepath_node_length(node) < sizeof(name) ? devicepath_node_length(node)              \
                                                       : sizeof(name))

static void pci_text(struct text *text, const EFI_DEVICE_PATH_PROTOCOL *node)
{
    NODE(PCI_DEVICE_PATH, pci, node);
    add(text, "Pci(0x%x,0x%x)", pci.Device, pci.Function);
}

static void acpi_text(struct text *text, const EFI_DEVICE_PATH_PROTOCOL *node)
{
    NODE(ACPI_HID_DEVICE_PATH, acpi, node);
    unsigned uid = acpi.UID, hid = acpi.HID;
    if (hid == 0x0A0341D0)
        add(text, "PciRoot(0x%x)", uid);
    else if (hid == 0x050141D0)
        add(text, "Serial(0x%x)", uid);
    else
        add(text, "Acpi(0x%08x,0x%x)", hid, uid);
}

static void vendor_text(struct text *text, const EFI_DEVICE_PATH_PROTOCOL *node)
{
    NODE(VENDOR_DEVICE_PATH, vendor, node);
    EFI_GUID guid = vendor.Guid;
    add(text, "%s(%pg)", node->Type == MEDIA_DEVICE_PATH ? "VenMedia" : "VenHw",
        (const void *)&guid);
}

static void scsi_text(struct text *text, const EFI_DEVICE_PATH_PROTOCOL *node)
{
    NODE(SCSI_DEVICE_PATH, scsi, node);
    add(text, "Scsi(0x%x,0x%x)", scsi.Target, scsi.Lun);
}

static void sata_text(struct text *text, const EFI_DEVICE_PATH_PROTOCOL *node)
{
    NODE(SATA_DEVICE_PATH, sata, node);
    add(text, "Sata(0x%x,0x%x,0x%x)", sata.Port, sata.Multiplier, sata.Lun);
}

static void nvme_text(struct text *text, const EFI_DEVICE_PATH_PROTOCOL *node)
{
    NODE(NVME_NAMESPACE_DEVICE_PATH, nvme, node);
    uint8_t id[8];
    memcpy(id, (const uint8_t *)&nvme + 8, sizeof(id));
    add(text, "NVMe(0x%x,%02x-%02x-%02x-%02x-%02x-%02x-%02x-%02x)", nvme.NamespaceId, id[7], id[6],
        id[5], id[4], id[3], id[2], id[1], id[0]);
}

static void uart_text(struct text *text, const EFI_DEVICE_PATH_PROTOCOL *node)
{
    NODE(UART_DEVICE_PATH, uart, node);
    add(text, "Uart(%lu,%u,%c,%u)", (unsigned long)uart.BaudRate, uart.DataBits,
        "DNEOMS"[uart.Parity < 6 ? uart.Parity : 0], uart.StopBits);
}

static void disk_text(struct text *text, const EFI_DEVICE_PATH_PROTOCOL *node)
{
    NODE(HARDDRIVE_DEVICE_PATH, disk, node);
    unsigned long start = disk.PartitionStart, size = disk.PartitionSize;
    unsigned number = disk.PartitionNumber;
    if (disk.SignatureType == 2) {
        EFI_GUID guid;
        memcpy(&guid, disk.Signature, sizeof(guid));
        add(text, "HD(%u,GPT,%pg,0x%lx,0x%lx)", number, (const void *)&guid, start, size);
    } else {
        uint32_t signature;
        memcpy(&signature, disk.Signature, sizeof(signature));
        add(text, "HD(%u,MBR,0x%08x,0x%lx,0x%lx)", number, signature, start, size);
    }
}

static void cdrom_text(struct text *text, const EFI_DEVICE_PATH_PROTOCOL *node)
{
    NODE(CDROM_DEVICE_PATH, cdrom, node);
    add(text, "CDROM(0x%x,0x%lx,0x%lx)", cdrom.BootEntry, (unsigned long)cdrom.PartitionStart,
        (unsigned long)cdrom.PartitionSize);
}

static void memory_text(struct text *text, const EFI_DEVICE_PATH_PROTOCOL *node)
{
    NODE(MEMMAP_DEVICE_PATH, map, node);
    add(text, "MemoryMapped(0x%x,0x%lx,0x%lx)", map.MemoryType, (unsigned long)map.StartingAddress,
        (unsigned long)map.EndingAddress);
}

static void file_text(struct text *text, const EFI_DEVICE_PATH_PROTOCOL *node)
{
    add_wide(text, (const uint8_t *)(node + 1),
             (devicepath_node_length(node) - sizeof(*node)) / sizeof(CHAR16));
}

static void other_text(struct text *text, const EFI_DEVICE_PATH_PROTOCOL *node)
{
    const uint8_t *data = (const uint8_t *)(node + 1);
    add(text, "Path(%u,%u", node->Type, node->SubType);
    size_t length = devicepath_node_length(node) - sizeof(*node);
    if (length)
        add(text, ",");
    for (size_t i = 0; i < length; i++)
        add(text, "%02x", data[i]);
    add(text, ")");
}

static const struct {
    uint8_t type, sub_type;
    void (*write)(struct text *text, const EFI_DEVICE_PATH_PROTOCOL *node);
} kinds[] = {
    { HARDWARE_DEVICE_PATH, HW_PCI_DP, pci_text },
    { HARDWARE_DEVICE_PATH, HW_MEMMAP_DP, memory_text },
    { HARDWARE_DEVICE_PATH, HW_VENDOR_DP, vendor_text },
    { ACPI_DEVICE_PATH, ACPI_DP, acpi_text },
    { MESSAGING_DEVICE_PATH, MSG_SCSI_DP, scsi_text },
    { MESSAGING_DEVICE_PATH, MSG_SATA_DP, sata_text },
    { MESSAGING_DEVICE_PATH, MSG_NVME_DP, nvme_text },
    { MESSAGING_DEVICE_PATH, MSG_UART_DP, uart_text },
    { MEDIA_DEVICE_PATH, MEDIA_HARDDRIVE_DP, disk_text },
    { MEDIA_DEVICE_PATH, MEDIA_CDROM_DP, cdrom_text },
    { MEDIA_DEVICE_PATH, MEDIA_VENDOR_DP, vendor_text },
    { MEDIA_DEVICE_PATH, MEDIA_FILEPATH_DP, file_text },
};

static void node_text(struct text *text, const EFI_DEVICE_PATH_PROTOCOL *node)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i].type == node->Type && kinds[i].sub_type == node->SubType) {
            kinds[i].write(text, node);
            return;
        }
    other_text(text, node);
}

static CHAR16 *EFIAPI convert_node(const EFI_DEVICE_PATH_PROTOCOL *node, BOOLEAN display,
                                   BOOLEAN shortcuts)
{
    (void)display;
    (void)shortcuts;
    if (!node || devicepath_node_length(node) < sizeof(*node))
        return NULL;
    struct text text = { .letters = pool_allocate(MEMORY_BOOT_DATA, TEXT_ROOM * sizeof(CHAR16)) };
    if (text.letters)
        node_text(&text, node);
    return text.letters;
}

static CHAR16 *EFIAPI convert_path(const EFI_DEVICE_PATH_PROTOCOL *path, BOOLEAN display,
                                   BOOLEAN shortcuts)
{
    (void)display;
    (void)shortcuts;
    if (!devicepath_size(path))
        return NULL;
    struct text text = { .letters = pool_allocate(MEMORY_BOOT_DATA, TEXT_ROOM * sizeof(CHAR16)) };
    if (!text.letters)
        return NULL;
    bool first = true;
    for (const EFI_DEVICE_PATH_PROTOCOL *node = path; !devicepath_is_end(node);
         node = devicepath_next(node)) {
        if (node->Type == END_DEVICE_PATH) { /* next instance */
            add(&text, ",");
            first = true;
            continue;
        }
        if (!first)
            add(&text, "/");
        node_text(&text, node);
        first = false;
    }
    return text.letters;
}

static UINTN EFIAPI get_size(const EFI_DEVICE_PATH_PROTOCOL *path)
{
    return devicepath_size(path);
}

static EFI_DEVICE_PATH_PROTOCOL *EFIAPI duplicate(const EFI_DEVICE_PATH_PROTOCOL *path)
{
    return path ? devicepath_copy(path) : NULL;
}

static const EFI_DEVICE_PATH_PROTOCOL empty = { END_DEVICE_PATH, END_ENTIRE_DP, { 4, 0 } };
static const EFI_DEVICE_PATH_PROTOCOL instance_end = { END_DEVICE_PATH, END_INSTANCE_DP, { 4, 0 } };

/* first without its end + `between` bytes of separator + second */
static EFI_DEVICE_PATH_PROTOCOL *join(const EFI_DEVICE_PATH_PROTOCOL *first,
                                      const EFI_DEVICE_PATH_PROTOCOL *second, bool as_instance)
{
    size_t head = devicepath_size(first), tail = devicepath_size(second);
    size_t between = as_instance ? sizeof(instance_end) : 0;
    if (!head || !tail)
        return NULL;
    head -= sizeof(empty);
    uint8_t *joined = pool_allocate(MEMORY_BOOT_DATA, head + between + tail);
    if (!joined)
        return NULL;
    memcpy(joined, first, head);
    memcpy(joined + head, &instance_end, between);
    memcpy(joined + head + between, second, tail);
    return (EFI_DEVICE_PATH_PROTOCOL *)joined;
}

static EFI_DEVICE_PATH_PROTOCOL *EFIAPI append_path(const EFI_DEVICE_PATH_PROTOCOL *first,
                                                    const EFI_DEVICE_PATH_PROTOCOL *second)
{
    return join(first ? first : &empty, second ? second : &empty, false);
}

static EFI_DEVICE_PATH_PROTOCOL *EFIAPI append_node(const EFI_DEVICE_PATH_PROTOCOL *path,
                                                    const EFI_DEVICE_PATH_PROTOCOL *node)
{
    return devicepath_append(path, node);
}

static EFI_DEVICE_PATH_PROTOCOL *EFIAPI append_instance(const EFI_DEVICE_PATH_PROTOCOL *path,
                                                        const EFI_DEVICE_PATH_PROTOCOL *instance)
{
    if (!instance)
        return NULL;
    return path ? join(path, instance, true) : devicepath_copy(instance);
}

static EFI_DEVICE_PATH_PROTOCOL *EFIAPI next_instance(EFI_DEVICE_PATH_PROTOCOL **path,
                                                      UINTN *ret_size)
{
    if (!path || !devicepath_size(*path))
        return NULL;
    EFI_DEVICE_PATH_PROTOCOL *node = *path;
    while (node->Type != END_DEVICE_PATH)
        node = devicepath_next(node);
    size_t length = (size_t)((uint8_t *)node - (uint8_t *)*path);
    uint8_t *copy = pool_allocate(MEMORY_BOOT_DATA, length + sizeof(empty));
    if (!copy)
        return NULL;
    memcpy(copy, *path, length);
    memcpy(copy + length, &empty, sizeof(empty));
    if (ret_size)
        *ret_size = length + sizeof(empty);
    *path = devicepath_is_end(node) ? NULL : devicepath_next(node);
    return (EFI_DEVICE_PATH_PROTOCOL *)copy;
}

static BOOLEAN EFIAPI is_multi_instance(const EFI_DEVICE_PATH_PROTOCOL *path)
{
    if (!devicepath_size(path))
        return false;
    while (path->Type != END_DEVICE_PATH)
        path = devicepath_next(path);
    return !devicepath_is_end(path);
}

static EFI_DEVICE_PATH_PROTOCOL *EFIAPI create_node(UINT8 type, UINT8 sub_type, UINT16 length)
{
    if (length < sizeof(EFI_DEVICE_PATH_PROTOCOL))
        return NULL;
    EFI_DEVICE_PATH_PROTOCOL *node = pool_allocate(MEMORY_BOOT_DATA, length);
    if (node)
        *node =
            (EFI_DEVICE_PATH_PROTOCOL){ type, sub_type, { (UINT8)length, (UINT8)(length >> 8) } };
    return node;
}

void devicepath_init(void)
{
    static EFI_DEVICE_PATH_TO_TEXT_PROTOCOL to_text = { .ConvertDeviceNodeToText = convert_node,
                                                        .ConvertDevicePathToText = convert_path };
    static EFI_DEVICE_PATH_UTILITIES_PROTOCOL utilities = {
        .GetDevicePathSize = get_size,
        .DuplicateDevicePath = duplicate,
        .AppendDevicePath = append_path,
        .AppendDeviceNode = append_node,
        .AppendDevicePathInstance = append_instance,
        .GetNextDevicePathInstance = next_instance,
        .IsDevicePathMultiInstance = is_multi_instance,
        .CreateDeviceNode = create_node
    };
    static EFI_HANDLE handle;
    handle_install(&handle, &guid_device_path_to_text, &to_text);
    handle_install(&handle, &guid_device_path_utilities, &utilities);
}
