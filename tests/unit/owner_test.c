/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The owner's library: published check values, and genuine AMD chains. */
#include "tests/unit/sev_data.h"

#include <openssl/evp.h>

#include "owner/certs.h"
#include "owner/measure.h"
#include "owner/secret_table.h"
#include "owner/session.h"
#include "sev/bytes.h"
#include "sev/guid_table.h"

/* Check values made by an independent script that reproduces three other projects' vectors. */
static const struct owner_random random_values = {
    .keys = {
        .tek = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc,
                 0xdd, 0xee, 0xff },
        .tik = { 0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x99, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33,
                 0x22, 0x11, 0x00 },
    },
    .nonce = { 0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xAB, 0xAC, 0xAD,
               0xAE, 0xAF },
    .wrap_iv = { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                 0xFF, 0xFF, 0xFE },
};
#define POLICY 0x18000001u
#define MEASURE "8e8002fb7c0e9f030bf240777182784378c2dff4fbc810c36818676c9b96b303"

static void test_session_values(void **state)
{
    struct sev_session session;
    uint8_t secret[SEV_ECDH_SECRET_SIZE], digest[32];
    fill_up(secret, sizeof(secret), 0);
    assert_true(owner_session_wrap(secret, &random_values, POLICY, &session));
    assert_hex(session.wrap_tk, "5f30dc1988d5c8f55a6223dadc0f81655724c1dde3460ad6d7f5ef08d006e841");
    assert_hex(session.wrap_mac,
               "1c86cfbc1fdb22cac1daffbd8988766abe6805e9072c9791b56eba2016903739");
    assert_hex(session.policy_mac,
               "d1687aeb783cd5d86b451cf5513619e468e667f87a9ac532502ab4615e3a70d1");
    assert_int_equal(EVP_Digest(&session, sizeof(session), digest, NULL, EVP_sha256(), NULL), 1);
    assert_hex(digest, "d221464c73b1c845d2ed160915b8cc34d17cc05969c6203402f9d9b2f111fdc0");
}

static struct owner_guest guest_of_values(uint8_t data[32])
{
    fill_up(data, 32, 0);
    return (struct owner_guest){
        .firmware = { data, 32 },
        .policy = POLICY,
        .api_minor = 24,
        .build = 7,
    };
}

static void test_measurement_values(void **state)
{
    uint8_t data[32], digest[32], nonce[16], measure[32], reported[48];
    struct owner_guest guest = guest_of_values(data);
    fill_up(nonce, sizeof(nonce), 0x30);
    owner_launch_digest(&guest, digest);
    assert_hex(digest, "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd");
    owner_measurement(&guest, digest, random_values.keys.tik, nonce, measure);
    assert_hex(measure, MEASURE);
    memcpy(reported, measure, 32);
    memcpy(reported + 32, nonce, 16);
    assert_true(owner_verify(&guest, random_values.keys.tik, reported));
    assert_false(owner_verify(&guest, random_values.keys.tek, reported));
    reported[47] ^= 1;
    assert_false(owner_verify(&guest, random_values.keys.tik, reported));
}

static void test_measurement_old_form(void **state)
{
    uint8_t data[32], digest[32], nonce[16], measure[32];
    struct owner_guest guest = guest_of_values(data);
    guest.api_minor = 16;
    fill_up(nonce, sizeof(nonce), 0x30);
    owner_launch_digest(&guest, digest);
    owner_measurement(&guest, digest, random_values.keys.tik, nonce, measure);
    assert_hex(measure, "ed8c9623d4e64935fbb8bd9734d665ef346731a836f02797febb8bd5a39576cc");
}

static void test_hashes_change_the_digest(void **state)
{
    uint8_t data[32], plain[32], hashed[32], other[32];
    struct owner_guest guest = guest_of_values(data);
    owner_launch_digest(&guest, plain);
    guest.kernel_hashes = true;
    owner_launch_digest(&guest, hashed);
    assert_memory_not_equal(plain, hashed, 32);
    guest.command_line = "";
    owner_launch_digest(&guest, other);
    assert_memory_equal(hashed, other, 32);
    guest.command_line = "console=ttyS0";
    owner_launch_digest(&guest, other);
    assert_memory_not_equal(hashed, other, 32);
}

static void test_secret_values(void **state)
{
    static const char header_hex[] = "00000000404142434445464748494a4b4c4d4e4f31e390315837b4b1"
                                     "d3ad72b2fa4dc2fdb8f71f8ed438d28f307da638a5885afb";
    uint8_t plain[32], iv[16], data[32], measure[32];
    struct sev_packet_header header;
    memset(plain, 'A', sizeof(plain));
    fill_up(iv, sizeof(iv), 0x40);
    for (int i = 0; i < 32; i++) {
        unsigned byte;
        assert_int_equal(sscanf(&MEASURE[2 * i], "%2x", &byte), 1);
        measure[i] = (uint8_t)byte;
    }
    assert_true(owner_secret_seal(&random_values.keys, iv, plain, sizeof(plain), measure, &header,
                                  data));
    assert_hex(data, "73eb8639c0876adbda80555de30f2f4c37211af0b20f69fdf9fafb92b13ba70e");
    assert_hex(&header, header_hex);
}

