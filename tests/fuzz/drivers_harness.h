/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A firmware driver against a device that the fuzzer plays: a model that does what is right, of
 * whose registers, configuration space and shared memory the input changes single reads. The
 * drivers' reads of shared memory are traced, so two reads of one place may differ.
 */
#ifndef PRIVET_TESTS_DRIVERS_HARNESS_H
#define PRIVET_TESTS_DRIVERS_HARNESS_H

#include "disk_model.h"
#include "fakes.h"

/* Two media of 512 and 2048-byte blocks, fresh for each input. */
extern struct disk_model drivers_fuzz_disk, drivers_fuzz_cd;

/*
 * Starts the driver (`run`) on what `add` adds (bits of `options` from the input choose), uses each
 * disk that it publishes, and ends boot services. Traps when the driver breaks a rule.
 */
void drivers_fuzz(const uint8_t *data, size_t size, void (*add)(uint8_t options),
                  void (*run)(void));

#endif
