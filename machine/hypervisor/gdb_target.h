/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * An x86-64 processor as GDB sees it: the target description (GDB manual, appendix G) and the
 * values of its registers in the order of that description. Pure.
 *
 * RIP is given as a linear address: GDB knows no segments, and so the memory at $pc is what
 * executes in real mode, too.
 */
#ifndef PRIVET_MACHINE_GDB_TARGET_H
#define PRIVET_MACHINE_GDB_TARGET_H

#include "machine/cpu/inspect.h"

/* Most bytes of one register, and of all. */
#define GDB_REGISTER_MAX  16u
#define GDB_REGISTERS_MAX 1024u
#define GDB_XML_MAX       12288u

/* Builds the description, NUL after it; returns its length. */
size_t gdb_target_xml(char xml[GDB_XML_MAX]);

unsigned gdb_register_count(void);
unsigned gdb_register_size(unsigned number); /* bytes; 0: there is no such register */

/* Number of the register that the description calls RIP, for stop replies. */
unsigned gdb_register_rip(void);

/* Little-endian bytes of a register; returns how many. */
size_t gdb_register_get(const struct cpu_registers *registers, unsigned number,
                        uint8_t value[GDB_REGISTER_MAX]);

/* False: not a register that a debugger may set, and *registers is unchanged. */
bool gdb_register_set(struct cpu_registers *registers, unsigned number, const uint8_t *value);

#endif
