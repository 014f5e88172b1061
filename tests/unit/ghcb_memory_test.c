/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * VMGEXIT and memory: where the page may be, scratch areas, string I/O and MMIO with every size, and
 * memory that becomes something else meanwhile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "machine/cpu/observer.h"
#include "machine/cpu/system.h"
#include "sev/bytes.h"
#include "tests/unit/ghcb_rig.h"

/* --- where the page is ------------------------------------------------------------------------ */

/* KVM: the guest goes on, and nothing was done. Page 0 is RAM here; its MSR is that of no page. */
static void no_page(void **state)
{
    struct machine *m = *state;
    static const uint64_t pages[] = { 0, RAM_END, DEVICE, FLASH, SHADOW, ROM, 1ull << 40 | GHCB,
                                      1ull << 51 | GHCB, UINT64_MAX - 0xFFF };
    struct ask ask = { SEV_EXIT_TERMINATE };
    uint8_t page[SEV_GHCB_SIZE], after[SEV_GHCB_SIZE];
    build_page(&ask, page);
    put_bytes(m, 0, page, sizeof(page));
    put_bytes(m, FLASH, page, sizeof(page));
    for (unsigned readable = 0; readable < 2; readable++) {
        memory_rom_readable(m->memory, FLASH, FLASH_END - FLASH, readable);
        for (size_t k = 0; k < COUNT(pages); k++) {
            assert_int_equal(ghcb_exit(&m->ghcb[0], pages[k]), pages[k]);
            assert_false(m->told.in_memory);
            assert_int_equal(m->told.page, pages[k]);
        }
    }
    assert_int_equal(m->tells, 2 * COUNT(pages));
    assert_int_equal(m->ends, 0);
    for (unsigned k = 0; k < 2; k++) {
        memory_read(m->memory, k ? FLASH : 0, after, sizeof(after), MEMORY_RAW);
        assert_memory_equal(after, page, sizeof(page));
    }
}

/* The last page of RAM is one; the hypervisor reads of a private one what DRAM holds. */
static void last_and_private_page(void **state)
{
    struct machine *m = *state;
    struct ask ask = { SEV_EXIT_AP_JUMP_TABLE, 1 };
    uint8_t page[SEV_GHCB_SIZE];
    struct answer answer = go_on(m, 0, RAM_END - SEV_GHCB_SIZE, &ask);
    expect_results(&answer, SEV_GHCB_DONE, 0);
    build_page(&ask, page);
    assert_int_equal(memory_write(m->memory, GHCB, page, sizeof(page), ASID), 0);
    assert_int_equal(ghcb_exit(&m->ghcb[0], GHCB), GHCB);
    assert_true(m->told.in_memory);
    assert_true(m->told.page_private);
    assert_int_equal(m->told.result1, SEV_GHCB_MALFORMED);
    assert_int_equal(quadword(m, GHCB + SEV_GHCB_EXIT_INFO_1), SEV_GHCB_MALFORMED);
}

/*
 * A request whose port access takes the RAM away from under the page: the ROM that is there then
 * stays as it is, and the RAM below it.
 */
static void page_becomes_rom(void **state)
{
    struct machine *m = *state;
    struct ask ask = { SEV_EXIT_IOIO, OUTS(1u), 2, SCRATCH_, .scratch = RAM };
    uint8_t page[SEV_GHCB_SIZE], after[SEV_GHCB_SIZE], rom[SEV_GHCB_SIZE];
    memset(rom, 0x99, sizeof(rom));
    build_page(&ask, page);
    route_to_ram(m);
    put_bytes(m, 0xF8000, page, sizeof(page));
    m->reroute = SHADOW;
    assert_int_equal(ghcb_exit(&m->ghcb[0], 0xF8000), 0xF8000);
    assert_int_equal(m->count, 2);
    memory_read(m->memory, 0xF8000, after, sizeof(after), MEMORY_RAW);
    assert_memory_equal(after, rom, sizeof(rom));
    route_to_ram(m);
    memory_read(m->memory, 0xF8000, after, sizeof(after), MEMORY_RAW);
    assert_memory_equal(after, page, sizeof(page));
}

