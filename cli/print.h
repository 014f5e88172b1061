/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Binary values as text on standard output. */
#ifndef PRIVET_CLI_PRINT_H
#define PRIVET_CLI_PRINT_H

#include <stddef.h>
#include <stdint.h>

/* Lower case, without separators. */
void print_hex(const uint8_t *data, size_t size);
/* Of a GUID in EFI's byte order: xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx. */
void print_guid(const uint8_t guid[16]);

#endif
