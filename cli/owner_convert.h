/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Forms that certificates can be written in. */
#ifndef PRIVET_CLI_OWNER_CONVERT_H
#define PRIVET_CLI_OWNER_CONVERT_H

#include <stdbool.h>

#include "cli/written.h"
#include "owner/bundle.h"

/* For --help. */
#define CONVERT_FORMS                                                                           \
    "                   sevctl       PDH, PEK, OCA, CEK one after the other\n"                   \
    "                   sevctl-full  the same, then ASK and ARK\n"                               \
    "                   chain        PEK, OCA, CEK, as PDH_CERT_EXPORT gives them\n"             \
    "                   ask-ark      ASK, ARK, as AMD publishes them\n"                          \
    "                   sev-tool     a zip of pdh.cert, pek.cert, oca.cert, cek.cert, ask.cert,\n"  \
    "                                ark.cert, those that there are\n"                           \
    "                   files        the same and VCEK, ... as .der, into a folder\n"            \
    "                   pem, der     X.509: all one after the other; exactly one\n"

#define CONVERSION_FILES 16u /* a bundle has fewer certificates */

/* What was written; begins zeroed. */
struct conversion {
    struct written file[CONVERSION_FILES];
    unsigned count;
    char names[CONVERSION_FILES * 5]; /* of the certificates in the only file */
};

/*
 * Writes to `path` in the form `to` and tells the files in *ret; one line if not: what is missing for
 * the form is named.
 */
bool convert_write(const struct owner_bundle *bundle, const char *to, const char *path,
                   struct conversion *ret);

#endif
