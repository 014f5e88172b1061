/* SPDX-License-Identifier: BSD-2-Clause-Patent */
#ifndef PRIVET_CLI_CHIP_EXEC_H
#define PRIVET_CLI_CHIP_EXEC_H

#include <stdbool.h>

/*
 * Becomes the program `words` (NULL at the end) with the chip of the folder `state`; returns the exit
 * code 1, after one line, only if that cannot be.
 */
int chip_exec(const char *state, char **words);

#endif
