/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Commands of the SEV API: identifiers, states and the layouts of their buffers (SEV API 0.24
 * chapters 5 and 6). Little-endian, byte-packed; *_paddr are system physical addresses.
 */
#ifndef PRIVET_SEV_COMMAND_H
#define PRIVET_SEV_COMMAND_H

#include <stdint.h>

enum sev_command {
    SEV_INIT = 0x001,
    SEV_SHUTDOWN = 0x002,
    SEV_PLATFORM_RESET = 0x003,
    SEV_PLATFORM_STATUS = 0x004,
    SEV_PEK_GEN = 0x005,
    SEV_PEK_CSR = 0x006,
    SEV_PEK_CERT_IMPORT = 0x007,
    SEV_PDH_CERT_EXPORT = 0x008,
    SEV_PDH_GEN = 0x009,
    SEV_DF_FLUSH = 0x00A,
    SEV_DOWNLOAD_FIRMWARE = 0x00B,
    SEV_GET_ID = 0x00C,
    SEV_INIT_EX = 0x00D,
    SEV_NOP = 0x00E,
    SEV_RING_BUFFER = 0x00F,
    SEV_DECOMMISSION = 0x020,
    SEV_ACTIVATE = 0x021,
    SEV_DEACTIVATE = 0x022,
    SEV_GUEST_STATUS = 0x023,
    SEV_COPY = 0x024,
    SEV_ACTIVATE_EX = 0x025,
    SEV_LAUNCH_START = 0x030,
    SEV_LAUNCH_UPDATE_DATA = 0x031,
    SEV_LAUNCH_UPDATE_VMSA = 0x032,
    SEV_LAUNCH_MEASURE = 0x033,
    SEV_LAUNCH_SECRET = 0x034,
    SEV_LAUNCH_FINISH = 0x035,
    SEV_ATTESTATION = 0x036,
    SEV_SEND_START = 0x040,
    SEV_SEND_UPDATE_DATA = 0x041,
    SEV_SEND_UPDATE_VMSA = 0x042,
    SEV_SEND_FINISH = 0x043,
    SEV_SEND_CANCEL = 0x044,
    SEV_RECEIVE_START = 0x050,
    SEV_RECEIVE_UPDATE_DATA = 0x051,
    SEV_RECEIVE_UPDATE_VMSA = 0x052,
    SEV_RECEIVE_FINISH = 0x053,
    SEV_DBG_DECRYPT = 0x060,
    SEV_DBG_ENCRYPT = 0x061,
    SEV_SWAP_OUT = 0x070,
    SEV_SWAP_IN = 0x071,
};

enum sev_platform_state { SEV_PLATFORM_UNINIT, SEV_PLATFORM_INIT, SEV_PLATFORM_WORKING };

enum sev_guest_state {
    SEV_GUEST_UNINIT,
    SEV_GUEST_LUPDATE,
    SEV_GUEST_LSECRET,
    SEV_GUEST_RUNNING,
    SEV_GUEST_SUPDATE,
    SEV_GUEST_RUPDATE,
    SEV_GUEST_SENT,
};

/* "working", "launch-update"; "unknown" for what the API does not define. */
const char *sev_platform_state_name(unsigned state);
const char *sev_guest_state_name(unsigned state);

#define SEV_ID_SIZE 0x40u /* GET_ID, per socket */

#define SEV_INIT_ES   1u /* INIT flags: enable SEV-ES */
#define SEV_CONFIG_ES 1u /* PLATFORM_STATUS config: it is enabled */

#define SEV_NV_SIZE 0x8000u /* the area of INIT_EX */

#define SEV_VMSA_SIZE 0x1000u

#define SEV_TMR_SIZE 0x100000u /* the trusted memory region, aligned to its size */

#define SEV_RING_BUFFER_INTERRUPT 1u /* RING_BUFFER flags: when a queue is empty */

/* SWAP flags; bits 2:1 are the type of page: 0 data, 2 VMSA. */
#define SEV_SWAP_LARGE    1u /* 2 MiB */
#define SEV_SWAP_IN_PLACE 8u

