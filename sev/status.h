/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Status codes of the SEV API (SEV API 0.24, table of status codes). */
#ifndef PRIVET_SEV_STATUS_H
#define PRIVET_SEV_STATUS_H

#include <stdint.h>

enum sev_status {
    SEV_SUCCESS = 0x00,
    SEV_INVALID_PLATFORM_STATE = 0x01,
    SEV_INVALID_GUEST_STATE = 0x02,
    SEV_INVALID_CONFIG = 0x03,
    SEV_INVALID_LENGTH = 0x04,
    SEV_ALREADY_OWNED = 0x05,
    SEV_INVALID_CERTIFICATE = 0x06,
    SEV_POLICY_FAILURE = 0x07,
    SEV_INACTIVE = 0x08,
    SEV_INVALID_ADDRESS = 0x09,
    SEV_BAD_SIGNATURE = 0x0A,
    SEV_BAD_MEASUREMENT = 0x0B,
    SEV_ASID_OWNED = 0x0C,
    SEV_INVALID_ASID = 0x0D,
    SEV_WBINVD_REQUIRED = 0x0E,
    SEV_DF_FLUSH_REQUIRED = 0x0F,
    SEV_INVALID_GUEST = 0x10,
    SEV_INVALID_COMMAND = 0x11,
    SEV_ACTIVE = 0x12,
    SEV_HWERROR_PLATFORM = 0x13,
    SEV_HWERROR_UNSAFE = 0x14,
    SEV_UNSUPPORTED = 0x15,
    SEV_INVALID_PARAM = 0x16,
    SEV_RESOURCE_LIMIT = 0x17,
    SEV_SECURE_DATA_INVALID = 0x18,
};

/* "POLICY_FAILURE"; "UNKNOWN" for what the API does not define. */
const char *sev_status_name(uint16_t status);

/* What it means for the caller, half a sentence. */
const char *sev_status_meaning(uint16_t status);

#endif
