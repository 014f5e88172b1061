/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The program's memory by addresses that the program gave, as a kernel sees it: one that leads
 * nowhere is an error and no fault.
 */
#ifndef PRIVET_PRELOAD_USER_MEMORY_H
#define PRIVET_PRELOAD_USER_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False with errno EFAULT: not all of it is there to read or to write. 0 bytes are always there. */
bool user_read(void *to, uint64_t from, size_t size);
bool user_write(uint64_t to, const void *from, size_t size);

#endif
