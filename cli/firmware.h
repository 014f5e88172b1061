/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The parts of `privet firmware`; private to cli. */
#ifndef PRIVET_CLI_FIRMWARE_H
#define PRIVET_CLI_FIRMWARE_H

#include <stdbool.h>
#include <stdint.h>

/* Prints what the image holds and what a launch measures of it. Exit code. */
int firmware_info(const char *path, bool json);

/* Prints the symbols of a debug image, or only those that the addresses belong to. Exit code. */
int firmware_symbols(const char *path, const uint64_t *addresses, unsigned count);

/* Lists the variables of a store. Exit code. */
int firmware_vars(const char *path, bool json);

/* Makes an empty store, of the layout of OVMF_VARS_4M.fd, or small: OVMF_VARS.fd. Exit code. */
int firmware_new_vars(const char *path, bool small);

#endif
