/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Requests to the chip that `privet chip exec` serves (machine/driver/wire.h). */
#ifndef PRIVET_PRELOAD_CLIENT_H
#define PRIVET_PRELOAD_CLIENT_H

#include <stdbool.h>

#include "machine/driver/wire.h"

/* A connection to the chip, close-on-exec; -1 and errno ENODEV where there is none. */
int client_connect(void);

/*
 * One request; `in` and `out` are the parts: wire->size[i] bytes of in[i] are sent, the reply's parts
 * go to out[i], of capacity[i] bytes. Returns 0, or -1 with errno, EIO for the firmware's refusal;
 * wire holds the reply in both cases.
 */
int client_request(int fd, struct wire *wire, const void *const in[WIRE_PARTS],
                   void *const out[WIRE_PARTS], const uint32_t capacity[WIRE_PARTS]);

#endif
