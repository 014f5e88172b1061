/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The chip's state and the functions behind its door; private to machine/chip. */
#ifndef PRIVET_MACHINE_CHIP_INTERNAL_H
#define PRIVET_MACHINE_CHIP_INTERNAL_H

#include <openssl/evp.h>

#include "machine/chip/chip.h"
#include "sev/certificate.h"
#include "sev/command.h"
#include "sev/session.h"
#include "sev/status.h"

#define CHIP_MAX_GUESTS 1024
#define CHIP_MAX_MAPS   256
#define CHIP_SECRET_SIZE 32
#define CHIP_PACKET_MAX 0x5000u /* guest memory in one packet: the firmware's scratch buffer */
#define CHIP_BUFFER_MAX 0x44u /* the largest command buffer: SEND_START */

struct chip_guest {
    enum sev_guest_state state; /* SEV_GUEST_UNINIT: free slot */
    uint32_t policy;
    uint32_t asid;      /* 0: not activated */
    uint32_t complexes; /* a bit for each core complex on which the ASID is enabled */
    uint8_t memory_key[MEMORY_KEY_SIZE];
    uint8_t offline_key[32]; /* of pages that were swapped out */
    uint64_t swaps;          /* so far: the next one's IV */
    uint8_t tek[16], tik[16];
    EVP_MD_CTX *digest; /* of LAUNCH_UPDATE_DATA so far */
    uint8_t launch_digest[32];
    uint8_t measurement[32];
};

#define CHIP_COMPLEXES         (CHIP_THREADS / CHIP_THREADS_PER_COMPLEX)
#define CHIP_ALL_COMPLEXES     ((1u << CHIP_COMPLEXES) - 1)
#define CHIP_CORES_PER_COMPLEX (CHIP_THREADS_PER_COMPLEX / CHIP_THREADS_PER_CORE)
#define CHIP_ALL_CORES         ((1u << CHIP_CORES_PER_COMPLEX) - 1) /* of a complex */

/*
 * ALLOCATED: a guest's, but the processors may not run it yet: the chip's commands alone use it.
 * What the processors never used need not be flushed.
 */
enum chip_asid_state { ASID_FREE, ASID_ALLOCATED, ASID_IN_USE };

struct chip_asid {
    enum chip_asid_state state;
    uint32_t guest; /* whose, unless it is free: a handle */
    uint32_t dirty; /* a bit for each core complex that may hold data of an earlier use */
};

/*
 * A SEV-ES guest's saved processor state. Hardware keeps its checksum in the trusted memory region
 * (TMR), which the host gave at INIT and cannot reach from then on; so here it stays in the chip.
 */
struct chip_vmsa {
    uint32_t guest; /* a handle; 0: free */
    uint64_t paddr;
    uint8_t checksum[32];
};

#define CHIP_VMSA_SLOT 64u /* of the TMR, for a checksum */
#define CHIP_MAX_VMSAS (SEV_TMR_SIZE / CHIP_VMSA_SLOT)

struct chip_map {
    uint8_t *data;
    size_t size;
};

enum chip_key { CHIP_KEY_OCA, CHIP_KEY_PEK, CHIP_KEY_PDH, CHIP_KEYS };

/*
 * What survives power-off beside the chip's secret. Private keys are not in it: each derives from the
 * secret, its label and its generation, so that making a new one is counting up.
 */
struct chip_stored {
    uint32_t generation[CHIP_KEYS];
    uint32_t owned;    /* 1: OCA and PEK signature are the external owner's */
    uint32_t complete; /* 1: the certificates below are there */
    uint8_t certificate[CHIP_KEYS][SEV_CERT_SIZE];
};

