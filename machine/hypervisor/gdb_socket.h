/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Listening sockets named on a command line; private to machine/hypervisor. */
#ifndef PRIVET_MACHINE_GDB_SOCKET_H
#define PRIVET_MACHINE_GDB_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

struct gdb_address {
    bool no_wait;     /* ",nowait": the guest starts without a debugger */
    char host[256];   /* empty with a path */
    char port[8];
    char path[108];   /* of a Unix socket; empty with a host */
};

/*
 * "tcp:HOST:PORT", "HOST:PORT", ":PORT", "PORT" (without a host: 127.0.0.1; an IPv6 address in
 * brackets) or "unix:PATH"; then perhaps ",nowait". False with one line in `error`.
 */
bool gdb_address_parse(const char *text, struct gdb_address *ret, char *error, size_t error_size);

/*
 * A listening socket that does not block, and in `name` what it is bound to. -1 with one line in
 * `error`. A stale Unix socket at the path is replaced, any other file is not.
 */
int gdb_listen(const struct gdb_address *address, char *name, size_t name_size, char *error,
               size_t error_size);

#endif
