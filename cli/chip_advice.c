/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What a host's administrator does next when the Secure Processor refuses. */
#include "cli/chip.h"
#include "sev/status.h"

static const struct {
    enum sev_command command;
    uint16_t status;
    const char *text;
} advice[] = {
    { SEV_PEK_CERT_IMPORT, SEV_ALREADY_OWNED,
      "'privet chip pek-gen' makes it self-owned again" },
    { SEV_PEK_CERT_IMPORT, SEV_INVALID_CERTIFICATE,
      "the first file must be this platform's PEK as 'privet chip csr' wrote it, with the owner's "
      "signature, the second the owner's OCA; make both by 'privet owner sign-csr'" },
    { SEV_PEK_CERT_IMPORT, SEV_BAD_SIGNATURE,
      "the OCA must sign itself and the PEK; make both by 'privet owner sign-csr'" },
};

const char *chip_advice(enum sev_command command, uint16_t status)
{
    for (size_t i = 0; i < sizeof(advice) / sizeof(advice[0]); i++) {
        if (advice[i].command == command && advice[i].status == status)
            return advice[i].text;
    }
    switch (status) {
    case SEV_HWERROR_PLATFORM:
        return "is the state folder writable, and no other process using the chip?";
    case SEV_SECURE_DATA_INVALID:
        return "the state folder is damaged; remove it to get another chip";
    default:
        return NULL;
    }
}