#define OF_ROM 0x9999999999999999u

/* Two elements of 4 bytes from 2 below the border on, while memory from `from` to HIGH becomes ROM. */
static void ins_across(struct machine *m, uint64_t border, uint64_t from)
{
    struct ask ask = { SEV_EXIT_IOIO, INS(4u), 2, SCRATCH_, .scratch = border - 2 };
    route_to_ram(m);
    fill(m, border - 8, 16, 0);
    m->reroute = from;
    expect_done(m, &ask);
    assert_int_equal(m->count, 2);
}

/* The same of a scratch area, a part of which stays RAM: whole elements are written or none. */
static void scratch_becomes_rom(void **state)
{
    struct machine *m = *state;
    ins_across(m, ROM, ROM);
    assert_int_equal(quadword(m, ROM - 8), 0);
    assert_int_equal(quadword(m, ROM), OF_ROM);
    route_to_ram(m);
    assert_int_equal(quadword(m, ROM), 0);
    ins_across(m, HIGH, SHADOW);
    assert_int_equal(quadword(m, HIGH - 8), OF_ROM);
    assert_int_equal(quadword(m, HIGH), (uint64_t)0xA1B2C3D5 << 16);
}

/* --- ports ------------------------------------------------------------------------------------ */

static void ports(void **state)
{
    struct machine *m = *state;
    static const struct {
        unsigned size;
        uint64_t read; /* merged into RAX */
        uint32_t written;
    } rows[] = { { 1, 0xFEDCBA98765432D4, 0x10 },
                 { 2, 0xFEDCBA987654C3D4, 0x3210 },
                 { 4, 0xA1B2C3D4, 0x76543210 } };
    for (size_t k = 0; k < COUNT(rows); k++) {
        struct ask ask = { SEV_EXIT_IOIO, IN(rows[k].size), .has = RAX_, .rax = 0xFEDCBA9876543210 };
        assert_int_equal(expect_done(m, &ask).rax, rows[k].read);
        assert_int_equal(m->count, 1);
        expect_access(m, 0, (struct access){ false, false, rows[k].size, PORT, 0 });
        ask.info1 = OUT(rows[k].size) | 0xFFFFFFFFull << 32; /* of which nothing is defined */
        assert_int_equal(expect_done(m, &ask).rax, ask.rax);
        assert_int_equal(m->count, 1);
        expect_access(m, 0, (struct access){ false, true, rows[k].size, PORT, rows[k].written });
    }
    assert_int_equal(m->observed_ports, 6);
}

static void port_sizes(void **state)
{
    struct machine *m = *state;
    static const unsigned sizes[] = { 0, 3, 5, 6, 7 };
    static const unsigned kinds[] = { 0, SEV_IOIO_IN, SEV_IOIO_STRING, SEV_IOIO_STRING | SEV_IOIO_IN };
    for (size_t k = 0; k < COUNT(sizes) * COUNT(kinds); k++) {
        struct ask ask = { SEV_EXIT_IOIO, OUT(sizes[k / COUNT(kinds)]) | kinds[k % COUNT(kinds)], 1,
                           RAX_ | SCRATCH_, .rax = 3, .scratch = BUFFER };
        expect_error(m, &ask, SEV_GHCB_ERROR_INPUT);
    }
}

