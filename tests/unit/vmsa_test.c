/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A processor's page and the signatures of models. The digests are those of the pages that
 * sev-snp-measure (0.0.13, commit 8f2b337) builds, further processors at 0x80B004.
 */
#include "tests/unit/sev_data.h"

#include <openssl/sha.h>
#include <stdio.h>

#include "sev/guid_table.h"
#include "sev/vmsa.h"

#define OTHERS 0x80B004u

static void expect_page(const struct sev_vmsa_config *config, uint32_t reset, const char *digest)
{
    uint8_t page[SEV_VMSA_PAGE_SIZE], got[SHA256_DIGEST_LENGTH];
    char text[2 * sizeof(got) + 1];
    memset(page, 0xA5, sizeof(page));
    sev_vmsa_build(config, reset, page);
    SHA256(page, sizeof(page), got);
    for (size_t i = 0; i < sizeof(got); i++)
        snprintf(text + 2 * i, 3, "%02x", got[i]);
    assert_string_equal(text, digest);
}

static void test_pages(void **state)
{
    static const struct {
        enum sev_vmm vmm;
        uint64_t features;
        const char *model, *first, *others;
    } rows[] = {
        { SEV_VMM_QEMU, 0, "EPYC-Milan",
          "efcc96a66e22e3d25161643c1331c59ef2b11d0ac63369c49c0cf2133c0b58db",
          "a14b28cfdc8d4d0e2884708ff279ca1204b7e45d45970c38c32fcd3374ba9f4f" },
        { SEV_VMM_QEMU, 0, "EPYC-Turin",
          "2bc50e474ab9dfc9f23725eff63f0b1f20cd653da57447aa090c24818ebab413",
          "0d2ed83a6a73296c2218a7ddc356732791446e28c868d50ef7a44a8ffb90fa36" },
        { SEV_VMM_EC2, 0, "EPYC-Milan",
          "68f77db70cd037d5048ca3d14facee1da86e4185d8c5670d354e3cd5fe957ed8",
          "42f5f188f830ef836d79fdf9a776c78d2c467f9dc312ae2eaa902a2dc1aa9bbc" },
        { SEV_VMM_EC2, SEV_FEATURE_SNP, "EPYC-Turin",
          "d6c9d0409668043e96874082e992eb1a08393f1ad6f3c1be450e51bc2cc66004",
          "ce413781191b8f11f8cf1a4a5d9d7f9824356c02390b47ea0d33976bc2430b90" },
        { SEV_VMM_GCE, 0, "EPYC-Milan",
          "97a01e73978dc93d41aab8371d448e620bc039be764b8209cb618f56fef86906",
          "87472bb391954a445c49a9db4a694488622e302e00f73d8cd05f9fe9400ea422" },
        { SEV_VMM_GCE, SEV_FEATURE_SNP, "EPYC-Turin",
          "a2b1355de1e1f11159d4cfaa28a748c6d19f63b330a7cb09696eda0c5f2f8ab8",
          "e62b24c0430d685360090aa7362d89bc9009a43794cdd274a57abb8fada49344" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sev_vmsa_config config = { .vmm = rows[i].vmm, .features = rows[i].features,
                                          .fpu = true };
        assert_true(sev_cpu_model_signature(rows[i].model, &config.signature));
        expect_page(&config, SEV_VMSA_RESET, rows[i].first);
        expect_page(&config, OTHERS, rows[i].others);
    }
}

static void test_signatures(void **state)
{
    static const char *const bad[] = { "", "EPYC-", "EPYC-v", "EPYC-vx", "EPYC-v1x", "EPYC-Naples",
                                       "epyc", "EPYC-Rome-v", "Opteron_G5" };
    uint32_t signature = 1;
    assert_int_equal(sev_cpu_signature(25, 1, 1), 0xA00F11);
    assert_int_equal(sev_cpu_signature(23, 49, 0), 0x830F10);
    assert_int_equal(sev_cpu_signature(6, 42, 7), 0x206A7);
    const struct sev_cpu_numbers numbers = sev_cpu_numbers(0xA10F12);
    assert_int_equal(numbers.family, 25);
    assert_int_equal(numbers.model, 17);
    assert_int_equal(numbers.stepping, 2);
    assert_true(sev_cpu_model_signature("EPYC-v4", &signature));
    assert_int_equal(signature, 0x800F12);
    assert_true(sev_cpu_model_signature("EPYC-Rome-v12", &signature));
    assert_int_equal(signature, 0x830F10);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(sev_cpu_model_signature(bad[i], &signature));
    for (unsigned i = 0; sev_cpu_model_name(i); i++)
        assert_true(sev_cpu_model_signature(sev_cpu_model_name(i), &signature));
}

/* Footer and one entry, the length of whose data is `length`. */
static size_t image_of(uint8_t image[256], uint16_t length)
{
    const size_t end = 256 - 0x20;
    uint8_t *footer = image + end - 18, *entry = footer - 18;
    memset(image, 0, 256);
    footer[0] = (uint8_t)(36 + length);
    memcpy(footer + 2, sev_guid_table_footer.bytes, 16);
    entry[0] = (uint8_t)(18 + length);
    memcpy(entry + 2, sev_guid_reset_block.bytes, 16);
    memcpy(entry - length, "\x04\xB0\x80\x00\x00\x00\x00\x00", length);
    return 256;
}

static void test_reset_address(void **state)
{
    uint8_t image[256];
    uint32_t address = 0;
    size_t size = image_of(image, 4);
    assert_true(sev_guid_table_reset_address(image, size, &address));
    assert_int_equal(address, OTHERS);
    size = image_of(image, 8); /* another length is not ours to read */
    assert_false(sev_guid_table_reset_address(image, size, &address));
    memset(image, 0, sizeof(image));
    assert_false(sev_guid_table_reset_address(image, sizeof(image), &address));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_reset_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
