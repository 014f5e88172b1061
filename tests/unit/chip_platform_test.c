/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The chip's platform commands and ASIDs: wrong states, bad fields, what is written back. */
#include "tests/unit/chip_rig.h"

#include "owner/certs.h"

static void test_foreign_firmware(void **state)
{
    struct rig *rig = *state;
    struct sev_download_firmware good = { .fw_paddr = FIRMWARE_BASE, .fw_len = FIRMWARE_SIZE };
    struct sev_download_firmware crooked = { .fw_paddr = FIRMWARE_BASE + 16, .fw_len = 64 };
    struct sev_download_firmware empty = { .fw_paddr = FIRMWARE_BASE };
    struct sev_download_firmware beyond = { .fw_paddr = FIRMWARE_BASE, .fw_len = 0x200000 };
    expect(rig, SEV_DOWNLOAD_FIRMWARE, &good, SEV_BAD_SIGNATURE);
    expect(rig, SEV_DOWNLOAD_FIRMWARE, &crooked, SEV_INVALID_ADDRESS);
    expect(rig, SEV_DOWNLOAD_FIRMWARE, &empty, SEV_INVALID_LENGTH);
    expect(rig, SEV_DOWNLOAD_FIRMWARE, &beyond, SEV_INVALID_ADDRESS);
    init(rig);
    expect(rig, SEV_DOWNLOAD_FIRMWARE, &good, SEV_INVALID_PLATFORM_STATE);
}

/* Linux's first GET_ID gave 128 bytes for two sockets, GET_ID2 asks for the length first. */
static void test_get_id(void **state)
{
    struct rig *rig = *state;
    uint8_t id[128] = { 0 }, zero[64] = { 0 }, expected[CHIP_ID_SIZE];
    struct sev_get_id get = { .id_paddr = chip_map(rig->chip, id, sizeof(id)),
                              .id_len = sizeof(id) };
    chip_identity(rig->chip, expected);
    expect(rig, SEV_GET_ID, &get, SEV_SUCCESS);
    assert_int_equal(get.id_len, 64); /* one socket */
    assert_memory_equal(id, expected, 64);
    assert_memory_equal(id + 64, zero, 64);
    get.id_len = 63;
    expect(rig, SEV_GET_ID, &get, SEV_INVALID_LENGTH);
    assert_int_equal(get.id_len, 64);
    get.id_len = 128;
    get.id_paddr += 100; /* less than 64 bytes are left there */
    expect(rig, SEV_GET_ID, &get, SEV_INVALID_ADDRESS);
    assert_int_equal(get.id_len, 128); /* nothing is written back on any other error */
}

static void test_no_write_back(void **state)
{
    struct rig *rig = *state;
    struct sev_pdh_cert_export export = { .pdh_len = 0x4000, .certs_len = 0x4000,
                                          .pdh_paddr = CHIP_HOST_WINDOW };
    struct sev_launch_start start = { .handle = 77, .policy = 0 };
    init(rig);
    expect(rig, SEV_PDH_CERT_EXPORT, &export, SEV_INVALID_ADDRESS);
    assert_int_equal(export.pdh_len, 0x4000);
    expect(rig, SEV_LAUNCH_START, &start, SEV_INVALID_GUEST);
    assert_int_equal(start.handle, 77);
}

/* The order of checks where it is not handle, state, activation, address, length. */
static void test_order_of_checks(void **state)
{
    struct rig *rig = *state;
    init(rig);
    rig->handle = launch_start_plain(rig, SEV_POLICY_NODBG);
    struct sev_launch_secret secret = { .handle = rig->handle, .guest_paddr = 8 };
    expect(rig, SEV_LAUNCH_SECRET, &secret, SEV_INVALID_ADDRESS);
    secret.guest_paddr = 16;
    expect(rig, SEV_LAUNCH_SECRET, &secret, SEV_INVALID_LENGTH); /* both before the state */
    struct sev_dbg debug = { .handle = 99, .src_paddr = 8, .length = 16 };
    expect(rig, SEV_DBG_DECRYPT, &debug, SEV_INVALID_ADDRESS); /* before the handle */
    debug.src_paddr = 0;
    expect(rig, SEV_DBG_ENCRYPT, &debug, SEV_INVALID_GUEST);
    debug.handle = rig->handle;
    expect(rig, SEV_DBG_ENCRYPT, &debug, SEV_POLICY_FAILURE); /* before the activation */
    struct sev_launch_update_data region = { .handle = rig->handle, .paddr = 8, .length = 7 };
    expect(rig, SEV_LAUNCH_UPDATE_DATA, &region, SEV_INACTIVE);
    assert_int_equal(activate(rig, rig->handle, ASID), SEV_SUCCESS);
    expect(rig, SEV_LAUNCH_UPDATE_DATA, &region, SEV_INVALID_ADDRESS);
    region.paddr = 16;
    expect(rig, SEV_LAUNCH_UPDATE_DATA, &region, SEV_INVALID_LENGTH);
    struct sev_copy copy = { .handle = rig->handle, .length = 7, .src_paddr = 8 };
    expect(rig, SEV_COPY, &copy, SEV_INVALID_ADDRESS);
}

