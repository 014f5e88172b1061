/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Driver binding (UEFI 2.10 7.3.12, 7.3.13, 11.1). Three drivers of this application bind to test
 * protocols; what they are asked is written down as letters: S supported, T start, P stop, each
 * with the driver's number.
 */
#include "tests/efi/conformance.h"

static char calls[128];
static size_t called;
static int interface;

struct driver {
    EFI_DRIVER_BINDING_PROTOCOL binding;
    EFI_HANDLE handle;
    char number;
    EFI_GUID *wants;      /* binds to handles with this protocol */
    EFI_GUID *child_guid; /* a bus driver: the protocol of its child; NULL: a device driver */
    EFI_HANDLE child;
    bool only_asked; /* refuses to start */
    UINTN stopped_children;
};

static void note(char what, const struct driver *driver)
{
    if (called + 3 > sizeof(calls))
        return;
    calls[called++] = what;
    calls[called++] = driver->number;
    calls[called] = 0;
}

static const char *noted(void)
{
    calls[called] = 0;
    called = 0;
    return calls;
}

static struct driver *of(EFI_DRIVER_BINDING_PROTOCOL *binding)
{
    return (struct driver *)(VOID *)binding;
}

static EFI_STATUS open_wanted(struct driver *d, EFI_HANDLE controller)
{
    VOID *result;
    return bs->OpenProtocol(controller, d->wants, &result, d->handle, controller,
                            EFI_OPEN_PROTOCOL_BY_DRIVER);
}

