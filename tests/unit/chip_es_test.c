/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SEV-ES: the platform with it, the saved state of processors, what the microcode takes and gives
 * back, and what it must refuse.
 */
#include "tests/unit/chip_rig.h"

#include <openssl/hmac.h>

#include "sev/bytes.h"

#define PAGE  SEV_VMSA_SIZE
#define SPARE 0x30000u /* a page of guest memory */

static uint8_t vmsa[2][PAGE] __attribute__((aligned(4096)));

struct processor {
    uint64_t paddr;
    uint8_t supplied[PAGE];
};

/* The platform with SEV-ES, and a guest that has its ASID. */
static void begin(struct rig *rig, uint32_t policy, uint32_t asid)
{
    init_es(rig);
    rig->handle = launch_start_plain(rig, policy);
    assert_int_equal(activate(rig, rig->handle, asid), SEV_SUCCESS);
}

static uint16_t update_vmsa(struct rig *rig, uint64_t paddr)
{
    struct sev_launch_update_data command = { .handle = rig->handle, .paddr = paddr,
                                              .length = PAGE };
    return chip_command(rig->chip, SEV_LAUNCH_UPDATE_VMSA, &command);
}

/* A processor's page in the host's memory. */
static void add_processor(struct rig *rig, unsigned index, struct processor *ret)
{
    fill_up(vmsa[index], PAGE, (uint8_t)(index + 1));
    memcpy(ret->supplied, vmsa[index], PAGE);
    ret->paddr = chip_map(rig->chip, vmsa[index], PAGE);
    assert_int_equal(update_vmsa(rig, ret->paddr), SEV_SUCCESS);
}

/* The platform, and a SEV-ES guest with a processor. */
static struct processor one_processor(struct rig *rig)
{
    struct processor processor;
    begin(rig, SEV_POLICY_ES, ES_ASID);
    add_processor(rig, 0, &processor);
    return processor;
}

static void loads(struct rig *rig, uint32_t asid, uint64_t paddr, uint8_t state[PAGE])
{
    char why[128] = "";
    if (!chip_vmsa_load(rig->chip, asid, paddr, state, why, sizeof(why)))
        fail_msg("refused: %s", why);
}

static void refuses(struct rig *rig, uint32_t asid, uint64_t paddr, const char *reason)
{
    char why[128] = "";
    uint8_t state[PAGE];
    assert_false(chip_vmsa_load(rig->chip, asid, paddr, state, why, sizeof(why)));
    if (!strstr(why, reason))
        fail_msg("'%s' does not say '%s'", why, reason);
}

#define CHANGED "is not what the processor left there"
#define NO_VMSA "is not a VMSA of its guest"

/* The guest's measurement is that of the hash, which is freed; without a session its TIK is zero. */
static void check_measurement(struct rig *rig, EVP_MD_CTX *hash)
{
    static const uint8_t no_key[SEV_KEY_SIZE];
    uint8_t blob[48], message[SEV_MEASURE_INPUT_MAX], expected[32];
    struct sev_measure_input input = { .api_minor = 24, .build = 15, .policy = SEV_POLICY_ES };
    assert_int_equal(measure(rig, blob), SEV_SUCCESS);
    assert_int_equal(EVP_DigestFinal_ex(hash, input.digest, NULL), 1);
    EVP_MD_CTX_free(hash);
    memcpy(input.nonce, blob + 32, sizeof(input.nonce));
    size_t size = sev_measure_message(&input, message);
    HMAC(EVP_sha256(), no_key, sizeof(no_key), message, size, expected, NULL);
    assert_memory_equal(blob, expected, sizeof(expected));
}

/* ---- the platform ---- */

static void test_status(void **state)
{
    struct rig *rig = *state;
    struct sev_platform_status status;
    init(rig);
    expect(rig, SEV_PLATFORM_STATUS, &status, SEV_SUCCESS);
    assert_int_equal(status.config, 0);
    expect(rig, SEV_SHUTDOWN, NULL, SEV_SUCCESS);
    init_es(rig);
    expect(rig, SEV_PLATFORM_STATUS, &status, SEV_SUCCESS);
    assert_int_equal(status.config, SEV_CONFIG_ES);
    expect(rig, SEV_SHUTDOWN, NULL, SEV_SUCCESS);
    expect(rig, SEV_PLATFORM_STATUS, &status, SEV_SUCCESS);
    assert_int_equal(status.config, 0);
    init(rig); /* without it again: the policy is refused */
    struct sev_launch_start start = { .policy = SEV_POLICY_ES };
    expect(rig, SEV_LAUNCH_START, &start, SEV_UNSUPPORTED);
}

