/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Images (UEFI 2.10 7.4, 9, 13.1, 13.2): from a buffer, a file, a LoadFile; how they end; drivers. */
#include "tests/efi/conformance.h"

enum { LOADER_CODE = 1, LOADER_DATA = 2, BOOT_CODE = 3, BOOT_DATA = 4 };

static EFI_LOADED_IMAGE_PROTOCOL *own;
static EFI_DEVICE_PATH_PROTOCOL *device_path;
static EFI_DEVICE_PATH_UTILITIES_PROTOCOL *utilities;

/* A file of the volume that the application came from, in pool memory. */
static void *read_file(CHAR16 *name, UINTN *ret_size)
{
    VOID *interface;
    EFI_FILE_PROTOCOL *root, *file;
    static uint8_t info[512];
    UINTN size = sizeof(info);
    *ret_size = 0;
    if (bs->HandleProtocol(own->DeviceHandle, &file_system_guid, &interface) != EFI_SUCCESS)
        return NULL;
    EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *volume = interface;
    if (volume->OpenVolume(volume, &root) != EFI_SUCCESS)
        return NULL;
    void *data = NULL;
    if (root->Open(root, &file, name, EFI_FILE_MODE_READ, 0) == EFI_SUCCESS) {
        if (file->GetInfo(file, &file_info_guid, &size, info) == EFI_SUCCESS) {
            *ret_size = ((EFI_FILE_INFO *)(VOID *)info)->FileSize;
            data = take(*ret_size);
            file->Read(file, ret_size, data);
        }
        file->Close(file);
    }
    root->Close(root);
    return data;
}

static EFI_DEVICE_PATH_PROTOCOL *file_path(const CHAR16 *name)
{
    UINTN length = 4 + (wide_length(name) + 1) * sizeof(CHAR16);
    EFI_DEVICE_PATH_PROTOCOL *node = utilities->CreateDeviceNode(4, 4, (UINT16)length);
    memcpy(node + 1, name, length - 4);
    EFI_DEVICE_PATH_PROTOCOL *path = utilities->AppendDeviceNode(device_path, node);
    give(node);
    return path;
}

static EFI_HANDLE load(const CHAR16 *name)
{
    EFI_HANDLE image = NULL;
    EFI_DEVICE_PATH_PROTOCOL *path = file_path(name);
    if (bs->LoadImage(false, self, path, NULL, 0, &image) != EFI_SUCCESS)
        image = NULL;
    give(path);
    return image;
}

static EFI_LOADED_IMAGE_PROTOCOL *loaded_of(EFI_HANDLE image)
{
    VOID *interface = NULL;
    return bs->HandleProtocol(image, &loaded_image_guid, &interface) == EFI_SUCCESS ? interface : NULL;
}

