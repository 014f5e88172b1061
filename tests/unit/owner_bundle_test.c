/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Certificate files of every form, and SEV-SNP's chains: genuine ones, and broken link by link. */
#include "tests/unit/sev_data.h"

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdlib.h>

#include "owner/bundle.h"
#include "owner/certs.h"
#include "owner/zip.h"
#include "sev/bytes.h"

#define NOW  ((time_t)1767225600) /* 2026-01-01 */
#define ROOM (16u << 10)

static struct owner_bundle bundle;
static char what[256];

static int fresh(void **state)
{
    memset(&bundle, 0, sizeof(bundle));
    return 0;
}

static int release(void **state)
{
    owner_bundle_free(&bundle);
    return 0;
}

static size_t add_file(const char *name)
{
    static uint8_t bytes[ROOM];
    size_t size = read_data(name, bytes, sizeof(bytes));
    const char *reason = owner_bundle_add(&bundle, bytes, size, what, sizeof(what));
    if (reason)
        fail_msg("%s: %s", name, reason);
    return size;
}

/* ---- forms ---- */

static void test_names(void **state)
{
    static const struct {
        const char *name, *what;
    } files[] = {
        { "snp/roots/milan_ask_ark_asvk.pem", "PEM: ASK, ARK, ASVK" },
        { "snp/milan-vcek-a/vcek.der", "DER: VCEK" },
        { "snp/milan-vlek/vlek.der", "DER: VLEK" },
        { "rome/pdh.cert", "a SEV certificate: PDH" },
        { "naples/ark.cert", "a SEV certificate: ARK" },
    };
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        add_file(files[i].name);
        assert_string_equal(what, files[i].what);
    }
    assert_true(owner_bundle_has_sev(&bundle) && owner_bundle_has_snp(&bundle));
    add_file("snp/milan-vcek-a/vcek.der"); /* the same again is no contradiction */
}

static size_t concatenate(const char *product, const char *const *names, uint8_t *bytes)
{
    size_t size = 0;
    for (; *names; names++) {
        char path[64];
        snprintf(path, sizeof(path), "%s/%s.cert", product, *names);
        size += read_data(path, bytes + size, ROOM - size);
    }
    return size;
}

static void test_sequences(void **state)
{
    static const struct {
        const char *names[7], *what;
    } sequences[] = {
        { { "pdh", "pek", "oca", "cek", NULL }, "sevctl's chain: PDH, PEK, OCA, CEK" },
        { { "pdh", "pek", "oca", "cek", "ask", "ark", NULL },
          "sevctl's full chain: PDH, PEK, OCA, CEK, ASK, ARK" },
        { { "pek", "oca", "cek", NULL }, "a platform's chain (PDH_CERT_EXPORT): PEK, OCA, CEK" },
        { { "ask", "ark", NULL }, "AMD's ask_ark file: ASK, ARK" },
        { { "ark", "pdh", NULL }, "SEV certificates: ARK, PDH" },
    };
    static uint8_t bytes[ROOM];
    for (int product = 0; product < 2; product++) {
        for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
            size_t size = concatenate(product ? "rome" : "naples", sequences[i].names, bytes);
            assert_null(owner_bundle_add(&bundle, bytes, size, what, sizeof(what)));
            assert_string_equal(what, sequences[i].what);
            owner_bundle_free(&bundle);
            bytes[size] = 0;
            assert_non_null(owner_bundle_add(&bundle, bytes, size + 1, what, sizeof(what)));
            owner_bundle_free(&bundle);
            assert_non_null(owner_bundle_add(&bundle, bytes, size - 1, what, sizeof(what)));
            owner_bundle_free(&bundle);
        }
    }
}

/* The table of an extended report: entries of a GUID, an offset and a length each, then zeros. */
static size_t make_table(uint8_t *table)
{
    static const uint8_t vcek[16] = { 0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64,
                                      0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd };
    size_t size = read_data("snp/milan-vcek-a/vcek.der", table + 72, ROOM - 72);
    memset(table, 0, 72);
    memcpy(table, vcek, sizeof(vcek));
    store_le32(table + 16, 72);
    store_le32(table + 20, (uint32_t)size);
    memset(table + 24, 0xEE, 16); /* a provider's own entry */
    store_le32(table + 40, 72);
    store_le32(table + 44, 1);
    return 72 + size;
}

