/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a program finds that the host starts as its kernel: LoadOptions, the initrd by LoadFile2
 * (UEFI 2.10 13.2), and kernel, initrd and command line as files of a volume that cannot be written
 * (13.5).
 */
#include "tests/efi/conformance.h"

EFI_HANDLE self;
EFI_SYSTEM_TABLE *st;
EFI_BOOT_SERVICES *bs;
EFI_RUNTIME_SERVICES *rt;

static union {
    EFI_FILE_INFO file;
    EFI_FILE_SYSTEM_INFO system;
    UINT8 room[1024];
} info;

/* The vendor media path by which Linux's EFI stub looks for its initrd. */
static const uint8_t initrd_path[] = { 4,    3,    20,   0,    0x27, 0xe4, 0x68, 0x55,
                                       0xfc, 0x68, 0x3d, 0x4f, 0xac, 0x74, 0xca, 0x55,
                                       0x52, 0x31, 0xcc, 0x68, 0x7F, 0xFF, 4,    0 };

static void load_file2(void)
{
    EFI_DEVICE_PATH_PROTOCOL *path = (EFI_DEVICE_PATH_PROTOCOL *)(uintptr_t)initrd_path;
    EFI_DEVICE_PATH_PROTOCOL *whole = path;
    EFI_HANDLE handle = NULL;
    EFI_LOAD_FILE2_PROTOCOL *loader = NULL;
    char text[64] = "";
    UINTN size = 0;
    check_status("initrd.path", bs->LocateDevicePath(&load_file2_guid, &path, &handle));
    if (!handle)
        return;
    check_true("initrd.whole", path->Type == END_DEVICE_PATH);
    check_status("initrd.open", bs->HandleProtocol(handle, &load_file2_guid, (VOID **)&loader));
    check_status("initrd.no-path", loader->LoadFile(loader, NULL, false, &size, NULL));
    check_status("initrd.no-size", loader->LoadFile(loader, path, false, NULL, NULL));
    check_status("initrd.policy", loader->LoadFile(loader, path, true, &size, NULL));
    check_status("initrd.other-path", loader->LoadFile(loader, whole, false, &size, NULL));
    check_status("initrd.ask", loader->LoadFile(loader, path, false, &size, NULL));
    check_value("initrd.ask.size", size);
    size = 4;
    check_status("initrd.small", loader->LoadFile(loader, path, false, &size, text));
    check_value("initrd.small.size", size);
    check_text("initrd.small.text", text);
    size = sizeof(text);
    check_status("initrd", loader->LoadFile(loader, path, false, &size, text));
    check_value("initrd.size", size);
    check_text("initrd.text", text);
}

static void list(EFI_FILE_PROTOCOL *root)
{
    bool seen[3] = { false };
    UINTN size, count = 0;
    do {
        size = sizeof(info);
        if (root->Read(root, &size, &info) != EFI_SUCCESS || size == 0)
            break;
        count++;
        seen[0] |= wide_equal(info.file.FileName, L"kernel");
        seen[1] |= wide_equal(info.file.FileName, L"initrd");
        seen[2] |= wide_equal(info.file.FileName, L"cmdline");
    } while (count < 10);
    check_true("volume.files", count == 3 && seen[0] && seen[1] && seen[2]);
    size = sizeof(info);
    check_status("volume.end", root->Read(root, &size, &info));
    check_value("volume.end.size", size);
}

static void one_file(EFI_FILE_PROTOCOL *root)
{
    EFI_FILE_PROTOCOL *file = NULL;
    char text[64] = "";
    UINTN size = 8;
    UINT64 position = 0;
    check_status("file", root->Open(root, &file, L"initrd", EFI_FILE_MODE_READ, 0));
    if (!file)
        return;
    check_status("file.seek", file->SetPosition(file, 4));
    check_status("file.read", file->Read(file, &size, text));
    check_text("file.text", text);
    check_status("file.position", file->GetPosition(file, &position));
    check_value("file.position.value", position);
    check_status("file.seek-end", file->SetPosition(file, UINT64_MAX));
    check_status("file.end", file->Read(file, &size, text));
    check_value("file.end.size", size);
    check_status("file.write", file->Write(file, &size, text));
    size = sizeof(info);
    check_status("file.info", file->GetInfo(file, &file_info_guid, &size, &info));
    check_wide("file.info.name", info.file.FileName);
    check_value("file.info.size", info.file.FileSize);
    check_value("file.info.attribute", info.file.Attribute);
    check_status("file.set-info", file->SetInfo(file, &file_info_guid, size, &info));
    check_status("file.flush", file->Flush(file));
    check_status("file.delete", file->Delete(file));
}

static void volume(EFI_HANDLE device)
{
    EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *fs = NULL;
    EFI_FILE_PROTOCOL *root = NULL, *file = NULL;
    UINTN size = sizeof(info);
    check_status("volume", bs->HandleProtocol(device, &file_system_guid, (VOID **)&fs));
    if (!fs)
        return;
    check_status("volume.open", fs->OpenVolume(fs, &root));
    check_status("volume.info", root->GetInfo(root, &file_system_info_guid, &size, &info));
    check_true("volume.read-only", info.system.ReadOnly);
    list(root);
    check_status("volume.missing", root->Open(root, &file, L"missing", EFI_FILE_MODE_READ, 0));
    check_status("volume.writable",
                 root->Open(root, &file, L"initrd", EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE, 0));
    one_file(root);
    check_status("volume.close", root->Close(root));
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table)
{
    EFI_LOADED_IMAGE_PROTOCOL *loaded = NULL;
    self = image;
    st = system_table;
    bs = st->BootServices;
    rt = st->RuntimeServices;
    report_section("direct");
    bs->HandleProtocol(self, &loaded_image_guid, (VOID **)&loaded);
    check_value("options.size", loaded->LoadOptionsSize);
    check_wide("options", loaded->LoadOptions);
    load_file2();
    volume(loaded->DeviceHandle);
    report_end();
    rt->ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, NULL);
    return EFI_ABORTED;
}
