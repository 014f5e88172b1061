/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Every field of every command's buffer, and of what it points to, made wrong: the status that the SEV
 * API has for it, nothing changed, nothing written where nothing may be, and then the same buffer
 * without the fault succeeds.
 */
#include "tests/unit/chip_scene.h"

#define PAGE 0x1000u

/* Addresses that no command may use: unmapped, past the end of memory, at the end of everything. */
#define UNMAPPED (CHIP_HOST_WINDOW + (31ull << 32))
#define BEYOND   ((uint64_t)SCENE_LARGE)
#define LAST     (UINT64_MAX - 15)

/* Where a command is given: states of the platform, or of a guest with an ASID, or of one without. */
#define ON_UNINIT    SEV_PLATFORM_UNINIT
#define ON_INIT      SEV_PLATFORM_INIT
#define BOUND(name)  (0x10 + SEV_GUEST_##name)
#define UNBOUND(name) (0x20 + SEV_GUEST_##name)

/* NO_EDIT: the policy is the fault. POINT: an address in the scene's data. FLIP: a bit of the data. */
enum kind { NO_EDIT, SET, ADD, POINT, FLIP };

struct edit {
    enum kind kind;
    size_t at, size;
    uint64_t value;
};
#define FIELD(kind, type, member, value) \
    { kind, offsetof(struct type, member), sizeof(((struct type *)0)->member), (uint64_t)(value) }
#define SET(type, member, value) FIELD(SET, type, member, value)
#define ADD(type, member, value) FIELD(ADD, type, member, value)
#define POINT(type, member, to)  FIELD(POINT, type, member, offsetof(struct scene_data, to))
#define ES(type)                 SET(type, flags, SEV_INIT_ES)
#define FLIP(member, byte)       { FLIP, offsetof(struct scene_data, member) + (byte), 1, 1 }

struct fault {
    uint16_t id;
    uint8_t where;
    uint16_t expected;
    struct edit edits[2];
    uint32_t policy; /* of guests and sessions */
};

#define ADDRESS  SEV_INVALID_ADDRESS
#define LENGTH   SEV_INVALID_LENGTH
#define PARAM    SEV_INVALID_PARAM
#define CONFIG   SEV_INVALID_CONFIG
#define CERT     SEV_INVALID_CERTIFICATE
#define MAC      SEV_BAD_MEASUREMENT
#define SIGN     SEV_BAD_SIGNATURE
#define POLICY   SEV_POLICY_FAILURE
#define NO_ASID  SEV_INVALID_ASID
#define LACKING  SEV_UNSUPPORTED

