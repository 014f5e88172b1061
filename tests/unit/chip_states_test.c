/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Every command in every state of the platform, and every command of a guest in every state of the
 * guest, with and without an ASID: the status and the state that follows, as the SEV API has them.
 */
#include "tests/unit/chip_scene.h"

#define OK     SEV_SUCCESS
#define STATE  SEV_INVALID_PLATFORM_STATE
#define NOBODY SEV_INVALID_GUEST
#define SAME   (-1)

/* A good buffer; commands of a guest are for one that is not there. */
static const struct {
    uint16_t id;
    uint16_t expected[3]; /* in UNINIT, INIT, WORKING */
    int after;            /* the platform's state after success */
} platform_table[] = {
    { SEV_INIT, { OK, STATE, STATE }, SEV_PLATFORM_INIT },
    { SEV_SHUTDOWN, { OK, OK, OK }, SEV_PLATFORM_UNINIT },
    { SEV_PLATFORM_RESET, { OK, STATE, STATE }, SAME },
    { SEV_PLATFORM_STATUS, { OK, OK, OK }, SAME },
    { SEV_PEK_GEN, { STATE, OK, STATE }, SAME },
    { SEV_PEK_CSR, { STATE, OK, OK }, SAME },
    { SEV_PEK_CERT_IMPORT, { STATE, OK, STATE }, SAME },
    { SEV_PDH_CERT_EXPORT, { STATE, OK, OK }, SAME },
    { SEV_PDH_GEN, { STATE, OK, OK }, SAME },
    { SEV_DF_FLUSH, { OK, OK, OK }, SAME },
    { SEV_DOWNLOAD_FIRMWARE, { SEV_BAD_SIGNATURE, STATE, STATE }, SAME },
    { SEV_GET_ID, { OK, OK, OK }, SAME },
    { SEV_INIT_EX, { OK, STATE, STATE }, SEV_PLATFORM_INIT },
    { SEV_NOP, { OK, OK, OK }, SAME },
    { SEV_RING_BUFFER, { STATE, OK, OK }, SAME },
    { SEV_DECOMMISSION, { STATE, STATE, NOBODY }, SAME },
    { SEV_ACTIVATE, { STATE, STATE, NOBODY }, SAME },
    { SEV_DEACTIVATE, { STATE, STATE, NOBODY }, SAME },
    { SEV_GUEST_STATUS, { STATE, OK, OK }, SAME },
    { SEV_COPY, { STATE, STATE, NOBODY }, SAME },
    { SEV_ACTIVATE_EX, { STATE, STATE, NOBODY }, SAME },
    { SEV_LAUNCH_START, { STATE, OK, OK }, SEV_PLATFORM_WORKING },
    { SEV_LAUNCH_UPDATE_DATA, { STATE, STATE, NOBODY }, SAME },
    { SEV_LAUNCH_UPDATE_VMSA, { STATE, STATE, NOBODY }, SAME },
    { SEV_LAUNCH_MEASURE, { STATE, STATE, NOBODY }, SAME },
    { SEV_LAUNCH_SECRET, { STATE, STATE, NOBODY }, SAME },
    { SEV_LAUNCH_FINISH, { STATE, STATE, NOBODY }, SAME },
    { SEV_ATTESTATION, { STATE, STATE, NOBODY }, SAME },
    { SEV_SEND_START, { STATE, STATE, NOBODY }, SAME },
    { SEV_SEND_UPDATE_DATA, { STATE, STATE, NOBODY }, SAME },
    { SEV_SEND_UPDATE_VMSA, { STATE, STATE, NOBODY }, SAME },
    { SEV_SEND_FINISH, { STATE, STATE, NOBODY }, SAME },
    { SEV_SEND_CANCEL, { STATE, STATE, NOBODY }, SAME },
    { SEV_RECEIVE_START, { STATE, OK, OK }, SEV_PLATFORM_WORKING },
    { SEV_RECEIVE_UPDATE_DATA, { STATE, STATE, NOBODY }, SAME },
    { SEV_RECEIVE_UPDATE_VMSA, { STATE, STATE, NOBODY }, SAME },
    { SEV_RECEIVE_FINISH, { STATE, STATE, NOBODY }, SAME },
    { SEV_DBG_DECRYPT, { STATE, STATE, NOBODY }, SAME },
    { SEV_DBG_ENCRYPT, { STATE, STATE, NOBODY }, SAME },
    { SEV_SWAP_OUT, { STATE, STATE, NOBODY }, SAME },
    { SEV_SWAP_IN, { STATE, STATE, NOBODY }, SAME },
};
#define PLATFORM_ROWS (sizeof(platform_table) / sizeof(platform_table[0]))

