/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * PCI root bridge I/O and PCI I/O (UEFI 2.10 14.2, 14.4): the host bridge, which every guest has,
 * and the first function with a memory BAR.
 */
#include "firmware/uefi/efi_pci.h"
#include "tests/efi/conformance.h"

#define HOST_BRIDGE 0x29C08086u

static UINT64 config_address(UINT64 bus, UINT64 device, UINT64 function, UINT64 offset)
{
    return bus << 24 | device << 16 | function << 8 | (offset < 256 ? offset : offset << 32);
}

static void bridge_access(EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *bridge)
{
    UINT32 id[4] = { 0 };
    UINT64 wide = 0, all = config_address(0, 0, 0, 0);
    check_status("config", bridge->Pci.Read(bridge, 2, all, 1, id));
    check_value("config.value", id[0]);
    check_status("config.wide", bridge->Pci.Read(bridge, 3, all, 1, &wide));
    check_true("config.wide.same", (UINT32)wide == id[0]);
    memset(id, 0, sizeof(id));
    check_status("config.fifo", bridge->Pci.Read(bridge, 6, all, 3, id));
    check_true("config.fifo.same", id[0] == id[1] && id[1] == id[2] && id[0] == HOST_BRIDGE);
    check_status("config.extended", bridge->Pci.Read(bridge, 2, config_address(0, 0, 0, 256), 1, id));
    check_status("config.end", bridge->Pci.Read(bridge, 2, config_address(0, 0, 0, 4092), 2, id));
    check_status("config.device", bridge->Pci.Read(bridge, 2, config_address(0, 32, 0, 0), 1, id));
    check_status("config.function", bridge->Pci.Read(bridge, 2, config_address(0, 0, 8, 0), 1, id));
    check_status("config.null", bridge->Pci.Read(bridge, 2, all, 1, NULL));
    check_status("config.width", bridge->Pci.Read(bridge, 12, all, 1, id));
    check_status("config.odd", bridge->Pci.Read(bridge, 2, all + 2, 1, id));
    check_status("memory.null", bridge->Mem.Read(bridge, 2, 0xFE000000, 1, NULL));
    check_status("memory.odd", bridge->Mem.Read(bridge, 2, 0xFE000001, 1, id));
    check_status("memory.ram", bridge->Mem.Read(bridge, 2, 0x100000, 1, id));
    check_status("memory.overflow", bridge->Mem.Read(bridge, 2, UINT64_MAX - 3, 2, id));
    check_status("memory.count", bridge->Mem.Read(bridge, 3, 0, UINT64_MAX / 2, id));
    check_status("io.null", bridge->Io.Read(bridge, 0, 0x80, 1, NULL));
    check_status("io", bridge->Io.Read(bridge, 0, 0x80, 1, id));
    check_status("io.beyond", bridge->Io.Read(bridge, 0, 0x10000, 1, id));
    UINT8 byte = 0x5A, back = 0; /* the scratch register of the first serial port */
    check_status("io.write", bridge->Io.Write(bridge, 0, 0x3FF, 1, &byte));
    check_status("io.back", bridge->Io.Read(bridge, 0, 0x3FF, 1, &back));
    check_value("io.back.value", back);
    check_status("io.write.null", bridge->Io.Write(bridge, 0, 0x80, 1, NULL));
    check_status("io.write.beyond", bridge->Io.Write(bridge, 0, 0x10000, 1, &byte));
    check_status("memory.write.ram", bridge->Mem.Write(bridge, 2, 0x100000, 1, id));
    check_status("memory.write.null", bridge->Mem.Write(bridge, 2, 0xFE000000, 1, NULL));
    check_status("config.write.null", bridge->Pci.Write(bridge, 2, all, 1, NULL));
    check_status("config.write", bridge->Pci.Write(bridge, 2, all, 1, id)); /* read-only */
    check_status("copy.width", bridge->CopyMem(bridge, 4, 0xFE000000, 0xFE000000, 0));
    check_status("copy.ram", bridge->CopyMem(bridge, 2, 0x100000, 0x200000, 1));
}

