/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Starting of images for the boot manager, under the watchdog of UEFI 2.10 3.1.2. */
#include "firmware/boot/attempt.h"

#include "firmware/boot/bootpath.h"
#include "firmware/lib/log.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define WATCHDOG_SECONDS 300u

/* Paths that were attempted. */
struct made {
    struct made *next;
    EFI_DEVICE_PATH_PROTOCOL *path;
};

static struct made *attempts;

static void remember(const EFI_DEVICE_PATH_PROTOCOL *path)
{
    struct made *made = pool_allocate(MEMORY_BOOT_DATA, sizeof(*made));
    if (made) {
        *made = (struct made){ attempts, devicepath_copy(path) };
        attempts = made;
    }
}

bool attempt_was_made(const EFI_DEVICE_PATH_PROTOCOL *path)
{
    size_t size = devicepath_size(path);
    for (struct made *made = attempts; made; made = made->next)
        if (devicepath_size(made->path) == size && memcmp(made->path, path, size) == 0)
            return true;
    return false;
}

static bool load(const struct attempt *attempt, EFI_DEVICE_PATH_PROTOCOL *path, const char *where,
                 EFI_HANDLE *ret_image)
{
    EFI_STATUS status = bs_load_image(true, firmware_image, path, NULL, 0, ret_image);
    if (status == EFI_SUCCESS)
        return true;
    if (status == EFI_SECURITY_VIOLATION)
        bs_unload_image(*ret_image); /* loaded, not to be started: UEFI 2.10 7.4.1 */
    if (status == EFI_NOT_FOUND)
        report_add("%s: %s: no such file or device", attempt->name, where);
    else
        report_now("%s: %s: cannot be loaded: %s", attempt->name, where, status_text(status));
    return false;
}

/* The image's own copy of its options, in memory of the type that applications get. */
static void *give_options(EFI_HANDLE image, const struct attempt *attempt)
{
    EFI_LOADED_IMAGE_PROTOCOL *loaded = handle_interface(image, &guid_loaded_image);
    void *options = NULL;
    if (loaded && attempt->options_size)
        options = pool_allocate(MEMORY_LOADER_DATA, attempt->options_size);
    if (options) {
        memcpy(options, attempt->options, attempt->options_size);
        loaded->LoadOptions = options;
        loaded->LoadOptionsSize = (UINT32)attempt->options_size;
    }
    return options;
}

/* A driver that stays keeps them. */
static void take_options_back(EFI_HANDLE image, void *options)
{
    EFI_LOADED_IMAGE_PROTOCOL *loaded = handle_interface(image, &guid_loaded_image);
    if (!loaded || loaded->LoadOptions != options)
        pool_free(options);
}

static void say_end(const struct attempt *attempt, EFI_STATUS status, UINTN size,
                    const CHAR16 *data)
{
    char text[200] = "";
    for (size_t i = 0; data && i < size / 2 && i + 1 < sizeof(text) && data[i]; i++)
        text[i] = data[i] >= ' ' && data[i] < 0x7F ? (char)data[i] : '?';
    if (attempt->boots || status != EFI_SUCCESS)
        report_now("%s: it was started and returned: %s%s%s", attempt->name, status_text(status),
                   text[0] ? ": " : "", text);
}

bool attempt_start(const struct attempt *attempt, EFI_DEVICE_PATH_PROTOCOL *path)
{
    char where[PATH_TEXT_ROOM];
    EFI_HANDLE image = NULL;
    UINTN data_size = 0;
    CHAR16 *data = NULL;
    bootpath_text(path, where, sizeof(where));
    if (attempt->boots) {
        remember(path);
        events_signal_group(&guid_group_ready_to_boot); /* UEFI 2.10 7.1.2 */
    }
    if (!load(attempt, path, where, &image))
        return false;
    void *options = give_options(image, attempt);
    log_line("starting %s: %s", attempt->name, where);
    if (attempt->boots)
        bs_set_watchdog_timer(WATCHDOG_SECONDS, 0, 0, NULL);
    EFI_STATUS status = bs_start_image(image, &data_size, &data);
    bs_set_watchdog_timer(0, 0, 0, NULL);
    say_end(attempt, status, data_size, data);
    pool_free(data);
    take_options_back(image, options);
    return true;
}