struct chip {
    struct chip_config config;
    struct memory *memory;
    char *state_folder;
    int folder_lock; /* descriptor of the locked folder, or -1 */
    enum sev_platform_state state;
    bool ring_buffer;      /* commands are to come through queues in memory */
    unsigned guest_count;
    /* A bit for each core that executed WBINVD since an ASID became dirty on its complex. */
    uint8_t wbinvd[CHIP_COMPLEXES];
    uint8_t secret[CHIP_SECRET_SIZE]; /* chip-unique, in fuses */
    EVP_PKEY *pdh;           /* derived last, and of which generation: each launch needs it */
    uint32_t pdh_generation;
    struct chip_stored store;         /* of the folder, or of the area given to INIT_EX */
    uint64_t nv_paddr;                /* that area; 0: the folder */
    struct chip_stored folder_store;  /* meanwhile, the folder's */
    uint64_t random_counter;          /* of the deterministic generator */
    uint8_t random_state[32];         /* absorbs every command */
    struct chip_asid asid[MEMORY_MAX_ASID + 1];
    struct chip_guest guests[CHIP_MAX_GUESTS];
    uint64_t tmr_paddr;
    struct chip_vmsa *vmsas; /* the TMR's checksums: CHIP_MAX_VMSAS; NULL: SEV-ES is off */
    unsigned vmsa_count;     /* free ones have been used before, up to here */
    bool tmr_ready;          /* since the first DF_FLUSH */
    struct chip_map maps[CHIP_MAX_MAPS];
};

typedef uint16_t chip_function(struct chip *chip, void *buffer);

/*
 * When the buffer goes back to the caller: never; if the command succeeded; or also when it answers
 * INVALID_LENGTH, so that the caller learns the length needed.
 */
enum chip_write_back { CHIP_NO_WRITE_BACK, CHIP_WRITE_BACK, CHIP_WRITE_BACK_LENGTH };

struct chip_command {
    enum sev_command id;
    const char *name;
    unsigned platform_states, guest_states; /* as in struct chip_requirement */
    size_t size;                            /* of the buffer */
    enum chip_write_back write_back;
    chip_function *function;
};

/*
 * commands.c. chip_command_find: NULL: no such command. guest_check_state: a status: the command
 * `id` may be given to a guest in this state. guest_find: the guest of a handle, in a state that
 * allows the command; a status, of which INVALID_GUEST leaves *ret NULL.
 */
const struct chip_command *chip_command_find(unsigned id);
uint16_t guest_check_state(enum sev_command id, const struct chip_guest *guest);
uint16_t guest_find(struct chip *chip, enum sev_command id, uint32_t handle,
                    struct chip_guest **ret);

/*
 * store.c: the persistent part from the state folder, which is locked from then on; a new one at
 * first use. store_lock: waits for the folder for this process alone, or to share it: 0, EBUSY, or
 * another errno value. store_close: gives it back.
 * store_save: 0 or an errno value. store_read and store_write: another small file in that folder
 * (read: 0, ENOENT, EINVAL when it has another length, or another errno value). store_fail: false, and
 * says why such a file is not to be had; for EINVAL `damage` is the fact, and `advice` helps.
 */
bool store_load(struct chip *chip, struct chip_failure *ret_failure);
bool store_fail(const struct chip *chip, const char *name, int failure, const char *damage,
                const char *advice, struct chip_failure *ret);
int store_lock(struct chip *chip, bool shared);
void store_close(struct chip *chip);
int store_save(struct chip *chip);
int store_read(const struct chip *chip, const char *name, void *data, size_t length);
int store_write(const struct chip *chip, const char *name, const void *data, size_t length);

/*
 * nv.c: chip->store from the area at chip->nv_paddr, a status; what does not verify is erased, as
 * hardware does. And to it.
 */
uint16_t nv_load(struct chip *chip);
bool nv_save(struct chip *chip);

/* keys.c. crypt_ctr: AES-128-CTR in place. */
bool crypt_ctr(const uint8_t key[16], const uint8_t iv[16], uint8_t *data, size_t length);
void kdf(const uint8_t *key, size_t key_length, const char *label, const uint8_t *context,
         size_t context_length, uint8_t *out, size_t length);
EVP_PKEY *key_derive(const struct chip *chip, const char *label, uint32_t generation);
EVP_PKEY *key_from_point(const uint8_t x[SEV_P384_SIZE], const uint8_t y[SEV_P384_SIZE]);
bool key_agree(EVP_PKEY *own, EVP_PKEY *peer, uint8_t secret[SEV_ECDH_SECRET_SIZE]);
bool key_certificate(const struct chip *chip, EVP_PKEY *key, uint32_t usage, uint32_t algorithm,
                     struct sev_certificate *ret);
