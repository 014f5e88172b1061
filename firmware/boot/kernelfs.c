/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Three files in memory as a SimpleFileSystem (UEFI 2.10 13.4, 13.5), and the initrd on Linux's
 * vendor media path. One directory, no writing.
 */
#include "firmware/boot/kernelfs.h"

#include <string.h>

#include "firmware/lib/log.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define FILES     3u
#define NAME_ROOM 8u

struct vendor_path {
    VENDOR_DEVICE_PATH vendor;
    EFI_DEVICE_PATH_PROTOCOL end;
} __attribute__((packed));

/* An open file, or the directory (content NULL). */
struct open_file {
    EFI_FILE_PROTOCOL protocol;
    const struct blob *content;
    unsigned index;
    uint64_t position; /* bytes; in the directory: entries */
};

static const CHAR16 names[FILES][NAME_ROOM] = { u"kernel", u"initrd", u"cmdline" };
static const struct blob *contents[FILES];

static const struct vendor_path kernel_path = {
    { { MEDIA_DEVICE_PATH, MEDIA_VENDOR_DP, { 20, 0 } },
      { 0x1428f772, 0xb64a, 0x441e, { 0xb8, 0xc3, 0x9e, 0xbd, 0xd7, 0xf8, 0x93, 0xc7 } } },
    { END_DEVICE_PATH, END_ENTIRE_DP, { 4, 0 } }
};
static const struct vendor_path initrd_path = {
    { { MEDIA_DEVICE_PATH, MEDIA_VENDOR_DP, { 20, 0 } },
      { 0x5568e427, 0x68fc, 0x4f3d, { 0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68 } } },
    { END_DEVICE_PATH, END_ENTIRE_DP, { 4, 0 } }
};

static EFI_STATUS open_new(const struct blob *content, unsigned index, EFI_FILE_PROTOCOL **ret);

static bool same_letter(CHAR16 a, CHAR16 b)
{
    if (a >= 'A' && a <= 'Z')
        a += 'a' - 'A';
    return a == b;
}

static int find_file(const CHAR16 *name)
{
    for (unsigned i = 0; i < FILES; i++) {
        size_t at = 0;
        while (names[i][at] && same_letter(name[at], names[i][at]))
            at++;
        if (!names[i][at] && !name[at] && contents[i]->size)
            return (int)i;
    }
    return -1;
}

static EFI_STATUS EFIAPI file_open(EFI_FILE_PROTOCOL *this, EFI_FILE_PROTOCOL **ret_file,
                                   CHAR16 *name, UINT64 open_mode, UINT64 attributes)
{
    (void)attributes;
    struct open_file *directory = (struct open_file *)this;
    if (!ret_file || !name)
        return EFI_INVALID_PARAMETER;
    if (open_mode != EFI_FILE_MODE_READ)
        return EFI_WRITE_PROTECTED;
    if (directory->content && name[0] != '\\')
        return EFI_NOT_FOUND;
    while (*name == '\\')
        name++;
    if (name[0] == '.' && (name[1] == 0 || (name[1] == '\\' && name[2] == 0)))
        name += name[1] ? 2 : 1;
    if (!*name)
        return open_new(NULL, 0, ret_file);
    int index = find_file(name);
    if (index < 0)
        return EFI_NOT_FOUND;
    return open_new(contents[index], (unsigned)index, ret_file);
}

