/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Launch digests of SEV-SNP guests (SEV-SNP ABI 8.17.2; sections as each VMM launches them). */
#include "owner/snp_digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "sev/bytes.h"
#include "sev/guid_table.h"
#include "sev/metadata.h"

#define FOUR_GIB     (1ull << 32)
#define VMSA_ADDRESS 0xFFFFFFFFF000ull /* where KVM says that they are */

/* PAGE_INFO (SEV-SNP ABI, table 67). */
#define INFO_SIZE     0x70u
#define INFO_CONTENTS 0x30u
#define INFO_LENGTH   0x60u
#define INFO_TYPE     0x62u
#define INFO_ADDRESS  0x68u

/* Quadwords of a VMSA that the chip sets itself: TSC scale and offset. */
#define VMSA_TSC      0x2F0u
#define VMSA_TSC_SIZE 16u

static void sha384(const void *data, size_t size, uint8_t digest[OWNER_SNP_DIGEST_SIZE])
{
    if (EVP_Digest(data, size, digest, NULL, EVP_sha384(), NULL) != 1)
        OPENSSL_die("SHA-384 failed", __FILE_NAME__, __LINE__);
}

static void digest_contents(enum owner_snp_page type, const uint8_t *page, uint8_t *ret)
{
    uint8_t vmsa[OWNER_SNP_PAGE_SIZE];
    if (type == OWNER_SNP_NORMAL) {
        sha384(page, OWNER_SNP_PAGE_SIZE, ret);
    } else if (type == OWNER_SNP_VMSA) {
        memcpy(vmsa, page, sizeof(vmsa));
        memset(vmsa + VMSA_TSC, 0, VMSA_TSC_SIZE);
        sha384(vmsa, sizeof(vmsa), ret);
    }
}

void owner_snp_digest_page(uint8_t digest[OWNER_SNP_DIGEST_SIZE], enum owner_snp_page type,
                           uint64_t address, const uint8_t *page)
{
    uint8_t info[INFO_SIZE] = { 0 };
    memcpy(info, digest, OWNER_SNP_DIGEST_SIZE);
    digest_contents(type, page, info + INFO_CONTENTS);
    store_le16(info + INFO_LENGTH, INFO_SIZE);
    info[INFO_TYPE] = (uint8_t)type;
    store_le64(info + INFO_ADDRESS, address);
    sha384(info, sizeof(info), digest);
}

static void add_pages(uint8_t *digest, enum owner_snp_page type, uint64_t address, uint64_t size,
                      const uint8_t *data)
{
    for (uint64_t at = 0; at < size; at += OWNER_SNP_PAGE_SIZE)
        owner_snp_digest_page(digest, type, address + at, data ? data + at : NULL);
}

static bool find_metadata(const struct owner_blob *firmware, struct sev_metadata *ret)
{
    struct sev_guid_walk walk;
    struct sev_guid_entry entry;
    if (!sev_guid_table_open(firmware->data, firmware->size, &walk))
        return false;
    while (sev_guid_table_next(&walk, &entry))
        if (memcmp(&entry.guid, &sev_guid_snp_metadata, sizeof(entry.guid)) == 0)
            return entry.length == sizeof(uint32_t) &&
                   sev_metadata_open(firmware->data, firmware->size, load_le32(entry.data), ret);
    return false;
}

/* Sections are whole pages below 4 GiB and not more than fit there, so that the work is bounded. */
static const char *check_sections(const struct sev_metadata *metadata)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < metadata->count; i++) {
        struct sev_metadata_section section = sev_metadata_section(metadata, i);
        bool single = section.type == SEV_METADATA_SECRETS || section.type == SEV_METADATA_CPUID;
        total += section.size;
        if (section.base % OWNER_SNP_PAGE_SIZE || section.size % OWNER_SNP_PAGE_SIZE ||
            (uint64_t)section.base + section.size > FOUR_GIB || total > FOUR_GIB)
            return "its SEV-SNP metadata has sections that are no pages below 4 GiB";
        if (single && section.size != OWNER_SNP_PAGE_SIZE)
            return "its SEV-SNP metadata has a secrets or CPUID section that is no page";
    }
    return NULL;
}

