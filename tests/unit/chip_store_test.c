/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What the chip keeps: external owners, the area of INIT_EX, the state folder. */
#include "tests/unit/chip_rig.h"

#include <openssl/ec.h>

#include "owner/certs.h"

/* ---- PEK_CSR and PEK_CERT_IMPORT ---- */

struct owner {
    uint8_t csr[SEV_CERT_SIZE], pek[SEV_CERT_SIZE], oca[SEV_CERT_SIZE];
    struct sev_pek_cert_import import;
};

/* The owner's OCA of that usage and algorithm, and the platform's request signed in `slot`. */
static void provision(struct owner *owner, uint32_t usage, uint32_t algorithm, int slot)
{
    struct sev_certificate oca = { .usage = usage, .algorithm = algorithm,
                                   .curve = SEV_CURVE_P384 };
    struct sev_certificate request;
    EVP_PKEY *key = EVP_EC_gen("P-384");
    assert_non_null(key);
    assert_true(owner_key_point(key, oca.x, oca.y));
    sev_signature_clear(&oca.signature[0]);
    sev_signature_clear(&oca.signature[1]);
    assert_true(owner_certificate_sign(key, SEV_USAGE_OCA, &oca, 0));
    sev_certificate_encode(&oca, owner->oca);
    assert_null(sev_certificate_decode(owner->csr, SEV_CERT_SIZE, &request));
    assert_true(owner_certificate_sign(key, SEV_USAGE_OCA, &request, slot));
    sev_certificate_encode(&request, owner->pek);
    EVP_PKEY_free(key);
}

static void request(struct rig *rig, struct owner *owner)
{
    struct sev_pek_csr csr = { .csr_paddr = chip_map(rig->chip, owner->csr, sizeof(owner->csr)),
                               .csr_len = sizeof(owner->csr) };
    expect(rig, SEV_PEK_CSR, &csr, SEV_SUCCESS);
    chip_unmap(rig->chip, csr.csr_paddr);
    provision(owner, SEV_USAGE_OCA, SEV_ALGO_ECDSA_SHA256, 0);
    owner->import = (struct sev_pek_cert_import){
        .pek_paddr = chip_map(rig->chip, owner->pek, sizeof(owner->pek)),
        .pek_len = SEV_CERT_SIZE,
        .oca_paddr = chip_map(rig->chip, owner->oca, sizeof(owner->oca)),
        .oca_len = SEV_CERT_SIZE,
    };
}

static void test_request(void **state)
{
    struct rig *rig = *state;
    static struct owner owner;
    struct export export;
    struct sev_certificate csr;
    init(rig);
    request(rig, &owner);
    export_certificates(rig, &export);
    assert_memory_equal(owner.csr, export.chain, SEV_CERT_SIGNED_SIZE);
    assert_null(sev_certificate_decode(owner.csr, SEV_CERT_SIZE, &csr));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(csr.signature[i].usage, SEV_USAGE_INVALID);
        assert_int_equal(csr.signature[i].algorithm, SEV_ALGO_NONE);
    }
}

