/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Attestation reports: genuine ones of SEV-SNP with their certificates, and ones of SEV under a key
 * made here; what is changed, swapped, cut off or unknown is refused.
 */
#include "tests/unit/sev_data.h"

#include <openssl/ec.h>
#include <openssl/x509.h>
#include <stdbool.h>

#include "owner/bundle.h"
#include "owner/report.h"
#include "sev/bytes.h"

static uint8_t data[4096];
static struct sev_report report;
static struct owner_bundle bundle;
static struct owner_checks checks;

static int fresh(void **state)
{
    memset(&bundle, 0, sizeof(bundle));
    checks.count = 0;
    return 0;
}

static int release(void **state)
{
    owner_bundle_free(&bundle);
    return 0;
}

static void add_file(const char *name)
{
    static uint8_t bytes[16 << 10];
    char what[256];
    size_t size = read_data(name, bytes, sizeof(bytes));
    assert_null(owner_bundle_add(&bundle, bytes, size, what, sizeof(what)));
}

static void load(const char *name)
{
    size_t size = read_data(name, data, sizeof(data));
    assert_int_equal(size, SEV_SNP_REPORT_SIZE);
    assert_null(sev_report_decode(data, size, &report));
}

static const struct owner_check *check_named(const char *name)
{
    for (unsigned i = 0; i < checks.count; i++) {
        if (strcmp(checks.items[i].name, name) == 0)
            return &checks.items[i];
    }
    fail_msg("no check '%s'", name);
    return NULL;
}

static void expect_state(const char *name, enum owner_link_state state)
{
    assert_int_equal(check_named(name)->state, state);
}

static const uint8_t *bytes_of(const char *name)
{
    return sev_report_bytes(&report, name);
}

/* ---- SEV-SNP ---- */

static const struct genuine {
    const char *folder, *certificate, *signature;
    uint32_t version;
    uint64_t policy, svn;
    const char *tcb, *chip, *measurement;
} genuine[] = {
    { "milan-vcek-a", "vcek.der", "VCEK signs the report", 2, 0x30000, 0, "0300000000000873",
      "d49554ec717f4e5b", "7a1e5c266c0108db" },
    { "milan-vcek-b", "vcek.der", "VCEK signs the report", 2, 0xB0000, 0, "0200000000000544",
      "3ac3fe21e13fb099", "b07af9620f3b839b" },
    { "milan-vcek-c", "vcek.der", "VCEK signs the report", 2, 0x3001F, 4, "0300000000000873",
      "c38427a30d4c7af9", "a1f3930413247bb3" },
    { "milan-vlek", "vlek.der", "VLEK signs the report", 3, 0x30000, 0, "04000000000018d9",
      "0000000000000000", "8922ebbdd00ec2c5" },
    { "genoa-vcek", "vcek.der", "VCEK signs the report", 3, 0x3001F, 65547, "0a00000000001754",
      "0506ffba875e939c", "f57dc09a507c6ecd" },
};

#define GENUINE (sizeof(genuine) / sizeof(genuine[0]))

static void load_genuine(const struct genuine *g)
{
    char path[64];
    snprintf(path, sizeof(path), "snp/%s/report.bin", g->folder);
    load(path);
    snprintf(path, sizeof(path), "snp/%s/%s", g->folder, g->certificate);
    add_file(path);
}

static void test_genuine(void **state)
{
    for (size_t i = 0; i < GENUINE; i++) {
        const struct genuine *g = &genuine[i];
        checks.count = 0;
        load_genuine(g);
        assert_true(report.snp);
        assert_int_equal(report.version, g->version);
        assert_int_equal(sev_report_number(&report, "policy"), g->policy);
        assert_int_equal(sev_report_number(&report, "guest-svn"), g->svn);
        assert_hex(bytes_of("reported-tcb"), g->tcb);
        assert_hex(bytes_of("chip-id"), g->chip);
        assert_hex(bytes_of("measurement"), g->measurement);
        assert_int_equal(sev_report_field(&report, "cpu-model") != NULL, g->version >= 3);
        assert_null(sev_report_field(&report, "launch-mitigations"));
        owner_report_check_snp(&report, &bundle.snp, &checks);
        assert_null(owner_check_failed(&checks));
        expect_state(g->signature, OWNER_LINK_GOOD);
        expect_state("reported TCB", OWNER_LINK_GOOD);
        owner_bundle_free(&bundle);
    }
}

