/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A guest goes from one chip to another: SEND_*, RECEIVE_* and COPY, what the guest's policy asks of
 * the receiver, packets that somebody changed on the way.
 */
#include "tests/unit/chip_rig.h"

#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "owner/certs.h"

#define PAGE       0x1000u
#define ASID_THERE 9u

/* A platform to send from and one to receive, and what goes between them. */
struct pair {
    struct rig *here, *there;
    struct export there_certs;
    struct chip_root root;
    struct sev_session session;
    struct sev_packet_header header;
    uint8_t data[0x6000];
};

static int setup_pair(void **state)
{
    struct pair *pair = calloc(1, sizeof(*pair));
    void *here, *there;
    if (setup(&here) != 0 || setup(&there) != 0)
        return -1;
    pair->here = here;
    pair->there = there;
    init(pair->here);
    init(pair->there);
    export_certificates(pair->there, &pair->there_certs);
    *state = pair;
    return 0;
}

static int teardown_pair(void **state)
{
    struct pair *pair = *state;
    void *here = pair->here, *there = pair->there;
    teardown(&here);
    teardown(&there);
    free(pair);
    return 0;
}

/* A guest in RUNNING with the rig's firmware as its memory. */
static void run_guest(struct rig *rig, uint32_t policy)
{
    uint8_t blob[48];
    rig->handle = launch_start_plain(rig, policy);
    assert_int_equal(activate(rig, rig->handle, ASID), SEV_SUCCESS);
    assert_int_equal(memory_write(rig->memory, FIRMWARE_BASE, rig->firmware, FIRMWARE_SIZE,
                                  MEMORY_RAW), 0);
    assert_int_equal(update(rig, FIRMWARE_BASE, FIRMWARE_SIZE), SEV_SUCCESS);
    assert_int_equal(measure(rig, blob), SEV_SUCCESS);
    assert_int_equal(on_handle(rig, SEV_LAUNCH_FINISH, rig->handle), SEV_SUCCESS);
}

/* Everything that SEND_START can be given; the caller spoils it. */
static struct sev_send_start start_command(struct pair *pair)
{
    struct chip *chip = pair->here->chip;
    return (struct sev_send_start){
        .handle = pair->here->handle,
        .pdh_cert_paddr = chip_map(chip, pair->there_certs.pdh, SEV_CERT_SIZE),
        .pdh_cert_len = SEV_CERT_SIZE,
        .plat_certs_paddr = chip_map(chip, pair->there_certs.chain, SEV_CHAIN_SIZE),
        .plat_certs_len = SEV_CHAIN_SIZE,
        .amd_certs_paddr = chip_map(chip, pair->root.ask, 2 * SEV_AMD_CERT_MAX),
        .amd_certs_len = 2 * SEV_AMD_CERT_MAX,
        .session_paddr = chip_map(chip, &pair->session, sizeof(pair->session)),
        .session_len = sizeof(pair->session),
    };
}

static void unmap_start(struct pair *pair, const struct sev_send_start *command)
{
    chip_unmap(pair->here->chip, command->pdh_cert_paddr);
    chip_unmap(pair->here->chip, command->plat_certs_paddr);
    chip_unmap(pair->here->chip, command->amd_certs_paddr);
    chip_unmap(pair->here->chip, command->session_paddr);
}

static uint16_t send_start_to(struct pair *pair)
{
    struct sev_send_start command = start_command(pair);
    uint16_t status = chip_command(pair->here->chip, SEV_SEND_START, &command);
    unmap_start(pair, &command);
    return status;
}

static uint16_t receive_start_from(struct pair *pair, uint32_t policy)
{
    struct export here;
    export_certificates(pair->here, &here);
    struct chip *chip = pair->there->chip;
    struct sev_launch_start command = {
        .policy = policy,
        .dh_cert_paddr = chip_map(chip, here.pdh, SEV_CERT_SIZE),
        .dh_cert_len = SEV_CERT_SIZE,
        .session_paddr = chip_map(chip, &pair->session, sizeof(pair->session)),
        .session_len = sizeof(pair->session),
    };
    uint16_t status = chip_command(chip, SEV_RECEIVE_START, &command);
    chip_unmap(chip, command.dh_cert_paddr);
    chip_unmap(chip, command.session_paddr);
    pair->there->handle = command.handle;
    return status;
}

static uint16_t transfer(struct pair *pair, struct rig *rig, unsigned command_id,
                         uint64_t address, uint32_t length)
{
    struct sev_launch_secret command = {
        .handle = rig->handle,
        .hdr_paddr = chip_map(rig->chip, &pair->header, sizeof(pair->header)),
        .hdr_len = sizeof(pair->header),
        .guest_paddr = address,
        .guest_len = length,
        .trans_paddr = chip_map(rig->chip, pair->data, sizeof(pair->data)),
        .trans_len = length,
    };
    uint16_t status = chip_command(rig->chip, command_id, &command);
    chip_unmap(rig->chip, command.hdr_paddr);
    chip_unmap(rig->chip, command.trans_paddr);
    return status;
}

