/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The Secure Processor through its door: states, errors, and whole launches against the guest
 * owner's library, which shares no code with the chip but the layouts.
 */
#include "tests/unit/chip_rig.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "owner/certs.h"
#include "owner/measure.h"
#include "owner/report.h"

static void test_kdf_values(void **state)
{
    uint8_t secret[48], nonce[16], master[16], key[16];
    fill_up(secret, sizeof(secret), 0);
    fill_up(nonce, sizeof(nonce), 0xA0);
    kdf(secret, 48, SEV_LABEL_MASTER, nonce, 16, master, 16);
    assert_hex(master, "4039d2f8212ac953f32d1386f0f6cc7c");
    kdf(master, 16, SEV_LABEL_KEK, NULL, 0, key, 16);
    assert_hex(key, "2c229c5221c46911f44e7a572661e755");
    kdf(master, 16, SEV_LABEL_KIK, NULL, 0, key, 16);
    assert_hex(key, "76d204e620f1d36209e11640cdc6284a");
}

static void test_platform_states(void **state)
{
    struct rig *rig = *state;
    struct sev_init good = { 0 }, flags = { .flags = 2 }, reserved = { .reserved = 1 };
    struct sev_platform_status status;
    assert_int_equal(platform_state_of(rig), SEV_PLATFORM_UNINIT);
    expect(rig, SEV_INIT, &flags, SEV_INVALID_CONFIG);
    expect(rig, SEV_INIT, &reserved, SEV_INVALID_CONFIG);
    expect(rig, SEV_PDH_GEN, NULL, SEV_INVALID_PLATFORM_STATE);
    expect(rig, SEV_INIT, &good, SEV_SUCCESS);
    expect(rig, SEV_INIT, &good, SEV_INVALID_PLATFORM_STATE);
    expect(rig, SEV_PLATFORM_RESET, NULL, SEV_INVALID_PLATFORM_STATE);
    expect(rig, SEV_PLATFORM_STATUS, &status, SEV_SUCCESS);
    assert_int_equal(status.state, SEV_PLATFORM_INIT);
    assert_int_equal(status.api_minor, 24);
    assert_int_equal(status.build, 15);
    assert_int_equal(status.owner, 0);
    expect(rig, SEV_DF_FLUSH, NULL, SEV_WBINVD_REQUIRED);
    chip_note_wbinvd(rig->chip);
    expect(rig, SEV_DF_FLUSH, NULL, SEV_SUCCESS);
    expect(rig, SEV_SHUTDOWN, NULL, SEV_SUCCESS);
    assert_int_equal(platform_state_of(rig), SEV_PLATFORM_UNINIT);
    expect(rig, SEV_INIT, &good, SEV_SUCCESS);
    expect(rig, SEV_DF_FLUSH, NULL, SEV_WBINVD_REQUIRED); /* the one before INIT is forgotten */
}

static void test_unknown_commands(void **state)
{
    struct rig *rig = *state;
    uint8_t buffer[128] = { 0 };
    static const unsigned unknown[] = { 0, 0x010, 0x026, 0x037, 0x072, 0x081, 0xFFFF, 0x80000004 };
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
        expect(rig, unknown[i], buffer, SEV_INVALID_COMMAND);
    expect(rig, SEV_PLATFORM_STATUS, NULL, SEV_INVALID_ADDRESS);
}

