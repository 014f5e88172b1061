/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The variable services of the firmware on the host: status codes that loaders judge by, shim's sharp
 * edges, UEFI's own variables, what the operating system may do, and the store in flash from one start
 * to the next.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/arch/time.h"
#include "firmware/boot/direct.h"
#include "firmware/lib/log.h"
#include "firmware/platform/flash.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define BS   EFI_VARIABLE_BOOTSERVICE_ACCESS
#define RT   EFI_VARIABLE_RUNTIME_ACCESS
#define NV   EFI_VARIABLE_NON_VOLATILE
#define BSRT (BS | RT)
#define CHIP 0x20000u

bool boot_services_ended;
static uint8_t chip[CHIP];
static bool measured, chip_absent, chip_broken;
static uint64_t moved_to;
static char lines[1000];
static struct {
    uint64_t base, length;
    enum memory_type type;
} announced;
static EFI_EVENT_NOTIFY on_move;
static EFI_TPL level = TPL_APPLICATION;
static uint64_t virtual_offset;
static EFI_GUID guid_a = { 0xAAAAAAAA, 1, 2, { 3 } }, guid_b = { 0xBBBBBBBB, 1, 2, { 3 } };

/* --- the rest of the firmware --- */

bool flash_find(uint64_t end, struct flash_chip *ret)
{
    *ret = (struct flash_chip){ end - CHIP, CHIP, true };
    return !chip_absent;
}

void flash_move(uint64_t base)
{
    moved_to = base;
}

void flash_read(uint32_t offset, void *data, size_t length)
{
    memcpy(data, chip + offset, length);
}

bool flash_program(uint32_t offset, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; !chip_broken && i < length; i++)
        chip[offset + i] &= bytes[i];
    return !chip_broken;
}

bool flash_erase(uint32_t offset)
{
    if (!chip_broken)
        memset(chip + offset, 0xFF, FLASH_BLOCK);
    return !chip_broken;
}

bool direct_measured(void)
{
    return measured;
}

void memory_add(uint64_t base, uint64_t length, enum memory_type type)
{
    announced.base = base;
    announced.length = length;
    announced.type = type;
}

void *pool_allocate(enum memory_type type, size_t size)
{
    (void)type;
    return malloc(size);
}

EFI_TPL EFIAPI bs_raise_tpl(EFI_TPL tpl)
{
    EFI_TPL old = level;
    assert_true(tpl >= old && !boot_services_ended);
    level = tpl;
    return old;
}

VOID EFIAPI bs_restore_tpl(EFI_TPL tpl)
{
    assert_true(tpl <= level && !boot_services_ended);
    level = tpl;
}

EFI_STATUS EFIAPI bs_create_event(UINT32 type, EFI_TPL tpl, EFI_EVENT_NOTIFY function,
                                  VOID *context, EFI_EVENT *ret_event)
{
    (void)tpl;
    (void)context;
    assert_int_equal(type, EVT_SIGNAL_VIRTUAL_ADDRESS_CHANGE);
    on_move = function;
    *ret_event = NULL;
    return EFI_SUCCESS;
}

/* The memory of this process stays where it is, the chip moves. */
EFI_STATUS EFIAPI rt_convert_pointer(UINTN disposition, VOID **address)
{
    (void)disposition;
    uint64_t value = (uintptr_t)*address;
    if (value == announced.base && virtual_offset == 0)
        return EFI_NOT_FOUND;
    if (value == announced.base)
        *address = (void *)(uintptr_t)(value + virtual_offset);
    return EFI_SUCCESS;
}

void rtc_get(struct calendar_time *ret)
{
    *ret = (struct calendar_time){ .year = 2026, .month = 5, .day = 4 };
}

uint64_t interrupts_save(void)
{
    return 0;
}

void interrupts_restore(uint64_t flags)
{
    (void)flags;
}

void log_line(const char *fmt, ...)
{
    strncat(lines, fmt, sizeof(lines) - strlen(lines) - 1);
}

void log_debug(const char *fmt, ...)
{
    (void)fmt;
}

void panic(const char *fmt, ...)
{
    (void)fmt;
    abort();
}

/* --- helpers --- */

