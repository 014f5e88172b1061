/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Installs the firmware's own ACPI tables. What varies between boards is asked of the hardware; the
 * number of processors is the host's word: one that is not there does not start, which is all that
 * a lie does.
 */
#include "firmware/arch/cpu.h"
#include "firmware/arch/io.h"
#include "firmware/lib/log.h"
#include "firmware/platform/acpi.h"
#include "firmware/platform/acpi_tables.h"
#include "firmware/platform/fwcfg.h"
#include "firmware/platform/pci.h"
#include "firmware/platform/q35.h"
#include "firmware/uefi/guids.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/uefi.h"

enum { KEYBOARD_STATUS = 0x64, ABSENT = 0xFF, TOPOLOGY_LEAF = 0xB, PAGE = 4096 };

/* Levels of CPUID leaf 0xB: threads of a core, threads of a package; shifts of the APIC id. */
static void read_topology(struct acpi_board *board)
{
    struct cpuid thread = { 0 }, core = { 0 };

    if (cpuid(0, 0).eax >= TOPOLOGY_LEAF) {
        thread = cpuid(TOPOLOGY_LEAF, 0);
        core = cpuid(TOPOLOGY_LEAF, 1);
    }
    unsigned threads = thread.ebx & 0xFFFF, all = core.ebx & 0xFFFF;
    board->core_shift = thread.eax & 31;
    board->package_shift = core.eax & 31;
    bool sound = threads != 0 && all >= threads && all % threads == 0
                 && board->package_shift >= board->core_shift
                 && threads <= 1u << board->core_shift
                 && all / threads <= 1u << (board->package_shift - board->core_shift);
    board->threads = sound ? threads : 1;
    board->cores = sound ? all / threads : ACPI_PROCESSORS_MAX; /* else numbered without gaps */
    if (!sound) {
        board->core_shift = board->package_shift = 0;
    }
}

static unsigned count_processors(void)
{
    uint16_t count;
    bool x2apic = cpuid(1, 0).ecx & 1u << 21;
    unsigned limit = x2apic ? ACPI_PROCESSORS_MAX : 255;

    fwcfg_read(FWCFG_CPU_COUNT, &count, sizeof(count));
    if (count == 0 || count > limit) {
        log_line("ACPI: the host says that there are %u processors, %u is what counts", count,
                 count == 0 ? 1 : limit);
        return count == 0 ? 1 : limit;
    }
    return count;
}

void acpi_builtin_init(void)
{
    struct pci_window high = pci_high_space();
    struct acpi_board board = { .processors = count_processors(), .high_base = high.base,
                                .high_end = high.end };
    uint64_t hpet = mmio_read64(Q35_HPET_BASE);
    uint8_t panic_events = in8(Q35_PANIC_PORT);

    read_topology(&board);
    board.hpet = (uint32_t)hpet == UINT32_MAX || hpet >> 32 == 0 ? 0 : (uint32_t)hpet;
    board.keyboard = in8(KEYBOARD_STATUS) != ABSENT;
    board.panic_port = panic_events != 0 && panic_events != ABSENT;

    size_t size = acpi_tables_size(&board);
    uint64_t base = memory_allocate(MEMORY_ACPI_NVS, (size + PAGE - 1) / PAGE, 1ull << 32);
    if (base == 0) {
        log_line("ACPI: no memory for %lu bytes, no tables", size);
        return;
    }
    uefi_set_table(&guid_acpi_20_table,
                   acpi_tables_build(&board, (uint8_t *)(uintptr_t)base, size));
    log_line("ACPI: the firmware's own tables, %u processors", board.processors);
}
