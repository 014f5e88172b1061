/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the reset code left in the work area. Read while the reset tables are in use (all private);
 * the copies here stay valid afterwards.
 */
#include "firmware/sev/sev.h"

#include "firmware/arch/layout.h"
#include "firmware/sev/ghcb.h"

enum { STATUS_ES = 2 };

static uint64_t status, mask;

void sev_init(void)
{
    status = *(const volatile uint64_t *)WORK_SEV_STATUS;
    mask = *(const volatile uint64_t *)WORK_C_MASK;
    if (sev_es()) {
        ghcb_init();
    }
}

bool sev_active(void)
{
    return mask != 0;
}

bool sev_es(void)
{
    return (status & STATUS_ES) != 0;
}

uint64_t sev_status(void)
{
    return status;
}

uint64_t sev_c_mask(void)
{
    return mask;
}