static EFI_STATUS EFIAPI file_close(EFI_FILE_PROTOCOL *this)
{
    pool_free(this);
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_delete(EFI_FILE_PROTOCOL *this)
{
    file_close(this);
    return 2; /* EFI_WARN_DELETE_FAILURE */
}

static EFI_STATUS fill_info(const struct blob *content, const CHAR16 *name, UINTN *size,
                            VOID *buffer)
{
    size_t letters = (utf16_length(name) + 1) * sizeof(CHAR16);
    UINTN room = *size;
    *size = sizeof(EFI_FILE_INFO) + letters;
    if (room < *size)
        return EFI_BUFFER_TOO_SMALL;
    if (!buffer)
        return EFI_INVALID_PARAMETER;
    EFI_FILE_INFO *info = buffer;
    memset(info, 0, sizeof(*info));
    info->Size = *size;
    info->FileSize = info->PhysicalSize = content ? content->size : 0;
    info->Attribute = EFI_FILE_READ_ONLY | (content ? 0 : EFI_FILE_DIRECTORY);
    memcpy((uint8_t *)buffer + sizeof(*info), name, letters);
    return EFI_SUCCESS;
}

static EFI_STATUS read_directory(struct open_file *file, UINTN *size, VOID *buffer)
{
    while (file->position < FILES && contents[file->position]->size == 0)
        file->position++;
    if (file->position >= FILES) {
        *size = 0;
        return EFI_SUCCESS;
    }
    EFI_STATUS status = fill_info(contents[file->position], names[file->position], size, buffer);
    if (status == EFI_SUCCESS)
        file->position++;
    return status;
}

static EFI_STATUS EFIAPI file_read(EFI_FILE_PROTOCOL *this, UINTN *size, VOID *buffer)
{
    struct open_file *file = (struct open_file *)this;
    if (!size || (*size && !buffer))
        return EFI_INVALID_PARAMETER;
    if (!file->content)
        return read_directory(file, size, buffer);
    if (file->position > file->content->size)
        return EFI_DEVICE_ERROR; /* UEFI 2.10 13.5.5: beyond the end */
    uint64_t left = file->content->size - file->position;
    if (*size > left)
        *size = left;
    if (*size)
        memcpy(buffer, file->content->data + file->position, *size);
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

static EFI_STATUS EFIAPI file_get_position(EFI_FILE_PROTOCOL *this, UINT64 *ret_position)
{
    struct open_file *file = (struct open_file *)this;
    if (!ret_position)
        return EFI_INVALID_PARAMETER;
    if (!file->content)
        return EFI_UNSUPPORTED;
    *ret_position = file->position;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_set_position(EFI_FILE_PROTOCOL *this, UINT64 position)
{
    struct open_file *file = (struct open_file *)this;
    if (!file->content && position != 0)
        return EFI_UNSUPPORTED; /* a directory only rewinds */
    file->position = file->content && position == UINT64_MAX ? file->content->size : position;
    return EFI_SUCCESS;
}

static EFI_STATUS system_info(UINTN *size, VOID *buffer)
{
    static const CHAR16 label[] = u"direct";
    const size_t header = offsetof(EFI_FILE_SYSTEM_INFO, VolumeLabel);
    UINTN room = *size;
    *size = header + sizeof(label);
    if (room < *size)
        return EFI_BUFFER_TOO_SMALL;
    if (!buffer)
        return EFI_INVALID_PARAMETER;
    EFI_FILE_SYSTEM_INFO info = { .Size = *size, .ReadOnly = true, .BlockSize = 1 };
    for (unsigned i = 0; i < FILES; i++)
        info.VolumeSize += contents[i]->size;
    memcpy(buffer, &info, header);
    memcpy((uint8_t *)buffer + header, label, sizeof(label));
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_get_info(EFI_FILE_PROTOCOL *this, EFI_GUID *type, UINTN *size,
                                       VOID *buffer)
{
    static const CHAR16 root[] = u"";
    struct open_file *file = (struct open_file *)this;
    if (!type || !size)
        return EFI_INVALID_PARAMETER;
    if (guid_equal(type, &guid_file_system_info))
        return system_info(size, buffer);
    if (!guid_equal(type, &guid_file_info))
        return EFI_UNSUPPORTED;
    return fill_info(file->content, file->content ? names[file->index] : root, size, buffer);
}

static EFI_STATUS EFIAPI file_set_info(EFI_FILE_PROTOCOL *this, EFI_GUID *type, UINTN size,
                                       VOID *buffer)
{
    (void)this;
    (void)type;
    (void)size;
    (void)buffer;
    return EFI_WRITE_PROTECTED;
}

static EFI_STATUS EFIAPI file_flush(EFI_FILE_PROTOCOL *this)
{
    (void)this;
    return EFI_WRITE_PROTECTED;
}

static EFI_STATUS open_new(const struct blob *content, unsigned index, EFI_FILE_PROTOCOL **ret)
{
    struct open_file *file = pool_allocate(MEMORY_BOOT_DATA, sizeof(*file));
    if (!file)
        return EFI_OUT_OF_RESOURCES;
    file->protocol = (EFI_FILE_PROTOCOL){ .Revision = EFI_FILE_PROTOCOL_REVISION,
                                          .Open = file_open,
                                          .Close = file_close,
                                          .Delete = file_delete,
                                          .Read = file_read,
                                          .Write = file_write,
                                          .GetPosition = file_get_position,
                                          .SetPosition = file_set_position,
                                          .GetInfo = file_get_info,
                                          .SetInfo = file_set_info,
                                          .Flush = file_flush };
    file->content = content;
    file->index = index;
    *ret = &file->protocol;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI open_volume(EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *this,
                                     EFI_FILE_PROTOCOL **ret_root)
{
    return this && ret_root ? open_new(NULL, 0, ret_root) : EFI_INVALID_PARAMETER;
}

/* UEFI 2.10 13.2.2; Linux asks for the size first, with the end node as path. */
static EFI_STATUS EFIAPI load_initrd(EFI_LOAD_FILE2_PROTOCOL *this, EFI_DEVICE_PATH_PROTOCOL *path,
                                     BOOLEAN policy, UINTN *size, VOID *buffer)
{
    const struct blob *initrd = contents[1];
    if (!this || !path || !size)
        return EFI_INVALID_PARAMETER;
    if (policy)
        return EFI_UNSUPPORTED;
    if (!devicepath_is_end(path))
        return EFI_NOT_FOUND;
    UINTN room = *size;
    *size = initrd->size;
    if (!buffer || room < initrd->size)
        return EFI_BUFFER_TOO_SMALL;
    memcpy(buffer, initrd->data, initrd->size);
    return EFI_SUCCESS;
}

const EFI_DEVICE_PATH_PROTOCOL *kernelfs_path(void)
{
    return &kernel_path.vendor.Header;
}

static EFI_SIMPLE_FILE_SYSTEM_PROTOCOL volume = { .Revision = 0x00010000,
                                                  .OpenVolume = open_volume };
static EFI_LOAD_FILE2_PROTOCOL loader = { .LoadFile = load_initrd };
static EFI_HANDLE volume_handle, initrd_handle;

void kernelfs_install(const struct blob *kernel, const struct blob *initrd,
                      const struct blob *command_line)
{
    contents[0] = kernel;
    contents[1] = initrd;
    contents[2] = command_line;
    handle_install(&volume_handle, &guid_device_path, (void *)(uintptr_t)&kernel_path);
    handle_install(&volume_handle, &guid_simple_file_system, &volume);
    if (initrd->size) {
        handle_install(&initrd_handle, &guid_device_path, (void *)(uintptr_t)&initrd_path);
        handle_install(&initrd_handle, &guid_load_file2, &loader);
    }
}

static void uninstall(EFI_HANDLE *handle, const EFI_DEVICE_PATH_PROTOCOL *path,
                      const struct guid *protocol, void *interface)
{
    EFI_GUID path_guid = guid_device_path, guid = *protocol;
    if (!*handle)
        return;
    (void)bs_uninstall_protocol_interface(*handle, &guid, interface);
    (void)bs_uninstall_protocol_interface(*handle, &path_guid, (void *)(uintptr_t)path);
    *handle = NULL;
}

void kernelfs_remove(void)
{
    uninstall(&volume_handle, &kernel_path.vendor.Header, &guid_simple_file_system, &volume);
    uninstall(&initrd_handle, &initrd_path.vendor.Header, &guid_load_file2, &loader);
}