static void test_guest_states(void **state)
{
    struct rig *rig = *state;
    uint8_t blob[48];
    expect(rig, SEV_ACTIVATE, blob, SEV_INVALID_PLATFORM_STATE);
    init(rig);
    rig->handle = launch_start_plain(rig, 0);
    assert_int_equal(platform_state_of(rig), SEV_PLATFORM_WORKING);
    assert_int_equal(guest_state_of(rig, rig->handle), SEV_GUEST_LUPDATE);
    assert_int_equal(guest_state_of(rig, 12345), SEV_GUEST_UNINIT);
    assert_int_equal(update(rig, FIRMWARE_BASE, 16), SEV_INACTIVE);
    assert_int_equal(activate(rig, 99, ASID), SEV_INVALID_GUEST);
    assert_int_equal(activate(rig, rig->handle, 0), SEV_INVALID_ASID);
    assert_int_equal(activate(rig, rig->handle, 4), SEV_INVALID_ASID); /* for SEV-ES guests */
    assert_int_equal(activate(rig, rig->handle, 510), SEV_INVALID_ASID);
    assert_int_equal(activate(rig, rig->handle, UINT32_MAX), SEV_INVALID_ASID);
    assert_int_equal(on_handle(rig, SEV_DEACTIVATE, rig->handle), SEV_INACTIVE);
    assert_int_equal(activate(rig, rig->handle, ASID), SEV_SUCCESS);
    assert_int_equal(activate(rig, rig->handle, ASID + 1), SEV_ACTIVE);
    assert_int_equal(update(rig, FIRMWARE_BASE + 8, 16), SEV_INVALID_ADDRESS);
    assert_int_equal(update(rig, FIRMWARE_BASE, 0), SEV_INVALID_LENGTH);
    assert_int_equal(update(rig, FIRMWARE_BASE, 17), SEV_INVALID_LENGTH);
    assert_int_equal(update(rig, 0x200000, 16), SEV_INVALID_ADDRESS);
    assert_int_equal(update(rig, CHIP_HOST_WINDOW, 16), SEV_INVALID_ADDRESS);
    assert_int_equal(on_handle(rig, SEV_LAUNCH_FINISH, rig->handle), SEV_INVALID_GUEST_STATE);
    assert_int_equal(update(rig, FIRMWARE_BASE, 16), SEV_SUCCESS);
    assert_int_equal(measure(rig, blob), SEV_SUCCESS);
    assert_int_equal(guest_state_of(rig, rig->handle), SEV_GUEST_LSECRET);
    assert_int_equal(measure(rig, blob), SEV_INVALID_GUEST_STATE);
    assert_int_equal(update(rig, FIRMWARE_BASE, 16), SEV_INVALID_GUEST_STATE);
    assert_int_equal(on_handle(rig, SEV_LAUNCH_FINISH, rig->handle), SEV_SUCCESS);
    assert_int_equal(guest_state_of(rig, rig->handle), SEV_GUEST_RUNNING);
    assert_int_equal(on_handle(rig, SEV_DECOMMISSION, rig->handle), SEV_ACTIVE);
    assert_int_equal(on_handle(rig, SEV_DEACTIVATE, rig->handle), SEV_SUCCESS);
    assert_int_equal(activate(rig, rig->handle, ASID), SEV_DF_FLUSH_REQUIRED);
    expect(rig, SEV_DF_FLUSH, NULL, SEV_WBINVD_REQUIRED);
    chip_note_wbinvd(rig->chip);
    expect(rig, SEV_DF_FLUSH, NULL, SEV_SUCCESS);
    assert_int_equal(activate(rig, rig->handle, ASID), SEV_SUCCESS);
    assert_int_equal(on_handle(rig, SEV_DEACTIVATE, rig->handle), SEV_SUCCESS);
    assert_int_equal(on_handle(rig, SEV_DECOMMISSION, rig->handle), SEV_SUCCESS);
    assert_int_equal(platform_state_of(rig), SEV_PLATFORM_INIT);
    assert_int_equal(on_handle(rig, SEV_DECOMMISSION, rig->handle), SEV_INVALID_PLATFORM_STATE);
}

static void test_length_write_back(void **state)
{
    struct rig *rig = *state;
    struct sev_pdh_cert_export export = { 0 };
    struct sev_get_id id = { 0 };
    struct sev_pek_csr csr = { 0 };
    struct sev_launch_measure query = { 0 };
    init(rig);
    expect(rig, SEV_PDH_CERT_EXPORT, &export, SEV_INVALID_LENGTH);
    assert_int_equal(export.pdh_len, 0x824);
    assert_int_equal(export.certs_len, 0x186C);
    export.pdh_paddr = export.certs_paddr = CHIP_HOST_WINDOW; /* nothing is mapped there */
    expect(rig, SEV_PDH_CERT_EXPORT, &export, SEV_INVALID_ADDRESS);
    expect(rig, SEV_GET_ID, &id, SEV_INVALID_LENGTH);
    assert_int_equal(id.id_len, 0x40);
    expect(rig, SEV_PEK_CSR, &csr, SEV_INVALID_LENGTH);
    assert_int_equal(csr.csr_len, 0x824);
    query.handle = launch_start_plain(rig, 0);
    expect(rig, SEV_LAUNCH_MEASURE, &query, SEV_INVALID_LENGTH);
    assert_int_equal(query.measure_len, 0x30);
    assert_int_equal(guest_state_of(rig, query.handle), SEV_GUEST_LUPDATE);
}

static void test_many_guests(void **state)
{
    struct rig *rig = *state;
    struct sev_launch_start start = { .policy = 0 };
    uint32_t first = 0;
    unsigned count = 0;
    init(rig);
    for (;; count++) {
        start.handle = 0;
        uint16_t status = chip_command(rig->chip, SEV_LAUNCH_START, &start);
        if (status == SEV_RESOURCE_LIMIT)
            break;
        assert_int_equal(status, SEV_SUCCESS);
        assert_true(count < 5000);
        if (!first)
            first = start.handle;
    }
    assert_true(count >= 16);
    assert_int_equal(on_handle(rig, SEV_DECOMMISSION, first), SEV_SUCCESS);
    start.handle = 0;
    expect(rig, SEV_LAUNCH_START, &start, SEV_SUCCESS);
    assert_int_equal(activate(rig, start.handle, ASID), SEV_SUCCESS);
    assert_int_equal(activate(rig, first % 2 ? 2 : 1, ASID),
                     start.handle == (first % 2 ? 2u : 1u) ? SEV_ACTIVE : SEV_ASID_OWNED);
    expect(rig, SEV_SHUTDOWN, NULL, SEV_SUCCESS);
    init(rig);
    assert_int_equal(guest_state_of(rig, start.handle), SEV_GUEST_UNINIT);
}

