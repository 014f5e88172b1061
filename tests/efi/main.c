/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Runs every subject. The last ones end boot services, then change the address map, then reset:
 * the application never returns.
 */
#include "tests/efi/conformance.h"

EFI_HANDLE self;
EFI_SYSTEM_TABLE *st;
EFI_BOOT_SERVICES *bs;
EFI_RUNTIME_SERVICES *rt;

static const struct {
    const char *name;
    void (*run)(void);
} subjects[] = {
    { "tables", test_tables },
    { "tpl", test_tpl },
    { "events", test_events },
    { "timers", test_timers },
    { "groups", test_groups },
    { "pages", test_pages },
    { "map", test_memory_map },
    { "pool", test_pool },
    { "attributes", test_memory_attributes },
    { "handles", test_handles },
    { "locate", test_locate },
    { "multiple", test_multiple },
    { "open", test_open },
    { "binding", test_binding },
    { "misc", test_misc },
    { "variables", test_variables },
    { "paths", test_paths },
    { "locate-path", test_locate_path },
    { "text", test_path_text },
    { "images", test_images },
    { "time", test_time },
    { "capsules", test_capsules },
    { "rng", test_rng },
    { "collation", test_collation },
    { "output", test_output },
    { "input", test_input },
    { "serial", test_serial },
    { "pci-root", test_pci_root },
    { "pci-io", test_pci_io },
    { "network", test_network },
    { "files", test_files },
    { "blocks", test_blocks },
    { "exit", test_exit },
    { "runtime", test_runtime },
    { "virtual", test_virtual },
};

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table)
{
    static CHAR16 reason[] = L"the end of the report";
    self = image;
    st = system_table;
    bs = st->BootServices;
    rt = st->RuntimeServices;
    for (size_t i = 0; i < ARRAY_SIZE(subjects); i++) {
        report_section(subjects[i].name);
        subjects[i].run();
    }
    report_end();
    rt->ResetSystem(EfiResetShutdown, EFI_ABORTED, sizeof(reason), reason); /* at virtual addresses */
    return EFI_ABORTED;
}
