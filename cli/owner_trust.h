/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What the subcommands of `privet owner` that judge certificates have in common. */
#ifndef PRIVET_CLI_OWNER_TRUST_H
#define PRIVET_CLI_OWNER_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "owner/bundle.h"
#include "owner/check.h"

/* Adds a file, raw or base64, to a bundle; `what` (may be NULL) says what it was. One line if not. */
bool certificates_load(struct owner_bundle *bundle, const char *path, char *what,
                       size_t what_size);

/* The options --any-root, --root and --at. */
struct trust_options {
    bool any_root;
    const char *root, *at;
};

#define TRUST_ROWS(options)                                                                     \
    { "any-root", OPTION_FLAG, &(options).any_root, NULL,                                        \
      "accept a chain without AMD's root, such as an emulated chip's" },             \
    { "root", OPTION_TEXT, &(options).root, "FILE",                                              \
      "trust the ARK in this file as well as AMD's" },                               \
    { "at", OPTION_TEXT, &(options).at, "TIME",                                                  \
      "judge as of 2025-06-01, 2025-06-01T12:00:00Z or @SECONDS; default now" }

/* Begins by trust_open, ends by trust_close. */
struct trust {
    bool any_root;
    struct owner_bundle root;
    time_t at;
};

/* False, with one line: a time or a file that cannot be read. */
bool trust_open(const struct trust_options *options, struct trust *ret);
void trust_close(struct trust *trust);

/* An ARK that was not given is taken from --root. */
void trust_complete(const struct trust *trust, struct owner_bundle *bundle);

/*
 * Adds a check "root": good when the key is AMD's or that of --root, or with --any-root. `product`
 * is AMD's name for it, NULL: another; `ark` NULL: not given.
 */
void trust_check_root(const struct trust *trust, EVP_PKEY *ark, const char *product,
                      struct owner_checks *checks);

/*
 * The links of either family, and its root: of SEV up to `last`, OWNER_CEK_PEK or OWNER_PEK_PDH.
 * Return the root's product, NULL: not AMD's.
 */
const char *trust_check_sev(const struct trust *trust, const struct owner_chain *chain,
                            enum owner_link last, struct owner_checks *checks);
const char *trust_check_snp(const struct trust *trust, const struct owner_snp_chain *chain,
                            struct owner_checks *checks);

/* Is nothing bad, and nothing absent either unless `lenient`? */
bool checks_passed(const struct owner_checks *checks, bool lenient);

/* The first bad check, else the first that lacks something. */
const struct owner_check *checks_culprit(const struct owner_checks *checks);

/* Lines, or a JSON array. */
void checks_print(const struct owner_checks *checks);
void checks_print_json(const struct owner_checks *checks);

#endif
