/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SimpleFileSystem (UEFI 2.10 13.4) over FAT: the volumes, what is open on them, opening, closing,
 * deleting. Paths are followed through the open directories, never through ".." on the disk.
 */
#include "firmware/storage/fatfs.h"

#include <string.h>

#include "firmware/lib/log.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

static struct fat_system *systems;

EFI_STATUS fatfs_status(enum fat_result result)
{
    static const uint8_t codes[] = {
        [FAT_OK] = (uint8_t)EFI_SUCCESS,
        [FAT_END] = (uint8_t)EFI_NOT_FOUND,
        [FAT_IO_ERROR] = (uint8_t)EFI_DEVICE_ERROR,
        [FAT_CORRUPT] = (uint8_t)EFI_VOLUME_CORRUPTED,
        [FAT_FULL] = (uint8_t)EFI_VOLUME_FULL,
        [FAT_TOO_LARGE] = (uint8_t)EFI_UNSUPPORTED,
        [FAT_NOT_EMPTY] = (uint8_t)EFI_ACCESS_DENIED,
        [FAT_BAD_NAME] = (uint8_t)EFI_UNSUPPORTED,
    };
    return result == FAT_OK ? EFI_SUCCESS : EFI_ERROR_BIT | codes[result];
}

struct open_file *fatfs_enter(EFI_FILE_PROTOCOL *this)
{
    struct open_file *file = (struct open_file *)this;
    EFI_TPL tpl = block_enter();
    file->tpl = tpl;
    fat_refresh(&file->system->volume);
    return file;
}

EFI_STATUS fatfs_leave(struct open_file *file, EFI_STATUS status)
{
    block_leave(file->tpl);
    return status;
}

EFI_STATUS fatfs_complete(EFI_FILE_IO_TOKEN *token, EFI_STATUS status)
{
    if (status != EFI_SUCCESS)
        return status;
    token->Status = status;
    if (token->Event)
        bs_signal_event(token->Event);
    return EFI_SUCCESS;
}

void fatfs_now(struct fat_time *ret)
{
    EFI_TIME time;
    *ret = (struct fat_time){ .date = 1 << 5 | 1 }; /* the first day of 1980 */
    if (rt_get_time(&time, NULL) == EFI_SUCCESS)
        fatfs_from_time(&time, ret);
}

/* --- nodes --- */

static struct node *hold(struct node *node)
{
    node->references++;
    return node;
}

void fatfs_drop(struct fat_system *system, struct node *node)
{
    while (--node->references == 0 && node->parent) {
        struct node **link = &system->nodes, *parent = node->parent;
        while (*link != node)
            link = &(*link)->next;
        *link = node->next;
        parent->children--;
        pool_free(node);
        node = parent;
    }
}

/* The node of an entry in a directory, held; NULL: no memory. */
static struct node *node_of(struct fat_system *system, struct node *parent,
                            const struct fat_entry *entry)
{
    for (struct node *node = system->nodes; node; node = node->next)
        if (node->parent == parent && !node->deleted && node->file.entry == entry->file.entry)
            return hold(node);
    struct node *node = pool_allocate(MEMORY_BOOT_DATA, sizeof(*node));
    if (!node)
        return NULL;
    node->next = system->nodes;
    node->parent = hold(parent);
    node->file = entry->file;
    memcpy(node->name, entry->name, sizeof(node->name));
    parent->children++;
    system->nodes = node;
    return hold(node);
}

static size_t component_length(const CHAR16 *name)
{
    size_t length = 0;
    while (name[length] && name[length] != '\\')
        length++;
    return length;
}

/* One step down. NOT_FOUND with *ret_node NULL: there is no such entry in the directory. */
static EFI_STATUS step(struct fat_system *system, struct node *node, const CHAR16 *name,
                       size_t length, struct node **ret_node)
{
    struct fat_entry entry;
    enum fat_result result = fat_find(&system->volume, &node->file, name, length, &entry);
    if (result != FAT_OK)
        return fatfs_status(result);
    *ret_node = node_of(system, node, &entry);
    return *ret_node ? EFI_SUCCESS : EFI_OUT_OF_RESOURCES;
}

static bool is_name(const CHAR16 *name, size_t length, const char *expected)
{
    for (size_t i = 0; i < length; i++)
        if (name[i] != (uint8_t)expected[i])
            return false;
    return length == strlen(expected);
}

