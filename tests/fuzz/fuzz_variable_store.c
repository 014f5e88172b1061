/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The firmware's variable store over a flash chip with anything in it. Input: a byte (bit 0: blank
 * chip instead of an empty store; bits 1 to 3: how much is written; bits 4 to 7: pull the plug after
 * so many operations, squared), then patches of the chip: u24 offset, u16 length, bytes. Whatever was
 * there, the second start finds what the first one did and complains of nothing.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/lib/log.h"
#include "firmware/uefi/guids.h"
#include "firmware/uefi/variable_flash.h"

#define CHIP 0x20000u
#define NO_CUT (-1ul)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t chip[CHIP], area[VARIABLE_STORE_MAX] __attribute__((aligned(8)));
static unsigned long left; /* operations that the power lasts for */
static bool complained;

bool flash_find(uint64_t end, struct flash_chip *ret)
{
    *ret = (struct flash_chip){ end - CHIP, CHIP, true };
    return true;
}

void flash_read(uint32_t offset, void *to, size_t length)
{
    if (offset > CHIP || length > CHIP - offset)
        abort();
    memcpy(to, chip + offset, length);
}

bool flash_program(uint32_t offset, const void *from, size_t length)
{
    const uint8_t *bytes = from;
    if (offset > CHIP || length > CHIP - offset)
        abort();
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == chip[offset + i])
            continue;
        if (left == 0)
            return false;
        left--;
        chip[offset + i] &= bytes[i];
    }
    return true;
}

bool flash_erase(uint32_t offset)
{
    if (offset % FLASH_BLOCK || offset >= CHIP)
        abort();
    if (left == 0)
        return false;
    left--;
    memset(chip + offset, 0xFF, FLASH_BLOCK);
    return true;
}

void log_line(const char *fmt, ...)
{
    complained |= strstr(fmt, "damaged") != NULL;
}

static void start(struct variable_store *store, unsigned long operations)
{
    struct flash_chip found;
    left = operations;
    complained = false;
    enum variable_flash kind = variable_flash_open(store, area, &found);
    if (operations == NO_CUT && kind != VARIABLE_FLASH_WRITABLE && kind != VARIABLE_FLASH_UNKNOWN)
        abort();
}

/* Every variable is found by its name, and nowhere else. */
static unsigned check(const struct variable_store *store)
{
    unsigned count = 0;
    const struct variable *v = NULL;
    while ((v = store_next(store, v)) != NULL) {
        EFI_GUID vendor = v->vendor;
        if (store_find(store, (const CHAR16 *)(const void *)v->content, &vendor) != v)
            abort();
        if (variable_data(v) + v->data_size > store->bytes + store->used)
            abort();
        count++;
    }
    if (store->used > store->size || store_free(store) > store->size)
        abort();
    return count;
}

/* Changes the first variable, adds one, deletes the second. */
static void write_some(struct variable_store *store, unsigned steps)
{
    static uint8_t scratch[0x9000] __attribute__((aligned(4)));
    struct variable *v = (struct variable *)(void *)scratch;
    struct variable *first = store_next(store, NULL);
    uint32_t length = first ? first->name_size : 4;
    if (length > 0x4000)
        return;
    *v = (struct variable){ .attributes = 7, .name_size = length, .data_size = 1u << steps * 2 };
    memcpy(v->content, first ? (const char *)first->content : "N\0\0", length);
    if (first)
        v->vendor = first->vendor;
    (void)store_put(store, first, v);
    struct variable *second = store_next(store, NULL);
    second = second ? store_next(store, second) : NULL;
    if (second && steps > 3)
        (void)store_delete(store, second);
}

static void patch(const uint8_t *data, size_t size)
{
    while (size > 5) {
        uint32_t offset = (data[0] | data[1] << 8 | (uint32_t)data[2] << 16) % CHIP;
        size_t length = data[3] | (size_t)data[4] << 8;
        data += 5;
        size -= 5;
        length = length < size ? length : size;
        length = length < CHIP - offset ? length : CHIP - offset;
        memcpy(chip + offset, data, length);
        data += length;
        size -= length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t empty[CHIP];
    struct variable_store store;
    if (size == 0)
        return 0;
    if (empty[0x28] != '_') {
        memset(chip, 0xFF, sizeof(chip));
        start(&store, NO_CUT);
        memcpy(empty, chip, sizeof(chip));
    }
    memset(chip, 0xFF, sizeof(chip));
    if (!(data[0] & 1))
        memcpy(chip, empty, sizeof(chip));
    patch(data + 1, size - 1);
    unsigned steps = data[0] >> 1 & 7, cut = data[0] >> 4;
    start(&store, cut ? cut * cut * 8 : NO_CUT);
    check(&store);
    if (steps)
        write_some(&store, steps);
    unsigned count = check(&store);
    bool cut_off = left == 0, lasting = store.lasting && !store.failed;
    start(&store, NO_CUT);
    unsigned again = check(&store);
    if (!cut_off && lasting && (complained || count != again))
        abort();
    start(&store, NO_CUT);
    if (complained || check(&store) != again)
        abort();
    return 0;
}