/* INIT_EX has the flag too, and nothing is left on after one that fails. */
static void test_init_ex(void **state)
{
    struct rig *rig = *state;
    static uint8_t area[SEV_NV_SIZE];
    struct sev_platform_status status;
    memset(area, 0xFF, sizeof(area));
    struct sev_init_ex init = { .length = sizeof(init), .flags = SEV_INIT_ES,
                                .tmr_paddr = tmr_of(rig) + 0x1000, .tmr_len = SEV_TMR_SIZE,
                                .nv_paddr = chip_map(rig->chip, area, sizeof(area)),
                                .nv_len = sizeof(area) };
    expect(rig, SEV_INIT_EX, &init, SEV_INVALID_ADDRESS);
    assert_int_equal(platform_state_of(rig), SEV_PLATFORM_UNINIT);
    assert_int_equal(rig->chip->nv_paddr, 0);
    init.tmr_paddr = tmr_of(rig);
    expect(rig, SEV_INIT_EX, &init, SEV_SUCCESS);
    expect(rig, SEV_PLATFORM_STATUS, &status, SEV_SUCCESS);
    assert_int_equal(status.config, SEV_CONFIG_ES);
}

/* The region may be guest memory; nobody's command reaches it while it is the chip's. */
static void test_region_is_protected(void **state)
{
    struct rig *rig = *state;
    struct sev_init init = { .flags = SEV_INIT_ES, .tmr_paddr = FIRMWARE_BASE,
                             .tmr_len = SEV_TMR_SIZE };
    struct sev_get_id id = { .id_paddr = FIRMWARE_BASE + 0x8000, .id_len = SEV_ID_SIZE };
    expect(rig, SEV_INIT, &init, SEV_SUCCESS);
    expect(rig, SEV_GET_ID, &id, SEV_INVALID_ADDRESS);
    id.id_paddr = FIRMWARE_BASE - SEV_ID_SIZE;
    expect(rig, SEV_GET_ID, &id, SEV_SUCCESS);
    id.id_paddr++; /* its last byte is the first there */
    expect(rig, SEV_GET_ID, &id, SEV_INVALID_ADDRESS);
    chip_note_wbinvd(rig->chip);
    expect(rig, SEV_DF_FLUSH, NULL, SEV_SUCCESS);
    rig->handle = launch_start_plain(rig, SEV_POLICY_ES);
    assert_int_equal(activate(rig, rig->handle, ES_ASID), SEV_SUCCESS);
    assert_int_equal(update(rig, FIRMWARE_BASE, PAGE), SEV_INVALID_ADDRESS);
    assert_int_equal(update(rig, FIRMWARE_BASE - PAGE, 2 * PAGE), SEV_INVALID_ADDRESS);
    assert_int_equal(update_vmsa(rig, FIRMWARE_BASE), SEV_INVALID_ADDRESS);
    EVP_MD_CTX *nothing = EVP_MD_CTX_new(); /* was measured by all that */
    EVP_DigestInit_ex(nothing, EVP_sha256(), NULL);
    check_measurement(rig, nothing);
    expect(rig, SEV_SHUTDOWN, NULL, SEV_SUCCESS);
    id.id_paddr = FIRMWARE_BASE;
    expect(rig, SEV_GET_ID, &id, SEV_SUCCESS);
}

/* A flush that was not of all cores leaves the region unusable, though an ASID may be clean. */
static void test_region_before_flush(void **state)
{
    struct rig *rig = *state;
    struct sev_init init = { .flags = SEV_INIT_ES, .tmr_paddr = tmr_of(rig),
                             .tmr_len = SEV_TMR_SIZE };
    uint32_t ids[1] = { 0 };
    chip_note_wbinvd(rig->chip);
    expect(rig, SEV_DF_FLUSH, NULL, SEV_SUCCESS); /* too early */
    expect(rig, SEV_INIT, &init, SEV_SUCCESS);
    for (uint32_t thread = 0; thread < CHIP_THREADS_PER_COMPLEX; thread++)
        chip_note_thread_wbinvd(rig->chip, thread);
    expect(rig, SEV_DF_FLUSH, NULL, SEV_WBINVD_REQUIRED);
    rig->handle = launch_start_plain(rig, SEV_POLICY_ES);
    struct sev_activate_ex activation = { .length = sizeof(activation), .handle = rig->handle,
                                          .asid = ES_ASID, .numids = 1,
                                          .ids_paddr = chip_map(rig->chip, ids, sizeof(ids)) };
    expect(rig, SEV_ACTIVATE_EX, &activation, SEV_SUCCESS);
    assert_int_equal(update_vmsa(rig, SPARE), SEV_DF_FLUSH_REQUIRED);
    chip_note_wbinvd(rig->chip);
    expect(rig, SEV_DF_FLUSH, NULL, SEV_SUCCESS);
    assert_int_equal(update_vmsa(rig, SPARE), SEV_SUCCESS);
}

