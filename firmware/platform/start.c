/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The order of everything. */
#include "firmware/arch/interrupts.h"
#include "firmware/arch/io.h"
#include "firmware/arch/paging.h"
#include "firmware/arch/time.h"
#include "firmware/boot/direct.h"
#include "firmware/lib/log.h"
#include "firmware/platform/acpi.h"
#include "firmware/platform/fwcfg.h"
#include "firmware/platform/memory_map.h"
#include "firmware/platform/pci.h"
#include "firmware/platform/q35.h"
#include "firmware/platform/serial.h"
#include "firmware/platform/smbios.h"
#include "firmware/sev/dma.h"
#include "firmware/sev/processors.h"
#include "firmware/sev/sev.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/uefi.h"

_Noreturn void firmware_start(void);

static void banner(void)
{
    if (sev_active()) {
        log_line("Privet firmware " PRIVET_VERSION ": %s active, C-bit %d",
                 sev_es() ? "SEV-ES" : "SEV", __builtin_ctzll(sev_c_mask()));
    } else {
        log_line("Privet firmware " PRIVET_VERSION ": SEV off");
    }
}

/* Loaders look at address 0, and fresh memory of a SEV guest is noise: it reads as zeros. */
static void clear_page_zero(void)
{
    for (uint64_t address = 0; address < 4096; address += 8) {
        mmio_write64(address, 0);
    }
}

void firmware_start(void)
{
    interrupts_init();
    sev_init();
    serial_init();
    banner();
    direct_init();
    q35_init();
    time_init();
    if (!fwcfg_init()) {
        log_line("no fw_cfg device: memory size from CMOS, no kernel, no ACPI tables");
    }
    memory_map_read();
    memory_init();
    memory_map_announce();
    mtrr_init();
    paging_init();
    clear_page_zero();
    dma_init();
    processors_init();
    fwcfg_enable_dma();
    pci_init();
    uefi_init();
    acpi_init();
    smbios_init();
    boot_main();
}