static void bridge_poll(EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *bridge)
{
    UINT64 value = 0;
    check_status("poll.null", bridge->PollIo(bridge, 0, 0x80, 0, 0, 0, NULL));
    check_status("poll.width", bridge->PollIo(bridge, 4, 0x80, 0, 0, 0, &value));
    check_status("poll.match", bridge->PollIo(bridge, 0, 0x80, 0, 0, 0, &value));
    check_status("poll.once", bridge->PollIo(bridge, 0, 0x80, 0, 1, 0, &value));
    check_status("poll.timeout", bridge->PollIo(bridge, 0, 0x80, 0, 1, 1000, &value));
    check_status("poll.memory.ram", bridge->PollMem(bridge, 2, 0x100000, 0, 0, 0, &value));
}

static void bridge_dma(EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *bridge)
{
    static uint8_t data[64];
    UINTN bytes = sizeof(data);
    EFI_PHYSICAL_ADDRESS device;
    VOID *mapping = NULL, *buffer = NULL;
    check_status("map.host", bridge->Map(bridge, 0, NULL, &bytes, &device, &mapping));
    check_status("map.bytes", bridge->Map(bridge, 0, data, NULL, &device, &mapping));
    check_status("map.device", bridge->Map(bridge, 0, data, &bytes, NULL, &mapping));
    check_status("map.mapping", bridge->Map(bridge, 0, data, &bytes, &device, NULL));
    check_status("map.operation", bridge->Map(bridge, 6, data, &bytes, &device, &mapping));
    for (UINT32 operation = 0; operation < 6; operation++) {
        if (operation % 3 == 2)
            continue; /* common buffers below */
        check_status(name_number("map", operation),
                     bridge->Map(bridge, operation, data, &bytes, &device, &mapping));
        check_value(name_number("map.bytes", operation), bytes);
        check_status(name_number("unmap", operation), bridge->Unmap(bridge, mapping));
    }
    check_status("allocate.type", bridge->AllocateBuffer(bridge, 0, 2, 1, &buffer, 0));
    check_status("allocate.null", bridge->AllocateBuffer(bridge, 0, 4, 1, NULL, 0));
    check_status("allocate.attribute", bridge->AllocateBuffer(bridge, 0, 4, 1, &buffer, 1));
    check_status("allocate", bridge->AllocateBuffer(bridge, 0, 4, 2, &buffer, 0));
    check_true("allocate.aligned", ((UINTN)buffer & 0xFFF) == 0);
    check_true("allocate.low", (UINTN)buffer < 1ull << 32);
    bytes = 8192;
    check_status("common", bridge->Map(bridge, 2, buffer, &bytes, &device, &mapping));
    check_value("common.bytes", bytes);
    check_status("common.unmap", bridge->Unmap(bridge, mapping));
    check_status("free", bridge->FreeBuffer(bridge, 2, buffer));
    check_status("flush", bridge->Flush(bridge));
}

static void bridge_attributes(EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *bridge)
{
    UINT64 supports = 0, now = 0;
    EFI_ACPI_ADDRESS_SPACE_DESCRIPTOR *list = NULL;
    check_status("attributes.null", bridge->GetAttributes(bridge, NULL, NULL));
    check_status("attributes", bridge->GetAttributes(bridge, &supports, &now));
    check_value("attributes.supports", supports);
    check_value("attributes.now", now);
    check_status("attributes.set", bridge->SetAttributes(bridge, now, NULL, NULL));
    check_status("attributes.set-foreign", bridge->SetAttributes(bridge, 1ull << 40, NULL, NULL));
    check_status("configuration", bridge->Configuration(bridge, (VOID **)&list));
    check_value("configuration.first", list->Desc);
    check_value("configuration.length", list->Len);
    check_value("segment", bridge->SegmentNumber);
}

