/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The debugger's window into a guest: DBG_DECRYPT and DBG_ENCRYPT of blocks within a page. */
#include <errno.h>
#include <string.h>

#include "machine/driver/internal.h"

/* Part 0: ciphertext of a page at `address`; plaintext goes back. */
void driver_decrypt(struct driver *d, uint32_t handle, const uint32_t *size)
{
    uint64_t place = driver_address(d->wire->address);
    uint64_t plain = chip_map(d->chip, d->part[1], WIRE_PART_MAX);
    struct sev_dbg dbg = { .handle = handle, .src_paddr = place, .dst_paddr = plain,
                           .length = size[0] };
    if (!driver_within_page(d->wire->address, size[0]) ||
        memory_write(d->memory, place, d->part[0], size[0], MEMORY_RAW) != 0)
        driver_refuse(d, EINVAL);
    else
        driver_command(d, SEV_DBG_DECRYPT, &dbg);
    chip_unmap(d->chip, plain);
    const struct chip_states states = chip_states(d->chip, handle ? handle : UINT32_MAX);
    d->wire->platform = (uint32_t)states.platform;
    d->wire->state = (uint32_t)states.guest;
    if (!d->wire->error) {
        memcpy(d->part[0], d->part[1], size[0]);
        d->wire->size[0] = size[0];
    }
}

/* Part 0: plaintext for a page at `address`; ciphertext goes back. */
void driver_encrypt(struct driver *d, uint32_t handle, const uint32_t *size)
{
    uint64_t place = driver_address(d->wire->address);
    uint64_t plain = chip_map(d->chip, d->part[0], WIRE_PART_MAX);
    struct sev_dbg dbg = { .handle = handle, .src_paddr = plain, .dst_paddr = place,
                           .length = size[0] };
    if (!driver_within_page(d->wire->address, size[0]))
        driver_refuse(d, EINVAL);
    else
        driver_command(d, SEV_DBG_ENCRYPT, &dbg);
    chip_unmap(d->chip, plain);
    if (!d->wire->error) {
        memory_read(d->memory, place, d->part[0], size[0], MEMORY_RAW);
        d->wire->size[0] = size[0];
    }
}
