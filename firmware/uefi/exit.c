/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * ExitBootServices (UEFI 2.10 7.4.6), and the start of everything. After success nothing of the
 * firmware runs by itself: no tick, no DMA, no shared page, interrupts off.
 */
#include "firmware/arch/time.h"
#include "firmware/lib/log.h"
#include "firmware/platform/pci.h"
#include "firmware/sev/dma.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/pci_protocols.h"
#include "firmware/uefi/runtime_images.h"
#include "firmware/uefi/services.h"

#define PCI_COMMAND      4u
#define PCI_BUS_MASTER   0x4u
#define PCI_CLASS_BRIDGE 0x06u

bool boot_services_ended;

/* No device may write to memory that is the kernel's now. */
static void stop_dma(void)
{
    const struct pci_function *function;
    for (size_t i = 0; pci_function_at(i, &function); i++) {
        if (function->class_code >> 16 == PCI_CLASS_BRIDGE)
            continue; /* bridges forward for devices that the kernel enables again */
        uint16_t command = pci_read16(function->address, PCI_COMMAND);
        pci_write16(function->address, PCI_COMMAND, command & (uint16_t)~PCI_BUS_MASTER);
    }
}

EFI_STATUS EFIAPI bs_exit_boot_services(EFI_HANDLE image, UINTN key)
{
    static bool announced;
    if (!handle_interface(image, &guid_loaded_image))
        return EFI_INVALID_PARAMETER;
    if (!announced) { /* such notifications may still allocate: before the key is looked at */
        announced = true;
        events_signal_group(&guid_group_before_exit);
    }
    if (key != memory_map_key())
        return EFI_INVALID_PARAMETER;
    time_stop_tick();
    events_signal_group(&guid_group_exit);
    (void)interrupts_save();
    events_exit();
    stop_dma();
    dma_shutdown();
    memory_attributes_table_fill();
    tables_exit();
    boot_services_ended = true;
    return EFI_SUCCESS;
}

void uefi_init(void)
{
    events_init();
    tables_init();
    images_init();
    variables_init();
    console_init();
    serial_io_init();
    collation_init();
    rng_init();
    memory_attribute_init();
    devicepath_init();
    pci_io_init();
    memory_attributes_table_init();
    runtime_properties_init();
    tables_seal();
    time_start_tick(uefi_tick);
    interrupts_restore(INTERRUPTS_ON);
}
