/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The launch, in the order in which QEMU and KVM do it (SEV API chapter 6): the flash image and,
 * if asked for, the table of kernel hashes are encrypted in place and measured; then the guest
 * owner's secret; then the guest may run.
 */
#include "machine/hypervisor/es.h"
#include "machine/hypervisor/trace.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "sev/command.h"
#include "sev/guid_table.h"
#include "sev/hashes.h"
#include "sev/status.h"

/* One command; on refusal remembers which. */
static bool issue(struct guest *guest, struct launch_result *result, enum sev_command command,
                  const char *name, void *buffer)
{
    uint16_t status = chip_command(guest->chip, command, buffer);
    trace_command(guest->trace, name, status);
    if (status == SEV_SUCCESS)
        return true;
    result->command = name;
    result->command_id = command;
    result->status = status;
    result->found = chip_states(guest->chip, guest->handle);
    return false;
}
#define ISSUE(guest, result, name, buffer) issue(guest, result, SEV_##name, #name, buffer)

/* A host buffer that the chip may reach for the time of one command; 0: absent. */
static uint64_t map_blob(struct guest *guest, const struct board_blob *blob)
{
    return blob->data ? chip_map(guest->chip, (void *)(uintptr_t)blob->data, blob->size) : 0;
}

static void unmap_blob(struct guest *guest, uint64_t address)
{
    if (address)
        chip_unmap(guest->chip, address);
}

static bool platform_init(struct guest *guest, struct launch_result *result)
{
    struct sev_platform_status platform = { 0 };
    struct sev_init init = { 0 };
    if (guest->es)
        init = (struct sev_init){ .flags = SEV_INIT_ES, .tmr_paddr = es_tmr(guest->es),
                                  .tmr_len = SEV_TMR_SIZE };
    if (!ISSUE(guest, result, PLATFORM_STATUS, &platform))
        return false;
    if (platform.state == SEV_PLATFORM_UNINIT && !ISSUE(guest, result, INIT, &init))
        return false;
    chip_note_wbinvd(guest->chip);
    if (!ISSUE(guest, result, DF_FLUSH, NULL) ||
        !ISSUE(guest, result, PLATFORM_STATUS, &platform))
        return false;
    result->api_major = platform.api_major;
    result->api_minor = platform.api_minor;
    result->build = platform.build;
    return true;
}

static bool launch_start(struct guest *guest, struct launch_result *result)
{
    const struct guest_config *config = &guest->config;
    struct sev_launch_start start = { .policy = config->policy };
    start.dh_cert_paddr = map_blob(guest, &config->dh_cert);
    start.dh_cert_len = (uint32_t)config->dh_cert.size;
    start.session_paddr = map_blob(guest, &config->session);
    start.session_len = (uint32_t)config->session.size;
    bool done = ISSUE(guest, result, LAUNCH_START, &start);
    unmap_blob(guest, start.dh_cert_paddr);
    unmap_blob(guest, start.session_paddr);
    if (!done)
        return false;
    guest->handle = start.handle;
    struct sev_activate activate = { .handle = guest->handle, .asid = config->asid };
    return ISSUE(guest, result, ACTIVATE, &activate);
}

static bool update_data(struct guest *guest, struct launch_result *result, uint64_t gpa,
                        size_t length)
{
    struct sev_launch_update_data update = {
        .handle = guest->handle,
        .paddr = gpa,
        .length = (uint32_t)length,
    };
    result->encrypted_bytes += length;
    return ISSUE(guest, result, LAUNCH_UPDATE_DATA, &update);
}

static void sha256(const void *data, size_t length, uint8_t digest[32])
{
    EVP_Digest(data, length, digest, NULL, EVP_sha256(), NULL);
}

/* The table that QEMU builds for kernel-hashes=on. */
static void build_hashes(const struct guest_config *config, uint8_t table[SEV_HASHES_TABLE_SIZE])
{
    const char *command_line = config->hashed_command_line ? config->hashed_command_line : "";
    struct sev_kernel_hashes hashes;
    sha256(command_line, strlen(command_line) + 1, hashes.cmdline);
    sha256(config->hashed_initrd.data, config->hashed_initrd.size, hashes.initrd);
    sha256(config->hashed_kernel.data, config->hashed_kernel.size, hashes.kernel);
    sev_hashes_build(&hashes, table);
}

/* Where the firmware image keeps an area, by its GUIDed table. False: it does not promise one. */
static bool firmware_area(const struct guest *guest, const struct sev_guid *guid, uint32_t *base,
                          uint32_t *size)
{
    const struct board_blob *firmware = &guest->config.board.firmware;
    return sev_guid_table_find_area(firmware->data, firmware->size, guid, base, size) && *base;
}