/* ---- the launch ---- */

/* What is measured is the page as supplied, after what was measured before it. */
static void test_measurement(void **state)
{
    struct rig *rig = *state;
    struct processor first, second;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    begin(rig, SEV_POLICY_ES, ES_ASID);
    assert_int_equal(update(rig, FIRMWARE_BASE, FIRMWARE_SIZE), SEV_SUCCESS);
    add_processor(rig, 0, &first);
    add_processor(rig, 1, &second);
    EVP_DigestInit_ex(context, EVP_sha256(), NULL);
    EVP_DigestUpdate(context, rig->firmware, FIRMWARE_SIZE);
    EVP_DigestUpdate(context, first.supplied, PAGE);
    EVP_DigestUpdate(context, second.supplied, PAGE);
    check_measurement(rig, context);
}

/* The host's page holds ciphertext of its own address, with the two fields filled in. */
static void test_encryption(void **state)
{
    struct rig *rig = *state;
    struct processor processor = one_processor(rig);
    uint8_t plain[PAGE], zero[8] = { 0 };
    for (size_t at = 0; at < PAGE; at += 16)
        assert_memory_not_equal(vmsa[0] + at, processor.supplied + at, 16);
    memcpy(plain, vmsa[0], PAGE);
    assert_int_equal(memory_crypt_host(rig->memory, ES_ASID, false, processor.paddr, plain, PAGE), 0);
    assert_memory_equal(plain, processor.supplied, 0x380);
    assert_memory_equal(plain + 0x380, zero, 8);
    assert_int_equal(load_le32(plain + 0x388), (uint32_t)tmr_of(rig));
    assert_int_equal(load_le32(plain + 0x38C), tmr_of(rig) >> 32);
    assert_memory_equal(plain + 0x390, processor.supplied + 0x390, PAGE - 0x390);
}

/* Two processors have two checksums in the region; a guest's page in guest memory is one as well. */
static void test_guest_memory(void **state)
{
    struct rig *rig = *state;
    struct processor host = one_processor(rig);
    uint8_t plain[PAGE], raw[PAGE];
    assert_int_equal(memory_write(rig->memory, SPARE, host.supplied, PAGE, MEMORY_RAW), 0);
    assert_int_equal(update_vmsa(rig, SPARE), SEV_SUCCESS);
    loads(rig, ES_ASID, SPARE, plain);
    assert_memory_equal(plain, host.supplied, 0x380);
    assert_int_equal(load_le32(plain + 0x388) - (uint32_t)tmr_of(rig), CHIP_VMSA_SLOT);
    assert_int_equal(memory_read(rig->memory, SPARE, raw, PAGE, MEMORY_RAW), 0);
    assert_memory_not_equal(raw, host.supplied, 0x380);
    raw[0x178] ^= 1;
    assert_int_equal(memory_write(rig->memory, SPARE, raw, PAGE, MEMORY_RAW), 0);
    refuses(rig, ES_ASID, SPARE, CHANGED);
}

/* The page of a launch's only processor, encrypted, and its measurement. */
static void launch_once(struct rig *rig, uint8_t first_byte, uint8_t page[PAGE], uint8_t blob[48])
{
    begin(rig, SEV_POLICY_ES, ES_ASID);
    fill_up(vmsa[0], PAGE, first_byte);
    uint64_t paddr = chip_map(rig->chip, vmsa[0], PAGE);
    assert_int_equal(update_vmsa(rig, paddr), SEV_SUCCESS);
    assert_int_equal(measure(rig, blob), SEV_SUCCESS);
    memcpy(page, vmsa[0], PAGE);
    close_chip(rig);
    open_chip(rig);
}

