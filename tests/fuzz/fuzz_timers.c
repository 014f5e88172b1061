/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* libFuzzer target: a hostile driver of the board's timers and keyboard controller. */
#include "tests/fuzz/timers_harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    timers_harness_run(data, size);
    return 0;
}