static uint16_t send_page(struct pair *pair, uint64_t address, uint32_t length)
{
    return transfer(pair, pair->here, SEV_SEND_UPDATE_DATA, address, length);
}

static uint16_t receive_page(struct pair *pair, uint64_t address, uint32_t length)
{
    return transfer(pair, pair->there, SEV_RECEIVE_UPDATE_DATA, address, length);
}

static void check_page(struct rig *rig, uint64_t address, memory_view view,
                          const uint8_t *expected, bool same)
{
    uint8_t seen[PAGE];
    assert_int_equal(memory_read(rig->memory, address, seen, sizeof(seen), view), 0);
    assert_true((memcmp(seen, expected, sizeof(seen)) == 0) == same);
}

/* ---- the right way ---- */

static void migrate(struct pair *pair, uint32_t policy)
{
    run_guest(pair->here, policy);
    assert_int_equal(send_start_to(pair), SEV_SUCCESS);
    assert_int_equal(guest_state_of(pair->here, pair->here->handle), SEV_GUEST_SUPDATE);
    assert_int_equal(receive_start_from(pair, policy), SEV_SUCCESS);
    assert_int_equal(guest_state_of(pair->there, pair->there->handle), SEV_GUEST_RUPDATE);
    assert_int_equal(activate(pair->there, pair->there->handle, ASID_THERE), SEV_SUCCESS);
    for (uint32_t at = 0; at < FIRMWARE_SIZE; at += PAGE) {
        assert_int_equal(send_page(pair, FIRMWARE_BASE + at, PAGE), SEV_SUCCESS);
        assert_memory_not_equal(pair->data, pair->here->firmware + at, 16);
        assert_int_equal(receive_page(pair, FIRMWARE_BASE + at, PAGE), SEV_SUCCESS);
    }
    assert_memory_not_equal(pair->session.nonce, pair->session.wrap_iv, 16);
    assert_true(has_transport_keys(pair->here, pair->here->handle));
    assert_true(has_transport_keys(pair->there, pair->there->handle));
    assert_int_equal(on_handle(pair->here, SEV_SEND_FINISH, pair->here->handle), SEV_SUCCESS);
    assert_false(chip_may_run(pair->there->chip, ASID_THERE, 0));
    assert_int_equal(on_handle(pair->there, SEV_RECEIVE_FINISH, pair->there->handle), SEV_SUCCESS);
    assert_false(has_transport_keys(pair->here, pair->here->handle));
    assert_false(has_transport_keys(pair->there, pair->there->handle));
}

static void test_migration(void **state)
{
    struct pair *pair = *state;
    memset(pair->there->firmware, 0, FIRMWARE_SIZE);
    assert_int_equal(memory_write(pair->there->memory, FIRMWARE_BASE, pair->there->firmware,
                                  FIRMWARE_SIZE, MEMORY_RAW), 0);
    migrate(pair, 0);
    assert_int_equal(guest_state_of(pair->here, pair->here->handle), SEV_GUEST_SENT);
    assert_int_equal(guest_state_of(pair->there, pair->there->handle), SEV_GUEST_RUNNING);
    assert_true(chip_may_run(pair->there->chip, ASID_THERE, 0));
    for (uint32_t at = 0; at < FIRMWARE_SIZE; at += PAGE) {
        const uint8_t *page = pair->here->firmware + at;
        check_page(pair->there, FIRMWARE_BASE + at, ASID_THERE, page, true);
        check_page(pair->there, FIRMWARE_BASE + at, MEMORY_RAW, page, false);
    }
    /* What was sent away does not come back to life. */
    assert_int_equal(on_handle(pair->here, SEV_DEACTIVATE, pair->here->handle), SEV_SUCCESS);
    assert_int_equal(activate(pair->here, pair->here->handle, ASID + 1), SEV_INVALID_GUEST_STATE);
    assert_int_equal(on_handle(pair->here, SEV_SEND_CANCEL, pair->here->handle),
                     SEV_INVALID_GUEST_STATE);
    assert_int_equal(on_handle(pair->here, SEV_DECOMMISSION, pair->here->handle), SEV_SUCCESS);
    assert_int_equal(platform_state_of(pair->here), SEV_PLATFORM_INIT);
}

