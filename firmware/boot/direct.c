/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Direct boot. Each blob is copied to private memory first and hashed on its way in; where the
 * launch measured hashes, the private copy must match before anything is parsed. The kernel is
 * started as an EFI application and finds its initrd by LoadFile2, as under OVMF.
 */
#include "firmware/boot/direct.h"

#include <string.h>

#include "firmware/boot/attempt.h"
#include "firmware/boot/hashes.h"
#include "firmware/boot/kernelfs.h"
#include "firmware/boot/secret.h"
#include "firmware/lib/log.h"
#include "firmware/lib/sha256.h"
#include "firmware/platform/fwcfg.h"
#include "firmware/sev/sev.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/pe.h"
#include "firmware/uefi/services.h"

#define RESERVE              0x2000000u /* RAM that must stay free beside the blobs */
#define MAXIMUM_COMMAND_LINE 0x10000u
#define CPIO_ALIGNMENT       4u
#define KERNEL_HEADER        512u /* of its file, where Linux and most programs have PE's header */
#define LINUX_MAGIC_AT       0x202u
#define LINUX_MAGIC          "HdrS"
#define LINUX_MAGIC_SIZE     4u
#define BOOT_FILES           "etc/boot/"

static const char *const blob_names[HASHED_BLOBS] = {
    [HASHED_COMMAND_LINE] = "command line", [HASHED_INITRD] = "initrd", [HASHED_KERNEL] = "kernel"
};

static const char *const boot_file_names[HASHED_BLOBS] = {
    [HASHED_COMMAND_LINE] = "cmdline", [HASHED_INITRD] = "initrd", [HASHED_KERNEL] = "kernel"
};

static struct blob blobs[HASHED_BLOBS];
static struct hash_table hashes;
static bool measured;

/* A broken table stops the boot: somebody tampered with the launch. */
static bool find_hashes(void)
{
    uint8_t area[SEV_HASHES_SIZE];
    memcpy(area, (const void *)(uintptr_t)SEV_HASHES_BASE, sizeof(area));
    enum hashes_state state = hashes_parse(area, sizeof(area), &hashes);
    if (state == HASHES_MALFORMED)
        panic("the table of measured hashes is malformed");
    return state == HASHES_PRESENT;
}

void direct_init(void)
{
    measured = sev_active() && find_hashes();
    if (measured)
        log_line("measured boot: kernel, initrd and command line are enforced; ACPI and SMBIOS "
                 "are the firmware's own; variables and disks decide nothing");
    else
        log_line("no measured boot%s: kernel, initrd, command line, ACPI, SMBIOS, variables and "
                 "disks are the host's choice",
                 sev_active() ? ", the launch brought no hashes" : "");
}

bool direct_measured(void)
{
    return measured;
}

static void hash_piece(void *context, const void *piece, size_t length)
{
    sha256_add(context, piece, length);
}

static bool equal(const uint8_t *a, const uint8_t *b, size_t length)
{
    uint8_t difference = 0;
    for (size_t i = 0; i < length; i++)
        difference |= a[i] ^ b[i];
    return difference == 0;
}

static void enforce(enum hashed_blob which, struct sha256 *hash, const char *name)
{
    uint8_t digest[SHA256_SIZE];
    sha256_end(hash, digest);
    if (!hashes.present[which])
        panic("the measured hashes have no entry for the %s", name);
    if (!equal(digest, hashes.hash[which], sizeof(digest)))
        panic("the %s does not match its measured hash", name);
    log_line("%s matches its measured hash", name);
}

/* The blob is complete. */
static void enforce_blob(enum hashed_blob which, struct sha256 *hash)
{
    if (measured)
        enforce(which, hash, blob_names[which]);
}

/*
 * Every file under etc/boot/ is offered for booting (QEMU from 10 on: the kernel as it was before
 * the host patched its header, and a shim), so it must be one of the measured blobs.
 */
static void enforce_boot_file(const char *name, uint16_t key, uint32_t size)
{
    static uint8_t piece[4096];
    struct sha256 hash;
    unsigned which = 0;
    while (which < HASHED_BLOBS && strcmp(name + strlen(BOOT_FILES), boot_file_names[which]) != 0)
        which++;
    if (which == HASHED_BLOBS)
        panic("the host offers %s, for which the measured hashes have no entry", name);
    sha256_start(&hash);
    for (uint32_t at = 0; at < size; at += (uint32_t)sizeof(piece)) {
        size_t length = size - at < sizeof(piece) ? size - at : sizeof(piece);
        if (at == 0)
            fwcfg_read(key, piece, length);
        else
            fwcfg_read_more(piece, length);
        sha256_add(&hash, piece, length);
    }
    enforce(which, &hash, name);
}

