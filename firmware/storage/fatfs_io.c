/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Reading, writing and positions of files (UEFI 2.10 13.5.5 to 13.5.13). */
#include "firmware/storage/fatfs.h"

#include "firmware/uefi/services.h"

static EFI_STATUS read_directory(struct open_file *file, UINTN *size, VOID *buffer)
{
    struct fat_volume *volume = &file->system->volume;
    struct fat_entry entry;
    uint32_t position = (uint32_t)file->position;
    enum fat_result result = fat_next(volume, &file->node->file, &position, &entry);
    if (result == FAT_END) {
        *size = 0;
        return EFI_SUCCESS;
    }
    if (result != FAT_OK)
        return fatfs_status(result);
    EFI_STATUS status = fatfs_fill_info(volume, &entry.file, entry.name, size, buffer);
    if (status == EFI_SUCCESS)
        file->position = position;
    return status;
}

static EFI_STATUS read(struct open_file *file, UINTN *size, VOID *buffer)
{
    struct node *node = file->node;
    if (node->deleted)
        return EFI_DEVICE_ERROR;
    if (fatfs_is_directory(node))
        return read_directory(file, size, buffer);
    if (file->position > node->file.size)
        return EFI_DEVICE_ERROR; /* UEFI 2.10 13.5.5: beyond the end */
    uint64_t left = node->file.size - file->position;
    if (*size > left)
        *size = left;
    enum fat_result result = fat_read(&file->system->volume, &node->file,
                                      (uint32_t)file->position, buffer, *size);
    if (result == FAT_OK)
        file->position += *size;
    return fatfs_status(result);
}

EFI_STATUS EFIAPI fatfs_read(EFI_FILE_PROTOCOL *this, UINTN *size, VOID *buffer)
{
    if (!this || !size || (*size && !buffer))
        return EFI_INVALID_PARAMETER;
    struct open_file *file = fatfs_enter(this);
    return fatfs_leave(file, read(file, size, buffer));
}

/* The entry is brought up to date at once: a file that is never closed is whole, too. */
static EFI_STATUS write(struct open_file *file, UINTN *size, const VOID *buffer)
{
    struct node *node = file->node;
    struct fat_volume *volume = &file->system->volume;
    if (fatfs_is_directory(node))
        return EFI_UNSUPPORTED;
    if (node->deleted)
        return EFI_DEVICE_ERROR;
    if (!volume->disk.write)
        return EFI_WRITE_PROTECTED;
    if (!file->writable)
        return EFI_ACCESS_DENIED;
    UINTN length = *size;
    *size = 0;
    enum fat_result result = fat_write(volume, &node->file, file->position, buffer, length);
    if (result == FAT_OK && length) {
        fatfs_now(&node->file.modified);
        node->file.accessed = node->file.modified.date;
        node->file.attributes |= FAT_ARCHIVE;
        result = fat_update(volume, &node->parent->file, &node->file);
    }
    if (result == FAT_OK) {
        *size = length;
        file->position += length;
    }
    return fatfs_status(result);
}

EFI_STATUS EFIAPI fatfs_write(EFI_FILE_PROTOCOL *this, UINTN *size, VOID *buffer)
{
    if (!this || !size || (*size && !buffer))
        return EFI_INVALID_PARAMETER;
    struct open_file *file = fatfs_enter(this);
    return fatfs_leave(file, write(file, size, buffer));
}

static EFI_STATUS flush(struct open_file *file)
{
    struct fat_volume *volume = &file->system->volume;
    if (file->node->deleted)
        return EFI_NOT_FOUND;
    if (!volume->disk.write)
        return EFI_WRITE_PROTECTED;
    if (!file->writable)
        return EFI_ACCESS_DENIED;
    if (fat_settle(volume) != FAT_OK || !block_flush(file->system->range))
        return EFI_DEVICE_ERROR;
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI fatfs_flush(EFI_FILE_PROTOCOL *this)
{
    if (!this)
        return EFI_INVALID_PARAMETER;
    struct open_file *file = fatfs_enter(this);
    return fatfs_leave(file, flush(file));
}

EFI_STATUS EFIAPI fatfs_read_ex(EFI_FILE_PROTOCOL *this, EFI_FILE_IO_TOKEN *token)
{
    if (!token)
        return EFI_INVALID_PARAMETER;
    return fatfs_complete(token, fatfs_read(this, &token->BufferSize, token->Buffer));
}

EFI_STATUS EFIAPI fatfs_write_ex(EFI_FILE_PROTOCOL *this, EFI_FILE_IO_TOKEN *token)
{
    if (!token)
        return EFI_INVALID_PARAMETER;
    return fatfs_complete(token, fatfs_write(this, &token->BufferSize, token->Buffer));
}

EFI_STATUS EFIAPI fatfs_flush_ex(EFI_FILE_PROTOCOL *this, EFI_FILE_IO_TOKEN *token)
{
    return token ? fatfs_complete(token, fatfs_flush(this)) : EFI_INVALID_PARAMETER;
}

static EFI_STATUS position_of(const struct open_file *file, UINT64 *ret_position)
{
    if (file->node->deleted)
        return EFI_DEVICE_ERROR;
    if (fatfs_is_directory(file->node))
        return EFI_UNSUPPORTED;
    *ret_position = file->position;
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI fatfs_get_position(EFI_FILE_PROTOCOL *this, UINT64 *ret_position)
{
    return this && ret_position ? position_of((struct open_file *)this, ret_position)
                                : EFI_INVALID_PARAMETER;
}

EFI_STATUS EFIAPI fatfs_set_position(EFI_FILE_PROTOCOL *this, UINT64 position)
{
    if (!this)
        return EFI_INVALID_PARAMETER;
    struct open_file *file = (struct open_file *)this;
    if (file->node->deleted)
        return EFI_DEVICE_ERROR;
    if (fatfs_is_directory(file->node) && position != 0)
        return EFI_UNSUPPORTED; /* a directory only rewinds */
    file->position = position == UINT64_MAX ? file->node->file.size : position;
    return EFI_SUCCESS;
}