/* The deterministic platform: the same launch again, another one with another processor. */
static void test_repeats(void **state)
{
    struct rig *rig = *state;
    static uint8_t page[3][PAGE], blob[3][48];
    launch_once(rig, 1, page[0], blob[0]); /* makes the chip's certificates */
    launch_once(rig, 1, page[0], blob[0]);
    launch_once(rig, 1, page[1], blob[1]);
    launch_once(rig, 2, page[2], blob[2]);
    assert_memory_equal(page[0], page[1], PAGE);
    assert_memory_equal(blob[0], blob[1], 48);
    assert_memory_not_equal(page[0], page[2], 16);
    assert_memory_not_equal(blob[0] + 32, blob[2] + 32, 16); /* the nonce */
}

/* ---- VMRUN and exits ---- */

static void test_load_and_store(void **state)
{
    struct rig *rig = *state;
    struct processor processor = one_processor(rig);
    uint8_t plain[PAGE], again[PAGE], old[PAGE];
    loads(rig, ES_ASID, processor.paddr, plain);
    assert_memory_equal(plain, processor.supplied, 0x380);
    memcpy(old, vmsa[0], PAGE);
    store_le64(plain + 0x178, 0x1234); /* RIP */
    store_le64(plain + 0x388, 0);      /* not the processor's to choose */
    assert_true(chip_vmsa_store(rig->chip, ES_ASID, processor.paddr, plain));
    loads(rig, ES_ASID, processor.paddr, again);
    assert_int_equal(load_le32(again + 0x178), 0x1234);
    assert_int_equal(load_le32(again + 0x388), (uint32_t)tmr_of(rig));
    assert_memory_equal(plain + 0x390, again + 0x390, PAGE - 0x390);
    memcpy(vmsa[0], old, PAGE); /* a state of the past */
    refuses(rig, ES_ASID, processor.paddr, CHANGED);
}

/* Any block that the checksum covers; the rest of the page is nothing that a processor looks at. */
static void test_tampering(void **state)
{
    struct rig *rig = *state;
    struct processor processor = one_processor(rig);
    uint8_t plain[PAGE];
    for (size_t at = 0; at < PAGE; at += 16) {
        vmsa[0][at] ^= 0x80;
        if (at < 0xFC0)
            refuses(rig, ES_ASID, processor.paddr, CHANGED);
        else
            loads(rig, ES_ASID, processor.paddr, plain);
        vmsa[0][at] ^= 0x80;
    }
    loads(rig, ES_ASID, processor.paddr, plain);
}

/* Pages that change places, that are another guest's, that never were one. */
static void test_wrong_pages(void **state)
{
    struct rig *rig = *state;
    struct processor first, second;
    uint8_t plain[PAGE];
    begin(rig, SEV_POLICY_ES, ES_ASID);
    add_processor(rig, 0, &first);
    add_processor(rig, 1, &second);
    memcpy(plain, vmsa[0], PAGE);
    memcpy(vmsa[0], vmsa[1], PAGE);
    refuses(rig, ES_ASID, first.paddr, CHANGED);
    memcpy(vmsa[0], plain, PAGE);
    refuses(rig, ES_ASID, FIRMWARE_BASE, NO_VMSA);
    refuses(rig, ES_ASID, first.paddr + 16, NO_VMSA);
    assert_false(chip_vmsa_store(rig->chip, ES_ASID, FIRMWARE_BASE, plain));
    assert_false(chip_vmsa_store(rig->chip, ES_ASID + 1, first.paddr, plain));
    refuses(rig, ES_ASID + 1, first.paddr, "no guest is activated on it");
    refuses(rig, 0, first.paddr, "no guest is activated on it");
    refuses(rig, UINT32_MAX, first.paddr, "no guest is activated on it");
    /* Another guest with the same memory key, even. */
    struct sev_launch_start sharing = { .handle = rig->handle, .policy = SEV_POLICY_ES };
    expect(rig, SEV_LAUNCH_START, &sharing, SEV_SUCCESS);
    assert_int_equal(activate(rig, sharing.handle, ES_ASID + 1), SEV_SUCCESS);
    refuses(rig, ES_ASID + 1, first.paddr, NO_VMSA);
    uint32_t plain_guest = launch_start_plain(rig, 0);
    assert_int_equal(activate(rig, plain_guest, ASID), SEV_SUCCESS);
    refuses(rig, ASID, first.paddr, "its guest is not a SEV-ES guest");
    loads(rig, ES_ASID, first.paddr, plain);
}