static void check_status(unsigned id, const char *where, unsigned state, uint16_t got,
                         uint16_t expected)
{
    if (got != expected)
        fail_msg("command 0x%x, %s state %u: %s instead of %s", id, where, state,
                 sev_status_name(got), sev_status_name(expected));
}

static void test_platform_states(void **state)
{
    struct scene *scene = *state;
    for (size_t i = 0; i < PLATFORM_ROWS; i++) {
        for (unsigned now = SEV_PLATFORM_UNINIT; now <= SEV_PLATFORM_WORKING; now++) {
            uint8_t buffer[CHIP_BUFFER_MAX];
            uint16_t id = platform_table[i].id, expected = platform_table[i].expected[now];
            scene_platform(scene, (enum sev_platform_state)now);
            scene_buffer(scene, id, buffer);
            check_status(id, "platform", now, chip_command(scene->rig->chip, id, buffer), expected);
            bool changed = expected == OK && platform_table[i].after != SAME;
            assert_int_equal(scene->rig->chip->state, changed ? (unsigned)platform_table[i].after
                                                              : now);
        }
    }
}

/* The table above has every command that the chip knows, and nothing else is a command. */
static void test_all_commands(void **state)
{
    struct scene *scene = *state;
    size_t known = 0;
    for (unsigned id = 0; id <= 0xFFFF; id++) {
        struct chip_requirement requirement;
        if (chip_requirement(id, &requirement))
            known++;
        else
            assert_int_equal(chip_command(scene->rig->chip, id, NULL), SEV_INVALID_COMMAND);
    }
    assert_int_equal(known, PLATFORM_ROWS);
    for (size_t i = 0; i < PLATFORM_ROWS; i++) {
        struct chip_requirement requirement;
        assert_true(chip_requirement(platform_table[i].id, &requirement));
        for (unsigned now = 0; now <= SEV_PLATFORM_WORKING; now++)
            assert_int_equal(requirement.platform_states >> now & 1,
                             platform_table[i].expected[now] != STATE);
    }
}

#undef STATE
#define STATE  SEV_INVALID_GUEST_STATE
#define IDLE   SEV_INACTIVE
#define BUSY   SEV_ACTIVE
#define NO_ES  SEV_UNSUPPORTED
#define TAKEN  SEV_ASID_OWNED
#define GONE   SEV_GUEST_UNINIT

