/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * OpenProtocol and who has what open (UEFI 2.10 7.3.9 to 7.3.11): every pair of attributes, by the
 * same and by another agent.
 */
#include "tests/efi/conformance.h"

static int interface;
static EFI_HANDLE target, agent, other_agent, controller;

static const struct {
    const char *name;
    UINT32 attributes;
} kinds[] = {
    { "by-handle", EFI_OPEN_PROTOCOL_BY_HANDLE_PROTOCOL },
    { "get", EFI_OPEN_PROTOCOL_GET_PROTOCOL },
    { "test", EFI_OPEN_PROTOCOL_TEST_PROTOCOL },
    { "child", EFI_OPEN_PROTOCOL_BY_CHILD_CONTROLLER },
    { "driver", EFI_OPEN_PROTOCOL_BY_DRIVER },
    { "exclusive", EFI_OPEN_PROTOCOL_EXCLUSIVE },
    { "driver-exclusive", EFI_OPEN_PROTOCOL_BY_DRIVER | EFI_OPEN_PROTOCOL_EXCLUSIVE },
};

static EFI_HANDLE new_handle(EFI_GUID *guid)
{
    EFI_HANDLE handle = NULL;
    bs->InstallProtocolInterface(&handle, guid, 0, &interface);
    return handle;
}

static EFI_STATUS open_as(EFI_HANDLE by, EFI_HANDLE with, UINT32 attributes)
{
    VOID *result;
    return bs->OpenProtocol(target, &test_guid_1, &result, by, with, attributes);
}

static void close_all(void)
{
    bs->CloseProtocol(target, &test_guid_1, agent, controller);
    bs->CloseProtocol(target, &test_guid_1, agent, NULL);
    bs->CloseProtocol(target, &test_guid_1, agent, target);
    bs->CloseProtocol(target, &test_guid_1, other_agent, controller);
}

static void pairs(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        for (size_t j = 0; j < ARRAY_SIZE(kinds); j++) {
            const char *pair = name_of(kinds[i].name, kinds[j].name);
            open_as(agent, controller, kinds[i].attributes);
            check_status(name_of("same-agent", pair),
                         open_as(agent, controller, kinds[j].attributes));
            close_all();
            pair = name_of(kinds[i].name, kinds[j].name);
            open_as(agent, controller, kinds[i].attributes);
            check_status(name_of("other-agent", pair),
                         open_as(other_agent, controller, kinds[j].attributes));
            close_all();
        }
}

static void arguments(void)
{
    VOID *result = &result;
    int bad = 0;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const char *name = kinds[i].name;
        UINT32 attributes = kinds[i].attributes;
        check_status(name_of("no-handle", name),
                     bs->OpenProtocol(NULL, &test_guid_1, &result, agent, controller, attributes));
        check_status(name_of("no-protocol", name),
                     bs->OpenProtocol(target, NULL, &result, agent, controller, attributes));
        check_status(name_of("no-result", name),
                     bs->OpenProtocol(target, &test_guid_1, NULL, agent, controller, attributes));
        close_all();
        check_status(name_of("absent", name), bs->OpenProtocol(target, &test_guid_3, &result, agent,
                                                               controller, attributes));
        check_status(name_of("no-agent", name),
                     bs->OpenProtocol(target, &test_guid_1, &result, NULL, controller, attributes));
        check_status(name_of("bad-agent", name),
                     bs->OpenProtocol(target, &test_guid_1, &result, &bad, controller, attributes));
        check_status(name_of("no-controller", name),
                     bs->OpenProtocol(target, &test_guid_1, &result, agent, NULL, attributes));
        close_all();
        check_status(name_of("bad-controller", name),
                     bs->OpenProtocol(target, &test_guid_1, &result, agent, &bad, attributes));
        target = new_handle(&test_guid_1); /* what a bad controller has open cannot be closed */
        check_status(name_of("itself", name),
                     bs->OpenProtocol(target, &test_guid_1, &result, agent, target, attributes));
        close_all();
    }
    check_status("attributes-0",
                 bs->OpenProtocol(target, &test_guid_1, &result, agent, controller, 0));
    check_status("attributes-3",
                 bs->OpenProtocol(target, &test_guid_1, &result, agent, controller, 3));
    check_status("attributes-40",
                 bs->OpenProtocol(target, &test_guid_1, &result, agent, controller, 0x40));
    result = &bad;
    check_status("absent-test", bs->OpenProtocol(target, &test_guid_3, &result, agent, controller,
                                                 EFI_OPEN_PROTOCOL_TEST_PROTOCOL));
    result = &bad;
    bs->OpenProtocol(target, &test_guid_1, &result, agent, controller,
                     EFI_OPEN_PROTOCOL_TEST_PROTOCOL);
    check_true("test.leaves-interface", result == &bad);
    close_all();
}