static void arguments(void *file, UINTN size)
{
    EFI_HANDLE image = NULL;
    EFI_DEVICE_PATH_PROTOCOL *absent = file_path(L"\\absent.efi"),
                             *child = file_path(L"\\child.efi");
    uint8_t *bad = take(size);
    check_status("load.no-parent", bs->LoadImage(false, NULL, child, NULL, 0, &image));
    check_status("load.bad-parent",
                 bs->LoadImage(false, own->DeviceHandle, child, NULL, 0, &image));
    check_status("load.no-result", bs->LoadImage(false, self, child, NULL, 0, NULL));
    check_status("load.nothing", bs->LoadImage(false, self, NULL, NULL, 0, &image));
    check_status("load.absent-file", bs->LoadImage(false, self, absent, NULL, 0, &image));
    check_status("load.a-folder", bs->LoadImage(false, self, file_path(L"\\EFI"), NULL, 0, &image));
    check_status("load.no-size", bs->LoadImage(false, self, NULL, file, 0, &image));
    check_status("load.zeros", bs->LoadImage(false, self, NULL, bad, size, &image));
    memcpy(bad, file, size);
    bad[*(uint32_t *)(VOID *)(bad + 0x3C) + 5] = 0xAA; /* machine: 64-bit ARM */
    check_status("load.other-machine", bs->LoadImage(false, self, NULL, bad, size, &image));
    memcpy(bad, file, size);
    bad[*(uint32_t *)(VOID *)(bad + 0x3C)] = 'X';
    check_status("load.no-pe", bs->LoadImage(false, self, NULL, bad, size, &image));
    memcpy(bad, file, size);
    bad[*(uint32_t *)(VOID *)(bad + 0x3C) + 24 + 68] = 3; /* subsystem: Windows console */
    check_status("load.other-subsystem", bs->LoadImage(false, self, NULL, bad, size, &image));
    check_status("load.truncated", bs->LoadImage(false, self, NULL, file, size / 2, &image));
    check_status("load.only-headers", bs->LoadImage(false, self, NULL, file, 100, &image));
    check_status("start.null", bs->StartImage(NULL, NULL, NULL));
    check_status("start.no-image", bs->StartImage(own->DeviceHandle, NULL, NULL));
    check_status("start.itself", bs->StartImage(self, NULL, NULL));
    check_status("exit.null", bs->Exit(NULL, EFI_SUCCESS, 0, NULL));
    check_status("unload.null", bs->UnloadImage(NULL));
    check_status("unload.no-image", bs->UnloadImage(own->DeviceHandle));
    give(bad);
    give(absent);
    give(child);
}

static void fields(const char *name, EFI_HANDLE image)
{
    EFI_LOADED_IMAGE_PROTOCOL *loaded = loaded_of(image);
    VOID *path = NULL;
    check_value(name_of(name, "revision"), loaded->Revision);
    check_true(name_of(name, "parent"), loaded->ParentHandle == self);
    check_true(name_of(name, "table"), loaded->SystemTable == st);
    check_true(name_of(name, "device"), loaded->DeviceHandle == own->DeviceHandle);
    check_true(name_of(name, "no-device"), loaded->DeviceHandle == NULL);
    check_true(name_of(name, "file-path"), loaded->FilePath != NULL);
    check_value(name_of(name, "options"), loaded->LoadOptionsSize);
    check_true(name_of(name, "base"),
               loaded->ImageBase && (uintptr_t)loaded->ImageBase % 4096 == 0);
    check_true(name_of(name, "size"), loaded->ImageSize > 0);
    check_value(name_of(name, "code"), loaded->ImageCodeType);
    check_value(name_of(name, "data"), loaded->ImageDataType);
    check_true(name_of(name, "no-unload"), loaded->Unload == NULL);
    check_status(name_of(name, "path"), bs->HandleProtocol(image, &loaded_image_path_guid, &path));
    check_true(name_of(name, "path-there"), path != NULL);
    if (loaded->FilePath) {
        EFI_DEVICE_PATH_PROTOCOL *node = loaded->FilePath;
        check_value(name_of(name, "file-path-type"), node->Type);
    }
}

static void loading(void *file, UINTN size)
{
    EFI_HANDLE image = NULL;
    check_status("buffer.load", bs->LoadImage(false, self, NULL, file, size, &image));
    fields("buffer", image);
    check_status("buffer.unload", bs->UnloadImage(image));
    check_true("buffer.gone", loaded_of(image) == NULL);
    EFI_DEVICE_PATH_PROTOCOL *path = file_path(L"\\child.efi");
    check_status("both.load", bs->LoadImage(false, self, path, file, size, &image));
    fields("both", image);
    check_status("both.exit", bs->Exit(image, EFI_SUCCESS, 0, NULL));
    check_true("both.gone", loaded_of(image) == NULL);
    check_status("file.load", bs->LoadImage(false, self, path, NULL, 0, &image));
    fields("file", image);
    check_status("file.start", bs->StartImage(image, NULL, NULL));
    check_true("file.gone", loaded_of(image) == NULL);
    check_status("policy.load", bs->LoadImage(true, self, path, NULL, 0, &image));
    check_status("policy.start", bs->StartImage(image, NULL, NULL));
    give(path);
}

