/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Files of the volume that the application came from (UEFI 2.10 13.4, 13.5), read and written. */
#include "tests/efi/conformance.h"

#define MODE_READ  EFI_FILE_MODE_READ
#define MODE_WRITE (EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE)
#define MODE_NEW   (MODE_WRITE | EFI_FILE_MODE_CREATE)

static EFI_FILE_PROTOCOL *root;
static union {
    EFI_FILE_INFO file;
    EFI_FILE_SYSTEM_INFO system;
    CHAR16 label[64];
    UINT8 room[1024];
} info;

static EFI_STATUS open(CHAR16 *path, UINT64 mode, UINT64 attributes, EFI_FILE_PROTOCOL **ret)
{
    *ret = NULL;
    return root->Open(root, ret, path, mode, attributes);
}

static EFI_FILE_PROTOCOL *check_open(const char *name, CHAR16 *path, UINT64 mode,
                                     UINT64 attributes)
{
    EFI_FILE_PROTOCOL *file;
    check_status(name, open(path, mode, attributes, &file));
    return file;
}

static void close(EFI_FILE_PROTOCOL *file)
{
    if (file)
        file->Close(file);
}

static void test_opening(void)
{
    static const struct {
        const char *name;
        CHAR16 *path;
        UINT64 mode, attributes;
    } calls[] = {
        { "open.empty", L"", MODE_READ, 0 },
        { "open.missing", L"missing", MODE_READ, 0 },
        { "open.missing-writable", L"missing", MODE_WRITE, 0 },
        { "open.missing-folder", L"missing\\file", MODE_NEW, 0 },
        { "open.no-mode", L"EFI", 0, 0 },
        { "open.only-write", L"EFI", EFI_FILE_MODE_WRITE, 0 },
        { "open.create-to-read", L"EFI", MODE_READ | EFI_FILE_MODE_CREATE, 0 },
        { "open.create-read-only", L"new", MODE_NEW, EFI_FILE_READ_ONLY },
        { "open.create-attribute", L"new", MODE_NEW, 0x40 },
        { "open.attribute-to-read", L"EFI", MODE_READ, 0x40 },
        { "open.above-root", L"..", MODE_READ, 0 },
        { "open.bad-name", L"wh?t", MODE_NEW, 0 },
        { "open.bad-name-to-read", L"wh?t", MODE_READ, 0 },
        { "open.dots", L"...", MODE_NEW, 0 },
        { "open.root", L"\\", MODE_READ, 0 },
        { "open.dot", L".", MODE_WRITE, 0 },
        { "open.case", L"\\efi\\Boot\\bootx64.efi", MODE_READ, 0 },
        { "open.way", L"EFI\\.\\BOOT\\..\\\\BOOT\\", MODE_READ, 0 },
        { "open.file-as-folder", L"\\EFI\\BOOT\\BOOTX64.EFI\\", MODE_READ, 0 },
        { "open.below-file", L"\\EFI\\BOOT\\BOOTX64.EFI\\file", MODE_READ, 0 },
        { "open.slashes", L"/EFI/BOOT/BOOTX64.EFI", MODE_READ, 0 },
        { "open.create-with-slash", L"new\\", MODE_NEW, 0 },
        { "open.existing", L"EFI", MODE_NEW, EFI_FILE_DIRECTORY },
        { "open.existing-as-file", L"EFI", MODE_NEW, 0 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
        close(check_open(calls[i].name, calls[i].path, calls[i].mode, calls[i].attributes));
    check_status("open.no-name", root->Open(root, &(EFI_FILE_PROTOCOL *){ NULL }, NULL, 1, 0));
}

static void get_info(const char *name, EFI_FILE_PROTOCOL *file)
{
    UINTN size = sizeof(info);
    memset(&info, 0, sizeof(info));
    check_status(name, file->GetInfo(file, &file_info_guid, &size, &info));
    check_value(name_of(name, "size"), size);
    check_value(name_of(name, "length"), info.file.FileSize);
    check_value(name_of(name, "physical"), info.file.PhysicalSize);
    check_value(name_of(name, "attribute"), info.file.Attribute);
    check_wide(name_of(name, "name"), info.file.FileName);
}

static void test_writing(void)
{
    char text[64] = "0123456789", back[64] = "";
    UINT64 position = 99;
    UINTN size = 10;
    EFI_FILE_PROTOCOL *file = check_open("create", L"A new File.text", MODE_NEW, 0);
    if (!file)
        return;
    check_status("write", file->Write(file, &size, text));
    check_value("write.size", size);
    check_status("position", file->GetPosition(file, &position));
    check_value("position.value", position);
    check_status("seek", file->SetPosition(file, 7));
    size = 20;
    check_status("read", file->Read(file, &size, back));
    check_value("read.size", size);
    check_text("read.text", back);
    size = 20;
    check_status("read.end", file->Read(file, &size, back));
    check_value("read.end.size", size);
    file->SetPosition(file, 11);
    size = 1;
    check_status("read.beyond", file->Read(file, &size, back));
    check_status("seek.end", file->SetPosition(file, ~0ull));
    file->GetPosition(file, &position);
    check_value("seek.end.position", position);
    file->SetPosition(file, 0xFFFFFFFF);
    size = 1;
    check_status("write.4-GiB", file->Write(file, &size, text));
    check_value("write.4-GiB.size", size);
    file->SetPosition(file, 0);
    size = 0;
    check_status("write.nothing", file->Write(file, &size, text));
    check_status("flush", file->Flush(file));
    get_info("info", file);
    check_value("info.year", info.file.CreateTime.Year >= 2020);
    check_value("info.zone", (UINT16)info.file.CreateTime.TimeZone);
    close(file);
    file = check_open("reopen", L"a NEW file.TEXT", MODE_READ, 0);
    size = 1;
    check_status("read-only.write", file->Write(file, &size, text));
    check_status("read-only.flush", file->Flush(file));
    check_status("read-only.delete", file->Delete(file));
    size = 1;
    check_status("folder.write", root->Write(root, &size, text));
    check_status("folder.position", root->GetPosition(root, &position));
    check_status("folder.seek", root->SetPosition(root, 1));
    check_status("folder.rewind", root->SetPosition(root, 0));
    size = 1;
    check_status("folder.read.small", root->Read(root, &size, &info));
    size = sizeof(info);
    check_status("folder.read", root->Read(root, &size, &info));
    check_value("folder.read.size", size);
    check_wide("folder.read.name", info.file.FileName);
    for (unsigned i = 0; i < 20 && size; i++) {
        size = sizeof(info);
        root->Read(root, &size, &info);
    }
    check_value("folder.read.end", size);
    root->SetPosition(root, 0);
}

static EFI_STATUS set_info(EFI_FILE_PROTOCOL *file)
{
    info.file.Size = sizeof(EFI_FILE_INFO) + (wide_length(info.file.FileName) + 1) * 2;
    return file->SetInfo(file, &file_info_guid, info.file.Size, &info);
}

static void check_rename(const char *name, CHAR16 *from, CHAR16 *to)
{
    EFI_FILE_PROTOCOL *file;
    UINTN size = sizeof(info);
    if (open(from, MODE_WRITE, 0, &file) != EFI_SUCCESS) {
        check_text(name, "nothing to rename");
        return;
    }
    file->GetInfo(file, &file_info_guid, &size, &info);
    memcpy(info.file.FileName, to, (wide_length(to) + 1) * sizeof(CHAR16));
    check_status(name, set_info(file));
    close(file);
}

static void test_renaming(void)
{
    close(check_open("folder", L"Folder", MODE_NEW, EFI_FILE_DIRECTORY));
    close(check_open("folder.inner", L"Folder\\Inner", MODE_NEW, EFI_FILE_DIRECTORY));
    close(check_open("folder.file", L"Folder\\file", MODE_NEW, 0));
    check_rename("rename", L"A new File.text", L"another");
    check_rename("rename.taken", L"another", L"Folder");
    check_rename("rename.empty", L"another", L"");
    check_rename("rename.nowhere", L"another", L"nowhere\\another");
    check_rename("rename.bad", L"another", L"an*ther");
    check_rename("rename.same", L"another", L"another");
    check_rename("rename.move", L"another", L"\\Folder\\Inner\\moved");
    check_rename("rename.relative", L"Folder\\Inner\\moved", L"beside");
    check_rename("rename.folder", L"Folder\\Inner", L"Inside");
    check_rename("rename.into-itself", L"Folder", L"Folder\\Inside\\Folder");
    close(check_open("rename.there", L"Folder\\Inside\\beside", MODE_READ, 0));
    close(check_open("rename.gone", L"another", MODE_READ, 0));
}

static void test_changing(void)
{
    EFI_FILE_PROTOCOL *file = check_open("change", L"Folder\\file", MODE_WRITE, 0);
    UINTN size = 0;
    check_status("info.ask", file->GetInfo(file, &file_info_guid, &size, NULL));
    check_value("info.ask.size", size);
    check_status("info.unknown", file->GetInfo(file, &test_guid_1, &size, &info));
    get_info("change.info", file);
    check_status("set.unknown", file->SetInfo(file, &test_guid_1, sizeof(info), &info));
    check_status("set.small", file->SetInfo(file, &file_info_guid, 81, &info));
    info.file.FileSize = 5000;
    info.file.ModificationTime = (EFI_TIME){ .Year = 1999, .Month = 12, .Day = 31, .Hour = 23,
                                             .Minute = 59, .Second = 58,
                                             .TimeZone = EFI_UNSPECIFIED_TIMEZONE };
    check_status("set.grow", set_info(file));
    get_info("grown", file);
    check_value("grown.year", info.file.ModificationTime.Year);
    check_value("grown.second", info.file.ModificationTime.Second);
    info.file.FileSize = 100;
    info.file.Attribute = EFI_FILE_READ_ONLY;
    check_status("set.cut", set_info(file));
    get_info("cut", file);
    info.file.FileSize = 101;
    check_status("set.read-only", set_info(file));
    info.file.FileSize = 100;
    info.file.Attribute = EFI_FILE_DIRECTORY;
    check_status("set.directory", set_info(file));
    info.file.Attribute = 0x40;
    check_status("set.attribute", set_info(file));
    info.file.Attribute = 0;
    info.file.CreateTime.Month = 13;
    check_status("set.time", set_info(file));
    close(file);
    close(check_open("open.read-only", L"Folder\\file", MODE_WRITE, 0));
    file = check_open("open.read-only-to-read", L"Folder\\file", MODE_READ, 0);
    get_info("read-only", file);
    info.file.Attribute = 0;
    check_status("set.writable", set_info(file));
    close(file);
    get_info("root", root);
    check_status("set.root", set_info(root));
}

static void test_volume_info(void)
{
    UINTN size = 0;
    check_status("system.ask", root->GetInfo(root, &file_system_info_guid, &size, NULL));
    check_value("system.ask.size", size);
    size = sizeof(info);
    check_status("system", root->GetInfo(root, &file_system_info_guid, &size, &info));
    check_value("system.read-only", info.system.ReadOnly);
    check_value("system.block-size", info.system.BlockSize);
    check_wide("system.label", info.system.VolumeLabel);
    check_true("system.free", info.system.FreeSpace < info.system.VolumeSize);
    size = sizeof(info);
    check_status("label", root->GetInfo(root, &volume_label_guid, &size, &info));
    check_value("label.size", size);
    check_wide("label.text", info.label);
    check_status("label.set", root->SetInfo(root, &volume_label_guid, 8, L"New"));
    check_status("label.bad", root->SetInfo(root, &volume_label_guid, 8, L"a/b"));
    check_status("label.small", root->SetInfo(root, &volume_label_guid, 1, L"a"));
    size = sizeof(info);
    root->GetInfo(root, &volume_label_guid, &size, &info);
    check_wide("label.new", info.label);
    root->SetInfo(root, &volume_label_guid, 18, L"CONFORM");
}

static void test_tokens(void)
{
    EFI_FILE_PROTOCOL *file = NULL;
    EFI_FILE_IO_TOKEN token = { .Status = EFI_NOT_READY };
    char text[16] = "tokens";
    UINTN index;
    check_value("revision", root->Revision);
    bs->CreateEvent(0, 0, NULL, NULL, &token.Event);
    check_status("open-ex", root->OpenEx(root, &file, L"token", MODE_NEW, 0, &token));
    if (!file)
        return;
    check_status("open-ex.wait", bs->WaitForEvent(1, &token.Event, &index));
    check_status("open-ex.status", token.Status);
    token.Buffer = text;
    token.BufferSize = 6;
    check_status("write-ex", file->WriteEx(file, &token));
    check_status("write-ex.wait", bs->WaitForEvent(1, &token.Event, &index));
    check_status("write-ex.status", token.Status);
    check_status("flush-ex", file->FlushEx(file, &token));
    check_status("flush-ex.wait", bs->WaitForEvent(1, &token.Event, &index));
    file->SetPosition(file, 2);
    token.BufferSize = sizeof(text);
    check_status("read-ex", file->ReadEx(file, &token));
    check_status("read-ex.wait", bs->WaitForEvent(1, &token.Event, &index));
    check_status("read-ex.status", token.Status);
    check_value("read-ex.size", token.BufferSize);
    check_bytes("read-ex.text", text, 4);
    check_status("read-ex.delete", file->Delete(file));
    bs->CloseEvent(token.Event);
}

static void test_deleting(void)
{
    EFI_FILE_PROTOCOL *file = check_open("delete.open", L"Folder", MODE_WRITE, 0);
    char byte;
    UINTN size = 1;
    UINT64 position;
    check_status("delete.not-empty", file->Delete(file));
    EFI_FILE_PROTOCOL *one = check_open("delete.one", L"Folder\\file", MODE_WRITE, 0);
    EFI_FILE_PROTOCOL *two = check_open("delete.two", L"Folder\\file", MODE_WRITE, 0);
    check_status("delete", one->Delete(one));
    check_status("deleted.read", two->Read(two, &size, &byte));
    check_status("deleted.write", two->Write(two, &size, &byte));
    check_status("deleted.position", two->GetPosition(two, &position));
    check_status("deleted.seek", two->SetPosition(two, 0));
    check_status("deleted.flush", two->Flush(two));
    size = sizeof(info);
    check_status("deleted.info", two->GetInfo(two, &file_info_guid, &size, &info));
    check_status("deleted.delete", two->Delete(two));
    static CHAR16 *const rest[] = { L"Folder\\Inside\\beside", L"Folder\\Inside", L"Folder" };
    for (size_t i = 0; i < ARRAY_SIZE(rest); i++) {
        file = check_open(name_number("delete.rest.open", i), rest[i], MODE_WRITE, 0);
        if (file)
            check_status(name_number("delete.rest", i), file->Delete(file));
    }
}

void test_files(void)
{
    EFI_LOADED_IMAGE_PROTOCOL *image;
    EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *volume;
    EFI_FILE_PROTOCOL *other;
    bs->HandleProtocol(self, &loaded_image_guid, (VOID **)&image);
    check_status("volume", bs->HandleProtocol(image->DeviceHandle, &file_system_guid,
                                              (VOID **)&volume));
    check_value("volume.revision", volume->Revision);
    check_status("volume.open", volume->OpenVolume(volume, &root));
    test_opening();
    test_writing();
    test_renaming();
    test_changing();
    test_volume_info();
    test_tokens();
    test_deleting();
    volume->OpenVolume(volume, &other);
    check_status("root.delete", other->Delete(other));
    check_status("root.close", root->Close(root));
}
