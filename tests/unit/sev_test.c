/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The vocabulary: policies, certificates, GUIDed tables, messages under MACs, status names. */
#include "tests/unit/sev_data.h"

#include "sev/bytes.h"
#include "sev/certificate.h"
#include "sev/guid_table.h"
#include "sev/hashes.h"
#include "sev/metadata.h"
#include "sev/session.h"
#include "sev/status.h"

static void test_policy_parse(void **state)
{
    static const struct {
        const char *text;
        uint32_t policy;
    } good[] = {
        { "0", 0 },           { "5", 5 },         { "0x18000001", 0x18000001 },
        { "none", 0 },        { "nodbg", 1 },     { "nodbg,noks,es,nosend,domain,sev", 0x3F },
        { "es,api=0.24", 0x18000004 }, { "api=1.55", 0x37010000 }, { "4294967295", UINT32_MAX },
    };
    static const char *const bad[] = { "", ",", "es,", "0x", "4294967296", "0x1g", "-1", "api=1",
                                       "api=256.0", "ES", " 1", "1 " };
    uint32_t policy;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(sev_policy_parse(good[i].text, &policy));
        assert_int_equal(policy, good[i].policy);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(sev_policy_parse(bad[i], &policy));
}

static void test_policy_names(void **state)
{
    char text[64];
    sev_policy_names(0, text, sizeof(text));
    assert_string_equal(text, "none");
    sev_policy_names(0x18000005, text, sizeof(text));
    assert_string_equal(text, "nodbg,es,api=0.24");
    sev_policy_names(0x3F, text, 8);
    assert_string_equal(text, "nodbg,n");
}

static void test_measure_message(void **state)
{
    struct sev_measure_input input = { .api_minor = 24, .build = 7, .policy = 0x18000001 };
    uint8_t message[SEV_MEASURE_INPUT_MAX];
    fill_up(input.digest, 32, 0);
    fill_up(input.nonce, 16, 0x30);
    assert_int_equal(sev_measure_message(&input, message), 56);
    assert_hex(message, "0400180701000018000102030405060708090a0b0c0d0e0f10111213141516171819"
                        "1a1b1c1d1e1f303132333435363738393a3b3c3d3e3f");
    input.api_minor = 16;
    assert_int_equal(sev_measure_message(&input, message), 52);
    assert_hex(message, "010000180001");
}

static const char *const genuine[] = {
    "naples/cek.cert", "naples/oca.cert", "naples/pek.cert", "naples/pdh.cert",
    "rome/cek.cert",   "rome/oca.cert",   "rome/pek.cert",   "rome/pdh.cert",
};

static void test_certificate_round_trip(void **state)
{
    uint8_t bytes[4096], again[SEV_CERT_SIZE];
    struct sev_certificate cert;
    for (size_t i = 0; i < sizeof(genuine) / sizeof(genuine[0]); i++) {
        size_t size = read_data(genuine[i], bytes, sizeof(bytes));
        assert_null(sev_certificate_decode(bytes, size, &cert));
        sev_certificate_encode(&cert, again);
        assert_memory_equal(bytes, again, SEV_CERT_SIZE);
    }
    assert_int_equal(cert.usage, SEV_USAGE_PDH);
    assert_int_equal(cert.algorithm, SEV_ALGO_ECDH_SHA256);
    assert_int_equal(cert.api_minor, 22);
    assert_int_equal(cert.signature[0].usage, SEV_USAGE_PEK);
    assert_int_equal(cert.signature[1].usage, SEV_USAGE_INVALID);
}

static void test_certificate_malformed(void **state)
{
    static const size_t places[] = { 0x000, 0x006, 0x00C, 0x010, 0x014 + 48, 0x05C + 71, 0x0A4,
                                     0x413, 0x61C };
    uint8_t bytes[4096];
    struct sev_certificate cert;
    size_t size = read_data("rome/pdh.cert", bytes, sizeof(bytes));
    assert_non_null(sev_certificate_decode(bytes, size - 1, &cert));
    assert_non_null(sev_certificate_decode(bytes, size + 1, &cert));
    assert_non_null(sev_certificate_decode(bytes, 0, &cert));
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        bytes[places[i]] ^= 0x40;
        assert_non_null(sev_certificate_decode(bytes, size, &cert));
        bytes[places[i]] ^= 0x40;
    }
    assert_null(sev_certificate_decode(bytes, size, &cert));
}

