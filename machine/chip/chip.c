/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The chip's door: command table, the checks common to all commands, the platform's memory. */
#include "machine/chip/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNINIT  (1u << SEV_PLATFORM_UNINIT)
#define INITED  (1u << SEV_PLATFORM_INIT)
#define WORKING (1u << SEV_PLATFORM_WORKING)
#define ANY     (UNINIT | INITED | WORKING)

/*
 * When the buffer goes back to the caller: never; if the command succeeded; or also when it answers
 * INVALID_LENGTH, so that the caller learns the length needed.
 */
enum write_back { NEVER, DONE, LENGTH };

/* SEV API: identifiers, the platform states that allow them, size of the buffer. */
static const struct command {
    enum sev_command id;
    unsigned states;
    size_t size;
    enum write_back write_back;
    chip_function *function;
} commands[] = {
    { SEV_INIT, UNINIT, sizeof(struct sev_init), NEVER, platform_init },
    { SEV_SHUTDOWN, ANY, 0, NEVER, platform_shutdown },
    { SEV_PLATFORM_RESET, UNINIT, 0, NEVER, platform_reset },
    { SEV_PLATFORM_STATUS, ANY, sizeof(struct sev_platform_status), DONE, platform_status },
    { SEV_PEK_GEN, INITED, 0, NEVER, platform_pek_gen },
    { SEV_PEK_CSR, INITED | WORKING, sizeof(struct sev_pek_csr), LENGTH, platform_pek_csr },
    { SEV_PEK_CERT_IMPORT, INITED, sizeof(struct sev_pek_cert_import), NEVER,
      platform_pek_cert_import },
    { SEV_PDH_CERT_EXPORT, INITED | WORKING, sizeof(struct sev_pdh_cert_export), LENGTH,
      platform_pdh_cert_export },
    { SEV_PDH_GEN, INITED | WORKING, 0, NEVER, platform_pdh_gen },
    { SEV_DF_FLUSH, ANY, 0, NEVER, platform_df_flush },
    { SEV_DOWNLOAD_FIRMWARE, UNINIT, sizeof(struct sev_download_firmware), NEVER,
      platform_download_firmware },
    { SEV_GET_ID, ANY, sizeof(struct sev_get_id), LENGTH, platform_get_id },
    { SEV_INIT_EX, UNINIT, sizeof(struct sev_init_ex), NEVER, platform_init_ex },
    { SEV_NOP, ANY, 0, NEVER, platform_nop },
    { SEV_DECOMMISSION, WORKING, sizeof(struct sev_handle), NEVER, guest_decommission_command },
    { SEV_ACTIVATE, WORKING, sizeof(struct sev_activate), NEVER, guest_activate },
    { SEV_DEACTIVATE, WORKING, sizeof(struct sev_handle), NEVER, guest_deactivate },
    { SEV_GUEST_STATUS, INITED | WORKING, sizeof(struct sev_guest_status), DONE, guest_status },
    { SEV_COPY, WORKING, sizeof(struct sev_copy), NEVER, guest_copy },
    { SEV_ACTIVATE_EX, WORKING, sizeof(struct sev_activate_ex), NEVER, guest_activate_ex },
    { SEV_LAUNCH_START, INITED | WORKING, sizeof(struct sev_launch_start), DONE, launch_start },
    { SEV_LAUNCH_UPDATE_DATA, WORKING, sizeof(struct sev_launch_update_data), NEVER,
      launch_update_data },
    { SEV_LAUNCH_UPDATE_VMSA, WORKING, sizeof(struct sev_launch_update_data), NEVER,
      launch_update_vmsa },
    { SEV_LAUNCH_MEASURE, WORKING, sizeof(struct sev_launch_measure), LENGTH, launch_measure },
    { SEV_LAUNCH_SECRET, WORKING, sizeof(struct sev_launch_secret), NEVER, launch_secret },
    { SEV_LAUNCH_FINISH, WORKING, sizeof(struct sev_handle), NEVER, launch_finish },
    { SEV_ATTESTATION, WORKING, sizeof(struct sev_attestation), LENGTH, attestation },
    { SEV_SEND_START, WORKING, sizeof(struct sev_send_start), LENGTH, send_start },
    { SEV_SEND_UPDATE_DATA, WORKING, sizeof(struct sev_launch_secret), LENGTH, send_update_data },
    { SEV_SEND_UPDATE_VMSA, WORKING, sizeof(struct sev_launch_secret), LENGTH, send_update_vmsa },
    { SEV_SEND_FINISH, WORKING, sizeof(struct sev_handle), NEVER, send_finish },
    { SEV_SEND_CANCEL, WORKING, sizeof(struct sev_handle), NEVER, send_cancel },
    { SEV_RECEIVE_START, INITED | WORKING, sizeof(struct sev_launch_start), DONE, receive_start },
    { SEV_RECEIVE_UPDATE_DATA, WORKING, sizeof(struct sev_launch_secret), NEVER,
      receive_update_data },
    { SEV_RECEIVE_UPDATE_VMSA, WORKING, sizeof(struct sev_launch_secret), NEVER,
      receive_update_vmsa },
    { SEV_RECEIVE_FINISH, WORKING, sizeof(struct sev_handle), NEVER, receive_finish },
    { SEV_DBG_DECRYPT, WORKING, sizeof(struct sev_dbg), NEVER, debug_decrypt },
    { SEV_DBG_ENCRYPT, WORKING, sizeof(struct sev_dbg), NEVER, debug_encrypt },
    { SEV_SWAP_OUT, WORKING, sizeof(struct sev_swap_out), DONE, swap_out },
    { SEV_SWAP_IN, WORKING, sizeof(struct sev_swap_in), NEVER, swap_in },
};