static void endings(void)
{
    static const struct {
        const char *name;
        CHAR16 *option;
    } table[] = { { "success", L"0" },     { "aborted", L"a" },       { "warning", L"w" },
                  { "exit", L"e" },        { "unload-itself", L"u" }, { "exit-parent", L"p" },
                  { "start-itself", L"s" } };
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        EFI_HANDLE image = load(L"\\child.efi");
        EFI_LOADED_IMAGE_PROTOCOL *loaded = loaded_of(image);
        CHAR16 *data = NULL;
        UINTN size = 0;
        loaded->LoadOptions = table[i].option;
        loaded->LoadOptionsSize = 4;
        check_status(name_of("end", table[i].name), bs->StartImage(image, &size, &data));
        check_value(name_of(name_of("end", table[i].name), "size"), size);
        check_wide(name_of(name_of("end", table[i].name), "data"), data);
        check_true(name_of(name_of("end", table[i].name), "gone"), loaded_of(image) == NULL);
        give(data);
    }
}

static void options(EFI_HANDLE image, CHAR16 *text)
{
    EFI_LOADED_IMAGE_PROTOCOL *loaded = loaded_of(image);
    loaded->LoadOptions = text;
    loaded->LoadOptionsSize = 4;
}

static void drivers(void)
{
    VOID *interface;
    EFI_HANDLE image = load(L"\\driver.efi");
    check_true("driver.load", image != NULL);
    if (!image)
        return;
    check_value("driver.code", loaded_of(image)->ImageCodeType);
    check_value("driver.data", loaded_of(image)->ImageDataType);
    check_status("driver.start", bs->StartImage(image, NULL, NULL));
    check_status("driver.start-again", bs->StartImage(image, NULL, NULL));
    check_status("driver.protocol", bs->HandleProtocol(image, &test_guid_1, &interface));
    check_status("driver.unload", bs->UnloadImage(image));
    check_true("driver.gone", loaded_of(image) == NULL);

    image = load(L"\\driver.efi");
    options(image, L"f");
    check_status("failing.start", bs->StartImage(image, NULL, NULL));
    check_true("failing.gone", loaded_of(image) == NULL);

    image = load(L"\\driver.efi");
    options(image, L"n");
    check_status("fixed.start", bs->StartImage(image, NULL, NULL));
    check_status("fixed.unload", bs->UnloadImage(image));
    check_true("fixed.stays", loaded_of(image) != NULL);

    image = load(L"\\driver.efi");
    options(image, L"k");
    check_status("refusing.start", bs->StartImage(image, NULL, NULL));
    check_status("refusing.unload", bs->UnloadImage(image));
    check_true("refusing.stays", loaded_of(image) != NULL);
}

/* --- images that somebody's LoadFile and LoadFile2 bring --- */

static struct {
    void *file;
    UINTN size;
    EFI_STATUS status;
    char calls[40]; /* 1 or 2, b(oot policy) or e(xact), s(ize) or d(ata), rest of the path's type */
    UINTN called;
} source;

