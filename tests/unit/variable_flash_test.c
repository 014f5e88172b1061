/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The firmware's variable store over a flash chip whose power goes: at each single byte that is
 * programmed and at each block that is erased, cleanly and with the operation half done, and again
 * during the repair. After the next start the variable that was being written has its old or its new
 * value, all others are as they were. Then stores that are damaged, foreign, or in OVMF's hands.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/lib/log.h"
#include "firmware/uefi/services.h"
#include "firmware/uefi/variable_flash.h"

#define NV_BS_RT 7u
#define CHIP_MAX 0x84000u
#define NO_CUT   UINT64_MAX

enum { NAMES = 12, VALUE_MAX = 9000, PIECE = 256 };

/* --- the chip --- */

static uint8_t chip[CHIP_MAX];
static uint32_t chip_size;
static bool chip_absent, chip_read_only;
static uint64_t operations, cut_at = NO_CUT; /* the operation that the power does not live to see */
static bool torn, dead;
static uint64_t random_state = 1;
static char last_line[200];

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % limit;
}

bool flash_find(uint64_t end, struct flash_chip *ret)
{
    if (chip_absent)
        return false;
    *ret = (struct flash_chip){ end - chip_size, chip_size, !chip_read_only };
    return true;
}

void flash_move(uint64_t base)
{
    (void)base;
}

void flash_read(uint32_t offset, void *data, size_t length)
{
    assert_true(offset <= chip_size && length <= chip_size - offset);
    memcpy(data, chip + offset, length);
}

/* Counts an operation. False: no power for it any more. */
static bool powered(void)
{
    if (dead)
        return false;
    dead = operations++ == cut_at;
    return !dead;
}

/* Some of the bits of a byte change, some do not. */
static void half_change(uint32_t offset, uint8_t value)
{
    chip[offset] ^= (chip[offset] ^ value) & (uint8_t)random_below(256);
}

/* A buffered program that dies: any bytes up to the buffer's end are there, or in part. */
static void tear_program(uint32_t offset, const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length && (i == 0 || (offset + i) % PIECE); i++)
        half_change(offset + (uint32_t)i, data[i]);
}

bool flash_program(uint32_t offset, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    assert_true(offset <= chip_size && length <= chip_size - offset);
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == chip[offset + i])
            continue;
        assert_int_equal(chip[offset + i] & bytes[i], bytes[i]); /* bits are only cleared */
        if (!powered()) {
            if (torn && dead && operations == cut_at + 1) {
                tear_program(offset + (uint32_t)i, bytes + i, length - i);
                operations++; /* once */
            }
            return false;
        }
        chip[offset + i] = bytes[i];
    }
    return true;
}

bool flash_erase(uint32_t offset)
{
    assert_true(offset % FLASH_BLOCK == 0 && offset < chip_size);
    uint32_t done = FLASH_BLOCK;
    bool alive = powered();
    if (!alive && torn && operations == cut_at + 1) {
        operations++;
        done = random_below(2) ? random_below(FLASH_BLOCK) : 0;
        for (uint32_t i = done; done == 0 && i < FLASH_BLOCK; i++)
            half_change(offset + i, 0xFF);
    } else if (!alive) {
        return false;
    }
    memset(chip + offset, 0xFF, done);
    return alive;
}

void log_line(const char *fmt, ...)
{
    va_list arguments;
    va_start(arguments, fmt);
    vsnprintf(last_line, sizeof(last_line), fmt, arguments);
    va_end(arguments);
}

/* --- the store and what should be in it --- */

static _Alignas(8) uint8_t area[VARIABLE_STORE_MAX];
static struct variable_store store;
static struct flash_chip found;

struct value {
    uint32_t size; /* 0: none */
    uint8_t data[VALUE_MAX];
};
static struct value model[NAMES];
static EFI_GUID vendor = { 0x12345678, 1, 2, { 3, 4, 5, 6, 7, 8, 9, 10 } };

static const CHAR16 *name_of(unsigned i)
{
    static CHAR16 name[8];
    memcpy(name, u"Name_", sizeof(u"Name_"));
    name[4] = (CHAR16)('A' + i);
    return name;
}

