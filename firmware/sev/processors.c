/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The AP jump table (GHCB 2.03 4.1.1, exit 8000_0005h): Linux asks the hypervisor for its address,
 * writes IP and CS into its first four bytes and sends startup interrupts, whose vector a SEV-ES guest
 * does not see. The table is private; what else the hypervisor might name is no table of ours.
 */
#include "firmware/sev/processors.h"

#include <stdint.h>

#include "firmware/arch/layout.h"
#include "firmware/arch/paging.h"
#include "firmware/lib/log.h"
#include "firmware/lib/string.h"
#include "firmware/sev/ghcb.h"
#include "firmware/sev/sev.h"

enum { TABLE_SET = 0, PAGE = 4096 };

void processors_init(void)
{
    static const uint32_t mark[] = { AP_MARK_0, AP_MARK_1, AP_MARK_2, AP_MARK_3 };
    struct ghcb_request request = { .code = EXIT_AP_JUMP_TABLE, .info_1 = TABLE_SET,
                                    .info_2 = AP_TABLE };
    uint8_t *table = (uint8_t *)(uintptr_t)AP_TABLE;
    uint64_t physical;

    if (!sev_es()) {
        return;
    }
    if (paging_shared(AP_TABLE, &physical)) {
        log_line("SEV-ES: no RAM at 0x%x: only one processor starts", AP_TABLE);
        return;
    }
    memset(table, 0, PAGE);
    memcpy(table + AP_TABLE_MARK, mark, sizeof(mark));
    if (ghcb_call(&request) != GHCB_DONE) {
        log_line("SEV-ES: the hypervisor keeps no table for processors: only one starts");
    }
}
