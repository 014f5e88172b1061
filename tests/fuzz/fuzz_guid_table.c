/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The GUIDed table at the end of a firmware image and the SEV metadata that it names: every entry
 * and every section lies inside the image; the launch digest of a SEV-SNP guest from it.
 */
#include <stdlib.h>

#include "owner/snp_digest.h"
#include "sev/bytes.h"
#include "sev/guid_table.h"
#include "sev/metadata.h"

#define MEASURED (1u << 20)

static void read_metadata(const uint8_t *data, size_t size, uint32_t distance)
{
    struct sev_metadata metadata;
    if (!sev_metadata_open(data, size, distance, &metadata))
        return;
    uint64_t total = 0;
    for (uint32_t i = 0; i < metadata.count; i++) {
        struct sev_metadata_section section = sev_metadata_section(&metadata, i);
        sev_metadata_type_name(section.type);
        total += section.size;
    }
    uint8_t digest[OWNER_SNP_DIGEST_SIZE];
    const struct owner_guest guest = { .firmware = { data, size }, .kernel_hashes = size & 1 << 12 };
    if (total <= MEASURED) /* what is sound but large takes its time */
        owner_snp_launch_digest(&guest, digest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sev_guid_walk walk;
    struct sev_guid_entry entry;
    uint32_t base, length;
    sev_guid_table_find_area(data, size, &sev_guid_hashes_area, &base, &length);
    if (!sev_guid_table_open(data, size, &walk))
        return 0;
    for (size_t count = 0; sev_guid_table_next(&walk, &entry); count++) {
        if (entry.data < data || entry.length > (size_t)(data + size - entry.data) || count > size)
            abort();
        if (entry.length == 4)
            read_metadata(data, size, load_le32(entry.data));
    }
    return 0;
}