static void strings(void **state)
{
    struct machine *m = *state;
    static const uint8_t text[12] = "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C";
    static const uint32_t first[] = { 0, 0x01, 0x0201, 0, 0x04030201 };
    static const uint32_t last[] = { 0, 0x03, 0x0605, 0, 0x0C0B0A09 };
    for (unsigned size = 1; size <= 4; size *= 2) {
        struct ask ask = { SEV_EXIT_IOIO, OUTS(size), 3, SCRATCH_, .scratch = BUFFER };
        fill(m, BUFFER, 16, NOISE);
        put_bytes(m, BUFFER, text, sizeof(text));
        expect_done(m, &ask);
        assert_int_equal(m->count, 3);
        expect_access(m, 0, (struct access){ false, true, size, PORT, first[size] });
        expect_access(m, 2, (struct access){ false, true, size, PORT, last[size] });
        assert_int_equal(m->told.scratch_read, 3 * size);
        ask.info1 = INS(size);
        expect_done(m, &ask);
        assert_int_equal(m->count, 3);
        expect_access(m, 2, (struct access){ false, false, size, PORT, 0 });
        uint64_t mask = (1ull << 8 * size) - 1;
        assert_int_equal(quadword(m, BUFFER) & mask, 0xA1B2C3D4 & mask);
        assert_int_equal(quadword(m, BUFFER + size) & mask, 0xA1B2C3D5 & mask);
        assert_int_equal(quadword(m, BUFFER + 2 * size) & mask, 0xA1B2C3D6 & mask);
        assert_int_equal(quadword(m, BUFFER + 3 * size) & 0xFF, size == 4 ? NOISE : 3 * size + 1);
        assert_int_equal(m->told.scratch_read, 0);
    }
}

/* Products that would come out small, and none at all. */
static void string_counts(void **state)
{
    struct machine *m = *state;
    static const struct {
        uint64_t count;
        unsigned size;
    } rows[] = { { 1ull << 62, 4 },     { (1ull << 62) + 1, 4 }, { 1ull << 63, 2 },
                 { (1ull << 63) + 1, 2 }, { UINT64_MAX, 1 },       { UINT64_MAX, 4 },
                 { LIMIT + 1, 1 },        { LIMIT / 2 + 1, 2 },    { LIMIT / 4 + 1, 4 } };
    for (size_t k = 0; k < 2 * COUNT(rows); k++) {
        struct ask ask = { SEV_EXIT_IOIO, k % 2 ? INS(rows[k / 2].size) : OUTS(rows[k / 2].size),
                           rows[k / 2].count, SCRATCH_, .scratch = RAM };
        expect_error(m, &ask, SEV_GHCB_ERROR_SCRATCH);
    }
    struct ask ask = { SEV_EXIT_IOIO, INS(4u), 0, SCRATCH_, .scratch = RAM };
    expect_done(m, &ask);
    assert_int_equal(m->count, 0);
}

/* --- scratch areas ---------------------------------------------------------------------------- */

static const struct {
    uint64_t start, size;
    bool good;
} areas[] = {
    { BUFFER, 8, true },
    { BUFFER, SEV_GHCB_BUFFER_SIZE, true },
    { BUFFER, SEV_GHCB_BUFFER_SIZE + 1, false },
    { BUFFER + SEV_GHCB_BUFFER_SIZE - 1, 1, true },
    { BUFFER + SEV_GHCB_BUFFER_SIZE - 1, 2, false },
    { BUFFER + SEV_GHCB_BUFFER_SIZE, 1, false },
    { BUFFER - 1, 1, false },
    { BUFFER - 1, 8, false },
    { BUFFER, UINT64_MAX - BUFFER, false },
    { GHCB, 1, false },
    { GHCB + SEV_GHCB_VALID, 16, false },
    { GHCB + SEV_GHCB_SIZE - 1, 1, false },
    { GHCB + SEV_GHCB_SIZE - 1, 2, false },
    { GHCB + SEV_GHCB_SIZE, 8, true },
    { 0, 1, false },
    { 0, 0, false },
    { 1, 1, true },
    { RAM, LIMIT, true },
    { RAM + 0x123, LIMIT, true },
    { RAM, LIMIT + 1, false },
    { RAM, UINT64_MAX, false },
    { RAM_END - 8, 8, true },
    { RAM_END - 8, 9, false },
    { RAM_END - 1, 1, true },
    { RAM_END, 1, false },
    { SHADOW - 8, 8, true },
    { SHADOW - 8, 9, false },
    { HIGH - 1, 2, false },
    { HIGH, 0, true },
    { FLASH, 8, false },
    { FLASH_END - 1, 1, false },
    { DEVICE, 8, false },
    { 1ull << 40 | RAM, 8, false },
    { 1ull << 51 | RAM, 8, false },
    { UINT64_MAX - 15, 8, false },
    { UINT64_MAX - 7, 8, false },
    { UINT64_MAX - 7, 16, false },
    { UINT64_MAX, 1, false },
    { UINT64_MAX, RAM, false },
};

