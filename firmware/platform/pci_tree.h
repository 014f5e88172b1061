/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Functions and bridges as the enumeration finds them; shared by pci.c and pci_resources.c only. */
#ifndef PRIVET_FIRMWARE_PCI_TREE_H
#define PRIVET_FIRMWARE_PCI_TREE_H

#include "firmware/platform/pci.h"

enum {
    PCI_FUNCTIONS_MAX = 128, PCI_BRIDGES_MAX = 64,
    PCI_BAR = 0x10, PCI_IO_WINDOW = 0x1C, PCI_MEMORY_WINDOW = 0x20, PCI_PREFETCH_WINDOW = 0x24,
    PCI_PREFETCH_UPPER = 0x28, PCI_PREFETCH_LIMIT_UPPER = 0x2C, PCI_IO_UPPER = 0x30,
};

/* Kinds of address: ports; memory below 4 GiB; memory that may lie above as well. */
enum pci_kind { PCI_KIND_IO, PCI_KIND_MEMORY, PCI_KIND_WIDE, PCI_KINDS };

/* A bus: the root bus (bridge 0) or that behind a bridge. Parents come before their children. */
struct pci_bridge {
    unsigned parent;
    uint16_t address;
    bool opens[PCI_KINDS]; /* it has a window of the kind: always true of the root */
    uint64_t reserve[PCI_KINDS]; /* room for devices that come later, powers of two */
    uint64_t base[PCI_KINDS], size[PCI_KINDS], align[PCI_KINDS];
};

extern struct pci_function pci_functions[PCI_FUNCTIONS_MAX];
extern uint8_t pci_bus_of[PCI_FUNCTIONS_MAX]; /* index of the bridge before each function */
extern size_t pci_function_count;
extern struct pci_bridge pci_bridges[PCI_BRIDGES_MAX];
extern size_t pci_bridge_count;

/* Gives every BAR and every bridge window its place and writes them all. pci_resources.c */
void pci_assign_resources(void);

#endif