static void test_key_sharing(void **state)
{
    struct rig *rig = *state;
    init(rig);
    uint32_t open = launch_start_plain(rig, 0), closed = launch_start_plain(rig, 2);
    struct sev_launch_start share = { .handle = open, .policy = 0 };
    struct sev_launch_start other = { .handle = open, .policy = 1 };
    struct sev_launch_start forbidden = { .handle = closed, .policy = 2 };
    struct sev_launch_start absent = { .handle = 60, .policy = 0 };
    struct sev_launch_start es = { .policy = 4 };
    expect(rig, SEV_LAUNCH_START, &share, SEV_SUCCESS);
    expect(rig, SEV_LAUNCH_START, &other, SEV_POLICY_FAILURE);
    expect(rig, SEV_LAUNCH_START, &forbidden, SEV_POLICY_FAILURE);
    expect(rig, SEV_LAUNCH_START, &absent, SEV_INVALID_GUEST);
    expect(rig, SEV_LAUNCH_START, &es, SEV_UNSUPPORTED);
}

/* ---- certificates ---- */

static void verify_export(const struct export *export, struct owner_chain_verdict *verdict)
{
    struct owner_chain chain = { 0 };
    assert_null(owner_chain_add(&chain, export->pdh, sizeof(export->pdh)));
    assert_null(owner_chain_add(&chain, export->chain, sizeof(export->chain)));
    owner_chain_verify(&chain, verdict);
}

static void test_own_chain(void **state)
{
    struct rig *rig = *state;
    struct export export;
    struct owner_chain_verdict verdict;
    init(rig);
    export_certificates(rig, &export);
    verify_export(&export, &verdict);
    assert_int_equal(verdict.link[OWNER_PEK_PDH], OWNER_LINK_GOOD);
    assert_int_equal(verdict.link[OWNER_OCA_PEK], OWNER_LINK_GOOD);
    assert_int_equal(verdict.link[OWNER_OCA_SELF], OWNER_LINK_GOOD);
    assert_int_equal(verdict.link[OWNER_CEK_PEK], OWNER_LINK_GOOD);
    assert_int_equal(verdict.link[OWNER_ASK_CEK], OWNER_LINK_ABSENT);
}

static void test_own_root(void **state)
{
    struct rig *rig = *state;
    struct chip_root root, again;
    struct owner_chain chain = { 0 };
    struct owner_chain_verdict verdict;
    struct export export;
    struct chip_failure failure;
    init(rig);
    export_certificates(rig, &export);
    assert_true(chip_root_certificates(rig->chip, &root, &failure));
    assert_true(chip_root_certificates(rig->chip, &again, &failure));
    assert_memory_equal(&root, &again, sizeof(root));
    assert_null(owner_chain_add(&chain, export.pdh, sizeof(export.pdh)));
    assert_null(owner_chain_add(&chain, export.chain, 2 * SEV_CERT_SIZE));
    assert_null(owner_chain_add(&chain, (const uint8_t *)&root, sizeof(root)));
    owner_chain_verify(&chain, &verdict);
    for (int i = 0; i < OWNER_LINKS; i++)
        assert_int_equal(verdict.link[i], OWNER_LINK_GOOD);
    assert_null(verdict.product); /* an emulated root must never pass for AMD's */
}

static void test_renewal(void **state)
{
    struct rig *rig = *state;
    struct export first, second;
    struct owner_chain_verdict verdict;
    uint8_t id[CHIP_ID_SIZE], same[CHIP_ID_SIZE];
    chip_identity(rig->chip, id);
    init(rig);
    export_certificates(rig, &first);
    expect(rig, SEV_PDH_GEN, NULL, SEV_SUCCESS);
    export_certificates(rig, &second);
    assert_memory_not_equal(first.pdh, second.pdh, SEV_CERT_SIZE);
    assert_memory_equal(first.chain, second.chain, SEV_CHAIN_SIZE);
    close_chip(rig); /* what was made survives power-off */
    open_chip(rig);
    init(rig);
    export_certificates(rig, &first);
    assert_memory_equal(&first, &second, sizeof(first));
    expect(rig, SEV_PEK_GEN, NULL, SEV_SUCCESS);
    export_certificates(rig, &second);
    assert_memory_not_equal(first.chain, second.chain, SEV_CERT_SIZE);
    expect(rig, SEV_SHUTDOWN, NULL, SEV_SUCCESS);
    expect(rig, SEV_PLATFORM_RESET, NULL, SEV_SUCCESS);
    init(rig);
    export_certificates(rig, &first);
    assert_memory_not_equal(first.pdh, second.pdh, SEV_CERT_SIZE);
    verify_export(&first, &verdict);
    assert_int_equal(verdict.link[OWNER_PEK_PDH], OWNER_LINK_GOOD);
    chip_identity(rig->chip, same);
    assert_memory_equal(id, same, sizeof(id));
}

/* ---- launches with the owner ---- */

static struct owner_guest expected_guest(const struct rig *rig, uint32_t policy)
{
    return (struct owner_guest){
        .firmware = { rig->firmware, sizeof(rig->firmware) },
        .policy = policy,
        .api_minor = 24,
        .build = 15,
    };
}

