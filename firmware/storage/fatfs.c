/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SimpleFileSystem (UEFI 2.10 13.4, 13.5) over the FAT reader. Read-only: writing is refused with
 * WRITE_PROTECTED, which loaders take as a read-only medium.
 */
#include <string.h>

#include "firmware/lib/log.h"
#include "firmware/storage/block.h"
#include "firmware/storage/fat.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define PATH_ROOM               1024u
#define EFI_WARN_DELETE_FAILURE 2ull

struct fat_system {
    EFI_SIMPLE_FILE_SYSTEM_PROTOCOL protocol;
    struct fat_volume volume;
};

struct open_file {
    EFI_FILE_PROTOCOL protocol;
    struct fat_system *system;
    struct fat_file file;
    uint64_t position;      /* bytes; of a directory: of the next entry */
    CHAR16 path[PATH_ROOM]; /* from the root, each component after a backslash */
};

static EFI_STATUS new_file(struct fat_system *system, const struct fat_file *file,
                           const CHAR16 *path, EFI_FILE_PROTOCOL **ret);

static struct open_file *of(EFI_FILE_PROTOCOL *this)
{
    return (struct open_file *)this;
}

static bool is_directory(const struct open_file *file)
{
    return file->file.attributes & FAT_DIRECTORY;
}

/* Adds a component to a path; "." and ".." are worked in. False: too long. */
static bool add_component(CHAR16 *path, const CHAR16 *name, size_t length)
{
    size_t end = utf16_length(path);
    if (length == 0 || (length == 1 && name[0] == '.'))
        return true;
    if (length == 2 && name[0] == '.' && name[1] == '.') {
        while (end > 0 && path[end - 1] != '\\')
            end--;
        path[end > 0 ? end - 1 : 0] = 0;
        return true;
    }
    if (end + 1 + length >= PATH_ROOM)
        return false;
    path[end] = '\\';
    memcpy(path + end + 1, name, length * sizeof(*name));
    path[end + 1 + length] = 0;
    return true;
}

static size_t component_length(const CHAR16 *name)
{
    size_t length = 0;
    while (name[length] && name[length] != '\\')
        length++;
    return length;
}

static bool resolve(const struct open_file *base, const CHAR16 *name, CHAR16 *path)
{
    path[0] = 0;
    if (name[0] != '\\')
        memcpy(path, base->path, sizeof(base->path));
    while (*name) {
        size_t length = component_length(name);
        if (!add_component(path, name, length))
            return false;
        name += length;
        while (*name == '\\')
            name++;
    }
    return true;
}

/* Walks from the root to what a resolved path names. */
static EFI_STATUS walk(struct fat_system *system, const CHAR16 *path, struct fat_file *ret)
{
    fat_root(&system->volume, ret);
    struct fat_entry *entry = pool_allocate(MEMORY_BOOT_DATA, sizeof(*entry));
    if (!entry)
        return EFI_OUT_OF_RESOURCES;
    EFI_STATUS status = EFI_SUCCESS;
    while (*path && status == EFI_SUCCESS) {
        path++; /* the backslash */
        size_t length = component_length(path);
        enum fat_result result = FAT_END;
        if (ret->attributes & FAT_DIRECTORY)
            result = fat_find(&system->volume, ret, path, length, entry);
        status = result == FAT_OK    ? EFI_SUCCESS
                 : result == FAT_END ? EFI_NOT_FOUND
                                     : EFI_DEVICE_ERROR;
        *ret = entry->file;
        path += length;
    }
    pool_free(entry);
    return status;
}

static EFI_STATUS EFIAPI file_open(EFI_FILE_PROTOCOL *this, EFI_FILE_PROTOCOL **ret_file,
                                   CHAR16 *name, UINT64 mode, UINT64 attributes)
{
    (void)attributes;
    if (!this || !ret_file || !name)
        return EFI_INVALID_PARAMETER;
    CHAR16 *path = pool_allocate(MEMORY_BOOT_DATA, PATH_ROOM * sizeof(*path));
    if (!path)
        return EFI_OUT_OF_RESOURCES;
    struct fat_file file;
    EFI_STATUS status = EFI_NOT_FOUND;
    if (resolve(of(this), name, path))
        status = walk(of(this)->system, path, &file);
    if (status == EFI_NOT_FOUND && (mode & EFI_FILE_MODE_CREATE))
        status = EFI_WRITE_PROTECTED;
    else if (status == EFI_SUCCESS && mode != EFI_FILE_MODE_READ)
        status = EFI_WRITE_PROTECTED;
    if (status == EFI_SUCCESS)
        status = new_file(of(this)->system, &file, path, ret_file);
    pool_free(path);
    return status;
}

