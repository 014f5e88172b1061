/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * An outside of a processor in which nothing is: reads give all ones, writes are ignored, no
 * interrupt, no APIC, no random numbers, and a time stamp that stands still. A test copies it and
 * sets what it is about.
 */
#ifndef PRIVET_TESTS_QUIET_IO_H
#define PRIVET_TESTS_QUIET_IO_H

#include "machine/cpu/cpu.h"

extern const struct cpu_io quiet_io;

#endif