bool key_sign_bytes(EVP_PKEY *signer, const void *data, size_t length,
                    uint8_t slot[SEV_CERT_SIG_SIZE]);
bool key_sign(EVP_PKEY *signer, uint32_t usage, struct sev_certificate *cert, int slot);
bool key_verify(EVP_PKEY *signer, const struct sev_certificate *cert, int slot);

/*
 * certs.c: statuses. cert_decode: a P-384 certificate of that usage and algorithm. cert_decode_peer:
 * a PDH (or an owner's key in that form), its signatures not looked at. cert_slot: the
 * slot in which `usage` signed, or -1. cert_check: `signer` signed `cert`.
 */
uint16_t cert_decode(const uint8_t bytes[SEV_CERT_SIZE], uint32_t usage, uint32_t algorithm,
                     struct sev_certificate *ret);
uint16_t cert_decode_peer(const uint8_t bytes[SEV_CERT_SIZE], struct sev_certificate *ret);
int cert_slot(const struct sev_certificate *cert, uint32_t usage);
uint16_t cert_check(const struct sev_certificate *signer, const struct sev_certificate *cert);

/* identity.c: the chain OCA, PEK, PDH. */
EVP_PKEY *identity_key(const struct chip *chip, enum chip_key key);
/* The present PDH, which stays the chip's; NULL: the cryptographic library failed. */
EVP_PKEY *identity_pdh(struct chip *chip);
bool identity_cek(const struct chip *chip, struct sev_certificate *ret);
bool identity_make(struct chip *chip); /* all of them, of the generations that the store says */

/*
 * session.c: statuses. session_open: the transport keys that the guest's owner or sender wrapped for
 * this chip. session_make: wraps keys for the chip whose PDH is given.
 */
uint16_t session_open(struct chip *chip, const struct sev_launch_start *command,
                      uint8_t tek_tik[2 * SEV_KEY_SIZE]);
uint16_t session_make(struct chip *chip, const struct sev_certificate *peer, uint32_t policy,
                      const uint8_t tek_tik[2 * SEV_KEY_SIZE], struct sev_session *ret);

/*
 * packet.c. `measure` is NULL where the MAC does not cover it; lengths are possible ones.
 * packet_deliver decrypts an authentic packet in place, puts it into the guest's memory and wipes it.
 */
bool packet_length_is_possible(uint32_t length);
bool packet_mac(const struct chip_guest *guest, enum sev_packet_kind kind,
                const struct sev_packet_header *header, const uint8_t *data, uint32_t length,
                const uint8_t *measure, uint8_t mac[SEV_MAC_SIZE]);
bool packet_is_authentic(const struct chip_guest *guest, enum sev_packet_kind kind,
                         const struct sev_packet_header *header, const uint8_t *data,
                         uint32_t length, const uint8_t *measure);
uint16_t packet_deliver(struct chip *chip, const struct chip_guest *guest,
                        const struct sev_packet_header *header, uint8_t *data, uint32_t length,
                        uint64_t address);

/* receiver.c: SEND_START's judgement of the receiver; a status. */
uint16_t receiver_check(struct chip *chip, const struct sev_send_start *command, uint32_t policy,
                        struct sev_certificate *ret_pdh);

/*
 * root.c, root_check.c. root_read: this chip's root; 0, EINVAL if it is damaged, or another errno
 * value. root_is_whole: its certificates hold together, down to this chip's CEK. root_check: `data` is
 * an ASK and the ARK that signed it, which this chip knows; *ret_ask points into it. A status.
 */
int root_read(const struct chip *chip, struct chip_root *ret);
bool root_is_whole(const struct chip *chip, const struct chip_root *root);
uint16_t root_check(const struct chip *chip, const uint8_t *data, size_t length,
                    struct sev_amd_certificate *ret_ask);
bool root_signed_cek(const struct sev_amd_certificate *ask, const struct sev_certificate *cek);

/* random.c */
void chip_random(struct chip *chip, void *data, size_t length);
void chip_random_absorb(struct chip *chip, const void *data, size_t length);