/* An image that ends in a GUIDed table of a secret area and of one for hashes. */
#define PLACED_SIZE 256u
static void build_placed(uint8_t image[PLACED_SIZE], const struct owner_secret_area *secret,
                         const struct owner_secret_area *hashes)
{
    uint8_t *at = image + PLACED_SIZE - 32 - 16;
    memset(image, 0, PLACED_SIZE);
    memcpy(at, sev_guid_table_footer.bytes, 16);
    store_le16(at - 2, 2 * (8 + 18) + 18);
    at -= 2;
    const struct sev_guid *guids[] = { &sev_guid_secret_area, &sev_guid_hashes_area };
    const struct owner_secret_area *areas[] = { secret, hashes };
    for (int i = 0; i < 2; i++) {
        memcpy(at - 16, guids[i]->bytes, 16);
        store_le16(at - 18, 8 + 18);
        store_le32(at - 22, areas[i]->size);
        store_le32(at - 26, areas[i]->base);
        at -= 26;
    }
}

static void test_secret_place(void **state)
{
    static const struct {
        struct owner_secret_area secret, hashes;
        size_t size;
        const char *reason; /* a word of it */
    } cases[] = {
        { { 0x810000, 0xC00 }, { 0x810C00, 0x400 }, 0xC00, NULL },
        { { 0x810000, 0xC00 }, { 0x810C00, 0x400 }, 0xC10, "too small" },
        { { 0x810000, 0 }, { 0x810C00, 0x400 }, 16, "too small" },
        { { 0x810008, 0xC00 }, { 0x820000, 0x400 }, 16, "multiple of 16" },
        { { 0x810000, 0xC10 }, { 0x810C00, 0x400 }, 16, "hashes" },
        { { 0x810800, 0x400 }, { 0x810000, 0x1000 }, 16, "hashes" },
        { { 0xFFFFFE00, 0x100 }, { 0x810C00, 0x400 }, 16, NULL },     /* just below the image */
        { { 0xFFFFFE00, 0x110 }, { 0x810C00, 0x400 }, 16, "flash" },
        { { 0xFFFFFF80, 0x10 }, { 0x810C00, 0x400 }, 16, "flash" },
        { { 0xFFFFF000, 0xFFFFFFFF }, { 0x810C00, 0x400 }, 16, "flash" },
        { { 0, 0xFFFFFFFF }, { 0x810C00, 0x400 }, 16, "flash" },
    };
    uint8_t image[PLACED_SIZE];
    struct owner_secret_area area;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        build_placed(image, &cases[i].secret, &cases[i].hashes);
        const char *reason = owner_secret_place(image, sizeof(image), cases[i].size, &area);
        if (cases[i].reason ? !reason || !strstr(reason, cases[i].reason) : reason != NULL)
            fail_msg("case %zu: %s", i, reason ? reason : "accepted");
        assert_int_equal(area.base, cases[i].secret.base);
        assert_int_equal(area.size, cases[i].secret.size);
    }
    memset(image, 0, sizeof(image));
    assert_non_null(strstr(owner_secret_place(image, sizeof(image), 16, &area), "no secret area"));
    assert_int_equal(area.size, 0);
}

static void test_secret_table(void **state)
{
    static const char luks[] = "736869e5-84f0-4973-92ec-06879ce3da0b";
    static struct owner_secret_table table;
    static uint8_t large[OWNER_SECRET_MAX];
    owner_secret_begin(&table);
    assert_null(owner_secret_add(&table, luks, (const uint8_t *)"pass", 4));
    assert_hex(table.bytes, "42f5741edd71664d963eef4287ff173b2c000000"
                            "e5696873f084734992ec06879ce3da0b1800000070617373");
    assert_int_equal(owner_secret_size(&table), 48);
    assert_non_null(owner_secret_add(&table, luks, (const uint8_t *)"x", 1));
    assert_non_null(owner_secret_add(&table, "736869e5", (const uint8_t *)"x", 1));
    assert_non_null(owner_secret_add(&table, "736869e5-84f0-4973-92ec-06879ce3da0g", large, 1));
    assert_non_null(owner_secret_add(&table, "00000000-84f0-4973-92ec-06879ce3da0b", large,
                                     sizeof(large)));
    assert_null(owner_secret_add(&table, "00000000-84f0-4973-92ec-06879ce3da0b", large,
                                 sizeof(large) - 44 - 20));
    assert_int_equal(owner_secret_size(&table), OWNER_SECRET_MAX);
}