/* The state of a processor goes with the guest, and is refused where somebody changed it. */
static void test_es_migration(void **state)
{
    struct pair *pair = *state;
    struct rig *here = pair->here, *there = pair->there;
    static uint8_t leaving[PAGE], arriving[PAGE], plain[PAGE], again[PAGE];
    char why[128] = "";
    uint8_t blob[48];
    struct rig *const rigs[] = { here, there };
    for (int i = 0; i < 2; i++) {
        expect(rigs[i], SEV_SHUTDOWN, NULL, SEV_SUCCESS);
        init_es(rigs[i]);
    }
    here->handle = launch_start_plain(here, SEV_POLICY_ES);
    assert_int_equal(activate(here, here->handle, ES_ASID), SEV_SUCCESS);
    fill_up(leaving, sizeof(leaving), 9);
    uint64_t from = chip_map(here->chip, leaving, PAGE), to = chip_map(there->chip, arriving, PAGE);
    struct sev_launch_update_data update = { .handle = here->handle, .paddr = from, .length = PAGE };
    expect(here, SEV_LAUNCH_UPDATE_VMSA, &update, SEV_SUCCESS);
    assert_int_equal(measure(here, blob), SEV_SUCCESS);
    assert_int_equal(on_handle(here, SEV_LAUNCH_FINISH, here->handle), SEV_SUCCESS);
    assert_true(chip_vmsa_load(here->chip, ES_ASID, from, plain, why, sizeof(why)));
    plain[0x178] ^= 0xFF; /* it ran a while */
    assert_true(chip_vmsa_store(here->chip, ES_ASID, from, plain));
    assert_int_equal(send_start_to(pair), SEV_SUCCESS);
    leaving[0] ^= 1;
    assert_int_equal(transfer(pair, here, SEV_SEND_UPDATE_VMSA, from, PAGE), SEV_INVALID_PARAM);
    leaving[0] ^= 1;
    assert_int_equal(transfer(pair, here, SEV_SEND_UPDATE_VMSA, from, PAGE), SEV_SUCCESS);
    assert_memory_not_equal(pair->data, plain, 16);
    assert_int_equal(receive_start_from(pair, SEV_POLICY_ES), SEV_SUCCESS);
    assert_int_equal(activate(there, there->handle, ES_ASID), SEV_SUCCESS);
    pair->data[0x178] ^= 1;
    assert_int_equal(transfer(pair, there, SEV_RECEIVE_UPDATE_VMSA, to, PAGE), SEV_BAD_MEASUREMENT);
    assert_false(chip_vmsa_load(there->chip, ES_ASID, to, again, why, sizeof(why)));
    pair->data[0x178] ^= 1;
    assert_int_equal(transfer(pair, there, SEV_RECEIVE_UPDATE_VMSA, to, PAGE), SEV_SUCCESS);
    assert_true(chip_vmsa_load(there->chip, ES_ASID, to, again, why, sizeof(why)));
    assert_memory_equal(again, plain, 0x380);
    assert_memory_equal(again + 0x390, plain + 0x390, PAGE - 0x390);
    assert_memory_not_equal(arriving, again, 16);
    /* As memory it is nothing that can be sent from the host's pages. */
    assert_int_equal(transfer(pair, here, SEV_SEND_UPDATE_DATA, from, PAGE), SEV_INVALID_ADDRESS);
}

/* Such a guest is nothing for a platform without SEV-ES. */
static void test_es_refused(void **state)
{
    struct pair *pair = *state;
    struct rig *here = pair->here;
    expect(here, SEV_SHUTDOWN, NULL, SEV_SUCCESS);
    init_es(here);
    here->handle = launch_start_plain(here, SEV_POLICY_ES);
    assert_int_equal(activate(here, here->handle, ES_ASID), SEV_SUCCESS);
    uint8_t blob[48];
    assert_int_equal(measure(here, blob), SEV_SUCCESS);
    assert_int_equal(on_handle(here, SEV_LAUNCH_FINISH, here->handle), SEV_SUCCESS);
    assert_int_equal(send_start_to(pair), SEV_SUCCESS);
    assert_int_equal(receive_start_from(pair, SEV_POLICY_ES), SEV_UNSUPPORTED);
    assert_int_equal(platform_state_of(pair->there), SEV_PLATFORM_INIT);
}

static void test_cancel(void **state)
{
    struct pair *pair = *state;
    run_guest(pair->here, 0);
    assert_int_equal(send_start_to(pair), SEV_SUCCESS);
    assert_int_equal(send_page(pair, FIRMWARE_BASE, PAGE), SEV_SUCCESS);
    assert_true(has_transport_keys(pair->here, pair->here->handle));
    assert_int_equal(on_handle(pair->here, SEV_SEND_CANCEL, pair->here->handle), SEV_SUCCESS);
    assert_false(has_transport_keys(pair->here, pair->here->handle));
    assert_int_equal(guest_state_of(pair->here, pair->here->handle), SEV_GUEST_RUNNING);
    assert_true(chip_may_run(pair->here->chip, ASID, 0));
    assert_int_equal(send_page(pair, FIRMWARE_BASE, PAGE), SEV_INVALID_GUEST_STATE);
    assert_int_equal(send_start_to(pair), SEV_SUCCESS); /* another try */
}