static enum variable_flash start(void)
{
    dead = false;
    operations = 0;
    last_line[0] = '\0';
    memset(area, 0, sizeof(area));
    return variable_flash_open(&store, area, &found);
}

/* The power is back. */
static void restart(void)
{
    cut_at = NO_CUT;
    assert_int_equal(start(), VARIABLE_FLASH_WRITABLE);
}

static bool holds(unsigned i, const struct value *value)
{
    const struct variable *v = store_find(&store, name_of(i), &vendor);
    if (!v || value->size == 0)
        return !v && value->size == 0;
    return v->data_size == value->size && v->attributes == NV_BS_RT &&
           memcmp(variable_data(v), value->data, value->size) == 0;
}

static EFI_STATUS put(unsigned i, const struct value *value)
{
    static _Alignas(4) uint8_t scratch[sizeof(struct variable) + 64 + VALUE_MAX];
    struct variable *v = (struct variable *)(void *)scratch;
    struct variable *old = store_find(&store, name_of(i), &vendor);
    if (value->size == 0)
        return old ? store_delete(&store, old) : EFI_NOT_FOUND;
    memset(v, 0, sizeof(*v));
    v->attributes = NV_BS_RT;
    v->vendor = vendor;
    v->name_size = sizeof(u"Name_");
    v->data_size = value->size;
    memcpy(v->content, name_of(i), v->name_size);
    memcpy(v->content + v->name_size, value->data, value->size);
    return store_put(&store, old, v);
}

static void random_value(struct value *ret)
{
    uint32_t kind = random_below(10);
    ret->size = kind == 0 ? 0 : kind < 8 ? 1 + random_below(300) : 1 + random_below(VALUE_MAX);
    for (uint32_t i = 0; i < ret->size; i++)
        ret->data[i] = (uint8_t)(random_below(4) ? random_below(256) : 0xFF);
}

/* --- loss of power --- */

struct snapshot {
    uint8_t chip[CHIP_MAX], area[VARIABLE_STORE_MAX];
    struct variable_store store;
};
static struct snapshot before;

static void save(void)
{
    memcpy(before.chip, chip, chip_size);
    memcpy(before.area, area, sizeof(area));
    before.store = store;
}

/* To where the chip's content is that of the snapshot, by a start of its own. */
static void go_back(void)
{
    memcpy(chip, before.chip, chip_size);
    restart();
    assert_memory_equal(area, before.area, before.store.used);
}

static void check_all(unsigned written, const struct value *old, const struct value *new)
{
    for (unsigned i = 0; i < NAMES; i++) {
        if (i != written)
            assert_true(holds(i, &model[i]));
    }
    assert_true(holds(written, old) || holds(written, new));
}

static unsigned cuts, cuts_in_repair;

/* The power goes at operation `at` of writing the value, and perhaps once more in the repair. */
static void cut(unsigned i, const struct value *new, uint64_t at, bool tear)
{
    go_back();
    operations = 0;
    cut_at = at;
    torn = tear;
    assert_int_equal(put(i, new), EFI_DEVICE_ERROR);
    cuts++;
    for (unsigned again = 0; again < 2 && random_below(3) == 0; again++) {
        cut_at = random_below(random_below(2) ? 40 : 20000);
        (void)start(); /* may live through it */
        cuts_in_repair += dead;
    }
    restart();
    assert_null(strstr(last_line, "lost"));
    check_all(i, &model[i], new);
    bool is_new = holds(i, new);
    restart(); /* and it stays so */
    assert_true(is_new ? holds(i, new) : holds(i, &model[i]));
    check_all(i, &model[i], new);
}

/* All the first and last operations, and some of the many in between. */
static void cut_everywhere(unsigned i, const struct value *new, uint64_t count)
{
    for (uint64_t at = 0; at < count;) {
        cut(i, new, at, false);
        cut(i, new, at, true);
        bool edge = at < 80 || count - at < 80;
        at += edge || count < 400 ? 1 : 1 + random_below((uint32_t)(count / 40));
    }
}