static void test_credentials(void **state)
{
    static struct owner_credentials credentials;
    static uint8_t large[OWNER_SECRET_MAX];
    (void)state;
    assert_null(owner_credential_add(&credentials, "a.b", (const uint8_t *)"xy", 2));
    assert_null(owner_credential_add(&credentials, "c", (const uint8_t *)"", 0));
    assert_int_equal(credentials.used, 4 + 4 + 2 + 2 + 4);
    assert_hex(credentials.bytes, "612e6200020000007879" "630000000000");
    assert_non_null(owner_credential_add(&credentials, "c", large, 1));
    assert_non_null(owner_credential_add(&credentials, "", large, 1));
    assert_non_null(owner_credential_add(&credentials, "../a", large, 1));
    assert_non_null(owner_credential_add(&credentials, "a:b", large, 1));
    assert_non_null(owner_credential_add(&credentials, "a b", large, 1));
    assert_non_null(owner_credential_add(&credentials, "d", large, sizeof(large) - 16 - 5));
    assert_null(owner_credential_add(&credentials, "d", large, sizeof(large) - 16 - 6));
    assert_int_equal(credentials.used, OWNER_SECRET_MAX);
}

struct files {
    uint8_t bytes[8][2100];
    unsigned count;
    struct owner_chain chain;
};

static void add(struct files *files, const char *product, const char *name)
{
    char path[64];
    uint8_t *bytes = files->bytes[files->count++];
    snprintf(path, sizeof(path), "%s/%s.cert", product, name);
    size_t size = read_data(path, bytes, sizeof(files->bytes[0]));
    assert_null(owner_chain_add(&files->chain, bytes, size));
}

static void add_all(struct files *files, const char *product)
{
    static const char *const names[] = { "ark", "ask", "cek", "oca", "pek", "pdh" };
    for (int i = 0; i < 6; i++)
        add(files, product, names[i]);
}

static void test_genuine_chains(void **state)
{
    static const char *const products[] = { "naples", "rome" };
    for (int p = 0; p < 2; p++) {
        struct files files = { .count = 0 };
        struct owner_chain_verdict verdict;
        add_all(&files, products[p]);
        owner_chain_verify(&files.chain, &verdict);
        for (int i = 0; i < OWNER_LINKS; i++)
            assert_int_equal(verdict.link[i], OWNER_LINK_GOOD);
        assert_string_equal(verdict.product, p ? "Rome" : "Naples");
    }
}

static void test_genuine_roots(void **state)
{
    static const char *const products[][2] = {
        { "naples", "Naples" }, { "rome", "Rome" }, { "milan", "Milan" }, { "genoa", "Genoa" },
        { "turin", "Turin" },
    };
    for (int p = 0; p < 5; p++) {
        struct files files = { .count = 0 };
        struct owner_chain_verdict verdict;
        add(&files, products[p][0], "ark");
        add(&files, products[p][0], "ask");
        owner_chain_verify(&files.chain, &verdict);
        assert_int_equal(verdict.link[OWNER_ARK_SELF], OWNER_LINK_GOOD);
        assert_int_equal(verdict.link[OWNER_ARK_ASK], OWNER_LINK_GOOD);
        assert_int_equal(verdict.link[OWNER_ASK_CEK], OWNER_LINK_ABSENT);
        assert_string_equal(verdict.product, products[p][1]);
    }
}