static const struct fault platform_faults[] = {
    { SEV_INIT, ON_UNINIT, CONFIG, { SET(sev_init, flags, 2) } },
    { SEV_INIT, ON_UNINIT, CONFIG, { SET(sev_init, flags, 0x80000000) } },
    { SEV_INIT, ON_UNINIT, CONFIG, { SET(sev_init, flags, 3), SET(sev_init, tmr_len, 0) } },
    { SEV_INIT, ON_UNINIT, CONFIG, { SET(sev_init, reserved, 1) } },
    { SEV_INIT, ON_UNINIT, ADDRESS, { ES(sev_init), ADD(sev_init, tmr_paddr, 0x80000) } },
    { SEV_INIT, ON_UNINIT, ADDRESS, { ES(sev_init), SET(sev_init, tmr_paddr, 0x80000) } },
    { SEV_INIT, ON_UNINIT, ADDRESS, { ES(sev_init), SET(sev_init, tmr_paddr, UNMAPPED) } },
    { SEV_INIT, ON_UNINIT, ADDRESS, { ES(sev_init), SET(sev_init, tmr_paddr, BEYOND) } },
    { SEV_INIT, ON_UNINIT, ADDRESS, { ES(sev_init), POINT(sev_init, tmr_paddr, pdh) } }, /* not all */
    { SEV_INIT, ON_UNINIT, LENGTH, { ES(sev_init), ADD(sev_init, tmr_len, -1) } },
    { SEV_INIT, ON_UNINIT, LENGTH, { ES(sev_init), ADD(sev_init, tmr_len, 0x100000) } },
    { SEV_INIT, ON_UNINIT, LENGTH, { ES(sev_init), SET(sev_init, tmr_len, 0) } },
    { SEV_INIT_EX, ON_UNINIT, LENGTH, { ADD(sev_init_ex, length, -1) } },
    { SEV_INIT_EX, ON_UNINIT, LENGTH, { ADD(sev_init_ex, length, 1) } },
    { SEV_INIT_EX, ON_UNINIT, CONFIG, { SET(sev_init_ex, flags, 4) } },
    { SEV_INIT_EX, ON_UNINIT, CONFIG, { SET(sev_init_ex, reserved, 1) } },
    { SEV_INIT_EX, ON_UNINIT, ADDRESS, { ES(sev_init_ex), ADD(sev_init_ex, tmr_paddr, 0x80000) } },
    { SEV_INIT_EX, ON_UNINIT, ADDRESS, { ES(sev_init_ex), SET(sev_init_ex, tmr_paddr, UNMAPPED) } },
    { SEV_INIT_EX, ON_UNINIT, LENGTH, { ES(sev_init_ex), ADD(sev_init_ex, tmr_len, -1) } },
    { SEV_INIT_EX, ON_UNINIT, ADDRESS, { ADD(sev_init_ex, nv_paddr, 0x800) } },
    { SEV_INIT_EX, ON_UNINIT, ADDRESS, { SET(sev_init_ex, nv_paddr, UNMAPPED) } },
    { SEV_INIT_EX, ON_UNINIT, LENGTH, { ADD(sev_init_ex, nv_len, -1) } },
    { SEV_INIT_EX, ON_UNINIT, LENGTH, { ADD(sev_init_ex, nv_len, 1) } },
    { SEV_INIT_EX, ON_UNINIT, ADDRESS,
      { POINT(sev_init_ex, tmr_paddr, nv[0x7FFF]), SET(sev_init_ex, tmr_len, 1) } },
    { SEV_INIT_EX, ON_UNINIT, ADDRESS,
      { POINT(sev_init_ex, tmr_paddr, out), SET(sev_init_ex, tmr_len, 0x100000) } },
    { SEV_PEK_CSR, ON_INIT, LENGTH, { ADD(sev_pek_csr, csr_len, -1) } },
    { SEV_PEK_CSR, ON_INIT, LENGTH, { SET(sev_pek_csr, csr_len, 0) } },
    { SEV_PEK_CSR, ON_INIT, ADDRESS, { SET(sev_pek_csr, csr_paddr, UNMAPPED) } },
    { SEV_PEK_CSR, ON_INIT, ADDRESS, { SET(sev_pek_csr, csr_paddr, BEYOND - 16) } },
    { SEV_PEK_CERT_IMPORT, ON_INIT, LENGTH, { ADD(sev_pek_cert_import, pek_len, -1) } },
    { SEV_PEK_CERT_IMPORT, ON_INIT, LENGTH, { ADD(sev_pek_cert_import, pek_len, 1) } },
    { SEV_PEK_CERT_IMPORT, ON_INIT, LENGTH, { ADD(sev_pek_cert_import, oca_len, -1) } },
    { SEV_PEK_CERT_IMPORT, ON_INIT, LENGTH, { ADD(sev_pek_cert_import, oca_len, 1) } },
    { SEV_PEK_CERT_IMPORT, ON_INIT, ADDRESS, { SET(sev_pek_cert_import, pek_paddr, UNMAPPED) } },
    { SEV_PEK_CERT_IMPORT, ON_INIT, ADDRESS, { SET(sev_pek_cert_import, oca_paddr, LAST) } },
    { SEV_PEK_CERT_IMPORT, ON_INIT, CERT, { FLIP(signed_pek, 0x000) } }, /* version */
    { SEV_PEK_CERT_IMPORT, ON_INIT, CERT, { FLIP(signed_pek, 0x005) } }, /* not this PEK's body */
    { SEV_PEK_CERT_IMPORT, ON_INIT, CERT, { FLIP(signed_pek, 0x008) } }, /* usage */
    { SEV_PEK_CERT_IMPORT, ON_INIT, CERT, { FLIP(signed_pek, 0x00C) } }, /* algorithm */
    { SEV_PEK_CERT_IMPORT, ON_INIT, CERT, { FLIP(signed_pek, 0x010) } }, /* curve */
    { SEV_PEK_CERT_IMPORT, ON_INIT, CERT, { FLIP(signed_pek, 0x014) } }, /* point */
    { SEV_PEK_CERT_IMPORT, ON_INIT, SIGN, { FLIP(signed_pek, 0x414) } }, /* the signer's usage */
    { SEV_PEK_CERT_IMPORT, ON_INIT, SIGN, { FLIP(signed_pek, 0x418) } }, /* its algorithm */
    { SEV_PEK_CERT_IMPORT, ON_INIT, SIGN, { FLIP(signed_pek, 0x41C) } },
    { SEV_PEK_CERT_IMPORT, ON_INIT, CERT, { FLIP(oca, 0x000) } },
    { SEV_PEK_CERT_IMPORT, ON_INIT, CERT, { FLIP(oca, 0x008) } },
    { SEV_PEK_CERT_IMPORT, ON_INIT, CERT, { FLIP(oca, 0x00C) } },
    { SEV_PEK_CERT_IMPORT, ON_INIT, CERT, { FLIP(oca, 0x010) } },
    { SEV_PEK_CERT_IMPORT, ON_INIT, SIGN, { FLIP(oca, 0x005) } }, /* not what it signed */
    { SEV_PEK_CERT_IMPORT, ON_INIT, SIGN, { FLIP(oca, 0x41C) } },
    { SEV_PDH_CERT_EXPORT, ON_INIT, LENGTH, { ADD(sev_pdh_cert_export, pdh_len, -1) } },
    { SEV_PDH_CERT_EXPORT, ON_INIT, LENGTH, { ADD(sev_pdh_cert_export, certs_len, -1) } },
    { SEV_PDH_CERT_EXPORT, ON_INIT, ADDRESS, { SET(sev_pdh_cert_export, pdh_paddr, UNMAPPED) } },
    { SEV_PDH_CERT_EXPORT, ON_INIT, ADDRESS, { SET(sev_pdh_cert_export, certs_paddr, BEYOND) } },
    { SEV_DOWNLOAD_FIRMWARE, ON_UNINIT, ADDRESS, { ADD(sev_download_firmware, fw_paddr, 16) } },
    { SEV_DOWNLOAD_FIRMWARE, ON_UNINIT, ADDRESS, { SET(sev_download_firmware, fw_paddr, BEYOND) } },
    { SEV_DOWNLOAD_FIRMWARE, ON_UNINIT, ADDRESS,
      { SET(sev_download_firmware, fw_len, SCENE_LARGE) } },
    { SEV_DOWNLOAD_FIRMWARE, ON_UNINIT, LENGTH, { SET(sev_download_firmware, fw_len, 0) } },
    { SEV_GET_ID, ON_UNINIT, LENGTH, { ADD(sev_get_id, id_len, -1) } },
    { SEV_GET_ID, ON_INIT, ADDRESS, { SET(sev_get_id, id_paddr, UNMAPPED) } },
    { SEV_RING_BUFFER, ON_INIT, PARAM, { SET(sev_ring_buffer, low_size, 0) } },
    { SEV_RING_BUFFER, ON_INIT, PARAM, { SET(sev_ring_buffer, low_size, 2) } },
    { SEV_RING_BUFFER, ON_INIT, PARAM, { SET(sev_ring_buffer, high_size, 2) } },
    { SEV_RING_BUFFER, ON_INIT, PARAM, { SET(sev_ring_buffer, flags, 2) } },
    { SEV_RING_BUFFER, ON_INIT, ADDRESS, { ADD(sev_ring_buffer, low_command_paddr, 64) } },
    { SEV_RING_BUFFER, ON_INIT, ADDRESS, { ADD(sev_ring_buffer, low_status_paddr, 64) } },
    { SEV_RING_BUFFER, ON_INIT, ADDRESS, { ADD(sev_ring_buffer, high_command_paddr, 64) } },
    { SEV_RING_BUFFER, ON_INIT, ADDRESS, { ADD(sev_ring_buffer, high_status_paddr, 64) } },
    { SEV_RING_BUFFER, ON_INIT, ADDRESS, { SET(sev_ring_buffer, low_command_paddr, BEYOND) } },
    { SEV_RING_BUFFER, ON_INIT, ADDRESS, { SET(sev_ring_buffer, high_status_paddr, UNMAPPED) } },
};