static void enforce_boot_files(void)
{
    const char *name;
    uint16_t key;
    uint32_t size;
    for (size_t i = 0; fwcfg_file_at(i, &name, &key, &size); i++)
        if (strncmp(name, BOOT_FILES, strlen(BOOT_FILES)) == 0)
            enforce_boot_file(name, key, size);
}

/* Reads one fw_cfg item to its place in the blob. */
static void fetch(uint16_t key, struct blob *blob, size_t offset, size_t length,
                  struct sha256 *hash)
{
    if (length == 0)
        return;
    if (measured)
        fwcfg_read_through(key, blob->data + offset, length, hash_piece, hash);
    else
        fwcfg_read(key, blob->data + offset, length);
}

/*
 * Memory for a blob: pages, so that a big one does not fragment the pool. `wanted` bytes where
 * memory allows, as a program needs more room in memory than its file has.
 */
static void make_room(enum hashed_blob which, uint64_t size, uint64_t wanted)
{
    blobs[which] = (struct blob){ 0 };
    if (size == 0)
        return;
    uint64_t left = memory_free_bytes();
    if (left < RESERVE || size > left - RESERVE)
        panic("the %s of %lu bytes does not fit into memory", blob_names[which],
              (unsigned long)size);
    uint64_t room = wanted > size && wanted <= left - RESERVE ? wanted : size;
    uint64_t pages = (room + EFI_PAGE_SIZE - 1) / EFI_PAGE_SIZE;
    EFI_PHYSICAL_ADDRESS base;
    if (bs_allocate_pages(AllocateAnyPages, MEMORY_BOOT_DATA, pages, &base) != EFI_SUCCESS)
        panic("no run of memory for the %s of %lu bytes", blob_names[which], (unsigned long)size);
    blobs[which] =
        (struct blob){ .data = (uint8_t *)(uintptr_t)base, .size = size, .pages = pages };
}

/* What the kernel may need in memory: a hint for make_room, read before anything is enforced. */
static uint64_t claimed_room(uint32_t setup, uint32_t rest)
{
    uint8_t header[KERNEL_HEADER];
    uint32_t size = setup ? setup : rest;
    size_t length = size < sizeof(header) ? size : sizeof(header);
    if (length == 0)
        return 0;
    fwcfg_read(setup ? FWCFG_SETUP_DATA : FWCFG_KERNEL_DATA, header, length);
    return pe_claimed_size(header, length);
}

static void load_kernel(void)
{
    struct sha256 hash;
    uint32_t setup = fwcfg_read_u32(FWCFG_SETUP_SIZE);
    uint32_t rest = fwcfg_read_u32(FWCFG_KERNEL_SIZE);
    make_room(HASHED_KERNEL, (uint64_t)setup + rest, claimed_room(setup, rest));
    sha256_start(&hash);
    fetch(FWCFG_SETUP_DATA, &blobs[HASHED_KERNEL], 0, setup, &hash);
    fetch(FWCFG_KERNEL_DATA, &blobs[HASHED_KERNEL], setup, rest, &hash);
    enforce_blob(HASHED_KERNEL, &hash);
}

/* Behind the initrd, once that is enforced, comes the archive with the owner's credentials. */
static void load_initrd(void)
{
    struct sha256 hash;
    struct blob *initrd = &blobs[HASHED_INITRD];
    size_t size = fwcfg_read_u32(FWCFG_INITRD_SIZE), archive = secret_archive_size();
    size_t gap = archive ? -size % CPIO_ALIGNMENT : 0;
    make_room(HASHED_INITRD, (uint64_t)size + gap + archive, 0);
    sha256_start(&hash);
    fetch(FWCFG_INITRD_DATA, initrd, 0, size, &hash);
    enforce_blob(HASHED_INITRD, &hash);
    if (archive) {
        memset(initrd->data + size, 0, gap);
        secret_archive_take(initrd->data + size + gap);
    }
}

