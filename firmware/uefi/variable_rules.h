/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What UEFI says of the variables that it defines (UEFI 2.10 3.3): attributes, size, content. */
#ifndef PRIVET_FIRMWARE_UEFI_VARIABLE_RULES_H
#define PRIVET_FIRMWARE_UEFI_VARIABLE_RULES_H

#include "firmware/uefi/efi.h"

/*
 * May SetVariable get this? EFI_WRITE_PROTECTED: only the firmware may set it. EFI_INVALID_PARAMETER:
 * it is not like that, or there is no such variable in UEFI's own name space. Deletions pass but for
 * the former.
 */
EFI_STATUS variable_check(const CHAR16 *name, const EFI_GUID *vendor, uint32_t attributes,
                          size_t size, const uint8_t *data);

/* May a store that survives a reset hold it? False for those that the firmware makes anew. */
bool variable_may_last(const CHAR16 *name, const EFI_GUID *vendor);

#endif