/* LAUNCH_START and RECEIVE_START; the id is put in. */
static const struct fault start_faults[] = {
    { 0, ON_INIT, LENGTH, { ADD(sev_launch_start, session_len, -1) } },
    { 0, ON_INIT, LENGTH, { ADD(sev_launch_start, session_len, 1) } },
    { 0, ON_INIT, LENGTH, { ADD(sev_launch_start, dh_cert_len, -1) } },
    { 0, ON_INIT, LENGTH, { ADD(sev_launch_start, dh_cert_len, 1) } },
    { 0, ON_INIT, ADDRESS, { SET(sev_launch_start, dh_cert_paddr, UNMAPPED) } },
    { 0, ON_INIT, ADDRESS, { SET(sev_launch_start, session_paddr, BEYOND) } },
    { 0, ON_INIT, SEV_INVALID_GUEST, { SET(sev_launch_start, handle, 1) } }, /* to share with */
    { 0, ON_INIT, SEV_INVALID_GUEST, { SET(sev_launch_start, handle, UINT32_MAX) } },
    { 0, ON_INIT, MAC, { SET(sev_launch_start, policy, SEV_POLICY_NODBG) } },
    { 0, ON_INIT, CERT, { FLIP(owner, 0x000) } },
    { 0, ON_INIT, CERT, { FLIP(owner, 0x008) } },
    { 0, ON_INIT, CERT, { FLIP(owner, 0x00C) } },
    { 0, ON_INIT, CERT, { FLIP(owner, 0x010) } },
    { 0, ON_INIT, CERT, { FLIP(owner, 0x014) } },
    { 0, ON_INIT, CERT, { FLIP(owner, 0x05C) } },
    { 0, ON_INIT, MAC, { FLIP(owner_session.nonce, 0) } },
    { 0, ON_INIT, MAC, { FLIP(owner_session.wrap_tk, 0) } },
    { 0, ON_INIT, MAC, { FLIP(owner_session.wrap_iv, 15) } },
    { 0, ON_INIT, MAC, { FLIP(owner_session.wrap_mac, 31) } },
    { 0, ON_INIT, MAC, { FLIP(owner_session.policy_mac, 0) } },
    { 0, ON_INIT, POLICY, { { 0 } }, 0x40 },       /* reserved bits */
    { 0, ON_INIT, POLICY, { { 0 } }, 0x8000 },
    { 0, ON_INIT, POLICY, { { 0 } }, 0x19000000 }, /* API 0.25 */
    { 0, ON_INIT, POLICY, { { 0 } }, 0x00010000 }, /* API 1.0 */
};

