/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Memory moved for a guest with its key: DBG_DECRYPT and DBG_ENCRYPT, the host's window into a guest
 * whose policy allows it, and COPY.
 */
#include "machine/chip/internal.h"

/* The checks common to both: alignment before handle, as the hardware's firmware does. */
static uint16_t check(struct chip *chip, const struct sev_dbg *command, struct chip_guest **ret)
{
    if (command->src_paddr % 16 || command->dst_paddr % 16)
        return SEV_INVALID_ADDRESS;
    if (!command->length || command->length % 16)
        return SEV_INVALID_LENGTH;
    *ret = guest_by_handle(chip, command->handle);
    if (!*ret)
        return SEV_INVALID_GUEST;
    if ((*ret)->policy & SEV_POLICY_NODBG)
        return SEV_POLICY_FAILURE;
    return (*ret)->asid ? SEV_SUCCESS : SEV_INACTIVE;
}

/*
 * Is the encrypted side where guests have memory? Of a SEV-ES guest, the host's too: its processors'
 * state is there.
 */
static bool is_place(const struct chip_guest *guest, uint64_t address)
{
    return address < CHIP_HOST_WINDOW || guest->policy & SEV_POLICY_ES;
}

static uint16_t copy(struct chip *chip, uint64_t source, memory_view from, uint64_t target,
                     memory_view to, uint32_t length)
{
    uint8_t piece[4096]; /* of the guest's memory, in plain */
    uint16_t status = SEV_SUCCESS;
    for (uint32_t at = 0; at < length && status == SEV_SUCCESS;) {
        uint32_t left = length - at;
        uint32_t part = left < sizeof(piece) ? left : (uint32_t)sizeof(piece);
        if (!chip_read_as(chip, from, source + at, piece, part) ||
            !chip_write_as(chip, to, target + at, piece, part))
            status = SEV_INVALID_ADDRESS;
        at += part;
    }
    OPENSSL_cleanse(piece, sizeof(piece));
    return status;
}

uint16_t debug_decrypt(struct chip *chip, void *buffer)
{
    const struct sev_dbg *command = buffer;
    struct chip_guest *guest;
    uint16_t status = check(chip, command, &guest);
    if (status != SEV_SUCCESS)
        return status;
    if (!is_place(guest, command->src_paddr))
        return SEV_INVALID_ADDRESS;
    return copy(chip, command->src_paddr, (memory_view)guest->asid, command->dst_paddr, MEMORY_RAW,
                command->length);
}

uint16_t debug_encrypt(struct chip *chip, void *buffer)
{
    const struct sev_dbg *command = buffer;
    struct chip_guest *guest;
    uint16_t status = check(chip, command, &guest);
    if (status != SEV_SUCCESS)
        return status;
    if (!is_place(guest, command->dst_paddr))
        return SEV_INVALID_ADDRESS;
    return copy(chip, command->src_paddr, MEMORY_RAW, command->dst_paddr, (memory_view)guest->asid,
                command->length);
}

static bool overlap(const struct sev_copy *command)
{
    return command->src_paddr - command->dst_paddr < command->length ||
           command->dst_paddr - command->src_paddr < command->length;
}

/* Whole pages of a guest to another place: ciphertext depends on the address. */
uint16_t guest_copy(struct chip *chip, void *buffer)
{
    const struct sev_copy *command = buffer;
    const struct chip_guest *guest = guest_by_handle(chip, command->handle);
    if (!guest)
        return SEV_INVALID_GUEST;
    if (!guest->asid)
        return SEV_INACTIVE;
    if (command->src_paddr % MEMORY_PAGE_SIZE || command->dst_paddr % MEMORY_PAGE_SIZE)
        return SEV_INVALID_ADDRESS;
    if (!command->length || command->length % MEMORY_PAGE_SIZE)
        return SEV_INVALID_LENGTH;
    if (!chip_is_memory(chip, command->src_paddr, command->length) ||
        !chip_is_memory(chip, command->dst_paddr, command->length))
        return SEV_INVALID_ADDRESS;
    if (overlap(command))
        return SEV_SUCCESS; /* as hardware: nothing is done, and that is all */
    return copy(chip, command->src_paddr, (memory_view)guest->asid, command->dst_paddr,
                (memory_view)guest->asid, command->length);
}