static void test_session_errors(void **state)
{
    struct rig *rig = *state;
    static struct owner_session session;
    init(rig);
    make_session(rig, 1, &session);
    struct sev_launch_start start = {
        .policy = 1,
        .dh_cert_paddr = chip_map(rig->chip, session.certificate, SEV_CERT_SIZE),
        .dh_cert_len = SEV_CERT_SIZE - 1,
        .session_paddr = chip_map(rig->chip, &session.session, SEV_SESSION_SIZE),
        .session_len = SEV_SESSION_SIZE,
    };
    expect(rig, SEV_LAUNCH_START, &start, SEV_INVALID_LENGTH);
    start.dh_cert_len = SEV_CERT_SIZE;
    start.session_len = 0;
    expect(rig, SEV_LAUNCH_START, &start, SEV_INVALID_LENGTH);
    start.session_len = SEV_SESSION_SIZE;
    start.session_paddr += 16;
    expect(rig, SEV_LAUNCH_START, &start, SEV_INVALID_ADDRESS);
    assert_int_equal(start_with(rig, &session, 3), SEV_BAD_MEASUREMENT); /* another policy */
    session.session.wrap_tk[0] ^= 1;
    assert_int_equal(start_with(rig, &session, 1), SEV_BAD_MEASUREMENT);
    session.session.wrap_tk[0] ^= 1;
    session.certificate[0x14] ^= 1;
    assert_int_equal(start_with(rig, &session, 1), SEV_INVALID_CERTIFICATE);
    session.certificate[0x14] ^= 1;
    session.certificate[0x420] ^= 1; /* the signature is not looked at */
    assert_int_equal(start_with(rig, &session, 1), SEV_SUCCESS);
    make_session(rig, 0x19000001, &session); /* API 0.25 */
    assert_int_equal(start_with(rig, &session, 0x19000001), SEV_POLICY_FAILURE);
    make_session(rig, 0x00000041, &session); /* reserved bit */
    assert_int_equal(start_with(rig, &session, 0x00000041), SEV_POLICY_FAILURE);
    expect(rig, SEV_PDH_GEN, NULL, SEV_SUCCESS); /* a session for the former PDH */
    assert_int_equal(start_with(rig, &session, 0x00000041), SEV_BAD_MEASUREMENT);
}

static uint16_t inject(struct rig *rig, struct sev_packet_header *header, uint8_t *data,
                       uint32_t size)
{
    struct sev_launch_secret command = {
        .handle = rig->handle,
        .hdr_paddr = chip_map(rig->chip, header, sizeof(*header)),
        .hdr_len = sizeof(*header),
        .guest_paddr = SECRET_BASE,
        .guest_len = size,
        .trans_paddr = chip_map(rig->chip, data, size),
        .trans_len = size,
    };
    uint16_t status = chip_command(rig->chip, SEV_LAUNCH_SECRET, &command);
    chip_unmap(rig->chip, command.hdr_paddr);
    chip_unmap(rig->chip, command.trans_paddr);
    return status;
}

static void test_owner_launch(void **state)
{
    struct rig *rig = *state;
    static struct owner_session session;
    struct owner_guest guest = expected_guest(rig, 1);
    uint8_t blob[48], secret[64], data[64], seen[64], iv[16] = { 9 };
    struct sev_packet_header header;
    init(rig);
    make_session(rig, 1, &session);
    assert_int_equal(start_with(rig, &session, 1), SEV_SUCCESS);
    assert_int_equal(activate(rig, rig->handle, ASID), SEV_SUCCESS);
    assert_int_equal(update(rig, FIRMWARE_BASE, 0x1010), SEV_SUCCESS);
    assert_int_equal(update(rig, FIRMWARE_BASE + 0x1010, FIRMWARE_SIZE - 0x1010), SEV_SUCCESS);
    assert_int_equal(measure(rig, blob), SEV_SUCCESS);
    assert_true(owner_verify(&guest, session.keys.tik, blob));
    guest.build = 16;
    assert_false(owner_verify(&guest, session.keys.tik, blob));

    fill_up(secret, sizeof(secret), 0x60);
    assert_true(owner_secret_seal(&session.keys, iv, secret, sizeof(secret), blob, &header, data));
    data[5] ^= 1;
    assert_int_equal(inject(rig, &header, data, sizeof(data)), SEV_BAD_MEASUREMENT);
    data[5] ^= 1;
    assert_int_equal(inject(rig, &header, data, 0), SEV_INVALID_LENGTH);
    assert_int_equal(inject(rig, &header, data, sizeof(data)), SEV_SUCCESS);
    assert_int_equal(memory_read(rig->memory, SECRET_BASE, seen, sizeof(seen), ASID), 0);
    assert_memory_equal(seen, secret, sizeof(secret));
    assert_int_equal(memory_read(rig->memory, SECRET_BASE, seen, sizeof(seen), MEMORY_RAW), 0);
    assert_memory_not_equal(seen, secret, sizeof(secret));
    assert_true(has_transport_keys(rig, rig->handle));
    assert_int_equal(on_handle(rig, SEV_LAUNCH_FINISH, rig->handle), SEV_SUCCESS);
    assert_false(has_transport_keys(rig, rig->handle));
    assert_int_equal(inject(rig, &header, data, sizeof(data)), SEV_INVALID_GUEST_STATE);

    uint8_t page[4096];
    assert_int_equal(memory_read(rig->memory, FIRMWARE_BASE, page, sizeof(page), ASID), 0);
    assert_memory_equal(page, rig->firmware, sizeof(page));
    assert_int_equal(memory_read(rig->memory, FIRMWARE_BASE, page, sizeof(page), MEMORY_RAW), 0);
    assert_memory_not_equal(page, rig->firmware, 16);
}