static EFI_STATUS bring(char protocol, EFI_DEVICE_PATH_PROTOCOL *path, BOOLEAN policy, UINTN *size,
                        VOID *buffer)
{
    bool fits = buffer && *size >= source.size;
    if (source.called + 6 <= sizeof(source.calls)) {
        source.calls[source.called++] = protocol;
        source.calls[source.called++] = policy ? 'b' : 'e';
        source.calls[source.called++] = fits ? 'd' : 's';
        source.calls[source.called++] = path->Type == END_DEVICE_PATH ? '-' : 'p';
        source.calls[source.called++] = ' ';
        source.calls[source.called] = 0;
    }
    if (source.status != EFI_SUCCESS)
        return source.status;
    *size = source.size;
    if (!fits)
        return EFI_BUFFER_TOO_SMALL;
    memcpy(buffer, source.file, source.size);
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI bring_1(EFI_LOAD_FILE_PROTOCOL *this, EFI_DEVICE_PATH_PROTOCOL *path,
                                 BOOLEAN policy, UINTN *size, VOID *buffer)
{
    return bring('1', path, policy, size, buffer);
}

static EFI_STATUS EFIAPI bring_2(EFI_LOAD_FILE2_PROTOCOL *this, EFI_DEVICE_PATH_PROTOCOL *path,
                                 BOOLEAN policy, UINTN *size, VOID *buffer)
{
    return bring('2', path, policy, size, buffer);
}

static void bring_one(const char *name, EFI_HANDLE device, EFI_DEVICE_PATH_PROTOCOL *path, bool policy)
{
    EFI_HANDLE image = NULL;
    source.called = 0;
    source.calls[0] = 0;
    EFI_STATUS status = bs->LoadImage(policy, self, path, NULL, 0, &image);
    check_status(name, status);
    check_text(name_of(name, "calls"), source.calls);
    if (status != EFI_SUCCESS)
        return;
    check_true(name_of(name, "device"), loaded_of(image)->DeviceHandle == device);
    bs->UnloadImage(image);
}

static void bring_all(void *file, UINTN size)
{
    static EFI_LOAD_FILE_PROTOCOL one = { bring_1 };
    static EFI_LOAD_FILE2_PROTOCOL two = { bring_2 };
    EFI_HANDLE device = NULL;
    EFI_DEVICE_PATH_PROTOCOL *node = utilities->CreateDeviceNode(1, 4, 20); /* vendor hardware */
    memcpy(node + 1, &test_guid_2, sizeof(test_guid_2));
    EFI_DEVICE_PATH_PROTOCOL *path = utilities->AppendDeviceNode(NULL, node);
    EFI_DEVICE_PATH_PROTOCOL *longer = utilities->AppendDeviceNode(path, node);
    source.file = file;
    source.size = size;
    bs->InstallMultipleProtocolInterfaces(&device, &device_path_guid, path, &load_file_guid, &one,
                                          NULL);
    bring_one("bring.1-boot", device, path, true);
    bring_one("bring.1-exact", device, path, false);
    bring_one("bring.1-longer", device, longer, true);
    source.status = EFI_DEVICE_ERROR;
    bring_one("bring.1-fails", device, path, true);
    source.status = EFI_SUCCESS;
    bs->InstallMultipleProtocolInterfaces(&device, &load_file2_guid, &two, NULL);
    bring_one("bring.both-boot", device, path, true);
    bring_one("bring.both-exact", device, path, false);
    bs->UninstallMultipleProtocolInterfaces(device, &load_file_guid, &one, NULL);
    bring_one("bring.2-boot", device, path, true);
    bring_one("bring.2-exact", device, path, false);
    bring_one("bring.2-longer", device, longer, false);
    bs->UninstallMultipleProtocolInterfaces(device, &device_path_guid, path, &load_file2_guid, &two,
                                            NULL);
    give(node);
    give(path);
    give(longer);
}

void test_images(void)
{
    VOID *interface = NULL;
    UINTN size;
    own = loaded_of(self);
    utilities = find_protocol(&path_utilities_guid);
    bs->HandleProtocol(own->DeviceHandle, &device_path_guid, &interface);
    device_path = interface;
    check_true("own.device-path", device_path != NULL);
    check_value("own.code", own->ImageCodeType);
    check_value("own.data", own->ImageDataType);
    void *file = read_file(L"\\child.efi", &size);
    check_true("own.volume", file != NULL);
    if (!file || !device_path || !utilities)
        return;
    arguments(file, size);
    loading(file, size);
    bring_all(file, size);
    endings();
    drivers();
    give(file);
}
