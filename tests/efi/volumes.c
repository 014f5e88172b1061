/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Reads and writes on every volume that the firmware found, and reports as the conformance
 * application does, one section a volume, named after its label: the device path, what \expected.txt
 * says, and the status of each change. The test looks at the disks afterwards.
 */
#include "tests/efi/conformance.h"

#define MODE_NEW (EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE | EFI_FILE_MODE_CREATE)
#define LINES    5000u
#define LINE     20u

EFI_HANDLE self;
EFI_SYSTEM_TABLE *st;
EFI_BOOT_SERVICES *bs;
EFI_RUNTIME_SERVICES *rt;

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

/* LINES lines "line 00000 of a file\n", which a shell can make as well. */
static char *content(size_t *ret_size)
{
    static const char model[] = "line 00000 of a file\n";
    const size_t length = sizeof(model) - 1;
    char *text = take(LINES * length);
    for (unsigned i = 0; i < LINES; i++) {
        char *line = text + i * length;
        memcpy(line, model, length);
        for (unsigned digit = 0, rest = i; digit < 5; digit++, rest /= 10)
            line[9 - digit] = (char)('0' + rest % 10);
    }
    *ret_size = LINES * length;
    return text;
}

static void report_path(EFI_HANDLE handle)
{
    EFI_DEVICE_PATH_TO_TEXT_PROTOCOL *to_text = find_protocol(&path_to_text_guid);
    EFI_DEVICE_PATH_PROTOCOL *path = NULL;
    bs->HandleProtocol(handle, &device_path_guid, (VOID **)&path);
    CHAR16 *text = path && to_text ? to_text->ConvertDevicePathToText(path, false, false) : NULL;
    check_wide("path", text);
    if (text)
        bs->FreePool(text);
}

/* Whether the section's name is known: a volume without a label is not one of the test's. */
static bool begin_section(EFI_FILE_PROTOCOL *root, char name[16])
{
    CHAR16 label[16] = { 0 };
    UINTN size = sizeof(label);
    size_t i = 0;
    root->GetInfo(root, &volume_label_guid, &size, label);
    for (; i < 11 && label[i]; i++)
        name[i] = (char)label[i];
    name[i] = 0;
    report_section(name);
    return i > 0;
}

static void read_expected(EFI_FILE_PROTOCOL *root)
{
    EFI_FILE_PROTOCOL *file;
    char text[64] = "";
    UINTN size = sizeof(text) - 1;
    EFI_STATUS status = root->Open(root, &file, L"\\Expected Text.txt", EFI_FILE_MODE_READ, 0);
    check_status("open", status);
    if (status != EFI_SUCCESS)
        return;
    check_status("read", file->Read(file, &size, text));
    text[size] = 0;
    check_text("text", text);
    file->Close(file);
}

static void rename_file(EFI_FILE_PROTOCOL *file, CHAR16 *path, UINT64 size)
{
    size_t length = wide_length(path) + 1, room = sizeof(EFI_FILE_INFO) + length * sizeof(CHAR16);
    EFI_FILE_INFO *info = take(1024);
    UINTN had = 1024;
    check_status("info", file->GetInfo(file, &file_info_guid, &had, info));
    info->Size = room;
    info->FileSize = size;
    memcpy(info->FileName, path, length * sizeof(CHAR16));
    check_status("rename", file->SetInfo(file, &file_info_guid, room, info));
    give(info);
}

static void change(EFI_FILE_PROTOCOL *root)
{
    EFI_FILE_PROTOCOL *folder, *file;
    size_t size;
    char *text = content(&size);
    EFI_STATUS status = root->Open(root, &folder, L"made", MODE_NEW, EFI_FILE_DIRECTORY);
    check_status("folder", status);
    if (status == EFI_SUCCESS)
        status = folder->Open(folder, &file, L"A first name.txt", MODE_NEW, 0);
    check_status("create", status);
    if (status == EFI_SUCCESS) {
        UINTN done = size;
        check_status("write", file->Write(file, &done, text));
        rename_file(file, L"\\made\\The Last Name.config", size - LINE);
        check_status("flush", file->Flush(file));
        file->Close(file);
        check_status("second", folder->Open(folder, &file, L"second", MODE_NEW, 0));
        check_status("delete", file->Delete(file));
        folder->Close(folder);
    }
    give(text);
}

static void try_volume(EFI_HANDLE handle)
{
    EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *volume = NULL;
    EFI_FILE_PROTOCOL *root;
    char name[16];
    bs->HandleProtocol(handle, &file_system_guid, (VOID **)&volume);
    if (volume->OpenVolume(volume, &root) != EFI_SUCCESS)
        return;
    if (begin_section(root, name)) {
        report_path(handle);
        read_expected(root);
        change(root);
    }
    root->Close(root);
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table)
{
    EFI_HANDLE *handles;
    UINTN count = 0;
    self = image;
    st = system_table;
    bs = st->BootServices;
    rt = st->RuntimeServices;
    bs->LocateHandleBuffer(ByProtocol, &file_system_guid, NULL, &count, &handles);
    for (UINTN i = 0; i < count; i++)
        try_volume(handles[i]);
    report_end();
    rt->ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, NULL);
    return EFI_ABORTED;
}
