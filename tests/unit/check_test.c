/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What the checker remembers: owners of pages, cached lines, a TLB's content, pieces of secrets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "machine/hypervisor/check_pages.h"
#include "machine/hypervisor/check_secret.h"
#include "machine/hypervisor/check_tlb.h"

#define RAM 0x100000u

struct fixture {
    struct memory *memory;
    struct check_pages *pages;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    static const uint8_t seed[32] = { 3 };
    static const uint8_t key[MEMORY_KEY_SIZE] = { 5 };
    fixture.memory = memory_create(seed);
    assert_non_null(fixture.memory);
    assert_int_equal(memory_add_ram(fixture.memory, 0, RAM), 0);
    memory_set_key(fixture.memory, 1, key);
    fixture.pages = check_pages_create(fixture.memory);
    assert_non_null(fixture.pages);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    check_pages_destroy(fixture->pages);
    memory_destroy(fixture->memory);
    return 0;
}

enum { SHARED = false, PRIVATE = true };

static struct page_verdict load(struct fixture *f, uint64_t gpa, size_t length, bool view)
{
    struct page_verdict verdict;
    check_pages_access(f->pages, 0, gpa, length, false, view, &verdict);
    return verdict;
}

static struct page_verdict store(struct fixture *f, uint64_t gpa, size_t length, bool view)
{
    struct page_verdict verdict;
    check_pages_access(f->pages, 0, gpa, length, true, view, &verdict);
    return verdict;
}

static void test_nobody_wrote(void **state)
{
    struct fixture *f = *state;
    struct page_verdict verdict = load(f, 0x1000, 8, PRIVATE);
    assert_false(verdict.foreign);
    assert_true(verdict.settled);
    assert_false(verdict.written);
    assert_false(load(f, 0x1000, 8, SHARED).foreign);
}

static void test_read_through_the_other_view(void **state)
{
    struct fixture *f = *state;
    assert_true(store(f, 0x1000, 8, PRIVATE).settled);
    assert_true(load(f, 0x1FF8, 8, PRIVATE).settled);
    struct page_verdict verdict = load(f, 0x1008, 8, SHARED);
    assert_true(verdict.foreign);
    assert_false(verdict.settled);
    assert_int_equal(verdict.owner, OWNER_PRIVATE);
    assert_int_equal(verdict.gpa, 0x1008);
    assert_false(load(f, 0x2000, 8, SHARED).foreign);
}

/* Writing first is how a page changes sides; a block counts as written with its first byte. */
static void test_write_first(void **state)
{
    struct fixture *f = *state;
    store(f, 0x1000, 8, PRIVATE);
    assert_false(store(f, 0x1020, 1, SHARED).settled);
    assert_false(load(f, 0x1020, 16, SHARED).foreign);
    struct page_verdict verdict = load(f, 0x1020, 32, SHARED);
    assert_true(verdict.foreign);
    assert_int_equal(verdict.gpa, 0x1030);
    assert_true(load(f, 0x1020, 1, PRIVATE).foreign);
    assert_true(store(f, 0x1000, MEMORY_PAGE_SIZE, SHARED).settled);
    assert_false(load(f, 0x1FF0, 16, SHARED).foreign);
    assert_true(load(f, 0x1FF0, 16, PRIVATE).foreign);
}

static void test_launched_page(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(memory_encrypt_in_place(f->memory, 0x3000, MEMORY_PAGE_SIZE, 1), 0);
    assert_false(load(f, 0x3000, 8, PRIVATE).foreign);
    assert_true(load(f, 0x3000, 8, SHARED).foreign);
}

static void test_probe_touches_nothing(void **state)
{
    struct fixture *f = *state;
    store(f, 0x1000, 8, PRIVATE);
    assert_false(store(f, 0x1000, 0, SHARED).settled);
    assert_false(load(f, 0x1000, 8, PRIVATE).foreign);
}

