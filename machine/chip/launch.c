/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The launch commands (SEV API chapter 6). */
#include <openssl/core_names.h>
#include <openssl/hmac.h>
#include <string.h>

#include "machine/chip/internal.h"
#include "sev/bytes.h"

#define MEASURE_SIZE 0x30u   /* MEASURE[32], MNONCE[16] */

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

uint16_t guest_begin(struct chip *chip, struct sev_launch_start *command,
                     const uint8_t tek_tik[2 * SEV_KEY_SIZE], enum sev_guest_state state)
{
    const struct chip_guest *sharer;
    uint32_t handle = 0;
    uint16_t status = check_sharing(chip, command, &sharer);
    if (status != SEV_SUCCESS)
        return status;
    struct chip_guest *guest = free_slot(chip, &handle);
    if (!guest)
        return SEV_RESOURCE_LIMIT;
    if (command->policy & SEV_POLICY_ES && !chip->vmsas)
        return SEV_UNSUPPORTED;
    guest->state = state;
    chip->guest_count++;
    guest->policy = command->policy;
    memcpy(guest->tek, tek_tik, SEV_KEY_SIZE);
    memcpy(guest->tik, tek_tik + SEV_KEY_SIZE, SEV_KEY_SIZE);
    if (sharer)
        memcpy(guest->memory_key, sharer->memory_key, sizeof(guest->memory_key));
    else
        chip_random(chip, guest->memory_key, sizeof(guest->memory_key));
    chip_random(chip, guest->offline_key, sizeof(guest->offline_key));
    command->handle = handle;
    chip->state = SEV_PLATFORM_WORKING;
    return SEV_SUCCESS;
}

/* Without a certificate there is no session: the policy is taken as it is, the keys are zero. */
uint16_t launch_start(struct chip *chip, void *buffer)
{
    struct sev_launch_start *command = buffer;
    uint8_t tek_tik[2 * SEV_KEY_SIZE] = { 0 };
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    uint16_t status = SEV_SUCCESS;
    if (!digest || !EVP_DigestInit_ex(digest, EVP_sha256(), NULL))
        status = SEV_HWERROR_PLATFORM;
    if (status == SEV_SUCCESS && command->dh_cert_paddr)
        status = session_open(chip, command, tek_tik);
    if (status == SEV_SUCCESS)
        status = guest_begin(chip, command, tek_tik, SEV_GUEST_LUPDATE);
    OPENSSL_cleanse(tek_tik, sizeof(tek_tik));
    if (status == SEV_SUCCESS)
        guest_by_handle(chip, command->handle)->digest = digest;
    else
        EVP_MD_CTX_free(digest);
    return status;
}

uint16_t launch_update_data(struct chip *chip, void *buffer)
{
    const struct sev_launch_update_data *command = buffer;
    struct chip_guest *guest;
    uint8_t piece[4096];
    uint16_t status = guest_find(chip, SEV_LAUNCH_UPDATE_DATA, command->handle, &guest);
    if (status != SEV_SUCCESS)
        return status;
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

/* The length is looked at first of all. What is measured is the page as it was supplied. */
uint16_t launch_update_vmsa(struct chip *chip, void *buffer)
{
    const struct sev_launch_update_data *command = buffer;
    struct chip_guest *guest;
    uint8_t supplied[SEV_VMSA_SIZE], page[SEV_VMSA_SIZE];
    if (command->length != SEV_VMSA_SIZE)
        return SEV_INVALID_LENGTH;
    uint16_t status = vmsa_find(chip, SEV_LAUNCH_UPDATE_VMSA, command->handle, &guest);
    if (status != SEV_SUCCESS)
        return status;
    if (command->paddr % 16 || !chip_read(chip, command->paddr, supplied, sizeof(supplied)))
        return SEV_INVALID_ADDRESS;
    memcpy(page, supplied, sizeof(page));
    status = vmsa_make(chip, guest, command->paddr, page);
    if (status != SEV_SUCCESS)
        return status;
    EVP_DigestUpdate(guest->digest, supplied, sizeof(supplied));
    chip_random_absorb(chip, supplied, sizeof(supplied));
    return SEV_SUCCESS;
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
    struct chip_guest *guest;
    uint8_t answer[MEASURE_SIZE];
    uint16_t status = guest_find(chip, SEV_LAUNCH_MEASURE, command->handle, &guest);
    if (status != SEV_SUCCESS)
        return status;
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

uint16_t launch_secret(struct chip *chip, void *buffer)
{
    const struct sev_launch_secret *command = buffer;
    struct chip_guest *guest = guest_by_handle(chip, command->handle);
    struct sev_packet_header header;
    uint8_t data[CHIP_PACKET_MAX];
    const uint8_t *measure = NULL;
    uint32_t length = command->guest_len;
    if (!guest)
        return SEV_INVALID_GUEST;
    if (command->guest_paddr % 16 || command->guest_paddr >= CHIP_HOST_WINDOW)
        return SEV_INVALID_ADDRESS;
    if (command->hdr_len != sizeof(header) || !packet_length_is_possible(length) ||
        command->trans_len != length)
        return SEV_INVALID_LENGTH;
    if (guest_check_state(SEV_LAUNCH_SECRET, guest) != SEV_SUCCESS)
        return SEV_INVALID_GUEST_STATE;
    if (!guest->asid)
        return SEV_INACTIVE;
    if (sev_api_binds_version(chip->config.api_major, chip->config.api_minor))
        measure = guest->measurement;
    if (!chip_read(chip, command->hdr_paddr, &header, sizeof(header)) ||
        !chip_read(chip, command->trans_paddr, data, length))
        return SEV_INVALID_ADDRESS;
    if (!packet_is_authentic(guest, SEV_PACKET_SECRET, &header, data, length, measure))
        return SEV_BAD_MEASUREMENT;
    if (load_le32(header.flags) & SEV_PACKET_COMPRESSED)
        return SEV_UNSUPPORTED;
    return packet_deliver(chip, guest, &header, data, length, command->guest_paddr);
}

uint16_t launch_finish(struct chip *chip, void *buffer)
{
    const struct sev_handle *command = buffer;
    return guest_resume(chip, SEV_LAUNCH_FINISH, command->handle);
}