/* Power off and on again. */
static void power_cycle(void)
{
    boot_services_ended = chip_broken = false;
    lines[0] = '\0';
    memset(&announced, 0, sizeof(announced));
    variables_init();
    assert_int_equal(level, TPL_APPLICATION);
}

static int fresh(void **state)
{
    (void)state;
    measured = chip_absent = false;
    memset(chip, 0xFF, sizeof(chip));
    power_cycle();
    return 0;
}

static EFI_STATUS set_of(CHAR16 *name, EFI_GUID *vendor, UINT32 attributes, size_t size,
                         const void *data)
{
    EFI_STATUS status =
        rt_set_variable(name, vendor, attributes, size, (void *)(uintptr_t)data);
    assert_int_equal(level, TPL_APPLICATION);
    return status;
}

static EFI_STATUS set(CHAR16 *name, UINT32 attributes, const char *text)
{
    return set_of(name, &guid_a, attributes, strlen(text), text);
}

static void expect_text(CHAR16 *name, const char *text)
{
    char data[64];
    UINTN size = sizeof(data);
    assert_int_equal(rt_get_variable(name, &guid_a, NULL, &size, data), EFI_SUCCESS);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(data, text, size);
}

static EFI_STATUS get_status(CHAR16 *name, EFI_GUID *vendor)
{
    char data[64];
    UINTN size = sizeof(data);
    return rt_get_variable(name, vendor, NULL, &size, data);
}

/* --- tests --- */

static void status_codes(void **state)
{
    (void)state;
    CHAR16 name[] = u"MokListRT", other[] = u"Other", empty[] = u"";
    char data[64];
    UINTN size = sizeof(data);
    UINT32 attributes = 0;
    assert_int_equal(rt_get_variable(name, &guid_a, NULL, &size, data), EFI_NOT_FOUND);
    assert_int_equal(rt_get_variable(empty, &guid_a, NULL, &size, data), EFI_NOT_FOUND);
    assert_int_equal(rt_get_variable(NULL, &guid_a, NULL, &size, data), EFI_INVALID_PARAMETER);
    assert_int_equal(rt_get_variable(name, NULL, NULL, &size, data), EFI_INVALID_PARAMETER);
    assert_int_equal(rt_get_variable(name, &guid_a, NULL, NULL, data), EFI_INVALID_PARAMETER);
    assert_int_equal(set(name, BSRT, ""), EFI_NOT_FOUND);
    assert_int_equal(set(name, BSRT, "0123456789"), EFI_SUCCESS);
    size = 4;
    assert_int_equal(rt_get_variable(name, &guid_a, &attributes, &size, data),
                     EFI_BUFFER_TOO_SMALL);
    assert_int_equal(size, 10);
    assert_int_equal(attributes, BSRT);
    assert_int_equal(rt_get_variable(name, &guid_a, NULL, &size, NULL), EFI_INVALID_PARAMETER);
    expect_text(name, "0123456789");
    assert_int_equal(set(name, BSRT | NV, "x"), EFI_INVALID_PARAMETER);
    assert_int_equal(set(name, BS, ""), EFI_INVALID_PARAMETER);
    assert_int_equal(set(name, BSRT | EFI_VARIABLE_APPEND_WRITE, "AB"), EFI_SUCCESS);
    assert_int_equal(set(name, BSRT | EFI_VARIABLE_APPEND_WRITE, ""), EFI_SUCCESS);
    expect_text(name, "0123456789AB");
    assert_int_equal(set(other, BSRT | EFI_VARIABLE_APPEND_WRITE, ""), EFI_SUCCESS);
    assert_int_equal(get_status(other, &guid_a), EFI_NOT_FOUND);
    assert_int_equal(set(empty, BSRT, "x"), EFI_INVALID_PARAMETER);
    assert_int_equal(set_of(other, &guid_a, BSRT, 1, NULL), EFI_INVALID_PARAMETER);
    assert_int_equal(set(name, 0, "x"), EFI_SUCCESS);
    assert_int_equal(set(name, BSRT, ""), EFI_NOT_FOUND);
    assert_int_equal(set(name, 0, "x"), EFI_NOT_FOUND);
}

