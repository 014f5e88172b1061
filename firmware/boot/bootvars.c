/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Reading and writing of the boot manager's variables through the runtime services. A write that
 * would change nothing is left out: the store may be flash.
 */
#include "firmware/boot/bootvars.h"

#include "firmware/lib/log.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define DIGITS          4u
#define LIST_LIMIT      0x10000u /* bytes */
#define OPTION_ROOM     0x8000u
#define VARIABLE_LIMIT  4096u /* names looked at; no store has more */
#define LONGEST_NAME    0x8400u /* bytes: a variable is no longer in all */

/* The content in pool memory, NULL when absent. */
static void *read_any(const CHAR16 *name, size_t limit, size_t *ret_size)
{
    EFI_GUID vendor = guid_global_variable;
    UINTN size = 0;
    CHAR16 *text = (CHAR16 *)(uintptr_t)name;
    if (rt_get_variable(text, &vendor, NULL, &size, NULL) != EFI_BUFFER_TOO_SMALL || size > limit)
        return NULL;
    void *data = pool_allocate(MEMORY_BOOT_DATA, size);
    if (data && rt_get_variable(text, &vendor, NULL, &size, data) != EFI_SUCCESS) {
        pool_free(data);
        return NULL;
    }
    *ret_size = size;
    return data;
}

bool bootvar_read(const CHAR16 *name, void *data, size_t size)
{
    EFI_GUID vendor = guid_global_variable;
    UINTN length = size;
    return rt_get_variable((CHAR16 *)(uintptr_t)name, &vendor, NULL, &length, data) ==
               EFI_SUCCESS &&
           length == size;
}

static bool unchanged(const CHAR16 *name, const void *data, size_t size)
{
    size_t old_size = 0;
    void *old = read_any(name, OPTION_ROOM, &old_size);
    bool same = old ? old_size == size && memcmp(old, data, size) == 0 : size == 0;
    pool_free(old);
    return same;
}

bool bootvar_write(const CHAR16 *name, uint32_t attributes, const void *data, size_t size)
{
    EFI_GUID vendor = guid_global_variable;
    if (unchanged(name, data, size))
        return true;
    EFI_STATUS status = rt_set_variable((CHAR16 *)(uintptr_t)name, &vendor, attributes, size,
                                        (void *)(uintptr_t)data);
    if (status != EFI_SUCCESS)
        log_line("a boot variable cannot be written: status 0x%lx",
                 (unsigned long)(status & ~EFI_ERROR_BIT));
    return status == EFI_SUCCESS;
}

uint16_t *bootvar_list(const CHAR16 *name, size_t *ret_count)
{
    size_t size = 0;
    uint16_t *list = read_any(name, LIST_LIMIT, &size);
    *ret_count = list ? size / sizeof(*list) : 0;
    if (list && size % sizeof(*list) == 0)
        return list;
    pool_free(list);
    *ret_count = 0;
    return NULL;
}

void bootvar_name(const char *kind, uint16_t number, char name[BOOTVAR_NAME_ROOM])
{
    int length = format(name, BOOTVAR_NAME_ROOM - DIGITS, "%s", kind);
    for (unsigned i = 0; i < DIGITS; i++) /* upper case, UEFI 2.10 3.1.1 */
        name[(unsigned)length + i] = "0123456789ABCDEF"[number >> (12 - 4 * i) & 15];
    name[(unsigned)length + DIGITS] = '\0';
}

static void wide_name(const char *kind, uint16_t number, CHAR16 name[BOOTVAR_NAME_ROOM])
{
    char text[BOOTVAR_NAME_ROOM];
    bootvar_name(kind, number, text);
    for (unsigned i = 0; i == 0 || text[i - 1]; i++)
        name[i] = (uint8_t)text[i];
}

bool bootvar_option(const char *kind, uint16_t number, struct numbered_option *ret)
{
    CHAR16 name[BOOTVAR_NAME_ROOM];
    size_t size = 0;
    wide_name(kind, number, name);
    struct numbered_option option = { .number = number };
    option.data = read_any(name, OPTION_ROOM, &size);
    if (!option.data || !load_option_parse(option.data, size, &option.option)) {
        pool_free(option.data);
        return false;
    }
    *ret = option;
    return true;
}

void bootvar_option_free(struct numbered_option *option)
{
    pool_free(option->data);
    option->data = NULL;
}

bool bootvar_option_write(const char *kind, uint16_t number, const struct load_option *option)
{
    CHAR16 name[BOOTVAR_NAME_ROOM];
    size_t size = load_option_build(option, NULL, 0);
    uint8_t *data = size ? pool_allocate(MEMORY_BOOT_DATA, size) : NULL;
    if (!data)
        return false;
    load_option_build(option, data, size);
    wide_name(kind, number, name);
    bool written = bootvar_write(name, BOOTVAR_LASTING, data, size);
    pool_free(data);
    return written;
}

void bootvar_option_delete(const char *kind, uint16_t number)
{
    CHAR16 name[BOOTVAR_NAME_ROOM];
    wide_name(kind, number, name);
    bootvar_write(name, BOOTVAR_LASTING, NULL, 0);
}

/* "Boot" and four digits as option_name writes them. */
static bool is_boot_option(const CHAR16 *name, const EFI_GUID *vendor, uint16_t *ret_number)
{
    uint16_t number = 0;
    CHAR16 canonical[BOOTVAR_NAME_ROOM];
    if (!guid_equal(vendor, &guid_global_variable) || utf16_length(name) != 4 + DIGITS)
        return false;
    for (unsigned i = 0; i < DIGITS; i++) {
        CHAR16 digit = name[4 + i];
        number = (uint16_t)(number << 4 | (digit <= '9' ? digit - '0' : digit - 'A' + 10));
    }
    wide_name("Boot", number, canonical);
    *ret_number = number;
    return memcmp(name, canonical, (4 + DIGITS) * sizeof(*name)) == 0;
}

static void insert_sorted(uint16_t *list, size_t count, uint16_t number)
{
    for (; count > 0 && list[count - 1] > number; count--)
        list[count] = list[count - 1];
    list[count] = number;
}

uint16_t *bootvar_numbers(size_t *ret_count)
{
    EFI_GUID vendor = { 0 };
    CHAR16 *name = pool_allocate(MEMORY_BOOT_DATA, LONGEST_NAME);
    uint16_t *list = pool_allocate(MEMORY_BOOT_DATA, VARIABLE_LIMIT * sizeof(*list));
    size_t count = 0;
    if (name && list) {
        name[0] = 0;
        for (unsigned i = 0; i < VARIABLE_LIMIT; i++) {
            UINTN room = LONGEST_NAME;
            uint16_t number;
            if (rt_get_next_variable_name(&room, name, &vendor) != EFI_SUCCESS)
                break;
            if (is_boot_option(name, &vendor, &number))
                insert_sorted(list, count++, number);
        }
    }
    pool_free(name);
    *ret_count = count;
    if (count)
        return list;
    pool_free(list);
    return NULL;
}
