/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The firmware's FAT as a file protocol. Input: a number of bytes of a script (one byte), the script,
 * then the volume, in a form that is easy to change: as sectors, each behind its number (two bytes,
 * little-endian); the others are zeros, and the boot sector tells how many there are. Each byte of
 * the script is an operation on a file that the last listing showed.
 */
#include <stdlib.h>
#include <string.h>

#include "firmware/uefi/guids.h"
#include "tests/unit/fat_fakes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECTOR     512u
#define DISK_MOST  0x400000u
#define NAMES      4u
#define MODE_WRITE (EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE)
#define MODE_NEW   (MODE_WRITE | EFI_FILE_MODE_CREATE)

static CHAR16 names[NAMES][280];
static union {
    EFI_FILE_INFO file;
    uint8_t room[1024];
} info;

static void list(EFI_FILE_PROTOCOL *directory)
{
    directory->SetPosition(directory, 0);
    for (unsigned i = 0; i < 40; i++) {
        UINTN size = sizeof(info);
        if (directory->Read(directory, &size, &info) != EFI_SUCCESS || size == 0)
            return;
        memcpy(names[i % NAMES], info.file.FileName, sizeof(names[0]));
        names[i % NAMES][279] = 0;
    }
}

static void read(EFI_FILE_PROTOCOL *file)
{
    static uint8_t content[5000];
    UINTN size = sizeof(content);
    file->Read(file, &size, content);
}

static void write(EFI_FILE_PROTOCOL *file, uint8_t byte)
{
    static uint8_t content[2000];
    UINTN size = byte * 7u;
    if (byte & 1)
        file->SetPosition(file, byte & 2 ? UINT64_MAX : byte * 40u);
    file->Write(file, &size, content);
}

static void change(EFI_FILE_PROTOCOL *file, uint8_t byte)
{
    static const CHAR16 new_names[4][16] = { u"other", u"\\A longer name", u"D\\x", u"x.txt" };
    EFI_GUID guid = guid_file_info;
    UINTN size = sizeof(info);
    if (file->GetInfo(file, &guid, &size, &info) != EFI_SUCCESS)
        return;
    if (byte & 1)
        info.file.FileSize = byte * 30u;
    if (byte & 2)
        memcpy(info.file.FileName, new_names[byte >> 6], sizeof(new_names[0]));
    info.file.Attribute ^= byte >> 4 & 7;
    file->SetInfo(file, &guid, sizeof(info), &info);
}

static void label(EFI_FILE_PROTOCOL *file)
{
    EFI_GUID guid = guid_file_volume_label, system = guid_file_system_info;
    CHAR16 text[] = u"Fuzz";
    UINTN size = sizeof(info);
    file->GetInfo(file, &system, &size, &info);
    file->SetInfo(file, &guid, sizeof(text), text);
}

/* One operation; the directory that the next ones are in. */
static EFI_FILE_PROTOCOL *step(EFI_FILE_PROTOCOL *directory, uint8_t byte)
{
    static CHAR16 fresh[] = u"A fresh name 1", parent[] = u"..";
    EFI_FILE_PROTOCOL *file;
    bool creates = byte % 8 == 4 || byte % 8 == 5;
    CHAR16 *name = creates ? fresh : byte % 8 == 7 ? parent : names[byte >> 3 & 3];
    fresh[13] = (CHAR16)(u'0' + (byte >> 5));
    if (directory->Open(directory, &file, name, creates ? MODE_NEW : MODE_WRITE,
                        byte % 8 == 5 ? EFI_FILE_DIRECTORY : 0) != EFI_SUCCESS)
        return directory;
    if (byte % 8 >= 6) {
        directory->Close(directory);
        list(file);
        return file;
    }
    if (byte % 8 == 0)
        read(file);
    else if (byte % 8 == 1 || byte % 8 == 4)
        write(file, byte);
    else if (byte % 8 == 2)
        change(file, byte);
    if (byte % 8 == 3)
        file->Delete(file);
    else
        file->Close(file);
    return directory;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t disk[DISK_MOST];
    size_t script = size ? data[0] + 1u : 0;
    if (size < script + SECTOR)
        return 0;
    memset(disk, 0, sizeof(disk));
    for (size_t at = script; at + 2 + SECTOR <= size; at += 2 + SECTOR) {
        size_t number = data[at] | (size_t)data[at + 1] << 8;
        memcpy(disk + number % (DISK_MOST / SECTOR) * SECTOR, data + at + 2, SECTOR);
    }
    EFI_FILE_PROTOCOL *directory = test_mount(disk, sizeof(disk));
    if (directory) {
        list(directory);
        label(directory);
        for (size_t i = 1; i < script; i++)
            directory = step(directory, data[i]);
        directory->Close(directory);
    }
    test_forget_volumes();
    return 0;
}