static void test_vmsa_without_es(void **state)
{
    struct rig *rig = *state;
    uint8_t blob[48];
    init(rig);
    struct sev_launch_update_data vmsa = { .handle = launch_start_plain(rig, 0), .paddr = 0x1000,
                                           .length = 0x1000 };
    rig->handle = vmsa.handle;
    expect(rig, SEV_LAUNCH_UPDATE_VMSA, &vmsa, SEV_UNSUPPORTED);
    vmsa.length = 0x800;
    vmsa.handle = 99;
    expect(rig, SEV_LAUNCH_UPDATE_VMSA, &vmsa, SEV_INVALID_LENGTH); /* before the handle */
    vmsa.length = 0x1000;
    expect(rig, SEV_LAUNCH_UPDATE_VMSA, &vmsa, SEV_INVALID_GUEST);
    vmsa.handle = rig->handle;
    assert_int_equal(measure(rig, blob), SEV_SUCCESS);
    expect(rig, SEV_LAUNCH_UPDATE_VMSA, &vmsa, SEV_INVALID_GUEST_STATE);
}

/* ---- ASIDs ---- */

static void finish_launch(struct rig *rig)
{
    uint8_t blob[48];
    assert_int_equal(measure(rig, blob), SEV_SUCCESS);
    assert_int_equal(on_handle(rig, SEV_LAUNCH_FINISH, rig->handle), SEV_SUCCESS);
}

/* VMRUN must be refused, for this reason. */
static void denied(struct rig *rig, uint32_t asid, uint32_t thread, const char *reason)
{
    char why[128] = "";
    assert_false(chip_check_run(rig->chip, asid, thread, why, sizeof(why)));
    assert_string_equal(why, reason);
    assert_false(chip_may_run(rig->chip, asid, thread));
}

#define INACTIVE  "no guest is activated on it (ACTIVATE)"
#define UNFLUSHED "no guest is activated on it, and it is not flushed (WBINVD on every core, DF_FLUSH)"

static void test_reasons_not_to_run(void **state)
{
    struct rig *rig = *state;
    struct sev_init init_buffer = { 0 };
    denied(rig, ASID, 0, "the platform is not initialised (INIT)");
    expect(rig, SEV_INIT, &init_buffer, SEV_SUCCESS);
    denied(rig, ASID, 0, UNFLUSHED);
    chip_note_wbinvd(rig->chip);
    denied(rig, ASID, 0, UNFLUSHED);
    expect(rig, SEV_DF_FLUSH, NULL, SEV_SUCCESS);
    denied(rig, ASID, 0, INACTIVE);
    denied(rig, 0, 0, "SEV guests have ASIDs from 1 to 509");
    denied(rig, 510, 0, "SEV guests have ASIDs from 1 to 509");
    denied(rig, UINT32_MAX, 0, "SEV guests have ASIDs from 1 to 509");
    denied(rig, ASID, CHIP_THREADS, "the platform has no thread 128");
    rig->handle = launch_start_plain(rig, 0);
    denied(rig, ASID, 0, INACTIVE);
    assert_int_equal(activate(rig, rig->handle, ASID), SEV_SUCCESS);
    denied(rig, ASID, 0, "its guest is in the state launch-update, not running");
    denied(rig, ASID + 1, 0, INACTIVE);
    finish_launch(rig);
    assert_true(chip_check_run(rig->chip, ASID, 0, NULL, 0));
    assert_int_equal(on_handle(rig, SEV_DEACTIVATE, rig->handle), SEV_SUCCESS);
    denied(rig, ASID, 0, UNFLUSHED);
    expect(rig, SEV_SHUTDOWN, NULL, SEV_SUCCESS);
    denied(rig, ASID, 0, "the platform is not initialised (INIT)");
}

