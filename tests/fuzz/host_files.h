/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A host that plays fw_cfg for the firmware's parsers of its files: what they call (fwcfg_*, memory,
 * configuration tables, messages) is here. An input is, for each name of the target's list, a 32-bit
 * size, a 32-bit count of bytes and these bytes; the rest of the file is zeros, as is most of QEMU's
 * ACPI file. tests/fuzz/host_files.py makes seeds of that form.
 */
#ifndef PRIVET_FUZZ_HOST_FILES_H
#define PRIVET_FUZZ_HOST_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOST_FILES_MAXIMUM 8u

/* What a short input has no bytes for does not exist. `names` NULL ends. */
void host_files_load(const char *const *names, const uint8_t *data, size_t size);
/* Frees them and all memory that the firmware took. */
void host_files_free(void);
/* The configuration tables that were set since the load; stops the target if one lies outside. */
unsigned host_tables_set(void);
uint8_t *host_table(unsigned index);
/* Memory of the firmware's from here to the end of its allocation; 0: none of it. */
size_t host_memory_left(const void *at);

#endif
