/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The host's end of a guest's serial line or console: standard input and output, a file, or a Unix
 * socket that one client at a time connects to.
 */
#ifndef PRIVET_CLI_TERMINAL_H
#define PRIVET_CLI_TERMINAL_H

#include <stdio.h>

#include "machine/hypervisor/hypervisor.h"

struct terminal {
    enum guest_console console; /* which one of the guest */
    struct guest *guest;        /* set once there is one */
    FILE *file;                 /* output: stdout, a file, or NULL */
    const char *path;           /* of the socket, or NULL */
    int listener, input;        /* the client's socket is `input`; -1: none */
    bool waits;                 /* an idle guest waits for input: asked for, or typed before */
    bool failed;                /* output was lost */
};

/*
 * `target`: "stdio", "none", "unix:PATH" or a file to write. NULL: stdio whose input is looked at
 * only if it is a terminal. `keyboard`: standard input belongs to this one. False: a line on stderr
 * that begins with `option` said why.
 */
bool terminal_open(struct terminal *terminal, const char *option, const char *target,
                   bool keyboard);
/* False: output was lost, a line on stderr said so. */
bool terminal_close(struct terminal *terminal);

void terminal_write(struct terminal *terminal, const uint8_t *bytes, size_t length);
/* How the guest listens to it. */
struct host_source terminal_source(struct terminal *terminal);

#endif