static void attributes_are_checked(void **state)
{
    (void)state;
    static const struct {
        UINT32 attributes;
        EFI_STATUS set, query;
    } rows[] = {
        { RT, EFI_INVALID_PARAMETER, EFI_INVALID_PARAMETER },
        { NV, EFI_INVALID_PARAMETER, EFI_INVALID_PARAMETER },
        { NV | RT, EFI_INVALID_PARAMETER, EFI_INVALID_PARAMETER },
        { 0x100 | BSRT, EFI_INVALID_PARAMETER, EFI_SUCCESS },
        { 0x80000000u, EFI_INVALID_PARAMETER, EFI_UNSUPPORTED },
        { BSRT | 0x08, EFI_INVALID_PARAMETER, EFI_INVALID_PARAMETER },
        { NV | BSRT | 0x08, EFI_INVALID_PARAMETER, EFI_UNSUPPORTED },
        { NV | BSRT | 0x10, EFI_UNSUPPORTED, EFI_UNSUPPORTED },
        { NV | BSRT | 0x20, EFI_SECURITY_VIOLATION, EFI_UNSUPPORTED },
        { NV | BSRT | 0x80, EFI_INVALID_PARAMETER, EFI_UNSUPPORTED },
        { NV | BSRT, EFI_SUCCESS, EFI_SUCCESS },
        { BS, EFI_SUCCESS, EFI_SUCCESS },
    };
    CHAR16 name[] = u"Attributes";
    UINT64 a, b, c;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(set(name, rows[i].attributes, "x"), rows[i].set);
        if (rows[i].set == EFI_SUCCESS)
            assert_int_equal(set(name, 0, ""), EFI_SUCCESS);
        assert_int_equal(rt_query_variable_info(rows[i].attributes, &a, &b, &c), rows[i].query);
    }
    assert_int_equal(rt_query_variable_info(0, &a, &b, &c), EFI_INVALID_PARAMETER);
    assert_int_equal(rt_query_variable_info(BS, NULL, &b, &c), EFI_INVALID_PARAMETER);
    boot_services_ended = true;
    assert_int_equal(rt_query_variable_info(BS, &a, &b, &c), EFI_INVALID_PARAMETER);
}

static void enumerated_once(void **state)
{
    (void)state;
    enum { COUNT = 200 };
    CHAR16 name[64] = u"V000";
    static bool seen[COUNT];
    memset(seen, 0, sizeof(seen));
    for (unsigned i = 0; i < COUNT; i++) {
        name[1] = (CHAR16)('0' + i / 100), name[2] = (CHAR16)('0' + i / 10 % 10);
        name[3] = (CHAR16)('0' + i % 10);
        assert_int_equal(set(name, i % 3 ? BSRT : BSRT | NV, "data"), EFI_SUCCESS);
        if (i % 5 == 0)
            assert_int_equal(set(name, i % 3 ? BSRT : BSRT | NV, "other"), EFI_SUCCESS);
    }
    EFI_GUID vendor;
    UINTN size = 2;
    name[0] = 0;
    assert_int_equal(rt_get_next_variable_name(&size, name, &vendor), EFI_BUFFER_TOO_SMALL);
    assert_true(size > 2);
    unsigned count = 0;
    for (;;) {
        size = sizeof(name);
        EFI_STATUS status = rt_get_next_variable_name(&size, name, &vendor);
        if (status == EFI_NOT_FOUND)
            break;
        assert_int_equal(status, EFI_SUCCESS);
        if (memcmp(&vendor, &guid_a, sizeof(vendor)) != 0)
            continue;
        unsigned i = (name[1] - '0') * 100u + (name[2] - '0') * 10u + (name[3] - '0');
        assert_false(seen[i]);
        seen[i] = true;
        count++;
    }
    assert_int_equal(count, COUNT);
    name[0] = 'n';
    size = sizeof(name);
    assert_int_equal(rt_get_next_variable_name(&size, name, &vendor), EFI_INVALID_PARAMETER);
    size = 2;
    assert_int_equal(rt_get_next_variable_name(&size, name, &vendor), EFI_INVALID_PARAMETER);
}