static void test_table(void **state)
{
    static uint8_t table[ROOM];
    size_t size = make_table(table);
    assert_null(owner_bundle_add(&bundle, table, size, what, sizeof(what)));
    assert_string_equal(what, "an SNP certificate table: VCEK");
    owner_bundle_free(&bundle);
    store_le32(table + 20, (uint32_t)size - 71); /* one byte past the end */
    assert_string_equal(owner_bundle_add(&bundle, table, size, what, sizeof(what)),
                        "an entry of the certificate table goes past the end");
    owner_bundle_free(&bundle);
    make_table(table);
    store_le32(table + 40, 0xFFFFFFFF);
    assert_non_null(owner_bundle_add(&bundle, table, size, what, sizeof(what)));
    owner_bundle_free(&bundle);
    make_table(table);
    assert_non_null(owner_bundle_add(&bundle, table, 48, what, sizeof(what)));
}

/* A file that was cut off anywhere is refused, and does no harm. */
static void test_cut_files(void **state)
{
    static const char *const names[] = { "snp/roots/milan_ask_ark_asvk.pem",
                                         "snp/genoa-vcek/vcek.pem", "snp/turin-vcek/vcek.der",
                                         "rome/ask.cert", "naples/pek.cert" };
    static uint8_t bytes[ROOM];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t size = read_data(names[i], bytes, sizeof(bytes));
        for (size_t cut = 0; cut < size - 40; cut += 97) {
            const char *reason = owner_bundle_add(&bundle, bytes, cut, what, sizeof(what));
            if (!reason && i != 0) /* of three certificates two may be whole */
                fail_msg("%s cut to %zu: accepted", names[i], cut);
            owner_bundle_free(&bundle);
        }
    }
    size_t size = read_data("snp/turin-vcek/vcek.der", bytes, sizeof(bytes));
    assert_non_null(owner_bundle_add(&bundle, bytes, size + 1, what, sizeof(what)));
    owner_bundle_free(&bundle);
    assert_non_null(owner_bundle_add(&bundle, bytes, 0, what, sizeof(what)));
}

static void test_pem_of_other_things(void **state)
{
    static const char key[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_non_null(owner_bundle_add(&bundle, (const uint8_t *)key, sizeof(key) - 1, what,
                                     sizeof(what)));
}

static void test_full_of_others(void **state)
{
    uint8_t bytes[4096];
    size_t size = read_data("snp/milan-vcek-a/vcek.der", bytes, sizeof(bytes));
    add_file("snp/milan-vcek-b/vcek.der");
    assert_string_equal(owner_bundle_add(&bundle, bytes, size, what, sizeof(what)),
                        "another certificate of the same kind is already there");
}

/* ---- zip ---- */

static uint8_t archive[ROOM];

static size_t make_zip(void)
{
    static uint8_t pdh[SEV_CERT_SIZE], ark[SEV_AMD_CERT_MAX];
    read_data("rome/pdh.cert", pdh, sizeof(pdh));
    read_data("rome/ark.cert", ark, sizeof(ark));
    const struct zip_file files[] = { { "pdh.cert", pdh, sizeof(pdh) },
                                            { "ark.cert", ark, sizeof(ark) } };
    size_t size = zip_size(files, 2);
    assert_true(size <= sizeof(archive));
    zip_write(files, 2, archive);
    return size;
}

static void test_zip(void **state)
{
    size_t size = make_zip();
    assert_null(owner_bundle_add(&bundle, archive, size, what, sizeof(what)));
    assert_string_equal(what, "zip: PDH, ARK");
}

static void test_damaged_zip(void **state)
{
    size_t size = make_zip();
    for (size_t cut = 0; cut < size; cut += 53) {
        assert_non_null(owner_bundle_add(&bundle, archive, cut, what, sizeof(what)));
        owner_bundle_free(&bundle);
    }
    /* Each byte of the directory and of the end record, and some of the contents. */
    for (size_t at = 0; at < size; at += at < size - 150 ? 41 : 1) {
        archive[at] ^= 0xFF;
        owner_bundle_add(&bundle, archive, size, what, sizeof(what));
        owner_bundle_free(&bundle);
        archive[at] ^= 0xFF;
    }
    archive[100] ^= 1;
    assert_string_equal(owner_bundle_add(&bundle, archive, size, what, sizeof(what)),
                        "a file in the zip has the wrong checksum");
}

/* ---- SNP chains ---- */

static const struct owner_check *check_named(const struct owner_checks *checks, const char *name)
{
    for (unsigned i = 0; i < checks->count; i++) {
        if (strcmp(checks->items[i].name, name) == 0)
            return &checks->items[i];
    }
    fail_msg("no check '%s'", name);
    return NULL;
}

static void test_genuine_snp(void **state)
{
    static const struct {
        const char *roots, *leaf, *product;
    } sets[] = {
        { "snp/roots/milan_ask_ark_asvk.pem", "snp/milan-vcek-a/vcek.der", "Milan" },
        { "snp/roots/milan_ask_ark_asvk.pem", "snp/milan-vcek-b/vcek.der", "Milan" },
        { "snp/milan-vcek-a/cert_chain.pem", "snp/milan-vcek-c/vcek.der", "Milan" },
        { "snp/roots/genoa_ask_ark_asvk.pem", "snp/genoa-vcek/vcek.pem", "Genoa" },
        { "snp/turin-vcek/cert_chain.pem", "snp/turin-vcek/vcek.der", "Turin" },
        { "snp/roots/turin_ask_ark_asvk.pem", "snp/turin-vcek/vcek.der", "Turin" },
    };
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        struct owner_checks checks = { .count = 0 };
        add_file(sets[i].roots);
        add_file(sets[i].leaf);
        assert_string_equal(owner_snp_verify(&bundle.snp, NOW, &checks), sets[i].product);
        assert_null(owner_check_failed(&checks));
        assert_int_equal(check_named(&checks, "ASK signs VCEK")->state, OWNER_LINK_GOOD);
        owner_bundle_free(&bundle);
    }
}

