/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A platform and a guest brought to any state by the commands that lead there, and for each command a
 * buffer in which all is well: what the tables of wrong states and of bad fields share.
 */
#ifndef PRIVET_TESTS_CHIP_SCENE_H
#define PRIVET_TESTS_CHIP_SCENE_H

#include "tests/unit/chip_rig.h"

#define SCENE_TARGET 0x20000u  /* a page for what a command writes */
#define SCENE_LARGE  0x200000u /* memory ends here */

/* What the commands point to; mapped into the chip's window as long as the scene is open. */
struct scene_data {
    uint8_t pdh[SEV_CERT_SIZE];     /* of this platform, which sends to itself */
    uint8_t chain[SEV_CHAIN_SIZE];
    uint8_t owner[SEV_CERT_SIZE];   /* the guest owner's key */
    struct sev_session owner_session;
    struct sev_session session;     /* of the transfer under way */
    struct sev_packet_header secret_header, header;
    uint8_t secret[64], packet[0x100];
    uint8_t csr[SEV_CERT_SIZE], signed_pek[SEV_CERT_SIZE], oca[SEV_CERT_SIZE];
    uint8_t id[SEV_ID_SIZE];
    _Alignas(0x1000) uint8_t out[0x2000];   /* for what commands write */
    uint32_t apic_ids[2];
    _Alignas(0x40) struct sev_swap_entry entry;
    _Alignas(0x1000) uint8_t page[0x1000];  /* what SWAP_OUT wrote */
    _Alignas(0x1000) uint8_t vmsa[0x1000];  /* of a SEV-ES guest's processor; where one arrives */
    _Alignas(0x1000) uint8_t arrived[0x1000];
    struct sev_packet_header vmsa_header;   /* a VMSA on its way */
    uint8_t vmsa_packet[0x1000];
    _Alignas(0x1000) uint8_t queues[4][0x1000];
    _Alignas(0x1000) uint8_t nv[SEV_NV_SIZE];
};

struct scene {
    struct rig *rig;
    struct scene_data *data;
    uint64_t window; /* the data's physical address */
    struct owner_session session;
    uint32_t policy;
    uint32_t handle; /* of the guest in question */
};

int scene_setup(void **state);
int scene_teardown(void **state);

/*
 * The platform in that state: WORKING by another guest than scene->handle, which is nobody's. SEV-ES
 * is on if the scene's policy asks for it.
 */
void scene_platform(struct scene *scene, enum sev_platform_state state);

/*
 * A guest of scene->policy in that state, with or without an ASID; UNINIT: there was one, and the
 * platform still works for another. Both chips' worth of transfers go from this platform to itself.
 */
void scene_guest(struct scene *scene, enum sev_guest_state state, bool bound);

/* The physical address of a member of scene->data. */
#define SCENE_ADDRESS(scene, member) ((scene)->window + offsetof(struct scene_data, member))

/* A buffer with which the command succeeds where states and policy allow it. */
void scene_buffer(struct scene *scene, unsigned command, uint8_t buffer[CHIP_BUFFER_MAX]);

#endif