/* The first function with the BAR of a kind; *ret_bar is its number. */
static EFI_PCI_IO_PROTOCOL *find_bar(UINT8 kind, UINT8 *ret_bar, UINT64 *ret_length)
{
    EFI_PCI_IO_PROTOCOL *found = NULL, *io;
    EFI_HANDLE *handles = NULL;
    UINTN count = 0;
    bs->LocateHandleBuffer(ByProtocol, &pci_io_guid, NULL, &count, &handles);
    for (UINTN i = 0; i < count && !found; i++) {
        bs->HandleProtocol(handles[i], &pci_io_guid, (VOID **)&io);
        for (UINT8 bar = 0; bar < 6 && !found; bar++) {
            EFI_ACPI_ADDRESS_SPACE_DESCRIPTOR *list;
            if (io->GetBarAttributes(io, bar, NULL, (VOID **)&list) != EFI_SUCCESS)
                continue;
            if (list->ResType == kind && list->AddrLen >= 32) {
                found = io;
                *ret_bar = bar;
                *ret_length = list->AddrLen;
                check_value(name_of("bar.tag", kind ? "io" : "memory"), list->Desc);
                check_value(name_of("bar.tag-length", kind ? "io" : "memory"), list->Len);
                check_true("bar.maximum", list->AddrRangeMax == list->AddrLen - 1);
            }
            give(list);
        }
    }
    give(handles);
    return found;
}

/* What is written is what was there. */
static void bar_writes(EFI_PCI_IO_PROTOCOL *io, UINT8 bar, UINT64 length)
{
    UINT32 word = 0;
    io->Mem.Read(io, 2, bar, 0, 1, &word);
    check_status("bar.write", io->Mem.Write(io, 2, bar, 0, 1, &word));
    check_status("bar.write.end", io->Mem.Write(io, 2, bar, length, 1, &word));
    check_status("bar.write.null", io->Mem.Write(io, 2, bar, 0, 1, NULL));
    check_status("bar.copy", io->CopyMem(io, 2, bar, 0, bar, 0, 1));
    EFI_ACPI_ADDRESS_SPACE_DESCRIPTOR *list = NULL;
    EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *bridge = find_protocol(&pci_root_bridge_guid);
    io->GetBarAttributes(io, bar, NULL, (VOID **)&list);
    UINT64 base = list->AddrRangeMin;
    give(list);
    UINT32 through = ~word, passed = ~word;
    check_status("bar.by-bridge", bridge->Mem.Read(bridge, 2, base, 1, &through));
    check_true("bar.by-bridge.same", through == word);
    check_status("bar.passed", io->Mem.Read(io, 2, EFI_PCI_IO_PASS_THROUGH_BAR, base, 1, &passed));
    check_true("bar.passed.same", passed == word);
    check_status("bar.by-bridge.write", bridge->Mem.Write(bridge, 2, base, 1, &through));
    check_status("bar.by-bridge.copy", bridge->CopyMem(bridge, 2, base, base, 1));
    check_status("bar.by-bridge.poll", bridge->PollMem(bridge, 2, base, 0, 0, 1000, &length));
}

static void dma(EFI_PCI_IO_PROTOCOL *io)
{
    static uint8_t data[64];
    UINTN bytes = sizeof(data);
    EFI_PHYSICAL_ADDRESS device = 0;
    VOID *mapping = NULL, *buffer = NULL;
    for (UINT32 operation = 0; operation < 2; operation++) {
        bytes = sizeof(data);
        check_status(name_number("dma.map", operation),
                     io->Map(io, operation, data, &bytes, &device, &mapping));
        check_value(name_number("dma.bytes", operation), bytes);
        check_status(name_number("dma.unmap", operation), io->Unmap(io, mapping));
    }
    check_status("dma.allocate.type", io->AllocateBuffer(io, 0, 2, 1, &buffer, 0));
    check_status("dma.allocate.null", io->AllocateBuffer(io, 0, 4, 1, NULL, 0));
    check_status("dma.allocate", io->AllocateBuffer(io, 0, 4, 2, &buffer, 0));
    memset(buffer, 0x5A, 8192);
    bytes = 8192;
    check_status("dma.common", io->Map(io, 2, buffer, &bytes, &device, &mapping));
    check_value("dma.common.bytes", bytes);
    check_true("dma.common.low", device && device + bytes <= 1ull << 32);
    check_status("dma.common.unmap", io->Unmap(io, mapping));
    check_status("dma.free", io->FreeBuffer(io, 2, buffer));
}