static void fills_and_empties(UINT32 attributes, unsigned least)
{
    static uint8_t data[0x3000];
    CHAR16 name[] = u"BigA";
    UINT64 maximum, remaining, largest, before;
    unsigned count = 0;
    assert_int_equal(rt_query_variable_info(attributes, &maximum, &before, &largest), EFI_SUCCESS);
    assert_true(before <= maximum && before > maximum - 0x1000);
    while (set_of(name, &guid_b, attributes, sizeof(data), data) == EFI_SUCCESS) {
        count++;
        name[3]++;
    }
    assert_int_equal(set_of(name, &guid_b, attributes, sizeof(data), data), EFI_OUT_OF_RESOURCES);
    assert_true(count >= least);
    rt_query_variable_info(attributes, &maximum, &remaining, &largest);
    assert_true(remaining < sizeof(data) + 100);
    /* What is said to fit, fits: name and header are part of it. */
    assert_int_equal(set_of(name, &guid_b, attributes, largest - sizeof(name) + 1, data),
                     EFI_OUT_OF_RESOURCES);
    assert_int_equal(set_of(name, &guid_b, attributes, largest - sizeof(name), data), EFI_SUCCESS);
    assert_int_equal(set_of(name, &guid_b, attributes, 0, NULL), EFI_SUCCESS);
    /* A new value in the place of an old one always does. */
    for (unsigned i = 0; i < 20; i++) {
        name[3] = (CHAR16)('A' + i % count);
        data[0] = (uint8_t)(i + 1);
        assert_int_equal(set_of(name, &guid_b, attributes, sizeof(data), data), EFI_SUCCESS);
    }
    for (name[3] = 'A'; count--; name[3]++)
        assert_int_equal(set_of(name, &guid_b, attributes, 0, NULL), EFI_SUCCESS);
    rt_query_variable_info(attributes, &maximum, &remaining, &largest);
    assert_int_equal(before, remaining);
    assert_true(largest >= 0x8000);
}

static void stores_fill_and_empty(void **state)
{
    (void)state;
    fills_and_empties(BSRT, 8);
    fills_and_empties(BSRT | NV, 4);
    static uint8_t large[0x8400];
    CHAR16 name[] = u"Large";
    assert_int_equal(set_of(name, &guid_b, BSRT, sizeof(large), large), EFI_INVALID_PARAMETER);
    assert_int_equal(set_of(name, &guid_b, BSRT, 0x8000, large), EFI_SUCCESS);
    assert_int_equal(set_of(name, &guid_b, BSRT | EFI_VARIABLE_APPEND_WRITE, 0x400, large),
                     EFI_INVALID_PARAMETER);
    assert_int_equal(set_of(name, &guid_b, BSRT, SIZE_MAX, large), EFI_INVALID_PARAMETER);
}

static void runtime_rules(void **state)
{
    (void)state;
    CHAR16 boot[] = u"BootOnly", stays[] = u"Stays", fleeting[] = u"Fleeting", new[] = u"New";
    assert_int_equal(set(boot, BS | NV, "x"), EFI_SUCCESS);
    assert_int_equal(set(fleeting, BSRT, "x"), EFI_SUCCESS);
    assert_int_equal(set(stays, BSRT | NV, "x"), EFI_SUCCESS);
    boot_services_ended = true;
    assert_int_equal(get_status(boot, &guid_a), EFI_NOT_FOUND);
    assert_int_equal(set(boot, BSRT | NV, "x"), EFI_WRITE_PROTECTED);
    assert_int_equal(set(fleeting, BSRT, "y"), EFI_WRITE_PROTECTED);
    assert_int_equal(set(fleeting, BSRT, ""), EFI_WRITE_PROTECTED);
    assert_int_equal(set(stays, BSRT | NV, "yy"), EFI_SUCCESS);
    expect_text(stays, "yy");
    assert_int_equal(set(new, BSRT, "x"), EFI_INVALID_PARAMETER);
    assert_int_equal(set(new, BS | NV, "x"), EFI_INVALID_PARAMETER);
    assert_int_equal(set(new, BSRT | NV, "x"), EFI_SUCCESS);
    CHAR16 dummy[] = u"DUMMY", name[64] = u"";
    assert_int_equal(set(dummy, BSRT | NV, ""), EFI_NOT_FOUND);
    EFI_GUID vendor;
    for (UINTN size = sizeof(name);; size = sizeof(name)) {
        EFI_STATUS status = rt_get_next_variable_name(&size, name, &vendor);
        if (status == EFI_NOT_FOUND)
            break;
        assert_int_equal(status, EFI_SUCCESS);
        assert_memory_not_equal(name, boot, sizeof(boot));
    }
    power_cycle();
    expect_text(stays, "yy");
    expect_text(new, "x");
    expect_text(boot, "x");
    assert_int_equal(get_status(fleeting, &guid_a), EFI_NOT_FOUND);
}

