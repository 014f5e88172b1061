/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Reads the file that a device path names into a buffer, for LoadImage: from a file system, or
 * from a LoadFile2 or LoadFile protocol (UEFI 2.10 7.4.1, 13.1, 13.2).
 */
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define MAXIMUM_FILE 0x40000000u
#define INFO_ROOM    1024u /* EFI_FILE_INFO with a name */

static EFI_STATUS read_all(EFI_FILE_PROTOCOL *file, void **ret_data, size_t *ret_size)
{
    EFI_GUID guid = guid_file_info;
    UINTN room = INFO_ROOM;
    EFI_FILE_INFO *info = pool_allocate(MEMORY_BOOT_DATA, room);
    if (!info)
        return EFI_OUT_OF_RESOURCES;
    EFI_STATUS status = file->GetInfo(file, &guid, &room, info);
    uint64_t size = info->FileSize, attribute = info->Attribute;
    pool_free(info);
    if (status != EFI_SUCCESS)
        return status;
    if (attribute & EFI_FILE_DIRECTORY)
        return EFI_NOT_FOUND;
    if (size == 0 || size > MAXIMUM_FILE)
        return EFI_LOAD_ERROR;
    void *data = pool_allocate(MEMORY_BOOT_DATA, size);
    if (!data)
        return EFI_OUT_OF_RESOURCES;
    UINTN length = size;
    status = file->Read(file, &length, data);
    if (status == EFI_SUCCESS && length != size)
        status = EFI_LOAD_ERROR;
    if (status != EFI_SUCCESS) {
        pool_free(data);
        return status;
    }
    *ret_data = data;
    *ret_size = size;
    return EFI_SUCCESS;
}

/* Opens the file named by a run of file path nodes; each node goes one step further down. */
static EFI_STATUS open_path(EFI_FILE_PROTOCOL *root, EFI_DEVICE_PATH_PROTOCOL *node,
                            EFI_FILE_PROTOCOL **ret_file)
{
    EFI_FILE_PROTOCOL *file = root;
    for (; !devicepath_is_end(node); node = devicepath_next(node)) {
        size_t length = devicepath_node_length(node) - sizeof(*node);
        EFI_FILE_PROTOCOL *next = NULL;
        EFI_STATUS status = EFI_UNSUPPORTED;
        CHAR16 *name = NULL;
        if (node->Type == MEDIA_DEVICE_PATH && node->SubType == MEDIA_FILEPATH_DP) {
            name = pool_allocate(MEMORY_BOOT_DATA, length + sizeof(CHAR16));
            status = EFI_OUT_OF_RESOURCES;
        }
        if (name) {
            memcpy(name, node + 1, length & ~(size_t)1);
            status = file->Open(file, &next, name, EFI_FILE_MODE_READ, 0);
            pool_free(name);
        }
        if (file != root)
            file->Close(file);
        if (status != EFI_SUCCESS)
            return status;
        file = next;
    }
    if (file == root)
        return EFI_NOT_FOUND;
    *ret_file = file;
    return EFI_SUCCESS;
}

static EFI_STATUS load_from_volume(EFI_HANDLE device, EFI_DEVICE_PATH_PROTOCOL *path,
                                   void **ret_data, size_t *ret_size)
{
    EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *volume = handle_interface(device, &guid_simple_file_system);
    EFI_FILE_PROTOCOL *root, *file;
    EFI_STATUS status = volume->OpenVolume(volume, &root);
    if (status != EFI_SUCCESS)
        return status;
    status = open_path(root, path, &file);
    if (status == EFI_SUCCESS) {
        status = read_all(file, ret_data, ret_size);
        file->Close(file);
    }
    root->Close(root);
    return status;
}

static EFI_STATUS load_from_protocol(EFI_LOAD_FILE2_PROTOCOL *loader,
                                     EFI_DEVICE_PATH_PROTOCOL *path, bool policy, void **ret_data,
                                     size_t *ret_size)
{
    UINTN size = 0;
    EFI_STATUS status = loader->LoadFile(loader, path, policy, &size, NULL);
    if (status != EFI_BUFFER_TOO_SMALL)
        return EFI_ERROR(status) ? status : EFI_LOAD_ERROR;
    if (size == 0 || size > MAXIMUM_FILE)
        return EFI_LOAD_ERROR;
    void *data = pool_allocate(MEMORY_BOOT_DATA, size);
    if (!data)
        return EFI_OUT_OF_RESOURCES;
    status = loader->LoadFile(loader, path, policy, &size, data);
    if (status != EFI_SUCCESS) {
        pool_free(data);
        return status;
    }
    *ret_data = data;
    *ret_size = size;
    return EFI_SUCCESS;
}

void *file_load(EFI_DEVICE_PATH_PROTOCOL *path, bool boot_policy, size_t *ret_size,
                EFI_HANDLE *ret_device, EFI_DEVICE_PATH_PROTOCOL **ret_file_path,
                EFI_STATUS *ret_status)
{
    static const struct guid *const kinds[] = { &guid_simple_file_system, &guid_load_file2,
                                                &guid_load_file };
    *ret_status = EFI_NOT_FOUND;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        EFI_DEVICE_PATH_PROTOCOL *rest = path;
        EFI_GUID guid = *kinds[i];
        EFI_HANDLE device;
        void *data = NULL;
        if (kinds[i] == &guid_load_file2 && boot_policy)
            continue; /* UEFI 2.10 7.4.1: LoadFile2 serves exact requests only */
        if (bs_locate_device_path(&guid, &rest, &device) != EFI_SUCCESS)
            continue;
        if (i == 0)
            *ret_status = load_from_volume(device, rest, &data, ret_size);
        else
            *ret_status = load_from_protocol(handle_interface(device, kinds[i]), rest, boot_policy,
                                             &data, ret_size);
        if (*ret_status == EFI_SUCCESS) {
            *ret_device = device;
            *ret_file_path = rest;
            return data;
        }
    }
    return NULL;
}
