/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Information on files and volumes, and its changes: names, sizes, dates, attributes, the label
 * (UEFI 2.10 13.5.14 to 13.5.19). */
#include "firmware/storage/fatfs.h"

#include <string.h>

#include "firmware/uefi/services.h"

#define FIRST_YEAR 1980u
#define LAST_YEAR  2107u

static EFI_TIME to_time(const struct fat_time *time)
{
    return (EFI_TIME){ .Year = (UINT16)(FIRST_YEAR + (time->date >> 9)),
                       .Month = time->date >> 5 & 15,
                       .Day = time->date & 31,
                       .Hour = (UINT8)(time->time >> 11),
                       .Minute = time->time >> 5 & 63,
                       .Second = (UINT8)((time->time & 31) * 2 + time->tenths / 100),
                       .Nanosecond = time->tenths % 100 * 10000000u,
                       .TimeZone = EFI_UNSPECIFIED_TIMEZONE };
}

bool fatfs_from_time(const EFI_TIME *time, struct fat_time *ret)
{
    if (time->Year < FIRST_YEAR || time->Year > LAST_YEAR || time->Month < 1 || time->Month > 12 ||
        time->Day < 1 || time->Day > 31 || time->Hour > 23 || time->Minute > 59 ||
        time->Second > 59 || time->Nanosecond > 999999999)
        return false;
    *ret = (struct fat_time){
        .date = (uint16_t)((time->Year - FIRST_YEAR) << 9 | time->Month << 5 | time->Day),
        .time = (uint16_t)(time->Hour << 11 | time->Minute << 5 | time->Second / 2),
        .tenths = (uint8_t)(time->Second % 2 * 100 + time->Nanosecond / 10000000)
    };
    return true;
}

EFI_STATUS fatfs_fill_info(struct fat_volume *volume, struct fat_file *file, const CHAR16 *name,
                           UINTN *size, VOID *buffer)
{
    size_t letters = (utf16_length(name) + 1) * sizeof(CHAR16);
    UINTN room = *size;
    uint32_t length = file->size;
    const struct fat_time accessed = { .date = file->accessed };
    *size = sizeof(EFI_FILE_INFO) + letters;
    if (room < *size)
        return EFI_BUFFER_TOO_SMALL;
    if (!buffer)
        return EFI_INVALID_PARAMETER;
    if ((file->attributes & FAT_DIRECTORY) &&
        fat_directory_size(volume, file, &length) != FAT_OK)
        length = 0; /* a directory that cannot be read can still be listed */
    uint64_t clusters = ((uint64_t)length + volume->cluster_size - 1) / volume->cluster_size;
    EFI_FILE_INFO info = { .Size = *size,
                           .FileSize = length,
                           .PhysicalSize = clusters * volume->cluster_size,
                           .CreateTime = to_time(&file->created),
                           .LastAccessTime = to_time(&accessed),
                           .ModificationTime = to_time(&file->modified),
                           .Attribute = file->attributes & EFI_FILE_VALID_ATTR };
    memcpy(buffer, &info, sizeof(info));
    memcpy((uint8_t *)buffer + sizeof(info), name, letters);
    return EFI_SUCCESS;
}

/* A header of `length` bytes and the volume's label behind it. */
static EFI_STATUS with_label(struct fat_volume *volume, const void *header, size_t length,
                             UINTN *size, VOID *buffer)
{
    CHAR16 label[FAT_LABEL_ROOM];
    EFI_STATUS status = fatfs_status(fat_get_label(volume, label));
    if (status != EFI_SUCCESS)
        return status;
    size_t letters = (utf16_length(label) + 1) * sizeof(CHAR16);
    UINTN room = *size;
    *size = length + letters;
    if (room < *size)
        return EFI_BUFFER_TOO_SMALL;
    if (!buffer)
        return EFI_INVALID_PARAMETER;
    if (header) {
        memcpy(buffer, header, length);
        memcpy(buffer, size, sizeof(*size)); /* the first field */
    }
    memcpy((uint8_t *)buffer + length, label, letters);
    return EFI_SUCCESS;
}

static EFI_STATUS system_info(struct fat_volume *volume, UINTN *size, VOID *buffer)
{
    uint32_t free;
    EFI_STATUS status = fatfs_status(fat_free_clusters(volume, &free));
    EFI_FILE_SYSTEM_INFO info = { .ReadOnly = !volume->disk.write,
                                  .VolumeSize = (uint64_t)volume->clusters * volume->cluster_size,
                                  .FreeSpace = (uint64_t)free * volume->cluster_size,
                                  .BlockSize = volume->cluster_size };
    if (status != EFI_SUCCESS)
        return status;
    return with_label(volume, &info, offsetof(EFI_FILE_SYSTEM_INFO, VolumeLabel), size, buffer);
}

