/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the reset code left in the work area. Read while the reset tables are in use (all private);
 * the copies here stay valid afterwards.
 */
#include "firmware/sev/sev.h"

#include "firmware/arch/layout.h"

static uint64_t status, mask;

void sev_init(void)
{
    status = *(const volatile uint64_t *)WORK_SEV_STATUS;
    mask = *(const volatile uint64_t *)WORK_C_MASK;
}

bool sev_active(void)
{
    return mask != 0;
}

uint64_t sev_status(void)
{
    return status;
}

uint64_t sev_c_mask(void)
{
    return mask;
}
