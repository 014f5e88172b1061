/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A guest as its owner describes it on the command line: the options that `privet owner measure` and
 * `verify` share, and the files that they name. Private to cli.
 */
#ifndef PRIVET_CLI_OWNER_GUEST_H
#define PRIVET_CLI_OWNER_GUEST_H

#include "cli/file.h"
#include "cli/options.h"
#include "owner/measure.h"

#define OWNER_GUEST_ROWS 23u
#define OWNER_REPORT_SIZE (OWNER_MEASURE_SIZE + OWNER_NONCE_SIZE)

struct owner_guest_options {
    const char *firmware, *kernel, *initrd, *append, *tik, *tek, *tk, *vmsa_first, *vmsa_others;
    const char *cpu;
    uint64_t policy, api_major, api_minor, build, processors;
    uint64_t signature, family, model, stepping, features;
    bool fpu;
    unsigned hashes; /* of an enum of owner_guest.c */
    unsigned mode;   /* the same */
};

struct owner_guest_files {
    struct file firmware, kernel, initrd, vmsa_first, vmsa_others;
    struct file tik, tek; /* no data: not given */
    struct sev_vmsa_config built; /* how the processors' pages were, if no file gave them */
};

/* Sets the defaults and writes OWNER_GUEST_ROWS rows. */
void owner_guest_rows(struct owner_guest_options *o, struct option_row *rows);

/*
 * Reads and checks everything, complaining in one line. `guest` points into `files` and the options;
 * owner_guest_free in any case.
 */
bool owner_guest_load(const struct owner_guest_options *o, struct owner_guest_files *files,
                      struct owner_guest *guest);
void owner_guest_free(struct owner_guest_files *files);

/* A value of exactly `size` bytes: hexadecimal digits, base64, or a file with the bytes or either. */
bool owner_value_load(const char *text, const char *what, size_t size, struct file *ret);

#endif
