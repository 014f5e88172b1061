/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The SEV metadata of a firmware image ("ASEV"; OVMF's OvmfSevMetadata): which pages an SEV-SNP
 * launch prepares and how. The GUIDed table names its distance from the image's end. Images are
 * hostile: everything lies inside the image.
 */
#ifndef PRIVET_SEV_METADATA_H
#define PRIVET_SEV_METADATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sev_metadata {
    const uint8_t *sections; /* inside the image */
    uint32_t count;
};

struct sev_metadata_section {
    uint32_t base, size, type; /* type: enum sev_metadata_type, or one that we do not know */
};

enum sev_metadata_type {
    SEV_METADATA_MEMORY = 1, /* zeros */
    SEV_METADATA_SECRETS = 2,
    SEV_METADATA_CPUID = 3,
    SEV_METADATA_SVSM_AREA = 4,
    SEV_METADATA_HASHES = 0x10,
};

/* `distance` is the content of the table's entry. False: there is no sound metadata at that place. */
bool sev_metadata_open(const uint8_t *image, size_t size, uint32_t distance,
                       struct sev_metadata *ret);

/* `index` is below `count`. */
struct sev_metadata_section sev_metadata_section(const struct sev_metadata *metadata,
                                                 uint32_t index);

/* In words; "unknown" for a type that we do not know. */
const char *sev_metadata_type_name(uint32_t type);

#endif
