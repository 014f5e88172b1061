/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Device paths of PCI functions (UEFI 2.10 10.3.2.1, 10.3.3.1), as OVMF writes them. */
#include "firmware/platform/pci.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

enum { PATH_DEPTH = 8, CLASS_PCI_BRIDGE = 0x0604, PCI_SECONDARY_BUS = 0x19 };

/* The bridge behind which a bus lies; false: the root bus. */
static bool bridge_of(unsigned bus, uint16_t *ret)
{
    const struct pci_function *function;
    for (size_t i = 0; bus != 0 && pci_function_at(i, &function); i++)
        if (function->class_code >> 8 == CLASS_PCI_BRIDGE &&
            pci_read8(function->address, PCI_SECONDARY_BUS) == bus) {
            *ret = function->address;
            return true;
        }
    return false;
}

EFI_DEVICE_PATH_PROTOCOL *devicepath_of_pci_root(void)
{
    static const ACPI_HID_DEVICE_PATH root = { { ACPI_DEVICE_PATH, ACPI_DP, { 12, 0 } },
                                               0x0A0341D0,
                                               0 };
    return devicepath_append(NULL, &root.Header);
}

EFI_DEVICE_PATH_PROTOCOL *devicepath_of_pci(uint16_t address)
{
    uint16_t chain[PATH_DEPTH] = { address };
    unsigned depth = 1;
    while (depth < PATH_DEPTH && bridge_of(chain[depth - 1] >> 8, &chain[depth]))
        depth++;
    EFI_DEVICE_PATH_PROTOCOL *path = devicepath_of_pci_root();
    while (path && depth-- > 0) {
        PCI_DEVICE_PATH node = { { HARDWARE_DEVICE_PATH, HW_PCI_DP, { 6, 0 } },
                                 (UINT8)(chain[depth] & 7),
                                 (UINT8)(chain[depth] >> 3 & 31) };
        EFI_DEVICE_PATH_PROTOCOL *longer = devicepath_append(path, &node.Header);
        pool_free(path);
        path = longer;
    }
    return path;
}