static void information(const char *name)
{
    EFI_OPEN_PROTOCOL_INFORMATION_ENTRY *list = NULL;
    UINTN count = 0;
    check_status(name, bs->OpenProtocolInformation(target, &test_guid_1, &list, &count));
    check_value(name_of(name, "count"), count);
    for (UINTN i = 0; i < count; i++) {
        check_value(name_number(name_of(name, "attributes"), i), list[i].Attributes);
        check_value(name_number(name_of(name, "opens"), i), list[i].OpenCount);
        check_true(name_number(name_of(name, "agent"), i), list[i].AgentHandle == agent);
        check_true(name_number(name_of(name, "controller"), i),
                   list[i].ControllerHandle == controller);
    }
    give(list);
}

static void records(void)
{
    EFI_OPEN_PROTOCOL_INFORMATION_ENTRY *list = NULL;
    UINTN count = 0;
    information("information.empty");
    for (size_t i = 0; i < 4; i++) {
        open_as(agent, controller, kinds[i].attributes);
        open_as(agent, controller, kinds[i].attributes);
    }
    open_as(agent, NULL, EFI_OPEN_PROTOCOL_GET_PROTOCOL);
    open_as(agent, controller, EFI_OPEN_PROTOCOL_BY_DRIVER);
    information("information.many");
    check_status("information.no-handle",
                 bs->OpenProtocolInformation(NULL, &test_guid_1, &list, &count));
    check_status("information.absent",
                 bs->OpenProtocolInformation(target, &test_guid_3, &list, &count));
    check_status("information.no-protocol",
                 bs->OpenProtocolInformation(target, NULL, &list, &count));
    check_status("close", bs->CloseProtocol(target, &test_guid_1, agent, controller));
    information("information.closed");
    check_status("close.again", bs->CloseProtocol(target, &test_guid_1, agent, controller));
    check_status("close.other-agent",
                 bs->CloseProtocol(target, &test_guid_1, other_agent, controller));
    check_status("close.absent", bs->CloseProtocol(target, &test_guid_3, agent, controller));
    check_status("close.no-handle", bs->CloseProtocol(NULL, &test_guid_1, agent, controller));
    check_status("close.no-protocol", bs->CloseProtocol(target, NULL, agent, controller));
    check_status("close.no-agent", bs->CloseProtocol(target, &test_guid_1, NULL, controller));
    check_status("close.bad-controller",
                 bs->CloseProtocol(target, &test_guid_1, agent, &interface));
    close_all();
}

/* Who has it open decides whether it may go. */
static void removal(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        EFI_HANDLE saved = target;
        target = new_handle(&test_guid_1);
        open_as(agent, controller, kinds[i].attributes);
        EFI_STATUS status = bs->UninstallProtocolInterface(target, &test_guid_1, &interface);
        check_status(name_of("uninstall", kinds[i].name), status);
        if (status != EFI_SUCCESS) {
            check_status(
                name_of("reinstall", kinds[i].name),
                bs->ReinstallProtocolInterface(target, &test_guid_1, &interface, &interface));
            close_all();
            bs->UninstallProtocolInterface(target, &test_guid_1, &interface);
        }
        target = saved;
    }
}

void test_open(void)
{
    target = new_handle(&test_guid_1);
    agent = new_handle(&test_guid_2);
    other_agent = new_handle(&test_guid_2);
    controller = new_handle(&test_guid_2);
    arguments();
    pairs();
    records();
    removal();
    bs->UninstallProtocolInterface(target, &test_guid_1, &interface);
    EFI_HANDLE *users[] = { &agent, &other_agent, &controller };
    for (size_t i = 0; i < ARRAY_SIZE(users); i++)
        bs->UninstallProtocolInterface(*users[i], &test_guid_2, &interface);
}
