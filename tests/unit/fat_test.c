/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The firmware's FAT file system as UEFI's file protocol: each status code of UEFI 2.10 13.5, names,
 * dates and labels; then volumes that are damaged, disks that fail and disks that lie.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/storage/fat.h"
#include "firmware/storage/fatfs.h"
#include "firmware/uefi/guids.h"
#include "tests/unit/fat_fakes.h"

#define SECTOR     512u
#define MODE_READ  EFI_FILE_MODE_READ
#define MODE_WRITE (EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE)
#define MODE_NEW   (MODE_WRITE | EFI_FILE_MODE_CREATE)

struct layout {
    unsigned bits;
    uint32_t reserved, fat_sectors, root_sectors, clusters; /* a cluster is a sector */
};

static struct layout layouts[] = {
    { 12, 1, 1, 2, 200 },
    { 16, 1, 20, 2, 5000 },
    { 32, 32, 520, 0, 66000 },
};
static uint8_t *image;
static size_t image_size;
static const struct layout *layout;
static EFI_FILE_PROTOCOL *root;

static void put(uint8_t *at, uint64_t value, unsigned width)
{
    memcpy(at, &value, width);
}

static uint8_t *cluster_at(uint32_t cluster)
{
    return image + (layout->reserved + layout->fat_sectors + layout->root_sectors + cluster - 2ul) *
                       SECTOR;
}

static uint8_t *root_at(void)
{
    return layout->bits == 32 ? cluster_at(2)
                              : image + (layout->reserved + layout->fat_sectors) * SECTOR;
}

static void set_table(uint32_t cluster, uint32_t value)
{
    uint8_t *fat = image + layout->reserved * SECTOR;
    if (layout->bits == 12) {
        uint8_t *at = fat + cluster * 3 / 2;
        uint32_t old = at[0] | (uint32_t)at[1] << 8;
        put(at, cluster & 1 ? (old & 0xF) | value << 4 : (old & 0xF000) | (value & 0xFFF), 2);
        return;
    }
    put(fat + cluster * layout->bits / 8, value, layout->bits / 8);
}

/* An empty volume in the image. */
static void format(unsigned index)
{
    layout = &layouts[index];
    uint32_t total =
        layout->reserved + layout->fat_sectors + layout->root_sectors + layout->clusters;
    free(image);
    image_size = (size_t)total * SECTOR;
    image = calloc(1, image_size);
    put(image + 11, SECTOR, 2);
    image[13] = 1;
    put(image + 14, layout->reserved, 2);
    image[16] = 1;
    put(image + 17, layout->root_sectors * 16, 2);
    image[21] = 0xF8;
    put(image + 32, total, 4);
    put(image + (layout->bits == 32 ? 36 : 22), layout->fat_sectors, layout->bits == 32 ? 4 : 2);
    if (layout->bits == 32)
        image[44] = 2;
    put(image + 510, 0xAA55, 2);
    set_table(0, 0x0FFFFFF8);
    set_table(1, 0x0FFFFFFF);
    if (layout->bits == 32)
        set_table(2, 0x0FFFFFFF);
    memset(&test_disk, 0, sizeof(test_disk));
    root = test_mount(image, image_size);
    assert_non_null(root);
}

/* --- short calls --- */

static EFI_STATUS try_open(EFI_FILE_PROTOCOL *from, const CHAR16 *name, UINT64 mode,
                           UINT64 attributes, EFI_FILE_PROTOCOL **ret)
{
    CHAR16 path[600];
    size_t length = 0;
    do
        path[length] = name[length];
    while (name[length++]);
    *ret = NULL;
    return from->Open(from, ret, path, mode, attributes);
}

static EFI_STATUS open_status(const CHAR16 *name, UINT64 mode, UINT64 attributes)
{
    EFI_FILE_PROTOCOL *file;
    EFI_STATUS status = try_open(root, name, mode, attributes, &file);
    if (file)
        file->Close(file);
    return status;
}

static EFI_FILE_PROTOCOL *must_open(const CHAR16 *name, UINT64 mode, UINT64 attributes)
{
    EFI_FILE_PROTOCOL *file;
    assert_int_equal(try_open(root, name, mode, attributes, &file), EFI_SUCCESS);
    return file;
}

static void close(EFI_FILE_PROTOCOL *file)
{
    assert_int_equal(file->Close(file), EFI_SUCCESS);
}

static void put_file(const CHAR16 *name, const char *text)
{
    EFI_FILE_PROTOCOL *file = must_open(name, MODE_NEW, 0);
    UINTN size = strlen(text);
    assert_int_equal(file->Write(file, &size, (void *)(uintptr_t)text), EFI_SUCCESS);
    assert_int_equal(size, strlen(text));
    close(file);
}

static void check_file(const CHAR16 *name, const char *text)
{
    char data[200];
    EFI_FILE_PROTOCOL *file = must_open(name, MODE_READ, 0);
    UINTN size = sizeof(data);
    assert_int_equal(file->Read(file, &size, data), EFI_SUCCESS);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(data, text, size);
    close(file);
}

static union {
    EFI_FILE_INFO file;
    uint8_t room[2000];
} info;

