/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Load options, and the host's boot order: the input is a load option whose optional data is the
 * order's text, so that paths and lines meet.
 */
#include <stdlib.h>
#include <string.h>

#include "firmware/boot/loadoption.h"
#include "firmware/boot/qemu_order.h"
#include "firmware/uefi/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void *pool_allocate(enum memory_type type, size_t size)
{
    (void)type;
    return malloc(size);
}

void pool_free(void *pointer)
{
    free(pointer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct load_option option;
    char text[40];
    if (!load_option_parse(data, size, &option))
        return 0;
    load_option_text(&option, text, sizeof(text));
    uint8_t *built = malloc(size);
    if (load_option_build(&option, built, size) > size)
        abort(); /* it came out of so many bytes */
    free(built);
    /* As the boot manager has it: a copy of the path, the text in a buffer of its length. */
    EFI_DEVICE_PATH_PROTOCOL *path = malloc(option.path_size);
    char *lines = malloc(option.optional_size + 1);
    memcpy(path, option.path, option.path_size);
    memcpy(lines, option.optional, option.optional_size);
    const struct qemu_order order = { lines, option.optional_size };
    (void)qemu_order_rank(&order, path);
    (void)qemu_order_strict(&order);
    free(path);
    free(lines);
    return 0;
}
