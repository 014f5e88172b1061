/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* How a run ended, for files: `--json` for programs and `--report` for people. */
#ifndef PRIVET_CLI_RUN_OUTCOME_H
#define PRIVET_CLI_RUN_OUTCOME_H

#include "cli/run.h"

struct run_outcome {
    const struct chip_failure *failure; /* why there never was a guest; NULL: there was */
    struct guest *guest;
    const struct run_options *options;
    const struct launch_result *launch; /* NULL: without SEV */
    const struct run_result *result;    /* NULL: the launch was refused */
    struct memory_statistics memory;    /* at the guest's end */
    const char *death;                  /* report_death_text; NULL: it did not die */
    int code;                           /* exit status so far */
};

/* Each writes its file whole or not at all. False: said why on stderr. */
bool outcome_write_json(const char *path, const struct run_outcome *outcome);
bool outcome_write_report(const char *path, const struct run_outcome *outcome);

#endif