EFI_STATUS fatfs_locate(struct fat_system *system, struct node *from, const CHAR16 *path,
                        bool directory, struct node **ret_node, const CHAR16 **ret_name,
                        size_t *ret_length)
{
    struct node *node = hold(path[0] == '\\' ? &system->root : from);
    bool directory_meant = path[0] && path[utf16_length(path) - 1] == '\\';
    EFI_STATUS status = path[0] ? EFI_SUCCESS : EFI_INVALID_PARAMETER;
    *ret_length = 0;
    for (path += path[0] == '\\'; status == EFI_SUCCESS && *path;) {
        const CHAR16 *name = path;
        size_t length = component_length(path);
        struct node *next = NULL;
        path += length;
        while (*path == '\\')
            path++;
        if (length == 0 || is_name(name, length, "."))
            continue;
        if (is_name(name, length, "..")) {
            next = node->parent ? hold(node->parent) : NULL;
            status = next ? EFI_SUCCESS : EFI_INVALID_PARAMETER;
        } else if (!fat_trim_name(&name, &length)) {
            status = EFI_INVALID_PARAMETER;
        } else if (!fatfs_is_directory(node)) {
            status = EFI_NOT_FOUND;
        } else {
            status = step(system, node, name, length, &next);
            if (status == EFI_NOT_FOUND && !*path) { /* only the last one is missing */
                *ret_name = name;
                *ret_length = length;
                status = directory_meant && !directory ? EFI_INVALID_PARAMETER : EFI_SUCCESS;
                next = hold(node);
            }
        }
        if (next) {
            fatfs_drop(system, node);
            node = next;
        }
    }
    if (status == EFI_SUCCESS && directory_meant && !fatfs_is_directory(node))
        status = EFI_NOT_FOUND;
    if (status == EFI_SUCCESS)
        *ret_node = node;
    else
        fatfs_drop(system, node);
    return status;
}

/* --- handles --- */

static EFI_STATUS new_handle(struct fat_system *system, struct node *node, bool writable,
                             EFI_FILE_PROTOCOL **ret);

/* Replaces the directory of a file that does not exist yet by the new file. */
static EFI_STATUS create(struct fat_system *system, struct node **node, const CHAR16 *name,
                         size_t length, uint64_t attributes)
{
    struct fat_entry entry;
    struct fat_time now;
    fatfs_now(&now);
    EFI_STATUS status = fatfs_status(fat_create(&system->volume, &(*node)->file, name, length,
                                                (uint8_t)attributes, &now, &entry));
    if (status != EFI_SUCCESS)
        return status;
    struct node *new = node_of(system, *node, &entry);
    if (!new)
        return EFI_OUT_OF_RESOURCES;
    fatfs_drop(system, *node);
    *node = new;
    return EFI_SUCCESS;
}

static EFI_STATUS open(struct open_file *from, EFI_FILE_PROTOCOL **ret_file, const CHAR16 *path,
                       uint64_t mode, uint64_t attributes)
{
    struct fat_system *system = from->system;
    struct node *node;
    const CHAR16 *name;
    size_t length;
    if ((mode & EFI_FILE_MODE_WRITE) && !system->volume.disk.write)
        return EFI_WRITE_PROTECTED;
    if (from->node->deleted)
        return EFI_NOT_FOUND;
    EFI_STATUS status = fatfs_locate(system, from->node, path, attributes & EFI_FILE_DIRECTORY,
                                     &node, &name, &length);
    if (status != EFI_SUCCESS)
        return status;
    if (length > 0)
        status = mode & EFI_FILE_MODE_CREATE ? create(system, &node, name, length, attributes)
                                             : EFI_NOT_FOUND;
    if (status == EFI_SUCCESS && (mode & EFI_FILE_MODE_WRITE) && !fatfs_is_directory(node) &&
        (node->file.attributes & FAT_READ_ONLY))
        status = EFI_ACCESS_DENIED;
    if (status == EFI_SUCCESS)
        status = new_handle(system, node, mode & EFI_FILE_MODE_WRITE, ret_file);
    fatfs_drop(system, node);
    enum fat_result settled = fat_settle(&system->volume);
    return status == EFI_SUCCESS ? fatfs_status(settled) : status;
}

/* UEFI 2.10 13.5.2 */
static EFI_STATUS EFIAPI file_open(EFI_FILE_PROTOCOL *this, EFI_FILE_PROTOCOL **ret_file,
                                   CHAR16 *name, UINT64 mode, UINT64 attributes)
{
    const UINT64 write = EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE;
    bool creates = mode == (write | EFI_FILE_MODE_CREATE);
    if (!this || !ret_file || !name || (mode != EFI_FILE_MODE_READ && mode != write && !creates) ||
        (creates && (attributes & (EFI_FILE_READ_ONLY | ~EFI_FILE_VALID_ATTR))))
        return EFI_INVALID_PARAMETER;
    struct open_file *from = fatfs_enter(this);
    return fatfs_leave(from, open(from, ret_file, name, mode, creates ? attributes : 0));
}

static EFI_STATUS EFIAPI file_open_ex(EFI_FILE_PROTOCOL *this, EFI_FILE_PROTOCOL **ret_file,
                                      CHAR16 *name, UINT64 mode, UINT64 attributes,
                                      EFI_FILE_IO_TOKEN *token)
{
    if (!token)
        return EFI_INVALID_PARAMETER;
    return fatfs_complete(token, file_open(this, ret_file, name, mode, attributes));
}

