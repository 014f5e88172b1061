/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * One request to the chip with what the program gave by address: the parts are copied before anything
 * is sent, so that a bad address never leaves the connection out of step.
 *
 * The functions that return int return 0, or -1 with errno.
 */
#ifndef PRIVET_PRELOAD_EXCHANGE_H
#define PRIVET_PRELOAD_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "machine/driver/wire.h"

#define EXCHANGE_BLOB_MAX 0x4000u /* linux: SEV_FW_BLOB_MAX_SIZE */

struct exchange {
    int fd; /* the connection, not the exchange's */
    uint64_t data; /* where the program has the request's structure */
    const struct kvm_vm *vm; /* whose request it is; NULL: /dev/sev's */
    struct wire wire;
    uint8_t part[WIRE_PARTS][WIRE_PART_MAX];
};

/* A request over a connection; released by free. NULL with errno ENOMEM. */
struct exchange *exchange_new(int fd, uint32_t request, uint64_t data);
/* The wire as it was at first, for another round. */
void exchange_again(struct exchange *x);

/* The program's structure of `size` bytes at `data`: EFAULT. */
int exchange_get(const struct exchange *x, void *structure, size_t size);
int exchange_put(const struct exchange *x, const void *structure, size_t size);

/* A blob to send as linux' psp_copy_user_blob takes it: EINVAL for none and too large, EFAULT. */
int exchange_blob(struct exchange *x, unsigned part, uint64_t address, uint32_t size);
/* Guest memory to send, `size` at most WIRE_PART_MAX: ENOMEM, as pinning fails in linux. */
int exchange_memory(struct exchange *x, unsigned part, uint64_t address, uint32_t size);
/* Sends, and waits for the answer: EIO is the firmware's refusal, its status is in the wire. */
int exchange_run(struct exchange *x);
/* `size` bytes of a part of the answer to the program, zeros after those that came: EFAULT. */
int exchange_give(struct exchange *x, unsigned part, uint64_t address, uint32_t size);

#endif