/* AMD's two of each product, alone and in the file that has all three; the keys of the binary form. */
static void test_roots(void **state)
{
    static const char *const products[][2] = { { "milan", "Milan" }, { "genoa", "Genoa" },
                                               { "turin", "Turin" } };
    static const struct {
        const char *name;
        enum owner_snp_kind kind;
    } files[] = { { "ark", OWNER_SNP_ARK }, { "ask", OWNER_SNP_ASK } };
    for (size_t i = 0; i < sizeof(products) / sizeof(products[0]); i++) {
        struct owner_checks checks = { .count = 0 };
        uint8_t bytes[SEV_AMD_CERT_MAX];
        char path[64];
        for (int f = 0; f < 2; f++) {
            struct sev_amd_certificate amd;
            snprintf(path, sizeof(path), "snp/roots/%s_%s.pem", products[i][0], files[f].name);
            add_file(path);
            snprintf(path, sizeof(path), "%s/%s.cert", products[i][0], files[f].name);
            size_t size = read_data(path, bytes, sizeof(bytes));
            assert_null(sev_amd_certificate_decode(bytes, size, &amd));
            EVP_PKEY *key = owner_key_of_amd(&amd);
            assert_int_equal(EVP_PKEY_eq(key, X509_get0_pubkey(bundle.snp.cert[files[f].kind])), 1);
            EVP_PKEY_free(key);
        }
        snprintf(path, sizeof(path), "snp/roots/%s_ask_ark_asvk.pem", products[i][0]);
        add_file(path); /* the same ARK and ASK, or it would be refused */
        assert_string_equal(owner_snp_verify(&bundle.snp, NOW, &checks), products[i][1]);
        assert_null(owner_check_failed(&checks));
        assert_int_equal(checks.count, 3);
        owner_bundle_free(&bundle);
    }
}

static void verify_set(const char *roots, const char *leaf, time_t at, const char *link,
                       enum owner_link_state expected, const char *reason)
{
    struct owner_checks checks = { .count = 0 };
    add_file(roots);
    add_file(leaf);
    owner_snp_verify(&bundle.snp, at, &checks);
    const struct owner_check *check = check_named(&checks, link);
    assert_int_equal(check->state, expected);
    assert_non_null(strstr(check->reason, reason));
    owner_bundle_free(&bundle);
}

