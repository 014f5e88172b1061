/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Boot from a file: volumes, then directories, by number. */
#include "firmware/boot/attempt.h"
#include "firmware/boot/bootpath.h"
#include "firmware/boot/dialog.h"
#include "firmware/boot/menu.h"
#include "firmware/lib/log.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define FILES_MAXIMUM 200u
#define INFO_ROOM     1024u
#define PATH_ROOM     1024u
#define OPTIONS_ROOM  256u

struct listing {
    EFI_FILE_INFO *files[FILES_MAXIMUM]; /* pool */
    unsigned count;
};

static void free_listing(struct listing *listing)
{
    while (listing->count > 0)
        pool_free(listing->files[--listing->count]);
}

/* Reads the directory; "." and ".." are left out. */
static void read_listing(EFI_FILE_PROTOCOL *directory, struct listing *ret)
{
    ret->count = 0;
    while (ret->count < FILES_MAXIMUM) {
        UINTN size = INFO_ROOM;
        EFI_FILE_INFO *info = pool_allocate(MEMORY_BOOT_DATA, INFO_ROOM);
        if (!info || directory->Read(directory, &size, info) != EFI_SUCCESS || size == 0) {
            pool_free(info);
            return;
        }
        bool dots = info->FileName[0] == '.' &&
                    (!info->FileName[1] || (info->FileName[1] == '.' && !info->FileName[2]));
        if (dots)
            pool_free(info);
        else
            ret->files[ret->count++] = info;
    }
}

static bool is_directory(const EFI_FILE_INFO *info)
{
    return info->Attribute & EFI_FILE_DIRECTORY;
}

static void print_listing(const CHAR16 *path, const struct listing *listing)
{
    dialog_print("\n");
    dialog_print_wide(path[0] ? path : u"\\");
    dialog_print("\n");
    for (unsigned i = 0; i < listing->count; i++) {
        dialog_print("  %3u ", i + 1);
        dialog_print_wide(listing->files[i]->FileName);
        if (is_directory(listing->files[i]))
            dialog_print("\\\n");
        else
            dialog_print("  %lu bytes\n", (unsigned long)listing->files[i]->FileSize);
    }
}

/* path + \name; false: too long. */
static bool descend(CHAR16 *path, const CHAR16 *name)
{
    size_t end = utf16_length(path), length = utf16_length(name);
    if (end + 1 + length >= PATH_ROOM)
        return false;
    path[end] = '\\';
    memcpy(path + end + 1, name, (length + 1) * sizeof(*name));
    return true;
}

static void ascend(CHAR16 *path)
{
    size_t end = utf16_length(path);
    while (end > 0 && path[end] != '\\')
        end--;
    path[end] = 0;
}

/* One step in the tree. Returns whether the path is that of a file; *ret_quit: the user left. */
static bool choose(EFI_FILE_PROTOCOL *root, CHAR16 *path, bool *ret_quit)
{
    EFI_FILE_PROTOCOL *directory;
    struct listing listing;
    unsigned number;
    bool file = false;
    *ret_quit = true;
    if (root->Open(root, &directory, path[0] ? path : (CHAR16 *)(uintptr_t)u"\\",
                   EFI_FILE_MODE_READ, 0) != EFI_SUCCESS)
        return false;
    read_listing(directory, &listing);
    directory->Close(directory);
    print_listing(path, &listing);
    if (dialog_number("Number, 0 for the folder above, Enter to leave", listing.count, &number)) {
        *ret_quit = number == 0 && !path[0];
        if (number == 0)
            ascend(path);
        else if (descend(path, listing.files[number - 1]->FileName))
            file = !is_directory(listing.files[number - 1]);
    }
    free_listing(&listing);
    return file;
}

static void start_file(EFI_HANDLE volume, const CHAR16 *name)
{
    char line[OPTIONS_ROOM];
    struct attempt attempt = { .name = "file", .boots = true };
    dialog_print("Options for the program, or Enter for none: ");
    if (!dialog_read(line, sizeof(line), 0))
        return;
    CHAR16 *options = line[0] ? utf16_from_ascii(line) : NULL;
    attempt.options = options;
    attempt.options_size = options ? (strlen(line) + 1) * sizeof(CHAR16) : 0;
    EFI_DEVICE_PATH_PROTOCOL *path =
        devicepath_file(handle_interface(volume, &guid_device_path), name);
    if (path && !attempt_start(&attempt, path))
        dialog_print("It was not started.\n");
    pool_free(path);
    pool_free(options);
}

static void browse(EFI_HANDLE volume)
{
    EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *system = handle_interface(volume, &guid_simple_file_system);
    EFI_FILE_PROTOCOL *root;
    CHAR16 *path = pool_allocate(MEMORY_BOOT_DATA, PATH_ROOM * sizeof(*path));
    bool quit = false, file = false;
    if (!path || system->OpenVolume(system, &root) != EFI_SUCCESS) {
        dialog_print("The volume cannot be opened.\n");
        pool_free(path);
        return;
    }
    path[0] = 0;
    while (!quit && !file)
        file = choose(root, path, &quit);
    root->Close(root);
    if (file)
        start_file(volume, path);
    pool_free(path);
}

void browse_and_start(void)
{
    EFI_GUID guid = guid_simple_file_system;
    EFI_HANDLE *volumes;
    UINTN count;
    unsigned number;
    if (bs_locate_handle_buffer(ByProtocol, &guid, NULL, &count, &volumes) != EFI_SUCCESS) {
        dialog_print("There is no volume.\n");
        return;
    }
    for (UINTN i = 0; i < count; i++) {
        char text[PATH_TEXT_ROOM];
        EFI_DEVICE_PATH_PROTOCOL *path = handle_interface(volumes[i], &guid_device_path);
        dialog_print("  %2u %s\n", (unsigned)i + 1,
                     path ? bootpath_text(path, text, sizeof(text)) : "a volume without a path");
    }
    if (dialog_number("Volume, Enter to leave", (unsigned)count, &number) && number > 0)
        browse(volumes[number - 1]);
    pool_free(volumes);
}
