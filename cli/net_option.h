/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The value of --net, as QEMU writes it: user[,mac=...][,restrict=on|off][,hostfwd=...]...|none. */
#ifndef PRIVET_CLI_NET_OPTION_H
#define PRIVET_CLI_NET_OPTION_H

#include "machine/board/board.h"

/*
 * Strings in the result point into `text`, which is cut at its commas and must stay.
 * ret_on: whether there is a network at all. False: said why on stderr.
 */
bool net_option_parse(char *text, struct board_net *ret, bool *ret_on);

#endif