/* A page that the host takes away from the chip cannot be run, and is none of the next guest's. */
static void test_end_of_guest(void **state)
{
    struct rig *rig = *state;
    struct processor processor = one_processor(rig);
    uint8_t plain[PAGE];
    assert_int_equal(on_handle(rig, SEV_DEACTIVATE, rig->handle), SEV_SUCCESS);
    refuses(rig, ES_ASID, processor.paddr, "no guest is activated on it");
    assert_int_equal(activate(rig, rig->handle, ES_ASID - 1), SEV_SUCCESS);
    loads(rig, ES_ASID - 1, processor.paddr, plain); /* its key follows it to another ASID */
    assert_int_equal(on_handle(rig, SEV_DEACTIVATE, rig->handle), SEV_SUCCESS);
    assert_int_equal(on_handle(rig, SEV_DECOMMISSION, rig->handle), SEV_SUCCESS);
    rig->handle = launch_start_plain(rig, SEV_POLICY_ES); /* the same slot */
    assert_int_equal(activate(rig, rig->handle, ES_ASID), SEV_SUCCESS);
    refuses(rig, ES_ASID, processor.paddr, NO_VMSA);
    assert_int_equal(rig->chip->vmsa_count, 1);
    assert_int_equal(update_vmsa(rig, processor.paddr), SEV_SUCCESS);
    assert_int_equal(rig->chip->vmsa_count, 1); /* its place in the region was free */
    chip_unmap(rig->chip, processor.paddr);
    refuses(rig, ES_ASID, processor.paddr, CHANGED);
}

static void test_full_region(void **state)
{
    struct rig *rig = *state;
    struct processor processor = one_processor(rig);
    for (unsigned i = 1; i < CHIP_MAX_VMSAS; i++)
        rig->chip->vmsas[i] = (struct chip_vmsa){ .guest = 2, .paddr = i };
    rig->chip->vmsa_count = CHIP_MAX_VMSAS;
    assert_int_equal(update_vmsa(rig, SPARE), SEV_RESOURCE_LIMIT);
    assert_int_equal(update_vmsa(rig, processor.paddr), SEV_SUCCESS); /* has its place */
}

/* ---- what else there is of a VMSA ---- */

/* With a policy that allows it the host may look; what it writes, the processor refuses. */
static void test_debug(void **state)
{
    struct rig *rig = *state;
    struct processor processor = one_processor(rig);
    static uint8_t seen[PAGE];
    uint64_t place = chip_map(rig->chip, seen, PAGE);
    struct sev_dbg dbg = { .handle = rig->handle, .src_paddr = processor.paddr,
                           .dst_paddr = place, .length = PAGE };
    expect(rig, SEV_DBG_DECRYPT, &dbg, SEV_SUCCESS);
    assert_memory_equal(seen, processor.supplied, 0x380);
    seen[0x178] ^= 1;
    dbg.src_paddr = place;
    dbg.dst_paddr = processor.paddr;
    expect(rig, SEV_DBG_ENCRYPT, &dbg, SEV_SUCCESS);
    refuses(rig, ES_ASID, processor.paddr, CHANGED);
}

/* Out to storage and in again, to another page: a VMSA there, with a checksum of its own. */
static void test_swap(void **state)
{
    struct rig *rig = *state;
    struct processor processor = one_processor(rig);
    uint8_t plain[PAGE];
    struct sev_swap_out out = { rig->handle, 4, processor.paddr, 0x20000, 0x28000, 0 };
    struct sev_swap_in in = { rig->handle, 4, 0x20000, SPARE, 0x28000 };
    expect(rig, SEV_SWAP_OUT, &out, SEV_SUCCESS);
    expect(rig, SEV_SWAP_IN, &in, SEV_SUCCESS);
    loads(rig, ES_ASID, SPARE, plain);
    assert_memory_equal(plain, processor.supplied, 0x380);
    in.flags = 0; /* as data it was not stored */
    expect(rig, SEV_SWAP_IN, &in, SEV_INVALID_PARAM);
    vmsa[0][0] ^= 1;
    expect(rig, SEV_SWAP_OUT, &out, SEV_INVALID_PARAM);
    out.src_paddr = FIRMWARE_BASE; /* no VMSA */
    expect(rig, SEV_SWAP_OUT, &out, SEV_INVALID_PARAM);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_status),
        TEST(test_init_ex),
        TEST(test_region_is_protected),
        TEST(test_region_before_flush),
        TEST(test_measurement),
        TEST(test_encryption),
        TEST(test_guest_memory),
        TEST(test_repeats),
        TEST(test_load_and_store),
        TEST(test_tampering),
        TEST(test_wrong_pages),
        TEST(test_end_of_guest),
        TEST(test_full_region),
        TEST(test_debug),
        TEST(test_swap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
