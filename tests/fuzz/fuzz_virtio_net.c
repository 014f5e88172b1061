/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* libFuzzer target: a hostile driver of virtio-net. */
#include "tests/fuzz/virtio_harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    virtio_harness_run(HARNESS_NET, data, size);
    return 0;
}