/* The receiver's half by the formulas of the API, without the chip's own code. */
static void test_packet_values(void **state)
{
    struct pair *pair = *state;
    uint8_t tik[16], mac[32], message[29 + 32] = { 2 };
    struct chip_guest guest = { 0 };
    struct sev_packet_header header = { { 0 }, { 0 }, { 0 } };
    static const uint8_t tek[16] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                     0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
    for (int i = 0; i < 16; i++)
        tik[i] = (uint8_t)(0xff - 0x11 * i);
    memcpy(guest.tek, tek, 16);
    memcpy(guest.tik, tik, 16);
    fill_up(header.iv, 16, 0x40);
    memset(pair->data, 'A', 32);
    assert_true(crypt_ctr(guest.tek, header.iv, pair->data, 32));
    assert_hex(pair->data, "73eb8639c0876adbda80555de30f2f4c37211af0b20f69fdf9fafb92b13ba70e");
    assert_true(packet_mac(&guest, SEV_PACKET_MIGRATION, &header, pair->data, 32, NULL, mac));
    assert_hex(mac, "37f88b08fb44de38e3e9cc1b683e525f4abe93c43c38d3e8f20cb28fc16ba3f7");
    memcpy(message + 5, header.iv, 16);
    message[21] = message[25] = 32;
    memcpy(message + 29, pair->data, 32);
    uint8_t again[32];
    assert_non_null(HMAC(EVP_sha256(), tik, 16, message, sizeof(message), again, NULL));
    assert_memory_equal(again, mac, 32);
}

/* ---- wrong states and fields ---- */

static void test_states(void **state)
{
    static const uint16_t sending[] = { SEV_SEND_UPDATE_DATA, SEV_SEND_UPDATE_VMSA,
                                        SEV_SEND_FINISH, SEV_SEND_CANCEL };
    static const uint16_t receiving[] = { SEV_RECEIVE_UPDATE_DATA, SEV_RECEIVE_UPDATE_VMSA,
                                          SEV_RECEIVE_FINISH };
    struct pair *pair = *state;
    struct rig *here = pair->here, *there = pair->there;
    here->handle = launch_start_plain(here, 0); /* LUPDATE */
    assert_int_equal(send_start_to(pair), SEV_INVALID_GUEST_STATE);
    run_guest(here, 0);
    for (size_t i = 0; i < sizeof(sending) / sizeof(sending[0]); i++)
        assert_int_equal(transfer(pair, here, sending[i], FIRMWARE_BASE, PAGE),
                         SEV_INVALID_GUEST_STATE);
    for (size_t i = 0; i < sizeof(receiving) / sizeof(receiving[0]); i++)
        assert_int_equal(transfer(pair, here, receiving[i], FIRMWARE_BASE, PAGE),
                         SEV_INVALID_GUEST_STATE);
    assert_int_equal(send_start_to(pair), SEV_SUCCESS);
    assert_int_equal(send_start_to(pair), SEV_INVALID_GUEST_STATE);
    assert_int_equal(transfer(pair, here, SEV_SEND_UPDATE_VMSA, FIRMWARE_BASE, PAGE),
                     SEV_UNSUPPORTED);
    assert_int_equal(receive_start_from(pair, 0), SEV_SUCCESS);
    assert_int_equal(transfer(pair, there, SEV_RECEIVE_UPDATE_VMSA, FIRMWARE_BASE, PAGE),
                     SEV_UNSUPPORTED);
    uint8_t blob[48];
    assert_int_equal(measure(there, blob), SEV_INVALID_GUEST_STATE);
    assert_int_equal(update(there, FIRMWARE_BASE, 16), SEV_INVALID_GUEST_STATE);
    assert_int_equal(on_handle(there, SEV_LAUNCH_FINISH, there->handle), SEV_INVALID_GUEST_STATE);
    here->handle = there->handle = 99;
    assert_int_equal(send_start_to(pair), SEV_INVALID_GUEST);
    for (size_t i = 0; i < sizeof(sending) / sizeof(sending[0]); i++)
        assert_int_equal(transfer(pair, here, sending[i], FIRMWARE_BASE, PAGE), SEV_INVALID_GUEST);
    for (size_t i = 0; i < sizeof(receiving) / sizeof(receiving[0]); i++)
        assert_int_equal(transfer(pair, there, receiving[i], FIRMWARE_BASE, PAGE),
                         SEV_INVALID_GUEST);
}

