/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The boot manager (UEFI 2.10 3.1): the host's kernel; BootNext; BootOrder, which the host's boot
 * order rearranges for this boot; the removable-media loader of what is left. After a measured
 * launch only the first.
 */
#include "firmware/boot/manager.h"

#include "firmware/arch/time.h"
#include "firmware/boot/attempt.h"
#include "firmware/boot/autooption.h"
#include "firmware/boot/bootpath.h"
#include "firmware/boot/direct.h"
#include "firmware/boot/menu.h"
#include "firmware/boot/qemu_order.h"
#include "firmware/boot/secret.h"
#include "firmware/drivers/drivers.h"
#include "firmware/lib/log.h"
#include "firmware/platform/fwcfg.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define NAME_ROOM     96u
#define ORDER_MAXIMUM 0x10000u /* bytes of the host's boot order */

/* --- the host's order --- */

/* Read once; a copy in private memory. */
static const struct qemu_order *host_order(void)
{
    static struct qemu_order order;
    static bool read;
    uint16_t key;
    uint32_t size;
    if (read)
        return &order;
    read = true;
    if (!fwcfg_find("bootorder", &key, &size) || size == 0)
        return &order;
    if (size > ORDER_MAXIMUM) {
        log_line("the host's boot order of %u bytes is too long: ignored", size);
        return &order;
    }
    char *text = pool_allocate(MEMORY_BOOT_DATA, size);
    if (text) {
        fwcfg_read(key, text, size);
        order = (struct qemu_order){ text, size };
    }
    return &order;
}

static size_t rank_of(uint16_t number)
{
    struct numbered_option option;
    if (!bootvar_option("Boot", number, &option))
        return QEMU_ORDER_NONE;
    EFI_DEVICE_PATH_PROTOCOL *path =
        bootpath_device((EFI_DEVICE_PATH_PROTOCOL *)(uintptr_t)option.option.path);
    size_t rank = path ? qemu_order_rank(host_order(), path) : QEMU_ORDER_NONE;
    pool_free(path);
    bootvar_option_free(&option);
    return rank;
}

/* A stable insertion sort: options of the same device stay in BootOrder's order. */
static void sort_by_rank(uint16_t *list, size_t *ranks, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        uint16_t number = list[i];
        size_t rank = ranks[i], to = i;
        for (; to > 0 && ranks[to - 1] > rank; to--) {
            list[to] = list[to - 1];
            ranks[to] = ranks[to - 1];
        }
        list[to] = number;
        ranks[to] = rank;
    }
}

uint16_t *manager_order(size_t *ret_count)
{
    size_t count;
    uint16_t *list = bootvar_list(u"BootOrder", &count);
    size_t *ranks = count && host_order()->text
                        ? pool_allocate(MEMORY_BOOT_DATA, count * sizeof(*ranks))
                        : NULL;
    if (ranks) {
        for (size_t i = 0; i < count; i++)
            ranks[i] = rank_of(list[i]);
        sort_by_rank(list, ranks, count);
        while (qemu_order_strict(host_order()) && count > 0 && ranks[count - 1] == QEMU_ORDER_NONE)
            count--;
        pool_free(ranks);
    }
    *ret_count = count;
    return list;
}

/* --- options --- */

static bool visit(void *context, EFI_DEVICE_PATH_PROTOCOL *full)
{
    return attempt_start(context, full);
}

static void start(const char *kind, const struct numbered_option *option, bool boots)
{
    char variable[BOOTVAR_NAME_ROOM], name[NAME_ROOM], text[NAME_ROOM];
    bool automatic = autooption_is(&option->option);
    bootvar_name(kind, option->number, variable);
    load_option_text(&option->option, text, sizeof(text));
    format(name, sizeof(name), "%s %s", variable, text);
    struct attempt attempt = { .name = name,
                               .options = automatic ? NULL : option->option.optional,
                               .options_size = automatic ? 0 : option->option.optional_size,
                               .boots = boots };
    EFI_DEVICE_PATH_PROTOCOL *path =
        devicepath_copy((EFI_DEVICE_PATH_PROTOCOL *)(uintptr_t)option->option.path);
    const char *reason = path ? bootpath_expand(path, visit, &attempt) : "no memory";
    if (reason)
        report_add("%s: %s", name, reason);
    pool_free(path);
}

