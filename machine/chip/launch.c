/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The launch commands (SEV API chapter 6). */
#include <openssl/core_names.h>
#include <openssl/hmac.h>
#include <string.h>

#include "machine/chip/internal.h"
#include "sev/bytes.h"

#define MEASURE_SIZE 0x30u   /* MEASURE[32], MNONCE[16] */
#define SECRET_LIMIT 0x5000u /* the firmware's scratch buffer */

static struct chip_guest *free_slot(struct chip *chip, uint32_t *ret_handle)
{
    for (uint32_t i = 0; i < CHIP_MAX_GUESTS; i++) {
        if (chip->guests[i].state == SEV_GUEST_UNINIT) {
            *ret_handle = i + 1;
            return &chip->guests[i];
        }
    }
    return NULL;
}

/* HANDLE in: the guest whose memory key is shared. */
static uint16_t check_sharing(struct chip *chip, const struct sev_launch_start *command,
                              const struct chip_guest **ret)
{
    *ret = NULL;
    if (!command->handle)
        return SEV_SUCCESS;
    *ret = guest_by_handle(chip, command->handle);
    if (!*ret)
        return SEV_INVALID_GUEST;
    if ((*ret)->policy != command->policy || ((*ret)->policy & SEV_POLICY_NOKS))
        return SEV_POLICY_FAILURE;
    return SEV_SUCCESS;
}

uint16_t launch_start(struct chip *chip, void *buffer)
{
    struct sev_launch_start *command = buffer;
    const struct chip_guest *sharer;
    uint32_t handle = 0;
    uint8_t tek_tik[32] = { 0 };
    uint16_t status = SEV_SUCCESS;
    if (command->dh_cert_paddr)
        status = session_open(chip, command, tek_tik);
    if (status == SEV_SUCCESS)
        status = check_sharing(chip, command, &sharer);
    if (status != SEV_SUCCESS)
        return status;
    struct chip_guest *guest = free_slot(chip, &handle);
    if (!guest)
        return SEV_RESOURCE_LIMIT;
    if (command->policy & SEV_POLICY_ES)
        return SEV_UNSUPPORTED;
    guest->digest = EVP_MD_CTX_new();
    if (!guest->digest || !EVP_DigestInit_ex(guest->digest, EVP_sha256(), NULL))
        return SEV_HWERROR_PLATFORM;
    guest->state = SEV_GUEST_LUPDATE;
    guest->policy = command->policy;
    memcpy(guest->tek, tek_tik, 16);
    memcpy(guest->tik, tek_tik + 16, 16);
    OPENSSL_cleanse(tek_tik, sizeof(tek_tik));
    if (sharer)
        memcpy(guest->memory_key, sharer->memory_key, sizeof(guest->memory_key));
    else
        chip_random(chip, guest->memory_key, sizeof(guest->memory_key));
    command->handle = handle;
    chip->state = SEV_PLATFORM_WORKING;
    return SEV_SUCCESS;
}

uint16_t launch_update_data(struct chip *chip, void *buffer)
{
    const struct sev_launch_update_data *command = buffer;
    struct chip_guest *guest = guest_by_handle(chip, command->handle);
    uint8_t piece[4096];
    if (!guest)
        return SEV_INVALID_GUEST;
    if (guest->state != SEV_GUEST_LUPDATE)
        return SEV_INVALID_GUEST_STATE;
    if (!guest->asid)
        return SEV_INACTIVE;
    if (command->paddr % 16)
        return SEV_INVALID_ADDRESS;
    if (!command->length || command->length % 16)
        return SEV_INVALID_LENGTH;
    /* Nothing may be hashed or encrypted unless all of it can be. */
    if (!chip_is_memory(chip, command->paddr, command->length))
        return SEV_INVALID_ADDRESS;
    for (uint32_t at = 0; at < command->length;) {
        uint32_t part = command->length - at < sizeof(piece) ? command->length - at
                                                             : (uint32_t)sizeof(piece);
        if (!chip_read(chip, command->paddr + at, piece, part))
            return SEV_INVALID_ADDRESS;
        EVP_DigestUpdate(guest->digest, piece, part);
        chip_random_absorb(chip, piece, part);
        at += part;
    }
    if (memory_encrypt_in_place(chip->memory, command->paddr, command->length,
                                (memory_view)guest->asid) != 0)
        return SEV_INVALID_ADDRESS;
    return SEV_SUCCESS;
}

/* The length is looked at first of all; then it fails for want of SEV-ES, as on any such part. */
uint16_t launch_update_vmsa(struct chip *chip, void *buffer)
{
    const struct sev_launch_update_data *command = buffer;
    const struct chip_guest *guest = guest_by_handle(chip, command->handle);
    if (command->length != SEV_VMSA_SIZE)
        return SEV_INVALID_LENGTH;
    if (!guest)
        return SEV_INVALID_GUEST;
    return guest->state == SEV_GUEST_LUPDATE ? SEV_UNSUPPORTED : SEV_INVALID_GUEST_STATE;
}