/* 0 done, 1 refused by the chip, -1 the firmware cannot. */
static int add_hashes(struct guest *guest, struct launch_result *result, char *error,
                      size_t error_size)
{
    uint8_t table[SEV_HASHES_TABLE_SIZE];
    uint32_t base, size;
    if (!guest->config.board.kernel.data) {
        snprintf(error, error_size, "kernel hashes asked for without a kernel; give --kernel");
        return -1;
    }
    if (!firmware_area(guest, &sev_guid_hashes_area, &base, &size) || size < sizeof(table)) {
        snprintf(error, error_size,
                 "the firmware has no kernel hash area in its GUIDed table; use another firmware "
                 "or --kernel-hashes off");
        return -1;
    }
    build_hashes(&guest->config, table);
    if (memory_write(guest->memory, base, table, sizeof(table), MEMORY_RAW) != 0) {
        snprintf(error, error_size, "the firmware's kernel hash area 0x%x is not RAM", base);
        return -1;
    }
    return update_data(guest, result, base, sizeof(table)) ? 0 : 1;
}

/* The processors' registers, before LAUNCH_MEASURE. As add_hashes. */
static int add_processors(struct guest *guest, struct launch_result *result, char *error,
                          size_t error_size)
{
    if (!es_build(guest->es, &result->cpu_signature, error, error_size))
        return -1;
    for (unsigned i = 0; i < guest->cpu_count; i++) {
        struct sev_launch_update_data update = {
            .handle = guest->handle,
            .paddr = es_vmsa(guest->es, i),
            .length = SEV_VMSA_SIZE,
        };
        if (!ISSUE(guest, result, LAUNCH_UPDATE_VMSA, &update))
            return 1;
        result->encrypted_bytes += SEV_VMSA_SIZE;
    }
    return 0;
}

static bool measure(struct guest *guest, struct launch_result *result)
{
    struct sev_launch_measure command = {
        .handle = guest->handle,
        .measure_paddr = chip_map(guest->chip, result->measurement, GUEST_MEASUREMENT_SIZE),
        .measure_len = GUEST_MEASUREMENT_SIZE,
    };
    bool done = ISSUE(guest, result, LAUNCH_MEASURE, &command);
    unmap_blob(guest, command.measure_paddr);
    return done;
}

static int inject_secret(struct guest *guest, struct launch_result *result, char *error,
                         size_t error_size)
{
    const struct guest_config *config = &guest->config;
    uint32_t base, size;
    if (!firmware_area(guest, &sev_guid_secret_area, &base, &size) ||
        size < config->secret.size) {
        snprintf(error, error_size,
                 "the firmware's GUIDed table has no secret area for %zu bytes; use another "
                 "firmware", config->secret.size);
        return -1;
    }
    struct sev_launch_secret command = {
        .handle = guest->handle,
        .hdr_paddr = map_blob(guest, &config->secret_header),
        .hdr_len = (uint32_t)config->secret_header.size,
        .guest_paddr = base,
        .guest_len = (uint32_t)config->secret.size,
        .trans_paddr = map_blob(guest, &config->secret),
        .trans_len = (uint32_t)config->secret.size,
    };
    bool done = ISSUE(guest, result, LAUNCH_SECRET, &command);
    unmap_blob(guest, command.hdr_paddr);
    unmap_blob(guest, command.trans_paddr);
    guest->secret_gpa = base;
    guest->secret_size = done ? config->secret.size : 0;
    return done ? 0 : 1;
}

static int launch(struct guest *guest, struct launch_result *result, char *error,
                  size_t error_size)
{
    const struct board_config *board = &guest->config.board;
    int outcome = 0;
    /* No launch encrypts the copy, and all that a guest without paging sees is private. */
    if (board_firmware_is_legacy(&board->firmware)) {
        snprintf(error, error_size,
                 "the firmware is a legacy BIOS, which cannot start an encrypted guest; use a UEFI "
                 "firmware or --sev off");
        return -1;
    }
    if (!platform_init(guest, result) || !launch_start(guest, result) ||
        !update_data(guest, result, board_firmware_base(guest->board), board->firmware.size))
        return 1;
    if (guest->config.kernel_hashes)
        outcome = add_hashes(guest, result, error, error_size);
    if (outcome == 0 && guest->es)
        outcome = add_processors(guest, result, error, error_size);
    if (outcome == 0 && !measure(guest, result))
        outcome = 1;
    if (outcome == 0 && guest->config.secret.data)
        outcome = inject_secret(guest, result, error, error_size);
    if (outcome)
        return outcome;
    struct sev_handle finish = { .handle = guest->handle };
    return ISSUE(guest, result, LAUNCH_FINISH, &finish) ? 0 : 1;
}

int guest_launch(struct guest *guest, struct launch_result *result, char *error, size_t error_size)
{
    double start = host_seconds();
    memset(result, 0, sizeof(*result));
    result->policy = guest->config.policy;
    int outcome = launch(guest, result, error, error_size);
    result->seconds = host_seconds() - start;
    return outcome;
}

void guest_decommission(struct guest *guest)
{
    if (!guest->chip || !guest->handle)
        return;
    struct sev_handle deactivate = { .handle = guest->handle };
    struct sev_handle decommission = { .handle = guest->handle };
    chip_command(guest->chip, SEV_DEACTIVATE, &deactivate);
    chip_command(guest->chip, SEV_DECOMMISSION, &decommission);
    /* Only what comes after DEACTIVATE makes the ASID clean (SEV API, DF_FLUSH). */
    chip_note_wbinvd(guest->chip);
    chip_command(guest->chip, SEV_DF_FLUSH, NULL);
    guest->handle = 0;
}
