/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Launch digests of SEV-SNP guests: page by page against known values, a whole guest against
 * those of sev-snp-measure (0.0.13, 8f2b337, run by hand on the image that is made here), and firmware
 * whose metadata is no metadata.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "owner/snp_digest.h"
#include "sev/bytes.h"

enum { IMAGE = 0x4000, TABLE_END = IMAGE - 0x20, METADATA = 0x800, SECTIONS = METADATA + 16 };
enum { ROW = 12, ROWS = 6, HASHES_OFFSET = 0x400 };

static const uint8_t guid_footer[16] = { 0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45,
                                         0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d },
                     guid_metadata[] = { 0x66, 0x65, 0x88, 0xdc, 0x4a, 0x98, 0x98, 0x47,
                                         0xa7, 0x5e, 0x55, 0x85, 0xa7, 0xbf, 0x67, 0xcc },
                     guid_hashes[] = { 0x1f, 0x37, 0x55, 0x72, 0x3b, 0x3a, 0x04, 0x4b,
                                       0x92, 0x7b, 0x1d, 0xa6, 0xef, 0xa8, 0xd4, 0x54 };

static uint8_t image[IMAGE], first[OWNER_VMSA_SIZE], others[OWNER_VMSA_SIZE];
static struct owner_guest guest;