static void test_devices(void **state)
{
    struct fixture *f = *state;
    struct page_verdict verdict;
    store(f, 0x1000, 8, PRIVATE);
    check_pages_device(f->pages, 0x1010, 16, false, OWNER_DEVICE, &verdict);
    assert_true(verdict.foreign);
    check_pages_device(f->pages, 0x1010, 16, true, OWNER_DEVICE + 4, &verdict);
    assert_false(verdict.foreign);
    verdict = load(f, 0x1010, 4, PRIVATE);
    assert_true(verdict.foreign);
    assert_int_equal(verdict.owner, OWNER_DEVICE + 4);
    assert_false(load(f, 0x1010, 4, SHARED).foreign);
    assert_true(check_pages_shared(f->pages, 0x1000));
    assert_false(check_pages_shared(f->pages, 0x2000));
}

static void test_cached_lines(void **state)
{
    struct fixture *f = *state;
    store(f, 0x1000, 8, PRIVATE);
    for (unsigned line = 0; line < 63; line++)
        check_pages_flush_line(f->pages, 0x1000 + line * 64, PRIVATE);
    check_pages_flush_line(f->pages, 0x1000 + 63 * 64, SHARED); /* another line to the cache */
    struct page_verdict verdict = store(f, 0x1000, 8, SHARED);
    assert_true(verdict.stale);
    assert_int_equal(verdict.stale_lines, 1);
    for (unsigned line = 0; line < 64; line++)
        check_pages_flush_line(f->pages, 0x1000 + line * 64, SHARED);
    assert_false(store(f, 0x1000, 8, PRIVATE).stale);
}

static void test_caches_of_processors(void **state)
{
    struct fixture *f = *state;
    struct page_verdict verdict;
    check_pages_access(f->pages, 2, 0x1000, 8, true, PRIVATE, &verdict);
    check_pages_flush_all(f->pages, 0);
    check_pages_access(f->pages, 0, 0x1000, 8, true, SHARED, &verdict);
    assert_true(verdict.stale);
    check_pages_flush_all(f->pages, 0);
    check_pages_access(f->pages, 2, 0x1000, 8, true, PRIVATE, &verdict);
    assert_false(verdict.stale);
}

/* --- translations --------------------------------------------------------------------------- */

static bool use(struct check_tlb *tlb, uint64_t linear, uint64_t gpa, bool private_view,
                unsigned shift, bool global, unsigned pcid)
{
    const struct cpu_access access = {
        .rip = 0x77, .linear = linear, .gpa = gpa, .size = 8, .page_shift = shift,
        .view = private_view ? 1 : MEMORY_RAW, .paged = true, .global = global, .pcid = pcid };
    uint64_t rip = 0;
    bool stale = check_tlb_use(tlb, &access, &rip);
    assert_int_equal(rip, stale ? 0x77 : 0);
    return stale;
}

static void test_translations(void **state)
{
    struct check_tlb *tlb = check_tlb_create();
    assert_non_null(tlb);
    assert_false(use(tlb, 0x5008, 0x1008, PRIVATE, 12, false, 0));
    assert_true(use(tlb, 0x5010, 0x1010, SHARED, 12, false, 0));
    assert_false(use(tlb, 0x5010, 0x1010, SHARED, 12, false, 0));
    assert_false(use(tlb, 0x5010, 0x2010, PRIVATE, 12, false, 0)); /* another frame */
    check_tlb_flush(tlb, CPU_FLUSH_PAGE, 0x5FFF, 0);
    assert_false(use(tlb, 0x5010, 0x2010, SHARED, 12, false, 0));
    check_tlb_flush(tlb, CPU_FLUSH_CR3, 0x9000, 0);
    assert_false(use(tlb, 0x5010, 0x2010, PRIVATE, 12, true, 0));
    check_tlb_flush(tlb, CPU_FLUSH_CR3, 0x9000, 0); /* leaves global ones */
    assert_true(use(tlb, 0x5010, 0x2010, SHARED, 12, true, 0));
    check_tlb_flush(tlb, CPU_FLUSH_ALL, 0, 0);
    assert_false(use(tlb, 0x5010, 0x2010, PRIVATE, 12, true, 0));
    check_tlb_destroy(tlb);
}