static void compute_measure(const struct chip *chip, struct chip_guest *guest,
                            const uint8_t nonce[16])
{
    struct sev_measure_input input = {
        .api_major = chip->config.api_major,
        .api_minor = chip->config.api_minor,
        .build = chip->config.build,
        .policy = guest->policy,
    };
    uint8_t message[SEV_MEASURE_INPUT_MAX];
    memcpy(input.digest, guest->launch_digest, sizeof(input.digest));
    memcpy(input.nonce, nonce, sizeof(input.nonce));
    size_t size = sev_measure_message(&input, message);
    HMAC(EVP_sha256(), guest->tik, sizeof(guest->tik), message, size, guest->measurement, NULL);
}

/* The digest so far; the running hash is left as it is, for a command that fails later. */
static bool digest_so_far(const struct chip_guest *guest, uint8_t digest[32])
{
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    bool done = copy && EVP_MD_CTX_copy_ex(copy, guest->digest) == 1 &&
                EVP_DigestFinal_ex(copy, digest, NULL) == 1;
    EVP_MD_CTX_free(copy);
    return done;
}

uint16_t launch_measure(struct chip *chip, void *buffer)
{
    struct sev_launch_measure *command = buffer;
    struct chip_guest *guest = guest_by_handle(chip, command->handle);
    uint8_t answer[MEASURE_SIZE];
    if (!guest)
        return SEV_INVALID_GUEST;
    if (guest->state != SEV_GUEST_LUPDATE)
        return SEV_INVALID_GUEST_STATE;
    if (command->measure_len < MEASURE_SIZE) {
        command->measure_len = MEASURE_SIZE;
        return SEV_INVALID_LENGTH;
    }
    if (!digest_so_far(guest, guest->launch_digest))
        return SEV_HWERROR_PLATFORM;
    chip_random(chip, answer + 32, 16);
    compute_measure(chip, guest, answer + 32);
    memcpy(answer, guest->measurement, 32);
    if (!chip_write(chip, command->measure_paddr, answer, sizeof(answer)))
        return SEV_INVALID_ADDRESS;
    command->measure_len = MEASURE_SIZE;
    guest->state = SEV_GUEST_LSECRET;
    return SEV_SUCCESS;
}

static bool secret_mac_is_right(const struct chip *chip, const struct chip_guest *guest,
                                const struct sev_packet_header *header, const uint8_t *data,
                                uint32_t length)
{
    uint8_t message[SEV_PACKET_PREFIX_SIZE + SECRET_LIMIT + SEV_MAC_SIZE], mac[SEV_MAC_SIZE];
    size_t size = SEV_PACKET_PREFIX_SIZE + length;
    sev_packet_prefix(load_le32(header->flags), header->iv, length, length, message);
    memcpy(message + SEV_PACKET_PREFIX_SIZE, data, length);
    if (sev_api_binds_version(chip->config.api_major, chip->config.api_minor)) {
        memcpy(message + size, guest->measurement, SEV_MAC_SIZE);
        size += SEV_MAC_SIZE;
    }
    return HMAC(EVP_sha256(), guest->tik, sizeof(guest->tik), message, size, mac, NULL) &&
           CRYPTO_memcmp(mac, header->mac, sizeof(mac)) == 0;
}

uint16_t launch_secret(struct chip *chip, void *buffer)
{
    const struct sev_launch_secret *command = buffer;
    struct chip_guest *guest = guest_by_handle(chip, command->handle);
    struct sev_packet_header header;
    uint8_t data[SECRET_LIMIT];
    uint32_t length = command->guest_len;
    if (!guest)
        return SEV_INVALID_GUEST;
    if (command->guest_paddr % 16 || command->guest_paddr >= CHIP_HOST_WINDOW)
        return SEV_INVALID_ADDRESS;
    if (command->hdr_len != sizeof(header) || !length || length % 16 || length > SECRET_LIMIT ||
        command->trans_len != length)
        return SEV_INVALID_LENGTH;
    if (guest->state != SEV_GUEST_LSECRET)
        return SEV_INVALID_GUEST_STATE;
    if (!guest->asid)
        return SEV_INACTIVE;
    if (!chip_read(chip, command->hdr_paddr, &header, sizeof(header)) ||
        !chip_read(chip, command->trans_paddr, data, length))
        return SEV_INVALID_ADDRESS;
    if (!secret_mac_is_right(chip, guest, &header, data, length))
        return SEV_BAD_MEASUREMENT;
    if (load_le32(header.flags) & SEV_PACKET_COMPRESSED)
        return SEV_UNSUPPORTED;
    if (!crypt_ctr(guest->tek, header.iv, data, length))
        return SEV_HWERROR_PLATFORM;
    int failed = memory_write(chip->memory, command->guest_paddr, data, length,
                              (memory_view)guest->asid);
    OPENSSL_cleanse(data, sizeof(data));
    return failed ? SEV_INVALID_ADDRESS : SEV_SUCCESS;
}

uint16_t launch_finish(struct chip *chip, void *buffer)
{
    const struct sev_handle *command = buffer;
    struct chip_guest *guest = guest_by_handle(chip, command->handle);
    if (!guest)
        return SEV_INVALID_GUEST;
    if (guest->state != SEV_GUEST_LSECRET)
        return SEV_INVALID_GUEST_STATE;
    guest_set_running(chip, guest);
    return SEV_SUCCESS;
}