static void digest_is(const uint8_t digest[OWNER_SNP_DIGEST_SIZE], const char *expected)
{
    char text[2 * OWNER_SNP_DIGEST_SIZE + 1];
    for (size_t i = 0; i < OWNER_SNP_DIGEST_SIZE; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    assert_string_equal(text, expected);
}

static void page_by_page(void **state)
{
    uint8_t digest[OWNER_SNP_DIGEST_SIZE] = { 0 }, page[OWNER_SNP_PAGE_SIZE];
    for (size_t i = 0; i < sizeof(page); i++)
        page[i] = (uint8_t)i;
    owner_snp_digest_page(digest, OWNER_SNP_NORMAL, 0xFFFFF000, page);
    digest_is(digest, "79d7e453f7b541d04f7f51cccc6f4acca624b7a97430595dd7c98bd8c7a89765"
                      "6a91c611473f137680bd00e9e72e47c4");
    owner_snp_digest_page(digest, OWNER_SNP_ZERO, 0x800000, NULL);
    digest_is(digest, "03ea82864e5aabf492f7e714db72aa7ac044e036de818a2067873e00972e6db0"
                      "38604ddf109687df6c1b7433021c8a9f");
    owner_snp_digest_page(digest, OWNER_SNP_SECRETS, 0x80D000, NULL);
    digest_is(digest, "6bd1c88cae3eb95b4894b872d91e6465872d4a59e904de3d9eda6dff630422d1"
                      "a7e753d7af770ed1295db8eccca641a8");
}

/* The chip sets TSC scale and offset: whatever a page has there, the digest is the same. */
static void tsc_of_a_processor(void **state)
{
    uint8_t one[OWNER_SNP_DIGEST_SIZE] = { 0 }, two[OWNER_SNP_DIGEST_SIZE] = { 0 };
    uint8_t page[OWNER_SNP_PAGE_SIZE] = { 0 };
    owner_snp_digest_page(one, OWNER_SNP_VMSA, 0, page);
    memset(page + 0x2F0, 0x55, 16);
    owner_snp_digest_page(two, OWNER_SNP_VMSA, 0, page);
    assert_memory_equal(one, two, sizeof(one));
    owner_snp_digest_page(one, OWNER_SNP_VMSA, 0, page);
    page[0x300] = 1; /* what follows them counts */
    owner_snp_digest_page(two, OWNER_SNP_VMSA, 0, page);
    assert_memory_not_equal(one, two, sizeof(one));
}

static size_t put_entry(size_t end, const uint8_t guid[16], const uint32_t *words, size_t count)
{
    size_t length = 4 * count + 18;
    memcpy(image + end - 16, guid, 16);
    store_le16(image + end - 18, (uint16_t)length);
    for (size_t i = 0; i < count; i++)
        store_le32(image + end - length + 4 * i, words[i]);
    return end - length;
}

static void put_section(unsigned row, uint32_t base, uint32_t size, uint32_t type)
{
    uint8_t *at = image + SECTIONS + ROW * row;
    store_le32(at, base);
    store_le32(at + 4, size);
    store_le32(at + 8, type);
}

static int make(void **state)
{
    const uint32_t distance = IMAGE - METADATA, area[] = { 0x810000 + HASHES_OFFSET, 0x400 };
    for (size_t i = 0; i < IMAGE; i++)
        image[i] = (uint8_t)(i * 7 + (i >> 8));
    size_t at = put_entry(TABLE_END - 18, guid_metadata, &distance, 1);
    at = put_entry(at, guid_hashes, area, 2);
    memcpy(image + TABLE_END - 16, guid_footer, 16);
    store_le16(image + TABLE_END - 18, (uint16_t)(TABLE_END - at));
    memcpy(image + METADATA, "ASEV", 4);
    store_le32(image + METADATA + 4, 16 + ROWS * ROW);
    store_le32(image + METADATA + 8, 1);
    store_le32(image + METADATA + 12, ROWS);
    put_section(0, 0x800000, 0x9000, 1);
    put_section(1, 0x80D000, 0x1000, 2);
    put_section(2, 0x80E000, 0x1000, 3);
    put_section(3, 0x80F000, 0x1000, 4);
    put_section(4, 0x810000, 0x1000, 0x10);
    put_section(5, 0x811000, 0xF000, 1);
    memset(first, 1, sizeof(first));
    memset(others, 2, sizeof(others));
    guest = (struct owner_guest){ .firmware = { image, IMAGE },
                                  .kernel = { (const uint8_t *)"kernel", 6 },
                                  .command_line = "quiet",
                                  .vmsa_first = first,
                                  .vmsa_others = others };
    return 0;
}

static void whole_guests(void **state)
{
    uint8_t digest[OWNER_SNP_DIGEST_SIZE];
    assert_null(owner_snp_launch_digest(&guest, digest));
    digest_is(digest, "284a2d5b6a7b124ba8594a4d8fd03051091199308b07d9a2a15a51cc5d0667aa"
                      "ade67c891cf7e5db9ad71c3c1b2b2173");
    guest.kernel_hashes = true;
    assert_null(owner_snp_launch_digest(&guest, digest));
    digest_is(digest, "8a36c3a16d69a28f97c280a9441ce1224ddd1e7c361a7ae1ac561a93b81702e3"
                      "9c7e88d6d80234afed4c8c7d85f3f243");
}

/* Three processors each, the others at 0x80B004. */
static void other_vmms(void **state)
{
    static const struct {
        enum sev_vmm vmm;
        const char *plain, *with_hashes;
    } rows[] = {
        { SEV_VMM_QEMU, "34d68a48f98bafd33b65afb72dc6a76f72a72ab5f8b66a335736c3e87678a871"
                        "3932c83825990b98df6d3379f68afb14",
          "be1ac3d7b06fff144e0ee8c798b482844c9d24dc7e8f6539116dfaff5b036bf5"
          "399b14da49632ceb25e7fa17f9b6f16e" },
        { SEV_VMM_EC2, "4fc6a75e131da954daf889992b7e09ff252ad5b6d81023a0a076c7584dcb7f55"
                       "adaa9713c096303255c1b77fb5285107",
          "87229a2cc57a2ffe32e29d05ab2254e305e2f69a560317ae1ecbdf481c56680a"
          "4ba89ead6f192dd083e8743305df08b6" },
        { SEV_VMM_GCE, "6dcceef34576c36bc68d332f34432bba8def7b376c6706700c3262a55367fbc7"
                       "7782e4ceb7114b782ee81cf8767d8830",
          "b365d038817a2071806c533a982b9e88186f2e01426424a803b0913058d41dda"
          "c93e3ae992c569391c8e6a2e1cd02082" },
    };
    uint8_t digest[OWNER_SNP_DIGEST_SIZE];
    guest.processors = 3;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sev_vmsa_config config = { .vmm = rows[i].vmm, .features = SEV_FEATURE_SNP,
                                          .signature = 0xA00F11, .fpu = true };
        sev_vmsa_build(&config, SEV_VMSA_RESET, first);
        sev_vmsa_build(&config, 0x80B004, others);
        guest.vmm = rows[i].vmm;
        guest.kernel_hashes = false;
        assert_null(owner_snp_launch_digest(&guest, digest));
        digest_is(digest, rows[i].plain);
        guest.kernel_hashes = true;
        assert_null(owner_snp_launch_digest(&guest, digest));
        digest_is(digest, rows[i].with_hashes);
    }
}

