/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What the files of the PCI and IOMMU protocols offer each other and the drivers. */
#ifndef PRIVET_FIRMWARE_PCI_PROTOCOLS_H
#define PRIVET_FIRMWARE_PCI_PROTOCOLS_H

#include "firmware/platform/pci.h"
#include "firmware/uefi/efi_pci.h"

/* pci_access.c */
enum pci_space { PCI_SPACE_MEMORY, PCI_SPACE_IO, PCI_SPACE_CONFIG };

/* Bytes of the space that a transfer covers; false: no such width, or more than 64 bits count. */
bool pci_extent(uint32_t width, uint64_t count, uint64_t *ret_bytes);
/* Moves data by single accesses. In PCI_SPACE_CONFIG the address is pci_address() << 12 | offset. */
EFI_STATUS pci_transfer(enum pci_space space, uint32_t width, uint64_t address, uint64_t count,
                        void *buffer, bool write);
/* Reads until (value & mask) == wanted or the delay, in 100 ns, is over. */
EFI_STATUS pci_poll(enum pci_space space, uint32_t width, uint64_t address, uint64_t mask,
                    uint64_t wanted, uint64_t delay, uint64_t *result);

/* pci_root_bridge.c */
extern EFI_HANDLE pci_root_handle;
extern EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL pci_root_bridge;
void pci_root_bridge_init(void);
/* A QWORD address space descriptor in its place; returns what follows it. */
EFI_ACPI_ADDRESS_SPACE_DESCRIPTOR *pci_describe(EFI_ACPI_ADDRESS_SPACE_DESCRIPTOR *at, unsigned type,
                                                uint64_t base, uint64_t length, uint64_t maximum);

/* pci_io.c: a handle with device path and PCI I/O for every function that pci_init found. */
void pci_io_init(void);
/* From a function to its handle and back; NULL: none. */
EFI_HANDLE pci_io_handle(uint16_t address);
const struct pci_function *pci_io_function(EFI_HANDLE handle);
/* Functions below which there are handles with the protocol `users` are the firmware's: no driver that a
 * loader brings gets them by BY_DRIVER. */
void pci_io_claim(const EFI_GUID *users);

/* iommu.c: DMA for drivers that loaders bring along, by the rules of sev/dma.h */
EFI_STATUS iommu_map(uint32_t operation, void *host, UINTN *bytes, EFI_PHYSICAL_ADDRESS *ret_device,
                     void **ret_mapping);
EFI_STATUS iommu_unmap(void *mapping);
EFI_STATUS iommu_allocate(uint32_t type, UINTN pages, void **ret_host, uint64_t attributes);
EFI_STATUS iommu_free(UINTN pages, void *host);
void iommu_init(void); /* publishes EDKII_IOMMU_PROTOCOL in a SEV guest */

#endif
