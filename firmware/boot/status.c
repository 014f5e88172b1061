/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The menu's page about the firmware and the guest. */
#include "firmware/boot/attempt.h"
#include "firmware/boot/dialog.h"
#include "firmware/boot/menu.h"
#include "firmware/lib/log.h"
#include "firmware/sev/sev.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

void status_print(void)
{
    UINT64 maximum, remaining, largest;
    dialog_print("\nPrivet firmware " PRIVET_VERSION "\n");
    if (sev_active())
        dialog_print("SEV is active: memory is encrypted, the C-bit is bit %u.\n",
                     (unsigned)__builtin_ctzll(sev_c_mask()));
    else
        dialog_print("SEV is off: the host can read this guest's memory.\n");
    dialog_print("This launch measured no kernel: the host and the variables choose what boots.\n");
    dialog_print("Free memory: %lu MiB\n", (unsigned long)(memory_free_bytes() >> 20));
    if (rt_query_variable_info(EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS,
                               &maximum, &remaining, &largest) == EFI_SUCCESS)
        dialog_print("Variables: %lu of %lu bytes are free.\n", (unsigned long)remaining,
                     (unsigned long)maximum);
    dialog_print("What was tried, and what was left out:\n");
    report_print();
}
