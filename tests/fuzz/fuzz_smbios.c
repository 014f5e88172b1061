/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The firmware's check of the host's SMBIOS files. What it installs is walked as an operating system
 * does, by the lengths in it: all must lie in the firmware's memory and end with type 127.
 */
#include <stdlib.h>
#include <string.h>

#include "firmware/platform/smbios.h"
#include "tests/fuzz/host_files.h"

static void walk(const uint8_t *table, size_t size)
{
    size_t at = 0, type;
    if (host_memory_left(table) < size)
        abort();
    do {
        if (size - at < 4 || table[at + 1] < 4 || table[at + 1] > size - at)
            abort();
        type = table[at];
        at += table[at + 1];
        while (size - at >= 2 && (table[at] || table[at + 1]))
            at++;
        if (size - at < 2)
            abort();
        at += 2;
    } while (type != 127);
    if (at != size)
        abort();
}

static void check(const uint8_t *anchor)
{
    uint64_t address = 0;
    uint32_t size = 0;
    if (memcmp(anchor, "_SM3_", 5) == 0) {
        memcpy(&size, anchor + 12, 4);
        memcpy(&address, anchor + 16, 8);
    } else {
        memcpy(&size, anchor + 0x16, 2);
        memcpy(&address, anchor + 0x18, 4);
    }
    walk((const uint8_t *)(uintptr_t)address, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "etc/smbios/smbios-anchor", "etc/smbios/smbios-tables",
                                         NULL };
    host_files_load(names, data, size);
    smbios_init();
    for (unsigned i = 0; i < host_tables_set(); i++)
        check(host_table(i));
    host_files_free();
    return 0;
}
