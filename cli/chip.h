/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What the files of `privet chip` share: one powered-on chip and the commands to it. */
#ifndef PRIVET_CLI_CHIP_H
#define PRIVET_CLI_CHIP_H

#include <stdbool.h>

#include "cli/written.h"
#include "machine/chip/chip.h"
#include "sev/certificate.h"
#include "sev/command.h"

/* ASIDs of the emulated part: CPUID 0x8000001F ECX, EDX; those below are for SEV-ES guests. */
#define CHIP_ASIDS            509u
#define CHIP_FIRST_PLAIN_ASID 100u

struct chip_options {
    const char *state, *peer_root;
    bool full, json;
};

struct chip_session {
    const struct chip_options *options;
    struct chip *chip;
    struct memory *memory;
};

/*
 * Gives the chip one command; `buffer` is its command buffer, NULL for commands without one. False
 * when the chip refused: one line then names the command, the status and what to do.
 */
bool chip_issue(struct chip_session *s, enum sev_command command, void *buffer);
#define CHIP_ISSUE(session, name, buffer) chip_issue(session, SEV_##name, buffer)

/* INIT: most commands need it. */
bool chip_initialise(struct chip_session *s);

/* "self" or "external". */
const char *chip_owner_name(const struct sev_platform_status *status);

/* PDH, PEK, OCA and CEK of a chip that is initialised; false, with a line, if it refuses. */
bool chip_certificates(struct chip_session *s, uint8_t certificates[4 * SEV_CERT_SIZE]);

/*
 * The ARK in a file of certificates, such as `privet chip export --full` writes; false, with a line, if
 * there is none.
 */
bool chip_peer_root(const char *path, uint8_t ark[CHIP_ROOT_ARK_SIZE]);

/*
 * With --json, prints what a command made: the file, if there is one, the platform's state and owner
 * and the digests of its keys afterwards. False, with a line, if the chip refuses to tell.
 */
bool chip_tell(struct chip_session *s, const struct written *file);

/* Verbs. `files` are the words after the verb; the result is the exit status. */
int chip_export(struct chip_session *s, const char *const *files);
int chip_csr(struct chip_session *s, const char *const *files);
int chip_import(struct chip_session *s, const char *const *files);
/* Verbs of a chip that `privet chip exec` serves, from programs below it; no session is needed. */
int chip_guests(bool json);
int chip_decrypt(const char *const *words);

int chip_exec(struct chip_session *s, const char *const *words);
int chip_verify(struct chip_session *s, const char *const *files);

#endif
