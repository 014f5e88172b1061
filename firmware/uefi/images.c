/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Images (UEFI 2.10 7.4): LoadImage from a buffer or a device path, StartImage on a stack of the
 * image's own, Exit out of it, UnloadImage. Images nest: shim starts GRUB, GRUB a kernel.
 */
#include "firmware/lib/log.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/pe.h"
#include "firmware/uefi/runtime_images.h"
#include "firmware/uefi/services.h"

#define STACK_PAGES 64u /* 256 KiB; UEFI 2.10 2.3.4 asks for 128 */

struct image {
    struct image *next;
    EFI_HANDLE handle;
    EFI_LOADED_IMAGE_PROTOCOL loaded;
    EFI_DEVICE_PATH_PROTOCOL *path; /* for LoadedImageDevicePath */
    EFI_IMAGE_ENTRY_POINT entry;
    uint64_t base, pages;
    bool started;
    void *resume; /* stack pointer of StartImage while the image runs */
    CHAR16 *exit_data;
    UINTN exit_data_size;
};

/* A file in memory, the device that it came from and the rest of its path there. */
struct source {
    void *file;
    size_t size;
    EFI_HANDLE device;
    EFI_DEVICE_PATH_PROTOCOL *rest;
};

/* context.S */
uint64_t image_enter(EFI_IMAGE_ENTRY_POINT entry, EFI_HANDLE handle, EFI_SYSTEM_TABLE *table,
                     void *stack_top, void **ret_resume);
_Noreturn void image_leave(void *resume, uint64_t status);

EFI_HANDLE firmware_image;
static struct image *images;
static struct image *running;

static struct image *to_image(EFI_HANDLE handle)
{
    for (struct image *i = images; i; i = i->next)
        if (i->handle == handle)
            return i;
    return NULL;
}

static EFI_STATUS status_of(enum pe_result result)
{
    static const EFI_STATUS table[] = {
        [PE_OK] = EFI_SUCCESS, [PE_MALFORMED] = EFI_LOAD_ERROR, [PE_UNSUPPORTED] = EFI_UNSUPPORTED
    };
    return table[result];
}

static void memory_types(uint16_t subsystem, uint32_t *ret_code, uint32_t *ret_data)
{
    static const struct {
        uint32_t code, data;
    } table[] = { { MEMORY_LOADER_CODE, MEMORY_LOADER_DATA },
                  { MEMORY_BOOT_CODE, MEMORY_BOOT_DATA },
                  { MEMORY_RUNTIME_CODE, MEMORY_RUNTIME_DATA } };
    *ret_code = table[subsystem - PE_APPLICATION].code;
    *ret_data = table[subsystem - PE_APPLICATION].data;
}

/* Pages for the image at its section alignment. 0: no memory. */
static uint64_t allocate_image(const struct pe_image *pe, uint32_t type, uint64_t *ret_pages)
{
    uint64_t pages = ((uint64_t)pe->image_size + EFI_PAGE_SIZE - 1) >> EFI_PAGE_SHIFT;
    uint64_t slack =
        pe->section_alignment > EFI_PAGE_SIZE ? (pe->section_alignment >> EFI_PAGE_SHIFT) - 1 : 0;
    EFI_PHYSICAL_ADDRESS base;
    if (bs_allocate_pages(AllocateAnyPages, type, pages + slack, &base) != EFI_SUCCESS)
        return 0;
    uint64_t aligned = base;
    if (slack) {
        aligned = (base + pe->section_alignment - 1) & ~((uint64_t)pe->section_alignment - 1);
        uint64_t before = (aligned - base) >> EFI_PAGE_SHIFT;
        if (before)
            memory_free(base, before);
        if (slack > before)
            memory_free(aligned + (pages << EFI_PAGE_SHIFT), slack - before);
    }
    *ret_pages = pages;
    return aligned;
}

/* Makes the file's `*pages` the image's and frees what lies behind it; then none are left. */
static bool adopt_pages(struct image *image, const struct pe_image *pe, uint32_t type,
                        uint64_t *pages)
{
    uint64_t base = (uintptr_t)pe->file;
    uint64_t needed = ((uint64_t)pe->image_size + EFI_PAGE_SIZE - 1) >> EFI_PAGE_SHIFT;
    if (*pages < needed || pe->subsystem != PE_APPLICATION ||
        (base & ((uint64_t)pe->section_alignment - 1)) != 0 ||
        !pe_loads_in_place(pe, *pages << EFI_PAGE_SHIFT) || !memory_retype(base, needed, type))
        return false;
    if (*pages > needed)
        memory_free(base + (needed << EFI_PAGE_SHIFT), *pages - needed);
    *pages = 0;
    image->base = base;
    image->pages = needed;
    return true;
}