static const struct command *find(unsigned id)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (commands[i].id == id)
            return &commands[i];
    }
    return NULL;
}

uint16_t chip_command(struct chip *chip, unsigned id, void *buffer)
{
    const struct command *command = find(id);
    _Alignas(8) uint8_t copy[CHIP_BUFFER_MAX]; /* the caller's may change under the chip's eyes */
    if (!command)
        return SEV_INVALID_COMMAND;
    if (!(command->states & 1u << chip->state))
        return SEV_INVALID_PLATFORM_STATE;
    if (command->size && !buffer)
        return SEV_INVALID_ADDRESS;
    chip_random_absorb(chip, &command->id, sizeof(command->id));
    if (command->size)
        memcpy(copy, buffer, command->size);
    uint16_t status = command->function(chip, copy);
    if ((command->write_back != NEVER && status == SEV_SUCCESS) ||
        (command->write_back == LENGTH && status == SEV_INVALID_LENGTH))
        memcpy(buffer, copy, command->size);
    return status;
}

struct chip *chip_open(const struct chip_config *config, struct memory *memory, char *error,
                       size_t error_size)
{
    struct chip *chip = calloc(1, sizeof(*chip));
    if (chip) {
        chip->folder_lock = -1;
        chip->state_folder = strdup(config->state_folder);
    }
    if (!chip || !chip->state_folder) {
        snprintf(error, error_size, "cannot open the chip: out of memory");
        chip_close(chip);
        return NULL;
    }
    chip->config = *config;
    chip->memory = memory;
    if (!store_load(chip, error, error_size)) {
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
    store_close(chip);
    EVP_PKEY_free(chip->pdh);
    free(chip->state_folder);
    OPENSSL_cleanse(chip, sizeof(*chip));
    free(chip);
}

void chip_note_wbinvd(struct chip *chip)
{
    chip->wbinvd = true;
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

bool chip_read(struct chip *chip, uint64_t address, void *data, size_t length)
{
    if (address < CHIP_HOST_WINDOW)
        return memory_read(chip->memory, address, data, length, MEMORY_RAW) == 0;
    const uint8_t *from = window(chip, address, length);
    if (from)
        memcpy(data, from, length);
    return from != NULL;
}

bool chip_write(struct chip *chip, uint64_t address, const void *data, size_t length)
{
    if (address < CHIP_HOST_WINDOW)
        return memory_write(chip->memory, address, data, length, MEMORY_RAW) == 0;
    uint8_t *to = window(chip, address, length);
    if (to)
        memcpy(to, data, length);
    return to != NULL;
}

bool chip_is_memory(const struct chip *chip, uint64_t address, uint32_t length)
{
    if (address >= CHIP_HOST_WINDOW)
        return false;
    for (uint64_t page = address & ~(uint64_t)(MEMORY_PAGE_SIZE - 1); page < address + length;
         page += MEMORY_PAGE_SIZE) {
        if (memory_page_kind(chip->memory, page) == MEMORY_NONE)
            return false;
    }
    return true;
}