/* Of an ended guest not a byte is left. */
static void test_nothing_left(void **state)
{
    static const struct chip_guest nothing;
    struct rig *rig = *state;
    static struct owner_session session;
    init(rig);
    make_session(rig, 1, &session);
    assert_int_equal(start_with(rig, &session, 1), SEV_SUCCESS);
    const struct chip_guest *guest = &rig->chip->guests[rig->handle - 1];
    assert_memory_not_equal(guest, &nothing, sizeof(nothing));
    assert_int_equal(on_handle(rig, SEV_DECOMMISSION, rig->handle), SEV_SUCCESS);
    assert_memory_equal(guest, &nothing, sizeof(nothing));
    assert_int_equal(start_with(rig, &session, 1), SEV_SUCCESS);
    expect(rig, SEV_SHUTDOWN, NULL, SEV_SUCCESS);
    assert_memory_equal(guest, &nothing, sizeof(nothing));
}

/* Before API 0.17 neither the measurement nor a secret is bound to what came after. */
static void test_old_api(void **state)
{
    struct rig *rig = *state;
    static struct owner_session session;
    struct owner_guest guest = expected_guest(rig, 1);
    uint8_t blob[48], secret[16] = { 1 }, data[16], iv[16] = { 2 };
    struct sev_packet_header header;
    rig->chip->config.api_minor = guest.api_minor = 16;
    init(rig);
    make_session(rig, 1, &session);
    assert_int_equal(start_with(rig, &session, 1), SEV_SUCCESS);
    assert_int_equal(activate(rig, rig->handle, ASID), SEV_SUCCESS);
    assert_int_equal(update(rig, FIRMWARE_BASE, FIRMWARE_SIZE), SEV_SUCCESS);
    assert_int_equal(measure(rig, blob), SEV_SUCCESS);
    assert_true(owner_verify(&guest, session.keys.tik, blob));
    guest.api_minor = 17;
    assert_false(owner_verify(&guest, session.keys.tik, blob));
    assert_true(owner_secret_seal(&session.keys, iv, secret, sizeof(secret), blob, &header, data));
    assert_int_equal(inject(rig, &header, data, sizeof(data)), SEV_BAD_MEASUREMENT);
    assert_true(owner_secret_seal(&session.keys, iv, secret, sizeof(secret), NULL, &header, data));
    assert_int_equal(inject(rig, &header, data, sizeof(data)), SEV_SUCCESS);
}

static void test_launch_without_session(void **state)
{
    struct rig *rig = *state;
    static const uint8_t no_key[16];
    struct owner_guest guest = expected_guest(rig, 0);
    uint8_t blob[48];
    init(rig);
    rig->handle = launch_start_plain(rig, 0);
    assert_int_equal(activate(rig, rig->handle, ASID), SEV_SUCCESS);
    assert_int_equal(update(rig, FIRMWARE_BASE, FIRMWARE_SIZE), SEV_SUCCESS);
    assert_int_equal(measure(rig, blob), SEV_SUCCESS);
    assert_true(owner_verify(&guest, no_key, blob));
}

static void launch_once(struct rig *rig, uint8_t blob[48], uint8_t cipher[64])
{
    init(rig);
    rig->handle = launch_start_plain(rig, 1);
    assert_int_equal(activate(rig, rig->handle, ASID), SEV_SUCCESS);
    assert_int_equal(update(rig, FIRMWARE_BASE, FIRMWARE_SIZE), SEV_SUCCESS);
    assert_int_equal(measure(rig, blob), SEV_SUCCESS);
    assert_int_equal(memory_read(rig->memory, FIRMWARE_BASE, cipher, 64, MEMORY_RAW), 0);
}

static void test_deterministic(void **state)
{
    struct rig *rig = *state;
    uint8_t blob[2][48], cipher[2][64];
    launch_once(rig, blob[0], cipher[0]);
    close_chip(rig);
    open_chip(rig);
    launch_once(rig, blob[1], cipher[1]);
    assert_memory_equal(blob[0], blob[1], 48);
    assert_memory_equal(cipher[0], cipher[1], 64);
    close_chip(rig); /* another input: everything random is another */
    rig->firmware[100] ^= 1;
    open_chip(rig);
    launch_once(rig, blob[1], cipher[1]);
    assert_memory_not_equal(blob[0] + 32, blob[1] + 32, 16);
    const struct chip_guest *guest = &rig->chip->guests[rig->handle - 1];
    assert_memory_not_equal(guest->memory_key, guest->offline_key, sizeof(guest->memory_key));
    assert_memory_not_equal(guest->memory_key, guest->offline_key + 16, 16);
}