/* A link between certificates of two products is bad, and says so. */
static void test_mixed_chains(void **state)
{
    static const struct {
        const char *signer[2], *signed_by_it[2];
        enum owner_link link;
        const char *reason; /* a part of it */
    } cases[] = {
        { { "rome", "ask" }, { "naples", "cek" }, OWNER_ASK_CEK, "not of the ASK's kind" },
        { { "naples", "ask" }, { "rome", "cek" }, OWNER_ASK_CEK, "not of the ASK's kind" },
        { { "naples", "cek" }, { "rome", "pek" }, OWNER_CEK_PEK, "not by this key" },
        { { "naples", "oca" }, { "rome", "pek" }, OWNER_OCA_PEK, "not by this key" },
        { { "milan", "ark" }, { "genoa", "ask" }, OWNER_ARK_ASK, "another signer's key id" },
        { { "naples", "ark" }, { "rome", "ask" }, OWNER_ARK_ASK, "differ in size" },
        { { "rome", "ark" }, { "naples", "ask" }, OWNER_ARK_ASK, "differ in size" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct files files = { .count = 0 };
        struct owner_chain_verdict verdict;
        add(&files, cases[i].signer[0], cases[i].signer[1]);
        add(&files, cases[i].signed_by_it[0], cases[i].signed_by_it[1]);
        owner_chain_verify(&files.chain, &verdict);
        assert_int_equal(verdict.link[cases[i].link], OWNER_LINK_BAD);
        assert_non_null(strstr(verdict.reason[cases[i].link], cases[i].reason));
    }
}

static void test_flipped_bits(void **state)
{
    static const struct {
        size_t at;
        enum owner_link_state expected;
    } flips[] = {
        { 0x004, OWNER_LINK_BAD }, { 0x005, OWNER_LINK_BAD }, { 0x020, OWNER_LINK_BAD },
        { 0x41C, OWNER_LINK_BAD }, { 0x700, OWNER_LINK_GOOD }, /* the unused slot is not signed */
    };
    for (size_t i = 0; i < sizeof(flips) / sizeof(flips[0]); i++) {
        struct files files = { .count = 0 };
        struct owner_chain_verdict verdict;
        add(&files, "rome", "pek");
        add(&files, "rome", "pdh");
        files.bytes[1][flips[i].at] ^= 1;
        owner_chain_verify(&files.chain, &verdict);
        assert_int_equal(verdict.link[OWNER_PEK_PDH], flips[i].expected);
    }
}

static void test_chain_files(void **state)
{
    uint8_t bytes[4 * SEV_CERT_SIZE];
    struct owner_chain chain = { 0 };
    size_t size = read_data("rome/pdh.cert", bytes, sizeof(bytes));
    size += read_data("rome/pek.cert", bytes + size, sizeof(bytes) - size);
    assert_null(owner_chain_add(&chain, bytes, size));
    assert_ptr_equal(chain.pdh, bytes);
    assert_ptr_equal(chain.pek, bytes + SEV_CERT_SIZE);
    assert_non_null(owner_chain_add(&chain, bytes, SEV_CERT_SIZE)); /* twice */
    for (size_t cut = 0; cut < size; cut += 131) {
        struct owner_chain other = { 0 };
        if (cut != SEV_CERT_SIZE)
            assert_non_null(owner_chain_add(&other, bytes, cut));
    }
}

/* The signed CEK of AMD counts, the unsigned one of an export does not contradict it. */
static void test_two_ceks(void **state)
{
    uint8_t with[SEV_CERT_SIZE], without[SEV_CERT_SIZE], other[SEV_CERT_SIZE];
    struct sev_certificate cert;
    struct owner_chain chain = { 0 };
    size_t size = read_data("rome/cek.cert", with, sizeof(with));
    read_data("naples/cek.cert", other, sizeof(other));
    assert_null(sev_certificate_decode(with, size, &cert));
    cert.api_minor = 22; /* the platform's firmware made it */
    sev_signature_clear(&cert.signature[0]);
    sev_signature_clear(&cert.signature[1]);
    sev_certificate_encode(&cert, without);
    assert_null(owner_chain_add(&chain, without, size));
    assert_null(owner_chain_add(&chain, with, size));
    assert_ptr_equal(chain.cek, with);
    assert_null(owner_chain_add(&chain, without, size));
    assert_ptr_equal(chain.cek, with);
    assert_non_null(owner_chain_add(&chain, with, size));
    assert_non_null(owner_chain_add(&chain, other, size));
    assert_ptr_equal(chain.cek, with);
}

static void test_session_for_genuine_platform(void **state)
{
    static struct owner_session first, second;
    uint8_t pdh[4096];
    struct sev_certificate cert;
    size_t size = read_data("rome/pdh.cert", pdh, sizeof(pdh));
    assert_null(owner_session_make(pdh, size, 1, &first));
    assert_null(owner_session_make(pdh, size, 1, &second));
    assert_memory_not_equal(first.keys.tik, second.keys.tik, SEV_KEY_SIZE);
    assert_null(sev_certificate_decode(first.certificate, SEV_CERT_SIZE, &cert));
    assert_int_equal(cert.usage, SEV_USAGE_PDH);
    pdh[0x14] ^= 1; /* the point is no longer on the curve */
    assert_non_null(owner_session_make(pdh, size, 1, &first));
    size = read_data("rome/pek.cert", pdh, sizeof(pdh));
    assert_non_null(owner_session_make(pdh, size, 1, &first));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_session_values),
        cmocka_unit_test(test_measurement_values),
        cmocka_unit_test(test_measurement_old_form),
        cmocka_unit_test(test_hashes_change_the_digest),
        cmocka_unit_test(test_secret_values),
        cmocka_unit_test(test_secret_table),
        cmocka_unit_test(test_secret_place),
        cmocka_unit_test(test_credentials),
        cmocka_unit_test(test_genuine_chains),
        cmocka_unit_test(test_genuine_roots),
        cmocka_unit_test(test_mixed_chains),
        cmocka_unit_test(test_flipped_bits),
        cmocka_unit_test(test_chain_files),
        cmocka_unit_test(test_two_ceks),
        cmocka_unit_test(test_session_for_genuine_platform),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