/* Each byte of the two certificates that matters, once wrong. */
static void test_bad_imports(void **state)
{
    static const struct {
        bool oca;
        size_t at;
        uint16_t status;
    } faults[] = {
        { true, 0x000, SEV_INVALID_CERTIFICATE },  /* version */
        { true, 0x008, SEV_INVALID_CERTIFICATE },  /* usage */
        { true, 0x00C, SEV_INVALID_CERTIFICATE },  /* algorithm */
        { true, 0x010, SEV_INVALID_CERTIFICATE },  /* curve */
        { true, 0x014, SEV_INVALID_CERTIFICATE },  /* not on the curve */
        { true, 0x0A4, SEV_INVALID_CERTIFICATE },  /* bytes after the key */
        { true, 0x004, SEV_BAD_SIGNATURE },        /* API version: signed */
        { true, 0x414, SEV_BAD_SIGNATURE },        /* the signer's usage */
        { true, 0x418, SEV_BAD_SIGNATURE },        /* the signature's algorithm */
        { true, 0x41C, SEV_BAD_SIGNATURE },
        { true, 0x620, SEV_BAD_SIGNATURE },        /* a slot half empty */
        { false, 0x000, SEV_INVALID_CERTIFICATE },
        { false, 0x004, SEV_INVALID_CERTIFICATE }, /* not the platform's PEK */
        { false, 0x014, SEV_INVALID_CERTIFICATE },
        { false, 0x414, SEV_BAD_SIGNATURE },
        { false, 0x450, SEV_BAD_SIGNATURE },
        { false, 0x620, SEV_BAD_SIGNATURE },
    };
    struct rig *rig = *state;
    static struct owner owner;
    init(rig);
    request(rig, &owner);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        uint8_t *byte = (faults[i].oca ? owner.oca : owner.pek) + faults[i].at;
        *byte ^= 1;
        expect(rig, SEV_PEK_CERT_IMPORT, &owner.import, faults[i].status);
        *byte ^= 1;
    }
    provision(&owner, SEV_USAGE_PEK, SEV_ALGO_ECDSA_SHA256, 0);
    expect(rig, SEV_PEK_CERT_IMPORT, &owner.import, SEV_INVALID_CERTIFICATE);
    provision(&owner, SEV_USAGE_OCA, SEV_ALGO_ECDH_SHA256, 0);
    expect(rig, SEV_PEK_CERT_IMPORT, &owner.import, SEV_INVALID_CERTIFICATE);
    provision(&owner, SEV_USAGE_OCA, SEV_ALGO_ECDSA_SHA256, 0);
    owner.import.pek_len--;
    expect(rig, SEV_PEK_CERT_IMPORT, &owner.import, SEV_INVALID_LENGTH);
    owner.import.pek_len++;
    owner.import.oca_len++;
    expect(rig, SEV_PEK_CERT_IMPORT, &owner.import, SEV_INVALID_LENGTH);
    owner.import.oca_len--;
    owner.import.oca_paddr += 4;
    expect(rig, SEV_PEK_CERT_IMPORT, &owner.import, SEV_INVALID_ADDRESS);
    owner.import.oca_paddr -= 4;
    expect(rig, SEV_PEK_CERT_IMPORT, &owner.import, SEV_SUCCESS);
    owner.import.pek_len = 0; /* owned comes before everything */
    expect(rig, SEV_PEK_CERT_IMPORT, &owner.import, SEV_ALREADY_OWNED);
}

static uint8_t owner_of(struct rig *rig)
{
    struct sev_platform_status status;
    expect(rig, SEV_PLATFORM_STATUS, &status, SEV_SUCCESS);
    return status.owner;
}

/* Whichever slot the owner signs, the chip's signature comes into the other. */
static void test_owner_slots(void **state)
{
    struct rig *rig = *state;
    static struct owner owner;
    struct export before, after;
    for (int slot = 0; slot < 2; slot++) {
        struct owner_chain chain = { 0 };
        struct owner_chain_verdict verdict;
        init(rig);
        request(rig, &owner);
        provision(&owner, SEV_USAGE_OCA, SEV_ALGO_ECDSA_SHA256, slot);
        export_certificates(rig, &before);
        expect(rig, SEV_PEK_CERT_IMPORT, &owner.import, SEV_SUCCESS);
        assert_int_equal(owner_of(rig), 1);
        export_certificates(rig, &after);
        assert_memory_not_equal(before.pdh, after.pdh, SEV_CERT_SIGNED_SIZE);
        assert_null(owner_chain_add(&chain, after.pdh, sizeof(after.pdh)));
        assert_null(owner_chain_add(&chain, after.chain, sizeof(after.chain)));
        owner_chain_verify(&chain, &verdict);
        assert_int_equal(verdict.link[OWNER_OCA_PEK], OWNER_LINK_GOOD);
        assert_int_equal(verdict.link[OWNER_CEK_PEK], OWNER_LINK_GOOD);
        assert_int_equal(verdict.link[OWNER_PEK_PDH], OWNER_LINK_GOOD);
        assert_memory_equal(after.chain + SEV_CERT_SIZE, owner.oca, SEV_CERT_SIZE);
        if (slot == 0) { /* the owner goes with the keys, or with the store */
            expect(rig, SEV_PEK_GEN, NULL, SEV_SUCCESS);
            assert_int_equal(owner_of(rig), 0);
        }
        expect(rig, SEV_SHUTDOWN, NULL, SEV_SUCCESS);
        expect(rig, SEV_PLATFORM_RESET, NULL, SEV_SUCCESS);
        init(rig);
        assert_int_equal(owner_of(rig), 0);
        expect(rig, SEV_SHUTDOWN, NULL, SEV_SUCCESS);
    }
}

