/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* DBG_DECRYPT and DBG_ENCRYPT: the host's window into a guest whose policy allows it. */
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

/* Reads guest memory through the guest's key, or plain memory. */
static bool get(struct chip *chip, uint64_t address, void *data, size_t length, memory_view view)
{
    if (view == MEMORY_RAW)
        return chip_read(chip, address, data, length);
    return address < CHIP_HOST_WINDOW &&
           memory_read(chip->memory, address, data, length, view) == 0;
}

static bool put(struct chip *chip, uint64_t address, const void *data, size_t length,
                memory_view view)
{
    if (view == MEMORY_RAW)
        return chip_write(chip, address, data, length);
    return address < CHIP_HOST_WINDOW &&
           memory_write(chip->memory, address, data, length, view) == 0;
}

static uint16_t copy(struct chip *chip, const struct sev_dbg *command, memory_view from,
                     memory_view to)
{
    uint8_t piece[4096];
    for (uint32_t at = 0; at < command->length;) {
        uint32_t left = command->length - at;
        uint32_t part = left < sizeof(piece) ? left : (uint32_t)sizeof(piece);
        if (!get(chip, command->src_paddr + at, piece, part, from) ||
            !put(chip, command->dst_paddr + at, piece, part, to))
            return SEV_INVALID_ADDRESS;
        at += part;
    }
    return SEV_SUCCESS;
}

uint16_t debug_decrypt(struct chip *chip, void *buffer)
{
    struct chip_guest *guest;
    uint16_t status = check(chip, buffer, &guest);
    return status ? status : copy(chip, buffer, (memory_view)guest->asid, MEMORY_RAW);
}

uint16_t debug_encrypt(struct chip *chip, void *buffer)
{
    struct chip_guest *guest;
    uint16_t status = check(chip, buffer, &guest);
    return status ? status : copy(chip, buffer, MEMORY_RAW, (memory_view)guest->asid);
}