/* `*pages`: what the file lies in, if it may be taken over; 0: it is somebody else's. */
static EFI_STATUS load_pe(struct image *image, const void *file, size_t size, uint64_t *pages)
{
    struct pe_image pe;
    enum pe_result result = pe_parse(file, size, &pe);
    if (result != PE_OK)
        return status_of(result);
    uint32_t code, data;
    memory_types(pe.subsystem, &code, &data);
    if (!adopt_pages(image, &pe, code, pages))
        image->base = allocate_image(&pe, code, &image->pages);
    if (!image->base)
        return EFI_OUT_OF_RESOURCES;
    void *memory = (void *)(uintptr_t)image->base;
    pe_load(&pe, memory);
    result = pe_relocate(&pe, memory, image->base);
    EFI_STATUS status = status_of(result);
    if (result == PE_OK && pe.subsystem == PE_RUNTIME_DRIVER &&
        !runtime_image_add(&pe, image->base))
        status = EFI_OUT_OF_RESOURCES;
    if (status != EFI_SUCCESS) {
        memory_free(image->base, image->pages);
        return status;
    }
    image->entry = (EFI_IMAGE_ENTRY_POINT)(uintptr_t)(image->base + pe.entry);
    image->loaded.ImageBase = memory;
    image->loaded.ImageSize = pe.image_size;
    image->loaded.ImageCodeType = code;
    image->loaded.ImageDataType = data;
    return EFI_SUCCESS;
}

/* DeviceHandle and FilePath of an image that came as a buffer: the nearest device, if any. */
static EFI_DEVICE_PATH_PROTOCOL *find_device(EFI_DEVICE_PATH_PROTOCOL *path, EFI_HANDLE *ret_device)
{
    EFI_GUID guid = guid_device_path;
    EFI_DEVICE_PATH_PROTOCOL *rest = path;
    *ret_device = NULL;
    if (path && bs_locate_device_path(&guid, &rest, ret_device) != EFI_SUCCESS)
        *ret_device = NULL;
    return rest;
}

static EFI_STATUS publish(struct image *image)
{
    EFI_GUID loaded = guid_loaded_image, path = guid_loaded_image_device_path;
    EFI_STATUS status = bs_install_protocol_interface(&image->handle, &loaded, 0, &image->loaded);
    if (status == EFI_SUCCESS)
        status = bs_install_protocol_interface(&image->handle, &path, 0, image->path);
    return status;
}

static void destroy(struct image *image)
{
    EFI_GUID loaded = guid_loaded_image, path = guid_loaded_image_device_path;
    if (image->handle) {
        EFI_HANDLE handle = image->handle;
        open_forget_interfaces(handle); /* whoever looks at it still */
        bs_uninstall_protocol_interface(handle, &path, image->path);
        bs_uninstall_protocol_interface(handle, &loaded, &image->loaded);
        open_forget_agent(handle);
    }
    for (struct image **link = &images; *link; link = &(*link)->next)
        if (*link == image) {
            *link = image->next;
            break;
        }
    if (image->base) {
        runtime_image_remove(image->base);
        memory_free(image->base, image->pages);
    }
    pool_free(image->path);
    pool_free(image->loaded.FilePath);
    pool_free(image);
}

static EFI_STATUS finish_load(struct image *image, EFI_HANDLE parent, EFI_HANDLE device,
                              EFI_DEVICE_PATH_PROTOCOL *path, EFI_DEVICE_PATH_PROTOCOL *rest)
{
    image->loaded.Revision = 0x1000;
    image->loaded.ParentHandle = parent;
    image->loaded.SystemTable = system_table;
    image->loaded.DeviceHandle = device;
    image->loaded.FilePath = rest ? devicepath_copy(rest) : NULL;
    image->path = path ? devicepath_copy(path) : NULL;
    image->next = images;
    images = image;
    return publish(image);
}

/* Makes and publishes the image of a file; `pages` as for load_pe. */
static EFI_STATUS load(const struct source *source, EFI_HANDLE parent,
                       EFI_DEVICE_PATH_PROTOCOL *path, uint64_t *pages, EFI_HANDLE *ret_image)
{
    struct image *image = pool_allocate(MEMORY_BOOT_DATA, sizeof(*image));
    if (!image)
        return EFI_OUT_OF_RESOURCES;
    EFI_STATUS status = load_pe(image, source->file, source->size, pages);
    if (status != EFI_SUCCESS) {
        pool_free(image);
        return status;
    }
    status = finish_load(image, parent, source->device, path, source->rest);
    if (status != EFI_SUCCESS) {
        destroy(image);
        return status;
    }
    log_debug("image at 0x%lx, entry 0x%lx", (unsigned long)image->base,
              (unsigned long)(uintptr_t)image->entry);
    *ret_image = image->handle;
    return EFI_SUCCESS;
}