static void bars(void)
{
    UINT8 bar = 0;
    UINT64 length = 0, value = 0;
    UINT32 words[8];
    EFI_PCI_IO_PROTOCOL *io = find_bar(ACPI_ADDRESS_SPACE_TYPE_MEM, &bar, &length);
    check_true("bar", io != NULL);
    if (!io)
        return;
    io->Attributes(io, EfiPciIoAttributeOperationEnable, EFI_PCI_IO_ATTRIBUTE_MEMORY, NULL);
    check_status("bar.read", io->Mem.Read(io, 2, bar, 0, 1, words));
    check_status("bar.read.last", io->Mem.Read(io, 2, bar, length - 4, 1, words));
    check_status("bar.read.end", io->Mem.Read(io, 2, bar, length, 1, words));
    check_status("bar.read.across", io->Mem.Read(io, 2, bar, length - 4, 2, words));
    check_status("bar.read.fifo", io->Mem.Read(io, 6, bar, length - 4, 4, words));
    check_status("bar.read.overflow", io->Mem.Read(io, 2, bar, UINT64_MAX - 3, 4, words));
    check_status("bar.read.null", io->Mem.Read(io, 2, bar, 0, 1, NULL));
    check_status("bar.read.width", io->Mem.Read(io, 12, bar, 0, 1, words));
    check_status("bar.read.odd", io->Mem.Read(io, 2, bar, 1, 1, words));
    check_status("bar.as-io", io->Io.Read(io, 2, bar, 0, 1, words));
    check_status("bar.six", io->Mem.Read(io, 2, 6, 0, 1, words));
    check_status("bar.poll", io->PollMem(io, 2, bar, 0, 0, 0, 0, &value));
    check_status("bar.poll.end", io->PollMem(io, 2, bar, length, 0, 0, 0, &value));
    check_status("bar.poll.fifo", io->PollMem(io, 4, bar, 0, 0, 0, 0, &value));
    check_status("bar.copy.end", io->CopyMem(io, 2, bar, length, bar, 0, 1));
    check_status("bar.copy.width", io->CopyMem(io, 12, bar, 0, bar, 0, 1));
    check_status("bar.attributes.null", io->GetBarAttributes(io, bar, NULL, NULL));
    check_status("bar.attributes.six", io->GetBarAttributes(io, 6, &value, NULL));
    check_status("bar.attributes", io->GetBarAttributes(io, bar, &value, NULL));
    check_value("bar.attributes.value", value);
    bar_writes(io, bar, length);
    dma(io);
    UINT64 offset = 0;
    check_status("bar.set.null", io->SetBarAttributes(io, 0, bar, NULL, &length));
    check_status("bar.set.foreign", io->SetBarAttributes(io, 1ull << 40, bar, &offset, &length));
}

static EFI_PCI_IO_PROTOCOL *host_bridge(void)
{
    EFI_PCI_IO_PROTOCOL *io = NULL, *found = NULL;
    EFI_HANDLE *handles = NULL;
    UINTN count = 0;
    bs->LocateHandleBuffer(ByProtocol, &pci_io_guid, NULL, &count, &handles);
    for (UINTN i = 0; i < count; i++) {
        UINT32 id = 0;
        bs->HandleProtocol(handles[i], &pci_io_guid, (VOID **)&io);
        if (io->Pci.Read(io, 2, 0, 1, &id) == EFI_SUCCESS && id == HOST_BRIDGE)
            found = io;
    }
    give(handles);
    return found;
}