/* UEFI's own name space. */
static void global_variables(void **state)
{
    (void)state;
    static const uint8_t option[] = { 1, 0, 0, 0, 4, 0, 'A', 0, 0, 0, 0x7F, 0xFF, 4, 0, 'o', 'p' };
    static const uint8_t cut_option[] = { 1, 0, 0, 0, 8, 0, 'A', 0, 0, 0, 0x7F, 0xFF, 4, 0 };
    static const uint8_t no_end[] = { 1, 0, 0, 0, 4, 0, 'A', 0, 0, 0, 1, 1, 4, 0 };
    static const uint8_t path[] = { 2, 3, 8, 0, 0, 0, 0, 0, 0x7F, 0xFF, 4, 0 };
    static const struct {
        CHAR16 name[24];
        UINT32 attributes;
        size_t size;
        const void *data;
        EFI_STATUS status;
    } rows[] = {
        { u"BootNext", NV | BSRT, 2, "\0", EFI_SUCCESS },
        { u"BootNext", NV | BSRT, 1, "\0", EFI_INVALID_PARAMETER },
        { u"BootNext", BSRT, 2, "\0", EFI_INVALID_PARAMETER },
        { u"BootOrder", NV | BSRT, 4, "\0\0\1", EFI_SUCCESS },
        { u"BootOrder", NV | BSRT, 3, "\0\0\1", EFI_INVALID_PARAMETER },
        { u"BootOrder", NV | BSRT | EFI_VARIABLE_APPEND_WRITE, 2, "\2", EFI_SUCCESS },
        { u"Boot000A", NV | BSRT, sizeof(option), option, EFI_SUCCESS },
        { u"Boot000a", NV | BSRT, sizeof(option), option, EFI_INVALID_PARAMETER },
        { u"Boot0001", NV | BSRT, sizeof(cut_option), cut_option, EFI_INVALID_PARAMETER },
        { u"Boot0001", NV | BSRT, sizeof(no_end), no_end, EFI_INVALID_PARAMETER },
        { u"Boot0001", NV | BSRT, 7, option, EFI_INVALID_PARAMETER },
        { u"Boot0001", NV | BSRT, 0, NULL, EFI_NOT_FOUND },
        { u"ConOut", NV | BSRT, sizeof(path), path, EFI_SUCCESS },
        { u"ConOut", NV | BSRT, sizeof(path) - 1, path, EFI_INVALID_PARAMETER },
        { u"Key0000", NV | BSRT, 14, "0123456789abcd", EFI_SUCCESS },
        { u"Key0001", NV | BSRT, 13, "0123456789abcd", EFI_INVALID_PARAMETER },
        { u"PlatformLang", NV | BSRT, 2, "en", EFI_INVALID_PARAMETER },
        { u"PlatformLang", NV | BSRT, 6, "en-US", EFI_SUCCESS },
        { u"SecureBoot", BSRT, 1, "\1", EFI_WRITE_PROTECTED },
        { u"SecureBoot", 0, 0, NULL, EFI_WRITE_PROTECTED },
        { u"SetupMode", NV | BSRT, 1, "\1", EFI_WRITE_PROTECTED },
        { u"PK", NV | BSRT, 1, "\1", EFI_INVALID_PARAMETER },
        { u"PK", NV | BSRT | 0x20, 1, "\1", EFI_SECURITY_VIOLATION },
        { u"NoSuchName", NV | BSRT, 1, "\1", EFI_INVALID_PARAMETER },
        { u"BootNextX", NV | BSRT, 2, "\0", EFI_INVALID_PARAMETER },
    };
    EFI_GUID global = guid_global_variable;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHAR16 name[24];
        memcpy(name, rows[i].name, sizeof(name));
        if (set_of(name, &global, rows[i].attributes, rows[i].size, rows[i].data) !=
            rows[i].status)
            fail_msg("row %zu", i);
    }
}

