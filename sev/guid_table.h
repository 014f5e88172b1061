/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The GUIDed table at the end of a firmware image, as QEMU and OVMF know it: entries of data,
 * u16 length, GUID, read backwards from a footer that ends 0x20 bytes before the image's end.
 * Images are hostile: every length is bounded by the table, the table by the image.
 */
#ifndef PRIVET_SEV_GUID_TABLE_H
#define PRIVET_SEV_GUID_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In file order (mixed-endian EFI form). */
struct sev_guid {
    uint8_t bytes[16];
};

extern const struct sev_guid sev_guid_table_footer;
extern const struct sev_guid sev_guid_hashes_area; /* u32 base, u32 size */
extern const struct sev_guid sev_guid_secret_area; /* u32 base, u32 size */
extern const struct sev_guid sev_guid_reset_block; /* u32 address */
extern const struct sev_guid sev_guid_snp_metadata; /* u32 distance from the image's end */
extern const struct sev_guid sev_guid_tdx_metadata; /* the same, for Intel's */
extern const struct sev_guid sev_guid_igvm_metadata; /* the same, for IGVM files */
extern const struct sev_guid sev_guid_privet_version; /* text, padded with NULs; only ours */

struct sev_guid_entry {
    struct sev_guid guid;
    const uint8_t *data; /* inside the image */
    uint16_t length;     /* of data */
};

/* Start of a walk. False: the image has no (sound) table. */
struct sev_guid_walk {
    const uint8_t *start, *at;
};
bool sev_guid_table_open(const uint8_t *image, size_t size, struct sev_guid_walk *ret);

/* The next entry towards the table's start; false at its end or at a broken entry. */
bool sev_guid_table_next(struct sev_guid_walk *walk, struct sev_guid_entry *ret);

/* Where processors but the first begin in a SEV-ES guest (the reset block). False: not told. */
bool sev_guid_table_reset_address(const uint8_t *image, size_t size, uint32_t *ret_address);

/* An entry that holds base and size. */
bool sev_guid_table_find_area(const uint8_t *image, size_t size, const struct sev_guid *guid,
                              uint32_t *ret_base, uint32_t *ret_size);

#endif
