/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* See sev_chip.h. */
#include "preload/sev_chip.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "machine/chip/chip.h"
#include "preload/cpuid.h"
#include "sev/command.h"

enum { CHUNK = 2 << 20 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct chip *chip;
static struct memory *memory;

/* With the lock held. */
static bool power_on(void)
{
    static const uint8_t seed[32];
    char error[512] = "out of memory";
    struct sev_init init = { 0 };
    const struct chip_config config = {
        .state_folder = getenv("PRIVET_SEV_STATE"),
        .api_major = CHIP_API_MAJOR,
        .api_minor = CHIP_API_MINOR,
        .build = CHIP_BUILD,
        .max_asid = CPUID_ASIDS,
        .min_plain_asid = CPUID_FIRST_SEV_ASID,
    };
    if (chip != NULL)
        return true;
    if (memory == NULL)
        memory = memory_create(seed);
    if (memory != NULL && config.state_folder != NULL)
        chip = chip_open(&config, memory, error, sizeof(error));
    if (chip == NULL || chip_command(chip, SEV_INIT, &init) != 0) {
        fprintf(stderr, "privet: %s\n", error);
        return false;
    }
    return true;
}

int sev_chip_command(unsigned command, void *buffer)
{
    pthread_mutex_lock(&lock);
    int status = power_on() ? chip_command(chip, command, buffer) : -ENODEV;
    pthread_mutex_unlock(&lock);
    return status;
}

uint64_t sev_chip_map(uint64_t address, size_t size)
{
    pthread_mutex_lock(&lock);
    uint64_t physical = 0;
    if (address != 0 && size != 0 && power_on())
        physical = chip_map(chip, (void *)(uintptr_t)address, size);
    pthread_mutex_unlock(&lock);
    return physical;
}

void sev_chip_unmap(uint64_t physical)
{
    pthread_mutex_lock(&lock);
    if (physical != 0)
        chip_unmap(chip, physical);
    pthread_mutex_unlock(&lock);
}

/* DRAM under all of the range, made as it is needed. */
static bool back(uint64_t address, size_t size)
{
    uint64_t end = address + size;
    for (uint64_t at = address / CHUNK * CHUNK; at < end; at += CHUNK) {
        if (memory_page_kind(memory, at) == MEMORY_NONE && memory_add_ram(memory, at, CHUNK) != 0)
            return false;
    }
    return true;
}

_Bool sev_chip_pull(uint64_t address, size_t size)
{
    pthread_mutex_lock(&lock);
    bool done = address + size >= address && address + size <= CHIP_HOST_WINDOW && power_on() &&
                back(address, size) &&
                memory_write(memory, address, (void *)(uintptr_t)address, size, MEMORY_RAW) == 0;
    pthread_mutex_unlock(&lock);
    return done;
}

void sev_chip_push(uint64_t address, size_t size)
{
    pthread_mutex_lock(&lock);
    if (memory_read(memory, address, (void *)(uintptr_t)address, size, MEMORY_RAW) != 0)
        abort(); /* what was pulled is there */
    pthread_mutex_unlock(&lock);
}

void sev_chip_flush(void)
{
    pthread_mutex_lock(&lock);
    if (power_on()) {
        chip_note_wbinvd(chip);
        chip_command(chip, SEV_DF_FLUSH, NULL);
    }
    pthread_mutex_unlock(&lock);
}
