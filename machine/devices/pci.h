/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * PCI bus 0: configuration space of its functions, base address registers with sizing and mapping,
 * INTx routing. PCI Local Bus 3.0 chapter 6. Every device on this board sits on bus 0.
 */
#ifndef PRIVET_MACHINE_DEVICES_PCI_H
#define PRIVET_MACHINE_DEVICES_PCI_H

#include "machine/devices/bus.h"

#define PCI_CONFIG_SIZE   256u
#define PCI_BAR_COUNT     6u
#define PCI_MAX_FUNCTIONS 16u
#define PCI_PIRQ_COUNT    8u /* A to H: GSI 16 to 23 */
#define PCI_DEVFN(device, function) ((uint8_t)((device) << 3 | (function)))

enum { /* configuration registers */
    PCI_VENDOR_ID = 0x00, PCI_DEVICE_ID = 0x02, PCI_COMMAND = 0x04, PCI_STATUS = 0x06,
    PCI_REVISION = 0x08, PCI_CLASS = 0x09, PCI_HEADER_TYPE = 0x0E, PCI_BAR0 = 0x10,
    PCI_SUBSYSTEM_VENDOR = 0x2C, PCI_SUBSYSTEM_ID = 0x2E, PCI_CAPABILITIES = 0x34,
    PCI_INTERRUPT_LINE = 0x3C, PCI_INTERRUPT_PIN = 0x3D,
};

enum { PCI_COMMAND_IO = 1, PCI_COMMAND_MEMORY = 2, PCI_COMMAND_MASTER = 4,
       PCI_COMMAND_INTX_OFF = 1 << 10, PCI_STATUS_INTERRUPT = 1 << 3, PCI_STATUS_CAPS = 1 << 4 };

struct pci_bar {
    uint64_t size;  /* 0: none. A power of two; memory of at least 16 bytes */
    uint32_t flags; /* low bits as in the register: 1 I/O, 4 64-bit, 8 prefetchable */
    struct bus_range range; /* base is filled in by mapping */
    bool mapped;
};

struct pci_root;

struct pci_function {
    struct pci_root *root;
    uint8_t devfn;
    uint8_t config[PCI_CONFIG_SIZE];
    uint8_t writable[PCI_CONFIG_SIZE]; /* a bit that the guest can write */
    struct pci_bar bar[PCI_BAR_COUNT];
    /* After a write of the guest; NULL: none. Reads: before, so that data may be placed. */
    void (*written)(void *context, unsigned offset, unsigned size);
    void (*reading)(void *context, unsigned offset, unsigned size);
    void *context;
    bool interrupt; /* level the device wants on its pin */
};

struct pci_root {
    struct bus *bus;
    struct pci_function *function[PCI_MAX_FUNCTIONS];
    unsigned count;
    bool said_overlap;
    uint16_t asserted[PCI_PIRQ_COUNT]; /* a bit per function */
    uint8_t route[PCI_PIRQ_COUNT];     /* ISA interrupt, bit 7: not routed (ICH9 13.1.17) */
};

void pci_root_init(struct pci_root *root, struct bus *bus);
/* Which PIRQ (0 to 7) an interrupt pin (1 to 4) of a device is wired to. */
unsigned pci_pirq(unsigned device, unsigned pin);
/* Read and write 1, 2 or 4 aligned bytes; absent functions read all ones. */
uint32_t pci_config_read(struct pci_root *root, uint8_t devfn, unsigned offset, unsigned size);
void pci_config_write(struct pci_root *root, uint8_t devfn, unsigned offset, uint32_t value,
                      unsigned size);
void pci_route(struct pci_root *root, unsigned pirq, uint8_t route);

/* Prepares a function with ids, class (24 bits) and the standard writable bits. */
void pci_function_init(struct pci_function *function, uint16_t vendor, uint16_t device,
                       uint32_t class_code, uint8_t revision);
/* Adds it to the bus; false: full or taken. Its registers stay the caller's. */
bool pci_attach(struct pci_root *root, struct pci_function *function, uint8_t devfn);
void pci_bar_init(struct pci_function *function, unsigned index, uint64_t size, uint32_t flags,
                  bus_read_fn *read, bus_write_fn *write, void *context, unsigned max_access);
/* Appends a capability of `size` bytes at `offset`, with id and link written; rest is zero. */
void pci_add_capability(struct pci_function *function, unsigned offset, uint8_t id);
/* Clears command, BARs and interrupt line, as a reset does. */
void pci_function_reset(struct pci_function *function);
void pci_interrupt(struct pci_function *function, bool level);
bool pci_is_master(const struct pci_function *function);
/* Address that a BAR is set to, decoded or not; 0: none. */
uint64_t pci_bar_address(const struct pci_function *function, unsigned index);

uint32_t pci_get(const struct pci_function *function, unsigned offset, unsigned size);
void pci_set(struct pci_function *function, unsigned offset, uint32_t value, unsigned size);

#endif
