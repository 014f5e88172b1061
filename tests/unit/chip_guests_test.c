/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A guest on every ASID at once, each launched with a session, a measurement and a secret of its own:
 * nobody sees another's memory, one's end is no other's, and its ASID is free only after the caches
 * are written back and flushed.
 */
#include "tests/unit/chip_rig.h"

#include <stdlib.h>

#include "owner/measure.h"

#define FIRST  5u   /* of the ASIDs of plain SEV guests */
#define LAST   509u
#define GUESTS (LAST - FIRST + 1)

#define COMMON      0x1000u /* where each guest in turn launches the same bytes */
#define COMMON_SIZE 64u
#define OWN_SIZE    256u
#define SECRET_AT   0x400u  /* in the guest's page */
#define SECRET_SIZE 32u

struct tenant {
    uint32_t asid, handle, policy;
    uint64_t page; /* physical */
    struct owner_keys keys;
    uint8_t launched[COMMON_SIZE + OWN_SIZE]; /* what its owner expects to be measured */
    uint8_t secret[SECRET_SIZE];
    uint8_t common_cipher[COMMON_SIZE];
    uint8_t measurement[48];
};

struct house {
    struct rig *rig;
    struct export certificates;
    struct tenant tenants[GUESTS];
};

static int setup_house(void **state)
{
    struct house *house = calloc(1, sizeof(*house));
    void *rig;
    if (!house || setup(&rig) != 0)
        return -1;
    house->rig = rig;
    *state = house;
    return 0;
}

static int teardown_house(void **state)
{
    struct house *house = *state;
    void *rig = house->rig;
    free(house);
    return teardown(&rig);
}

static void write_raw(struct rig *rig, uint64_t address, const uint8_t *data, size_t size)
{
    assert_int_equal(memory_write(rig->memory, address, data, size, MEMORY_RAW), 0);
}

/* The same bytes at the same place as every guest before, then the guest's own in its own page. */
static void load(struct rig *rig, struct tenant *t)
{
    fill_up(t->launched, COMMON_SIZE, 0);
    for (unsigned i = 0; i < OWN_SIZE; i++)
        t->launched[COMMON_SIZE + i] = (uint8_t)(i * (t->asid | 1) + (t->asid >> 8));
    write_raw(rig, COMMON, t->launched, COMMON_SIZE);
    write_raw(rig, t->page, t->launched + COMMON_SIZE, OWN_SIZE);
    assert_int_equal(update(rig, COMMON, COMMON_SIZE), SEV_SUCCESS);
    assert_int_equal(update(rig, t->page, OWN_SIZE), SEV_SUCCESS);
    assert_int_equal(memory_read(rig->memory, COMMON, t->common_cipher, COMMON_SIZE, MEMORY_RAW),
                     0);
}

static bool owner_accepts(const struct tenant *t, const struct owner_keys *keys)
{
    const struct owner_guest guest = { .firmware = { t->launched, sizeof(t->launched) },
                                       .policy = t->policy, .api_minor = 24, .build = 15 };
    return owner_verify(&guest, keys->tik, t->measurement);
}

static void give_secret(struct rig *rig, struct tenant *t)
{
    uint8_t iv[16] = { (uint8_t)t->asid }, data[SECRET_SIZE];
    struct sev_packet_header header;
    fill_up(t->secret, sizeof(t->secret), (uint8_t)t->asid);
    t->secret[0] = (uint8_t)(t->asid >> 8);
    assert_true(owner_secret_seal(&t->keys, iv, t->secret, SECRET_SIZE, t->measurement, &header,
                                  data));
    struct sev_launch_secret command = {
        .handle = t->handle,
        .hdr_paddr = chip_map(rig->chip, &header, sizeof(header)),
        .hdr_len = sizeof(header),
        .guest_paddr = t->page + SECRET_AT,
        .guest_len = SECRET_SIZE,
        .trans_paddr = chip_map(rig->chip, data, sizeof(data)),
        .trans_len = SECRET_SIZE,
    };
    expect(rig, SEV_LAUNCH_SECRET, &command, SEV_SUCCESS);
    chip_unmap(rig->chip, command.hdr_paddr);
    chip_unmap(rig->chip, command.trans_paddr);
}