/* Each byte that is signed, one bit of it. */
static void test_flipped(void **state)
{
    load_genuine(&genuine[4]);
    for (size_t at = 0; at < SEV_SNP_REPORT_SIZE; at += at < 0x2A0 ? 13 : 1) {
        checks.count = 0;
        data[at] ^= 4;
        if (!sev_report_decode(data, SEV_SNP_REPORT_SIZE, &report)) {
            owner_report_check_snp(&report, &bundle.snp, &checks);
            if (!owner_check_failed(&checks))
                fail_msg("a change at %zu went unnoticed", at);
        }
        data[at] ^= 4;
    }
}

static void test_other_certificates(void **state)
{
    load_genuine(&genuine[0]);
    owner_bundle_free(&bundle);
    owner_report_check_snp(&report, &bundle.snp, &checks);
    expect_state("VCEK signs the report", OWNER_LINK_BAD);
    assert_non_null(strstr(checks.items[0].reason, "not given"));
    checks.count = 0;
    add_file("snp/milan-vcek-c/vcek.der");
    owner_report_check_snp(&report, &bundle.snp, &checks);
    expect_state("VCEK signs the report", OWNER_LINK_BAD);
    checks.count = 0;
    add_file("snp/milan-vlek/vlek.der"); /* valid, but not what the report names */
    owner_report_check_snp(&report, &bundle.snp, &checks);
    assert_int_equal(checks.count, 1);
    const struct owner_snp_chain part = owner_report_chain(&report, &bundle.snp);
    assert_null(part.cert[OWNER_SNP_VLEK]);
    assert_non_null(part.cert[OWNER_SNP_VCEK]);
}

static void test_unsigned(void **state)
{
    load_genuine(&genuine[0]);
    for (unsigned key = 2; key < 8; key++) {
        checks.count = 0;
        store_le32(data + 0x48, key << 2);
        assert_null(sev_report_decode(data, SEV_SNP_REPORT_SIZE, &report));
        owner_report_check_snp(&report, &bundle.snp, &checks);
        expect_state("signature", OWNER_LINK_BAD);
    }
    assert_non_null(strstr(checks.items[0].reason, "MASK_CHIP_KEY"));
}

static void test_unknown(void **state)
{
    struct sev_report ignored;
    size_t size = read_data("snp/milan-vcek-a/report.bin", data, sizeof(data));
    for (size_t cut = 0; cut < size; cut++)
        assert_non_null(sev_report_decode(data, cut, &ignored));
    assert_non_null(sev_report_decode(data, size + 1, &ignored));
    for (uint32_t version = 0; version < 300; version++) {
        store_le32(data, version);
        assert_int_equal(!sev_report_decode(data, size, &ignored),
                         version == 2 || version == 3 || version == 5);
    }
    store_le32(data, 2);
    for (uint32_t algorithm = 0; algorithm < 4; algorithm++) {
        store_le32(data + 0x34, algorithm);
        assert_int_equal(!sev_report_decode(data, size, &ignored), algorithm == 1);
    }
    store_le32(data + 0x34, 1);
    static const uint16_t reserved[] = { 0x04A, 0x04C, 0x188, 0x19F, 0x1EB, 0x1F8, 0x29F, 0x330,
                                         0x49F };
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        data[reserved[i]] = 1;
        assert_non_null(sev_report_decode(data, size, &ignored));
        data[reserved[i]] = 0;
    }
    assert_null(sev_report_decode(data, size, &ignored));
}

static void test_version_5(void **state)
{
    load_genuine(&genuine[4]);
    store_le32(data, 5);
    data[0x1F8] = 1;
    data[0x201] = 2;
    data[0x208] = 0;
    assert_null(sev_report_decode(data, SEV_SNP_REPORT_SIZE, &report));
    assert_int_equal(sev_report_number(&report, "launch-mitigations"), 1);
    assert_int_equal(sev_report_number(&report, "current-mitigations"), 0x200);
    data[0x208] = 1;
    assert_non_null(sev_report_decode(data, SEV_SNP_REPORT_SIZE, &report));
}