static const struct fault guest_faults[] = {
    { SEV_ACTIVATE, UNBOUND(LUPDATE), NO_ASID, { SET(sev_activate, asid, 0) } },
    { SEV_ACTIVATE, UNBOUND(LUPDATE), NO_ASID, { SET(sev_activate, asid, 4) } }, /* for SEV-ES */
    { SEV_ACTIVATE, UNBOUND(LUPDATE), NO_ASID, { SET(sev_activate, asid, 5) }, SEV_POLICY_ES },
    { SEV_ACTIVATE, UNBOUND(RUNNING), NO_ASID, { SET(sev_activate, asid, 509) }, SEV_POLICY_ES },
    { SEV_ACTIVATE, UNBOUND(RUNNING), NO_ASID, { SET(sev_activate, asid, 510) } },
    { SEV_ACTIVATE, UNBOUND(RUPDATE), NO_ASID, { SET(sev_activate, asid, UINT32_MAX) } },
    { SEV_ACTIVATE_EX, UNBOUND(LUPDATE), PARAM, { ADD(sev_activate_ex, length, -1) } },
    { SEV_ACTIVATE_EX, UNBOUND(LUPDATE), PARAM, { ADD(sev_activate_ex, length, 1) } },
    { SEV_ACTIVATE_EX, UNBOUND(LUPDATE), PARAM, { SET(sev_activate_ex, numids, 0) } },
    { SEV_ACTIVATE_EX, UNBOUND(LUPDATE), PARAM, { SET(sev_activate_ex, numids, 129) } },
    { SEV_ACTIVATE_EX, UNBOUND(LUPDATE), PARAM, { SET(sev_activate_ex, numids, UINT32_MAX) } },
    { SEV_ACTIVATE_EX, UNBOUND(LUPDATE), PARAM, { FLIP(apic_ids, 1) } }, /* thread 256 */
    { SEV_ACTIVATE_EX, UNBOUND(LUPDATE), ADDRESS, { SET(sev_activate_ex, ids_paddr, UNMAPPED) } },
    { SEV_ACTIVATE_EX, UNBOUND(LUPDATE), ADDRESS, { SET(sev_activate_ex, ids_paddr, BEYOND - 4) } },
    { SEV_ACTIVATE_EX, UNBOUND(LUPDATE), NO_ASID, { SET(sev_activate_ex, asid, 0) } },
    { SEV_ACTIVATE_EX, UNBOUND(RUNNING), NO_ASID, { SET(sev_activate_ex, asid, 4) } },
    { SEV_ACTIVATE_EX, UNBOUND(LUPDATE), NO_ASID, { SET(sev_activate_ex, asid, 510) } },
    { SEV_ACTIVATE_EX, UNBOUND(LUPDATE), NO_ASID, { SET(sev_activate_ex, asid, 5) }, SEV_POLICY_ES },
    { SEV_ACTIVATE_EX, BOUND(LUPDATE), SEV_ACTIVE, { ADD(sev_activate_ex, asid, 1) } },

    { SEV_LAUNCH_UPDATE_DATA, BOUND(LUPDATE), ADDRESS, { ADD(sev_launch_update_data, paddr, 8) } },
    { SEV_LAUNCH_UPDATE_DATA, BOUND(LUPDATE), ADDRESS,
      { SET(sev_launch_update_data, paddr, BEYOND) } },
    { SEV_LAUNCH_UPDATE_DATA, BOUND(LUPDATE), ADDRESS,
      { SET(sev_launch_update_data, paddr, BEYOND - 16) } },
    { SEV_LAUNCH_UPDATE_DATA, BOUND(LUPDATE), ADDRESS,
      { POINT(sev_launch_update_data, paddr, out) } }, /* the host's memory has no key */
    { SEV_LAUNCH_UPDATE_DATA, BOUND(LUPDATE), ADDRESS, { SET(sev_launch_update_data, paddr, LAST) } },
    { SEV_LAUNCH_UPDATE_DATA, BOUND(LUPDATE), ADDRESS,
      { SET(sev_launch_update_data, length, SCENE_LARGE) } },
    { SEV_LAUNCH_UPDATE_DATA, BOUND(LUPDATE), LENGTH, { SET(sev_launch_update_data, length, 0) } },
    { SEV_LAUNCH_UPDATE_DATA, BOUND(LUPDATE), LENGTH, { ADD(sev_launch_update_data, length, 8) } },
    { SEV_LAUNCH_UPDATE_VMSA, BOUND(LUPDATE), LENGTH, { ADD(sev_launch_update_data, length, -16) },
      SEV_POLICY_ES },
    { SEV_LAUNCH_UPDATE_VMSA, BOUND(LUPDATE), LENGTH, { ADD(sev_launch_update_data, length, 16) },
      SEV_POLICY_ES },
    { SEV_LAUNCH_UPDATE_VMSA, BOUND(LUPDATE), ADDRESS, { ADD(sev_launch_update_data, paddr, 8) },
      SEV_POLICY_ES },
    { SEV_LAUNCH_UPDATE_VMSA, BOUND(LUPDATE), ADDRESS,
      { SET(sev_launch_update_data, paddr, SCENE_TARGET + 8) }, SEV_POLICY_ES },
    { SEV_LAUNCH_UPDATE_VMSA, BOUND(LUPDATE), ADDRESS,
      { SET(sev_launch_update_data, paddr, UNMAPPED) }, SEV_POLICY_ES },
    { SEV_LAUNCH_UPDATE_VMSA, BOUND(LUPDATE), ADDRESS,
      { SET(sev_launch_update_data, paddr, BEYOND - 16) }, SEV_POLICY_ES },
    { SEV_LAUNCH_UPDATE_VMSA, BOUND(LUPDATE), LACKING, { { 0 } } }, /* not a SEV-ES guest */
    { SEV_LAUNCH_MEASURE, BOUND(LUPDATE), LENGTH, { ADD(sev_launch_measure, measure_len, -1) } },
    { SEV_LAUNCH_MEASURE, BOUND(LUPDATE), LENGTH, { SET(sev_launch_measure, measure_len, 0) } },
    { SEV_LAUNCH_MEASURE, BOUND(LUPDATE), ADDRESS,
      { SET(sev_launch_measure, measure_paddr, UNMAPPED) } },
    { SEV_LAUNCH_MEASURE, BOUND(LUPDATE), ADDRESS,
      { SET(sev_launch_measure, measure_paddr, BEYOND - 16) } },

    { SEV_LAUNCH_SECRET, BOUND(LSECRET), ADDRESS, { ADD(sev_launch_secret, guest_paddr, 8) } },
    { SEV_LAUNCH_SECRET, BOUND(LSECRET), ADDRESS,
      { SET(sev_launch_secret, guest_paddr, BEYOND - 16) } },
    { SEV_LAUNCH_SECRET, BOUND(LSECRET), ADDRESS, { POINT(sev_launch_secret, guest_paddr, out) } },
    { SEV_LAUNCH_SECRET, BOUND(LSECRET), ADDRESS, { SET(sev_launch_secret, hdr_paddr, UNMAPPED) } },
    { SEV_LAUNCH_SECRET, BOUND(LSECRET), ADDRESS, { SET(sev_launch_secret, trans_paddr, UNMAPPED) } },
    { SEV_LAUNCH_SECRET, BOUND(LSECRET), LENGTH, { ADD(sev_launch_secret, hdr_len, -1) } },
    { SEV_LAUNCH_SECRET, BOUND(LSECRET), LENGTH, { ADD(sev_launch_secret, hdr_len, 1) } },
    { SEV_LAUNCH_SECRET, BOUND(LSECRET), LENGTH, { ADD(sev_launch_secret, guest_len, 16) } },
    { SEV_LAUNCH_SECRET, BOUND(LSECRET), LENGTH, { ADD(sev_launch_secret, trans_len, -16) } },
    { SEV_LAUNCH_SECRET, BOUND(LSECRET), LENGTH,
      { SET(sev_launch_secret, guest_len, 0), SET(sev_launch_secret, trans_len, 0) } },
    { SEV_LAUNCH_SECRET, BOUND(LSECRET), LENGTH,
      { SET(sev_launch_secret, guest_len, 24), SET(sev_launch_secret, trans_len, 24) } },
    { SEV_LAUNCH_SECRET, BOUND(LSECRET), LENGTH,
      { SET(sev_launch_secret, guest_len, 0x5010), SET(sev_launch_secret, trans_len, 0x5010) } },
    { SEV_LAUNCH_SECRET, BOUND(LSECRET), MAC, { FLIP(secret_header.flags, 1) } },
    { SEV_LAUNCH_SECRET, BOUND(LSECRET), MAC, { FLIP(secret_header.flags, 0) } },
    { SEV_LAUNCH_SECRET, BOUND(LSECRET), MAC, { FLIP(secret_header.iv, 0) } },
    { SEV_LAUNCH_SECRET, BOUND(LSECRET), MAC, { FLIP(secret_header.mac, 31) } },
    { SEV_LAUNCH_SECRET, BOUND(LSECRET), MAC, { FLIP(secret, 63) } },
    { SEV_LAUNCH_SECRET, BOUND(LSECRET), MAC,
      { ADD(sev_launch_secret, guest_len, -16), ADD(sev_launch_secret, trans_len, -16) } },
    { SEV_ATTESTATION, BOUND(LSECRET), LENGTH, { ADD(sev_attestation, length, -1) } },
    { SEV_ATTESTATION, BOUND(RUNNING), LENGTH, { SET(sev_attestation, length, 0) } },
    { SEV_ATTESTATION, BOUND(SENT), ADDRESS, { SET(sev_attestation, paddr, UNMAPPED) } },

    { SEV_SEND_START, BOUND(RUNNING), LENGTH, { SET(sev_send_start, session_len, 0) } },
    { SEV_SEND_START, BOUND(RUNNING), LENGTH, { ADD(sev_send_start, session_len, -1) } },
    { SEV_SEND_START, BOUND(RUNNING), LENGTH, { ADD(sev_send_start, session_len, 1) } },
    { SEV_SEND_START, BOUND(RUNNING), LENGTH, { ADD(sev_send_start, pdh_cert_len, -1) } },
    { SEV_SEND_START, BOUND(RUNNING), LENGTH, { ADD(sev_send_start, pdh_cert_len, 1) } },
    { SEV_SEND_START, BOUND(RUNNING), ADDRESS, { SET(sev_send_start, pdh_cert_paddr, UNMAPPED) } },
    { SEV_SEND_START, BOUND(RUNNING), ADDRESS, { SET(sev_send_start, session_paddr, UNMAPPED) } },
    { SEV_SEND_START, BOUND(RUNNING), CERT, { FLIP(pdh, 0x000) } },
    { SEV_SEND_START, BOUND(RUNNING), CERT, { FLIP(pdh, 0x008) } },
    { SEV_SEND_START, BOUND(RUNNING), CERT, { FLIP(pdh, 0x00C) } },
    { SEV_SEND_START, BOUND(RUNNING), CERT, { FLIP(pdh, 0x014) } },
    { SEV_SEND_START, BOUND(RUNNING), POLICY, { { 0 } }, SEV_POLICY_NOSEND },
    { SEV_SEND_START, BOUND(RUNNING), LENGTH, { ADD(sev_send_start, plat_certs_len, -1) },
      SEV_POLICY_DOMAIN },
    { SEV_SEND_START, BOUND(RUNNING), LENGTH, { ADD(sev_send_start, plat_certs_len, 1) },
      SEV_POLICY_DOMAIN },
    { SEV_SEND_START, BOUND(RUNNING), ADDRESS, { SET(sev_send_start, plat_certs_paddr, UNMAPPED) },
      SEV_POLICY_DOMAIN },
    { SEV_SEND_START, BOUND(RUNNING), SIGN, { FLIP(pdh, 0x41C) }, SEV_POLICY_DOMAIN },
    { SEV_SEND_START, BOUND(RUNNING), SIGN, { FLIP(chain, 0x41C) }, SEV_POLICY_DOMAIN },
    { SEV_SEND_START, BOUND(RUNNING), SIGN, { FLIP(chain, 0x824 + 0x41C) }, SEV_POLICY_DOMAIN },
    { SEV_SEND_START, BOUND(RUNNING), LENGTH, { { 0 } }, SEV_POLICY_SEV }, /* no AMD certificates */

    { SEV_SEND_UPDATE_DATA, BOUND(SUPDATE), LENGTH, { ADD(sev_launch_secret, hdr_len, -1) } },
    { SEV_SEND_UPDATE_DATA, BOUND(SUPDATE), LENGTH, { SET(sev_launch_secret, hdr_len, 0) } },
    { SEV_SEND_UPDATE_DATA, BOUND(SUPDATE), LENGTH, { SET(sev_launch_secret, guest_len, 0) } },
    { SEV_SEND_UPDATE_DATA, BOUND(SUPDATE), LENGTH, { ADD(sev_launch_secret, guest_len, -8) } },
    { SEV_SEND_UPDATE_DATA, BOUND(SUPDATE), LENGTH, { ADD(sev_launch_secret, trans_len, -16) } },
    { SEV_SEND_UPDATE_DATA, BOUND(SUPDATE), LENGTH,
      { SET(sev_launch_secret, guest_len, 0x5010), SET(sev_launch_secret, trans_len, 0x5010) } },
    { SEV_SEND_UPDATE_DATA, BOUND(SUPDATE), ADDRESS, { ADD(sev_launch_secret, guest_paddr, 8) } },
    { SEV_SEND_UPDATE_DATA, BOUND(SUPDATE), ADDRESS,
      { SET(sev_launch_secret, guest_paddr, BEYOND - 16) } },
    { SEV_SEND_UPDATE_DATA, BOUND(SUPDATE), ADDRESS,
      { POINT(sev_launch_secret, guest_paddr, out) } },
    { SEV_SEND_UPDATE_DATA, BOUND(SUPDATE), ADDRESS, { SET(sev_launch_secret, hdr_paddr, UNMAPPED) } },
    { SEV_SEND_UPDATE_DATA, BOUND(SUPDATE), ADDRESS,
      { SET(sev_launch_secret, trans_paddr, UNMAPPED) } },

    { SEV_SEND_UPDATE_VMSA, BOUND(SUPDATE), LACKING, { { 0 } } },
    { SEV_SEND_UPDATE_VMSA, BOUND(SUPDATE), LENGTH, { ADD(sev_launch_secret, hdr_len, -1) },
      SEV_POLICY_ES },
    { SEV_SEND_UPDATE_VMSA, BOUND(SUPDATE), LENGTH, { ADD(sev_launch_secret, guest_len, -16) },
      SEV_POLICY_ES },
    { SEV_SEND_UPDATE_VMSA, BOUND(SUPDATE), LENGTH,
      { ADD(sev_launch_secret, guest_len, 16), ADD(sev_launch_secret, trans_len, 16) },
      SEV_POLICY_ES },
    { SEV_SEND_UPDATE_VMSA, BOUND(SUPDATE), LENGTH, { ADD(sev_launch_secret, trans_len, -16) },
      SEV_POLICY_ES },
    { SEV_SEND_UPDATE_VMSA, BOUND(SUPDATE), ADDRESS, { ADD(sev_launch_secret, guest_paddr, 8) },
      SEV_POLICY_ES },
    { SEV_SEND_UPDATE_VMSA, BOUND(SUPDATE), ADDRESS,
      { SET(sev_launch_secret, guest_paddr, FIRMWARE_BASE + 8) }, SEV_POLICY_ES },
    { SEV_SEND_UPDATE_VMSA, BOUND(SUPDATE), ADDRESS,
      { SET(sev_launch_secret, guest_paddr, UNMAPPED) }, SEV_POLICY_ES },
    { SEV_SEND_UPDATE_VMSA, BOUND(SUPDATE), ADDRESS, { SET(sev_launch_secret, hdr_paddr, UNMAPPED) },
      SEV_POLICY_ES },
    { SEV_SEND_UPDATE_VMSA, BOUND(SUPDATE), ADDRESS,
      { SET(sev_launch_secret, trans_paddr, UNMAPPED) }, SEV_POLICY_ES },
    { SEV_SEND_UPDATE_VMSA, BOUND(SUPDATE), PARAM, /* no VMSA */
      { SET(sev_launch_secret, guest_paddr, FIRMWARE_BASE) }, SEV_POLICY_ES },
    { SEV_SEND_UPDATE_VMSA, BOUND(SUPDATE), PARAM, { FLIP(vmsa, 0x178) }, SEV_POLICY_ES },

    { SEV_RECEIVE_UPDATE_VMSA, BOUND(RUPDATE), LACKING, { { 0 } } },
    { SEV_RECEIVE_UPDATE_VMSA, BOUND(RUPDATE), LENGTH, { ADD(sev_launch_secret, hdr_len, -1) },
      SEV_POLICY_ES },
    { SEV_RECEIVE_UPDATE_VMSA, BOUND(RUPDATE), LENGTH,
      { ADD(sev_launch_secret, guest_len, -16), ADD(sev_launch_secret, trans_len, -16) },
      SEV_POLICY_ES },
    { SEV_RECEIVE_UPDATE_VMSA, BOUND(RUPDATE), LENGTH, { ADD(sev_launch_secret, trans_len, 16) },
      SEV_POLICY_ES },
    { SEV_RECEIVE_UPDATE_VMSA, BOUND(RUPDATE), ADDRESS, { ADD(sev_launch_secret, guest_paddr, 8) },
      SEV_POLICY_ES },
    { SEV_RECEIVE_UPDATE_VMSA, BOUND(RUPDATE), ADDRESS,
      { SET(sev_launch_secret, guest_paddr, SCENE_TARGET + 8) }, SEV_POLICY_ES },
    { SEV_RECEIVE_UPDATE_VMSA, BOUND(RUPDATE), ADDRESS,
      { SET(sev_launch_secret, guest_paddr, BEYOND - 16) }, SEV_POLICY_ES },
    { SEV_RECEIVE_UPDATE_VMSA, BOUND(RUPDATE), ADDRESS,
      { SET(sev_launch_secret, hdr_paddr, UNMAPPED) }, SEV_POLICY_ES },
    { SEV_RECEIVE_UPDATE_VMSA, BOUND(RUPDATE), ADDRESS,
      { SET(sev_launch_secret, trans_paddr, UNMAPPED) }, SEV_POLICY_ES },
    { SEV_RECEIVE_UPDATE_VMSA, BOUND(RUPDATE), LACKING, { FLIP(vmsa_header.flags, 0) },
      SEV_POLICY_ES },
    { SEV_RECEIVE_UPDATE_VMSA, BOUND(RUPDATE), MAC, { FLIP(vmsa_header.iv, 15) }, SEV_POLICY_ES },
    { SEV_RECEIVE_UPDATE_VMSA, BOUND(RUPDATE), MAC, { FLIP(vmsa_header.mac, 0) }, SEV_POLICY_ES },
    { SEV_RECEIVE_UPDATE_VMSA, BOUND(RUPDATE), MAC, { FLIP(vmsa_packet, 0xFFF) }, SEV_POLICY_ES },

    { SEV_RECEIVE_UPDATE_DATA, BOUND(RUPDATE), LENGTH, { ADD(sev_launch_secret, hdr_len, -1) } },
    { SEV_RECEIVE_UPDATE_DATA, BOUND(RUPDATE), LENGTH, { ADD(sev_launch_secret, guest_len, 16) } },
    { SEV_RECEIVE_UPDATE_DATA, BOUND(RUPDATE), LENGTH, { ADD(sev_launch_secret, trans_len, -16) } },
    { SEV_RECEIVE_UPDATE_DATA, BOUND(RUPDATE), LENGTH,
      { SET(sev_launch_secret, guest_len, 0), SET(sev_launch_secret, trans_len, 0) } },
    { SEV_RECEIVE_UPDATE_DATA, BOUND(RUPDATE), LENGTH,
      { SET(sev_launch_secret, guest_len, 24), SET(sev_launch_secret, trans_len, 24) } },
    { SEV_RECEIVE_UPDATE_DATA, BOUND(RUPDATE), LENGTH,
      { SET(sev_launch_secret, guest_len, 0x5010), SET(sev_launch_secret, trans_len, 0x5010) } },
    { SEV_RECEIVE_UPDATE_DATA, BOUND(RUPDATE), ADDRESS, { ADD(sev_launch_secret, guest_paddr, 8) } },
    { SEV_RECEIVE_UPDATE_DATA, BOUND(RUPDATE), ADDRESS,
      { SET(sev_launch_secret, guest_paddr, BEYOND - 16) } },
    { SEV_RECEIVE_UPDATE_DATA, BOUND(RUPDATE), ADDRESS,
      { POINT(sev_launch_secret, guest_paddr, out) } },
    { SEV_RECEIVE_UPDATE_DATA, BOUND(RUPDATE), ADDRESS,
      { SET(sev_launch_secret, hdr_paddr, UNMAPPED) } },
    { SEV_RECEIVE_UPDATE_DATA, BOUND(RUPDATE), ADDRESS,
      { SET(sev_launch_secret, trans_paddr, UNMAPPED) } },
    { SEV_RECEIVE_UPDATE_DATA, BOUND(RUPDATE), LACKING, { FLIP(header.flags, 0) } }, /* compressed */
    { SEV_RECEIVE_UPDATE_DATA, BOUND(RUPDATE), MAC, { FLIP(header.flags, 3) } },
    { SEV_RECEIVE_UPDATE_DATA, BOUND(RUPDATE), MAC, { FLIP(header.iv, 15) } },
    { SEV_RECEIVE_UPDATE_DATA, BOUND(RUPDATE), MAC, { FLIP(header.mac, 0) } },
    { SEV_RECEIVE_UPDATE_DATA, BOUND(RUPDATE), MAC, { FLIP(packet, 0) } },

    { SEV_COPY, BOUND(RUNNING), ADDRESS, { ADD(sev_copy, src_paddr, 16) } },
    { SEV_COPY, BOUND(RUNNING), ADDRESS, { ADD(sev_copy, dst_paddr, 16) } },
    { SEV_COPY, BOUND(RUNNING), ADDRESS, { SET(sev_copy, src_paddr, BEYOND) } },
    { SEV_COPY, BOUND(RUNNING), ADDRESS, { SET(sev_copy, dst_paddr, BEYOND) } },
    { SEV_COPY, BOUND(RUNNING), ADDRESS, { POINT(sev_copy, src_paddr, page) } },
    { SEV_COPY, BOUND(RUNNING), ADDRESS, { POINT(sev_copy, dst_paddr, page) } },
    { SEV_COPY, BOUND(RUNNING), ADDRESS, { SET(sev_copy, length, SCENE_LARGE) } },
    { SEV_COPY, BOUND(RUNNING), LENGTH, { SET(sev_copy, length, 0) } },
    { SEV_COPY, BOUND(RUNNING), LENGTH, { ADD(sev_copy, length, 16) } },
    { SEV_DBG_DECRYPT, BOUND(RUNNING), ADDRESS, { ADD(sev_dbg, src_paddr, 8) } },
    { SEV_DBG_DECRYPT, BOUND(RUNNING), ADDRESS, { ADD(sev_dbg, dst_paddr, 8) } },
    { SEV_DBG_DECRYPT, BOUND(RUNNING), ADDRESS, { SET(sev_dbg, src_paddr, BEYOND) } },
    { SEV_DBG_DECRYPT, BOUND(RUNNING), ADDRESS, { POINT(sev_dbg, src_paddr, page) } },
    { SEV_DBG_DECRYPT, BOUND(RUNNING), ADDRESS, { SET(sev_dbg, dst_paddr, UNMAPPED) } },
    { SEV_DBG_DECRYPT, BOUND(RUNNING), LENGTH, { SET(sev_dbg, length, 0) } },
    { SEV_DBG_DECRYPT, BOUND(RUNNING), LENGTH, { ADD(sev_dbg, length, -8) } },
    { SEV_DBG_DECRYPT, BOUND(RUNNING), POLICY, { { 0 } }, SEV_POLICY_NODBG },
    { SEV_DBG_ENCRYPT, BOUND(RUNNING), ADDRESS, { ADD(sev_dbg, src_paddr, 8) } },
    { SEV_DBG_ENCRYPT, BOUND(RUNNING), ADDRESS, { ADD(sev_dbg, dst_paddr, 8) } },
    { SEV_DBG_ENCRYPT, BOUND(RUNNING), ADDRESS, { SET(sev_dbg, src_paddr, UNMAPPED) } },
    { SEV_DBG_ENCRYPT, BOUND(RUNNING), ADDRESS, { SET(sev_dbg, dst_paddr, BEYOND) } },
    { SEV_DBG_ENCRYPT, BOUND(RUNNING), ADDRESS, { POINT(sev_dbg, dst_paddr, page) } },
    { SEV_DBG_ENCRYPT, BOUND(RUNNING), LENGTH, { SET(sev_dbg, length, 0) } },
    { SEV_DBG_ENCRYPT, BOUND(RUNNING), LENGTH, { ADD(sev_dbg, length, -8) } },
    { SEV_DBG_ENCRYPT, BOUND(RUNNING), POLICY, { { 0 } }, SEV_POLICY_NODBG },

    { SEV_SWAP_OUT, BOUND(RUNNING), ADDRESS, { ADD(sev_swap_out, src_paddr, 64) } },
    { SEV_SWAP_OUT, BOUND(RUNNING), ADDRESS, { ADD(sev_swap_out, dst_paddr, 64) } },
    { SEV_SWAP_OUT, BOUND(RUNNING), ADDRESS, { ADD(sev_swap_out, mdata_paddr, 32) } },
    { SEV_SWAP_OUT, BOUND(RUNNING), ADDRESS, { SET(sev_swap_out, src_paddr, BEYOND) } },
    { SEV_SWAP_OUT, BOUND(RUNNING), ADDRESS, { POINT(sev_swap_out, src_paddr, page) } },
    { SEV_SWAP_OUT, BOUND(RUNNING), ADDRESS, { SET(sev_swap_out, dst_paddr, UNMAPPED) } },
    { SEV_SWAP_OUT, BOUND(RUNNING), ADDRESS, { SET(sev_swap_out, mdata_paddr, UNMAPPED) } },
    { SEV_SWAP_OUT, BOUND(RUNNING), ADDRESS, { SET(sev_swap_out, flags, SEV_SWAP_LARGE) } },
    { SEV_SWAP_OUT, BOUND(RUNNING), PARAM, { POINT(sev_swap_out, mdata_paddr, page[0xFC0]) } },
    { SEV_SWAP_OUT, BOUND(RUNNING), PARAM, { SET(sev_swap_out, mdata_paddr, FIRMWARE_BASE) } },
    { SEV_SWAP_OUT, BOUND(RUNNING), PARAM, { SET(sev_swap_out, flags, 2) } }, /* a type unknown */
    { SEV_SWAP_OUT, BOUND(RUNNING), PARAM, { SET(sev_swap_out, flags, SEV_SWAP_IN_PLACE) } },
    { SEV_SWAP_OUT, BOUND(RUNNING), PARAM, { SET(sev_swap_out, flags, 0x80000000) } },
    { SEV_SWAP_OUT, BOUND(RUNNING), PARAM, { SET(sev_swap_out, flags, 5) } }, /* a large VMSA */
    { SEV_SWAP_OUT, BOUND(RUNNING), LACKING, { SET(sev_swap_out, flags, 4) } }, /* a VMSA */
    { SEV_SWAP_OUT, BOUND(RUNNING), PARAM, { SET(sev_swap_out, flags, 4) }, SEV_POLICY_ES }, /* none */
    { SEV_SWAP_OUT, BOUND(RUNNING), PARAM, { SET(sev_swap_out, flags, 5) }, SEV_POLICY_ES },
    { SEV_SWAP_OUT, BOUND(RUNNING), PARAM,
      { SET(sev_swap_out, flags, 0xC), POINT(sev_swap_out, src_paddr, vmsa) }, SEV_POLICY_ES },
    { SEV_SWAP_OUT, BOUND(RUNNING), ADDRESS,
      { SET(sev_swap_out, flags, 4), SET(sev_swap_out, src_paddr, UNMAPPED) }, SEV_POLICY_ES },
    { SEV_SWAP_IN, BOUND(RUNNING), ADDRESS, { ADD(sev_swap_in, src_paddr, 64) } },
    { SEV_SWAP_IN, BOUND(RUNNING), ADDRESS, { ADD(sev_swap_in, dst_paddr, 64) } },
    { SEV_SWAP_IN, BOUND(RUNNING), ADDRESS, { ADD(sev_swap_in, mdata_paddr, 32) } },
    { SEV_SWAP_IN, BOUND(RUNNING), ADDRESS, { SET(sev_swap_in, src_paddr, UNMAPPED) } },
    { SEV_SWAP_IN, BOUND(RUNNING), ADDRESS, { SET(sev_swap_in, dst_paddr, BEYOND) } },
    { SEV_SWAP_IN, BOUND(RUNNING), ADDRESS, { POINT(sev_swap_in, dst_paddr, out) } },
    { SEV_SWAP_IN, BOUND(RUNNING), ADDRESS, { SET(sev_swap_in, mdata_paddr, UNMAPPED) } },
    { SEV_SWAP_IN, BOUND(RUNNING), ADDRESS, { SET(sev_swap_in, flags, SEV_SWAP_LARGE) } },
    { SEV_SWAP_IN, BOUND(RUNNING), PARAM, { POINT(sev_swap_in, mdata_paddr, page) } },
    { SEV_SWAP_IN, BOUND(RUNNING), PARAM, { SET(sev_swap_in, mdata_paddr, SCENE_TARGET) } },
    { SEV_SWAP_IN, BOUND(RUNNING), PARAM, { SET(sev_swap_in, flags, 6) } },
    { SEV_SWAP_IN, BOUND(RUNNING), PARAM, { SET(sev_swap_in, flags, 16) } },
    { SEV_SWAP_IN, BOUND(RUNNING), PARAM, { SET(sev_swap_in, flags, 5) } },
    { SEV_SWAP_IN, BOUND(RUNNING), LACKING, { SET(sev_swap_in, flags, 4) } },
    { SEV_SWAP_IN, BOUND(RUNNING), LACKING, { SET(sev_swap_in, flags, SEV_SWAP_IN_PLACE) } },
    { SEV_SWAP_IN, BOUND(RUNNING), PARAM, { FLIP(entry.flags, 0) } }, /* not what the command says */
    { SEV_SWAP_IN, BOUND(RUNNING), MAC, { FLIP(entry.software_data, 0) } },
    { SEV_SWAP_IN, BOUND(RUNNING), MAC, { FLIP(entry.iv, 0) } },
    { SEV_SWAP_IN, BOUND(RUNNING), MAC, { FLIP(entry.tag, 15) } },
    { SEV_SWAP_IN, BOUND(RUNNING), MAC, { FLIP(entry.reserved, 0) } },
    { SEV_SWAP_IN, BOUND(RUNNING), MAC, { FLIP(page, 0xFFF) } },
};