static uint16_t debug(struct rig *rig, unsigned command, uint64_t source, uint64_t target,
                      uint32_t length)
{
    struct sev_dbg buffer = { .handle = rig->handle, .src_paddr = source, .dst_paddr = target,
                              .length = length };
    return chip_command(rig->chip, command, &buffer);
}

static void test_debug(void **state)
{
    struct rig *rig = *state;
    static uint8_t page[4096];
    init(rig);
    rig->handle = launch_start_plain(rig, 0);
    uint64_t window = chip_map(rig->chip, page, sizeof(page));
    assert_int_equal(debug(rig, SEV_DBG_DECRYPT, FIRMWARE_BASE, window, 16), SEV_INACTIVE);
    assert_int_equal(activate(rig, rig->handle, ASID), SEV_SUCCESS);
    assert_int_equal(update(rig, FIRMWARE_BASE, FIRMWARE_SIZE), SEV_SUCCESS);
    assert_int_equal(debug(rig, SEV_DBG_DECRYPT, FIRMWARE_BASE + 32, window, 4064), SEV_SUCCESS);
    assert_memory_equal(page, rig->firmware + 32, 4064);
    memset(page, 0xEE, sizeof(page));
    assert_int_equal(debug(rig, SEV_DBG_ENCRYPT, window, FIRMWARE_BASE, 64), SEV_SUCCESS);
    uint8_t seen[64];
    assert_int_equal(memory_read(rig->memory, FIRMWARE_BASE, seen, 64, ASID), 0);
    assert_memory_equal(seen, page, 64);
    assert_int_equal(debug(rig, SEV_DBG_DECRYPT, FIRMWARE_BASE + 8, window, 16),
                     SEV_INVALID_ADDRESS);
    assert_int_equal(debug(rig, SEV_DBG_DECRYPT, FIRMWARE_BASE, window, 8), SEV_INVALID_LENGTH);
    assert_int_equal(debug(rig, SEV_DBG_DECRYPT, FIRMWARE_BASE, window, 8192),
                     SEV_INVALID_ADDRESS); /* past the host's buffer */
    rig->handle = launch_start_plain(rig, 1);
    assert_int_equal(debug(rig, SEV_DBG_DECRYPT, FIRMWARE_BASE, window, 16), SEV_POLICY_FAILURE);
}

/* ---- attestation ---- */

static uint16_t attest(struct rig *rig, struct sev_attestation_report *report, uint32_t *length)
{
    struct sev_attestation command = { .handle = rig->handle, .length = *length,
                                       .paddr = chip_map(rig->chip, report, sizeof(*report)) };
    fill_up(command.mnonce, sizeof(command.mnonce), 0x30);
    uint16_t status = chip_command(rig->chip, SEV_ATTESTATION, &command);
    chip_unmap(rig->chip, command.paddr);
    *length = command.length;
    return status;
}

/* The report against the platform's certificates, by the owner's library. */
static bool report_is_good(struct rig *rig, const struct sev_attestation_report *bytes)
{
    struct export export;
    struct owner_chain chain = { 0 };
    struct owner_checks checks = { 0 };
    struct sev_report report;
    export_certificates(rig, &export);
    assert_null(owner_chain_add(&chain, export.chain, sizeof(export.chain)));
    assert_null(sev_report_decode((const uint8_t *)bytes, sizeof(*bytes), &report));
    owner_report_check_sev(&report, &chain, &checks);
    return checks.count && !owner_check_failed(&checks);
}

static void test_attestation(void **state)
{
    struct rig *rig = *state;
    struct owner_guest guest = expected_guest(rig, 1);
    struct sev_attestation_report report;
    uint8_t blob[48], digest[32];
    uint32_t length = 0;
    init(rig);
    rig->handle = launch_start_plain(rig, 1);
    assert_int_equal(activate(rig, rig->handle, ASID), SEV_SUCCESS);
    assert_int_equal(update(rig, FIRMWARE_BASE, FIRMWARE_SIZE), SEV_SUCCESS);
    assert_int_equal(attest(rig, &report, &length), SEV_INVALID_GUEST_STATE);
    assert_int_equal(measure(rig, blob), SEV_SUCCESS);
    assert_int_equal(attest(rig, &report, &length), SEV_INVALID_LENGTH);
    assert_int_equal(length, 0xD0);
    assert_int_equal(attest(rig, &report, &length), SEV_SUCCESS);
    assert_hex(report.mnonce, "303132333435363738393a3b3c3d3e3f");
    owner_launch_digest(&guest, digest);
    assert_memory_equal(report.digest, digest, 32);
    assert_hex(report.policy, "01000000021000000200000000000000"); /* and the signer: PEK */
    assert_true(report_is_good(rig, &report));
    report.policy[0] = 0;
    assert_false(report_is_good(rig, &report));
    assert_int_equal(on_handle(rig, SEV_LAUNCH_FINISH, rig->handle), SEV_SUCCESS);
    length = 0x1000; /* more room than needed */
    struct sev_attestation command = { .handle = rig->handle, .length = length, .paddr = 0x20000 };
    expect(rig, SEV_ATTESTATION, &command, SEV_SUCCESS);
    assert_int_equal(command.length, 0xD0);
    command.paddr = CHIP_HOST_WINDOW;
    expect(rig, SEV_ATTESTATION, &command, SEV_INVALID_ADDRESS);
    command.handle = 99;
    expect(rig, SEV_ATTESTATION, &command, SEV_INVALID_GUEST);
}