void manager_boot(const struct numbered_option *option)
{
    bootvar_write(u"BootCurrent", BOOTVAR_VOLATILE, &option->number, sizeof(option->number));
    start("Boot", option, true);
    bootvar_write(u"BootCurrent", BOOTVAR_VOLATILE, NULL, 0);
}

static bool is_active(const struct load_option *option)
{
    return option->attributes & LOAD_OPTION_ACTIVE;
}

/* UEFI 2.10 3.1.3: applications are not part of the normal boot. */
static bool is_application(const struct load_option *option)
{
    return (option->attributes & LOAD_OPTION_CATEGORY) != 0;
}

static void boot_next(void)
{
    uint16_t number;
    struct numbered_option option;
    if (!bootvar_read(u"BootNext", &number, sizeof(number)))
        return;
    bootvar_write(u"BootNext", BOOTVAR_LASTING, NULL, 0); /* first: UEFI 2.10 3.1.1 */
    if (!bootvar_option("Boot", number, &option)) {
        report_now("BootNext: there is no Boot%04x", number);
        return;
    }
    manager_boot(&option);
    bootvar_option_free(&option);
}

static void boot_order(void)
{
    size_t count;
    uint16_t *order = manager_order(&count);
    for (size_t i = 0; i < count; i++) {
        struct numbered_option option;
        if (!bootvar_option("Boot", order[i], &option)) {
            report_add("Boot%04x: BootOrder names it, and it does not exist", order[i]);
            continue;
        }
        if (is_active(&option.option) && !is_application(&option.option))
            manager_boot(&option);
        bootvar_option_free(&option);
    }
    pool_free(order);
}

static bool visit_left(void *context, EFI_DEVICE_PATH_PROTOCOL *full)
{
    return !attempt_was_made(full) && attempt_start(context, full) && false;
}

/* What no option stands for: the store was full, or somebody brought a volume along. */
static void boot_left(void)
{
    struct attempt attempt = { .name = "removable media", .boots = true };
    if (!qemu_order_strict(host_order()))
        bootpath_every_loader(visit_left, &attempt);
}

void manager_boot_all(void)
{
    boot_next();
    boot_order();
    boot_left();
}

/* Driver#### and SysPrep#### (UEFI 2.10 3.1.3, 3.1.7), in their order. */
static bool start_list(const CHAR16 *list_name, const char *kind)
{
    size_t count;
    uint16_t *order = bootvar_list(list_name, &count);
    bool reconnect = false;
    for (size_t i = 0; i < count; i++) {
        struct numbered_option option;
        if (!bootvar_option(kind, order[i], &option))
            continue;
        if (is_active(&option.option) && !is_application(&option.option)) {
            start(kind, &option, false);
            reconnect |= (option.option.attributes & LOAD_OPTION_FORCE_RECONNECT) != 0;
        }
        bootvar_option_free(&option);
    }
    pool_free(order);
    return reconnect;
}

static void for_all_handles(bool connect)
{
    EFI_HANDLE *handles;
    UINTN count;
    if (bs_locate_handle_buffer(AllHandles, NULL, NULL, &count, &handles) != EFI_SUCCESS)
        return;
    for (UINTN i = 0; i < count; i++) {
        if (connect)
            (void)bs_connect_controller(handles[i], NULL, NULL, true);
        else
            (void)bs_disconnect_controller(handles[i], NULL, NULL);
    }
    pool_free(handles);
}

static void start_drivers(void)
{
    size_t count;
    bool reconnect = start_list(u"DriverOrder", "Driver");
    uint16_t *order = bootvar_list(u"DriverOrder", &count);
    pool_free(order);
    if (reconnect)
        for_all_handles(false);
    if (count)
        for_all_handles(true);
}

void boot_main(void)
{
    secret_publish();
    drivers_init();
    rng_publish_seed();
    if (!direct_measured())
        start_drivers();
    events_signal_group(&guid_group_ready_to_boot);
    direct_boot();
    if (direct_measured())
        panic("the measured kernel did not boot: nothing else may");
    autooption_refresh();
    (void)start_list(u"SysPrepOrder", "SysPrep");
    if (menu_wanted())
        menu_run(MENU_ASKED_FOR);
    manager_boot_all();
    log_line("nothing to boot is left; what was tried:");
    report_print();
    for (;;)
        menu_run(MENU_NOTHING_BOOTS);
}