static void test_amd_certificate(void **state)
{
    static const char *const products[] = { "naples", "rome", "milan", "genoa", "turin" };
    uint8_t bytes[4096], again[SEV_AMD_CERT_MAX];
    struct sev_amd_certificate cert;
    char name[64];
    for (size_t i = 0; i < 5; i++) {
        snprintf(name, sizeof(name), "%s/ask.cert", products[i]);
        size_t size = read_data(name, bytes, sizeof(bytes));
        assert_null(sev_amd_certificate_decode(bytes, size, &cert));
        assert_int_equal(cert.size, size);
        assert_int_equal(cert.usage, SEV_USAGE_ASK);
        assert_int_equal(cert.key_size, i ? 512 : 256);
        assert_int_equal(sev_amd_certificate_encode(cert.usage, cert.key_id, cert.certifying_id,
                                                    cert.modulus, cert.key_size, again), size);
        assert_memory_equal(bytes, again, cert.signed_size);
        for (size_t cut = 0; cut < size; cut += 37)
            assert_non_null(sev_amd_certificate_decode(bytes, cut, &cert));
    }
    size_t size = read_data("naples/ark-truncated.cert", bytes, sizeof(bytes));
    assert_non_null(sev_amd_certificate_decode(bytes, size, &cert));
    size += read_data("naples/ark.cert.sig", bytes + size, sizeof(bytes) - size); /* what it lacks */
    assert_null(sev_amd_certificate_decode(bytes, size, &cert));
    assert_int_equal(read_data("naples/ark.cert", again, sizeof(again)), size);
    assert_memory_equal(bytes, again, size);
}

/* An image of 256 bytes whose table holds a hash area, a secret area and a reset block. */
static void build_image(uint8_t image[256])
{
    static const struct {
        const struct sev_guid *guid;
        uint32_t words[2];
        uint16_t size;
    } rows[] = {
        { &sev_guid_hashes_area, { 0x810C00, 0x400 }, 8 },
        { &sev_guid_secret_area, { 0x810000, 0xC00 }, 8 },
        { &sev_guid_reset_block, { 0x80B004, 0 }, 4 },
    };
    uint8_t *end = image + 256 - 0x20, *p = end - 18;
    memset(image, 0xCC, 256);
    memcpy(end - 16, sev_guid_table_footer.bytes, 16);
    for (size_t i = 0; i < 3; i++) {
        p -= 18 + rows[i].size;
        store_le32(p, rows[i].words[0]);
        if (rows[i].size == 8)
            store_le32(p + 4, rows[i].words[1]);
        store_le16(p + rows[i].size, (uint16_t)(18 + rows[i].size));
        memcpy(p + rows[i].size + 2, rows[i].guid->bytes, 16);
    }
    store_le16(end - 18, (uint16_t)(end - p));
}

static void test_guid_table(void **state)
{
    uint8_t image[256];
    uint32_t base, size;
    build_image(image);
    assert_true(sev_guid_table_find_area(image, 256, &sev_guid_hashes_area, &base, &size));
    assert_int_equal(base, 0x810C00);
    assert_int_equal(size, 0x400);
    assert_true(sev_guid_table_find_area(image, 256, &sev_guid_secret_area, &base, &size));
    assert_int_equal(base, 0x810000);
    assert_false(sev_guid_table_find_area(image, 256, &sev_guid_snp_metadata, &base, &size));
    /* An entry of another size is not an area. */
    assert_false(sev_guid_table_find_area(image, 256, &sev_guid_reset_block, &base, &size));
}

static void test_guid_table_hostile(void **state)
{
    uint8_t image[256];
    uint32_t base, size;
    build_image(image);
    for (size_t length = 0; length < 256; length++)
        sev_guid_table_find_area(image, length, &sev_guid_hashes_area, &base, &size);
    for (size_t at = 0; at < 256; at++) {
        for (unsigned value = 0; value < 256; value += 5) {
            build_image(image);
            image[at] = (uint8_t)value;
            sev_guid_table_find_area(image, 256, &sev_guid_secret_area, &base, &size);
        }
    }
    static const uint16_t lengths[] = { 0, 17, 0xFFFF, 237 };
    for (size_t i = 0; i < 4; i++) {
        build_image(image);
        store_le16(image + 256 - 0x20 - 18, lengths[i]);
        assert_false(sev_guid_table_find_area(image, 256, &sev_guid_hashes_area, &base, &size));
    }
}