/* Each by each way to use it: INS, OUTS, MMIO read and write. */
static void scratch_areas(void **state)
{
    struct machine *m = *state;
    static const struct ask ways[] = { { SEV_EXIT_IOIO, INS(1u) },
                                       { SEV_EXIT_IOIO, OUTS(1u) },
                                       { SEV_EXIT_MMIO_READ, DEVICE },
                                       { SEV_EXIT_MMIO_WRITE, DEVICE } };
    for (size_t k = 0; k < COUNT(areas) * COUNT(ways); k++) {
        struct ask ask = ways[k % COUNT(ways)];
        uint64_t size = areas[k / COUNT(ways)].size;
        ask.info2 = size;
        ask.has = SCRATCH_;
        ask.scratch = areas[k / COUNT(ways)].start;
        fill(m, 1, 1, NOISE);
        if (!areas[k / COUNT(ways)].good) {
            expect_error(m, &ask, SEV_GHCB_ERROR_SCRATCH);
            continue;
        }
        expect_done(m, &ask);
        uint64_t accesses = ask.code == SEV_EXIT_IOIO ? size : size / 8 + __builtin_popcountll(size % 8);
        assert_int_equal(m->count, accesses);
    }
    memory_rom_readable(m->memory, FLASH, FLASH_END - FLASH, false);
    struct ask ask = { SEV_EXIT_IOIO, INS(1u), 8, SCRATCH_, .scratch = FLASH };
    expect_error(m, &ask, SEV_GHCB_ERROR_SCRATCH);
}

/* What is around the area stays. */
static void scratch_bounds(void **state)
{
    struct machine *m = *state;
    static const uint64_t areas_of[] = { BUFFER + 3, RAM + 0xFFE };
    for (size_t k = 0; k < 2 * COUNT(areas_of); k++) {
        struct ask ask = { k % 2 ? SEV_EXIT_MMIO_READ : SEV_EXIT_IOIO, k % 2 ? DEVICE : INS(1u), 5,
                           SCRATCH_, .scratch = areas_of[k / 2] };
        fill(m, ask.scratch - 3, 16, NOISE);
        expect_done(m, &ask);
        assert_int_equal(quadword(m, ask.scratch - 3) & 0xFFFFFF, 0xEEEEEE);
        assert_int_equal(quadword(m, ask.scratch + 5), 0xEEEEEEEEEEEEEEEE);
        assert_int_equal(quadword(m, ask.scratch) & 0xFFFFFFFFFF, k % 2 ? 0x4443424140 : 0xD8D7D6D5D4);
    }
}