static void test_start_fields(void **state)
{
    struct pair *pair = *state;
    struct rig *here = pair->here;
    run_guest(here, 0x01000000); /* API 0.1 */
    struct sev_send_start good = start_command(pair), bad = { .handle = here->handle };
    expect(here, SEV_SEND_START, &bad, SEV_INVALID_LENGTH); /* asks for the length */
    assert_int_equal(bad.session_len, 0x80);
    bad = good;
    bad.session_len = 0x81;
    expect(here, SEV_SEND_START, &bad, SEV_INVALID_LENGTH);
    bad = good;
    bad.pdh_cert_len--;
    expect(here, SEV_SEND_START, &bad, SEV_INVALID_LENGTH);
    bad = good;
    bad.pdh_cert_paddr += 4;
    expect(here, SEV_SEND_START, &bad, SEV_INVALID_ADDRESS);
    bad = good;
    bad.session_paddr += 4;
    expect(here, SEV_SEND_START, &bad, SEV_INVALID_ADDRESS);
    assert_int_equal(guest_state_of(here, here->handle), SEV_GUEST_RUNNING);
    static const size_t places[] = { 0, 8, 0xC, 0x10, 0x14 }; /* version, usage, ... the point */
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        pair->there_certs.pdh[places[i]] ^= 1;
        expect(here, SEV_SEND_START, &good, SEV_INVALID_CERTIFICATE);
        pair->there_certs.pdh[places[i]] ^= 1;
    }
    good.plat_certs_len = good.amd_certs_len = 0; /* not asked for by this policy */
    expect(here, SEV_SEND_START, &good, SEV_SUCCESS);
    assert_int_equal(good.policy, 0x01000000);
}

static void test_send_fields(void **state)
{
    struct pair *pair = *state;
    struct rig *here = pair->here;
    run_guest(here, 0);
    assert_int_equal(send_start_to(pair), SEV_SUCCESS);
    struct sev_launch_secret query = { .handle = here->handle, .guest_paddr = FIRMWARE_BASE,
                                       .guest_len = PAGE };
    expect(here, SEV_SEND_UPDATE_DATA, &query, SEV_INVALID_LENGTH);
    assert_int_equal(query.hdr_len, 0x34);
    assert_int_equal(query.trans_len, PAGE);
    assert_int_equal(send_page(pair, FIRMWARE_BASE + 8, PAGE), SEV_INVALID_ADDRESS);
    assert_int_equal(send_page(pair, CHIP_HOST_WINDOW, PAGE), SEV_INVALID_ADDRESS);
    assert_int_equal(send_page(pair, 0x1FFFF0, PAGE), SEV_INVALID_ADDRESS);
    assert_int_equal(send_page(pair, FIRMWARE_BASE, 0), SEV_INVALID_LENGTH);
    assert_int_equal(send_page(pair, FIRMWARE_BASE, 24), SEV_INVALID_LENGTH);
    assert_int_equal(send_page(pair, FIRMWARE_BASE, 0x5010), SEV_INVALID_LENGTH);
    assert_int_equal(send_page(pair, FIRMWARE_BASE, 0x5000), SEV_SUCCESS);
    query.trans_len = PAGE;
    query.hdr_paddr = query.trans_paddr = CHIP_HOST_WINDOW + (31ull << 32);
    expect(here, SEV_SEND_UPDATE_DATA, &query, SEV_INVALID_ADDRESS);
    assert_int_equal(on_handle(here, SEV_DEACTIVATE, here->handle), SEV_SUCCESS);
    assert_int_equal(send_page(pair, FIRMWARE_BASE, PAGE), SEV_INACTIVE);
}