static void get_info(EFI_FILE_PROTOCOL *file)
{
    EFI_GUID guid = guid_file_info;
    UINTN size = sizeof(info);
    assert_int_equal(file->GetInfo(file, &guid, &size, &info), EFI_SUCCESS);
    assert_int_equal(info.file.Size, size);
}

static EFI_STATUS set_info(EFI_FILE_PROTOCOL *file)
{
    EFI_GUID guid = guid_file_info;
    return file->SetInfo(file, &guid, sizeof(info), &info);
}

static void set_name(const CHAR16 *name)
{
    size_t i = 0;
    do
        info.file.FileName[i] = name[i];
    while (name[i++]);
}

static EFI_STATUS rename_status(const CHAR16 *from, const CHAR16 *to)
{
    EFI_FILE_PROTOCOL *file = must_open(from, MODE_WRITE, 0);
    get_info(file);
    set_name(to);
    EFI_STATUS status = set_info(file);
    close(file);
    return status;
}

static bool same(const CHAR16 *a, const CHAR16 *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

/* --- opening --- */

static void opening(void **state)
{
    (void)state;
    EFI_FILE_PROTOCOL *file, *directory;
    CHAR16 name[] = u"a";
    format(1);
    assert_int_equal(root->Revision, EFI_FILE_PROTOCOL_REVISION2);
    assert_int_equal(root->Open(root, NULL, name, MODE_READ, 0), EFI_INVALID_PARAMETER);
    assert_int_equal(root->Open(root, &file, NULL, MODE_READ, 0), EFI_INVALID_PARAMETER);
    assert_int_equal(open_status(u"", MODE_READ, 0), EFI_INVALID_PARAMETER);
    assert_int_equal(open_status(u"a", 0, 0), EFI_INVALID_PARAMETER);
    assert_int_equal(open_status(u"a", EFI_FILE_MODE_WRITE, 0), EFI_INVALID_PARAMETER);
    assert_int_equal(open_status(u"a", MODE_READ | EFI_FILE_MODE_CREATE, 0), EFI_INVALID_PARAMETER);
    assert_int_equal(open_status(u"a", MODE_NEW, EFI_FILE_READ_ONLY), EFI_INVALID_PARAMETER);
    assert_int_equal(open_status(u"a", MODE_NEW, 0x40), EFI_INVALID_PARAMETER);
    assert_int_equal(open_status(u"a", MODE_READ, 0), EFI_NOT_FOUND);
    assert_int_equal(open_status(u"a", MODE_WRITE, 0), EFI_NOT_FOUND);
    assert_int_equal(open_status(u"a\\b", MODE_NEW, 0), EFI_NOT_FOUND);
    assert_int_equal(open_status(u"..", MODE_READ, 0), EFI_INVALID_PARAMETER);
    assert_int_equal(open_status(u"wh?t", MODE_NEW, 0), EFI_INVALID_PARAMETER);
    assert_int_equal(open_status(u"...", MODE_NEW, 0), EFI_INVALID_PARAMETER);
    put_file(u"a", "file");
    assert_int_equal(open_status(u"a\\b", MODE_READ, 0), EFI_NOT_FOUND);
    assert_int_equal(open_status(u"a\\", MODE_READ, 0), EFI_NOT_FOUND);
    assert_int_equal(open_status(u"new\\", MODE_NEW, 0), EFI_INVALID_PARAMETER);
    directory = must_open(u"D\\", MODE_NEW, EFI_FILE_DIRECTORY);
    put_file(u"\\d\\Inner File", "inner");
    assert_int_equal(try_open(directory, u"inner file", MODE_READ, 0, &file), EFI_SUCCESS);
    close(file);
    assert_int_equal(try_open(directory, u"..\\A", MODE_READ, 0, &file), EFI_SUCCESS);
    close(file);
    assert_int_equal(try_open(directory, u"\\.\\D\\..\\\\a", MODE_READ, 0, &file), EFI_SUCCESS);
    assert_int_equal(try_open(file, u"..\\D", MODE_READ, 0, &file), EFI_SUCCESS);
    close(file);
    assert_int_equal(try_open(directory, u".", MODE_READ, 0, &file), EFI_SUCCESS);
    get_info(file);
    assert_true(same(info.file.FileName, u"D"));
    assert_int_equal(info.file.Attribute, EFI_FILE_DIRECTORY);
    assert_int_equal(info.file.FileSize, SECTOR);
    close(file);
    close(directory);
    assert_int_equal(open_status(u"INNERF~1", MODE_READ, 0), EFI_NOT_FOUND);
    check_file(u"D\\INNERF~1", "inner"); /* its alias */
    get_info(root);
    assert_int_equal(info.file.FileName[0], 0);
    assert_int_equal(root->Close(NULL), EFI_INVALID_PARAMETER);
}

/* --- reading and writing --- */

static void positions(void **state)
{
    (void)state;
    char data[20] = "";
    UINT64 position;
    UINTN size = 5;
    format(0);
    put_file(u"file", "0123456789");
    EFI_FILE_PROTOCOL *file = must_open(u"file", MODE_WRITE, 0);
    assert_int_equal(file->SetPosition(file, 7), EFI_SUCCESS);
    assert_int_equal(file->Read(file, &size, data), EFI_SUCCESS);
    assert_int_equal(size, 3);
    assert_string_equal(data, "789");
    assert_int_equal(file->GetPosition(file, &position), EFI_SUCCESS);
    assert_int_equal(position, 10);
    size = 5;
    assert_int_equal(file->Read(file, &size, data), EFI_SUCCESS);
    assert_int_equal(size, 0);
    assert_int_equal(file->SetPosition(file, 11), EFI_SUCCESS);
    size = 5;
    assert_int_equal(file->Read(file, &size, data), EFI_DEVICE_ERROR);
    assert_int_equal(file->SetPosition(file, UINT64_MAX), EFI_SUCCESS);
    assert_int_equal(file->GetPosition(file, &position), EFI_SUCCESS);
    assert_int_equal(position, 10);
    size = 5;
    assert_int_equal(file->Read(file, &size, NULL), EFI_INVALID_PARAMETER);
    assert_int_equal(file->Read(file, NULL, data), EFI_INVALID_PARAMETER);
    assert_int_equal(file->GetPosition(file, NULL), EFI_INVALID_PARAMETER);
    file->SetPosition(file, UINT32_MAX);
    size = 1;
    assert_int_equal(file->Write(file, &size, data), EFI_UNSUPPORTED); /* 4 GiB */
    assert_int_equal(size, 0);
    close(file);
    assert_int_equal(root->GetPosition(root, &position), EFI_UNSUPPORTED);
    assert_int_equal(root->SetPosition(root, 1), EFI_UNSUPPORTED);
    size = 1;
    assert_int_equal(root->Write(root, &size, data), EFI_UNSUPPORTED);
    file = must_open(u"file", MODE_READ, 0);
    assert_int_equal(file->Write(file, &size, data), EFI_ACCESS_DENIED);
    assert_int_equal(file->Flush(file), EFI_ACCESS_DENIED);
    assert_int_equal(file->Delete(file), EFI_WARN_DELETE_FAILURE);
    check_file(u"file", "0123456789");
}

static void directories(void **state)
{
    (void)state;
    format(2);
    put_file(u"One", "1");
    put_file(u"a second file.with a long name", "2");
    UINTN size = 1;
    assert_int_equal(root->Read(root, &size, &info), EFI_BUFFER_TOO_SMALL);
    assert_int_equal(size, sizeof(EFI_FILE_INFO) + 8);
    for (unsigned round = 0; round < 2; round++) {
        size = sizeof(info);
        assert_int_equal(root->Read(root, &size, &info), EFI_SUCCESS);
        assert_true(same(info.file.FileName, u"One"));
        size = sizeof(info);
        assert_int_equal(root->Read(root, &size, &info), EFI_SUCCESS);
        assert_true(same(info.file.FileName, u"a second file.with a long name"));
        assert_int_equal(info.file.FileSize, 1);
        assert_int_equal(info.file.PhysicalSize, SECTOR);
        assert_int_equal(info.file.Attribute, FAT_ARCHIVE);
        size = sizeof(info);
        assert_int_equal(root->Read(root, &size, &info), EFI_SUCCESS);
        assert_int_equal(size, 0);
        assert_int_equal(root->SetPosition(root, 0), EFI_SUCCESS);
    }
}

static void tokens(void **state)
{
    (void)state;
    char data[10] = "abc";
    EFI_FILE_PROTOCOL *file;
    CHAR16 name[] = u"token";
    EFI_FILE_IO_TOKEN token = { .Event = &token, .Status = 1 };
    format(0);
    test_signals = 0;
    assert_int_equal(root->OpenEx(root, &file, name, MODE_NEW, 0, &token), EFI_SUCCESS);
    assert_int_equal(token.Status, EFI_SUCCESS);
    token.Buffer = data;
    token.BufferSize = 3;
    assert_int_equal(file->WriteEx(file, &token), EFI_SUCCESS);
    file->SetPosition(file, 0);
    token.BufferSize = sizeof(data);
    assert_int_equal(file->ReadEx(file, &token), EFI_SUCCESS);
    assert_int_equal(token.BufferSize, 3);
    assert_int_equal(file->FlushEx(file, &token), EFI_SUCCESS);
    assert_int_equal(test_signals, 4);
    token.Event = NULL; /* blocking */
    assert_int_equal(file->FlushEx(file, &token), EFI_SUCCESS);
    assert_int_equal(test_signals, 4);
    assert_int_equal(file->ReadEx(file, NULL), EFI_INVALID_PARAMETER);
    assert_int_equal(root->OpenEx(root, &file, name, 77, 0, &token), EFI_INVALID_PARAMETER);
    close(file);
}

static void deleting(void **state)
{
    (void)state;
    char data[4];
    UINTN size = sizeof(data);
    UINT64 position;
    format(1);
    close(must_open(u"D", MODE_NEW, EFI_FILE_DIRECTORY));
    put_file(u"D\\file", "text");
    EFI_FILE_PROTOCOL *d = must_open(u"D", MODE_WRITE, 0);
    assert_int_equal(d->Delete(d), EFI_WARN_DELETE_FAILURE); /* not empty */
    EFI_FILE_PROTOCOL *a = must_open(u"D\\file", MODE_WRITE, 0);
    EFI_FILE_PROTOCOL *b = must_open(u"D\\file", MODE_WRITE, 0);
    assert_int_equal(a->Delete(a), EFI_SUCCESS);
    assert_int_equal(b->Read(b, &size, data), EFI_DEVICE_ERROR);
    assert_int_equal(b->Write(b, &size, data), EFI_DEVICE_ERROR);
    assert_int_equal(b->GetPosition(b, &position), EFI_DEVICE_ERROR);
    assert_int_equal(b->SetPosition(b, 0), EFI_DEVICE_ERROR);
    assert_int_equal(b->Flush(b), EFI_NOT_FOUND);
    put_file(u"D\\file", "new"); /* in the same place of the directory */
    assert_int_equal(b->Delete(b), EFI_SUCCESS);
    check_file(u"D\\file", "new");
    EFI_FILE_PROTOCOL *r;
    assert_int_equal(test_volume->OpenVolume(test_volume, &r), EFI_SUCCESS);
    assert_int_equal(r->Delete(r), EFI_WARN_DELETE_FAILURE);
}

/* --- information --- */

static void file_information(void **state)
{
    (void)state;
    EFI_GUID guid = guid_file_info, unknown = guid_block_io;
    UINTN size = 0;
    format(1);
    put_file(u"file.txt", "0123456789");
    EFI_FILE_PROTOCOL *file = must_open(u"FILE.TXT", MODE_WRITE, 0);
    assert_int_equal(file->GetInfo(file, &unknown, &size, &info), EFI_UNSUPPORTED);
    assert_int_equal(file->GetInfo(file, &guid, &size, NULL), EFI_BUFFER_TOO_SMALL);
    assert_int_equal(size, sizeof(EFI_FILE_INFO) + 18);
    get_info(file);
    assert_true(same(info.file.FileName, u"file.txt"));
    assert_int_equal(info.file.CreateTime.Year, 2024);
    assert_int_equal(info.file.CreateTime.Day, 29);
    assert_int_equal(info.file.ModificationTime.Hour, 13);
    assert_int_equal(info.file.LastAccessTime.Hour, 0);
    assert_int_equal(info.file.LastAccessTime.Month, 2);
    const EFI_TIME time = { .Year = 1999, .Month = 12, .Day = 31, .Hour = 23, .Minute = 59,
                            .Second = 58, .TimeZone = EFI_UNSPECIFIED_TIMEZONE };
    info.file.ModificationTime = time;
    memset(&info.file.CreateTime, 0, sizeof(time));
    info.file.FileSize = 3;
    info.file.Attribute = EFI_FILE_READ_ONLY | 2;
    assert_int_equal(file->SetInfo(file, &unknown, sizeof(info), &info), EFI_UNSUPPORTED);
    assert_int_equal(file->SetInfo(file, &guid, 81, &info), EFI_BAD_BUFFER_SIZE);
    assert_int_equal(file->SetInfo(file, &guid, 82, &info), EFI_BAD_BUFFER_SIZE);
    assert_int_equal(set_info(file), EFI_SUCCESS);
    close(file);
    check_file(u"file.txt", "012");
    assert_int_equal(open_status(u"file.txt", MODE_WRITE, 0), EFI_ACCESS_DENIED);
    file = must_open(u"file.txt", MODE_READ, 0);
    get_info(file);
    assert_memory_equal(&info.file.ModificationTime, &time, sizeof(time));
    assert_int_equal(info.file.CreateTime.Year, 2024);
    info.file.FileSize = 4;
    assert_int_equal(set_info(file), EFI_ACCESS_DENIED);
    info.file.FileSize = 3;
    info.file.Attribute = EFI_FILE_DIRECTORY;
    assert_int_equal(set_info(file), EFI_ACCESS_DENIED);
    info.file.Attribute = 0x40;
    assert_int_equal(set_info(file), EFI_INVALID_PARAMETER);
    info.file.Attribute = 0; /* attributes change through a handle for reading, too */
    assert_int_equal(set_info(file), EFI_SUCCESS);
    info.file.ModificationTime.Month = 13;
    assert_int_equal(set_info(file), EFI_INVALID_PARAMETER);
    close(file);
    assert_int_equal(open_status(u"file.txt", MODE_WRITE, 0), EFI_SUCCESS);
    get_info(root);
    assert_int_equal(set_info(root), EFI_ACCESS_DENIED);
}

static void renaming(void **state)
{
    (void)state;
    format(0);
    close(must_open(u"D", MODE_NEW, EFI_FILE_DIRECTORY));
    close(must_open(u"D\\E", MODE_NEW, EFI_FILE_DIRECTORY));
    put_file(u"one", "1");
    put_file(u"two", "2");
    assert_int_equal(rename_status(u"one", u"two"), EFI_ACCESS_DENIED);
    assert_int_equal(rename_status(u"one", u""), EFI_INVALID_PARAMETER);
    assert_int_equal(rename_status(u"one", u"nowhere\\one"), EFI_NOT_FOUND);
    assert_int_equal(rename_status(u"one", u"on*"), EFI_INVALID_PARAMETER);
    assert_int_equal(rename_status(u"one", u"A longer name"), EFI_SUCCESS);
    assert_int_equal(open_status(u"one", MODE_READ, 0), EFI_NOT_FOUND);
    check_file(u"a longer name", "1");
    assert_int_equal(rename_status(u"A longer name", u"a LONGER name"), EFI_SUCCESS);
    EFI_FILE_PROTOCOL *file = must_open(u"a longer name", MODE_READ, 0);
    get_info(file);
    assert_true(same(info.file.FileName, u"a LONGER name"));
    set_name(u"other");
    assert_int_equal(set_info(file), EFI_ACCESS_DENIED); /* open for reading */
    close(file);
    file = must_open(u"two", MODE_WRITE, 0);
    get_info(file);
    UINTN old_size = info.file.Size; /* systemd-boot leaves it so */
    EFI_GUID guid = guid_file_info;
    set_name(u"two and more");
    assert_int_equal(file->SetInfo(file, &guid, old_size, &info), EFI_SUCCESS);
    close(file);
    assert_int_equal(rename_status(u"two and more", u"two"), EFI_SUCCESS);
    assert_int_equal(rename_status(u"two", u"\\D\\E\\deep"), EFI_SUCCESS);
    check_file(u"D\\E\\deep", "2");
    assert_int_equal(rename_status(u"D", u"D\\E\\D"), EFI_ACCESS_DENIED); /* into itself */
    assert_int_equal(rename_status(u"D", u"D\\D"), EFI_ACCESS_DENIED);
    file = must_open(u"D\\E", MODE_READ, 0);
    assert_int_equal(rename_status(u"D", u"F"), EFI_ACCESS_DENIED); /* open files below */
    close(file);
    assert_int_equal(rename_status(u"D\\E", u"\\E"), EFI_SUCCESS);
    check_file(u"E\\deep", "2");
    assert_int_equal(rename_status(u"D", u"E\\D"), EFI_SUCCESS);
    assert_int_equal(open_status(u"E\\D", MODE_READ, 0), EFI_SUCCESS);
}

static void volume_information(void **state)
{
    (void)state;
    EFI_GUID system = guid_file_system_info, label = guid_file_volume_label;
    union {
        EFI_FILE_SYSTEM_INFO info;
        CHAR16 label[12];
        uint8_t room[100];
    } buffer;
    CHAR16 name[] = u"My disk";
    UINTN size = 0;
    for (unsigned i = 0; i < 3; i++) {
        format(i);
        size = 0;
        assert_int_equal(root->GetInfo(root, &system, &size, NULL), EFI_BUFFER_TOO_SMALL);
        assert_int_equal(size, 38);
        assert_int_equal(root->SetInfo(root, &label, sizeof(name), name), EFI_SUCCESS);
        put_file(u"file", "text");
        size = sizeof(buffer);
        assert_int_equal(root->GetInfo(root, &system, &size, &buffer), EFI_SUCCESS);
        assert_int_equal(size, 38 + 14);
        assert_int_equal(buffer.info.Size, size);
        assert_true(same(buffer.info.VolumeLabel, u"MY DISK"));
        assert_int_equal(buffer.info.ReadOnly, 0);
        assert_int_equal(buffer.info.BlockSize, SECTOR);
        assert_int_equal(buffer.info.VolumeSize, layout->clusters * SECTOR);
        uint32_t used = layout->bits == 32 ? 2 : 1;
        assert_int_equal(buffer.info.FreeSpace, (layout->clusters - used) * SECTOR);
        size = sizeof(buffer);
        assert_int_equal(root->GetInfo(root, &label, &size, &buffer), EFI_SUCCESS);
        assert_int_equal(size, sizeof(name));
        assert_true(same(buffer.label, u"MY DISK"));
        CHAR16 wrong[] = u"a/b", endless[] = { 'a', 'b' }, none[] = u"";
        assert_int_equal(root->SetInfo(root, &label, sizeof(wrong), wrong), EFI_UNSUPPORTED);
        assert_int_equal(root->SetInfo(root, &label, 4, endless), EFI_INVALID_PARAMETER);
        assert_int_equal(root->SetInfo(root, &label, 1, none), EFI_BAD_BUFFER_SIZE);
        assert_int_equal(root->SetInfo(root, &label, 2, none), EFI_SUCCESS);
        size = sizeof(buffer);
        assert_int_equal(root->GetInfo(root, &label, &size, &buffer), EFI_SUCCESS);
        assert_int_equal(size, 2);
        check_file(u"file", "text");
    }
}

static void read_only_volume(void **state)
{
    (void)state;
    EFI_GUID guid = guid_file_info;
    format(1);
    put_file(u"file", "text");
    test_disk.read_only = true;
    root = test_mount(image, image_size);
    assert_int_equal(open_status(u"file", MODE_WRITE, 0), EFI_WRITE_PROTECTED);
    assert_int_equal(open_status(u"new", MODE_NEW, 0), EFI_WRITE_PROTECTED);
    check_file(u"file", "text");
    EFI_FILE_PROTOCOL *file = must_open(u"file", MODE_READ, 0);
    char x[] = "x";
    UINTN size = 1;
    assert_int_equal(file->Write(file, &size, x), EFI_WRITE_PROTECTED);
    assert_int_equal(file->Flush(file), EFI_WRITE_PROTECTED);
    get_info(file);
    assert_int_equal(file->SetInfo(file, &guid, sizeof(info), &info), EFI_WRITE_PROTECTED);
    assert_int_equal(file->Delete(file), EFI_WARN_DELETE_FAILURE);
}

/* --- names --- */

static void names(void **state)
{
    (void)state;
    CHAR16 longest[257];
    format(2);
    for (unsigned i = 0; i < 256; i++)
        longest[i] = u'x';
    longest[256] = 0;
    assert_int_equal(open_status(longest, MODE_NEW, 0), EFI_INVALID_PARAMETER);
    longest[255] = 0;
    put_file(longest, "longest");
    check_file(longest, "longest");
    put_file(u"Gr\u00fc\u00dfe.txt", "umlaut");
    check_file(u"GR\u00dc\u00dfE.TXT", "umlaut");
    put_file(u"\u65e5\u672c", "japan");
    check_file(u"\u65e5\u672c", "japan");
    put_file(u"  trimmed. . ", "trimmed");
    check_file(u"trimmed", "trimmed");
    for (unsigned i = 0; i < 12; i++) { /* aliases up to NAMEWI~9, NAMEW~10 */
        CHAR16 name[] = u"name with blanks a";
        char text[2] = { (char)('a' + i), 0 };
        name[17] = (CHAR16)(u'a' + i);
        put_file(name, text);
    }
    check_file(u"namewi~9", "i");
    check_file(u"NAMEW~12", "l");
}

static void full_directory(void **state)
{
    (void)state;
    format(0); /* 32 entries in the root directory */
    CHAR16 name[] = u"A";
    for (unsigned i = 0; i < 32; i++) {
        name[0] = (CHAR16)(i < 26 ? u'A' + i : u'0' + i - 26);
        assert_int_equal(open_status(name, MODE_NEW, 0), EFI_SUCCESS);
    }
    assert_int_equal(open_status(u"X1", MODE_NEW, 0), EFI_VOLUME_FULL);
    EFI_FILE_PROTOCOL *file = must_open(u"G", MODE_WRITE, 0);
    assert_int_equal(file->Delete(file), EFI_SUCCESS);
    assert_int_equal(open_status(u"Long Name", MODE_NEW, 0), EFI_VOLUME_FULL);
    assert_int_equal(open_status(u"X1", MODE_NEW, 0), EFI_SUCCESS);
}

static void full_volume(void **state)
{
    (void)state;
    static char data[250 * SECTOR];
    format(0);
    EFI_FILE_PROTOCOL *file = must_open(u"big", MODE_NEW, 0);
    UINTN size = sizeof(data);
    assert_int_equal(file->Write(file, &size, data), EFI_VOLUME_FULL);
    assert_int_equal(size, 0);
    size = 200 * SECTOR;
    assert_int_equal(file->Write(file, &size, data), EFI_SUCCESS);
    assert_int_equal(open_status(u"D", MODE_NEW, EFI_FILE_DIRECTORY), EFI_VOLUME_FULL);
    get_info(file);
    info.file.FileSize++;
    assert_int_equal(set_info(file), EFI_VOLUME_FULL);
    info.file.FileSize = 199 * SECTOR;
    assert_int_equal(set_info(file), EFI_SUCCESS);
    assert_int_equal(open_status(u"D", MODE_NEW, EFI_FILE_DIRECTORY), EFI_SUCCESS);
    close(file);
}

/* The mark of a volume in use, with FAT32 also FSInfo: while files are open, and after. */
static void marks(void **state)
{
    (void)state;
    for (unsigned i = 1; i < 3; i++) {
        format(i);
        uint8_t *mark = image + layout->reserved * SECTOR + (i == 1 ? 3 : 7);
        uint8_t clean = *mark;
        EFI_FILE_PROTOCOL *file = must_open(u"file", MODE_NEW, 0);
        assert_int_equal(*mark, clean);
        char x[] = "x";
        UINTN size = 1;
        assert_int_equal(file->Write(file, &size, x), EFI_SUCCESS);
        assert_int_not_equal(*mark, clean);
        if (i == 1)
            assert_int_equal(file->Flush(file), EFI_SUCCESS);
        else
            test_before_exit(NULL, NULL);
        assert_int_equal(*mark, clean);
        close(file);
    }
}

/* A write that fails leaves the mark, and the volume can still be used. */
static void failed_write(void **state)
{
    (void)state;
    char text[] = "text";
    format(1);
    uint8_t *mark = image + layout->reserved * SECTOR + 3, clean = *mark;
    put_file(u"file", "old");
    EFI_FILE_PROTOCOL *file = must_open(u"file", MODE_WRITE, 0);
    UINTN size = 4;
    test_disk.requests = 0;
    test_disk.fail_at = 5; /* the write of the entry */
    assert_int_equal(file->Write(file, &size, text), EFI_DEVICE_ERROR);
    assert_int_equal(size, 0);
    test_disk.fail_at = 0;
    close(file);
    assert_int_not_equal(*mark, clean);
    assert_int_equal(open_status(u"file", MODE_READ, 0), EFI_SUCCESS);
    put_file(u"another", "new");
    check_file(u"another", "new");
    assert_int_not_equal(*mark, clean);
}

/* --- hostile volumes --- */

static uint32_t random_number(void)
{
    static uint32_t value = 99;
    value = value * 1664525 + 1013904223;
    return value >> 8;
}

static void put_entry(uint8_t *at, const char *name, uint8_t attributes, uint32_t first,
                      uint32_t size)
{
    memcpy(at, name, 11);
    at[11] = attributes;
    put(at + 20, first >> 16, 2);
    put(at + 26, first & 0xFFFF, 2);
    put(at + 28, size, 4);
}

static void circular_directory(void **state)
{
    (void)state;
    UINTN size;
    unsigned entries = 0;
    format(2);
    for (unsigned i = 0; i < SECTOR; i += 32)
        put_entry(cluster_at(2) + i, "AAAAAAAAAAA", 0x20, 0, 0);
    set_table(2, 2);
    do {
        size = sizeof(info);
        assert_int_equal(root->Read(root, &size, &info), EFI_SUCCESS);
        entries += size != 0;
    } while (size && entries < 70000);
    assert_int_equal(entries, 65536);
    assert_int_equal(open_status(u"new", MODE_NEW, 0), EFI_VOLUME_FULL);
}

static void broken_chains(void **state)
{
    (void)state;
    static uint8_t data[3000];
    UINTN size = sizeof(data);
    format(1);
    put_entry(root_at(), "SHORT      ", 0x20, 5, 3000);   /* the chain ends too early */
    put_entry(root_at() + 32, "LOOP       ", 0x20, 8, 3000);
    put_entry(root_at() + 64, "NOWHERE    ", 0x20, 0xFFF0, 10);
    put_entry(root_at() + 96, "NODIR      ", 0x10, 0, 0);
    put_entry(root_at() + 128, "ROOTDIR    ", 0x10, 1, 0);
    put_entry(root_at() + 160, "ITSELF     ", 0x10, 20, 0);
    put_entry(cluster_at(20), "ITSELF     ", 0x10, 20, 0);
    set_table(20, 0xFFFF);
    set_table(5, 6);
    set_table(6, 0xFFFF);
    set_table(8, 9);
    set_table(9, 8);
    EFI_FILE_PROTOCOL *file = must_open(u"SHORT", MODE_WRITE, 0);
    assert_int_equal(file->Read(file, &size, data), EFI_VOLUME_CORRUPTED);
    file->SetPosition(file, 4000);
    size = 10;
    assert_int_equal(file->Write(file, &size, data), EFI_VOLUME_CORRUPTED);
    close(file);
    file = must_open(u"LOOP", MODE_WRITE, 0);
    size = sizeof(data);
    assert_int_equal(file->Read(file, &size, data), EFI_SUCCESS); /* ends with its size */
    assert_int_equal(file->Delete(file), EFI_SUCCESS);
    file = must_open(u"NOWHERE", MODE_READ, 0);
    size = 1;
    assert_int_equal(file->Read(file, &size, data), EFI_VOLUME_CORRUPTED);
    close(file);
    assert_int_equal(open_status(u"NODIR\\a", MODE_READ, 0), EFI_VOLUME_CORRUPTED);
    assert_int_equal(open_status(u"ROOTDIR\\a", MODE_NEW, 0), EFI_VOLUME_CORRUPTED);
    assert_int_equal(open_status(u"ITSELF\\ITSELF\\ITSELF\\ITSELF", MODE_READ, 0), EFI_SUCCESS);
    file = must_open(u"ITSELF", MODE_WRITE, 0);
    assert_int_equal(file->Delete(file), EFI_WARN_DELETE_FAILURE);
}

/* Everything that can be called, whatever it returns; paths of what is there. */
static void exercise(EFI_FILE_PROTOCOL *directory, unsigned depth)
{
    static uint8_t data[3000];
    EFI_GUID system = guid_file_system_info;
    for (unsigned i = 0; i < 30; i++) {
        UINTN size = sizeof(info);
        EFI_FILE_PROTOCOL *file;
        if (directory->Read(directory, &size, &info) != EFI_SUCCESS || size == 0)
            break;
        CHAR16 name[300];
        memcpy(name, info.file.FileName, sizeof(name));
        name[299] = 0;
        if (directory->Open(directory, &file, name, i % 2 ? MODE_WRITE : MODE_READ, 0))
            continue;
        size = sizeof(data);
        if (depth > 0 && (info.file.Attribute & EFI_FILE_DIRECTORY))
            exercise(file, depth - 1);
        else if (file->Read(file, &size, data) == EFI_SUCCESS && i % 3 == 0)
            file->Write(file, &size, data);
        size = sizeof(info);
        EFI_GUID guid = guid_file_info;
        if (i % 5 == 1 && file->GetInfo(file, &guid, &size, &info) == EFI_SUCCESS) {
            info.file.FileSize = random_number() % 4000;
            set_name(i % 2 ? u"renamed to this" : u"\\R2");
            set_info(file);
        }
        if (i % 7 == 5)
            file->Delete(file);
        else
            file->Close(file);
    }
    UINTN size = sizeof(info);
    directory->GetInfo(directory, &system, &size, &info);
    open_status(u"fresh file", MODE_NEW, 0);
    open_status(u"freshdir", MODE_NEW, EFI_FILE_DIRECTORY);
}

static void populate(void)
{
    close(must_open(u"D", MODE_NEW, EFI_FILE_DIRECTORY));
    close(must_open(u"D\\E", MODE_NEW, EFI_FILE_DIRECTORY));
    put_file(u"D\\a long name in D", "text");
    put_file(u"D\\E\\file", "text");
    put_file(u"file", "text");
    EFI_FILE_PROTOCOL *file = must_open(u"D\\large", MODE_NEW, 0);
    static uint8_t data[5000];
    UINTN size = sizeof(data);
    assert_int_equal(file->Write(file, &size, data), EFI_SUCCESS);
    close(file);
}

static void survives_damage(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 1500; round++) {
        format(round % 2);
        populate();
        size_t table = layout->reserved * SECTOR;
        for (unsigned i = 0; i < 1 + round % 20; i++) {
            size_t limit = round % 3 == 0 ? 64 : round % 3 == 1 ? table + 64 : image_size / 8;
            size_t where = random_number() % limit;
            image[where] = (uint8_t)random_number();
        }
        EFI_FILE_PROTOCOL *mounted = test_mount(image, image_size);
        if (mounted) {
            root = mounted;
            exercise(root, 3);
            mounted->Close(mounted);
        }
    }
}