/* The table of hashes in its page; no hashes: a page of zeros. */
static const char *add_hashes(const struct owner_guest *guest,
                              const struct sev_metadata_section *section, uint8_t *digest)
{
    uint8_t page[OWNER_SNP_PAGE_SIZE] = { 0 };
    struct sev_kernel_hashes hashes;
    uint32_t base, size;
    if (!guest->kernel_hashes) {
        add_pages(digest, OWNER_SNP_ZERO, section->base, section->size, NULL);
        return NULL;
    }
    if (section->size != sizeof(page) ||
        !sev_guid_table_find_area(guest->firmware.data, guest->firmware.size,
                                  &sev_guid_hashes_area, &base, &size) ||
        base < section->base || base - section->base > sizeof(page) - SEV_HASHES_TABLE_SIZE)
        return "its area for kernel hashes is not in the page that its SEV-SNP metadata has for it";
    owner_kernel_hashes(guest, &hashes);
    sev_hashes_build(&hashes, page + (base - section->base));
    owner_snp_digest_page(digest, OWNER_SNP_NORMAL, section->base, page);
    return NULL;
}

static const char *add_section(const struct owner_guest *guest,
                               const struct sev_metadata_section *section, uint8_t *digest)
{
    switch (section->type) {
    case SEV_METADATA_MEMORY:
        add_pages(digest, guest->vmm == SEV_VMM_GCE ? OWNER_SNP_UNMEASURED : OWNER_SNP_ZERO,
                  section->base, section->size, NULL);
        return NULL;
    case SEV_METADATA_SVSM_AREA:
        add_pages(digest, OWNER_SNP_ZERO, section->base, section->size, NULL);
        return NULL;
    case SEV_METADATA_SECRETS:
        owner_snp_digest_page(digest, OWNER_SNP_SECRETS, section->base, NULL);
        return NULL;
    case SEV_METADATA_CPUID:
        owner_snp_digest_page(digest, OWNER_SNP_CPUID, section->base, NULL);
        return NULL;
    case SEV_METADATA_HASHES:
        return add_hashes(guest, section, digest);
    default:
        return "its SEV-SNP metadata has a section of a type that is not known";
    }
}

/* The CPUID sections, or all others, or both. */
static const char *add_some(const struct owner_guest *guest, const struct sev_metadata *metadata,
                            bool cpuid, bool others, uint8_t *digest)
{
    const char *reason = NULL;
    for (uint32_t i = 0; !reason && i < metadata->count; i++) {
        struct sev_metadata_section section = sev_metadata_section(metadata, i);
        if (section.type == SEV_METADATA_CPUID ? cpuid : others)
            reason = add_section(guest, &section, digest);
    }
    return reason;
}

static bool has_hashes(const struct sev_metadata *metadata)
{
    for (uint32_t i = 0; i < metadata->count; i++)
        if (sev_metadata_section(metadata, i).type == SEV_METADATA_HASHES)
            return true;
    return false;
}

static const char *add_sections(const struct owner_guest *guest,
                                const struct sev_metadata *metadata, uint8_t *digest)
{
    bool cpuid_last = guest->vmm == SEV_VMM_EC2;
    const char *reason = check_sections(metadata);
    if (!reason)
        reason = add_some(guest, metadata, !cpuid_last, true, digest);
    if (!reason && cpuid_last)
        reason = add_some(guest, metadata, true, false, digest);
    if (!reason && guest->kernel_hashes && !has_hashes(metadata))
        reason = "its SEV-SNP metadata has no page for kernel hashes";
    return reason;
}

const char *owner_snp_launch_digest(const struct owner_guest *guest,
                                    uint8_t digest[OWNER_SNP_DIGEST_SIZE])
{
    const struct owner_blob *firmware = &guest->firmware;
    struct sev_metadata metadata;
    memset(digest, 0, OWNER_SNP_DIGEST_SIZE);
    if (!find_metadata(firmware, &metadata))
        return "it has no SEV-SNP metadata: it does not start SEV-SNP guests";
    if (firmware->size % OWNER_SNP_PAGE_SIZE || firmware->size > FOUR_GIB)
        return "its size is no number of pages";
    add_pages(digest, OWNER_SNP_NORMAL, FOUR_GIB - firmware->size, firmware->size, firmware->data);
    const char *reason = add_sections(guest, &metadata, digest);
    for (unsigned i = 0; !reason && i < guest->processors; i++)
        owner_snp_digest_page(digest, OWNER_SNP_VMSA, VMSA_ADDRESS,
                              i ? guest->vmsa_others : guest->vmsa_first);
    return reason;
}
