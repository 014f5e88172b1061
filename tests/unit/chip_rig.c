/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The chip of a test, and commands to it. */
#include "tests/unit/chip_rig.h"

#include <stdlib.h>
#include <unistd.h>

void open_chip(struct rig *rig)
{
    static const uint8_t seed[32] = { 1 };
    const struct chip_config config = {
        .state_folder = rig->folder,
        .api_minor = 24,
        .build = 15,
        .max_asid = 509,
        .min_plain_asid = 5,
        .deterministic = true,
        .peer_ark = rig->peer_ark,
    };
    struct chip_failure failure = { .text = "" };
    rig->tmr = 0;
    rig->memory = memory_create(seed);
    assert_non_null(rig->memory);
    assert_int_equal(memory_add_ram(rig->memory, 0, 0x200000), 0);
    rig->chip = chip_open(&config, rig->memory, &failure);
    assert_string_equal(failure.text, "");
    assert_non_null(rig->chip);
    assert_int_equal(memory_write(rig->memory, FIRMWARE_BASE, rig->firmware, FIRMWARE_SIZE,
                                  MEMORY_RAW), 0);
}

void close_chip(struct rig *rig)
{
    chip_close(rig->chip);
    memory_destroy(rig->memory);
}

int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    strcpy(rig->folder, "/tmp/privet-chip-test.XXXXXX");
    if (!mkdtemp(rig->folder))
        return -1;
    fill_up(rig->firmware, sizeof(rig->firmware), 3);
    open_chip(rig);
    *state = rig;
    return 0;
}

static void remove_file(const struct rig *rig, const char *name)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", rig->folder, name);
    unlink(path);
}

int teardown(void **state)
{
    struct rig *rig = *state;
    close_chip(rig);
    remove_file(rig, "chip-state");
    remove_file(rig, "amd-root");
    rmdir(rig->folder);
    free(rig);
    return 0;
}

void expect(struct rig *rig, unsigned command, void *buffer, uint16_t status)
{
    uint16_t got = chip_command(rig->chip, command, buffer);
    if (got != status)
        fail_msg("command 0x%x: %s instead of %s", command, sev_status_name(got),
                 sev_status_name(status));
}

void init(struct rig *rig)
{
    struct sev_init init = { 0 };
    expect(rig, SEV_INIT, &init, SEV_SUCCESS);
    chip_note_wbinvd(rig->chip);
    expect(rig, SEV_DF_FLUSH, NULL, SEV_SUCCESS);
}

uint64_t tmr_of(struct rig *rig)
{
    static uint8_t region[SEV_TMR_SIZE];
    if (!rig->tmr)
        rig->tmr = chip_map(rig->chip, region, sizeof(region));
    return rig->tmr;
}

void init_es(struct rig *rig)
{
    struct sev_init init = { .flags = SEV_INIT_ES, .tmr_paddr = tmr_of(rig),
                             .tmr_len = SEV_TMR_SIZE };
    expect(rig, SEV_INIT, &init, SEV_SUCCESS);
    chip_note_wbinvd(rig->chip);
    expect(rig, SEV_DF_FLUSH, NULL, SEV_SUCCESS);
}

uint16_t on_handle(struct rig *rig, unsigned command, uint32_t handle)
{
    struct sev_handle buffer = { .handle = handle };
    return chip_command(rig->chip, command, &buffer);
}

uint16_t activate(struct rig *rig, uint32_t handle, uint32_t asid)
{
    struct sev_activate buffer = { .handle = handle, .asid = asid };
    return chip_command(rig->chip, SEV_ACTIVATE, &buffer);
}

uint32_t launch_start_plain(struct rig *rig, uint32_t policy)
{
    struct sev_launch_start start = { .policy = policy };
    expect(rig, SEV_LAUNCH_START, &start, SEV_SUCCESS);
    assert_int_not_equal(start.handle, 0);
    return start.handle;
}

uint16_t update(struct rig *rig, uint64_t address, uint32_t length)
{
    struct sev_launch_update_data buffer = { .handle = rig->handle, .paddr = address,
                                             .length = length };
    return chip_command(rig->chip, SEV_LAUNCH_UPDATE_DATA, &buffer);
}

uint16_t measure(struct rig *rig, uint8_t blob[48])
{
    struct sev_launch_measure buffer = { .handle = rig->handle, .measure_len = 48,
                                         .measure_paddr = chip_map(rig->chip, blob, 48) };
    uint16_t status = chip_command(rig->chip, SEV_LAUNCH_MEASURE, &buffer);
    chip_unmap(rig->chip, buffer.measure_paddr);
    return status;
}

bool has_transport_keys(struct rig *rig, uint32_t handle)
{
    static const uint8_t none[SEV_KEY_SIZE];
    const struct chip_guest *guest = &rig->chip->guests[handle - 1];
    return memcmp(guest->tek, none, sizeof(none)) != 0 ||
           memcmp(guest->tik, none, sizeof(none)) != 0;
}

uint32_t guest_state_of(struct rig *rig, uint32_t handle)
{
    struct sev_guest_status status = { .handle = handle };
    expect(rig, SEV_GUEST_STATUS, &status, SEV_SUCCESS);
    return status.state;
}

uint8_t platform_state_of(struct rig *rig)
{
    struct sev_platform_status status;
    expect(rig, SEV_PLATFORM_STATUS, &status, SEV_SUCCESS);
    return status.state;
}

void export_certificates(struct rig *rig, struct export *ret)
{
    struct sev_pdh_cert_export command = {
        .pdh_paddr = chip_map(rig->chip, ret->pdh, sizeof(ret->pdh)),
        .pdh_len = sizeof(ret->pdh),
        .certs_paddr = chip_map(rig->chip, ret->chain, sizeof(ret->chain)),
        .certs_len = sizeof(ret->chain),
    };
    expect(rig, SEV_PDH_CERT_EXPORT, &command, SEV_SUCCESS);
    chip_unmap(rig->chip, command.pdh_paddr);
    chip_unmap(rig->chip, command.certs_paddr);
}

void make_session(struct rig *rig, uint32_t policy, struct owner_session *session)
{
    struct export export;
    export_certificates(rig, &export);
    assert_null(owner_session_make(export.pdh, sizeof(export.pdh), policy, session));
}

uint16_t start_with(struct rig *rig, struct owner_session *session, uint32_t policy)
{
    struct sev_launch_start start = {
        .policy = policy,
        .dh_cert_paddr = chip_map(rig->chip, session->certificate, SEV_CERT_SIZE),
        .dh_cert_len = SEV_CERT_SIZE,
        .session_paddr = chip_map(rig->chip, &session->session, SEV_SESSION_SIZE),
        .session_len = SEV_SESSION_SIZE,
    };
    uint16_t status = chip_command(rig->chip, SEV_LAUNCH_START, &start);
    chip_unmap(rig->chip, start.dh_cert_paddr);
    chip_unmap(rig->chip, start.session_paddr);
    rig->handle = start.handle;
    return status;
}