/* ---- trying them ---- */

static void enter(struct scene *scene, const struct fault *fault)
{
    scene->policy = fault->policy;
    if (fault->where < 0x10)
        scene_platform(scene, (enum sev_platform_state)fault->where);
    else
        scene_guest(scene, (enum sev_guest_state)(fault->where & 0xF), fault->where < 0x20);
}

static void apply(struct scene *scene, const struct edit *edit, uint8_t *buffer)
{
    uint64_t value = 0;
    if (edit->kind == NO_EDIT)
        return;
    if (edit->kind == FLIP) {
        ((uint8_t *)scene->data)[edit->at] ^= (uint8_t)edit->value;
        return;
    }
    if (edit->kind == ADD)
        memcpy(&value, buffer + edit->at, edit->size);
    value += edit->value + (edit->kind == POINT ? scene->window : 0);
    memcpy(buffer + edit->at, &value, edit->size);
}

static uint16_t without_fault(unsigned id)
{
    if (id == SEV_DOWNLOAD_FIRMWARE)
        return SEV_BAD_SIGNATURE; /* foreign as any */
    return SEV_SUCCESS;
}

/* Those whose caller learns the length that is needed. */
static bool tells_length(unsigned id)
{
    static const uint16_t ids[] = { SEV_PEK_CSR, SEV_PDH_CERT_EXPORT, SEV_GET_ID,
                                    SEV_LAUNCH_MEASURE, SEV_ATTESTATION, SEV_SEND_START,
                                    SEV_SEND_UPDATE_DATA, SEV_SEND_UPDATE_VMSA, SEV_SWAP_OUT };
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        if (ids[i] == id)
            return true;
    }
    return false;
}