/* What /dev/sev-guest answers: status, size, the report, zeros. */
static void test_response(void **state)
{
    static uint8_t response[4000];
    struct sev_report ignored;
    memset(response, 0, sizeof(response));
    store_le32(response + 4, SEV_SNP_REPORT_SIZE);
    read_data("snp/milan-vcek-a/report.bin", response + 32, SEV_SNP_REPORT_SIZE);
    assert_null(sev_report_decode(response, sizeof(response), &ignored));
    assert_ptr_equal(ignored.data, response + 32);
    assert_null(sev_report_decode(response, 32 + SEV_SNP_REPORT_SIZE, &ignored));
    assert_non_null(sev_report_decode(response, 31 + SEV_SNP_REPORT_SIZE, &ignored));
    response[3999] = 1;
    assert_non_null(sev_report_decode(response, sizeof(response), &ignored));
    response[3999] = 0;
    response[0] = 0x16;
    assert_non_null(sev_report_decode(response, sizeof(response), &ignored));
}

static void test_expectations(void **state)
{
    uint8_t value[64];
    load_genuine(&genuine[0]);
    for (size_t i = 0; i < report.field_count; i++) {
        const struct sev_report_field *field = sev_report_field(&report, report.fields[i].name);
        if (!field)
            continue;
        checks.count = 0;
        memcpy(value, report.data + field->at, field->size);
        owner_report_expect(&report, field, value, &checks);
        expect_state(field->name, OWNER_LINK_GOOD);
        for (unsigned at = 0; at < field->size; at++) {
            checks.count = 0;
            value[at] ^= 0x80;
            owner_report_expect(&report, field, value, &checks);
            expect_state(field->name, OWNER_LINK_BAD);
            value[at] ^= 0x80;
        }
    }
}

static void test_minimum_tcb(void **state)
{
    uint8_t minimum[8];
    load_genuine(&genuine[0]);
    memcpy(minimum, bytes_of("reported-tcb"), sizeof(minimum));
    owner_report_expect_tcb(&report, minimum, &checks);
    for (unsigned i = 0; i < sizeof(minimum); i++) {
        minimum[i]++;
        owner_report_expect_tcb(&report, minimum, &checks);
        assert_int_equal(checks.items[checks.count - 1].state, OWNER_LINK_BAD);
        minimum[i]--;
    }
    minimum[7] = 0;
    owner_report_expect_tcb(&report, minimum, &checks);
    assert_int_equal(checks.items[0].state, OWNER_LINK_GOOD);
    assert_int_equal(checks.items[checks.count - 1].state, OWNER_LINK_GOOD);
}

static void test_debugging(void **state)
{
    load_genuine(&genuine[1]);
    owner_report_check_debug(&report, &checks);
    expect_state("no debugging", OWNER_LINK_BAD);
    checks.count = 0;
    owner_bundle_free(&bundle);
    load_genuine(&genuine[2]);
    owner_report_check_debug(&report, &checks);
    expect_state("no debugging", OWNER_LINK_GOOD);
}

static void test_policy_names(void **state)
{
    char text[160];
    sev_snp_policy_names(0x30000, text, sizeof(text));
    assert_string_equal(text, "abi=0.0,smt");
    sev_snp_policy_names(0x3FF0137, text, sizeof(text));
    assert_string_equal(text, "abi=1.55,smt,migration-agent,debug,single-socket,cxl,aes-256-xts,"
                              "no-rapl,ciphertext-hiding,no-page-swap");
    sev_snp_policy_names(0x3FF0137, text, 12);
    assert_string_equal(text, "abi=1.55,sm");
}

static void test_urls(void **state)
{
    char url[320];
    load_genuine(&genuine[4]);
    assert_true(owner_report_url(&report, false, url, sizeof(url)));
    assert_string_equal(url, "https://kdsintf.amd.com/vcek/v1/Genoa/0506ffba875e939c2729d20c74eb72b4"
                             "c5ba6bf7ea1faaa640141f12c6d64782fb487f68ce69dcd021e914cc0d9244327bc1"
                             "21f0242d6470903ad1d4aaea4ad1?blSPL=10&teeSPL=00&snpSPL=23&ucodeSPL=84");
    assert_true(owner_report_url(&report, true, url, sizeof(url)));
    assert_string_equal(url, "https://kdsintf.amd.com/vcek/v1/Genoa/cert_chain");
    data[0x188] = 0x1A;
    data[0x189] = 0x02;
    assert_true(owner_report_url(&report, false, url, sizeof(url)));
    assert_string_equal(url, "https://kdsintf.amd.com/vcek/v1/Turin/0506ffba875e939c?fmcSPL=10&"
                             "blSPL=00&teeSPL=00&snpSPL=00&ucodeSPL=84");
    assert_true(owner_report_url(&report, false, url, 60)); /* cut off, within its bounds */
    assert_int_equal(strlen(url), 59);
    data[0x188] = 0x1B;
    assert_false(owner_report_url(&report, false, url, sizeof(url)));
    owner_bundle_free(&bundle);
    load_genuine(&genuine[3]); /* a VLEK is the provider's to give */
    assert_false(owner_report_url(&report, false, url, sizeof(url)));
    load("snp/milan-vcek-a/report.bin"); /* version 2 does not say what processor */
    assert_false(owner_report_url(&report, true, url, sizeof(url)));
}

