/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The kernel file as QEMU hands it to guests that are not encrypted: boot parameters are written into
 * its setup header (Linux boot protocol, Documentation/x86/boot.rst). A launch that hashes this form
 * hashes another kernel than the owner's file.
 */
#ifndef PRIVET_OWNER_SETUP_HEADER_H
#define PRIVET_OWNER_SETUP_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SETUP_HEADER_SIZE 0x238u

/*
 * Writes the parameters into a copy of a kernel's first SETUP_HEADER_SIZE bytes. `low_memory` is the
 * guest's memory below 4 GiB, on which the initrd's address depends; initrd_size 0: there is none.
 * False: not a kernel that this is done to, or the initrd does not fit.
 */
bool setup_header_patch(uint8_t header[SETUP_HEADER_SIZE], uint64_t low_memory,
                        uint32_t initrd_size);

#endif