static EFI_STATUS EFIAPI file_close(EFI_FILE_PROTOCOL *this)
{
    pool_free(this);
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_delete(EFI_FILE_PROTOCOL *this)
{
    file_close(this);
    return EFI_WARN_DELETE_FAILURE;
}

static EFI_TIME to_time(const struct fat_file *file)
{
    return (EFI_TIME){ .Year = (UINT16)(1980 + (file->date >> 9)),
                       .Month = file->date >> 5 & 15,
                       .Day = file->date & 31,
                       .Hour = (UINT8)(file->time >> 11),
                       .Minute = file->time >> 5 & 63,
                       .Second = (UINT8)((file->time & 31) * 2),
                       .TimeZone = EFI_UNSPECIFIED_TIMEZONE };
}

static EFI_STATUS fill_info(const struct fat_volume *volume, const struct fat_file *file,
                            const CHAR16 *name, UINTN *size, VOID *buffer)
{
    size_t letters = (utf16_length(name) + 1) * sizeof(CHAR16);
    UINTN room = *size;
    *size = sizeof(EFI_FILE_INFO) + letters;
    if (room < *size)
        return EFI_BUFFER_TOO_SMALL;
    if (!buffer)
        return EFI_INVALID_PARAMETER;
    EFI_TIME time = to_time(file);
    uint64_t clusters = ((uint64_t)file->size + volume->cluster_size - 1) / volume->cluster_size;
    EFI_FILE_INFO info = { .Size = *size,
                           .FileSize = file->size,
                           .PhysicalSize = clusters * volume->cluster_size,
                           .CreateTime = time,
                           .LastAccessTime = time,
                           .ModificationTime = time,
                           .Attribute = file->attributes & 0x37u };
    memcpy(buffer, &info, sizeof(info));
    memcpy((uint8_t *)buffer + sizeof(info), name, letters);
    return EFI_SUCCESS;
}

static EFI_STATUS read_directory(struct open_file *file, UINTN *size, VOID *buffer)
{
    struct fat_entry *entry = pool_allocate(MEMORY_BOOT_DATA, sizeof(*entry));
    if (!entry)
        return EFI_OUT_OF_RESOURCES;
    uint32_t position = (uint32_t)file->position;
    EFI_STATUS status = EFI_SUCCESS;
    switch (fat_next(&file->system->volume, &file->file, &position, entry)) {
    case FAT_END:
        *size = 0;
        break;
    case FAT_ERROR:
        status = EFI_DEVICE_ERROR;
        break;
    case FAT_OK:
        status = fill_info(&file->system->volume, &entry->file, entry->name, size, buffer);
        break;
    }
    if (status == EFI_SUCCESS)
        file->position = position;
    pool_free(entry);
    return status;
}

static EFI_STATUS EFIAPI file_read(EFI_FILE_PROTOCOL *this, UINTN *size, VOID *buffer)
{
    if (!this || !size || (*size && !buffer))
        return EFI_INVALID_PARAMETER;
    struct open_file *file = of(this);
    if (is_directory(file))
        return read_directory(file, size, buffer);
    if (file->position > file->file.size)
        return EFI_DEVICE_ERROR; /* UEFI 2.10 13.5.5: beyond the end */
    uint64_t left = file->file.size - file->position;
    if (*size > left)
        *size = left;
    if (!fat_read(&file->system->volume, &file->file, (uint32_t)file->position, buffer, *size))
        return EFI_VOLUME_CORRUPTED;
    file->position += *size;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_write(EFI_FILE_PROTOCOL *this, UINTN *size, VOID *buffer)
{
    (void)this;
    (void)size;
    (void)buffer;
    return EFI_WRITE_PROTECTED;
}

static EFI_STATUS EFIAPI get_position(EFI_FILE_PROTOCOL *this, UINT64 *ret_position)
{
    if (!this || !ret_position)
        return EFI_INVALID_PARAMETER;
    if (is_directory(of(this)))
        return EFI_UNSUPPORTED;
    *ret_position = of(this)->position;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_position(EFI_FILE_PROTOCOL *this, UINT64 position)
{
    if (!this)
        return EFI_INVALID_PARAMETER;
    struct open_file *file = of(this);
    if (is_directory(file) && position != 0)
        return EFI_UNSUPPORTED;
    file->position = position == UINT64_MAX ? file->file.size : position;
    return EFI_SUCCESS;
}

static EFI_STATUS system_info(const struct fat_volume *volume, UINTN *size, VOID *buffer)
{
    const size_t needed = offsetof(EFI_FILE_SYSTEM_INFO, VolumeLabel) + sizeof(CHAR16);
    UINTN room = *size;
    *size = needed;
    if (room < needed)
        return EFI_BUFFER_TOO_SMALL;
    if (!buffer)
        return EFI_INVALID_PARAMETER;
    EFI_FILE_SYSTEM_INFO info = { .Size = needed,
                                  .ReadOnly = true,
                                  .VolumeSize = volume->total,
                                  .BlockSize = volume->cluster_size };
    memset(buffer, 0, needed);
    memcpy(buffer, &info, offsetof(EFI_FILE_SYSTEM_INFO, VolumeLabel));
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI get_info(EFI_FILE_PROTOCOL *this, EFI_GUID *type, UINTN *size,
                                  VOID *buffer)
{
    if (!this || !type || !size)
        return EFI_INVALID_PARAMETER;
    struct open_file *file = of(this);
    if (guid_equal(type, &guid_file_system_info))
        return system_info(&file->system->volume, size, buffer);
    if (!guid_equal(type, &guid_file_info))
        return EFI_UNSUPPORTED;
    const CHAR16 *name = file->path + utf16_length(file->path);
    while (name > file->path && name[-1] != '\\')
        name--;
    return fill_info(&file->system->volume, &file->file, name, size, buffer);
}

static EFI_STATUS EFIAPI set_info(EFI_FILE_PROTOCOL *this, EFI_GUID *type, UINTN size, VOID *buffer)
{
    (void)this;
    (void)type;
    (void)size;
    (void)buffer;
    return EFI_WRITE_PROTECTED;
}

static EFI_STATUS EFIAPI file_flush(EFI_FILE_PROTOCOL *this)
{
    return this ? EFI_WRITE_PROTECTED : EFI_INVALID_PARAMETER;
}

static EFI_STATUS new_file(struct fat_system *system, const struct fat_file *file,
                           const CHAR16 *path, EFI_FILE_PROTOCOL **ret)
{
    struct open_file *open = pool_allocate(MEMORY_BOOT_DATA, sizeof(*open));
    if (!open)
        return EFI_OUT_OF_RESOURCES;
    open->protocol = (EFI_FILE_PROTOCOL){ .Revision = EFI_FILE_PROTOCOL_REVISION,
                                          .Open = file_open,
                                          .Close = file_close,
                                          .Delete = file_delete,
                                          .Read = file_read,
                                          .Write = file_write,
                                          .GetPosition = get_position,
                                          .SetPosition = set_position,
                                          .GetInfo = get_info,
                                          .SetInfo = set_info,
                                          .Flush = file_flush };
    open->system = system;
    open->file = *file;
    memcpy(open->path, path, (utf16_length(path) + 1) * sizeof(*path));
    *ret = &open->protocol;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI open_volume(EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *this,
                                     EFI_FILE_PROTOCOL **ret_root)
{
    if (!this || !ret_root)
        return EFI_INVALID_PARAMETER;
    struct fat_system *system = (struct fat_system *)this;
    struct fat_file root;
    fat_root(&system->volume, &root);
    return new_file(system, &root, u"", ret_root);
}

bool fatfs_publish(EFI_HANDLE handle, struct block_range *range)
{
    struct fat_volume volume;
    if (!fat_mount(block_read_bytes, range, block_range_size(range), &volume))
        return false;
    struct fat_system *system = pool_allocate(MEMORY_BOOT_DATA, sizeof(*system));
    if (!system)
        panic("no memory for a file system");
    system->protocol =
        (EFI_SIMPLE_FILE_SYSTEM_PROTOCOL){ .Revision = 0x00010000, .OpenVolume = open_volume };
    system->volume = volume;
    handle_install(&handle, &guid_simple_file_system, &system->protocol);
    return true;
}