static void function(EFI_PCI_IO_PROTOCOL *io)
{
    UINTN segment = 9, bus = 9, device = 9, number = 9;
    UINT64 value = 0;
    UINT32 words[2];
    check_value("rom-size", io->RomSize);
    check_true("rom", io->RomImage == NULL);
    check_status("location.null", io->GetLocation(io, NULL, &bus, &device, &number));
    check_status("location", io->GetLocation(io, &segment, &bus, &device, &number));
    check_true("location.zero", segment + bus + device + number == 0);
    check_status("config.last", io->Pci.Read(io, 2, 252, 1, words));
    check_status("config.beyond", io->Pci.Read(io, 2, 256, 1, words));
    check_status("config.across", io->Pci.Read(io, 2, 252, 2, words));
    check_status("config.null", io->Pci.Read(io, 2, 0, 1, NULL));
    check_status("config.width", io->Pci.Read(io, 12, 0, 1, words));
    check_status("config.odd", io->Pci.Read(io, 2, 2, 1, words));
    check_status("no-bar", io->Mem.Read(io, 2, 0, 0, 1, words));
    check_status("no-bar.attributes", io->GetBarAttributes(io, 0, &value, NULL));
    check_status("get.null", io->Attributes(io, EfiPciIoAttributeOperationGet, 0, NULL));
    check_status("get", io->Attributes(io, EfiPciIoAttributeOperationGet, 0, &value));
    check_status("supported", io->Attributes(io, EfiPciIoAttributeOperationSupported, 0, &value));
    check_true("supported.dac", value & EFI_PCI_ATTRIBUTE_DUAL_ADDRESS_CYCLE);
    check_status("operation", io->Attributes(io, EfiPciIoAttributeOperationMaximum, 0, &value));
    check_status("enable.foreign",
                 io->Attributes(io, EfiPciIoAttributeOperationEnable, 1ull << 40, NULL));
    check_status("enable.dac", io->Attributes(io, EfiPciIoAttributeOperationEnable,
                                              EFI_PCI_ATTRIBUTE_DUAL_ADDRESS_CYCLE, NULL));
    check_status("disable.dac", io->Attributes(io, EfiPciIoAttributeOperationDisable,
                                               EFI_PCI_ATTRIBUTE_DUAL_ADDRESS_CYCLE, NULL));
    UINT8 line = 0, other = 0x5A, back = 0; /* the interrupt line, which is software's */
    io->Pci.Read(io, 0, 0x3C, 1, &line);
    check_status("config.write", io->Pci.Write(io, 0, 0x3C, 1, &other));
    io->Pci.Read(io, 0, 0x3C, 1, &back);
    check_value("config.write.value", back);
    io->Pci.Write(io, 0, 0x3C, 1, &line);
    check_status("config.write.beyond", io->Pci.Write(io, 0, 256, 1, &line));
    check_status("config.write.null", io->Pci.Write(io, 0, 0, 1, NULL));
    other = 0xA5; /* the scratch register of the first serial port */
    UINT8 port = EFI_PCI_IO_PASS_THROUGH_BAR;
    check_status("passed.write", io->Io.Write(io, 0, port, 0x3FF, 1, &other));
    check_status("passed.read", io->Io.Read(io, 0, port, 0x3FF, 1, &back));
    check_value("passed.value", back);
    check_status("passed.poll", io->PollIo(io, 0, port, 0x3FF, 0xFF, 0xA5, 1000, &value));
    check_value("passed.poll.value", value & 0xFF);
    check_status("passed.poll-timeout", io->PollIo(io, 0, port, 0x3FF, 0xFF, 1, 1000, &value));
    check_status("io.no-bar", io->Io.Write(io, 0, 0, 0, 1, &other));
    check_status("poll.no-bar", io->PollIo(io, 0, 0, 0, 0, 0, 0, &value));
    check_status("map.operation", io->Map(io, 3, words, &bus, &value, (VOID **)&segment));
    check_status("map.null", io->Map(io, 0, NULL, &bus, &value, (VOID **)&segment));
    check_status("allocate.attribute",
                 io->AllocateBuffer(io, 0, 4, 1, (VOID **)&value,
                                    EFI_PCI_ATTRIBUTE_DUAL_ADDRESS_CYCLE));
    check_status("flush", io->Flush(io));
}

void test_pci_root(void)
{
    EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL *bridge = find_protocol(&pci_root_bridge_guid);
    check_true("there", bridge != NULL);
    if (!bridge)
        return;
    bridge_access(bridge);
    bridge_poll(bridge);
    bridge_dma(bridge);
    bridge_attributes(bridge);
}

void test_pci_io(void)
{
    EFI_PCI_IO_PROTOCOL *io = host_bridge();
    check_true("host-bridge", io != NULL);
    if (io)
        function(io);
    bars();
}