/* ---- SEV ---- */

static uint8_t pek_bytes[SEV_CERT_SIZE];

/* A PEK with a fresh key, and a report that it signs. */
static void make_sev_report(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-384");
    struct sev_certificate pek = { .usage = SEV_USAGE_PEK,
                                   .algorithm = SEV_ALGO_ECDSA_SHA256,
                                   .curve = SEV_CURVE_P384 };
    uint8_t der[128], r[SEV_P384_SIZE], s[SEV_P384_SIZE], slot[SEV_CERT_SIG_SIZE];
    const uint8_t *at = der;
    size_t size = sizeof(der);
    assert_true(key && owner_key_point(key, pek.x, pek.y));
    sev_signature_clear(&pek.signature[0]);
    sev_signature_clear(&pek.signature[1]);
    sev_certificate_encode(&pek, pek_bytes);
    memset(data, 0, SEV_REPORT_SIZE);
    fill_up(data, 0x30, 1);
    store_le32(data + 0x30, 3);
    store_le32(data + 0x34, SEV_USAGE_PEK);
    store_le32(data + 0x38, SEV_ALGO_ECDSA_SHA256);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(context, der, &size, data, 0x34), 1);
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)size);
    assert_non_null(signature);
    BN_bn2binpad(ECDSA_SIG_get0_r(signature), r, sizeof(r));
    BN_bn2binpad(ECDSA_SIG_get0_s(signature), s, sizeof(s));
    sev_ecdsa_encode(r, s, slot);
    memcpy(data + 0x40, slot, 144);
    ECDSA_SIG_free(signature);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
}

static void test_sev_report(void **state)
{
    const struct owner_chain chain = { .pek = pek_bytes }, none = { .pek = NULL };
    make_sev_report();
    assert_null(sev_report_decode(data, SEV_REPORT_SIZE, &report));
    assert_false(report.snp);
    assert_int_equal(sev_report_number(&report, "policy"), 3);
    assert_ptr_equal(bytes_of("launch-digest"), data + 0x10);
    assert_null(sev_report_field(&report, "measurement"));
    owner_report_check_sev(&report, &chain, &checks);
    owner_report_check_debug(&report, &checks);
    assert_null(owner_check_failed(&checks));
    owner_report_check_sev(&report, &none, &checks);
    assert_int_equal(checks.items[2].state, OWNER_LINK_BAD);
    for (size_t at = 0; at < SEV_REPORT_SIZE; at++) {
        checks.count = 0;
        data[at] ^= 8;
        if (!sev_report_decode(data, SEV_REPORT_SIZE, &report)) {
            owner_report_check_sev(&report, &chain, &checks);
            if (!owner_check_failed(&checks))
                fail_msg("a change at %zu went unnoticed", at);
        }
        data[at] ^= 8;
    }
    checks.count = 0;
    data[0x30] = 2; /* debugging allowed */
    assert_null(sev_report_decode(data, SEV_REPORT_SIZE, &report));
    owner_report_check_debug(&report, &checks);
    expect_state("no debugging", OWNER_LINK_BAD);
    assert_non_null(sev_report_decode(data, SEV_REPORT_SIZE - 1, &report));
    assert_non_null(sev_report_decode(data, SEV_REPORT_SIZE + 1, &report));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, release)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_genuine),
        TEST(test_flipped),
        TEST(test_other_certificates),
        TEST(test_unsigned),
        TEST(test_unknown),
        TEST(test_version_5),
        TEST(test_response),
        TEST(test_expectations),
        TEST(test_minimum_tcb),
        TEST(test_debugging),
        TEST(test_policy_names),
        TEST(test_urls),
        TEST(test_sev_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