/* The host counts the NUL; without a command line the hash is that of one NUL. */
static void load_command_line(void)
{
    struct sha256 hash;
    uint32_t size = fwcfg_read_u32(FWCFG_CMDLINE_SIZE);
    if (size > MAXIMUM_COMMAND_LINE)
        panic("the command line of %u bytes is too long", size);
    make_room(HASHED_COMMAND_LINE, size, 0);
    sha256_start(&hash);
    fetch(FWCFG_CMDLINE_DATA, &blobs[HASHED_COMMAND_LINE], 0, size, &hash);
    if (size == 0)
        sha256_add(&hash, "", 1);
    enforce_blob(HASHED_COMMAND_LINE, &hash);
}

/* Command line as UTF-16, with the initrd named as OVMF names it. */
static CHAR16 *load_options(size_t *ret_size)
{
    const struct blob *line = &blobs[HASHED_COMMAND_LINE];
    const char *suffix = blobs[HASHED_INITRD].size ? " initrd=initrd" : "";
    size_t length = line->size ? strnlen((const char *)line->data, line->size) : 0;
    size_t total = length + strlen(suffix);
    *ret_size = 0;
    if (total == 0)
        return NULL;
    CHAR16 *options = pool_allocate(MEMORY_LOADER_DATA, (total + 1) * sizeof(CHAR16));
    if (!options)
        panic("no memory for the command line");
    for (size_t i = 0; i < length; i++)
        options[i] = line->data[i];
    for (size_t i = 0; suffix[i]; i++)
        options[length + i] = (uint8_t)suffix[i];
    *ret_size = (total + 1) * sizeof(CHAR16);
    return options;
}

/* Linux's boot protocol, 1.1: the magic number of the setup header. */
static bool is_linux(const struct blob *kernel)
{
    return kernel->size >= LINUX_MAGIC_AT + LINUX_MAGIC_SIZE &&
           memcmp(kernel->data + LINUX_MAGIC_AT, LINUX_MAGIC, LINUX_MAGIC_SIZE) == 0;
}

/* Linux gets the pages that it was read to; a boot loader may want to read the file again. */
static EFI_STATUS load_image(EFI_HANDLE *ret_image)
{
    struct blob *kernel = &blobs[HASHED_KERNEL];
    EFI_DEVICE_PATH_PROTOCOL *path = devicepath_file(kernelfs_path(), u"\\kernel");
    if (!path)
        panic("no memory for the kernel's device path");
    EFI_STATUS status;
    if (is_linux(kernel)) {
        struct blob taken = *kernel;
        *kernel = (struct blob){ 0 };
        status =
            image_load_pages(firmware_image, path, taken.data, taken.size, taken.pages, ret_image);
    } else {
        status = bs_load_image(false, firmware_image, path, kernel->data, kernel->size, ret_image);
    }
    pool_free(path);
    return status;
}

static void start(void)
{
    EFI_HANDLE image = NULL;
    size_t options_size, size = blobs[HASHED_KERNEL].size;
    EFI_STATUS status = load_image(&image);
    if (status != EFI_SUCCESS) {
        report_now("the host's kernel is no EFI program for x86-64 that can be loaded: %s",
                   status_text(status));
        return;
    }
    EFI_LOADED_IMAGE_PROTOCOL *loaded = handle_interface(image, &guid_loaded_image);
    CHAR16 *options = load_options(&options_size);
    loaded->LoadOptions = options;
    loaded->LoadOptionsSize = (UINT32)options_size;
    log_line("starting the kernel: %lu bytes, initrd %lu bytes", (unsigned long)size,
             (unsigned long)blobs[HASHED_INITRD].size);
    status = bs_start_image(image, NULL, NULL);
    report_now("the host's kernel was started and returned: %s", status_text(status));
    pool_free(options);
}

/* Memory of a kernel that did not take the machine over. */
static void release(void)
{
    kernelfs_remove();
    secret_archive_wipe();
    for (unsigned i = 0; i < HASHED_BLOBS; i++) {
        if (blobs[i].size)
            (void)bs_free_pages((uintptr_t)blobs[i].data, blobs[i].pages);
        blobs[i] = (struct blob){ 0 };
    }
}

void direct_boot(void)
{
    bool offered = fwcfg_read_u32(FWCFG_KERNEL_SIZE) != 0;
    if (!offered && measured)
        panic("the launch measured a kernel and the host offers none");
    if (measured)
        enforce_boot_files();
    if (!offered)
        return;
    load_kernel();
    load_initrd();
    load_command_line();
    kernelfs_install(&blobs[HASHED_KERNEL], &blobs[HASHED_INITRD], &blobs[HASHED_COMMAND_LINE]);
    start();
    release();
}