static void test_pending_activation(void **state)
{
    struct rig *rig = *state;
    init(rig);
    rig->handle = launch_start_plain(rig, 0);
    assert_int_equal(activate(rig, rig->handle, ASID), SEV_SUCCESS);
    assert_false(chip_may_run(rig->chip, ASID, 0)); /* the key is there, but it is not finished */
    assert_int_equal(on_handle(rig, SEV_DEACTIVATE, rig->handle), SEV_SUCCESS);
    assert_int_equal(activate(rig, rig->handle, ASID), SEV_SUCCESS); /* it never ran: clean */
    finish_launch(rig);
    assert_true(chip_may_run(rig->chip, ASID, 0));
    assert_true(chip_may_run(rig->chip, ASID, CHIP_THREADS - 1));
    assert_false(chip_may_run(rig->chip, ASID, CHIP_THREADS));
    assert_false(chip_may_run(rig->chip, ASID + 1, 0));
    assert_int_equal(on_handle(rig, SEV_DEACTIVATE, rig->handle), SEV_SUCCESS);
    assert_false(chip_may_run(rig->chip, ASID, 0));
    assert_int_equal(activate(rig, rig->handle, ASID), SEV_DF_FLUSH_REQUIRED);
    assert_int_equal(activate(rig, rig->handle, ASID + 1), SEV_SUCCESS);
    assert_true(chip_may_run(rig->chip, ASID + 1, 0)); /* RUNNING: nothing to wait for */
}

static void test_activation_order(void **state)
{
    struct rig *rig = *state;
    struct sev_init init_buffer = { 0 };
    expect(rig, SEV_INIT, &init_buffer, SEV_SUCCESS);
    uint32_t first = launch_start_plain(rig, 0), second = launch_start_plain(rig, 0);
    assert_int_equal(activate(rig, 1000, 0), SEV_INVALID_GUEST);
    assert_int_equal(activate(rig, first, 0), SEV_INVALID_ASID);
    assert_int_equal(activate(rig, first, 510), SEV_INVALID_ASID);
    assert_int_equal(activate(rig, first, 4), SEV_DF_FLUSH_REQUIRED); /* dirty before the side */
    chip_note_wbinvd(rig->chip);
    expect(rig, SEV_DF_FLUSH, NULL, SEV_SUCCESS);
    assert_int_equal(activate(rig, first, 4), SEV_INVALID_ASID);
    assert_int_equal(activate(rig, first, ASID), SEV_SUCCESS);
    assert_int_equal(activate(rig, second, ASID), SEV_ASID_OWNED);
    assert_int_equal(activate(rig, first, ASID), SEV_ASID_OWNED); /* before ACTIVE */
    assert_int_equal(activate(rig, first, ASID + 1), SEV_ACTIVE);
}

static uint16_t activate_ex(struct rig *rig, uint32_t asid, uint32_t *ids, uint32_t count)
{
    struct sev_activate_ex command = { .length = sizeof(command), .handle = rig->handle,
                                       .asid = asid, .numids = count,
                                       .ids_paddr = chip_map(rig->chip, ids, count * 4) };
    uint16_t status = chip_command(rig->chip, SEV_ACTIVATE_EX, &command);
    chip_unmap(rig->chip, command.ids_paddr);
    return status;
}