static EFI_STATUS EFIAPI supported(EFI_DRIVER_BINDING_PROTOCOL *this, EFI_HANDLE controller,
                                   EFI_DEVICE_PATH_PROTOCOL *remaining)
{
    struct driver *d = of(this);
    VOID *result;
    EFI_STATUS status = bs->OpenProtocol(controller, d->wants, &result, d->handle, controller,
                                         EFI_OPEN_PROTOCOL_TEST_PROTOCOL);
    if (status != EFI_SUCCESS)
        return EFI_UNSUPPORTED;
    note('S', d);
    status = open_wanted(d, controller);
    if (status != EFI_SUCCESS)
        return status;
    bs->CloseProtocol(controller, d->wants, d->handle, controller);
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI start(EFI_DRIVER_BINDING_PROTOCOL *this, EFI_HANDLE controller,
                               EFI_DEVICE_PATH_PROTOCOL *remaining)
{
    struct driver *d = of(this);
    VOID *result;
    note('T', d);
    if (d->only_asked)
        return EFI_DEVICE_ERROR;
    EFI_STATUS status = open_wanted(d, controller);
    if (status != EFI_SUCCESS || !d->child_guid)
        return status;
    d->child = NULL;
    bs->InstallProtocolInterface(&d->child, d->child_guid, 0, &interface);
    return bs->OpenProtocol(controller, d->wants, &result, d->handle, d->child,
                            EFI_OPEN_PROTOCOL_BY_CHILD_CONTROLLER);
}

static EFI_STATUS EFIAPI stop(EFI_DRIVER_BINDING_PROTOCOL *this, EFI_HANDLE controller,
                              UINTN children, EFI_HANDLE *list)
{
    struct driver *d = of(this);
    note('P', d);
    d->stopped_children += children;
    if (children == 0) {
        bs->CloseProtocol(controller, d->wants, d->handle, controller);
        return EFI_SUCCESS;
    }
    bs->CloseProtocol(controller, d->wants, d->handle, d->child);
    EFI_STATUS status = bs->UninstallProtocolInterface(d->child, d->child_guid, &interface);
    if (status == EFI_SUCCESS)
        d->child = NULL;
    return status;
}

static struct driver drivers[3] = {
    { .number = '1', .wants = &test_guid_1, .binding = { .Version = 0x10 } },
    { .number = '2', .wants = &test_guid_1, .binding = { .Version = 0x30 } },
    { .number = '3', .wants = &test_guid_2, .binding = { .Version = 0x20 } },
};

static void install_driver(struct driver *d)
{
    d->handle = NULL;
    d->child = NULL;
    bs->InstallProtocolInterface(&d->handle, &test_guid_3, 0, &interface);
    d->binding.Supported = supported;
    d->binding.Start = start;
    d->binding.Stop = stop;
    d->binding.ImageHandle = self;
    d->binding.DriverBindingHandle = d->handle;
    bs->InstallProtocolInterface(&d->handle, &driver_binding_guid, 0, &d->binding);
}

static void remove_driver(struct driver *d)
{
    bs->UninstallMultipleProtocolInterfaces(d->handle, &driver_binding_guid, &d->binding,
                                            &test_guid_3, &interface, NULL);
}

static EFI_HANDLE new_controller(void)
{
    EFI_HANDLE handle = NULL;
    bs->InstallProtocolInterface(&handle, &test_guid_1, 0, &interface);
    return handle;
}

static void drop_controller(EFI_HANDLE handle)
{
    bs->UninstallProtocolInterface(handle, &test_guid_1, &interface);
}

static void arguments(void)
{
    EFI_HANDLE controller = new_controller();
    int bad = 0;
    check_status("connect.null", bs->ConnectController(NULL, NULL, NULL, false));
    check_status("connect.bad", bs->ConnectController(&bad, NULL, NULL, false));
    check_status("disconnect.null", bs->DisconnectController(NULL, NULL, NULL));
    check_status("disconnect.bad", bs->DisconnectController(&bad, NULL, NULL));
    check_status("disconnect.bad-driver", bs->DisconnectController(controller, &bad, NULL));
    check_status("disconnect.bad-child", bs->DisconnectController(controller, NULL, &bad));
    check_status("disconnect.idle", bs->DisconnectController(controller, NULL, NULL));
    called = 0;
    check_status("connect.nobody", bs->ConnectController(controller, NULL, NULL, false));
    check_status("connect.nobody-recursive", bs->ConnectController(controller, NULL, NULL, true));
    check_text("connect.nobody.calls", noted());
    drop_controller(controller);
}

static void versions(void)
{
    EFI_HANDLE controller = new_controller();
    install_driver(&drivers[0]);
    install_driver(&drivers[1]);
    called = 0;
    check_status("version.connect", bs->ConnectController(controller, NULL, NULL, false));
    check_text("version.calls", noted());
    check_status("version.connect-again", bs->ConnectController(controller, NULL, NULL, false));
    check_text("version.again-calls", noted());
    check_status("disconnect.not-managing",
                 bs->DisconnectController(controller, drivers[0].handle, NULL));
    check_text("disconnect.not-managing.calls", noted());
    check_status("disconnect.child-of-none",
                 bs->DisconnectController(controller, NULL, drivers[0].handle));
    check_text("disconnect.child-of-none.calls", noted());
    check_status("disconnect", bs->DisconnectController(controller, NULL, NULL));
    check_text("disconnect.calls", noted());

    EFI_HANDLE list[] = { drivers[0].handle, NULL };
    check_status("list.connect", bs->ConnectController(controller, list, NULL, false));
    check_text("list.calls", noted());
    check_status("list.disconnect", bs->DisconnectController(controller, drivers[0].handle, NULL));
    check_text("list.disconnect.calls", noted());
    EFI_HANDLE by_image[] = { self, NULL };
    check_status("list.image", bs->ConnectController(controller, by_image, NULL, false));
    check_text("list.image.calls", noted());
    bs->DisconnectController(controller, NULL, NULL);
    called = 0;

    drivers[1].only_asked = true;
    check_status("failing-start.connect", bs->ConnectController(controller, NULL, NULL, false));
    check_text("failing-start.calls", noted());
    drivers[1].only_asked = false;
    check_status("uninstall-in-use",
                 bs->UninstallProtocolInterface(controller, &test_guid_1, &interface));
    check_text("uninstall-in-use.calls", noted());
    remove_driver(&drivers[0]);
    remove_driver(&drivers[1]);
}

/* Who is asked first (7.3.12): the platform's choice, the family's, the bus's, then versions. */
static EFI_STATUS name_first(EFI_HANDLE *image)
{
    EFI_HANDLE last = *image;
    *image = drivers[0].handle;
    return last ? EFI_NOT_FOUND : EFI_SUCCESS;
}

static EFI_STATUS EFIAPI platform_driver(EFI_PLATFORM_DRIVER_OVERRIDE_PROTOCOL *this,
                                         EFI_HANDLE controller, EFI_HANDLE *image)
{
    return name_first(image);
}

static EFI_STATUS EFIAPI no_driver_path(EFI_PLATFORM_DRIVER_OVERRIDE_PROTOCOL *this,
                                        EFI_HANDLE controller, EFI_DEVICE_PATH_PROTOCOL **path)
{
    return EFI_NOT_FOUND;
}

static EFI_STATUS EFIAPI bus_driver(EFI_BUS_SPECIFIC_DRIVER_OVERRIDE_PROTOCOL *this,
                                    EFI_HANDLE *image)
{
    return name_first(image);
}

static UINT32 EFIAPI family_version(EFI_DRIVER_FAMILY_OVERRIDE_PROTOCOL *this)
{
    return 1;
}

static EFI_PLATFORM_DRIVER_OVERRIDE_PROTOCOL platform = { .GetDriver = platform_driver,
                                                          .GetDriverPath = no_driver_path };
static EFI_BUS_SPECIFIC_DRIVER_OVERRIDE_PROTOCOL bus_override = { bus_driver };
static EFI_DRIVER_FAMILY_OVERRIDE_PROTOCOL family = { family_version };

/* Connects with some of the overrides: the family's on a driver, platform and bus name the first. */
static void overridden(const char *name, bool by_platform, struct driver *of_family, bool by_bus)
{
    EFI_HANDLE controller = new_controller(), other = NULL;
    if (by_platform)
        bs->InstallProtocolInterface(&other, &platform_override_guid, 0, &platform);
    if (of_family)
        bs->InstallProtocolInterface(&of_family->handle, &family_override_guid, 0, &family);
    if (by_bus)
        bs->InstallProtocolInterface(&controller, &bus_override_guid, 0, &bus_override);
    called = 0;
    check_status(name, bs->ConnectController(controller, NULL, NULL, false));
    check_text(name_of(name, "calls"), noted());
    bs->DisconnectController(controller, NULL, NULL);
    if (by_bus)
        bs->UninstallProtocolInterface(controller, &bus_override_guid, &bus_override);
    if (of_family)
        bs->UninstallProtocolInterface(of_family->handle, &family_override_guid, &family);
    if (by_platform)
        bs->UninstallProtocolInterface(other, &platform_override_guid, &platform);
    drop_controller(controller);
}

static void overrides(void)
{
    struct driver *low = &drivers[0], *high = &drivers[1];
    install_driver(low);
    install_driver(high);
    low->binding.ImageHandle = low->handle;
    high->binding.ImageHandle = high->handle;
    overridden("override.none", false, NULL, false);
    overridden("override.platform", true, NULL, false);
    overridden("override.family", false, low, false);
    overridden("override.bus", false, NULL, true);
    overridden("override.platform-family", true, high, false);
    overridden("override.family-bus", false, high, true);
    remove_driver(low);
    remove_driver(high);
}

static void exclusive(void)
{
    EFI_HANDLE controller = new_controller();
    VOID *result;
    install_driver(&drivers[0]);
    bs->ConnectController(controller, NULL, NULL, false);
    called = 0;
    check_status("exclusive.open", bs->OpenProtocol(controller, &test_guid_1, &result, self, NULL,
                                                    EFI_OPEN_PROTOCOL_EXCLUSIVE));
    check_text("exclusive.calls", noted());
    check_status("exclusive.connect", bs->ConnectController(controller, NULL, NULL, false));
    check_text("exclusive.connect.calls", noted());
    check_status("exclusive.close", bs->CloseProtocol(controller, &test_guid_1, self, NULL));
    check_text("exclusive.close.calls", noted());
    check_status("reinstall.connects",
                 bs->ReinstallProtocolInterface(controller, &test_guid_1, &interface, &interface));
    check_text("reinstall.calls", noted());
    check_status("reinstall.in-use",
                 bs->ReinstallProtocolInterface(controller, &test_guid_1, &interface, &interface));
    check_text("reinstall.in-use.calls", noted());
    bs->DisconnectController(controller, NULL, NULL);
    drop_controller(controller);
    remove_driver(&drivers[0]);
}

static void buses(void)
{
    static EFI_DEVICE_PATH_PROTOCOL end = { END_DEVICE_PATH, END_ENTIRE_DP, { 4, 0 } };
    EFI_HANDLE controller = new_controller();
    struct driver *bus = &drivers[0], *leaf = &drivers[2];
    bus->child_guid = &test_guid_2;
    install_driver(bus);
    install_driver(leaf);
    called = 0;
    check_status("bus.connect", bs->ConnectController(controller, NULL, NULL, false));
    check_text("bus.calls", noted());
    check_true("bus.child", bus->child != NULL);
    check_status("bus.recursive", bs->ConnectController(controller, NULL, NULL, true));
    check_text("bus.recursive.calls", noted());
    bus->stopped_children = 0;
    check_status("bus.disconnect-child", bs->DisconnectController(controller, NULL, bus->child));
    check_text("bus.disconnect-child.calls", noted());
    check_value("bus.disconnect-child.children", bus->stopped_children);
    check_status("bus.connect-after", bs->ConnectController(controller, NULL, NULL, true));
    check_text("bus.connect-after.calls", noted());
    check_status("bus.disconnect", bs->DisconnectController(controller, NULL, NULL));
    check_text("bus.disconnect.calls", noted());
    check_true("bus.child-gone", bus->child == NULL);
    check_status("bus.all-at-once", bs->ConnectController(controller, NULL, NULL, true));
    check_text("bus.all-at-once.calls", noted());
    bus->stopped_children = 0;
    check_status("bus.disconnect-all", bs->DisconnectController(controller, bus->handle, NULL));
    check_text("bus.disconnect-all.calls", noted());
    check_value("bus.disconnect-all.children", bus->stopped_children);
    check_status("bus.end-path", bs->ConnectController(controller, NULL, &end, false));
    check_text("bus.end-path.calls", noted());
    bs->DisconnectController(controller, NULL, NULL);
    drop_controller(controller);
    remove_driver(bus);
    remove_driver(leaf);
    bus->child_guid = NULL;
}

void test_binding(void)
{
    arguments();
    versions();
    overrides();
    exclusive();
    buses();
}
