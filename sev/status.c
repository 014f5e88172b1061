/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Names and meanings of the SEV API's status codes. */
#include "sev/status.h"

#include <stdbool.h>
#include <stddef.h>

static const struct {
    const char *name, *meaning;
} statuses[] = {
    [SEV_SUCCESS] = { "SUCCESS", "done" },
    [SEV_INVALID_PLATFORM_STATE] = { "INVALID_PLATFORM_STATE",
                                     "the platform's state does not allow the command" },
    [SEV_INVALID_GUEST_STATE] = { "INVALID_GUEST_STATE",
                                  "the guest's state does not allow the command" },
    [SEV_INVALID_CONFIG] = { "INVALID_CONFIG", "the platform is not configured for the command" },
    [SEV_INVALID_LENGTH] = { "INVALID_LENGTH", "a buffer's length is wrong or too small" },
    [SEV_ALREADY_OWNED] = { "ALREADY_OWNED", "the platform already has an external owner" },
    [SEV_INVALID_CERTIFICATE] = { "INVALID_CERTIFICATE", "a certificate is not acceptable" },
    [SEV_POLICY_FAILURE] = { "POLICY_FAILURE", "the guest's policy forbids it or asks for what "
                                               "this platform cannot give" },
    [SEV_INACTIVE] = { "INACTIVE", "the guest has no activated ASID" },
    [SEV_INVALID_ADDRESS] = { "INVALID_ADDRESS", "an address is misaligned or out of range" },
    [SEV_BAD_SIGNATURE] = { "BAD_SIGNATURE", "a certificate's signature does not verify" },
    [SEV_BAD_MEASUREMENT] = { "BAD_MEASUREMENT", "a MAC does not match: session, policy or secret "
                                                 "were made for something else" },
    [SEV_ASID_OWNED] = { "ASID_OWNED", "another guest uses the ASID" },
    [SEV_INVALID_ASID] = { "INVALID_ASID", "the ASID is out of the range for this kind of guest" },
    [SEV_WBINVD_REQUIRED] = { "WBINVD_REQUIRED", "every core must execute WBINVD first" },
    [SEV_DF_FLUSH_REQUIRED] = { "DF_FLUSH_REQUIRED", "the ASID needs a DF_FLUSH first" },
    [SEV_INVALID_GUEST] = { "INVALID_GUEST", "no such guest" },
    [SEV_INVALID_COMMAND] = { "INVALID_COMMAND", "the chip does not know the command" },
    [SEV_ACTIVE] = { "ACTIVE", "the guest is still activated" },
    [SEV_HWERROR_PLATFORM] = { "HWERROR_PLATFORM", "hardware fault, platform state recoverable" },
    [SEV_HWERROR_UNSAFE] = { "HWERROR_UNSAFE", "hardware fault, platform unsafe" },
    [SEV_UNSUPPORTED] = { "UNSUPPORTED", "the platform lacks the feature" },
    [SEV_INVALID_PARAM] = { "INVALID_PARAM", "a parameter is not acceptable" },
    [SEV_RESOURCE_LIMIT] = { "RESOURCE_LIMIT", "no free guest slot" },
    [SEV_SECURE_DATA_INVALID] = { "SECURE_DATA_INVALID", "the chip's stored data is damaged" },
    [SEV_INVALID_PAGE_SIZE] = { "INVALID_PAGE_SIZE", "a page's size is not the one in the RMP" },
    [SEV_INVALID_PAGE_STATE] = { "INVALID_PAGE_STATE", "a page's RMP state does not allow it" },
    [SEV_INVALID_MDATA_ENTRY] = { "INVALID_MDATA_ENTRY", "a page's metadata are not acceptable" },
    [SEV_INVALID_PAGE_OWNER] = { "INVALID_PAGE_OWNER", "a page belongs to another guest" },
    [SEV_AEAD_OFLOW] = { "AEAD_OFLOW", "a counter is exhausted or a message out of sequence" },
    [SEV_RING_BUFFER_EXIT] = { "RING_BUFFER_EXIT", "a mailbox command ended the ring buffer mode" },
    [SEV_RMP_INIT_REQUIRED] = { "RMP_INIT_REQUIRED", "the RMP must be initialised first" },
    [SEV_BAD_SVN] = { "BAD_SVN", "a security version is not acceptable" },
    [SEV_BAD_VERSION] = { "BAD_VERSION", "a version is not acceptable" },
    [SEV_SHUTDOWN_REQUIRED] = { "SHUTDOWN_REQUIRED", "the platform must be shut down first" },
    [SEV_UPDATE_FAILED] = { "UPDATE_FAILED", "the firmware could not be updated" },
    [SEV_RESTORE_REQUIRED] = { "RESTORE_REQUIRED", "the former firmware must be restored" },
    [SEV_RMP_INITIALIZATION_FAILED] = { "RMP_INITIALIZATION_FAILED",
                                        "the RMP could not be initialised" },
    [SEV_INVALID_KEY] = { "INVALID_KEY", "a key is not there or not acceptable" },
};

#define STATUS_COUNT (sizeof(statuses) / sizeof(statuses[0]))

static bool is_known(uint16_t status)
{
    return status < STATUS_COUNT && statuses[status].name;
}

const char *sev_status_name(uint16_t status)
{
    return is_known(status) ? statuses[status].name : "UNKNOWN";
}

const char *sev_status_meaning(uint16_t status)
{
    return is_known(status) ? statuses[status].meaning : "not a status of this API";
}