/* The columns: no such guest, LUPDATE, LSECRET, RUNNING, SUPDATE, RUPDATE, SENT. */
static const struct {
    uint16_t id;
    uint16_t bound[7];   /* with the ASID that the command names */
    uint16_t unbound[7]; /* without */
    int after;           /* the guest's state after success */
} guest_table[] = {
    { SEV_DECOMMISSION, { NOBODY, BUSY, BUSY, BUSY, BUSY, BUSY, BUSY },
      { NOBODY, OK, OK, OK, OK, OK, OK }, GONE },
    { SEV_ACTIVATE, { NOBODY, TAKEN, TAKEN, TAKEN, TAKEN, TAKEN, TAKEN },
      { NOBODY, OK, OK, OK, OK, OK, STATE }, SAME },
    { SEV_ACTIVATE_EX, { NOBODY, OK, OK, OK, OK, OK, STATE },
      { NOBODY, OK, OK, OK, OK, OK, STATE }, SAME },
    { SEV_DEACTIVATE, { NOBODY, OK, OK, OK, OK, OK, OK },
      { NOBODY, IDLE, IDLE, IDLE, IDLE, IDLE, IDLE }, SAME },
    { SEV_GUEST_STATUS, { OK, OK, OK, OK, OK, OK, OK }, { OK, OK, OK, OK, OK, OK, OK }, SAME },
    { SEV_COPY, { NOBODY, OK, OK, OK, OK, OK, OK },
      { NOBODY, IDLE, IDLE, IDLE, IDLE, IDLE, IDLE }, SAME },
    { SEV_LAUNCH_UPDATE_DATA, { NOBODY, OK, STATE, STATE, STATE, STATE, STATE },
      { NOBODY, IDLE, STATE, STATE, STATE, STATE, STATE }, SAME },
    { SEV_LAUNCH_UPDATE_VMSA, { NOBODY, NO_ES, STATE, STATE, STATE, STATE, STATE },
      { NOBODY, NO_ES, STATE, STATE, STATE, STATE, STATE }, SAME },
    { SEV_LAUNCH_MEASURE, { NOBODY, OK, STATE, STATE, STATE, STATE, STATE },
      { NOBODY, OK, STATE, STATE, STATE, STATE, STATE }, SEV_GUEST_LSECRET },
    { SEV_LAUNCH_SECRET, { NOBODY, STATE, OK, STATE, STATE, STATE, STATE },
      { NOBODY, STATE, IDLE, STATE, STATE, STATE, STATE }, SAME },
    { SEV_LAUNCH_FINISH, { NOBODY, STATE, OK, STATE, STATE, STATE, STATE },
      { NOBODY, STATE, OK, STATE, STATE, STATE, STATE }, SEV_GUEST_RUNNING },
    { SEV_ATTESTATION, { NOBODY, STATE, OK, OK, OK, STATE, OK },
      { NOBODY, STATE, OK, OK, OK, STATE, OK }, SAME },
    { SEV_SEND_START, { NOBODY, STATE, STATE, OK, STATE, STATE, STATE },
      { NOBODY, STATE, STATE, OK, STATE, STATE, STATE }, SEV_GUEST_SUPDATE },
    { SEV_SEND_UPDATE_DATA, { NOBODY, STATE, STATE, STATE, OK, STATE, STATE },
      { NOBODY, STATE, STATE, STATE, IDLE, STATE, STATE }, SAME },
    { SEV_SEND_UPDATE_VMSA, { NOBODY, STATE, STATE, STATE, NO_ES, STATE, STATE },
      { NOBODY, STATE, STATE, STATE, NO_ES, STATE, STATE }, SAME },
    { SEV_SEND_FINISH, { NOBODY, STATE, STATE, STATE, OK, STATE, STATE },
      { NOBODY, STATE, STATE, STATE, OK, STATE, STATE }, SEV_GUEST_SENT },
    { SEV_SEND_CANCEL, { NOBODY, STATE, STATE, STATE, OK, STATE, STATE },
      { NOBODY, STATE, STATE, STATE, OK, STATE, STATE }, SEV_GUEST_RUNNING },
    { SEV_RECEIVE_UPDATE_DATA, { NOBODY, STATE, STATE, STATE, STATE, OK, STATE },
      { NOBODY, STATE, STATE, STATE, STATE, IDLE, STATE }, SAME },
    { SEV_RECEIVE_UPDATE_VMSA, { NOBODY, STATE, STATE, STATE, STATE, NO_ES, STATE },
      { NOBODY, STATE, STATE, STATE, STATE, NO_ES, STATE }, SAME },
    { SEV_RECEIVE_FINISH, { NOBODY, STATE, STATE, STATE, STATE, OK, STATE },
      { NOBODY, STATE, STATE, STATE, STATE, OK, STATE }, SEV_GUEST_RUNNING },
    { SEV_DBG_DECRYPT, { NOBODY, OK, OK, OK, OK, OK, OK },
      { NOBODY, IDLE, IDLE, IDLE, IDLE, IDLE, IDLE }, SAME },
    { SEV_DBG_ENCRYPT, { NOBODY, OK, OK, OK, OK, OK, OK },
      { NOBODY, IDLE, IDLE, IDLE, IDLE, IDLE, IDLE }, SAME },
    { SEV_SWAP_OUT, { NOBODY, OK, OK, OK, OK, OK, OK },
      { NOBODY, IDLE, IDLE, IDLE, IDLE, IDLE, IDLE }, SAME },
    { SEV_SWAP_IN, { NOBODY, OK, OK, OK, OK, OK, OK },
      { NOBODY, IDLE, IDLE, IDLE, IDLE, IDLE, IDLE }, SAME },
};
#define GUEST_ROWS (sizeof(guest_table) / sizeof(guest_table[0]))

static void try_guest(struct scene *scene, size_t row, unsigned now, bool bound)
{
    uint8_t buffer[CHIP_BUFFER_MAX];
    uint16_t id = guest_table[row].id;
    uint16_t expected = bound ? guest_table[row].bound[now] : guest_table[row].unbound[now];
    if (expected == NO_ES && scene->policy & SEV_POLICY_ES)
        expected = bound ? OK : IDLE;
    scene_guest(scene, (enum sev_guest_state)now, bound);
    scene_buffer(scene, id, buffer);
    check_status(id, bound ? "bound guest's" : "unbound guest's", now,
                 chip_command(scene->rig->chip, id, buffer), expected);
    bool changed = expected == OK && guest_table[row].after != SAME;
    assert_int_equal(guest_state_of(scene->rig, scene->handle),
                     changed ? (unsigned)guest_table[row].after : now);
    assert_int_equal(platform_state_of(scene->rig), SEV_PLATFORM_WORKING);
}