/* ---- the state folder ---- */

static void damage(const struct rig *rig, const char *name, off_t at)
{
    char path[128];
    uint8_t byte;
    snprintf(path, sizeof(path), "%s/%s", rig->folder, name);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

/* The line has the fact and the status, which programs get apart. */
static void check_failure(const struct chip_failure *failure, uint16_t status, const char *fact)
{
    assert_int_equal(failure->status, status);
    assert_non_null(strstr(failure->text, fact));
    assert_non_null(strstr(failure->text, sev_status_name(status)));
    assert_true(!failure->advice || strstr(failure->text, failure->advice));
    assert_null(strchr(failure->text, '\n'));
}

static void expect_refusal(struct rig *rig, uint16_t status, const char *fact)
{
    const struct chip_config config = { .state_folder = rig->folder, .api_minor = 24 };
    struct chip_failure failure = { .text = "" };
    assert_null(chip_open(&config, rig->memory, &failure));
    check_failure(&failure, status, fact);
}

static void test_damaged_state(void **state)
{
    static const off_t places[] = { 0, 8, 100, 3000, 6000 };
    struct rig *rig = *state;
    char path[128];
    struct stat status;
    chip_close(rig->chip);
    rig->chip = NULL;
    snprintf(path, sizeof(path), "%s/chip-state", rig->folder);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        damage(rig, "chip-state", places[i]);
        expect_refusal(rig, SEV_SECURE_DATA_INVALID, "damaged");
        damage(rig, "chip-state", places[i]);
    }
    assert_int_equal(truncate(path, status.st_size - 1), 0);
    expect_refusal(rig, SEV_SECURE_DATA_INVALID, "damaged");
    assert_int_equal(truncate(path, 0), 0);
    expect_refusal(rig, SEV_SECURE_DATA_INVALID, "damaged");
    struct stat after; /* and nobody wrote another in its place */
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(after.st_size, 0);
}

static void expect_bad_root(struct rig *rig)
{
    struct chip_root root;
    struct chip_failure failure = { .text = "" };
    assert_false(chip_root_certificates(rig->chip, &root, &failure));
    check_failure(&failure, SEV_SECURE_DATA_INVALID, "amd-root: chip state: damaged");
}

/* No byte of the root can change: keys, ids, signatures, not even the CEK's empty slot. */
static void test_damaged_root(void **state)
{
    static const off_t places[] = { 0x005, 0x008, 0x014, 0x41C, 0x620, 0x700,  /* CEK */
                                    0x828, 0x848, 0xA00, 0xE00,               /* ASK */
                                    0xE68, 0xE88, 0x1080, 0x14A3 };           /* ARK */
    struct rig *rig = *state;
    struct chip_root root, again;
    struct chip_failure failure;
    char path[128];
    struct stat status;
    assert_true(chip_root_certificates(rig->chip, &root, &failure));
    snprintf(path, sizeof(path), "%s/amd-root", rig->folder);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        damage(rig, "amd-root", places[i]);
        expect_bad_root(rig);
        damage(rig, "amd-root", places[i]);
    }
    assert_true(chip_root_certificates(rig->chip, &again, &failure));
    assert_memory_equal(&root, &again, sizeof(root)); /* and nobody made another meanwhile */
    snprintf(path, sizeof(path), "%s/chip-state", rig->folder);
    assert_int_equal(unlink(path), 0); /* a new chip beside the former one's root */
    close_chip(rig);
    open_chip(rig);
    expect_bad_root(rig);
}

static void test_other_version(void **state)
{
    struct rig *rig = *state;
    chip_close(rig->chip);
    rig->chip = NULL;
    damage(rig, "chip-state", 7); /* the version's digit */
    expect_refusal(rig, SEV_SECURE_DATA_INVALID, "another version");
}

static struct chip *open_again(const struct rig *rig, bool shared, struct chip_failure *failure)
{
    const struct chip_config config = { .state_folder = rig->folder, .api_minor = 24,
                                        .max_asid = 509, .min_plain_asid = 5, .shared = shared };
    return chip_open(&config, rig->memory, failure);
}

