/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SWAP_OUT and SWAP_IN: a guest's page to storage and back, under the guest's offline key (SEV API
 * 0.24). What is stored is authenticated, but nothing keeps the host from bringing back an old page.
 */
#include <stdlib.h>
#include <string.h>

#include "machine/chip/internal.h"
#include "sev/bytes.h"

#define LARGE_PAGE_SIZE 0x200000u
#define TYPE_MASK       6u
#define TYPE_VMSA       4u /* 2, from bit 1 on */

static uint32_t page_size(uint32_t flags)
{
    return flags & SEV_SWAP_LARGE ? LARGE_PAGE_SIZE : MEMORY_PAGE_SIZE;
}

/* Its page may be the host's memory, and has a checksum. */
static bool is_vmsa(uint32_t flags)
{
    return (flags & TYPE_MASK) == TYPE_VMSA;
}

static bool overlap(uint64_t entry, uint64_t page, uint32_t size)
{
    return entry - page < size || page - entry < sizeof(struct sev_swap_entry);
}

/* The checks common to both; `inside` is the guest's page, `outside` where it is stored. */
static uint16_t check(const struct chip *chip, const struct chip_guest *guest, uint32_t flags,
                      uint64_t inside, uint64_t outside, uint64_t entry)
{
    uint32_t size = page_size(flags);
    if (!guest)
        return SEV_INVALID_GUEST;
    if (is_vmsa(flags) && flags & SEV_SWAP_LARGE)
        return SEV_INVALID_PARAM;
    if (is_vmsa(flags) && !(guest->policy & SEV_POLICY_ES))
        return SEV_UNSUPPORTED;
    if (!guest->asid)
        return SEV_INACTIVE;
    if (flags & ~SEV_SWAP_LARGE && flags != TYPE_VMSA)
        return SEV_INVALID_PARAM;
    if (inside % size || outside % size || entry % sizeof(struct sev_swap_entry) ||
        (!is_vmsa(flags) && !chip_is_memory(chip, inside, size)))
        return SEV_INVALID_ADDRESS;
    return overlap(entry, inside, size) || overlap(entry, outside, size) ? SEV_INVALID_PARAM
                                                                         : SEV_SUCCESS;
}

/* AES-256-GCM in place. The additional data are the entry without its tag. */
static bool crypt(const struct chip_guest *guest, struct sev_swap_entry *entry, uint8_t *page,
                  uint32_t size, bool encrypt)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint8_t tag[sizeof(entry->tag)];
    int done = 0, last = 0;
    memcpy(tag, entry->tag, sizeof(tag));
    memset(entry->tag, 0, sizeof(entry->tag));
    bool right =
        context && EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, NULL, NULL, encrypt) &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, sizeof(entry->iv), NULL) &&
        EVP_CipherInit_ex(context, NULL, NULL, guest->offline_key, entry->iv, encrypt) &&
        EVP_CipherUpdate(context, NULL, &done, (const uint8_t *)entry, sizeof(*entry)) &&
        EVP_CipherUpdate(context, page, &done, page, (int)size) && done == (int)size &&
        (encrypt || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, sizeof(tag), tag)) &&
        EVP_CipherFinal_ex(context, page + size, &last) == 1 &&
        (!encrypt || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, sizeof(tag), tag));
    EVP_CIPHER_CTX_free(context);
    memcpy(entry->tag, tag, sizeof(tag));
    return right;
}

/* The guest's page in plain. */
static uint16_t read_page(struct chip *chip, const struct chip_guest *guest, uint32_t flags,
                          uint64_t address, uint8_t *page)
{
    if (is_vmsa(flags))
        return vmsa_read(chip, guest, address, page);
    return chip_read_as(chip, (memory_view)guest->asid, address, page, page_size(flags))
               ? SEV_SUCCESS : SEV_INVALID_ADDRESS;
}

static uint16_t write_page(struct chip *chip, const struct chip_guest *guest, uint32_t flags,
                           uint64_t address, uint8_t *page)
{
    if (is_vmsa(flags))
        return vmsa_make(chip, guest, address, page);
    return chip_write_as(chip, (memory_view)guest->asid, address, page, page_size(flags))
               ? SEV_SUCCESS : SEV_INVALID_ADDRESS;
}

static uint16_t out(struct chip *chip, struct chip_guest *guest,
                    const struct sev_swap_out *command, uint8_t *page)
{
    struct sev_swap_entry entry = { .software_data = command->software_data };
    uint32_t size = page_size(command->flags);
    store_le32(entry.iv, (uint32_t)guest->swaps);
    store_le32(entry.iv + 4, (uint32_t)(guest->swaps >> 32));
    store_le32(entry.flags, command->flags);
    uint16_t status = read_page(chip, guest, command->flags, command->src_paddr, page);
    if (status != SEV_SUCCESS)
        return status;
    guest->swaps++; /* an IV is never used again, whatever becomes of this page */
    if (!crypt(guest, &entry, page, size, true))
        return SEV_HWERROR_PLATFORM;
    return chip_write(chip, command->dst_paddr, page, size) &&
                   chip_write(chip, command->mdata_paddr, &entry, sizeof(entry))
               ? SEV_SUCCESS : SEV_INVALID_ADDRESS;
}

static uint16_t in(struct chip *chip, const struct chip_guest *guest,
                   const struct sev_swap_in *command, uint8_t *page)
{
    struct sev_swap_entry entry;
    uint32_t size = page_size(command->flags);
    if (!chip_read(chip, command->mdata_paddr, &entry, sizeof(entry)) ||
        !chip_read(chip, command->src_paddr, page, size))
        return SEV_INVALID_ADDRESS;
    if (load_le32(entry.flags) != command->flags)
        return SEV_INVALID_PARAM;
    if (!crypt(guest, &entry, page, size, false))
        return SEV_BAD_MEASUREMENT;
    return write_page(chip, guest, command->flags, command->dst_paddr, page);
}

static uint8_t *page_buffer(uint32_t flags)
{
    return malloc(page_size(flags));
}

static void release(uint8_t *page, uint32_t flags)
{
    OPENSSL_cleanse(page, page_size(flags));
    free(page);
}

uint16_t swap_out(struct chip *chip, void *buffer)
{
    const struct sev_swap_out *command = buffer;
    struct chip_guest *guest = guest_by_handle(chip, command->handle);
    uint16_t status = check(chip, guest, command->flags, command->src_paddr, command->dst_paddr,
                            command->mdata_paddr);
    if (status != SEV_SUCCESS)
        return status;
    if (guest->swaps == UINT64_MAX)
        return SEV_AEAD_OFLOW;
    uint8_t *page = page_buffer(command->flags);
    if (!page)
        return SEV_HWERROR_PLATFORM;
    status = out(chip, guest, command, page);
    release(page, command->flags);
    return status;
}

/* Swapping in place is left out: nothing is publicly known of it but its bit. */
uint16_t swap_in(struct chip *chip, void *buffer)
{
    const struct sev_swap_in *command = buffer;
    const struct chip_guest *guest = guest_by_handle(chip, command->handle);
    if (guest && (command->flags & SEV_SWAP_IN_PLACE))
        return SEV_UNSUPPORTED;
    uint16_t status = check(chip, guest, command->flags, command->dst_paddr, command->src_paddr,
                            command->mdata_paddr);
    if (status != SEV_SUCCESS)
        return status;
    uint8_t *page = page_buffer(command->flags);
    if (!page)
        return SEV_HWERROR_PLATFORM;
    status = in(chip, guest, command, page);
    release(page, command->flags);
    return status;
}
