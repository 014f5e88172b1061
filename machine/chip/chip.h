/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The emulated AMD Secure Processor (SEV API, publication 55766). One door: a command id and a
 * command buffer give a status. Addresses inside command buffers are physical addresses of the
 * emulated platform: guest memory or what chip_map registered. It knows memory and nothing of the
 * CPU.
 */
#ifndef PRIVET_MACHINE_CHIP_H
#define PRIVET_MACHINE_CHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "machine/memory/memory.h"

struct chip;

/* The firmware that the emulated part runs unless told otherwise: Rome's last 0.24. */
#define CHIP_API_MAJOR 0
#define CHIP_API_MINOR 24
#define CHIP_BUILD     15

struct chip_config {
    const char *state_folder;  /* identity and persistent keys; created if absent, mode 0700 */
    /*
     * The folder is locked while the chip is open: for this process alone, or, with `shared`, for all
     * that only read it; commands that change what it keeps then fail with SEV_HWERROR_PLATFORM.
     */
    bool shared;
    uint8_t api_major, api_minor, build;
    /* CPUID 0x8000001F ECX and EDX of the host; SEV-ES guests have ASIDs below min_plain_asid. */
    unsigned max_asid, min_plain_asid;
    /*
     * Deterministic platform: everything random that a command makes derives from the chip's
     * secret and the commands so far. Off: from the host's random source.
     */
    bool deterministic;
    /*
     * ARK of another emulated AMD (CHIP_ROOT_ARK_SIZE bytes, the caller's while the chip is open)
     * whose platforms may receive guests with the policy SEV. NULL: only this folder's own.
     */
    const uint8_t *peer_ark;
};

/*
 * Where command buffers and their operands live. Host buffers are given physical addresses in a
 * window of their own (chip_map); guest pages are guest-physical addresses in `memory`.
 */
#define CHIP_HOST_WINDOW 0x0008000000000000ull /* system physical: above every guest address */

/* Why the chip or a part of it is not to be had. */
struct chip_failure {
    uint16_t status;    /* enum sev_status; SEV_SUCCESS: it was not the chip's store */
    const char *advice; /* a phrase; NULL: none */
    char text[4096];    /* one line: file, fact, status, advice */
};

/*
 * Opens or creates the chip. NULL with the reason in `failure`: SEV_SECURE_DATA_INVALID for a state
 * that is damaged or of another version, SEV_HWERROR_PLATFORM for a folder that is unusable or used by
 * another process for longer than a few seconds.
 */
struct chip *chip_open(const struct chip_config *config, struct memory *memory,
                       struct chip_failure *failure);
void chip_close(struct chip *chip);

/*
 * Host memory the chip may reach: registers `size` bytes at `data` and returns their physical
 * address (CHIP_HOST_WINDOW and up); released by chip_unmap. A full table returns 0.
 */
uint64_t chip_map(struct chip *chip, void *data, size_t size);
void chip_unmap(struct chip *chip, uint64_t address);

/* What the emulated part calls itself, e.g. in `privet run`'s first line. */
const char *chip_model(const struct chip *chip);

#define CHIP_ID_SIZE 64u

/* What GET_ID answers: unique per state folder, unchanged by PLATFORM_RESET. */
void chip_identity(const struct chip *chip, uint8_t id[CHIP_ID_SIZE]);

#define CHIP_ROOT_ARK_SIZE 0x640u
#define CHIP_ROOT_ASK_SIZE 0x640u
#define CHIP_ROOT_CEK_SIZE 0x824u

struct chip_root {
    uint8_t cek[CHIP_ROOT_CEK_SIZE]; /* signed by the ASK */
    uint8_t ask[CHIP_ROOT_ASK_SIZE], ark[CHIP_ROOT_ARK_SIZE];
};

/*
 * What AMD's key server would hand out for this chip. The emulated AMD keys (RSA-4096) are made
 * at the first call, used to sign and forgotten; the certificates are kept in the state folder.
 * False with the reason in `failure`, as of chip_open; one of another chip counts as damaged.
 */
bool chip_root_certificates(struct chip *chip, struct chip_root *ret_root,
                            struct chip_failure *failure);

/* What a command needs: where its table of facts allows it, and its name there. */
struct chip_requirement {
    const char *name;         /* "LAUNCH_START" */
    unsigned platform_states; /* 1 << enum sev_platform_state, each that allows it */
    unsigned guest_states;    /* 1 << enum sev_guest_state; 0: no guest's state is looked at */
};

/* False: the chip does not know the command. */
bool chip_requirement(unsigned command, struct chip_requirement *ret);

/* The states now of the platform and of a guest; -1: not known, or there is none. */
struct chip_states {
    int platform, guest; /* enum sev_platform_state, enum sev_guest_state */
};

/* `handle` is 0: no guest is meant. A handle of nobody is a guest in SEV_GUEST_UNINIT. */
struct chip_states chip_states(struct chip *chip, uint32_t handle);

/* The door: enum sev_command (sev/command.h), buffer in the command's layout, enum sev_status. */
uint16_t chip_command(struct chip *chip, unsigned command, void *buffer);

/*
 * Threads of the emulated part: their APIC ids are 0 to CHIP_THREADS - 1, and the threads of a core
 * complex follow each other. An ASID is enabled by complex (ACTIVATE_EX).
 */
#define CHIP_THREADS             128u
#define CHIP_THREADS_PER_COMPLEX 8u
#define CHIP_THREADS_PER_CORE    2u

/*
 * True if VMRUN with this ASID may succeed on that thread: launched, and activated there. Else
 * chip_check_run puts the reason into `why`.
 */
bool chip_may_run(const struct chip *chip, uint32_t asid, uint32_t apic_id);
bool chip_check_run(const struct chip *chip, uint32_t asid, uint32_t apic_id, char *why,
                    size_t why_size);

/*
 * The saved state of a SEV-ES guest's processor (VMSA, APM 2 table B-4): a page at `vmsa_paddr`, host
 * memory in the window or guest memory, under the guest's key. Only LAUNCH_UPDATE_VMSA and
 * RECEIVE_UPDATE_VMSA make one; its checksum is kept where the host cannot reach it.
 *
 * What the microcode does at VMRUN: chip_vmsa_load checks the page and gives its plaintext. False, the
 * reason in `why`: no such page of the guest that is activated on this ASID, or it was changed; VMRUN
 * then ends with VMEXIT_INVALID. And at an exit: chip_vmsa_store encrypts `state` to the page and
 * renews the checksum; false if it is no such page. Whether the ASID may run is chip_check_run's.
 *
 * The plaintext is the processor's alone: the caller cleanses it.
 */
#define CHIP_VMSA_SIZE 4096u
bool chip_vmsa_load(struct chip *chip, uint32_t asid, uint64_t vmsa_paddr,
                    uint8_t ret[CHIP_VMSA_SIZE], char *why, size_t why_size);
bool chip_vmsa_store(struct chip *chip, uint32_t asid, uint64_t vmsa_paddr,
                     const uint8_t state[CHIP_VMSA_SIZE]);

/*
 * The CPU executed WBINVD on every core, which DF_FLUSH asks for (SEV API); or a thread did on its
 * core alone. An id that no thread has counts for nothing.
 */
void chip_note_wbinvd(struct chip *chip);
void chip_note_thread_wbinvd(struct chip *chip, uint32_t apic_id);

#endif