/* As many of them as there are processors, the first one first. */
static void processors_follow(void **state)
{
    uint8_t expected[OWNER_SNP_DIGEST_SIZE], digest[OWNER_SNP_DIGEST_SIZE];
    assert_null(owner_snp_launch_digest(&guest, expected));
    for (guest.processors = 1; guest.processors < 4; guest.processors++) {
        owner_snp_digest_page(expected, OWNER_SNP_VMSA, 0xFFFFFFFFF000,
                              guest.processors == 1 ? first : others);
        assert_null(owner_snp_launch_digest(&guest, digest));
        assert_memory_equal(digest, expected, sizeof(digest));
    }
}

static void refuses(const char *words)
{
    uint8_t digest[OWNER_SNP_DIGEST_SIZE];
    const char *reason = owner_snp_launch_digest(&guest, digest);
    assert_non_null(reason);
    assert_non_null(strstr(reason, words));
}

static void hostile_metadata(void **state)
{
    static const struct {
        uint32_t base, size, type;
        const char *words;
    } rows[] = { { 0x800000, 0x9000, 5, "type that is not known" },
                 { 0x800001, 0x9000, 1, "no pages below 4 GiB" },
                 { 0x800000, 0x9001, 1, "no pages below 4 GiB" },
                 { 0xFFFFF000, 0x2000, 1, "no pages below 4 GiB" },
                 { 0, 0xFFFFF000, 1, "no pages below 4 GiB" }, /* with the others */
                 { 0x800000, 0x2000, 2, "that is no page" },
                 { 0x800000, 0, 3, "that is no page" } };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        make(NULL);
        put_section(0, rows[i].base, rows[i].size, rows[i].type);
        refuses(rows[i].words);
    }
    make(NULL);
    image[METADATA] = 0;
    refuses("no SEV-SNP metadata");
    make(NULL);
    image[TABLE_END - 1] ^= 1;
    refuses("no SEV-SNP metadata");
    make(NULL);
    guest.firmware = (struct owner_blob){ image + 1, IMAGE - 1 };
    refuses("no number of pages");
}

static void hashes_have_their_page(void **state)
{
    guest.kernel_hashes = true;
    put_section(4, 0x810000, 0x2000, 0x10);
    refuses("area for kernel hashes");
    put_section(4, 0x812000, 0x1000, 0x10);
    refuses("area for kernel hashes");
    put_section(4, 0x80F000, 0x1000, 0x10);
    refuses("area for kernel hashes");
    put_section(4, 0x810000, 0x1000, 1);
    refuses("no page for kernel hashes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page_by_page),
        cmocka_unit_test(tsc_of_a_processor),
        cmocka_unit_test_setup(whole_guests, make),
        cmocka_unit_test_setup(other_vmms, make),
        cmocka_unit_test_setup(processors_follow, make),
        cmocka_unit_test_setup(hostile_metadata, make),
        cmocka_unit_test_setup(hashes_have_their_page, make),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