/* ---- INIT_EX ---- */

static struct sev_init_ex init_ex(uint64_t area)
{
    return (struct sev_init_ex){ .length = sizeof(struct sev_init_ex), .nv_paddr = area,
                                 .nv_len = SEV_NV_SIZE };
}

static void test_init_ex_fields(void **state)
{
    struct rig *rig = *state;
    static uint8_t area[SEV_NV_SIZE + 0x800];
    memset(area, 0xFF, sizeof(area));
    uint64_t address = chip_map(rig->chip, area, sizeof(area));
    struct sev_init_ex command = init_ex(address);
    command.length = 0x20;
    expect(rig, SEV_INIT_EX, &command, SEV_INVALID_LENGTH);
    command = init_ex(address + 16); /* all of it is there, but not a page's begin */
    expect(rig, SEV_INIT_EX, &command, SEV_INVALID_ADDRESS);
    command = init_ex(address + 0x800);
    expect(rig, SEV_INIT_EX, &command, SEV_INVALID_ADDRESS);
    command = init_ex(address + 4096); /* less is there than the area needs */
    expect(rig, SEV_INIT_EX, &command, SEV_INVALID_ADDRESS);
    command = init_ex(address);
    command.nv_len = 0x4000;
    expect(rig, SEV_INIT_EX, &command, SEV_INVALID_LENGTH);
    command = init_ex(address);
    command.tmr_paddr = address + 0x7FFF;
    command.tmr_len = 1;
    expect(rig, SEV_INIT_EX, &command, SEV_INVALID_ADDRESS);
    command = init_ex(address);
    command.tmr_paddr = address - 0x100000;
    command.tmr_len = 0x100001;
    expect(rig, SEV_INIT_EX, &command, SEV_INVALID_ADDRESS);
    command = init_ex(address);
    command.flags = 4;
    expect(rig, SEV_INIT_EX, &command, SEV_INVALID_CONFIG);
    command = init_ex(address);
    command.reserved = 1;
    expect(rig, SEV_INIT_EX, &command, SEV_INVALID_CONFIG);
    command = init_ex(address);
    assert_int_equal(area[0], 0xFF); /* nothing was begun */
    command = init_ex(address);
    command.tmr_paddr = address - 0x100000;
    command.tmr_len = 0x100000; /* beside it */
    expect(rig, SEV_INIT_EX, &command, SEV_SUCCESS);
    expect(rig, SEV_INIT_EX, &command, SEV_INVALID_PLATFORM_STATE);
}

static void export_of_area(struct rig *rig, uint64_t area, struct export *ret)
{
    struct sev_init_ex command = init_ex(area);
    expect(rig, SEV_INIT_EX, &command, SEV_SUCCESS);
    export_certificates(rig, ret);
    expect(rig, SEV_SHUTDOWN, NULL, SEV_SUCCESS);
}

static void export_of_folder(struct rig *rig, struct export *ret)
{
    init(rig);
    export_certificates(rig, ret);
    expect(rig, SEV_SHUTDOWN, NULL, SEV_SUCCESS);
}