static void one_write(bool with_cuts)
{
    static struct value new;
    unsigned i = random_below(NAMES);
    random_value(&new);
    save();
    operations = 0;
    EFI_STATUS status = put(i, &new);
    uint64_t count = operations;
    if (status == EFI_SUCCESS && with_cuts) {
        cut_everywhere(i, &new, count);
        go_back();
        assert_int_equal(put(i, &new), EFI_SUCCESS);
    }
    if (status == EFI_SUCCESS)
        model[i] = new;
    else
        assert_true(status == EFI_OUT_OF_RESOURCES || (status == EFI_NOT_FOUND && !new.size));
    check_all(i, &model[i], &model[i]);
}

static void blank_chip(uint32_t size)
{
    chip_absent = chip_read_only = false;
    chip_size = size;
    memset(chip, 0, sizeof(chip));
    memset(model, 0, sizeof(model));
    restart();
    restart();
    assert_string_equal(last_line, "");
}

static void power_goes(uint32_t size, unsigned writes, unsigned every)
{
    blank_chip(size);
    for (unsigned n = 0; n < writes; n++)
        one_write(n % every == 0);
}

static void power_goes_2m(void **state)
{
    (void)state;
    power_goes(0x20000, 400, 8);
    assert_true(cuts > 1000 && cuts_in_repair > 100);
}

static void power_goes_4m(void **state)
{
    (void)state;
    power_goes(0x84000, 300, 40);
}

/* Each cut of a replacement of the whole store, the one thing that needs the spare blocks. */
static void power_goes_while_tidying(void **state)
{
    (void)state;
    blank_chip(0x20000);
    static struct value small = { .size = 5, .data = "small" }, old = { .size = 3, .data = "old" };
    assert_int_equal(put(0, &old), EFI_SUCCESS);
    model[0] = old;
    assert_int_equal(put(1, &small), EFI_SUCCESS);
    model[1] = small;
    save();
    operations = 0;
    assert_int_equal(store_tidy(&store), EFI_SUCCESS);
    uint64_t count = operations;
    for (uint64_t at = 0; at < 2 * count; at++) {
        go_back();
        operations = 0;
        cut_at = at / 2;
        torn = at % 2;
        assert_int_equal(store_tidy(&store), EFI_DEVICE_ERROR);
        restart();
        check_all(0, &old, &old);
    }
}

/* More replacements than the working block has room for. */
static void working_block_wraps(void **state)
{
    (void)state;
    blank_chip(0x20000);
    for (unsigned n = 0; n < 120; n++) {
        struct value value = { .size = 1, .data = { (uint8_t)n } };
        assert_int_equal(put(n % NAMES, &value), EFI_SUCCESS);
        assert_int_equal(store_tidy(&store), EFI_SUCCESS);
        if (n % 7 == 0)
            restart();
        assert_true(holds(n % NAMES, &value));
    }
    assert_string_equal(last_line, "");
}

/* --- stores that are not as they should be --- */

static const struct value sample = { .size = 6, .data = "sample" };

static void three_variables(void)
{
    blank_chip(0x84000);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(put(i, &sample), EFI_SUCCESS);
        model[i] = sample;
    }
}

static void one_bad_variable_is_dropped(void **state)
{
    (void)state;
    three_variables();
    chip[0x64 + 4] = 0; /* the first one's attributes */
    restart();
    assert_non_null(strstr(last_line, "some variables are lost"));
    assert_false(holds(0, &sample));
    assert_true(holds(1, &sample) && holds(2, &sample));
    restart();
    assert_string_equal(last_line, "");
    assert_true(!holds(0, &sample) && holds(1, &sample) && holds(2, &sample));
}

static void absurd_length_keeps_what_is_before(void **state)
{
    (void)state;
    three_variables();
    uint32_t second = 0x64 + variable_size(sizeof(u"Name_"), sample.size);
    memset(chip + second + offsetof(struct variable, data_size), 0xF0, 4);
    restart();
    assert_non_null(strstr(last_line, "damaged"));
    assert_true(holds(0, &sample) && !holds(1, &sample) && !holds(2, &sample));
    assert_int_equal(put(1, &sample), EFI_SUCCESS);
    restart();
    assert_string_equal(last_line, "");
    assert_true(holds(0, &sample) && holds(1, &sample));
}