static void test_locked_folder(void **state)
{
    struct rig *rig = *state;
    struct sev_init init_buffer = { 0 };
    struct export before, after;
    struct chip_failure failure;
    init(rig);
    export_certificates(rig, &before);
    assert_null(open_again(rig, true, &failure));
    check_failure(&failure, SEV_HWERROR_PLATFORM, "another process uses this chip");
    chip_close(rig->chip);
    rig->chip = open_again(rig, true, &failure);
    struct chip *second = open_again(rig, true, &failure);
    assert_non_null(second); /* readers share it */
    assert_null(open_again(rig, false, &failure));
    assert_int_equal(chip_command(second, SEV_PLATFORM_RESET, NULL), SEV_HWERROR_PLATFORM);
    assert_int_equal(chip_command(second, SEV_INIT, &init_buffer), SEV_SUCCESS);
    assert_int_equal(chip_command(second, SEV_PDH_GEN, NULL), SEV_HWERROR_PLATFORM);
    assert_int_equal(chip_command(second, SEV_PEK_GEN, NULL), SEV_HWERROR_PLATFORM);
    chip_close(second);
    expect(rig, SEV_INIT, &init_buffer, SEV_SUCCESS);
    export_certificates(rig, &after);
    assert_memory_equal(&before, &after, sizeof(before));
}

/* The first to come makes the chip, even one that only reads. */
static void test_first_use_shared(void **state)
{
    struct rig *rig = *state;
    struct chip_root root;
    struct chip_failure failure;
    uint8_t id[CHIP_ID_SIZE], other[CHIP_ID_SIZE];
    chip_identity(rig->chip, id);
    chip_close(rig->chip);
    char path[128];
    snprintf(path, sizeof(path), "%s/chip-state", rig->folder);
    assert_int_equal(unlink(path), 0);
    rig->chip = open_again(rig, true, &failure);
    assert_non_null(rig->chip);
    struct chip *second = open_again(rig, true, &failure); /* the lock was taken for a moment only */
    assert_non_null(second);
    chip_close(second);
    chip_identity(rig->chip, other);
    assert_memory_not_equal(id, other, sizeof(id));
    assert_true(chip_root_certificates(rig->chip, &root, &failure));
    second = open_again(rig, true, &failure);
    assert_non_null(second);
    chip_close(second);
}

static void test_unusable_folder(void **state)
{
    struct rig *rig = *state;
    char path[128];
    struct chip_failure failure = { .text = "" };
    snprintf(path, sizeof(path), "%s/chip-state/below", rig->folder);
    const struct chip_config config = { .state_folder = path, .api_minor = 24 };
    assert_null(chip_open(&config, rig->memory, &failure));
    check_failure(&failure, SEV_HWERROR_PLATFORM, "Not a directory");
}

/* A state that cannot be read is none that is not there: nobody puts a new one in its place. */
static void test_unreadable_state(void **state)
{
    struct rig *rig = *state;
    char path[128], target[16];
    chip_close(rig->chip);
    rig->chip = NULL;
    snprintf(path, sizeof(path), "%s/chip-state", rig->folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("chip-state", path), 0);
    expect_refusal(rig, SEV_HWERROR_PLATFORM, "Too many levels of symbolic links");
    assert_int_equal(readlink(path, target, sizeof(target)), 10);
}

/* Commands with random buffers, in random order: no state is left that makes the chip fall over. */
static void test_random_commands(void **state)
{
    struct rig *rig = *state;
    static const uint16_t ids[] = { 1, 2, 4, 6, 8, 0xA, 0xC, 0x20, 0x21, 0x22, 0x23, 0x30, 0x31,
                                    0x33, 0x34, 0x35, 0x60, 0x61 };
    static uint8_t window_data[0x2000];
    uint64_t window = chip_map(rig->chip, window_data, sizeof(window_data));
    uint32_t seed = 12345;
    for (int i = 0; i < 20000; i++) {
        uint32_t words[16];
        for (int w = 0; w < 16; w++) {
            seed = seed * 1664525 + 1013904223;
            switch (seed >> 29) {
            case 0: case 1: words[w] = 0; break;
            case 2: words[w] = (uint32_t)window; break;
            case 3: words[w] = (uint32_t)(window >> 32); break;
            case 4: words[w] = seed >> 8 & 0xFFF0; break;
            case 5: words[w] = seed; break;
            default: words[w] = seed >> 16 & 7; break;
            }
        }
        seed = seed * 1664525 + 1013904223;
        chip_note_wbinvd(rig->chip);
        chip_command(rig->chip, ids[(seed >> 16) % (sizeof(ids) / sizeof(ids[0]))], words);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kdf_values),
        TEST(test_platform_states),
        TEST(test_unknown_commands),
        TEST(test_guest_states),
        TEST(test_length_write_back),
        TEST(test_many_guests),
        TEST(test_key_sharing),
        TEST(test_own_chain),
        TEST(test_own_root),
        TEST(test_renewal),
        TEST(test_session_errors),
        TEST(test_owner_launch),
        TEST(test_nothing_left),
        TEST(test_old_api),
        TEST(test_launch_without_session),
        TEST(test_deterministic),
        TEST(test_debug),
        TEST(test_attestation),
        TEST(test_damaged_state),
        TEST(test_damaged_root),
        TEST(test_other_version),
        TEST(test_locked_folder),
        TEST(test_first_use_shared),
        TEST(test_unusable_folder),
        TEST(test_unreadable_state),
        TEST(test_random_commands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
