/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* libFuzzer target: no sequence of accesses breaks the board. */
#include "tests/fuzz/board_ops.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    board_ops_run(data, size);
    return 0;
}
