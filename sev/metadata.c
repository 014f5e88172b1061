/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Reads the SEV metadata of a firmware image. */
#include "sev/metadata.h"

#include <string.h>

#include "sev/bytes.h"

#define HEADER_SIZE  16u /* signature, length, version, number of sections */
#define SECTION_SIZE 12u
#define VERSION      1u

static const struct {
    uint32_t type;
    const char *name;
} types[] = {
    { SEV_METADATA_MEMORY, "memory" },
    { SEV_METADATA_SECRETS, "secrets page" },
    { SEV_METADATA_CPUID, "CPUID page" },
    { SEV_METADATA_SVSM_AREA, "calling area of the SVSM" },
    { SEV_METADATA_HASHES, "kernel hashes" },
};

bool sev_metadata_open(const uint8_t *image, size_t size, uint32_t distance,
                       struct sev_metadata *ret)
{
    if (distance > size || distance < HEADER_SIZE)
        return false;
    const uint8_t *header = image + size - distance;
    uint32_t length = load_le32(header + 4), count = load_le32(header + 12);
    if (memcmp(header, "ASEV", 4) != 0 || load_le32(header + 8) != VERSION || length > distance ||
        length < HEADER_SIZE || count > (length - HEADER_SIZE) / SECTION_SIZE)
        return false;
    ret->sections = header + HEADER_SIZE;
    ret->count = count;
    return true;
}

struct sev_metadata_section sev_metadata_section(const struct sev_metadata *metadata,
                                                 uint32_t index)
{
    const uint8_t *at = metadata->sections + (size_t)index * SECTION_SIZE;
    return (struct sev_metadata_section){ load_le32(at), load_le32(at + 4), load_le32(at + 8) };
}

const char *sev_metadata_type_name(uint32_t type)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (types[i].type == type)
            return types[i].name;
    }
    return "unknown";
}