static EFI_STATUS get(struct open_file *file, const EFI_GUID *type, UINTN *size, VOID *buffer)
{
    struct fat_volume *volume = &file->system->volume;
    if (file->node->deleted)
        return EFI_DEVICE_ERROR;
    if (guid_equal(type, &guid_file_system_info))
        return system_info(volume, size, buffer);
    if (guid_equal(type, &guid_file_volume_label))
        return with_label(volume, NULL, 0, size, buffer);
    if (guid_equal(type, &guid_file_info))
        return fatfs_fill_info(volume, &file->node->file, file->node->name, size, buffer);
    return EFI_UNSUPPORTED;
}

EFI_STATUS EFIAPI fatfs_get_info(EFI_FILE_PROTOCOL *this, EFI_GUID *type, UINTN *size,
                                 VOID *buffer)
{
    if (!this || !type || !size)
        return EFI_INVALID_PARAMETER;
    struct open_file *file = fatfs_enter(this);
    return fatfs_leave(file, get(file, type, size, buffer));
}

/* Text that ends within the buffer; NULL: it does not. */
static const CHAR16 *text_at(const void *buffer, size_t size, size_t offset)
{
    const CHAR16 *text = (const CHAR16 *)((const uint8_t *)buffer + offset);
    for (size_t i = 0; i < (size - offset) / sizeof(CHAR16); i++)
        if (text[i] == 0)
            return text;
    return NULL;
}

static EFI_STATUS set_label(struct fat_volume *volume, const void *buffer, size_t size,
                            size_t offset)
{
    struct fat_time now;
    if (size < offset + sizeof(CHAR16))
        return EFI_BAD_BUFFER_SIZE;
    const CHAR16 *label = text_at(buffer, size, offset);
    if (!label)
        return EFI_INVALID_PARAMETER;
    fatfs_now(&now);
    return fatfs_status(fat_set_label(volume, label, &now));
}

/* A time of zeros leaves the old one (UEFI 2.10 13.5.16). */
static bool take_time(const EFI_TIME *time, struct fat_time *ret)
{
    static const EFI_TIME none;
    return memcmp(time, &none, sizeof(none)) == 0 || fatfs_from_time(time, ret);
}

/* Everything but name and size, if all of it is possible. */
static EFI_STATUS take_fields(const EFI_FILE_INFO *info, bool read_only, struct fat_file *file)
{
    struct fat_time created = file->created, accessed = { .date = file->accessed },
                    modified = file->modified;
    if (!take_time(&info->CreateTime, &created) || !take_time(&info->LastAccessTime, &accessed) ||
        !take_time(&info->ModificationTime, &modified) || (info->Attribute & ~EFI_FILE_VALID_ATTR))
        return EFI_INVALID_PARAMETER;
    if ((info->Attribute ^ file->attributes) & FAT_DIRECTORY)
        return EFI_ACCESS_DENIED;
    if (!read_only) {
        file->created = created;
        file->modified = modified;
        file->accessed = accessed.date;
    }
    file->attributes =
        (uint8_t)((file->attributes & ~FAT_CHANGEABLE) | (info->Attribute & FAT_CHANGEABLE));
    return EFI_SUCCESS;
}

static void set_name(CHAR16 *to, const CHAR16 *name, size_t length)
{
    memcpy(to, name, length * sizeof(*name));
    to[length] = 0;
}

static void move_node(struct node *node, struct node *to)
{
    node->parent->children--;
    to->children++;
    node->parent = to; /* the caller exchanges the references */
}

/*
 * Renames into the directory `to`, held, where the name is free or the file's own in another case.
 * Directories with open files in them stay, as under edk2; so none moves into what is below it.
 */
static EFI_STATUS rename(struct open_file *file, struct node *to, const CHAR16 *name, size_t length,
                         bool read_only)
{
    struct node *node = file->node, *from = node->parent;
    if (read_only || node->children > 0 || to == node)
        return EFI_ACCESS_DENIED;
    EFI_STATUS status = fatfs_status(fat_rename(&file->system->volume, &from->file, &to->file,
                                                &node->file, name, length));
    if (status != EFI_SUCCESS)
        return status;
    set_name(node->name, name, length);
    if (to != from) {
        to->references++;
        move_node(node, to);
        fatfs_drop(file->system, from);
    }
    return EFI_SUCCESS;
}