static void move_in(struct house *house, struct tenant *t, uint32_t asid)
{
    struct rig *rig = house->rig;
    struct owner_session session;
    *t = (struct tenant){ .asid = asid, .page = (uint64_t)asid << 12, .policy = asid & 3 };
    assert_null(owner_session_make(house->certificates.pdh, SEV_CERT_SIZE, t->policy, &session));
    t->keys = session.keys;
    assert_int_equal(start_with(rig, &session, t->policy), SEV_SUCCESS);
    t->handle = rig->handle;
    assert_int_equal(activate(rig, t->handle, asid), SEV_SUCCESS);
    load(rig, t);
    assert_int_equal(measure(rig, t->measurement), SEV_SUCCESS);
    assert_true(owner_accepts(t, &t->keys));
    give_secret(rig, t);
    assert_int_equal(on_handle(rig, SEV_LAUNCH_FINISH, t->handle), SEV_SUCCESS);
}

/* Each block of 16 bytes is encrypted for itself: not one may be readable. */
static void check_apart(const uint8_t *seen, const uint8_t *plain, size_t size)
{
    for (size_t at = 0; at < size; at += 16)
        assert_memory_not_equal(seen + at, plain + at, 16);
}

/* What the guest loaded and its secret, as that ASID sees them. */
static void look(struct rig *rig, const struct tenant *t, memory_view view, uint8_t own[OWN_SIZE],
                 uint8_t secret[SECRET_SIZE])
{
    assert_int_equal(memory_read(rig->memory, t->page, own, OWN_SIZE, view), 0);
    assert_int_equal(memory_read(rig->memory, t->page + SECRET_AT, secret, SECRET_SIZE, view), 0);
}

static void check_tenant(struct rig *rig, const struct tenant *t, memory_view stranger)
{
    const memory_view strangers[] = { stranger, MEMORY_RAW };
    uint8_t own[OWN_SIZE], secret[SECRET_SIZE];
    struct sev_guest_status status = { .handle = t->handle };
    expect(rig, SEV_GUEST_STATUS, &status, SEV_SUCCESS);
    assert_int_equal(status.state, SEV_GUEST_RUNNING);
    assert_int_equal(status.asid, t->asid);
    assert_int_equal(status.policy, t->policy);
    assert_true(chip_may_run(rig->chip, t->asid, 0));
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
        look(rig, t, strangers[i], own, secret);
        check_apart(own, t->launched + COMMON_SIZE, OWN_SIZE);
        check_apart(secret, t->secret, SECRET_SIZE);
    }
    look(rig, t, (memory_view)t->asid, own, secret);
    assert_memory_equal(own, t->launched + COMMON_SIZE, OWN_SIZE);
    assert_memory_equal(secret, t->secret, SECRET_SIZE);
}

/* Everybody but `left` (or nobody), each seen from the ASID beside it that is in use, too. */
static void check_all(struct house *house, const struct tenant *left)
{
    for (unsigned i = 0; i < GUESTS; i++) {
        const struct tenant *beside = &house->tenants[(i + 1) % GUESTS];
        if (beside == left)
            beside = &house->tenants[(i + 2) % GUESTS];
        if (&house->tenants[i] != left)
            check_tenant(house->rig, &house->tenants[i], (memory_view)beside->asid);
    }
}

static int compare_ciphers(const void *a, const void *b)
{
    return memcmp(a, b, 16);
}

/* The same plaintext at the same address: not a block of ciphertext is there twice. */
static void check_ciphers(const struct house *house)
{
    static uint8_t blocks[GUESTS * COMMON_SIZE / 16][16];
    for (unsigned i = 0; i < GUESTS; i++)
        memcpy(blocks[i * COMMON_SIZE / 16], house->tenants[i].common_cipher, COMMON_SIZE);
    qsort(blocks, sizeof(blocks) / sizeof(blocks[0]), sizeof(blocks[0]), compare_ciphers);
    for (size_t i = 1; i < sizeof(blocks) / sizeof(blocks[0]); i++)
        assert_memory_not_equal(blocks[i - 1], blocks[i], 16);
}

static void check_handles(const struct house *house)
{
    bool seen[CHIP_MAX_GUESTS + 1] = { false };
    for (unsigned i = 0; i < GUESTS; i++) {
        assert_in_range(house->tenants[i].handle, 1, CHIP_MAX_GUESTS);
        assert_false(seen[house->tenants[i].handle]);
        seen[house->tenants[i].handle] = true;
    }
}

static uint32_t guest_count(struct rig *rig)
{
    struct sev_platform_status status;
    expect(rig, SEV_PLATFORM_STATUS, &status, SEV_SUCCESS);
    return status.guest_count;
}