static void test_activate_ex(void **state)
{
    struct rig *rig = *state;
    uint32_t ids[CHIP_THREADS + 1] = { 3, 17 }, more[] = { 127 }, absent[] = { 0, CHIP_THREADS };
    init(rig);
    rig->handle = launch_start_plain(rig, 0);
    struct sev_activate_ex command = { .length = 0x17, .handle = rig->handle, .asid = ASID,
                                       .numids = 1, .ids_paddr = CHIP_HOST_WINDOW };
    expect(rig, SEV_ACTIVATE_EX, &command, SEV_INVALID_PARAM);
    command.length = 0x18;
    expect(rig, SEV_ACTIVATE_EX, &command, SEV_INVALID_ADDRESS);
    command.handle = 99;
    expect(rig, SEV_ACTIVATE_EX, &command, SEV_INVALID_GUEST);
    assert_int_equal(activate_ex(rig, ASID, ids, 0), SEV_INVALID_PARAM);
    assert_int_equal(activate_ex(rig, ASID, ids, CHIP_THREADS + 1), SEV_INVALID_PARAM);
    assert_int_equal(activate_ex(rig, ASID, absent, 2), SEV_INVALID_PARAM);
    assert_int_equal(activate_ex(rig, 0, ids, 2), SEV_INVALID_ASID);
    assert_int_equal(activate_ex(rig, ASID, ids, 2), SEV_SUCCESS);
    finish_launch(rig);
    assert_true(chip_may_run(rig->chip, ASID, 0)); /* the complex of thread 3 */
    assert_true(chip_may_run(rig->chip, ASID, 23));
    denied(rig, ASID, 8, "it is not activated on the core complex of thread 8 (ACTIVATE_EX)");
    assert_false(chip_may_run(rig->chip, ASID, 120));
    assert_int_equal(activate_ex(rig, ASID + 1, more, 1), SEV_ACTIVE);
    assert_int_equal(activate_ex(rig, ASID, more, 1), SEV_SUCCESS);
    assert_true(chip_may_run(rig->chip, ASID, 120));
    assert_true(chip_may_run(rig->chip, ASID, 0));
}

/* An ASID is dirty where it ran, and clean where every core wrote back its cache before the flush. */
static void test_flush_by_core(void **state)
{
    struct rig *rig = *state;
    uint32_t first[] = { 0 }, second[] = { 8 };
    init(rig);
    rig->handle = launch_start_plain(rig, 0);
    assert_int_equal(activate_ex(rig, ASID, first, 1), SEV_SUCCESS);
    finish_launch(rig);
    assert_int_equal(on_handle(rig, SEV_DEACTIVATE, rig->handle), SEV_SUCCESS);
    assert_int_equal(activate_ex(rig, ASID, first, 1), SEV_DF_FLUSH_REQUIRED);
    assert_int_equal(activate(rig, rig->handle, ASID), SEV_DF_FLUSH_REQUIRED); /* there too */
    assert_int_equal(activate_ex(rig, ASID, second, 1), SEV_SUCCESS); /* it never ran there */
    assert_int_equal(activate_ex(rig, ASID, first, 1), SEV_DF_FLUSH_REQUIRED);
    for (uint32_t thread = 1; thread < CHIP_THREADS_PER_COMPLEX; thread += 2) {
        expect(rig, SEV_DF_FLUSH, NULL, SEV_WBINVD_REQUIRED);
        assert_int_equal(activate_ex(rig, ASID, first, 1), SEV_DF_FLUSH_REQUIRED);
        chip_note_thread_wbinvd(rig->chip, thread); /* a core's two threads have one cache */
    }
    chip_note_thread_wbinvd(rig->chip, CHIP_THREADS);
    expect(rig, SEV_DF_FLUSH, NULL, SEV_SUCCESS);
    assert_int_equal(activate_ex(rig, ASID, first, 1), SEV_SUCCESS);
    assert_true(chip_may_run(rig->chip, ASID, 0));
}

/* A flush that fails cleans the complexes that did their part. */
static void test_partial_flush(void **state)
{
    struct rig *rig = *state;
    struct sev_init init_buffer = { 0 };
    uint32_t first[] = { 0 }, second[] = { 8 };
    expect(rig, SEV_INIT, &init_buffer, SEV_SUCCESS);
    rig->handle = launch_start_plain(rig, 0);
    for (uint32_t thread = 0; thread < CHIP_THREADS_PER_COMPLEX; thread++)
        chip_note_thread_wbinvd(rig->chip, thread);
    assert_int_equal(activate_ex(rig, ASID, first, 1), SEV_DF_FLUSH_REQUIRED);
    expect(rig, SEV_DF_FLUSH, NULL, SEV_WBINVD_REQUIRED);
    assert_int_equal(activate_ex(rig, ASID, second, 1), SEV_DF_FLUSH_REQUIRED);
    assert_int_equal(activate_ex(rig, ASID, first, 1), SEV_SUCCESS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_foreign_firmware),
        TEST(test_get_id),
        TEST(test_no_write_back),
        TEST(test_order_of_checks),
        TEST(test_vmsa_without_es),
        TEST(test_reasons_not_to_run),
        TEST(test_pending_activation),
        TEST(test_activation_order),
        TEST(test_activate_ex),
        TEST(test_flush_by_core),
        TEST(test_partial_flush),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