/* The last component of a path that leads to the file itself: its name, maybe in another case. */
static const CHAR16 *last_component(const CHAR16 *path, size_t *ret_length)
{
    size_t end = utf16_length(path);
    while (end > 0 && path[end - 1] == '\\')
        end--;
    size_t begin = end;
    while (begin > 0 && path[begin - 1] != '\\')
        begin--;
    *ret_length = end - begin;
    return path + begin;
}

static bool same_letters(const CHAR16 *name, size_t length, const CHAR16 *other)
{
    return utf16_length(other) == length && memcmp(name, other, length * sizeof(*name)) == 0;
}

static EFI_STATUS rename_to(struct open_file *file, const CHAR16 *path, bool read_only)
{
    struct node *node = file->node, *target;
    const CHAR16 *name;
    size_t length;
    EFI_STATUS status = fatfs_locate(file->system, node->parent, path, fatfs_is_directory(node),
                                     &target, &name, &length);
    if (status != EFI_SUCCESS)
        return status;
    if (length > 0) {
        status = rename(file, target, name, length, read_only);
    } else if (target != node) {
        status = EFI_ACCESS_DENIED; /* another file has that name */
    } else {
        name = last_component(path, &length);
        if (fat_trim_name(&name, &length) && fat_same_name(name, length, node->name) &&
            !same_letters(name, length, node->name))
            status = rename(file, node->parent, name, length, read_only);
    }
    fatfs_drop(file->system, target);
    return status;
}

static EFI_STATUS set_file_info(struct open_file *file, const EFI_FILE_INFO *info, size_t size)
{
    struct node *node = file->node;
    struct fat_volume *volume = &file->system->volume;
    if (!node->parent)
        return EFI_ACCESS_DENIED; /* the root directory */
    if (size < sizeof(*info) + sizeof(CHAR16) || info->Size > size)
        return EFI_BAD_BUFFER_SIZE;
    /* Quirk: systemd-boot 252 gives the size of the old name with a longer new one, as edk2 lets it. */
    const CHAR16 *path = info->FileName;
    bool read_only = !file->writable || (node->file.attributes & FAT_READ_ONLY);
    bool resized = !fatfs_is_directory(node) && info->FileSize != node->file.size;
    struct fat_file changed = node->file;
    EFI_STATUS status = take_fields(info, read_only, &changed);
    if (status == EFI_SUCCESS && resized && read_only)
        status = EFI_ACCESS_DENIED;
    if (status == EFI_SUCCESS)
        status = rename_to(file, path, read_only);
    if (status != EFI_SUCCESS)
        return status;
    changed.entries = node->file.entries;
    changed.entry = node->file.entry;
    if (resized && info->ModificationTime.Year == 0)
        fatfs_now(&changed.modified);
    if (resized && info->FileSize > node->file.size)
        changed.attributes |= FAT_ARCHIVE;
    node->file = changed;
    enum fat_result result =
        resized ? fat_resize(volume, &node->parent->file, &node->file, info->FileSize)
                : fat_update(volume, &node->parent->file, &node->file);
    return fatfs_status(result);
}

static EFI_STATUS set(struct open_file *file, const EFI_GUID *type, UINTN size, const VOID *buffer)
{
    struct fat_volume *volume = &file->system->volume;
    if (file->node->deleted)
        return EFI_DEVICE_ERROR;
    if (!volume->disk.write)
        return EFI_WRITE_PROTECTED;
    EFI_STATUS status = EFI_UNSUPPORTED;
    if (guid_equal(type, &guid_file_info))
        status = set_file_info(file, buffer, size);
    else if (guid_equal(type, &guid_file_system_info))
        status = set_label(volume, buffer, size, offsetof(EFI_FILE_SYSTEM_INFO, VolumeLabel));
    else if (guid_equal(type, &guid_file_volume_label))
        status = set_label(volume, buffer, size, 0);
    enum fat_result settled = fat_settle(volume);
    return status == EFI_SUCCESS ? fatfs_status(settled) : status;
}

EFI_STATUS EFIAPI fatfs_set_info(EFI_FILE_PROTOCOL *this, EFI_GUID *type, UINTN size, VOID *buffer)
{
    if (!this || !type || !buffer)
        return EFI_INVALID_PARAMETER;
    struct open_file *file = fatfs_enter(this);
    return fatfs_leave(file, set(file, type, size, buffer));
}