#pragma pack(push, 1)
struct sev_init {
    uint32_t flags, reserved;
    uint64_t tmr_paddr;
    uint32_t tmr_len;
};
struct sev_init_ex {
    uint32_t length, flags;
    uint64_t tmr_paddr;
    uint32_t tmr_len, reserved;
    uint64_t nv_paddr; /* 0: the chip's own store */
    uint32_t nv_len;
};
struct sev_platform_status {
    uint8_t api_major, api_minor, state;
    uint8_t owner;  /* bit 0: externally owned */
    uint8_t config; /* bit 0: SEV-ES enabled */
    uint8_t reserved[2];
    uint8_t build;
    uint32_t guest_count;
};
struct sev_pdh_cert_export {
    uint64_t pdh_paddr;
    uint32_t pdh_len, reserved;
    uint64_t certs_paddr;
    uint32_t certs_len;
};
struct sev_pek_csr {
    uint64_t csr_paddr;
    uint32_t csr_len;
};
struct sev_pek_cert_import {
    uint64_t pek_paddr;
    uint32_t pek_len, reserved;
    uint64_t oca_paddr;
    uint32_t oca_len;
};
struct sev_download_firmware {
    uint64_t fw_paddr;
    uint32_t fw_len;
};
struct sev_get_id {
    uint64_t id_paddr;
    uint32_t id_len;
};
struct sev_ring_buffer { /* queues of commands and of their statuses, a page each */
    uint64_t low_command_paddr, low_status_paddr;
    uint64_t high_command_paddr, high_status_paddr;
    uint8_t low_size, high_size; /* in pages; the high-priority queue may be absent */
    uint16_t low_threshold, high_threshold;
    uint16_t flags;
};
struct sev_handle {
    uint32_t handle;
};
struct sev_activate {
    uint32_t handle, asid;
};
struct sev_activate_ex {
    uint32_t length, handle, asid, numids;
    uint64_t ids_paddr; /* APIC ids, u32 each */
};
struct sev_guest_status {
    uint32_t handle, policy, asid;
    uint8_t state;
};
struct sev_launch_start { /* RECEIVE_START too: the certificate is the sender's PDH */
    uint32_t handle, policy;
    uint64_t dh_cert_paddr;
    uint32_t dh_cert_len, reserved;
    uint64_t session_paddr;
    uint32_t session_len;
};
struct sev_launch_update_data { /* LAUNCH_UPDATE_VMSA too */
    uint32_t handle, reserved;
    uint64_t paddr;
    uint32_t length;
};
struct sev_launch_measure {
    uint32_t handle, reserved;
    uint64_t measure_paddr;
    uint32_t measure_len;
};
struct sev_launch_secret { /* SEND_UPDATE_* and RECEIVE_UPDATE_* too */
    uint32_t handle, reserved;
    uint64_t hdr_paddr;
    uint32_t hdr_len, reserved2;
    uint64_t guest_paddr;
    uint32_t guest_len, reserved3;
    uint64_t trans_paddr;
    uint32_t trans_len;
};
struct sev_attestation {
    uint32_t handle, reserved;
    uint64_t paddr;
    uint8_t mnonce[16];
    uint32_t length;
};
struct sev_send_start {
    uint32_t handle, policy;
    uint64_t pdh_cert_paddr; /* the receiver's */
    uint32_t pdh_cert_len, reserved;
    uint64_t plat_certs_paddr; /* PEK, OCA, CEK */
    uint32_t plat_certs_len, reserved2;
    uint64_t amd_certs_paddr; /* ASK, ARK */
    uint32_t amd_certs_len, reserved3;
    uint64_t session_paddr;
    uint32_t session_len;
};
struct sev_copy {
    uint32_t handle, length;
    uint64_t src_paddr, dst_paddr;
};
struct sev_dbg {
    uint32_t handle, reserved;
    uint64_t src_paddr, dst_paddr;
    uint32_t length;
};
struct sev_swap_out {
    uint32_t handle, flags;
    uint64_t src_paddr, dst_paddr, mdata_paddr, software_data;
};
struct sev_swap_in {
    uint32_t handle, flags;
    uint64_t src_paddr, dst_paddr, mdata_paddr;
};
struct sev_swap_entry { /* what SWAP_OUT writes at mdata_paddr */
    uint64_t software_data;
    uint8_t iv[8]; /* counts up */
    uint8_t tag[16];
    uint8_t reserved[28];
    uint8_t flags[4];
};
#pragma pack(pop)

_Static_assert(sizeof(struct sev_init) == 0x14, "SEV API INIT");
_Static_assert(sizeof(struct sev_platform_status) == 0x0C, "SEV API PLATFORM_STATUS");
_Static_assert(sizeof(struct sev_pdh_cert_export) == 0x1C, "SEV API PDH_CERT_EXPORT");
_Static_assert(sizeof(struct sev_pek_csr) == 0x0C, "SEV API PEK_CSR");
_Static_assert(sizeof(struct sev_pek_cert_import) == 0x1C, "SEV API PEK_CERT_IMPORT");
_Static_assert(sizeof(struct sev_get_id) == 0x0C, "SEV API GET_ID");
_Static_assert(sizeof(struct sev_ring_buffer) == 0x28, "SEV API RING_BUFFER");
_Static_assert(sizeof(struct sev_activate) == 0x08, "SEV API ACTIVATE");
_Static_assert(sizeof(struct sev_guest_status) == 0x0D, "SEV API GUEST_STATUS");
_Static_assert(sizeof(struct sev_launch_start) == 0x24, "SEV API LAUNCH_START");
_Static_assert(sizeof(struct sev_launch_update_data) == 0x14, "SEV API LAUNCH_UPDATE_DATA");
_Static_assert(sizeof(struct sev_launch_measure) == 0x14, "SEV API LAUNCH_MEASURE");
_Static_assert(sizeof(struct sev_launch_secret) == 0x34, "SEV API LAUNCH_SECRET");
_Static_assert(sizeof(struct sev_init_ex) == 0x24, "SEV API INIT_EX");
_Static_assert(sizeof(struct sev_download_firmware) == 0x0C, "SEV API DOWNLOAD_FIRMWARE");
_Static_assert(sizeof(struct sev_activate_ex) == 0x18, "SEV API ACTIVATE_EX");
_Static_assert(sizeof(struct sev_attestation) == 0x24, "SEV API ATTESTATION");
_Static_assert(sizeof(struct sev_send_start) == 0x44, "SEV API SEND_START");
_Static_assert(sizeof(struct sev_copy) == 0x18, "SEV API COPY");
_Static_assert(sizeof(struct sev_swap_out) == 0x28, "SEV API SWAP_OUT");
_Static_assert(sizeof(struct sev_swap_in) == 0x20, "SEV API SWAP_IN");
_Static_assert(sizeof(struct sev_swap_entry) == 0x40, "SEV API SWAP_OUT");
_Static_assert(sizeof(struct sev_dbg) == 0x1C, "SEV API DBG_DECRYPT");

#endif