static void test_large_translations(void **state)
{
    struct check_tlb *tlb = check_tlb_create();
    assert_false(use(tlb, 0x400000, 0x800000, PRIVATE, 21, false, 0));
    assert_true(use(tlb, 0x403000, 0x803000, SHARED, 12, false, 0)); /* split, not flushed */
    check_tlb_flush(tlb, CPU_FLUSH_ALL, 0, 0);
    assert_false(use(tlb, 0x400000, 0x800000, PRIVATE, 21, false, 0));
    check_tlb_flush(tlb, CPU_FLUSH_PAGE, 0x5FF000, 0); /* drops all of a large page */
    assert_false(use(tlb, 0x403000, 0x803000, SHARED, 12, false, 0));
    check_tlb_destroy(tlb);
}

static void test_contexts(void **state)
{
    struct check_tlb *tlb = check_tlb_create();
    assert_false(use(tlb, 0x5000, 0x1000, PRIVATE, 12, false, 7));
    assert_false(use(tlb, 0x6000, 0x1000, SHARED, 12, false, 8));
    check_tlb_flush(tlb, CPU_FLUSH_CR3, 1ull << 63 | 7, 7);
    assert_true(use(tlb, 0x5000, 0x1000, SHARED, 12, false, 7));
    check_tlb_flush(tlb, CPU_FLUSH_CR3, 7, 7);
    assert_false(use(tlb, 0x5000, 0x1000, PRIVATE, 12, false, 7));
    assert_true(use(tlb, 0x6000, 0x1000, PRIVATE, 12, false, 8));
    check_tlb_flush(tlb, CPU_FLUSH_NOT_GLOBAL, 0, 0);
    assert_false(use(tlb, 0x6000, 0x1000, SHARED, 12, false, 8));
    check_tlb_destroy(tlb);
}

/* --- secrets -------------------------------------------------------------------------------- */

static void test_secrets(void **state)
{
    static const char text[] = "correct horse battery staple";
    struct check_secret *secret = check_secret_create();
    struct check_secret_match match;
    uint8_t data[5000];
    memset(data, 'x', sizeof(data));
    assert_true(check_secret_empty(secret));
    assert_false(check_secret_find(secret, data, sizeof(data), &match));
    assert_true(check_secret_add(secret, 3, text, sizeof(text) - 1));
    assert_false(check_secret_find(secret, data, sizeof(data), &match));
    memcpy(data + 4091, text + 5, 15); /* one byte too short */
    assert_false(check_secret_find(secret, data, sizeof(data), &match));
    memcpy(data + 4091, text + 5, 16);
    assert_true(check_secret_find(secret, data, sizeof(data), &match));
    assert_int_equal(match.at, 4091);
    assert_int_equal(match.name, 3);
    assert_int_equal(match.offset, 5);
    check_secret_destroy(secret);
}

/* Padding is no secret; many pieces make the table grow. */
static void test_many_pieces(void **state)
{
    struct check_secret *secret = check_secret_create();
    struct check_secret_match match;
    static uint8_t data[20000];
    uint32_t random = 1;
    assert_true(check_secret_add(secret, 0, data, sizeof(data)));
    assert_true(check_secret_empty(secret));
    for (size_t n = 0; n < sizeof(data); n++) {
        random = random * 1664525 + 1013904223;
        data[n] = (uint8_t)(random >> 24);
    }
    assert_true(check_secret_add(secret, 1, data, sizeof(data)));
    for (size_t n = 0; n + 16 <= sizeof(data); n += 999) {
        assert_true(check_secret_find(secret, data + n, 16, &match));
        assert_int_equal(match.offset, n);
    }
    check_secret_destroy(secret);
}

int main(void)
{
#define PAGES(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        PAGES(test_nobody_wrote),
        PAGES(test_read_through_the_other_view),
        PAGES(test_write_first),
        PAGES(test_launched_page),
        PAGES(test_probe_touches_nothing),
        PAGES(test_devices),
        PAGES(test_cached_lines),
        PAGES(test_caches_of_processors),
        cmocka_unit_test(test_translations),
        cmocka_unit_test(test_large_translations),
        cmocka_unit_test(test_contexts),
        cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_many_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