static void survives_errors(void **state)
{
    (void)state;
    for (unsigned round = 1; round < 600; round++) {
        format(round % 2);
        populate();
        test_disk.requests = 0;
        test_disk.fail_at = round * 3;
        exercise(root, 3);
        test_disk.fail_at = 0;
    }
}

static unsigned lie_every;
static void lie(uint64_t offset, uint8_t *data, size_t length)
{
    (void)offset;
    if (random_number() % lie_every == 0)
        data[random_number() % length] = (uint8_t)random_number();
}

/* Other data each time it is read. The work stays bounded, too. */
static void survives_lies(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 600; round++) {
        format(round % 2);
        populate();
        lie_every = 1 + round % 30;
        test_disk.lie = lie;
        test_disk.reads = 0;
        exercise(root, 3);
        assert_true(test_disk.reads < 3000000);
        test_disk.lie = NULL;
    }
}

static const uint8_t *as_it_was;
static void forget(uint64_t offset, uint8_t *data, size_t length)
{
    memcpy(data, as_it_was + offset, length);
}

/* A disk that takes writes and keeps none: chains through two parts of the table that is cached. */
static void forgetful_disk(void **state)
{
    (void)state;
    format(1);
    put_entry(root_at(), "LOOP       ", 0x20, 8, 3000);
    set_table(8, 900);
    set_table(900, 8);
    put_entry(root_at() + 32, "DIR        ", 0x10, 10, 0);
    set_table(10, 800);
    set_table(800, 0xFFFF);
    for (unsigned i = 0; i < SECTOR; i += 32) {
        put_entry(cluster_at(10) + i, "AAAAAAAAAAA", 0x20, 0, 0);
        put_entry(cluster_at(800) + i, "AAAAAAAAAAA", 0x20, 0, 0);
    }
    uint8_t *copy = malloc(image_size);
    assert_non_null(copy);
    memcpy(copy, image, image_size);
    as_it_was = copy;
    test_disk.lie = forget;
    test_disk.reads = 0;
    assert_int_equal(open_status(u"DIR\\new", MODE_NEW, 0), EFI_VOLUME_CORRUPTED);
    EFI_FILE_PROTOCOL *file = must_open(u"LOOP", MODE_WRITE, 0);
    assert_int_equal(file->Delete(file), EFI_WARN_DELETE_FAILURE);
    assert_true(test_disk.reads < 50000);
    test_disk.lie = NULL;
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening),            cmocka_unit_test(positions),
        cmocka_unit_test(directories),        cmocka_unit_test(tokens),
        cmocka_unit_test(deleting),           cmocka_unit_test(file_information),
        cmocka_unit_test(renaming),           cmocka_unit_test(volume_information),
        cmocka_unit_test(read_only_volume),   cmocka_unit_test(names),
        cmocka_unit_test(full_directory),     cmocka_unit_test(full_volume),
        cmocka_unit_test(marks),              cmocka_unit_test(failed_write),
        cmocka_unit_test(circular_directory), cmocka_unit_test(broken_chains),
        cmocka_unit_test(survives_damage),    cmocka_unit_test(survives_errors),
        cmocka_unit_test(survives_lies),      cmocka_unit_test(forgetful_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