static unsigned guest_now(struct scene *scene)
{
    const struct chip_guest *guest = guest_by_handle(scene->rig->chip, scene->handle);
    return guest ? guest->state : SEV_GUEST_UNINIT;
}

static void try_fault(struct scene *scene, unsigned id, const struct fault *fault, size_t row)
{
    uint8_t good[CHIP_BUFFER_MAX], bad[CHIP_BUFFER_MAX], before[CHIP_BUFFER_MAX];
    struct chip *chip = scene->rig->chip;
    enter(scene, fault);
    scene_buffer(scene, id, good);
    memcpy(bad, good, sizeof(bad));
    apply(scene, &fault->edits[0], bad);
    apply(scene, &fault->edits[1], bad);
    memcpy(before, bad, sizeof(before));
    enum sev_platform_state platform = chip->state;
    unsigned guest = guest_now(scene);
    uint16_t status = chip_command(chip, id, bad);
    if (status != fault->expected)
        fail_msg("command 0x%x, fault %zu: %s instead of %s", id, row, sev_status_name(status),
                 sev_status_name(fault->expected));
    assert_int_equal(chip->state, platform);
    assert_int_equal(guest_now(scene), guest);
    if (status != SEV_INVALID_LENGTH || !tells_length(id))
        assert_memory_equal(bad, before, sizeof(bad));
    if (fault->edits[0].kind == NO_EDIT)
        return;
    for (int i = 0; i < 2 && fault->edits[i].kind == FLIP; i++)
        apply(scene, &fault->edits[i], NULL);
    expect(scene->rig, id, good, without_fault(id));
}