/*
 * chip.c: memory of the platform. False: not wholly inside one mapped buffer or DRAM, or in the TMR.
 * The two with a view go through an ASID's key: multiples of 16 where it is a mapped buffer's.
 */
bool chip_read(struct chip *chip, uint64_t address, void *data, size_t length);
bool chip_write(struct chip *chip, uint64_t address, const void *data, size_t length);
bool chip_read_as(struct chip *chip, memory_view view, uint64_t address, void *data, size_t length);
bool chip_write_as(struct chip *chip, memory_view view, uint64_t address, const void *data,
                   size_t length);

/* True if all of it is guest memory. */
bool chip_is_memory(const struct chip *chip, uint64_t address, uint32_t length);

/* Do two ranges share a byte? No end of a range is computed: it may be that of all addresses. */
bool chip_overlap(uint64_t a, uint64_t a_length, uint64_t b, uint64_t b_length);

/*
 * vmsa.c. tmr_begin, tmr_end: SEV-ES on (a status) and off. vmsa_find: a guest's command for a VMSA,
 * as guest_find; UNSUPPORTED: the guest is not a SEV-ES guest. vmsa_make: the page becomes one,
 * encrypted; vmsa_read: its plaintext, INVALID_PARAM if it does not have its checksum: statuses.
 * vmsas_forget: a guest's.
 */
uint16_t tmr_begin(struct chip *chip, uint64_t paddr, uint32_t length);
void tmr_end(struct chip *chip);
uint16_t vmsa_find(struct chip *chip, enum sev_command id, uint32_t handle,
                   struct chip_guest **ret);
uint16_t vmsa_make(struct chip *chip, const struct chip_guest *guest, uint64_t paddr,
                   uint8_t page[SEV_VMSA_SIZE]);
uint16_t vmsa_read(struct chip *chip, const struct chip_guest *guest, uint64_t paddr,
                   uint8_t page[SEV_VMSA_SIZE]);
void vmsas_forget(struct chip *chip, const struct chip_guest *guest);

/*
 * launch.c: a new guest of that policy and state, its handle in the buffer; what LAUNCH_START and
 * RECEIVE_START have in common. A status.
 */
uint16_t guest_begin(struct chip *chip, struct sev_launch_start *command,
                     const uint8_t tek_tik[2 * SEV_KEY_SIZE], enum sev_guest_state state);

/*
 * guest.c. guest_by_handle: NULL: no such handle. guest_resume: all that some commands do, a status:
 * the transport's keys are forgotten and the processors may use the guest's ASID. guest_handle: the
 * other way. guest_of_asid: who is activated on it, NULL: nobody. guests_wipe: all guests.
 * chip_deny: false, and why.
 */
bool chip_deny(char *why, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
struct chip_guest *guest_by_handle(struct chip *chip, uint32_t handle);
uint32_t guest_handle(const struct chip *chip, const struct chip_guest *guest);
const struct chip_guest *guest_of_asid(const struct chip *chip, uint32_t asid);
uint16_t guest_resume(struct chip *chip, enum sev_command id, uint32_t handle);
void guest_forget_transport(struct chip_guest *guest);
void guests_wipe(struct chip *chip);

chip_function platform_init, platform_init_ex, platform_shutdown, platform_reset, platform_status;
chip_function platform_df_flush, platform_ring_buffer;
chip_function platform_nop, platform_download_firmware, platform_get_id, platform_pdh_cert_export;
chip_function platform_pek_gen, platform_pdh_gen, platform_pek_csr, platform_pek_cert_import;
chip_function guest_decommission_command, guest_activate, guest_activate_ex, guest_deactivate;
chip_function guest_status;
chip_function launch_start, launch_update_data, launch_update_vmsa, launch_measure, launch_secret;
chip_function launch_finish, attestation;
chip_function send_start, send_update_data, send_update_vmsa, send_finish, send_cancel;
chip_function receive_start, receive_update_data, receive_update_vmsa, receive_finish;
chip_function debug_decrypt, debug_encrypt, guest_copy, swap_out, swap_in;

#endif
