/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Names of the states of platform and guests. */
#include "sev/command.h"

#include <stddef.h>

static const char *find(const char *const *names, size_t count, unsigned state)
{
    return state < count ? names[state] : "unknown";
}
#define FIND(names, state) find(names, sizeof(names) / sizeof(names[0]), state)

const char *sev_platform_state_name(unsigned state)
{
    static const char *const names[] = {
        [SEV_PLATFORM_UNINIT] = "uninit",
        [SEV_PLATFORM_INIT] = "init",
        [SEV_PLATFORM_WORKING] = "working",
    };
    return FIND(names, state);
}

const char *sev_guest_state_name(unsigned state)
{
    static const char *const names[] = {
        [SEV_GUEST_UNINIT] = "uninit",         [SEV_GUEST_LUPDATE] = "launch-update",
        [SEV_GUEST_LSECRET] = "launch-secret", [SEV_GUEST_RUNNING] = "running",
        [SEV_GUEST_SUPDATE] = "send-update",   [SEV_GUEST_RUPDATE] = "receive-update",
        [SEV_GUEST_SENT] = "sent",
    };
    return FIND(names, state);
}