static void test_guest_states(void **state)
{
    struct scene *scene = *state;
    for (size_t row = 0; row < GUEST_ROWS; row++) {
        for (unsigned now = SEV_GUEST_UNINIT; now <= SEV_GUEST_SENT; now++) {
            try_guest(scene, row, now, true);
            try_guest(scene, row, now, false);
        }
    }
}

/* A SEV-ES guest's differ where a command is for what other guests do not have. */
static void test_es_guest_states(void **state)
{
    struct scene *scene = *state;
    scene->policy = SEV_POLICY_ES;
    test_guest_states(state);
}

/* Every command of a guest has its row, and what the chip tells of its needs is what it does. */
static void test_requirements(void **state)
{
    size_t rows = 0;
    for (size_t i = 0; i < PLATFORM_ROWS; i++)
        rows += platform_table[i].id >= SEV_DECOMMISSION &&
                platform_table[i].id != SEV_LAUNCH_START &&
                platform_table[i].id != SEV_RECEIVE_START;
    assert_int_equal(rows, GUEST_ROWS);
    for (size_t i = 0; i < GUEST_ROWS; i++) {
        struct chip_requirement requirement;
        assert_true(chip_requirement(guest_table[i].id, &requirement));
        if (guest_table[i].id == SEV_GUEST_STATUS) { /* of nobody too */
            assert_int_equal(requirement.guest_states, 0);
            continue;
        }
        for (unsigned now = 0; now <= SEV_GUEST_SENT; now++) {
            uint16_t status = guest_table[i].unbound[now];
            assert_int_equal(requirement.guest_states >> now & 1,
                             status != STATE && status != NOBODY);
        }
    }
}

/* The last guest's end is the platform's way back to INIT; SHUTDOWN ends all of them. */
static void test_last_guest(void **state)
{
    struct scene *scene = *state;
    struct rig *rig = scene->rig;
    init(rig);
    uint32_t first = launch_start_plain(rig, 0), second = launch_start_plain(rig, 0);
    assert_int_equal(on_handle(rig, SEV_DECOMMISSION, first), SEV_SUCCESS);
    assert_int_equal(platform_state_of(rig), SEV_PLATFORM_WORKING);
    assert_int_equal(on_handle(rig, SEV_DECOMMISSION, second), SEV_SUCCESS);
    assert_int_equal(platform_state_of(rig), SEV_PLATFORM_INIT);
    launch_start_plain(rig, 0);
    expect(rig, SEV_SHUTDOWN, NULL, SEV_SUCCESS);
    init(rig);
    assert_int_equal(platform_state_of(rig), SEV_PLATFORM_INIT);
}

/* In this mode the door answers one command, whichever it is, with the mode's end. */
static void test_ring_buffer(void **state)
{
    static const uint16_t ids[] = { SEV_NOP, SEV_SHUTDOWN, SEV_PLATFORM_STATUS, SEV_LAUNCH_START,
                                    SEV_RING_BUFFER };
    struct scene *scene = *state;
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        uint8_t buffer[CHIP_BUFFER_MAX], before[CHIP_BUFFER_MAX];
        scene_platform(scene, SEV_PLATFORM_WORKING);
        scene_buffer(scene, SEV_RING_BUFFER, buffer);
        memcpy(before, buffer, sizeof(before));
        expect(scene->rig, SEV_RING_BUFFER, buffer, SEV_SUCCESS);
        assert_memory_equal(buffer, before, sizeof(buffer));
        scene_buffer(scene, ids[i], buffer);
        memcpy(before, buffer, sizeof(before));
        expect(scene->rig, ids[i], buffer, SEV_RING_BUFFER_EXIT);
        assert_memory_equal(buffer, before, sizeof(buffer));
        assert_int_equal(platform_state_of(scene->rig), SEV_PLATFORM_WORKING);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_platform_states),
        TEST(test_all_commands),
        TEST(test_guest_states),
        TEST(test_es_guest_states),
        TEST(test_requirements),
        TEST(test_last_guest),
        TEST(test_ring_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
