/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The menu: numbers for boot options, letters for the rest, each followed by Enter, so that it can
 * be used over any line and by scripts.
 */
#include "firmware/boot/menu.h"

#include "firmware/arch/time.h"
#include "firmware/boot/bootvars.h"
#include "firmware/boot/dialog.h"
#include "firmware/boot/manager.h"
#include "firmware/lib/log.h"
#include "firmware/platform/fwcfg.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define BOOT_TO_FIRMWARE_UI 1ull    /* OsIndications, UEFI 2.10 8.5.4 */
#define WAIT_FOR_EVER       0xFFFFu /* Timeout, UEFI 2.10 3.3 */
#define UNATTENDED_SECONDS  10u
#define ENTRIES_MAXIMUM     64u
#define TEXT_ROOM           80u

static bool asked_by_system(void)
{
    uint64_t indications;
    if (!bootvar_read(u"OsIndications", &indications, sizeof(indications)) ||
        !(indications & BOOT_TO_FIRMWARE_UI))
        return false;
    indications &= ~BOOT_TO_FIRMWARE_UI;
    bootvar_write(u"OsIndications", BOOTVAR_LASTING, &indications, sizeof(indications));
    return true;
}

/* Seconds to wait for a key: the host's wish (QEMU: -boot menu=on,splash-time=...), or Timeout. */
static uint16_t menu_timeout(void)
{
    uint16_t key, on, milliseconds, seconds;
    uint32_t size;
    fwcfg_read(FWCFG_BOOT_MENU, &on, sizeof(on));
    if (on && fwcfg_find("etc/boot-menu-wait", &key, &size) && size == sizeof(milliseconds)) {
        fwcfg_read(key, &milliseconds, sizeof(milliseconds));
        return (uint16_t)((milliseconds + 999u) / 1000u);
    }
    return bootvar_read(u"Timeout", &seconds, sizeof(seconds)) ? seconds : 0;
}

bool menu_wanted(void)
{
    if (asked_by_system())
        return true;
    uint16_t seconds = menu_timeout();
    if (seconds == WAIT_FOR_EVER)
        return true;
    if (seconds)
        log_line("Escape within %u seconds: the boot menu", seconds);
    return dialog_wait_escape(seconds);
}

/* --- boot options --- */

/* What the menu shows: BootOrder first, then the options outside it; none twice, none hidden. */
struct entries {
    uint16_t numbers[ENTRIES_MAXIMUM];
    size_t count;
};

static void add_entries(struct entries *entries, const uint16_t *numbers, size_t count)
{
    for (size_t i = 0; i < count && entries->count < ENTRIES_MAXIMUM; i++) {
        struct numbered_option option;
        size_t seen = 0;
        while (seen < entries->count && entries->numbers[seen] != numbers[i])
            seen++;
        if (seen < entries->count || !bootvar_option("Boot", numbers[i], &option))
            continue;
        if (!(option.option.attributes & LOAD_OPTION_HIDDEN))
            entries->numbers[entries->count++] = numbers[i];
        bootvar_option_free(&option);
    }
}

static void find_entries(struct entries *ret)
{
    size_t count;
    uint16_t *numbers = manager_order(&count);
    ret->count = 0;
    add_entries(ret, numbers, count);
    pool_free(numbers);
    numbers = bootvar_numbers(&count);
    add_entries(ret, numbers, count);
    pool_free(numbers);
}

static void print_entries(const struct entries *entries)
{
    for (size_t i = 0; i < entries->count; i++) {
        struct numbered_option option;
        char name[BOOTVAR_NAME_ROOM], text[TEXT_ROOM];
        if (!bootvar_option("Boot", entries->numbers[i], &option))
            continue;
        bootvar_name("Boot", option.number, name);
        load_option_text(&option.option, text, sizeof(text));
        dialog_print("  %2u %s %s%s\n", (unsigned)i + 1, name, text,
                     option.option.attributes & LOAD_OPTION_ACTIVE ? "" : " (inactive)");
        bootvar_option_free(&option);
    }
}

static void boot_entry(const struct entries *entries, unsigned number)
{
    struct numbered_option option;
    if (number == 0 || number > entries->count ||
        !bootvar_option("Boot", entries->numbers[number - 1], &option)) {
        dialog_print("There is no such entry.\n");
        return;
    }
    manager_boot(&option);
    bootvar_option_free(&option);
}

/* --- the rest --- */

static void reset(void)
{
    platform_reset(RESET_COLD);
}

static void power_off(void)
{
    platform_reset(RESET_SHUTDOWN);
}

static const struct {
    char letter;
    const char *what;
    void (*run)(void);
} actions[] = { { 'b', "boot, as if there were no menu", manager_boot_all },
                { 'f', "boot from a file", browse_and_start },
                { 's', "status of SEV and of the firmware", status_print },
                { 'r', "reset", reset },
                { 'o', "power off", power_off } };

static void print_menu(const struct entries *entries)
{
    dialog_print("\nPrivet boot menu\n");
    print_entries(entries);
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
        dialog_print("  %c  %s\n", actions[i].letter, actions[i].what);
}

static void run_choice(const char *line, const struct entries *entries)
{
    unsigned number = 0;
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
        if (line[0] == actions[i].letter && !line[1]) {
            actions[i].run();
            return;
        }
    for (const char *at = line; *at >= '0' && *at <= '9'; at++)
        number = number * 10 + (unsigned)(*at - '0');
    if (line[0])
        boot_entry(entries, number);
}

void menu_run(enum menu_reason reason)
{
    struct entries entries;
    char line[8];
    unsigned seconds = reason == MENU_NOTHING_BOOTS ? UNATTENDED_SECONDS : 0;
    (void)dialog_escape_typed();
    for (;;) {
        find_entries(&entries);
        print_menu(&entries);
        if (seconds)
            dialog_print("Without a key within %u seconds, the machine is powered off.\n", seconds);
        dialog_print("Choice, then Enter: ");
        if (!dialog_read(line, sizeof(line), seconds)) {
            dialog_print("\n");
            log_line("nobody chose: powering off");
            platform_reset(RESET_SHUTDOWN);
        }
        seconds = 0;
        if (reason == MENU_ASKED_FOR && line[0] == 'b' && !line[1])
            return;
        run_choice(line, &entries);
    }
}