static void bad_headers_mean_a_new_store(void **state)
{
    (void)state;
    static const uint32_t places[] = { 0x11, 0x20, 0x29, 0x33, 0x49, 0x58, 0x5C };
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        three_variables();
        chip[places[i]] ^= 0x10;
        restart();
        assert_non_null(strstr(last_line, "all variables are lost"));
        assert_true(!holds(0, &sample) && !store_next(&store, NULL));
        assert_int_equal(put(0, &sample), EFI_SUCCESS);
        restart();
        assert_string_equal(last_line, "");
        assert_true(holds(0, &sample));
    }
}

static void others_formats_are_left_alone(void **state)
{
    (void)state;
    static const uint8_t plain[16] = { 0x16, 0x36, 0xcf, 0xdd, 0x75, 0x32, 0x64, 0x41,
                                       0x98, 0xb6, 0xfe, 0x85, 0x70, 0x7f, 0xfe, 0x7d };
    static uint8_t copy[CHIP_MAX];
    three_variables();
    memcpy(chip + 0x48, plain, sizeof(plain));
    memcpy(copy, chip, sizeof(copy));
    assert_int_equal(start(), VARIABLE_FLASH_UNKNOWN);
    assert_false(store.lasting);
    assert_int_equal(put(0, &sample), EFI_SUCCESS);
    assert_memory_equal(chip, copy, sizeof(copy));
    chip_size = 0x40000; /* some other chip */
    assert_int_equal(start(), VARIABLE_FLASH_UNKNOWN);
    assert_memory_equal(chip, copy, sizeof(copy));
    chip_absent = true;
    assert_int_equal(start(), VARIABLE_FLASH_ABSENT);
    assert_int_equal(put(0, &sample), EFI_SUCCESS);
    assert_true(holds(0, &sample));
}

static void read_only_chip_can_be_read(void **state)
{
    (void)state;
    static uint8_t copy[CHIP_MAX];
    three_variables();
    memcpy(copy, chip, sizeof(copy));
    chip_read_only = true;
    assert_int_equal(start(), VARIABLE_FLASH_READ_ONLY);
    assert_true(holds(2, &sample));
    struct value changed = { .size = 1, .data = "x" };
    assert_int_equal(put(2, &changed), EFI_SUCCESS);
    assert_true(holds(2, &changed));
    assert_memory_equal(chip, copy, sizeof(copy));
}

/* What edk2 leaves when the power goes between a new variable and the end of the old one. */
static void newest_of_two_counts(void **state)
{
    (void)state;
    three_variables();
    uint32_t second = 0x64 + variable_size(sizeof(u"Name_"), sample.size);
    struct value newer = { .size = 6, .data = "second" };
    assert_int_equal(put(1, &newer), EFI_SUCCESS);
    model[1] = newer;
    chip[second + offsetof(struct variable, state)] = 0x3E;
    restart();
    check_all(1, &newer, &newer);
    assert_int_equal(put(1, &(struct value){ 0 }), EFI_SUCCESS);
    restart();
    assert_null(store_find(&store, name_of(1), &vendor)); /* the old one does not come back */
}

/* The volume's bytes are those of OVMF's own template. */
static void empty_store_is_ovmfs(void **state)
{
    (void)state;
    static const char *const paths[] = { "/usr/share/OVMF/OVMF_VARS_4M.fd",
                                         "/usr/share/OVMF/OVMF_VARS.fd" };
    static uint8_t template[CHIP_MAX];
    for (unsigned i = 0; i < 2; i++) {
        FILE *file = fopen(paths[i], "rb");
        if (!file)
            skip();
        size_t size = fread(template, 1, sizeof(template), file);
        fclose(file);
        blank_chip((uint32_t)size);
        assert_memory_equal(chip, template, size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_goes_2m),
        cmocka_unit_test(power_goes_4m),
        cmocka_unit_test(power_goes_while_tidying),
        cmocka_unit_test(working_block_wraps),
        cmocka_unit_test(one_bad_variable_is_dropped),
        cmocka_unit_test(absurd_length_keeps_what_is_before),
        cmocka_unit_test(bad_headers_mean_a_new_store),
        cmocka_unit_test(others_formats_are_left_alone),
        cmocka_unit_test(read_only_chip_can_be_read),
        cmocka_unit_test(newest_of_two_counts),
        cmocka_unit_test(empty_store_is_ovmfs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
