/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Short-form device paths, looked up among the handles that exist: all devices are there from the
 * start, so nothing has to be connected on the way.
 */
#include "firmware/boot/bootpath.h"

#include "firmware/boot/kernelfs.h"
#include "firmware/lib/log.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

enum { MSG_USB_CLASS_DP = 15, MSG_USB_WWID_DP = 16, MSG_URI_DP = 24 };

/* First nodes that make a path useless here. */
static const struct {
    uint8_t type, sub_type; /* sub_type 0: any */
    const char *reason;
} refused[] = { { BBS_DEVICE_PATH, 0, "a legacy BIOS option" },
                { MESSAGING_DEVICE_PATH, MSG_URI_DP, "a URI without a network device" },
                { MESSAGING_DEVICE_PATH, MSG_USB_CLASS_DP, "a USB device: there is no driver" },
                { MESSAGING_DEVICE_PATH, MSG_USB_WWID_DP, "a USB device: there is no driver" } };

static bool is_kind(const EFI_DEVICE_PATH_PROTOCOL *node, uint8_t type, uint8_t sub_type)
{
    return node->Type == type && node->SubType == sub_type;
}

static EFI_HANDLE *all_with(const struct guid *protocol, UINTN *ret_count)
{
    EFI_GUID guid = *protocol;
    EFI_HANDLE *handles = NULL;
    if (bs_locate_handle_buffer(ByProtocol, &guid, NULL, ret_count, &handles) != EFI_SUCCESS)
        *ret_count = 0;
    return handles;
}

static bool is_removable(EFI_HANDLE handle)
{
    EFI_BLOCK_IO_PROTOCOL *block = handle_interface(handle, &guid_block_io);
    return block && block->Media->RemovableMedia;
}

static bool starts_with(const EFI_DEVICE_PATH_PROTOCOL *path,
                        const EFI_DEVICE_PATH_PROTOCOL *prefix)
{
    size_t length = devicepath_size(prefix), size = devicepath_size(path);
    if (!length || size < length)
        return false;
    return memcmp(path, prefix, length - sizeof(*prefix)) == 0;
}

static EFI_DEVICE_PATH_PROTOCOL *join(const EFI_DEVICE_PATH_PROTOCOL *head,
                                      const EFI_DEVICE_PATH_PROTOCOL *tail)
{
    size_t length = devicepath_size(head) - sizeof(*head), rest = devicepath_size(tail);
    uint8_t *joined = pool_allocate(MEMORY_BOOT_DATA, length + rest);
    if (joined) {
        memcpy(joined, head, length);
        memcpy(joined + length, tail, rest);
    }
    return (EFI_DEVICE_PATH_PROTOCOL *)joined;
}

/* path + tail, as one visit. */
static bool visit_joined(const EFI_DEVICE_PATH_PROTOCOL *path, const EFI_DEVICE_PATH_PROTOCOL *tail,
                         bootpath_visit *visit, void *context)
{
    EFI_DEVICE_PATH_PROTOCOL *full = join(path, tail);
    bool done = full && visit(context, full);
    pool_free(full);
    return done;
}

/*
 * Every volume at or below `device` (NULL: all but the host's kernel, removable ones first), with
 * `tail` behind it. Returns whether there was one.
 */
static bool visit_volumes(const EFI_DEVICE_PATH_PROTOCOL *device,
                          const EFI_DEVICE_PATH_PROTOCOL *tail, bootpath_visit *visit,
                          void *context)
{
    UINTN count;
    EFI_HANDLE *volumes = all_with(&guid_simple_file_system, &count);
    bool any = false, done = false;
    for (UINTN i = 0; i < 2 * count && !done; i++) {
        EFI_HANDLE volume = volumes[i % count];
        EFI_DEVICE_PATH_PROTOCOL *path = handle_interface(volume, &guid_device_path);
        if (!path || is_removable(volume) != (i < count) ||
            (device ? !starts_with(path, device) : path == kernelfs_path()))
            continue;
        any = true;
        done = visit_joined(path, tail, visit, context);
    }
    pool_free(volumes);
    return any;
}

static bool same_partition(const EFI_DEVICE_PATH_PROTOCOL *a, const EFI_DEVICE_PATH_PROTOCOL *b)
{
    HARDDRIVE_DEVICE_PATH x, y;
    if (!is_kind(a, MEDIA_DEVICE_PATH, MEDIA_HARDDRIVE_DP) ||
        !is_kind(b, MEDIA_DEVICE_PATH, MEDIA_HARDDRIVE_DP) ||
        devicepath_node_length(a) != sizeof(x) || devicepath_node_length(b) != sizeof(y))
        return false;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return x.PartitionNumber == y.PartitionNumber && x.SignatureType == y.SignatureType &&
           x.SignatureType != 0 && memcmp(x.Signature, y.Signature, sizeof(x.Signature)) == 0;
}

