/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The chip's door: the checks common to all commands, the platform's memory. */
#include "machine/chip/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint16_t chip_command(struct chip *chip, unsigned id, void *buffer)
{
    const struct chip_command *command = chip_command_find(id);
    _Alignas(8) uint8_t copy[CHIP_BUFFER_MAX]; /* the caller's may change under the chip's eyes */
    if (!command)
        return SEV_INVALID_COMMAND;
    if (chip->ring_buffer) {
        chip->ring_buffer = false;
        return SEV_RING_BUFFER_EXIT;
    }
    if (!(command->platform_states & 1u << chip->state))
        return SEV_INVALID_PLATFORM_STATE;
    if (command->size && !buffer)
        return SEV_INVALID_ADDRESS;
    chip_random_absorb(chip, &command->id, sizeof(command->id));
    if (command->size)
        memcpy(copy, buffer, command->size);
    uint16_t status = command->function(chip, copy);
    if ((command->write_back != CHIP_NO_WRITE_BACK && status == SEV_SUCCESS) ||
        (command->write_back == CHIP_WRITE_BACK_LENGTH && status == SEV_INVALID_LENGTH))
        memcpy(buffer, copy, command->size);
    return status;
}

struct chip *chip_open(const struct chip_config *config, struct memory *memory,
                       struct chip_failure *failure)
{
    struct chip *chip = calloc(1, sizeof(*chip));
    if (chip) {
        chip->folder_lock = -1;
        chip->state_folder = strdup(config->state_folder);
    }
    if (!chip || !chip->state_folder) {
        *failure = (struct chip_failure){ .text = "cannot open the chip: out of memory" };
        chip_close(chip);
        return NULL;
    }
    chip->config = *config;
    chip->memory = memory;
    if (!store_load(chip, failure)) {
        chip_close(chip);
        return NULL;
    }
    return chip;
}

const char *chip_model(const struct chip *chip)
{
    (void)chip;
    return "EPYC-Rome (emulated)";
}

void chip_close(struct chip *chip)
{
    if (!chip)
        return;
    guests_wipe(chip);
    tmr_end(chip);
    store_close(chip);
    EVP_PKEY_free(chip->pdh);
    free(chip->state_folder);
    OPENSSL_cleanse(chip, sizeof(*chip));
    free(chip);
}

void chip_note_wbinvd(struct chip *chip)
{
    memset(chip->wbinvd, CHIP_ALL_CORES, sizeof(chip->wbinvd));
}

void chip_note_thread_wbinvd(struct chip *chip, uint32_t apic_id)
{
    if (apic_id < CHIP_THREADS)
        chip->wbinvd[apic_id / CHIP_THREADS_PER_COMPLEX] |=
            (uint8_t)(1u << apic_id % CHIP_THREADS_PER_COMPLEX / CHIP_THREADS_PER_CORE);
}

/* Each mapped buffer has a slot of 4 GiB in the window, so that none can run into the next. */
#define SLOT_SHIFT 32

uint64_t chip_map(struct chip *chip, void *data, size_t size)
{
    for (unsigned i = 0; i < CHIP_MAX_MAPS && size >> SLOT_SHIFT == 0; i++) {
        if (!chip->maps[i].data) {
            chip->maps[i] = (struct chip_map){ .data = data, .size = size };
            return CHIP_HOST_WINDOW + ((uint64_t)i << SLOT_SHIFT);
        }
    }
    return 0;
}

void chip_unmap(struct chip *chip, uint64_t address)
{
    uint64_t slot = (address - CHIP_HOST_WINDOW) >> SLOT_SHIFT;
    if (address >= CHIP_HOST_WINDOW && slot < CHIP_MAX_MAPS)
        chip->maps[slot] = (struct chip_map){ 0 };
}

/* The host bytes of [address, address + length) in the window, or NULL. */
static uint8_t *window(struct chip *chip, uint64_t address, size_t length)
{
    uint64_t slot = (address - CHIP_HOST_WINDOW) >> SLOT_SHIFT;
    uint64_t offset = address & ((1ull << SLOT_SHIFT) - 1);
    if (slot >= CHIP_MAX_MAPS || !chip->maps[slot].data || offset > chip->maps[slot].size ||
        length > chip->maps[slot].size - offset)
        return NULL;
    return chip->maps[slot].data + offset;
}

bool chip_overlap(uint64_t a, uint64_t a_length, uint64_t b, uint64_t b_length)
{
    return a_length && b_length && (a - b < b_length || b - a < a_length);
}

/* What the host may not reach, its commands may not either (SEV API: INVALID_ADDRESS). */
static bool in_tmr(const struct chip *chip, uint64_t address, size_t length)
{
    return chip->vmsas && chip_overlap(address, length, chip->tmr_paddr, SEV_TMR_SIZE);
}

bool chip_read(struct chip *chip, uint64_t address, void *data, size_t length)
{
    return chip_read_as(chip, MEMORY_RAW, address, data, length);
}

bool chip_write(struct chip *chip, uint64_t address, const void *data, size_t length)
{
    return chip_write_as(chip, MEMORY_RAW, address, data, length);
}

bool chip_read_as(struct chip *chip, memory_view view, uint64_t address, void *data, size_t length)
{
    if (in_tmr(chip, address, length))
        return false;
    if (address < CHIP_HOST_WINDOW)
        return memory_read(chip->memory, address, data, length, view) == 0;
    const uint8_t *from = window(chip, address, length);
    if (from)
        memcpy(data, from, length);
    return from && (view == MEMORY_RAW ||
                    memory_crypt_host(chip->memory, view, false, address, data, length) == 0);
}

/* The buffer never holds plaintext: others may look at it. */
static bool encrypt_to(struct chip *chip, memory_view view, uint64_t address, const uint8_t *from,
                       uint8_t *to, size_t length)
{
    uint8_t piece[MEMORY_PAGE_SIZE];
    for (size_t at = 0; at < length; at += sizeof(piece)) {
        size_t part = length - at < sizeof(piece) ? length - at : sizeof(piece);
        memcpy(piece, from + at, part);
        if (memory_crypt_host(chip->memory, view, true, address + at, piece, part) != 0) {
            OPENSSL_cleanse(piece, sizeof(piece));
            return false;
        }
        memcpy(to + at, piece, part);
    }
    return true;
}

bool chip_write_as(struct chip *chip, memory_view view, uint64_t address, const void *data,
                   size_t length)
{
    if (in_tmr(chip, address, length))
        return false;
    if (address < CHIP_HOST_WINDOW)
        return memory_write(chip->memory, address, data, length, view) == 0;
    uint8_t *to = window(chip, address, length);
    if (to && view != MEMORY_RAW)
        return encrypt_to(chip, view, address, data, to, length);
    if (to)
        memcpy(to, data, length);
    return to != NULL;
}

bool chip_is_memory(const struct chip *chip, uint64_t address, uint32_t length)
{
    if (address >= CHIP_HOST_WINDOW || in_tmr(chip, address, length))
        return false;
    for (uint64_t page = address & ~(uint64_t)(MEMORY_PAGE_SIZE - 1); page < address + length;
         page += MEMORY_PAGE_SIZE) {
        if (memory_page_kind(chip->memory, page) == MEMORY_NONE)
            return false;
    }
    return true;
}
