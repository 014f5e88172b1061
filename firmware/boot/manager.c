/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The boot manager: the host's kernel first, then every volume's removable-media loader (UEFI 2.10
 * 3.5.1.1). When nothing is left it says so and powers off, so that no guest hangs in silence.
 */
#include "firmware/arch/time.h"
#include "firmware/boot/direct.h"
#include "firmware/boot/secret.h"
#include "firmware/drivers/drivers.h"
#include "firmware/lib/log.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define REMOVABLE_LOADER "\\EFI\\BOOT\\BOOTX64.EFI"
#define WATCHDOG_SECONDS 300u /* UEFI 2.10 3.1.2: five minutes for a boot option */

static void start_option(EFI_DEVICE_PATH_PROTOCOL *path)
{
    EFI_HANDLE image;
    EFI_STATUS status = bs_load_image(true, firmware_image, path, NULL, 0, &image);
    if (status == EFI_NOT_FOUND)
        return; /* a volume without a loader */
    if (status != EFI_SUCCESS) {
        log_line(REMOVABLE_LOADER ": cannot be loaded, status 0x%lx",
                 (unsigned long)(status & ~EFI_ERROR_BIT));
        return;
    }
    log_line("starting " REMOVABLE_LOADER);
    bs_set_watchdog_timer(WATCHDOG_SECONDS, 0, 0, NULL);
    status = bs_start_image(image, NULL, NULL);
    bs_set_watchdog_timer(0, 0, 0, NULL);
    log_line(REMOVABLE_LOADER " returned: status 0x%lx", (unsigned long)(status & ~EFI_ERROR_BIT));
}

static void boot_volumes(void)
{
    UINTN count;
    EFI_HANDLE *volumes;
    EFI_GUID guid = guid_simple_file_system;
    if (bs_locate_handle_buffer(ByProtocol, &guid, NULL, &count, &volumes) != EFI_SUCCESS)
        return;
    for (UINTN i = 0; i < count; i++) {
        EFI_DEVICE_PATH_PROTOCOL *device = handle_interface(volumes[i], &guid_device_path);
        EFI_DEVICE_PATH_PROTOCOL *path = device ? devicepath_file(device, REMOVABLE_LOADER) : NULL;
        if (path)
            start_option(path);
        pool_free(path);
    }
    pool_free(volumes);
}

void boot_main(void)
{
    secret_publish();
    drivers_init();
    events_signal_group(&guid_group_ready_to_boot);
    bool started = direct_boot();
    if (direct_measured())
        panic("the measured kernel did not boot: nothing else may");
    boot_volumes();
    log_line(started ? "nothing more to boot: powering off"
                     : "nothing to boot: no kernel from the host, no volume with a loader; "
                       "powering off");
    platform_reset(RESET_SHUTDOWN);
}