static void test_area_keeps(void **state)
{
    struct rig *rig = *state;
    static uint8_t area[SEV_NV_SIZE], before[SEV_NV_SIZE];
    struct export first, again, folder, after;
    memset(area, 0xFF, sizeof(area));
    uint64_t address = chip_map(rig->chip, area, sizeof(area));
    export_of_folder(rig, &folder);
    export_of_area(rig, address, &first);
    assert_memory_not_equal(first.pdh, folder.pdh, SEV_CERT_SIZE);
    assert_memory_equal(first.chain + 2 * SEV_CERT_SIZE, folder.chain + 2 * SEV_CERT_SIZE,
                        SEV_CERT_SIZE); /* the same chip: CEK */
    memcpy(before, area, sizeof(area));
    export_of_area(rig, address, &again);
    assert_memory_equal(&first, &again, sizeof(first));
    assert_memory_equal(before, area, sizeof(area)); /* nothing changed: nothing is written */
    expect(rig, SEV_PLATFORM_RESET, NULL, SEV_SUCCESS);
    assert_memory_equal(before, area, sizeof(area));
    export_of_folder(rig, &after);
    assert_memory_not_equal(folder.chain, after.chain, SEV_CERT_SIZE);
    export_of_area(rig, 0, &again); /* no area: the folder's */
    assert_memory_equal(&after, &again, sizeof(after));
}

static void test_area_takes_an_owner(void **state)
{
    struct rig *rig = *state;
    static struct owner owner;
    static uint8_t area[SEV_NV_SIZE];
    memset(area, 0xFF, sizeof(area));
    uint64_t address = chip_map(rig->chip, area, sizeof(area));
    struct sev_init_ex command = init_ex(address);
    expect(rig, SEV_INIT_EX, &command, SEV_SUCCESS);
    request(rig, &owner);
    expect(rig, SEV_PEK_CERT_IMPORT, &owner.import, SEV_SUCCESS);
    expect(rig, SEV_SHUTDOWN, NULL, SEV_SUCCESS);
    init(rig);
    assert_int_equal(owner_of(rig), 0);
    expect(rig, SEV_SHUTDOWN, NULL, SEV_SUCCESS);
    expect(rig, SEV_INIT_EX, &command, SEV_SUCCESS);
    assert_int_equal(owner_of(rig), 1);
}

/* What does not verify is erased and said; the next INIT_EX begins anew. */
static void test_damaged_area(void **state)
{
    static const size_t places[] = { 0, 8, 30, 100, 6000 };
    struct rig *rig = *state;
    static uint8_t area[SEV_NV_SIZE], erased[SEV_NV_SIZE];
    struct export first, second;
    memset(erased, 0xFF, sizeof(erased));
    memset(area, 0xFF, sizeof(area));
    uint64_t address = chip_map(rig->chip, area, sizeof(area));
    struct sev_init_ex command = init_ex(address);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        export_of_area(rig, address, &first);
        area[places[i]] ^= 1;
        expect(rig, SEV_INIT_EX, &command, SEV_SECURE_DATA_INVALID);
        assert_int_equal(platform_state_of(rig), SEV_PLATFORM_UNINIT);
        assert_memory_equal(area, erased, sizeof(area));
        export_of_area(rig, address, &second);
        assert_memory_not_equal(first.chain, second.chain, SEV_CERT_SIZE);
    }
}

/* The area goes away while the platform uses it: the command fails, the keys stay. */
static void test_lost_area(void **state)
{
    struct rig *rig = *state;
    static uint8_t area[SEV_NV_SIZE];
    struct export before, after;
    memset(area, 0xFF, sizeof(area));
    uint64_t address = chip_map(rig->chip, area, sizeof(area));
    struct sev_init_ex command = init_ex(address);
    expect(rig, SEV_INIT_EX, &command, SEV_SUCCESS);
    export_certificates(rig, &before);
    chip_unmap(rig->chip, address);
    expect(rig, SEV_PDH_GEN, NULL, SEV_HWERROR_PLATFORM);
    expect(rig, SEV_PEK_GEN, NULL, SEV_HWERROR_PLATFORM);
    export_certificates(rig, &after);
    assert_memory_equal(&before, &after, sizeof(before));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_request),
        TEST(test_bad_imports),
        TEST(test_owner_slots),
        TEST(test_init_ex_fields),
        TEST(test_area_keeps),
        TEST(test_area_takes_an_owner),
        TEST(test_damaged_area),
        TEST(test_lost_area),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
