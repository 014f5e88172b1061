/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* PCI configuration space and enumeration. An address is bus << 8 | device << 3 | function. */
#ifndef PRIVET_FIRMWARE_PCI_H
#define PRIVET_FIRMWARE_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint16_t pci_address(unsigned bus, unsigned device, unsigned function)
{
    return (uint16_t)(bus << 8 | device << 3 | function);
}

/* Its usual form in messages: the conversions, and what they convert. */
#define PCI_PLACE "%02x:%02x.%u"
#define PCI_PLACE_OF(address) (address) >> 8, (address) >> 3 & 31, (address)&7

/* By ports 0xCF8/0xCFC: works from reset on. */
uint32_t pci_port_read32(uint16_t address, unsigned offset);
void pci_port_write32(uint16_t address, unsigned offset, uint32_t value);

/* By the ECAM: after q35_init and paging_init. */
uint8_t pci_read8(uint16_t address, unsigned offset);
uint16_t pci_read16(uint16_t address, unsigned offset);
uint32_t pci_read32(uint16_t address, unsigned offset);
void pci_write8(uint16_t address, unsigned offset, uint8_t value);
void pci_write16(uint16_t address, unsigned offset, uint16_t value);
void pci_write32(uint16_t address, unsigned offset, uint32_t value);

#define PCI_BARS 6u

struct pci_bar {
    uint64_t base, size; /* base 0: no such BAR, or no room for it */
    bool io, wide, prefetchable;
};

struct pci_function {
    uint16_t address, vendor, device;
    uint32_t class_code; /* base << 16 | sub << 8 | interface */
    struct pci_bar bars[PCI_BARS];
};

/* Enumerates all buses, assigns BARs and bridge windows, switches decoding on. */
void pci_init(void);
/* Functions found; false: no more. */
bool pci_function_at(size_t index, const struct pci_function **ret);
/* What the root bridge passes on: ports, memory below 4 GiB, memory above as far as it is used
 * (and mapped), bus numbers. */
enum pci_window_kind { PCI_WINDOW_IO, PCI_WINDOW_LOW, PCI_WINDOW_HIGH, PCI_WINDOW_BUS };
struct pci_window {
    uint64_t base, end;
};
struct pci_window pci_window(enum pci_window_kind kind);
/* Where an operating system may put memory BARs above 4 GiB; base and end the same: nowhere. */
struct pci_window pci_high_space(void);
/* Offset of a capability after `start` (0: the first), 0 if there is none. Bounded walk. */
unsigned pci_capability(uint16_t address, uint8_t id, unsigned start);

#endif
