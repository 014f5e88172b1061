/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The firmware's interpreter of the host's ACPI table-loader script. An RSDP that it installs must lie
 * in the firmware's memory and be summed.
 */
#include <stdlib.h>

#include "firmware/platform/acpi.h"
#include "tests/fuzz/host_files.h"

enum { RSDP_SIZE = 20 };

static uint8_t sum(const uint8_t *at, size_t size)
{
    uint8_t total = 0;
    while (size > 0)
        total = (uint8_t)(total + at[--size]);
    return total;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "etc/table-loader", "etc/acpi/rsdp", "etc/acpi/tables",
                                         "etc/vmgenid_guid", "etc/vmgenid_addr", NULL };
    host_files_load(names, data, size);
    acpi_init();
    for (unsigned i = 0; i < host_tables_set(); i++)
        if (host_memory_left(host_table(i)) < RSDP_SIZE || sum(host_table(i), RSDP_SIZE) != 0)
            abort();
    host_files_free();
    return 0;
}