/* Nothing of a packet or a session can be changed on the way. */
static void test_tampering(void **state)
{
    struct pair *pair = *state;
    struct rig *there = pair->there;
    uint8_t zeros[PAGE] = { 0 };
    run_guest(pair->here, 0);
    assert_int_equal(send_start_to(pair), SEV_SUCCESS);
    static const size_t places[] = { 0, 16, 48, 64, 96 };
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        uint8_t *byte = (uint8_t *)&pair->session + places[i];
        *byte ^= 1;
        assert_int_equal(receive_start_from(pair, 0), SEV_BAD_MEASUREMENT);
        *byte ^= 1;
    }
    assert_int_equal(receive_start_from(pair, 1), SEV_BAD_MEASUREMENT); /* another policy */
    assert_int_equal(receive_start_from(pair, 0), SEV_SUCCESS);
    assert_int_equal(receive_page(pair, SECRET_BASE, PAGE), SEV_INACTIVE);
    assert_int_equal(activate(there, there->handle, ASID_THERE), SEV_SUCCESS);
    assert_int_equal(memory_write(there->memory, SECRET_BASE, zeros, PAGE, ASID_THERE), 0);
    assert_int_equal(send_page(pair, FIRMWARE_BASE, PAGE), SEV_SUCCESS);
    pair->header.iv[3] ^= 1;
    assert_int_equal(receive_page(pair, SECRET_BASE, PAGE), SEV_BAD_MEASUREMENT);
    pair->header.iv[3] ^= 1;
    pair->header.mac[31] ^= 1;
    assert_int_equal(receive_page(pair, SECRET_BASE, PAGE), SEV_BAD_MEASUREMENT);
    pair->header.mac[31] ^= 1;
    pair->header.flags[1] ^= 1;
    assert_int_equal(receive_page(pair, SECRET_BASE, PAGE), SEV_BAD_MEASUREMENT);
    pair->header.flags[1] ^= 1;
    pair->header.flags[0] ^= 1; /* compressed */
    assert_int_equal(receive_page(pair, SECRET_BASE, PAGE), SEV_UNSUPPORTED);
    pair->header.flags[0] ^= 1;
    pair->data[4095] ^= 1;
    assert_int_equal(receive_page(pair, SECRET_BASE, PAGE), SEV_BAD_MEASUREMENT);
    pair->data[4095] ^= 1;
    assert_int_equal(receive_page(pair, SECRET_BASE, PAGE - 16), SEV_BAD_MEASUREMENT);
    check_page(there, SECRET_BASE, ASID_THERE, zeros, true);
    assert_int_equal(receive_page(pair, SECRET_BASE + 8, PAGE), SEV_INVALID_ADDRESS);
    assert_int_equal(receive_page(pair, 0x1FFFF0, PAGE), SEV_INVALID_ADDRESS);
    assert_int_equal(receive_page(pair, SECRET_BASE, 0), SEV_INVALID_LENGTH);
    assert_int_equal(receive_page(pair, SECRET_BASE, 0x5010), SEV_INVALID_LENGTH);
    assert_int_equal(receive_page(pair, SECRET_BASE, PAGE), SEV_SUCCESS);
    check_page(there, SECRET_BASE, ASID_THERE, pair->here->firmware, true);
}

/* A packet for one receiver is nothing to another guest, and no secret packet. */
static void test_packet_of_another(void **state)
{
    struct pair *pair = *state;
    run_guest(pair->here, 0);
    assert_int_equal(send_start_to(pair), SEV_SUCCESS);
    assert_int_equal(send_page(pair, FIRMWARE_BASE, PAGE), SEV_SUCCESS);
    assert_int_equal(on_handle(pair->here, SEV_SEND_CANCEL, pair->here->handle), SEV_SUCCESS);
    assert_int_equal(send_start_to(pair), SEV_SUCCESS);
    assert_int_equal(receive_start_from(pair, 0), SEV_SUCCESS);
    assert_int_equal(activate(pair->there, pair->there->handle, ASID_THERE), SEV_SUCCESS);
    assert_int_equal(receive_page(pair, SECRET_BASE, PAGE), SEV_BAD_MEASUREMENT);
    expect(pair->there, SEV_PDH_GEN, NULL, SEV_SUCCESS); /* the session was for the former key */
    assert_int_equal(receive_start_from(pair, 0), SEV_BAD_MEASUREMENT);
}

/* ---- policies ---- */

static void test_nosend(void **state)
{
    struct pair *pair = *state;
    run_guest(pair->here, SEV_POLICY_NOSEND);
    assert_int_equal(send_start_to(pair), SEV_POLICY_FAILURE);
    assert_int_equal(guest_state_of(pair->here, pair->here->handle), SEV_GUEST_RUNNING);
}

static void make_oca(EVP_PKEY *key, uint8_t bytes[SEV_CERT_SIZE])
{
    struct sev_certificate oca = { .usage = SEV_USAGE_OCA, .algorithm = SEV_ALGO_ECDSA_SHA256,
                                   .curve = SEV_CURVE_P384 };
    assert_true(owner_key_point(key, oca.x, oca.y));
    sev_signature_clear(&oca.signature[0]);
    sev_signature_clear(&oca.signature[1]);
    assert_true(owner_certificate_sign(key, SEV_USAGE_OCA, &oca, 0));
    sev_certificate_encode(&oca, bytes);
}

static void adopt(struct rig *rig, EVP_PKEY *key, uint8_t oca[SEV_CERT_SIZE])
{
    uint8_t pek[SEV_CERT_SIZE];
    struct sev_certificate request;
    struct sev_pek_csr csr = { .csr_paddr = chip_map(rig->chip, pek, sizeof(pek)),
                               .csr_len = sizeof(pek) };
    expect(rig, SEV_PEK_CSR, &csr, SEV_SUCCESS);
    assert_null(sev_certificate_decode(pek, SEV_CERT_SIZE, &request));
    assert_true(owner_certificate_sign(key, SEV_USAGE_OCA, &request, 0));
    sev_certificate_encode(&request, pek);
    struct sev_pek_cert_import import = { .pek_paddr = csr.csr_paddr, .pek_len = SEV_CERT_SIZE,
                                          .oca_paddr = chip_map(rig->chip, oca, SEV_CERT_SIZE),
                                          .oca_len = SEV_CERT_SIZE };
    expect(rig, SEV_PEK_CERT_IMPORT, &import, SEV_SUCCESS);
    chip_unmap(rig->chip, import.pek_paddr);
    chip_unmap(rig->chip, import.oca_paddr);
}