#define METADATA_AT 40u
static void build_metadata(uint8_t image[128])
{
    static const uint32_t words[] = { 16 + 24, 1, 2, 0x800000, 0x9000, 1, 0x80D000, 0x1000, 2 };
    memset(image, 0xCC, 128);
    memcpy(image + METADATA_AT, "ASEV", 4);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        store_le32(image + METADATA_AT + 4 + 4 * i, words[i]);
}

static void test_metadata(void **state)
{
    uint8_t image[128];
    struct sev_metadata metadata;
    build_metadata(image);
    assert_true(sev_metadata_open(image, 128, 128 - METADATA_AT, &metadata));
    assert_int_equal(metadata.count, 2);
    struct sev_metadata_section section = sev_metadata_section(&metadata, 1);
    assert_int_equal(section.base, 0x80D000);
    assert_int_equal(section.size, 0x1000);
    assert_string_equal(sev_metadata_type_name(section.type), "secrets page");
    assert_string_equal(sev_metadata_type_name(99), "unknown");
}

static void test_metadata_hostile(void **state)
{
    uint8_t image[128];
    struct sev_metadata metadata;
    static const uint32_t distances[] = { 0, 15, 16, 87, 89, 129, UINT32_MAX };
    static const struct {
        unsigned at;
        uint32_t value;
    } changes[] = { { 0, 0 }, { 4, 15 }, { 4, 89 }, { 4, UINT32_MAX }, { 4, 39 }, { 8, 2 },
                    { 12, 3 }, { 12, 0x15555557 }, { 12, UINT32_MAX } };
    build_metadata(image);
    for (size_t i = 0; i < sizeof(distances) / sizeof(distances[0]); i++)
        assert_false(sev_metadata_open(image, 128, distances[i], &metadata));
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        build_metadata(image);
        store_le32(image + METADATA_AT + changes[i].at, changes[i].value);
        assert_false(sev_metadata_open(image, 128, 128 - METADATA_AT, &metadata));
    }
    /* Cut off inside the sections. */
    build_metadata(image);
    assert_false(sev_metadata_open(image, METADATA_AT + 39, 39, &metadata));
}

static void test_hashes_table(void **state)
{
    struct sev_kernel_hashes hashes;
    uint8_t table[SEV_HASHES_TABLE_SIZE];
    memset(hashes.cmdline, 1, 32);
    memset(hashes.initrd, 2, 32);
    memset(hashes.kernel, 3, 32);
    sev_hashes_build(&hashes, table);
    assert_hex(table, "06d63894224fc94cb479a793d411fd21a800"
                      "d82dd09720bd944caa78e7714d36ab2a320001010101");
    assert_hex(table + 68, "31f7ba442f3ad74b9af141e29169781d320002020202");
    assert_hex(table + 118, "3794e74dd2ab7f42b835d5b172d2045b320003030303");
    assert_hex(table + 168, "0000000000000000");
}

static void test_status(void **state)
{
    assert_string_equal(sev_status_name(0x07), "POLICY_FAILURE");
    assert_string_equal(sev_status_name(0x0B), "BAD_MEASUREMENT");
    assert_non_null(sev_status_meaning(0x0B));
    assert_string_equal(sev_status_name(0x1D), "AEAD_OFLOW");
    assert_string_equal(sev_status_name(0x1E), "UNKNOWN"); /* not assigned */
    assert_non_null(sev_status_meaning(0x1E));
    assert_string_equal(sev_status_name(0x27), "INVALID_KEY");
    assert_non_null(sev_status_name(0xFFFF));
    assert_non_null(sev_status_meaning(0xFFFF));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy_parse),
        cmocka_unit_test(test_policy_names),
        cmocka_unit_test(test_measure_message),
        cmocka_unit_test(test_certificate_round_trip),
        cmocka_unit_test(test_certificate_malformed),
        cmocka_unit_test(test_amd_certificate),
        cmocka_unit_test(test_guid_table),
        cmocka_unit_test(test_guid_table_hostile),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_metadata_hostile),
        cmocka_unit_test(test_hashes_table),
        cmocka_unit_test(test_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