static void close(struct open_file *file)
{
    (void)fat_settle(&file->system->volume); /* what fails leaves the volume marked */
    fatfs_drop(file->system, file->node);
    block_leave(file->tpl);
    pool_free(file);
}

/* UEFI 2.10 13.5.3: always succeeds. */
static EFI_STATUS EFIAPI file_close(EFI_FILE_PROTOCOL *this)
{
    if (!this)
        return EFI_INVALID_PARAMETER;
    close(fatfs_enter(this));
    return EFI_SUCCESS;
}

static enum fat_result delete(struct open_file *file)
{
    struct node *node = file->node;
    if (node->deleted)
        return FAT_OK;
    if (!file->writable || !node->parent)
        return FAT_NOT_EMPTY;
    enum fat_result result = fat_remove(&file->system->volume, &node->parent->file, &node->file);
    node->deleted = result == FAT_OK;
    return result;
}

/* UEFI 2.10 13.5.4: closes in any case. */
static EFI_STATUS EFIAPI file_delete(EFI_FILE_PROTOCOL *this)
{
    if (!this)
        return EFI_INVALID_PARAMETER;
    struct open_file *file = fatfs_enter(this);
    enum fat_result result = delete(file);
    close(file);
    return result == FAT_OK ? EFI_SUCCESS : EFI_WARN_DELETE_FAILURE;
}

static EFI_STATUS new_handle(struct fat_system *system, struct node *node, bool writable,
                             EFI_FILE_PROTOCOL **ret)
{
    struct open_file *file = pool_allocate(MEMORY_BOOT_DATA, sizeof(*file));
    if (!file)
        return EFI_OUT_OF_RESOURCES;
    file->protocol = (EFI_FILE_PROTOCOL){ .Revision = EFI_FILE_PROTOCOL_REVISION2,
                                          .Open = file_open,
                                          .Close = file_close,
                                          .Delete = file_delete,
                                          .Read = fatfs_read,
                                          .Write = fatfs_write,
                                          .GetPosition = fatfs_get_position,
                                          .SetPosition = fatfs_set_position,
                                          .GetInfo = fatfs_get_info,
                                          .SetInfo = fatfs_set_info,
                                          .Flush = fatfs_flush,
                                          .OpenEx = file_open_ex,
                                          .ReadEx = fatfs_read_ex,
                                          .WriteEx = fatfs_write_ex,
                                          .FlushEx = fatfs_flush_ex };
    file->system = system;
    file->node = hold(node);
    file->writable = writable;
    *ret = &file->protocol;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI open_volume(EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *this,
                                     EFI_FILE_PROTOCOL **ret_root)
{
    if (!this || !ret_root)
        return EFI_INVALID_PARAMETER;
    struct fat_system *system = (struct fat_system *)this;
    EFI_TPL tpl = block_enter();
    EFI_STATUS status = new_handle(system, &system->root, system->volume.disk.write, ret_root);
    block_leave(tpl);
    return status;
}

/* Files that nobody closed before the operating system takes over. */
static VOID EFIAPI settle_all(EFI_EVENT event, VOID *context)
{
    (void)event;
    (void)context;
    for (struct fat_system *system = systems; system; system = system->next) {
        (void)fat_settle(&system->volume);
        (void)block_flush(system->range);
    }
}

static struct fat_system *mount(struct block_range *range)
{
    bool read_only = block_range_read_only(range);
    const struct fat_disk disk = { .read = block_read_bytes,
                                   .write = read_only ? NULL : block_write_bytes,
                                   .context = range };
    struct fat_system *system = pool_allocate(MEMORY_BOOT_DATA, sizeof(*system));
    if (system && fat_mount(&disk, block_range_size(range), &system->volume))
        return system;
    pool_free(system);
    return NULL;
}

static bool install(EFI_HANDLE handle, struct fat_system *system)
{
    static EFI_EVENT before_exit; /* of all volumes */
    EFI_GUID guid = guid_simple_file_system;
    if (!before_exit && bs_create_event_ex(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, settle_all, NULL,
                                           &guid_group_before_exit, &before_exit) != EFI_SUCCESS)
        return false;
    return bs_install_protocol_interface(&handle, &guid, 0, &system->protocol) == EFI_SUCCESS;
}

bool fatfs_publish(EFI_HANDLE handle, struct block_range *range)
{
    struct fat_system *system = mount(range);
    if (!system)
        return false;
    system->protocol =
        (EFI_SIMPLE_FILE_SYSTEM_PROTOCOL){ .Revision = 0x00010000, .OpenVolume = open_volume };
    system->range = range;
    system->root.references = 1;
    fat_root(&system->volume, &system->root.file);
    if (!install(handle, system)) {
        log_line("no memory for a FAT volume; it is left out");
        pool_free(system);
        return false;
    }
    system->next = systems;
    systems = system;
    return true;
}
