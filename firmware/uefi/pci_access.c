/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Transfers of the PCI protocols (UEFI 2.10 14.2.2): memory, port and configuration accesses of
 * every width, one move each. Who calls has checked that the addresses may be touched.
 */
#include <string.h>

#include "firmware/arch/io.h"
#include "firmware/arch/time.h"
#include "firmware/platform/pci.h"
#include "firmware/uefi/pci_protocols.h"

static uint64_t read_memory(uint64_t address, unsigned size)
{
    return size == 1   ? mmio_read8(address)
           : size == 2 ? mmio_read16(address)
           : size == 4 ? mmio_read32(address)
                       : mmio_read64(address);
}

static void write_memory(uint64_t address, unsigned size, uint64_t value)
{
    if (size == 1)
        mmio_write8(address, (uint8_t)value);
    else if (size == 2)
        mmio_write16(address, (uint16_t)value);
    else if (size == 4)
        mmio_write32(address, (uint32_t)value);
    else
        mmio_write64(address, value);
}

static uint64_t read_io(uint64_t address, unsigned size)
{
    uint16_t port = (uint16_t)address;
    return size == 1 ? in8(port) : size == 2 ? in16(port) : in32(port);
}

static void write_io(uint64_t address, unsigned size, uint64_t value)
{
    uint16_t port = (uint16_t)address;
    if (size == 1)
        out8(port, (uint8_t)value);
    else if (size == 2)
        out16(port, (uint16_t)value);
    else
        out32(port, (uint32_t)value);
}

static uint64_t read_config(uint64_t address, unsigned size)
{
    uint16_t function = (uint16_t)(address >> 12);
    unsigned offset = address & 0xFFF;
    return size == 1   ? pci_read8(function, offset)
           : size == 2 ? pci_read16(function, offset)
                       : pci_read32(function, offset);
}

static void write_config(uint64_t address, unsigned size, uint64_t value)
{
    uint16_t function = (uint16_t)(address >> 12);
    unsigned offset = address & 0xFFF;
    if (size == 1)
        pci_write8(function, offset, (uint8_t)value);
    else if (size == 2)
        pci_write16(function, offset, (uint16_t)value);
    else
        pci_write32(function, offset, (uint32_t)value);
}

static const struct {
    uint64_t (*read)(uint64_t address, unsigned size);
    void (*write)(uint64_t address, unsigned size, uint64_t value);
    unsigned widest; /* bytes in one access: ports and ECAM have no 64-bit cycles */
} spaces[] = {
    [PCI_SPACE_MEMORY] = { read_memory, write_memory, 8 },
    [PCI_SPACE_IO] = { read_io, write_io, 4 },
    [PCI_SPACE_CONFIG] = { read_config, write_config, 4 },
};

static unsigned size_of(uint32_t width)
{
    return 1u << (width & 3);
}

bool pci_extent(uint32_t width, uint64_t count, uint64_t *ret_bytes)
{
    if (width >= EfiPciWidthFifoUint8 && width < EfiPciWidthFillUint8)
        count = 1; /* the address stays */
    return width < EfiPciWidthMaximum && !__builtin_mul_overflow(count, size_of(width), ret_bytes);
}

static void move(enum pci_space space, uint64_t address, unsigned size, void *data, bool write)
{
    unsigned piece = size < spaces[space].widest ? size : spaces[space].widest;
    for (unsigned done = 0; done < size; done += piece) {
        uint64_t value = 0;
        uint8_t *at = (uint8_t *)data + done;
        if (write) {
            memcpy(&value, at, piece);
            spaces[space].write(address + done, piece, value);
        } else {
            value = spaces[space].read(address + done, piece);
            memcpy(at, &value, piece);
        }
    }
}

EFI_STATUS pci_transfer(enum pci_space space, uint32_t width, uint64_t address, uint64_t count,
                        void *buffer, bool write)
{
    unsigned size = size_of(width);
    if (address % size != 0)
        return EFI_UNSUPPORTED; /* as OVMF */
    bool fifo = width >= EfiPciWidthFifoUint8 && width < EfiPciWidthFillUint8;
    bool fill = width >= EfiPciWidthFillUint8;
    uint8_t *data = buffer;
    for (uint64_t i = 0; i < count; i++) {
        move(space, address, size, data, write);
        address += fifo ? 0 : size;
        data += fill ? 0 : size;
    }
    return EFI_SUCCESS;
}

EFI_STATUS pci_poll(enum pci_space space, uint32_t width, uint64_t address, uint64_t mask,
                    uint64_t wanted, uint64_t delay, uint64_t *result)
{
    uint64_t start = time_now_100ns();
    do {
        *result = 0;
        EFI_STATUS status = pci_transfer(space, width, address, 1, result, false);
        if (status != EFI_SUCCESS || (*result & mask) == wanted || delay == 0)
            return status; /* UEFI 2.10 14.2.2: a delay of 0 is one read, always a success */
    } while (time_now_100ns() - start < delay);
    return EFI_TIMEOUT;
}