static void test_platform_fields(void **state)
{
    for (size_t i = 0; i < sizeof(platform_faults) / sizeof(platform_faults[0]); i++)
        try_fault(*state, platform_faults[i].id, &platform_faults[i], i);
}

static void test_start_fields(void **state)
{
    for (size_t i = 0; i < sizeof(start_faults) / sizeof(start_faults[0]); i++) {
        try_fault(*state, SEV_LAUNCH_START, &start_faults[i], i);
        try_fault(*state, SEV_RECEIVE_START, &start_faults[i], i);
    }
    /* Without a certificate LAUNCH_START has no session; who receives must have one. */
    struct scene *scene = *state;
    struct sev_launch_start start = { .policy = 0, .dh_cert_len = SEV_CERT_SIZE,
                                      .session_len = SEV_SESSION_SIZE };
    scene->policy = 0;
    scene_platform(scene, SEV_PLATFORM_INIT);
    expect(scene->rig, SEV_RECEIVE_START, &start, SEV_INVALID_CERTIFICATE);
    expect(scene->rig, SEV_LAUNCH_START, &start, SEV_SUCCESS);
}

static void test_guest_fields(void **state)
{
    for (size_t i = 0; i < sizeof(guest_faults) / sizeof(guest_faults[0]); i++)
        try_fault(*state, guest_faults[i].id, &guest_faults[i], i);
}

