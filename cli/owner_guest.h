/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A guest as its owner describes it on the command line: what `privet owner measure` and `verify`
 * share. Private to cli.
 */
#ifndef PRIVET_CLI_OWNER_GUEST_H
#define PRIVET_CLI_OWNER_GUEST_H

#include "cli/file.h"
#include "cli/options.h"
#include "owner/measure.h"

#define OWNER_REPORT_SIZE (OWNER_MEASURE_SIZE + OWNER_NONCE_SIZE)

struct owner_guest_files {
    struct file firmware, kernel, initrd, vmsa_first, vmsa_others;
    struct file tik, tek; /* no data: not given */
    struct sev_vmsa_config built; /* how the processors' pages were, if no file gave them */
    bool snp; /* a SEV-SNP guest (owner/snp_digest.h): policy, API and build are not measured */
};

/* A verb about such a guest. */
struct owner_guest_verb {
    struct option_verb verb; /* its rows are the verb's own, which follow the guest's */
    int (*run)(const void *own, const struct owner_guest *guest,
               const struct owner_guest_files *files);
    const void *own; /* what the own rows set */
};

/* Parses, reads and checks everything, complaining in one line, and runs. The exit status. */
int owner_guest_command(const struct owner_guest_verb *verb, int argc, char **argv);

/* A value of exactly `size` bytes: hexadecimal digits, base64, or a file with the bytes or either. */
bool owner_value_load(const char *text, const char *what, size_t size, struct file *ret);

#endif