/* The ASID of a guest that ran: for the next one not before WBINVD and DF_FLUSH, in this order. */
static void recycle(struct rig *rig, uint32_t asid)
{
    uint32_t next = launch_start_plain(rig, 0);
    assert_int_equal(activate(rig, next, asid), SEV_DF_FLUSH_REQUIRED);
    expect(rig, SEV_DF_FLUSH, NULL, SEV_WBINVD_REQUIRED);
    assert_int_equal(activate(rig, next, asid), SEV_DF_FLUSH_REQUIRED);
    chip_note_wbinvd(rig->chip);
    assert_int_equal(activate(rig, next, asid), SEV_DF_FLUSH_REQUIRED);
    expect(rig, SEV_DF_FLUSH, NULL, SEV_SUCCESS);
    assert_int_equal(activate(rig, next, asid), SEV_SUCCESS);
    assert_int_equal(on_handle(rig, SEV_DEACTIVATE, next), SEV_SUCCESS);
    assert_int_equal(on_handle(rig, SEV_DECOMMISSION, next), SEV_SUCCESS);
}

static void test_full_house(void **state)
{
    struct house *house = *state;
    struct rig *rig = house->rig;
    init(rig);
    export_certificates(rig, &house->certificates);
    for (unsigned i = 0; i < GUESTS; i++)
        move_in(house, &house->tenants[i], FIRST + i);
    assert_int_equal(guest_count(rig), GUESTS);
    check_handles(house);
    check_ciphers(house);
    check_all(house, NULL);
    for (unsigned i = 0; i < GUESTS; i++) /* no owner takes another's guest for the own one */
        assert_false(owner_accepts(&house->tenants[i], &house->tenants[(i + 1) % GUESTS].keys));

    uint32_t late = launch_start_plain(rig, 0); /* there is a slot, but no ASID */
    for (uint32_t asid = FIRST; asid <= LAST; asid++)
        assert_int_equal(activate(rig, late, asid), SEV_ASID_OWNED);
    assert_int_equal(on_handle(rig, SEV_DECOMMISSION, late), SEV_SUCCESS);

    struct tenant *left = &house->tenants[GUESTS / 2];
    uint8_t own[OWN_SIZE], before[OWN_SIZE];
    assert_int_equal(on_handle(rig, SEV_DECOMMISSION, left->handle), SEV_ACTIVE);
    check_all(house, NULL);
    assert_int_equal(memory_read(rig->memory, left->page, before, OWN_SIZE, MEMORY_RAW), 0);
    assert_int_equal(on_handle(rig, SEV_DEACTIVATE, left->handle), SEV_SUCCESS);
    assert_int_equal(on_handle(rig, SEV_DECOMMISSION, left->handle), SEV_SUCCESS);
    assert_int_equal(guest_state_of(rig, left->handle), SEV_GUEST_UNINIT);
    assert_int_equal(guest_count(rig), GUESTS - 1);
    assert_false(chip_may_run(rig->chip, left->asid, 0));
    assert_int_equal(memory_read(rig->memory, left->page, own, OWN_SIZE, MEMORY_RAW), 0);
    assert_memory_equal(own, before, OWN_SIZE); /* what it left is ciphertext, and stays it */
    check_all(house, left);

    const struct tenant former = *left;
    recycle(rig, former.asid);
    move_in(house, left, former.asid);
    check_ciphers(house);
    assert_memory_not_equal(left->common_cipher, former.common_cipher, 16);
    check_all(house, NULL);
    expect(rig, SEV_SHUTDOWN, NULL, SEV_SUCCESS);
    assert_int_equal(guest_count(rig), 0);
    for (uint32_t asid = FIRST; asid <= LAST; asid++)
        assert_false(chip_may_run(rig->chip, asid, 0));
}

/* The next guest on an ASID sees nothing of what the former one left there. */
static void test_next_tenant(void **state)
{
    struct house *house = *state;
    struct rig *rig = house->rig;
    struct tenant *first = &house->tenants[0], *second = &house->tenants[1];
    uint8_t own[OWN_SIZE], secret[SECRET_SIZE];
    init(rig);
    export_certificates(rig, &house->certificates);
    move_in(house, first, FIRST);
    assert_int_equal(on_handle(rig, SEV_DEACTIVATE, first->handle), SEV_SUCCESS);
    assert_int_equal(on_handle(rig, SEV_DECOMMISSION, first->handle), SEV_SUCCESS);
    recycle(rig, FIRST);
    const struct tenant former = *first;
    move_in(house, second, FIRST + 1);
    second->handle = launch_start_plain(rig, 0);
    assert_int_equal(activate(rig, second->handle, FIRST), SEV_SUCCESS);
    look(rig, &former, FIRST, own, secret);
    check_apart(own, former.launched + COMMON_SIZE, OWN_SIZE);
    check_apart(secret, former.secret, SECRET_SIZE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_house, teardown_house)
    const struct CMUnitTest tests[] = {
        TEST(test_full_house),
        TEST(test_next_tenant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