static void test_domain(void **state)
{
    struct pair *pair = *state;
    EVP_PKEY *key = EVP_EC_gen("P-384");
    uint8_t oca[SEV_CERT_SIZE];
    make_oca(key, oca);
    adopt(pair->here, key, oca);
    run_guest(pair->here, SEV_POLICY_DOMAIN);
    struct sev_send_start command = start_command(pair);
    expect(pair->here, SEV_SEND_START, &command, SEV_POLICY_FAILURE); /* its own owner */
    command.plat_certs_len--;
    expect(pair->here, SEV_SEND_START, &command, SEV_INVALID_LENGTH);
    command.plat_certs_len++;
    adopt(pair->there, key, oca);
    EVP_PKEY_free(key);
    export_certificates(pair->there, &pair->there_certs);
    static const struct {
        size_t at; /* in PDH (first), PEK, OCA */
        uint16_t status;
    } faults[] = {
        { 0x41C, SEV_BAD_SIGNATURE },       /* PEK's signature of the PDH */
        { 0x824 + 8, SEV_INVALID_CERTIFICATE },
        { 0x824 + 0x41C, SEV_BAD_SIGNATURE }, /* OCA's signature of the PEK */
        { 2 * 0x824 + 8, SEV_INVALID_CERTIFICATE },
        { 2 * 0x824 + 0x41C, SEV_BAD_SIGNATURE },
        { 2 * 0x824 + 0x800, SEV_POLICY_FAILURE }, /* in the empty slot: not the same certificate */
    };
    uint8_t *certs = pair->there_certs.pdh; /* PDH, then the chain */
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        certs[faults[i].at] ^= 1;
        expect(pair->here, SEV_SEND_START, &command, faults[i].status);
        certs[faults[i].at] ^= 1;
    }
    expect(pair->here, SEV_SEND_START, &command, SEV_SUCCESS);
}

/* The sender is told of the receiver's emulated AMD; the receiver's CEK comes with its signature. */
static void know_root(struct pair *pair)
{
    struct chip_failure failure;
    assert_true(chip_root_certificates(pair->there->chip, &pair->root, &failure));
    close_chip(pair->here);
    pair->here->peer_ark = pair->root.ark;
    open_chip(pair->here);
    init(pair->here);
    memcpy(pair->there_certs.chain + 2 * SEV_CERT_SIZE, pair->root.cek, SEV_CERT_SIZE);
}

static void test_genuine(void **state)
{
    struct pair *pair = *state;
    const uint32_t policy = SEV_POLICY_SEV | 0x18000000; /* API 0.24 */
    run_guest(pair->here, policy);
    assert_int_equal(send_start_to(pair), SEV_INVALID_CERTIFICATE); /* no AMD certificates */
    know_root(pair);
    run_guest(pair->here, policy);
    struct sev_send_start command = start_command(pair);
    static const struct {
        int part; /* PDH, PEK, OCA, CEK; ASK, ARK */
        size_t at;
        uint16_t status;
    } faults[] = {
        { 0, 0x41C, SEV_BAD_SIGNATURE },   { 1, 0x624, SEV_BAD_SIGNATURE },
        { 3, 0x41C, SEV_BAD_SIGNATURE },   { 3, 0x418, SEV_BAD_SIGNATURE },
        { 3, 0x008, SEV_INVALID_CERTIFICATE }, { 4, 0x000, SEV_INVALID_CERTIFICATE },
        { 4, 0x014, SEV_INVALID_CERTIFICATE }, /* signed by another ARK */
        { 4, 0x024, SEV_INVALID_CERTIFICATE }, { 4, 0x03C, SEV_INVALID_CERTIFICATE },
        { 4, 0x640 - 10, SEV_BAD_SIGNATURE }, { 4, 0x300, SEV_BAD_SIGNATURE },
        { 5, 0x024, SEV_INVALID_CERTIFICATE }, { 5, 0x300, SEV_INVALID_CERTIFICATE },
        { 5, 0x640 - 10, SEV_BAD_SIGNATURE },
    };
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        uint8_t *parts[] = { pair->there_certs.pdh, pair->there_certs.chain,
                             pair->there_certs.chain + SEV_CERT_SIZE,
                             pair->there_certs.chain + 2 * SEV_CERT_SIZE, pair->root.ask,
                             pair->root.ark };
        uint8_t known[SEV_AMD_CERT_MAX];
        memcpy(known, pair->root.ark, sizeof(known));
        pair->here->chip->config.peer_ark = known;
        parts[faults[i].part][faults[i].at] ^= 1;
        expect(pair->here, SEV_SEND_START, &command, faults[i].status);
        parts[faults[i].part][faults[i].at] ^= 1;
        pair->here->chip->config.peer_ark = pair->root.ark;
    }
    command.amd_certs_len = SEV_AMD_CERT_MAX;
    expect(pair->here, SEV_SEND_START, &command, SEV_INVALID_LENGTH);
    command.amd_certs_len = 0x980; /* one of the sizes, but not these certificates' */
    expect(pair->here, SEV_SEND_START, &command, SEV_INVALID_CERTIFICATE);
    command.amd_certs_len = 2 * SEV_AMD_CERT_MAX;
    command.plat_certs_len = 0;
    expect(pair->here, SEV_SEND_START, &command, SEV_INVALID_LENGTH);
    command.plat_certs_len = SEV_CHAIN_SIZE;
    expect(pair->here, SEV_SEND_START, &command, SEV_SUCCESS);
}