static void test_broken_snp(void **state)
{
    const char *milan = "snp/roots/milan_ask_ark_asvk.pem", *vlek = "snp/milan-vlek/vlek.der";
    verify_set(milan, vlek, 1748736000, "ASVK signs VLEK", OWNER_LINK_GOOD, "");
    verify_set(milan, vlek, NOW, "ASVK signs VLEK", OWNER_LINK_BAD, "expired at 2025-12-10T22:14");
    verify_set(milan, vlek, 1700000000, "ASVK signs VLEK", OWNER_LINK_BAD, "from 2024-12-10");
    verify_set(milan, "snp/genoa-vcek/vcek.der", NOW, "ASK signs VCEK", OWNER_LINK_BAD,
               "another issuer");
    verify_set("snp/milan-vcek-a/cert_chain.pem", vlek, 1748736000, "ASVK signs VLEK",
               OWNER_LINK_ABSENT, "ASVK was not given");
    verify_set("snp/roots/milan_ark.pem", "snp/roots/genoa_ask.pem", NOW, "ARK signs ASK",
               OWNER_LINK_BAD, "another issuer");
    verify_set(milan, "snp/milan-vcek-c/vcek-badsig-legacy-hwid.der", NOW, "ASK signs VCEK",
               OWNER_LINK_BAD, "not by this key");
    verify_set(milan, "snp/milan-vcek-c/vcek-badsig-octet-hwid.der", NOW, "ASK signs VCEK",
               OWNER_LINK_BAD, "not by this key");
}

/* Nothing that was changed is accepted, wherever in the certificate. */
static void test_flipped_snp(void **state)
{
    uint8_t der[4096];
    size_t size = read_data("snp/milan-vcek-a/vcek.der", der, sizeof(der));
    for (size_t at = 0; at < size; at += 7) {
        struct owner_checks checks = { .count = 0 };
        add_file("snp/roots/milan_ask_ark_asvk.pem");
        der[at] ^= 1;
        if (!owner_bundle_add(&bundle, der, size, what, sizeof(what)) &&
            bundle.snp.cert[OWNER_SNP_VCEK]) {
            owner_snp_verify(&bundle.snp, NOW, &checks);
            if (check_named(&checks, "ASK signs VCEK")->state == OWNER_LINK_GOOD)
                fail_msg("a change at %zu went unnoticed", at);
        }
        der[at] ^= 1;
        owner_bundle_free(&bundle);
    }
}

static void test_endorsements(void **state)
{
    struct owner_snp_endorsement e;
    add_file("snp/milan-vcek-a/vcek.der");
    add_file("snp/milan-vlek/vlek.der");
    assert_null(owner_snp_endorsement(bundle.snp.cert[OWNER_SNP_VCEK], &e));
    assert_string_equal(e.product, "Milan-B0");
    assert_false(e.turin);
    assert_hex(e.tcb, "0300000000000873");
    assert_int_equal(e.hardware_id_size, 64);
    assert_hex(e.hardware_id, "d49554ec717f4e5b");
    assert_null(owner_snp_endorsement(bundle.snp.cert[OWNER_SNP_VLEK], &e));
    assert_hex(e.tcb, "04000000000018d9");
    assert_string_equal(e.provider, "CN=cc-us-east-2.amazonaws.com");
    assert_int_equal(e.hardware_id_size, 0);
    owner_bundle_free(&bundle);
    add_file("snp/turin-vcek/vcek.der");
    assert_null(owner_snp_endorsement(bundle.snp.cert[OWNER_SNP_VCEK], &e));
    assert_true(e.turin);
    assert_hex(e.tcb, "0000000000000009");
    assert_int_equal(e.hardware_id_size, 8);
    owner_bundle_free(&bundle);
    add_file("snp/milan-vcek-c/vcek-badsig-octet-hwid.der"); /* wrapped once more */
    assert_null(owner_snp_endorsement(bundle.snp.cert[OWNER_SNP_VCEK], &e));
    assert_int_equal(e.hardware_id_size, 64);
    assert_hex(e.hardware_id, "0001020304050607");
    add_file("snp/roots/milan_ask.pem");
    assert_non_null(owner_snp_endorsement(bundle.snp.cert[OWNER_SNP_ASK], &e));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, release)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_names),
        TEST(test_sequences),
        TEST(test_table),
        TEST(test_cut_files),
        TEST(test_pem_of_other_things),
        TEST(test_full_of_others),
        TEST(test_zip),
        TEST(test_damaged_zip),
        TEST(test_genuine_snp),
        TEST(test_roots),
        TEST(test_broken_snp),
        TEST(test_flipped_snp),
        TEST(test_endorsements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
