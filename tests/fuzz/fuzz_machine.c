/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* libFuzzer target: no guest may crash, hang or read the host. */
#include "tests/fuzz/machine_harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    machine_harness_run(data, size);
    return 0;
}