/* The receiver's PEK is of an API older than the policy asks for. */
static void test_old_receiver(void **state)
{
    struct pair *pair = *state;
    know_root(pair);
    run_guest(pair->here, SEV_POLICY_SEV | 0x19000000); /* API 0.25, no session: not checked */
    assert_int_equal(send_start_to(pair), SEV_POLICY_FAILURE);
}

static void test_genuine_migration(void **state)
{
    struct pair *pair = *state;
    know_root(pair);
    migrate(pair, SEV_POLICY_SEV);
    check_page(pair->there, FIRMWARE_BASE, ASID_THERE, pair->here->firmware, true);
}

/* ---- COPY ---- */

static uint16_t copy_pages(struct rig *rig, uint64_t from, uint64_t to, uint32_t length)
{
    struct sev_copy command = { .handle = rig->handle, .length = length, .src_paddr = from,
                                .dst_paddr = to };
    return chip_command(rig->chip, SEV_COPY, &command);
}

static void test_copy(void **state)
{
    struct pair *pair = *state;
    struct rig *rig = pair->here;
    run_guest(rig, SEV_POLICY_NODBG);
    assert_int_equal(copy_pages(rig, FIRMWARE_BASE, SECRET_BASE, 2 * PAGE), SEV_SUCCESS);
    check_page(rig, SECRET_BASE, ASID, rig->firmware, true);
    check_page(rig, SECRET_BASE + PAGE, ASID, rig->firmware + PAGE, true);
    check_page(rig, FIRMWARE_BASE, ASID, rig->firmware, true);
    check_page(rig, SECRET_BASE, MEMORY_RAW, rig->firmware, false);
    assert_int_equal(copy_pages(rig, FIRMWARE_BASE + 16, SECRET_BASE, PAGE), SEV_INVALID_ADDRESS);
    assert_int_equal(copy_pages(rig, FIRMWARE_BASE, SECRET_BASE + 16, PAGE), SEV_INVALID_ADDRESS);
    assert_int_equal(copy_pages(rig, FIRMWARE_BASE, SECRET_BASE, 0), SEV_INVALID_LENGTH);
    assert_int_equal(copy_pages(rig, FIRMWARE_BASE, SECRET_BASE, PAGE + 16), SEV_INVALID_LENGTH);
    assert_int_equal(copy_pages(rig, 0x1FF000, SECRET_BASE, 2 * PAGE), SEV_INVALID_ADDRESS);
    assert_int_equal(copy_pages(rig, FIRMWARE_BASE, 0x1FF000, 2 * PAGE), SEV_INVALID_ADDRESS);
    assert_int_equal(copy_pages(rig, CHIP_HOST_WINDOW, SECRET_BASE, PAGE), SEV_INVALID_ADDRESS);
    assert_int_equal(copy_pages(rig, FIRMWARE_BASE, FIRMWARE_BASE + PAGE, 2 * PAGE), SEV_SUCCESS);
    check_page(rig, FIRMWARE_BASE + PAGE, ASID, rig->firmware + PAGE, true); /* untouched */
    assert_int_equal(on_handle(rig, SEV_DEACTIVATE, rig->handle), SEV_SUCCESS);
    assert_int_equal(copy_pages(rig, FIRMWARE_BASE, SECRET_BASE, PAGE), SEV_INACTIVE);
    rig->handle = 99;
    assert_int_equal(copy_pages(rig, FIRMWARE_BASE, SECRET_BASE, PAGE), SEV_INVALID_GUEST);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_pair, teardown_pair)
    const struct CMUnitTest tests[] = {
        TEST(test_migration),
        TEST(test_es_migration),
        TEST(test_es_refused),
        TEST(test_cancel),
        TEST(test_packet_values),
        TEST(test_states),
        TEST(test_start_fields),
        TEST(test_send_fields),
        TEST(test_tampering),
        TEST(test_packet_of_another),
        TEST(test_nosend),
        TEST(test_domain),
        TEST(test_genuine),
        TEST(test_old_receiver),
        TEST(test_genuine_migration),
        TEST(test_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