EFI_STATUS image_load_pages(EFI_HANDLE parent, EFI_DEVICE_PATH_PROTOCOL *path, void *file,
                            size_t size, uint64_t pages, EFI_HANDLE *ret_image)
{
    uint64_t left = pages;
    struct source source = { .file = file, .size = size };
    source.rest = find_device(path, &source.device);
    EFI_STATUS status = load(&source, parent, path, &left, ret_image);
    if (left)
        memory_free((uintptr_t)file, pages);
    return status;
}

EFI_STATUS EFIAPI bs_load_image(BOOLEAN policy, EFI_HANDLE parent, EFI_DEVICE_PATH_PROTOCOL *path,
                                VOID *source, UINTN size, EFI_HANDLE *ret_image)
{
    if (!ret_image || !handle_interface(parent, &guid_loaded_image) ||
        (path && !devicepath_size(path)))
        return EFI_INVALID_PARAMETER;
    if (!source && !path)
        return EFI_NOT_FOUND;
    if (source && size == 0)
        return EFI_LOAD_ERROR;
    EFI_STATUS status = EFI_SUCCESS;
    struct source from = { .file = source, .size = size };
    if (source) {
        from.rest = find_device(path, &from.device);
    } else {
        from.file = file_load(path, policy, &from.size, &from.device, &from.rest, &status);
        if (!from.file)
            return status;
    }
    uint64_t pages = 0;
    status = load(&from, parent, path, &pages, ret_image);
    if (!source)
        pool_free(from.file);
    return status;
}

/* Runs the image to its return or Exit. */
static EFI_STATUS run(struct image *image, uint64_t stack)
{
    struct image *caller = running;
    uint64_t flags = interrupts_save();
    interrupts_restore(flags);
    EFI_TPL tpl = bs_raise_tpl(TPL_HIGH_LEVEL);
    bs_restore_tpl(tpl);
    running = image;
    EFI_STATUS status =
        image_enter(image->entry, image->handle, system_table,
                    (void *)(uintptr_t)(stack + STACK_PAGES * EFI_PAGE_SIZE), &image->resume);
    running = caller;
    image->resume = NULL;
    bs_raise_tpl(TPL_HIGH_LEVEL); /* an image may have left the level raised or IF off */
    bs_restore_tpl(tpl);
    interrupts_restore(flags);
    return status;
}

EFI_STATUS EFIAPI bs_start_image(EFI_HANDLE handle, UINTN *ret_size, CHAR16 **ret_data)
{
    struct image *image = to_image(handle);
    if (!image || image->started)
        return EFI_INVALID_PARAMETER;
    uint64_t stack = memory_allocate(MEMORY_BOOT_DATA, STACK_PAGES, 0);
    if (!stack)
        return EFI_OUT_OF_RESOURCES;
    image->started = true;
    EFI_STATUS status = run(image, stack);
    memory_free(stack, STACK_PAGES);
    if (ret_size && ret_data) {
        *ret_size = image->exit_data_size;
        *ret_data = image->exit_data;
    } else {
        pool_free(image->exit_data);
    }
    image->exit_data = NULL;
    if (EFI_ERROR(status) || image->loaded.ImageCodeType == MEMORY_LOADER_CODE)
        destroy(image); /* applications and failed drivers do not stay, UEFI 2.10 7.4.2 */
    return status;
}

EFI_STATUS EFIAPI bs_exit(EFI_HANDLE handle, EFI_STATUS status, UINTN size, CHAR16 *data)
{
    struct image *image = to_image(handle);
    if (!image)
        return EFI_INVALID_PARAMETER;
    if (!image->started) {
        destroy(image);
        return EFI_SUCCESS;
    }
    if (image != running)
        return EFI_INVALID_PARAMETER;
    if (size && data) {
        image->exit_data = pool_allocate(MEMORY_BOOT_DATA, size);
        if (image->exit_data) {
            memcpy(image->exit_data, data, size);
            image->exit_data_size = size;
        }
    }
    image_leave(image->resume, status);
}

EFI_STATUS EFIAPI bs_unload_image(EFI_HANDLE handle)
{
    struct image *image = to_image(handle);
    if (!image)
        return EFI_INVALID_PARAMETER;
    if (image->resume)
        return EFI_UNSUPPORTED; /* it is running */
    if (image->started) {
        if (!image->loaded.Unload)
            return EFI_UNSUPPORTED;
        EFI_STATUS status = image->loaded.Unload(handle);
        if (status != EFI_SUCCESS)
            return status;
    }
    destroy(image);
    return EFI_SUCCESS;
}

/* The firmware itself is the parent of what it starts and the agent of HandleProtocol. */
void images_init(void)
{
    static EFI_LOADED_IMAGE_PROTOCOL loaded;
    loaded = (EFI_LOADED_IMAGE_PROTOCOL){ .Revision = 0x1000,
                                          .SystemTable = system_table,
                                          .ImageCodeType = MEMORY_RUNTIME_CODE,
                                          .ImageDataType = MEMORY_RUNTIME_DATA };
    handle_install(&firmware_image, &guid_loaded_image, &loaded);
}
