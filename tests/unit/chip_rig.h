/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A chip over 2 MiB of memory in a state folder of its own, and commands to it: what the chip's
 * tests share. An unexpected status fails the test.
 */
#ifndef PRIVET_TESTS_CHIP_RIG_H
#define PRIVET_TESTS_CHIP_RIG_H

#include "tests/unit/sev_data.h"

#include "machine/chip/internal.h"
#include "owner/session.h"

#define FIRMWARE_BASE 0x100000u
#define FIRMWARE_SIZE 0x8000u
#define SECRET_BASE   0x10000u
#define ASID          7u
#define ES_ASID       3u /* of a SEV-ES guest */

struct rig {
    char folder[64];
    struct memory *memory;
    struct chip *chip;
    uint8_t firmware[FIRMWARE_SIZE];
    uint32_t handle;
    uint64_t tmr; /* 0: SEV-ES was not enabled yet */
    const uint8_t *peer_ark; /* of struct chip_config */
};

struct export {
    uint8_t pdh[SEV_CERT_SIZE], chain[SEV_CHAIN_SIZE];
};

void open_chip(struct rig *rig);

/* Has the chip transport keys of that guest? */
bool has_transport_keys(struct rig *rig, uint32_t handle);
void close_chip(struct rig *rig);
int setup(void **state);
int teardown(void **state);
void expect(struct rig *rig, unsigned command, void *buffer, uint16_t status);
void init(struct rig *rig);
void init_es(struct rig *rig);
uint64_t tmr_of(struct rig *rig); /* memory that may become the TMR */
uint16_t on_handle(struct rig *rig, unsigned command, uint32_t handle);
uint16_t activate(struct rig *rig, uint32_t handle, uint32_t asid);
uint32_t launch_start_plain(struct rig *rig, uint32_t policy);
uint16_t update(struct rig *rig, uint64_t address, uint32_t length);
uint16_t measure(struct rig *rig, uint8_t blob[48]);
uint32_t guest_state_of(struct rig *rig, uint32_t handle);
uint8_t platform_state_of(struct rig *rig);
void export_certificates(struct rig *rig, struct export *ret);
void make_session(struct rig *rig, uint32_t policy, struct owner_session *session);
uint16_t start_with(struct rig *rig, struct owner_session *session, uint32_t policy);

#endif
