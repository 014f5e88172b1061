/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The firmware's reading of fw_cfg's directory, through the device's ports. The input is the
 * directory item; files that the firmware accepts have sound names, keys and sizes.
 */
#include <stdlib.h>
#include <string.h>

#include "firmware/arch/io.h"
#include "firmware/platform/fwcfg.h"
#include "firmware/sev/dma.h"
#include "firmware/sev/sev.h"

enum { PORT_SELECT = 0x510, PORT_DATA = 0x511, FIRST_FILE = 0x20 };

static const uint8_t *item;
static size_t item_left, directory_size;
static const uint8_t *directory;

uint32_t test_port_read(uint16_t port, unsigned size)
{
    if (port != PORT_DATA || size != 1)
        abort();
    if (item_left == 0)
        return 0;
    item_left--;
    return *item++;
}

void test_port_write(uint16_t port, unsigned size, uint32_t value)
{
    static const uint8_t signature[] = "QEMU";
    if (port != PORT_SELECT || size != 2)
        abort();
    item = value == FWCFG_SIGNATURE ? signature : directory;
    item_left = value == FWCFG_SIGNATURE ? 4 : value == FWCFG_DIRECTORY ? directory_size : 0;
}

bool sev_active(void)
{
    return true;
}

void *dma_alloc(size_t length, uint64_t *ret_device)
{
    (void)length;
    (void)ret_device;
    return NULL;
}

void log_line(const char *fmt, ...);
void log_line(const char *fmt, ...)
{
    (void)fmt;
}

_Noreturn void panic(const char *fmt, ...);
void panic(const char *fmt, ...)
{
    (void)fmt;
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *name;
    uint16_t key, first_key;
    uint32_t length, first_length;
    directory = data;
    directory_size = size;
    if (!fwcfg_init())
        abort();
    for (size_t i = 0; fwcfg_file_at(i, &name, &key, &length); i++) {
        size_t letters = strnlen(name, FWCFG_NAME_SIZE);
        if (letters == 0 || letters == FWCFG_NAME_SIZE || key < FIRST_FILE || length > INT32_MAX ||
            i * 64 >= size || !fwcfg_find(name, &first_key, &first_length))
            abort();
    }
    return 0;
}
