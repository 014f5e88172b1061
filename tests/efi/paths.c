/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Device path utilities and LocateDevicePath (UEFI 2.10 10.5, 7.3.14). */
#include "tests/efi/conformance.h"

#define END          0x7F, 0xFF, 4, 0
#define INSTANCE_END 0x7F, 0x01, 4, 0
#define PCI_NODE     1, 1, 6, 0, 0, 3
#define SCSI_NODE    3, 2, 8, 0, 1, 0, 2, 0

static uint8_t pci[] = { PCI_NODE, END };
static uint8_t scsi[] = { PCI_NODE, SCSI_NODE, END };
static uint8_t only_scsi[] = { SCSI_NODE, END };
static uint8_t two[] = { PCI_NODE, INSTANCE_END, SCSI_NODE, END };
static uint8_t nothing[] = { END };
static uint8_t short_node[] = { 1, 1, 3, 0, END };

static EFI_DEVICE_PATH_UTILITIES_PROTOCOL *utilities;

static EFI_DEVICE_PATH_PROTOCOL *as_path(uint8_t *bytes)
{
    return (EFI_DEVICE_PATH_PROTOCOL *)bytes;
}

static void show(const char *name, EFI_DEVICE_PATH_PROTOCOL *path)
{
    check_bytes(name, path, path ? utilities->GetDevicePathSize(path) : 0);
    give(path);
}

static void joins(void)
{
    show("duplicate", utilities->DuplicateDevicePath(as_path(scsi)));
    show("duplicate.null", utilities->DuplicateDevicePath(NULL));
    show("duplicate.end", utilities->DuplicateDevicePath(as_path(nothing)));
    show("append", utilities->AppendDevicePath(as_path(pci), as_path(only_scsi)));
    show("append.first-null", utilities->AppendDevicePath(NULL, as_path(pci)));
    show("append.second-null", utilities->AppendDevicePath(as_path(pci), NULL));
    show("append.both-null", utilities->AppendDevicePath(NULL, NULL));
    show("append-node", utilities->AppendDeviceNode(as_path(pci), as_path(only_scsi)));
    show("append-node.no-path", utilities->AppendDeviceNode(NULL, as_path(only_scsi)));
    show("append-node.no-node", utilities->AppendDeviceNode(as_path(pci), NULL));
    show("append-node.nothing", utilities->AppendDeviceNode(NULL, NULL));
    show("append-instance",
         utilities->AppendDevicePathInstance(as_path(pci), as_path(only_scsi)));
    show("append-instance.no-path", utilities->AppendDevicePathInstance(NULL, as_path(pci)));
    show("append-instance.no-instance",
         utilities->AppendDevicePathInstance(as_path(pci), NULL));
    show("append.multi", utilities->AppendDevicePath(as_path(two), as_path(pci)));
}

static void instances(void)
{
    EFI_DEVICE_PATH_PROTOCOL *rest = as_path(two);
    UINTN size = 0;
    check_true("multi.two", utilities->IsDevicePathMultiInstance(as_path(two)));
    check_true("multi.one", utilities->IsDevicePathMultiInstance(as_path(pci)));
    check_true("multi.null", utilities->IsDevicePathMultiInstance(NULL));
    show("next.first", utilities->GetNextDevicePathInstance(&rest, &size));
    check_value("next.first-size", size);
    show("next.second", utilities->GetNextDevicePathInstance(&rest, &size));
    check_value("next.second-size", size);
    check_true("next.rest", rest == NULL);
    size = 77;
    show("next.none", utilities->GetNextDevicePathInstance(&rest, &size));
    check_value("next.none-size", size);
    rest = as_path(two);
    show("next.no-size", utilities->GetNextDevicePathInstance(&rest, NULL));
    show("next.no-path", utilities->GetNextDevicePathInstance(NULL, &size));
}

static void nodes(void)
{
    EFI_DEVICE_PATH_PROTOCOL *node = utilities->CreateDeviceNode(3, 2, 8);
    check_bytes("create", node, 4);
    give(node);
    check_true("create.length-3", utilities->CreateDeviceNode(3, 2, 3) == NULL);
    check_true("create.length-0", utilities->CreateDeviceNode(3, 2, 0) == NULL);
    node = utilities->CreateDeviceNode(1, 1, 4);
    check_bytes("create.length-4", node, 4);
    give(node);
    check_value("size", utilities->GetDevicePathSize(as_path(scsi)));
    check_value("size.multi", utilities->GetDevicePathSize(as_path(two)));
    check_value("size.null", utilities->GetDevicePathSize(NULL));
    check_value("size.short-node", utilities->GetDevicePathSize(as_path(short_node)));
}

void test_paths(void)
{
    utilities = find_protocol(&path_utilities_guid);
    check_true("there", utilities != NULL);
    if (!utilities)
        return;
    nodes();
    joins();
    instances();
}

/* --- LocateDevicePath --- */

static int interface;

static void locate(const char *name, uint8_t *bytes, EFI_HANDLE expected)
{
    EFI_DEVICE_PATH_PROTOCOL *path = as_path(bytes);
    EFI_HANDLE found = NULL;
    check_status(name, bs->LocateDevicePath(&test_guid_1, &path, &found));
    check_true(name_of(name, "handle"), found == expected);
    check_value(name_of(name, "advanced"), (uint64_t)((uint8_t *)path - bytes));
}

void test_locate_path(void)
{
    static uint8_t vendor[] = { 1, 4, 20, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
                                END };
    static uint8_t below[] = { 1,  4,  20, 0,  1,  2, 3, 4, 5, 6, 7, 8, 9,   10,
                               11, 12, 13, 14, 15, 16, SCSI_NODE, END };
    static uint8_t multi[] = { 1,  4,  20, 0,  1,  2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
                               15, 16, INSTANCE_END, PCI_NODE, END };
    EFI_HANDLE parent = NULL, child = NULL, found;
    EFI_DEVICE_PATH_PROTOCOL *path = as_path(below), *none = NULL;
    bs->InstallMultipleProtocolInterfaces(&parent, &device_path_guid, vendor, &test_guid_1,
                                          &interface, NULL);
    locate("parent", below, parent);
    locate("exact", vendor, parent);
    locate("absent", scsi, NULL);
    locate("multi", multi, parent);
    bs->InstallMultipleProtocolInterfaces(&child, &device_path_guid, below, &test_guid_1,
                                          &interface, NULL);
    locate("longest", below, child);
    check_status("no-protocol", bs->LocateDevicePath(NULL, &path, &found));
    check_status("no-path", bs->LocateDevicePath(&test_guid_1, NULL, &found));
    check_status("null-path", bs->LocateDevicePath(&test_guid_1, &none, &found));
    check_status("no-result", bs->LocateDevicePath(&test_guid_1, &path, NULL));
    path = as_path(scsi);
    check_status("no-result-absent", bs->LocateDevicePath(&test_guid_1, &path, NULL));
    bs->UninstallMultipleProtocolInterfaces(child, &device_path_guid, below, &test_guid_1,
                                            &interface, NULL);
    bs->UninstallMultipleProtocolInterfaces(parent, &device_path_guid, vendor, &test_guid_1,
                                            &interface, NULL);
}
