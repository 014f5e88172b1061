/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Task priority levels (UEFI 2.10 7.1.8, 7.1.9). */
#include "tests/efi/conformance.h"

static char order[16];
static size_t ordered;

static VOID EFIAPI note(EFI_EVENT event, VOID *context)
{
    if (ordered < sizeof(order) - 1)
        order[ordered++] = *(const char *)context;
}

static EFI_TPL level_now(void)
{
    EFI_TPL level = bs->RaiseTPL(TPL_HIGH_LEVEL);
    bs->RestoreTPL(level);
    return level;
}

static VOID EFIAPI note_level(EFI_EVENT event, VOID *context)
{
    *(EFI_TPL *)context = level_now();
}

static void notification_order(void)
{
    static const struct {
        char name[2];
        EFI_TPL level;
    } table[] = {
        { "a", TPL_CALLBACK }, { "b", TPL_NOTIFY }, { "c", TPL_CALLBACK }, { "d", TPL_NOTIFY }
    };
    EFI_EVENT events[ARRAY_SIZE(table)];
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        bs->CreateEvent(EVT_NOTIFY_SIGNAL, table[i].level, note, (VOID *)(uintptr_t)table[i].name,
                        &events[i]);
    ordered = 0;
    EFI_TPL old = bs->RaiseTPL(TPL_NOTIFY);
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        bs->SignalEvent(events[i]);
    check_value("held-back", ordered);
    bs->RestoreTPL(TPL_CALLBACK);
    order[ordered] = 0;
    check_text("order.at-callback", order);
    bs->RestoreTPL(old);
    order[ordered] = 0;
    check_text("order.all", order);
    ordered = 0;
    bs->SignalEvent(events[0]);
    bs->SignalEvent(events[1]);
    order[ordered] = 0;
    check_text("order.at-once", order);
    ordered = 0;
    old = bs->RaiseTPL(TPL_HIGH_LEVEL);
    bs->SignalEvent(events[0]);
    bs->SignalEvent(events[0]);
    bs->RestoreTPL(old);
    check_value("signalled-twice-runs", ordered);
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        check_status(name_of("close", table[i].name), bs->CloseEvent(events[i]));
}

void test_tpl(void)
{
    static const EFI_TPL levels[] = { TPL_APPLICATION, 5,  TPL_CALLBACK,
                                      TPL_NOTIFY,      30, TPL_HIGH_LEVEL };
    check_value("start", level_now());
    check_true("interrupts-on", processor_flags() & FLAG_INTERRUPTS);
    for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
        EFI_TPL old = bs->RaiseTPL(levels[i]);
        check_value(name_number("raise-from", levels[i]), old);
        check_true(name_number("interrupts", levels[i]), processor_flags() & FLAG_INTERRUPTS);
        check_value(name_number("raise-again", levels[i]), bs->RaiseTPL(levels[i]));
        bs->RestoreTPL(old);
    }
    check_value("end", level_now());
    check_true("interrupts-on-again", processor_flags() & FLAG_INTERRUPTS);
    notification_order();

    EFI_EVENT event;
    EFI_TPL level = 0;
    bs->CreateEvent(EVT_NOTIFY_SIGNAL, TPL_NOTIFY, note_level, &level, &event);
    bs->SignalEvent(event);
    check_value("level-in-notification", level);
    bs->CloseEvent(event);
}
