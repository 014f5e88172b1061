/* SPDX-License-Identifier: BSD-2-Clause-Patent */
#include "owner/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void owner_check_add(struct owner_checks *checks, const char *name, enum owner_link_state state,
                     const char *format, ...)
{
    if (checks->count == OWNER_CHECKS_MAX)
        abort(); /* the checks are ours, not the input's */
    struct owner_check *check = &checks->items[checks->count++];
    check->name = name;
    check->state = state;
    check->reason[0] = '\0';
    if (!format)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(check->reason, sizeof(check->reason), format, arguments);
    va_end(arguments);
}

const struct owner_check *owner_check_failed(const struct owner_checks *checks)
{
    for (unsigned i = 0; i < checks->count; i++) {
        if (checks->items[i].state != OWNER_LINK_GOOD)
            return &checks->items[i];
    }
    return NULL;
}
