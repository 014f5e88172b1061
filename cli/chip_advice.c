/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What whoever gave the command does next when the Secure Processor refuses. */
#include <stddef.h>

#include "cli/refusal.h"
#include "sev/status.h"

#define SESSION_ADVICE                                                                         \
    "make the session anew by 'privet owner session' from this chip's present certificates "   \
    "('privet chip export'), and give run the policy that it was made for"

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
    { SEV_LAUNCH_START, SEV_INVALID_LENGTH,
      "--dh-cert takes a certificate of 2084 bytes and --session 128 bytes, as 'privet owner session' "
      "makes them" },
    { SEV_LAUNCH_START, SEV_INVALID_CERTIFICATE,
      "--dh-cert must be the certificate that was made with the session; make both by 'privet owner "
      "session'" },
    { SEV_LAUNCH_START, SEV_BAD_MEASUREMENT, SESSION_ADVICE },
    { SEV_LAUNCH_START, SEV_POLICY_FAILURE,
      "bits 6 to 15 of the policy must be clear, and its API version not above the chip's; 'privet "
      "chip status' tells that" },
    { SEV_LAUNCH_START, SEV_UNSUPPORTED,
      "SEV-ES is not enabled here (INIT); take a policy without bit 2" },
    { SEV_LAUNCH_UPDATE_DATA, SEV_INVALID_LENGTH,
      "a firmware image must be a multiple of 16 bytes long" },
    { SEV_LAUNCH_UPDATE_DATA, SEV_INVALID_ADDRESS,
      "the region must be memory of the guest and begin at a multiple of 16; give it more by --memory, "
      "or another firmware" },
    { SEV_LAUNCH_SECRET, SEV_INVALID_LENGTH,
      "--secret-header takes 52 bytes and --secret a multiple of 16 up to 20480, as 'privet owner "
      "secret' makes them" },
    { SEV_LAUNCH_SECRET, SEV_INVALID_ADDRESS,
      "the firmware's secret area must be memory of the guest; 'privet firmware info' tells where it "
      "is" },
    { SEV_LAUNCH_SECRET, SEV_BAD_MEASUREMENT,
      "seal the secret anew by 'privet owner secret' with the measurement and the keys of this very "
      "launch" },
    { SEV_LAUNCH_SECRET, SEV_UNSUPPORTED, "the packet must not be compressed" },
    { SEV_DBG_DECRYPT, SEV_POLICY_FAILURE,
      "the guest's policy has NODBG, and nothing undoes that; launch it with another policy to debug "
      "it" },
    { SEV_DBG_DECRYPT, SEV_INVALID_ADDRESS,
      "give the address at which the program has the page; whole blocks of 16 bytes are decrypted" },
};

/* Whatever the command was. */
static const struct {
    uint16_t status;
    const char *text;
} general[] = {
    { SEV_INVALID_PLATFORM_STATE,
      "INIT leads from uninit to init, a launch to working, SHUTDOWN back to uninit" },
    { SEV_INVALID_GUEST_STATE,
      "a launch goes by LAUNCH_UPDATE_DATA, LAUNCH_MEASURE, LAUNCH_SECRET, LAUNCH_FINISH, in this "
      "order" },
    { SEV_INVALID_CONFIG, "unknown flags and reserved fields must be zero" },
    { SEV_INVALID_LENGTH, "a command that tells the length it needs has done so" },
    { SEV_ALREADY_OWNED, "'privet chip pek-gen' makes the platform self-owned again" },
    { SEV_INVALID_CERTIFICATE, "'privet owner certs' tells what is wrong with a certificate" },
    { SEV_POLICY_FAILURE, "launch the guest with a policy that allows it" },
    { SEV_INACTIVE, "the guest needs an ASID: ACTIVATE comes first" },
    { SEV_INVALID_ADDRESS, "addresses must be aligned and wholly inside of memory" },
    { SEV_BAD_SIGNATURE, "'privet owner certs' tells which link of a chain does not hold" },
    { SEV_BAD_MEASUREMENT, "take session, policy and secret from one launch of this chip" },
    { SEV_ASID_OWNED, "take another ASID" },
    { SEV_INVALID_ASID,
      "take an ASID from 1 to 509 (--asid): for a SEV-ES guest one below 100; where those are set "
      "aside for SEV-ES, for a SEV guest one from 100 on" },
    { SEV_WBINVD_REQUIRED, "execute WBINVD on every core, then give DF_FLUSH" },
    { SEV_DF_FLUSH_REQUIRED, "execute WBINVD on every core, give DF_FLUSH, then try again" },
    { SEV_INVALID_GUEST, "'privet chip guests' lists the handles that there are" },
    { SEV_INVALID_COMMAND, "this chip has the commands of API 0.24" },
    { SEV_ACTIVE, "DEACTIVATE comes first" },
    { SEV_HWERROR_PLATFORM, "is the state folder writable, and no other process using the chip?" },
    { SEV_HWERROR_UNSAFE, "power the platform off" },
    { SEV_UNSUPPORTED, "leave that feature out" },
    { SEV_INVALID_PARAM, "flags and counts must be in their range" },
    { SEV_RESOURCE_LIMIT, "end another guest first" },
    { SEV_SECURE_DATA_INVALID, "the state folder is damaged; remove it to get another chip" },
    { SEV_AEAD_OFLOW, "launch the guest anew: its counter is used up" },
    { SEV_RING_BUFFER_EXIT, "the command was not executed; give it again" },
};

const char *chip_advice(enum sev_command command, uint16_t status)
{
    for (size_t i = 0; i < sizeof(advice) / sizeof(advice[0]); i++) {
        if (advice[i].command == command && advice[i].status == status)
            return advice[i].text;
    }
    for (size_t i = 0; i < sizeof(general) / sizeof(general[0]); i++) {
        if (general[i].status == status)
            return general[i].text;
    }
    return NULL;
}