/* A handle of nobody, for each command of a guest that would else succeed. */
static void test_handles(void **state)
{
    static const uint32_t handles[] = { 0, CHIP_MAX_GUESTS, CHIP_MAX_GUESTS + 1, UINT32_MAX };
    struct scene *scene = *state;
    scene->policy = 0;
    scene_guest(scene, SEV_GUEST_RUNNING, true);
    for (unsigned id = SEV_DECOMMISSION; id <= SEV_SWAP_IN; id++) {
        struct chip_requirement requirement;
        if (!chip_requirement(id, &requirement) || !requirement.guest_states)
            continue;
        for (size_t i = 0; i < sizeof(handles) / sizeof(handles[0]); i++) {
            uint8_t buffer[CHIP_BUFFER_MAX];
            size_t at = id == SEV_ACTIVATE_EX ? offsetof(struct sev_activate_ex, handle) : 0;
            scene_buffer(scene, id, buffer);
            memcpy(buffer + at, &handles[i], sizeof(handles[i]));
            expect(scene->rig, id, buffer, SEV_INVALID_GUEST);
        }
    }
    struct sev_guest_status status = { UINT32_MAX, 7, 7, 7 };
    expect(scene->rig, SEV_GUEST_STATUS, &status, SEV_SUCCESS);
    assert_int_equal(status.policy | status.asid | status.state, 0);
}

/* No buffer at all, where there must be one. */
static void test_absent_buffer(void **state)
{
    struct scene *scene = *state;
    scene->policy = 0;
    for (unsigned id = 0; id <= SEV_SWAP_IN; id++) {
        const struct chip_command *command = chip_command_find(id);
        if (!command || !command->size)
            continue;
        unsigned now = SEV_PLATFORM_UNINIT;
        while (!(command->platform_states >> now & 1))
            now++;
        scene_platform(scene, (enum sev_platform_state)now);
        expect(scene->rig, id, NULL, SEV_INVALID_ADDRESS);
    }
}

/* A compressed secret whose MAC is right. */
static void test_compressed_secret(void **state)
{
    struct scene *scene = *state;
    struct scene_data *data = scene->data;
    uint8_t buffer[CHIP_BUFFER_MAX];
    scene->policy = 0;
    scene_guest(scene, SEV_GUEST_LSECRET, true);
    const struct chip_guest *guest = guest_by_handle(scene->rig->chip, scene->handle);
    data->secret_header.flags[0] = SEV_PACKET_COMPRESSED;
    assert_true(packet_mac(guest, SEV_PACKET_SECRET, &data->secret_header, data->secret,
                           sizeof(data->secret), guest->measurement, data->secret_header.mac));
    scene_buffer(scene, SEV_LAUNCH_SECRET, buffer);
    expect(scene->rig, SEV_LAUNCH_SECRET, buffer, SEV_UNSUPPORTED);
}

static void test_second_owner(void **state)
{
    struct scene *scene = *state;
    uint8_t buffer[CHIP_BUFFER_MAX];
    scene->policy = 0;
    scene_platform(scene, SEV_PLATFORM_INIT);
    scene_buffer(scene, SEV_PEK_CERT_IMPORT, buffer);
    expect(scene->rig, SEV_PEK_CERT_IMPORT, buffer, SEV_SUCCESS);
    scene_buffer(scene, SEV_PEK_CERT_IMPORT, buffer);
    expect(scene->rig, SEV_PEK_CERT_IMPORT, buffer, SEV_ALREADY_OWNED);
    memset(buffer, 0, sizeof(buffer));
    expect(scene->rig, SEV_PEK_CERT_IMPORT, buffer, SEV_ALREADY_OWNED); /* before anything else */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_platform_fields), TEST(test_start_fields),      TEST(test_guest_fields),
        TEST(test_handles),         TEST(test_absent_buffer),     TEST(test_compressed_secret),
        TEST(test_second_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