static const EFI_DEVICE_PATH_PROTOCOL *last_node(const EFI_DEVICE_PATH_PROTOCOL *path)
{
    const EFI_DEVICE_PATH_PROTOCOL *node = path;
    while (!devicepath_is_end(node) && !devicepath_is_end(devicepath_next(node)))
        node = devicepath_next(node);
    return node;
}

/* UEFI 2.10 3.1.2: a path that begins with a partition, found by signature and number. */
static EFI_DEVICE_PATH_PROTOCOL *find_partition(const EFI_DEVICE_PATH_PROTOCOL *node)
{
    UINTN count;
    EFI_HANDLE *disks = all_with(&guid_block_io, &count);
    EFI_DEVICE_PATH_PROTOCOL *found = NULL;
    for (UINTN i = 0; i < count && !found; i++) {
        EFI_DEVICE_PATH_PROTOCOL *path = handle_interface(disks[i], &guid_device_path);
        if (path && same_partition(last_node(path), node))
            found = path;
    }
    pool_free(disks);
    return found;
}

/* Is the path exactly that of a disk or volume, so that the file is left to us? */
static bool is_medium(EFI_DEVICE_PATH_PROTOCOL *path)
{
    static const struct guid *const kinds[] = { &guid_block_io, &guid_simple_file_system };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        EFI_GUID guid = *kinds[i];
        EFI_DEVICE_PATH_PROTOCOL *rest = path;
        EFI_HANDLE handle;
        if (bs_locate_device_path(&guid, &rest, &handle) == EFI_SUCCESS && devicepath_is_end(rest))
            return true;
    }
    return false;
}

static EFI_DEVICE_PATH_PROTOCOL *loader_path(void)
{
    static EFI_DEVICE_PATH_PROTOCOL *path;
    if (!path)
        path = devicepath_file(NULL, REMOVABLE_LOADER);
    return path;
}

static const char *expand_full(EFI_DEVICE_PATH_PROTOCOL *path, bootpath_visit *visit, void *context)
{
    if (!is_medium(path)) {
        visit(context, path);
        return NULL;
    }
    if (!loader_path() || !visit_volumes(path, loader_path(), visit, context))
        return "no FAT file system on it";
    return NULL;
}

static const char *expand_partition(EFI_DEVICE_PATH_PROTOCOL *path, bootpath_visit *visit,
                                    void *context)
{
    EFI_DEVICE_PATH_PROTOCOL *partition = find_partition(path);
    if (!partition)
        return "no disk has this partition";
    EFI_DEVICE_PATH_PROTOCOL *full = join(partition, devicepath_next(path));
    if (!full)
        return "no memory";
    const char *reason = expand_full(full, visit, context);
    pool_free(full);
    return reason;
}

const char *bootpath_expand(EFI_DEVICE_PATH_PROTOCOL *path, bootpath_visit *visit, void *context)
{
    if (!devicepath_size(path) || devicepath_is_end(path))
        return "an empty or malformed device path";
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if (refused[i].type == path->Type &&
            (!refused[i].sub_type || refused[i].sub_type == path->SubType))
            return refused[i].reason;
    if (is_kind(path, MEDIA_DEVICE_PATH, MEDIA_HARDDRIVE_DP))
        return expand_partition(path, visit, context);
    if (is_kind(path, MEDIA_DEVICE_PATH, MEDIA_FILEPATH_DP))
        return visit_volumes(NULL, path, visit, context) ? NULL : "there is no volume";
    return expand_full(path, visit, context);
}

void bootpath_every_loader(bootpath_visit *visit, void *context)
{
    if (loader_path())
        visit_volumes(NULL, loader_path(), visit, context);
}

EFI_DEVICE_PATH_PROTOCOL *bootpath_device(EFI_DEVICE_PATH_PROTOCOL *path)
{
    if (!devicepath_size(path))
        return NULL;
    if (is_kind(path, MEDIA_DEVICE_PATH, MEDIA_HARDDRIVE_DP))
        path = find_partition(path);
    return path ? devicepath_copy(path) : NULL;
}

const char *bootpath_text(const EFI_DEVICE_PATH_PROTOCOL *path, char *text, size_t size)
{
    EFI_GUID guid = guid_device_path_to_text;
    VOID *protocol;
    CHAR16 *wide = NULL;
    size_t length = 0;
    if (bs_locate_protocol(&guid, NULL, &protocol) == EFI_SUCCESS)
        wide = ((EFI_DEVICE_PATH_TO_TEXT_PROTOCOL *)protocol)
                   ->ConvertDevicePathToText(path, true, true);
    for (; wide && wide[length] && length + 1 < size; length++)
        text[length] = wide[length] >= ' ' && wide[length] < 0x7F ? (char)wide[length] : '?';
    text[length] = '\0';
    pool_free(wide);
    return text;
}
