/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * usage: variable-cut FILE OPERATIONS
 * Lets the firmware's code tidy the variable store in a flash image and pulls the plug after so many
 * bytes and blocks were changed; prints how many there were. For boot tests: who starts next repairs it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/lib/log.h"
#include "firmware/uefi/services.h"
#include "firmware/uefi/variable_flash.h"

static uint8_t chip[0x84000], area[VARIABLE_STORE_MAX] __attribute__((aligned(8)));
static uint32_t chip_size;
static unsigned long left = -1ul, done;

bool flash_find(uint64_t end, struct flash_chip *ret)
{
    *ret = (struct flash_chip){ end - chip_size, chip_size, true };
    return true;
}

void flash_read(uint32_t offset, void *data, size_t length)
{
    memcpy(data, chip + offset, length);
}

static bool powered(void)
{
    done += left != 0;
    return left && left--;
}

bool flash_program(uint32_t offset, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == chip[offset + i])
            continue;
        if (!powered())
            return false;
        chip[offset + i] &= bytes[i];
    }
    return true;
}

bool flash_erase(uint32_t offset)
{
    if (!powered())
        return false;
    memset(chip + offset, 0xFF, FLASH_BLOCK);
    return true;
}

void log_line(const char *fmt, ...)
{
    va_list arguments;
    va_start(arguments, fmt);
    vfprintf(stderr, fmt, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

int main(int argc, char **argv)
{
    struct variable_store store;
    struct flash_chip found;
    FILE *file = argc == 3 ? fopen(argv[1], "r+b") : NULL;
    if (!file)
        return 1;
    chip_size = (uint32_t)fread(chip, 1, sizeof(chip), file);
    if (variable_flash_open(&store, area, &found) != VARIABLE_FLASH_WRITABLE)
        return 1;
    left = strtoul(argv[2], NULL, 0);
    done = 0;
    (void)store_tidy(&store);
    printf("%lu\n", done);
    rewind(file);
    return fwrite(chip, 1, chip_size, file) == chip_size && fclose(file) == 0 ? 0 : 1;
}
