/* SPDX-License-Identifier: BSD-2-Clause-Patent */
#include "tests/fuzz/chip_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "machine/chip/internal.h"

static char folder[] = "/tmp/privet-fuzz-chip.XXXXXX";
static struct chip_stored store; /* as it was at first */

static struct chip *try_chip(struct memory *memory, unsigned first_asid,
                             struct chip_failure *failure)
{
    const struct chip_config config = { .state_folder = folder, .api_minor = 24, .build = 15,
                                        .max_asid = CHIP_HARNESS_ASIDS, .min_plain_asid = first_asid,
                                        .deterministic = true };
    return chip_open(&config, memory, failure);
}

static struct chip *open_chip(struct memory *memory, unsigned first_asid)
{
    struct chip_failure failure;
    struct chip *chip = try_chip(memory, first_asid, &failure);
    if (!chip) {
        fprintf(stderr, "%s\n", failure.text);
        abort();
    }
    return chip;
}

struct memory *chip_harness_memory(uint64_t ram)
{
    static const uint8_t seed[32];
    struct memory *memory = memory_create(seed);
    if (!memory || (ram && memory_add_ram(memory, 0, ram) != 0))
        abort();
    return memory;
}

static void remove_folder(void)
{
    char path[64];
    snprintf(path, sizeof(path), "%s/chip-state", folder);
    unlink(path);
    snprintf(path, sizeof(path), "%s/amd-root", folder);
    unlink(path);
    rmdir(folder);
}

void chip_harness_start(void)
{
    if (!mkdtemp(folder))
        abort();
    atexit(remove_folder);
    struct memory *memory = chip_harness_memory(0);
    struct chip *chip = open_chip(memory, 1);
    store = chip->store;
    chip_close(chip);
    memory_destroy(memory);
}

struct chip *chip_harness_open(struct memory *memory, unsigned first_asid)
{
    struct chip *chip = open_chip(memory, first_asid);
    chip->store = store;
    return chip;
}

struct chip *chip_harness_try(struct memory *memory)
{
    struct chip_failure failure = { .text = "" };
    struct chip *chip = try_chip(memory, 1, &failure);
    if (!chip && !*failure.text)
        abort();
    return chip;
}

const char *chip_harness_folder(void)
{
    return folder;
}