static void lasting_is_lasting(void **state)
{
    (void)state;
    CHAR16 name[] = u"Lasting";
    assert_int_equal(set(name, NV | BS, "value"), EFI_SUCCESS);
    assert_int_equal(announced.type, MEMORY_MMIO);
    assert_int_equal(announced.base, 0x100000000ull - 0x30000 - CHIP);
    assert_int_equal(announced.length, CHIP);
    power_cycle();
    assert_string_equal(lines, "");
    expect_text(name, "value");
    /* Only what changes is written. */
    static uint8_t copy[CHIP];
    memcpy(copy, chip, sizeof(copy));
    assert_int_equal(set(name, NV | BS, "value"), EFI_SUCCESS);
    assert_memory_equal(chip, copy, sizeof(copy));
}

static void without_flash(void **state)
{
    (void)state;
    CHAR16 name[] = u"Lasting";
    assert_int_equal(set(name, NV | BS, "value"), EFI_SUCCESS);
    chip_absent = true;
    power_cycle();
    assert_string_equal(lines, "variables: no flash store, they are lost at power off");
    assert_int_equal(get_status(name, &guid_a), EFI_NOT_FOUND);
    assert_int_equal(announced.length, 0);
    assert_int_equal(set(name, NV | BS, "value"), EFI_SUCCESS);
    expect_text(name, "value");
    chip_absent = false;
}

static void measured_boot_ignores_flash(void **state)
{
    (void)state;
    CHAR16 name[] = u"Lasting";
    static uint8_t copy[CHIP];
    assert_int_equal(set(name, NV | BS, "value"), EFI_SUCCESS);
    memcpy(copy, chip, sizeof(copy));
    measured = true;
    power_cycle();
    assert_non_null(strstr(lines, "measured boot"));
    assert_int_equal(get_status(name, &guid_a), EFI_NOT_FOUND);
    assert_int_equal(set(name, NV | BS, "other"), EFI_SUCCESS);
    assert_int_equal(announced.length, 0);
    assert_memory_equal(chip, copy, sizeof(copy));
    measured = false;
}

static void dead_flash_is_an_error(void **state)
{
    (void)state;
    CHAR16 name[] = u"Lasting", other[] = u"Other";
    assert_int_equal(set(name, NV | BS, "value"), EFI_SUCCESS);
    chip_broken = true;
    assert_int_equal(set(name, NV | BS, "changed"), EFI_DEVICE_ERROR);
    expect_text(name, "value");
    assert_int_equal(set(other, NV | BS, "x"), EFI_DEVICE_ERROR);
    assert_int_equal(set(other, BS, "x"), EFI_SUCCESS);
}

/* The host's flash may say what it likes: these are the firmware's, or nobody's. */
static void forged_variables(void **state)
{
    (void)state;
    static uint8_t forged[] = "\xAA\x55\x3F\0\x07\0\0\0........................\0\0\0\0"
                              "\x16\0\0\0\1\0\0\0GGGGGGGGGGGGGGGG"
                              "S\0e\0c\0u\0r\0e\0B\0o\0o\0t\0\0\0\1";
    EFI_GUID global = guid_global_variable;
    CHAR16 secure[] = u"SecureBoot", name[] = u"Lasting";
    memcpy(forged + 44, &global, sizeof(global));
    assert_int_equal(set(name, NV | BS, "value"), EFI_SUCCESS);
    size_t end = 0x64;
    while (chip[end] == 0xAA)
        end += (60 + chip[end + 36] + chip[end + 40] + 3) & ~3u;
    memcpy(chip + end, forged, sizeof(forged) - 1);
    power_cycle();
    expect_text(name, "value");
    assert_int_equal(get_status(secure, &global), EFI_NOT_FOUND);
    assert_int_equal(chip[end + 2], 0x3D);
}