/* A host reads what DRAM holds, and what it writes there is noise to the guest. */
static void private_scratch(void **state)
{
    struct machine *m = *state;
    uint8_t plain[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, seen[8];
    struct ask ask = { SEV_EXIT_MMIO_WRITE, DEVICE, 8, SCRATCH_, .scratch = RAM };
    assert_int_equal(memory_write(m->memory, RAM, plain, 8, ASID), 0);
    expect_done(m, &ask);
    assert_int_equal(m->accesses[0].value, quadword(m, RAM));
    assert_int_not_equal(m->accesses[0].value, load_le64(plain));
    assert_int_equal(memory_write(m->memory, RAM, plain, 8, ASID), 0);
    ask.code = SEV_EXIT_MMIO_READ;
    expect_done(m, &ask);
    assert_int_equal(quadword(m, RAM), device_bytes(DEVICE, 8));
    assert_int_equal(memory_read(m->memory, RAM, seen, 8, ASID), 0);
    assert_int_not_equal(load_le64(seen), device_bytes(DEVICE, 8));
}

/* --- devices' memory -------------------------------------------------------------------------- */

static const struct {
    uint64_t gpa;
    unsigned size, pieces[5];
} splits[] = {
    { DEVICE, 1, { 1 } },
    { DEVICE, 2, { 2 } },
    { DEVICE, 4, { 4 } },
    { DEVICE, 8, { 8 } },
    { DEVICE, 16, { 8, 8 } },
    { DEVICE, 7, { 4, 2, 1 } },
    { DEVICE + 4, 8, { 4, 4 } },
    { DEVICE + 2, 4, { 2, 2 } },
    { DEVICE + 1, 8, { 1, 2, 4, 1 } },
    { DEVICE + 3, 5, { 1, 4 } },
    { DEVICE + 0xFFC, 8, { 4, 4 } },
    { DEVICE + 0xFFF, 8, { 1, 4, 2, 1 } },
    { RAM_END, 8, { 8 } },
    { 1ull << 51 | RAM, 8, { 8 } },
    { UINT64_MAX - 7, 8, { 8 } },
    { 0, 0, { 0 } },
};

/* Which accesses a request made; `data`: what was written, NULL for a read. */
static void expect_pieces(struct machine *m, size_t k, const uint8_t *data)
{
    unsigned n = 0;
    for (unsigned at = 0; splits[k].pieces[n]; at += splits[k].pieces[n++]) {
        unsigned size = splits[k].pieces[n];
        uint64_t value = data ? load_le64(data + at) & ~0ull >> (64 - 8 * size) : 0;
        expect_access(m, n, (struct access){ true, data, size, splits[k].gpa + at, value });
    }
    assert_int_equal(m->count, n);
    assert_int_equal(m->observed_mmio, n);
    m->observed_mmio = 0;
}

static void mmio_reads(void **state)
{
    struct machine *m = *state;
    uint8_t seen[16], expected[16];
    for (size_t k = 0; k < COUNT(splits); k++) {
        struct ask ask = { SEV_EXIT_MMIO_READ, splits[k].gpa, splits[k].size, SCRATCH_,
                           .scratch = BUFFER + 1 };
        for (unsigned b = 0; b < sizeof(expected); b++)
            expected[b] = (uint8_t)(b < splits[k].size ? device_bytes(ask.info1 + b, 1) : NOISE);
        fill(m, BUFFER + 1, sizeof(seen), NOISE);
        expect_done(m, &ask);
        memory_read(m->memory, BUFFER + 1, seen, sizeof(seen), MEMORY_RAW);
        assert_memory_equal(seen, expected, sizeof(seen));
        assert_int_equal(m->told.scratch_read, 0);
        expect_pieces(m, k, NULL);
    }
}

static void mmio_writes(void **state)
{
    struct machine *m = *state;
    uint8_t data[32];
    for (unsigned b = 0; b < sizeof(data); b++)
        data[b] = (uint8_t)(0x10 + b);
    put_bytes(m, BUFFER + 1, data, sizeof(data));
    for (size_t k = 0; k < COUNT(splits); k++) {
        struct ask ask = { SEV_EXIT_MMIO_WRITE, splits[k].gpa, splits[k].size, SCRATCH_,
                           .scratch = BUFFER + 1 };
        expect_done(m, &ask);
        assert_int_equal(m->told.scratch_read, splits[k].size);
        expect_pieces(m, k, data);
    }
}

static struct answer mmio(struct machine *m, enum sev_exit code, uint64_t gpa, unsigned size)
{
    struct ask ask = { code, gpa, size, SCRATCH_, .scratch = BUFFER };
    return expect_done(m, &ask);
}

/* What the address is, the host finds: no device is asked. */
static void mmio_of_memory(void **state)
{
    struct machine *m = *state;
    uint8_t plain[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    put_bytes(m, RAM, plain, 8);
    mmio(m, SEV_EXIT_MMIO_READ, RAM, 8);
    assert_int_equal(quadword(m, BUFFER), load_le64(plain));
    fill(m, BUFFER, 8, 0x5A);
    mmio(m, SEV_EXIT_MMIO_WRITE, RAM + 3, 2);
    assert_int_equal(quadword(m, RAM), 0x0807065A5A030201);
    assert_int_equal(m->count, 0);
    assert_int_equal(memory_write(m->memory, RAM, plain, 8, ASID), 0);
    mmio(m, SEV_EXIT_MMIO_READ, RAM, 8);
    assert_int_not_equal(quadword(m, BUFFER), load_le64(plain));
    assert_int_equal(quadword(m, BUFFER), quadword(m, RAM));
    assert_int_equal(m->observed_mmio, 0);
    fill(m, RAM_END - 4, 4, 0x77);
    mmio(m, SEV_EXIT_MMIO_READ, RAM_END - 4, 8); /* half of it is */
    assert_int_equal(m->count, 1);
    expect_access(m, 0, (struct access){ true, false, 4, RAM_END, 0 });
    assert_int_equal(quadword(m, BUFFER), device_bytes(RAM_END, 4) << 32 | 0x77777777);
    mmio(m, SEV_EXIT_MMIO_READ, UINT64_MAX - 3, 8); /* and 0 follows the last address */
    assert_int_equal(m->count, 1);
}

static void mmio_of_flash(void **state)
{
    struct machine *m = *state;
    mmio(m, SEV_EXIT_MMIO_READ, FLASH + 8, 8);
    assert_int_equal(m->count, 0);
    assert_int_equal(quadword(m, BUFFER), 0x9999999999999999);
    fill(m, BUFFER, 8, 0x40);
    for (unsigned readable = 2; readable-- > 0;) {
        memory_rom_readable(m->memory, FLASH, FLASH_END - FLASH, readable);
        mmio(m, SEV_EXIT_MMIO_WRITE, FLASH + 8, 1);
        assert_int_equal(m->count, 1);
        expect_access(m, 0, (struct access){ true, true, 1, FLASH + 8, 0x40 });
        assert_int_equal(quadword(m, FLASH + 8), 0x9999999999999999);
    }
    mmio(m, SEV_EXIT_MMIO_READ, FLASH + 8, 2); /* command mode */
    assert_int_equal(m->count, 1);
    expect_access(m, 0, (struct access){ true, false, 2, FLASH + 8, 0 });
    assert_int_equal(quadword(m, BUFFER) & 0xFFFF, device_bytes(FLASH + 8, 2));
}

/* A request may name its own page: what it is answered stands there in the end. */
static void mmio_of_the_page(void **state)
{
    struct machine *m = *state;
    fill(m, BUFFER, SEV_GHCB_BUFFER_SIZE, 0xFF);
    struct ask ask = { SEV_EXIT_MMIO_WRITE, GHCB + SEV_GHCB_RAX, 8, SCRATCH_, .scratch = BUFFER };
    assert_int_equal(expect_done(m, &ask).rax, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_page),
        TEST(last_and_private_page),
        TEST(page_becomes_rom),
        TEST(scratch_becomes_rom),
        TEST(ports),
        TEST(port_sizes),
        TEST(strings),
        TEST(string_counts),
        TEST(scratch_areas),
        TEST(scratch_bounds),
        TEST(private_scratch),
        TEST(mmio_reads),
        TEST(mmio_writes),
        TEST(mmio_of_memory),
        TEST(mmio_of_flash),
        TEST(mmio_of_the_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