/* Keys that another firmware enrolled can be read, but not touched. */
static void authenticated_variables_stay(void **state)
{
    (void)state;
    CHAR16 name[] = u"db";
    assert_int_equal(set(name, NV | BSRT, "keys"), EFI_SUCCESS);
    size_t last = 0;
    for (size_t at = 0x64; chip[at] == 0xAA; at += (60 + chip[at + 36] + chip[at + 40] + 3) & ~3u)
        last = at;
    chip[last + 4] = 0x27;
    power_cycle();
    expect_text(name, "keys");
    assert_int_equal(set(name, NV | BSRT | 0x20, "x"), EFI_SECURITY_VIOLATION);
    assert_int_equal(set(name, NV | BSRT, "x"), EFI_INVALID_PARAMETER);
    assert_int_equal(set(name, 0, ""), EFI_WRITE_PROTECTED);
    expect_text(name, "keys");
}

static void addresses_change(void **state)
{
    (void)state;
    CHAR16 name[] = u"Lasting";
    boot_services_ended = true;
    virtual_offset = 0x1000000000ull;
    on_move(NULL, NULL);
    assert_int_equal(moved_to, announced.base + virtual_offset);
    assert_int_equal(set(name, NV | BSRT, "value"), EFI_SUCCESS);
    virtual_offset = 0; /* an operating system that does not map the chip */
    on_move(NULL, NULL);
    assert_int_equal(set(name, NV | BSRT, "other"), EFI_DEVICE_ERROR);
    expect_text(name, "value");
}

static void monotonic_count_grows(void **state)
{
    (void)state;
    UINT64 first, second;
    UINT32 high;
    assert_int_equal(bs_get_next_monotonic_count(NULL), EFI_INVALID_PARAMETER);
    assert_int_equal(rt_get_next_high_monotonic_count(NULL), EFI_INVALID_PARAMETER);
    assert_int_equal(bs_get_next_monotonic_count(&first), EFI_SUCCESS);
    assert_int_equal(bs_get_next_monotonic_count(&second), EFI_SUCCESS);
    assert_int_equal(second, first + 1);
    assert_int_equal(rt_get_next_high_monotonic_count(&high), EFI_SUCCESS);
    assert_int_equal(high, (first >> 32) + 1);
    assert_int_equal(bs_get_next_monotonic_count(&second), EFI_SUCCESS);
    assert_int_equal(second, (uint64_t)high << 32);
    power_cycle();
    CHAR16 name[] = u"MTC";
    EFI_GUID vendor = { 0xeb704011, 0x1402, 0x11d3, { 0x8e, 0x77, 0, 0xa0, 0xc9, 0x69, 0x72, 0x3b } };
    UINT32 kept = 0;
    UINTN size = sizeof(kept);
    assert_int_equal(rt_get_variable(name, &vendor, NULL, &size, &kept), EFI_SUCCESS);
    assert_int_equal(kept, high);
}

/* Starts of a machine clear away what is deleted before there is no room. */
static void deleted_ones_are_cleared_away(void **state)
{
    (void)state;
    static uint8_t data[0x1000];
    CHAR16 name[] = u"Changing";
    for (unsigned i = 0; i < 12; i++) {
        data[0] = (uint8_t)i;
        assert_int_equal(set_of(name, &guid_b, NV | BS, sizeof(data), data), EFI_SUCCESS);
    }
    assert_true(chip[0xC000] != 0xFF);
    power_cycle();
    assert_true(chip[0xC000] == 0xFF);
    UINTN size = sizeof(data);
    assert_int_equal(rt_get_variable(name, &guid_b, NULL, &size, data), EFI_SUCCESS);
    assert_int_equal(data[0], 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(status_codes, fresh),
        cmocka_unit_test_setup(attributes_are_checked, fresh),
        cmocka_unit_test_setup(enumerated_once, fresh),
        cmocka_unit_test_setup(stores_fill_and_empty, fresh),
        cmocka_unit_test_setup(runtime_rules, fresh),
        cmocka_unit_test_setup(global_variables, fresh),
        cmocka_unit_test_setup(lasting_is_lasting, fresh),
        cmocka_unit_test_setup(without_flash, fresh),
        cmocka_unit_test_setup(measured_boot_ignores_flash, fresh),
        cmocka_unit_test_setup(dead_flash_is_an_error, fresh),
        cmocka_unit_test_setup(forged_variables, fresh),
        cmocka_unit_test_setup(authenticated_variables_stay, fresh),
        cmocka_unit_test_setup(addresses_change, fresh),
        cmocka_unit_test_setup(monotonic_count_grows, fresh),
        cmocka_unit_test_setup(deleted_ones_are_cleared_away, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
