/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Direct boot of the firmware with a host played here: which blobs are read, and that with a
 * measured table every changed, missing or added byte of each blob stops the boot by name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "firmware/boot/attempt.h"
#include "firmware/boot/direct.h"
#include "firmware/boot/hashes.h"
#include "firmware/boot/kernelfs.h"
#include "firmware/boot/secret.h"
#include "firmware/platform/fwcfg.h"
#include "firmware/sev/sev.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define LAUNCH_PAGE 0x810000ul
#define RAM_SIZE    (128ul << 20)
#define BOOT_FILE_KEY 0x33
#define PIECE       1000u /* of fwcfg_read_through */

bool boot_services_ended;
EFI_HANDLE firmware_image;
static bool encrypted;
static jmp_buf stopped;
static char reason[256];
static unsigned started;
static bool no_program;             /* the kernel is not one that can be loaded */
static void (*while_running)(void); /* what the started program does */
static char seen_options[256];
static size_t seen_kernel;
static uint64_t handed_over; /* pages */

static struct {
    uint8_t setup[512], kernel[5000], initrd[3000], command_line[64];
    uint32_t setup_size, kernel_size, initrd_size, command_line_size;
    const char *boot_file; /* NULL: none */
    uint8_t boot_content[5512]; /* of it: setup and kernel */
    uint32_t boot_size;
} host;

_Noreturn void panic(const char *fmt, ...);
void panic(const char *fmt, ...)
{
    va_list list;
    va_start(list, fmt);
    vsnprintf(reason, sizeof(reason), fmt, list);
    va_end(list);
    longjmp(stopped, 1);
}

void log_line(const char *fmt, ...);
void log_line(const char *fmt, ...)
{
    (void)fmt;
}

void events_signal_group(const EFI_GUID *group)
{
    (void)group;
}

uint64_t interrupts_save(void)
{
    return 0;
}

void interrupts_restore(uint64_t flags)
{
    (void)flags;
}

static size_t archive_size;

size_t secret_archive_size(void)
{
    return archive_size;
}

static unsigned wiped;

void secret_archive_wipe(void)
{
    wiped++;
}

void secret_archive_take(uint8_t *archive)
{
    memset(archive, 0xCA, archive_size);
}

bool sev_active(void)
{
    return encrypted;
}

static void host_item(uint16_t key, const void **ret_data, uint32_t *ret_size)
{
    const struct {
        uint16_t key;
        const void *data;
        uint32_t size;
    } items[] = { { FWCFG_SETUP_SIZE, &host.setup_size, 4 },
                  { FWCFG_SETUP_DATA, host.setup, host.setup_size },
                  { FWCFG_KERNEL_SIZE, &host.kernel_size, 4 },
                  { FWCFG_KERNEL_DATA, host.kernel, host.kernel_size },
                  { FWCFG_INITRD_SIZE, &host.initrd_size, 4 },
                  { FWCFG_INITRD_DATA, host.initrd, host.initrd_size },
                  { FWCFG_CMDLINE_SIZE, &host.command_line_size, 4 },
                  { FWCFG_CMDLINE_DATA, host.command_line, host.command_line_size },
                  { BOOT_FILE_KEY, host.boot_content, host.boot_size } };
    for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
        if (items[i].key == key) {
            *ret_data = items[i].data;
            *ret_size = items[i].size;
            return;
        }
    fail_msg("key 0x%x", key);
}

static const uint8_t *item_left;
static uint32_t item_size;

void fwcfg_read_more(void *data, size_t length)
{
    assert_true(length <= item_size);
    memcpy(data, item_left, length);
    item_left += length;
    item_size -= (uint32_t)length;
}

void fwcfg_read(uint16_t key, void *data, size_t length)
{
    const void *item = NULL;
    host_item(key, &item, &item_size);
    item_left = item;
    fwcfg_read_more(data, length);
}

bool fwcfg_file_at(size_t index, const char **ret_name, uint16_t *ret_key, uint32_t *ret_size)
{
    if (!host.boot_file || index > 1)
        return false;
    *ret_name = index ? host.boot_file : "etc/e820";
    *ret_key = BOOT_FILE_KEY;
    *ret_size = host.boot_size;
    return true;
}

uint32_t fwcfg_read_u32(uint16_t key)
{
    uint32_t value;
    fwcfg_read(key, &value, sizeof(value));
    return value;
}

void fwcfg_read_through(uint16_t key, void *data, size_t length, fwcfg_sink *sink, void *context)
{
    fwcfg_read(key, data, length);
    for (size_t at = 0; at < length; at += PIECE)
        sink(context, (uint8_t *)data + at, length - at < PIECE ? length - at : PIECE);
}

EFI_TPL EFIAPI bs_raise_tpl(EFI_TPL tpl)
{
    (void)tpl;
    return TPL_APPLICATION;
}

VOID EFIAPI bs_restore_tpl(EFI_TPL tpl)
{
    (void)tpl;
}

EFI_STATUS EFIAPI bs_signal_event(EFI_EVENT event)
{
    (void)event;
    return EFI_SUCCESS;
}

/* The image: what it was given is checked against what the host offered. */
EFI_STATUS EFIAPI bs_load_image(BOOLEAN policy, EFI_HANDLE parent, EFI_DEVICE_PATH_PROTOCOL *path,
                                VOID *source, UINTN size, EFI_HANDLE *ret_image)
{
    static EFI_LOADED_IMAGE_PROTOCOL loaded;
    (void)policy;
    (void)parent;
    assert_true(devicepath_size(path) > 0);
    assert_int_equal(size, host.setup_size + host.kernel_size);
    assert_memory_equal(source, host.setup, host.setup_size);
    assert_memory_equal((uint8_t *)source + host.setup_size, host.kernel, host.kernel_size);
    seen_kernel = size;
    if (no_program)
        return EFI_UNSUPPORTED;
    loaded = (EFI_LOADED_IMAGE_PROTOCOL){ 0 };
    *ret_image = NULL;
    handle_install(ret_image, &guid_loaded_image, &loaded);
    return EFI_SUCCESS;
}

/* Linux: its pages are its own from here on, with the room in memory that its header claims. */
EFI_STATUS image_load_pages(EFI_HANDLE parent, EFI_DEVICE_PATH_PROTOCOL *path, void *file,
                            size_t size, uint64_t pages, EFI_HANDLE *ret_image)
{
    EFI_STATUS status = bs_load_image(false, parent, path, file, size, ret_image);
    handed_over = pages;
    memset(file, 0xEE, pages * EFI_PAGE_SIZE);
    assert_true(memory_free((uintptr_t)file, pages));
    return status;
}

EFI_STATUS EFIAPI bs_start_image(EFI_HANDLE image, UINTN *ret_size, CHAR16 **ret_data)
{
    (void)ret_size;
    (void)ret_data;
    EFI_LOADED_IMAGE_PROTOCOL *loaded = handle_interface(image, &guid_loaded_image);
    const CHAR16 *options = loaded->LoadOptions;
    size_t letters = loaded->LoadOptionsSize / sizeof(CHAR16);
    memset(seen_options, 0, sizeof(seen_options));
    for (size_t i = 0; i < letters; i++)
        seen_options[i] = (char)options[i];
    if (letters)
        assert_int_equal(options[letters - 1], 0);
    started++;
    if (while_running)
        while_running();
    return EFI_SUCCESS;
}

void report_now(const char *fmt, ...)
{
    va_list list;
    va_start(list, fmt);
    vsnprintf(reason, sizeof(reason), fmt, list);
    va_end(list);
}

const char *status_text(EFI_STATUS status)
{
    return status == EFI_SUCCESS ? "Success" : "an error";
}

static void put_hash(unsigned index, const uint8_t guid[16], const void *data, size_t size)
{
    uint8_t *entry = (uint8_t *)(LAUNCH_PAGE + 0xC00 + 18 + index * 50);
    memcpy(entry, guid, 16);
    entry[16] = 50;
    SHA256(data, size, entry + 18);
}

/* The table as QEMU makes it for the host's present blobs. */
static void measure(void)
{
    static const uint8_t table[16] = { 0x06, 0xd6, 0x38, 0x94, 0x22, 0x4f, 0xc9, 0x4c,
                                       0xb4, 0x79, 0xa7, 0x93, 0xd4, 0x11, 0xfd, 0x21 };
    static const uint8_t guids[3][16] = { { 0xd8, 0x2d, 0xd0, 0x97, 0x20, 0xbd, 0x94, 0x4c, 0xaa,
                                            0x78, 0xe7, 0x71, 0x4d, 0x36, 0xab, 0x2a },
                                          { 0x31, 0xf7, 0xba, 0x44, 0x2f, 0x3a, 0xd7, 0x4b, 0x9a,
                                            0xf1, 0x41, 0xe2, 0x91, 0x69, 0x78, 0x1d },
                                          { 0x37, 0x94, 0xe7, 0x4d, 0xd2, 0xab, 0x7f, 0x42, 0xb8,
                                            0x35, 0xd5, 0xb1, 0x72, 0xd2, 0x04, 0x5b } };
    uint8_t *area = (uint8_t *)(LAUNCH_PAGE + 0xC00), whole[8192];
    memset(area, 0, 0x400);
    memcpy(area, table, 16);
    area[16] = 168;
    memcpy(whole, host.setup, host.setup_size);
    memcpy(whole + host.setup_size, host.kernel, host.kernel_size);
    put_hash(0, guids[0], host.command_line_size ? (const void *)host.command_line : "",
             host.command_line_size ? host.command_line_size : 1);
    put_hash(1, guids[1], host.initrd, host.initrd_size);
    put_hash(2, guids[2], whole, host.setup_size + host.kernel_size);
}

static uint8_t *ram;

static int prepare(void **state)
{
    (void)state;
    if (!ram) {
        void *page = mmap((void *)LAUNCH_PAGE, 4096, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        assert_ptr_equal(page, (void *)LAUNCH_PAGE);
        ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_true(ram != MAP_FAILED);
        memory_init();
        memory_add((uint64_t)(uintptr_t)ram, RAM_SIZE, MEMORY_CONVENTIONAL);
    }
    memset((void *)LAUNCH_PAGE, 0x5A, 4096); /* unlaunched memory: noise */
    encrypted = false;
    started = 0;
    no_program = false;
    while_running = NULL;
    host.boot_file = NULL;
    archive_size = 0;
    handed_over = 0;
    direct_init();
    for (size_t i = 0; i < sizeof(host.kernel); i++)
        host.kernel[i] = (uint8_t)(i * 7);
    memset(host.setup, 1, sizeof(host.setup));
    memset(host.initrd, 2, sizeof(host.initrd));
    strcpy((char *)host.command_line, "console=ttyS0 quiet");
    host.setup_size = sizeof(host.setup);
    host.kernel_size = sizeof(host.kernel);
    host.initrd_size = sizeof(host.initrd);
    host.command_line_size = sizeof("console=ttyS0 quiet");
    return 0;
}

/* Takes away what a boot left behind: a real one happens once. */
static void forget(void)
{
    static const struct guid *const left[] = { &guid_simple_file_system, &guid_load_file2,
                                               &guid_device_path, &guid_loaded_image };
    for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
        EFI_GUID guid = *left[i];
        EFI_HANDLE handle;
        UINTN size = sizeof(handle);
        while (size = sizeof(handle),
               bs_locate_handle(ByProtocol, &guid, NULL, &size, &handle) == EFI_SUCCESS)
            bs_uninstall_protocol_interface(handle, &guid, handle_interface(handle, &guid));
    }
}

static void find_initrd(void)
{
    EFI_GUID guid = guid_load_file2;
    EFI_LOAD_FILE2_PROTOCOL *loader;
    assert_int_equal(bs_locate_protocol(&guid, NULL, (void **)&loader), EFI_SUCCESS);
    static const EFI_DEVICE_PATH_PROTOCOL end = { END_DEVICE_PATH, END_ENTIRE_DP, { 4, 0 } };
    EFI_DEVICE_PATH_PROTOCOL copy = end;
    uint8_t data[4096];
    UINTN size = 0;
    assert_int_equal(loader->LoadFile(loader, &copy, false, &size, NULL), EFI_BUFFER_TOO_SMALL);
    assert_int_equal(size, host.initrd_size);
    assert_int_equal(loader->LoadFile(loader, &copy, false, &size, data), EFI_SUCCESS);
    assert_memory_equal(data, host.initrd, size);
}

static void nothing_is_left(void)
{
    EFI_GUID initrd = guid_load_file2, volume = guid_simple_file_system;
    void *interface;
    assert_int_equal(bs_locate_protocol(&initrd, NULL, &interface), EFI_NOT_FOUND);
    assert_int_equal(bs_locate_protocol(&volume, NULL, &interface), EFI_NOT_FOUND);
}

static void plain_boot(void **state)
{
    (void)state;
    while_running = find_initrd;
    direct_boot();
    assert_int_equal(started, 1);
    assert_string_equal(seen_options, "console=ttyS0 quiet initrd=initrd");
    assert_non_null(strstr(reason, "returned: Success"));
    nothing_is_left();
    forget();
}

static void memory_comes_back(void **state)
{
    (void)state;
    direct_boot(); /* the pool has grown after this one */
    forget();
    uint64_t before = memory_free_bytes();
    direct_boot();
    forget();
    assert_int_equal(memory_free_bytes(), before);
}

static void no_efi_program(void **state)
{
    (void)state;
    no_program = true;
    direct_boot();
    assert_int_equal(started, 0);
    assert_non_null(strstr(reason, "no EFI program"));
    nothing_is_left();
}

static void find_files(void)
{
    EFI_GUID guid = guid_simple_file_system, info_guid = guid_file_info;
    EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *volume;
    EFI_FILE_PROTOCOL *root, *file;
    uint8_t data[4096];
    CHAR16 name[] = u"\\INITRD", missing[] = u"other";
    assert_int_equal(bs_locate_protocol(&guid, NULL, (void **)&volume), EFI_SUCCESS);
    assert_int_equal(volume->OpenVolume(volume, &root), EFI_SUCCESS);
    assert_int_equal(root->Open(root, &file, missing, EFI_FILE_MODE_READ, 0), EFI_NOT_FOUND);
    assert_int_equal(root->Open(root, &file, name, EFI_FILE_MODE_READ, 0), EFI_SUCCESS);
    UINTN size = sizeof(data);
    assert_int_equal(file->Read(file, &size, data), EFI_SUCCESS);
    assert_int_equal(size, host.initrd_size);
    UINT64 position;
    assert_int_equal(file->SetPosition(file, UINT64_MAX), EFI_SUCCESS);
    assert_int_equal(file->GetPosition(file, &position), EFI_SUCCESS);
    assert_int_equal(position, host.initrd_size);
    size = sizeof(data);
    assert_int_equal(file->GetInfo(file, &info_guid, &size, data), EFI_SUCCESS);
    file->Close(file);
    unsigned entries = 0;
    for (;; entries++) {
        size = sizeof(data);
        assert_int_equal(root->Read(root, &size, data), EFI_SUCCESS);
        if (size == 0)
            break;
    }
    assert_int_equal(entries, 3);
    root->Close(root);
}

static void files_around_the_kernel(void **state)
{
    (void)state;
    while_running = find_files;
    direct_boot();
    assert_int_equal(started, 1);
    forget();
}

/* A setup header of Linux with a PE header that claims `image_size` bytes of memory. */
static void become_linux(uint32_t image_size)
{
    static const uint8_t pe_offset = 0x40;
    host.setup_size = sizeof(host.setup);
    memset(host.setup, 0, sizeof(host.setup));
    memcpy(host.setup, "MZ", 2);
    host.setup[0x3C] = pe_offset;
    memcpy(host.setup + pe_offset, "PE\0\0", 4);
    memcpy(host.setup + pe_offset + 24 + 56, &image_size, 4);
    memcpy(host.kernel + 2, "HdrS", 4); /* 0x202 of the file */
}

static void kernel_is_no_file(void)
{
    EFI_GUID guid = guid_simple_file_system;
    EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *volume;
    EFI_FILE_PROTOCOL *root, *file;
    CHAR16 kernel[] = u"kernel", cmdline[] = u"cmdline";
    assert_int_equal(bs_locate_protocol(&guid, NULL, (void **)&volume), EFI_SUCCESS);
    assert_int_equal(volume->OpenVolume(volume, &root), EFI_SUCCESS);
    assert_int_equal(root->Open(root, &file, kernel, EFI_FILE_MODE_READ, 0), EFI_NOT_FOUND);
    assert_int_equal(root->Open(root, &file, cmdline, EFI_FILE_MODE_READ, 0), EFI_SUCCESS);
    file->Close(file);
    root->Close(root);
    find_initrd();
}

/* Room as claimed, unless that is less than the file or more than there is. */
static void linux_keeps_its_pages(void **state)
{
    static const struct {
        uint32_t claimed;
        uint64_t pages;
    } rows[] = { { 0x5000, 5 }, { 0, 2 }, { 0xFFFFFFFF, 2 } };
    for (unsigned measured = 0; measured < 2; measured++)
        for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            prepare(state);
            become_linux(rows[i].claimed);
            if (measured)
                measure();
            encrypted = measured;
            while_running = kernel_is_no_file;
            direct_init();
            assert_int_equal(direct_measured(), measured);
            uint64_t before = memory_free_bytes();
            direct_boot();
            assert_int_equal(started, 1);
            assert_int_equal(handed_over, rows[i].pages);
            forget();
            assert_true(memory_free_bytes() + 0x10000 > before);
        }
    no_program = true;
    direct_boot();
    assert_int_equal(started, 1);
    nothing_is_left();
}

static void find_archive(void)
{
    static const EFI_DEVICE_PATH_PROTOCOL end = { END_DEVICE_PATH, END_ENTIRE_DP, { 4, 0 } };
    EFI_DEVICE_PATH_PROTOCOL copy = end;
    EFI_GUID guid = guid_load_file2;
    EFI_LOAD_FILE2_PROTOCOL *loader;
    uint8_t data[4096];
    UINTN size = sizeof(data), begin = (host.initrd_size + 3) & ~3ul;
    assert_int_equal(bs_locate_protocol(&guid, NULL, (void **)&loader), EFI_SUCCESS);
    assert_int_equal(loader->LoadFile(loader, &copy, false, &size, data), EFI_SUCCESS);
    assert_int_equal(size, begin + archive_size);
    assert_memory_equal(data, host.initrd, host.initrd_size);
    for (UINTN i = host.initrd_size; i < size; i++)
        assert_int_equal(data[i], i < begin ? 0 : 0xCA);
    assert_int_equal(wiped, 0);
}

/* Behind the measured initrd, on a boundary of four, and behind none. */
static void credentials_follow_the_initrd(void **state)
{
    (void)state;
    for (host.initrd_size = 0; host.initrd_size < 6; host.initrd_size++) {
        measure();
        encrypted = true;
        archive_size = 100;
        wiped = started = 0;
        while_running = find_archive;
        direct_init();
        direct_boot();
        assert_int_equal(started, 1);
        assert_int_equal(wiped, 1);
        forget();
    }
}

static void nothing_offered(void **state)
{
    (void)state;
    host.kernel_size = 0;
    direct_boot();
    assert_int_equal(started, 0);
}

static void noise_is_no_table(void **state)
{
    (void)state;
    encrypted = true;
    direct_init();
    assert_false(direct_measured());
    direct_boot();
    assert_int_equal(started, 1);
    forget();
}

/* True: the boot stopped and the reason names the blob. */
static bool stops_naming(const char *name)
{
    started = 0;
    reason[0] = 0;
    encrypted = true;
    if (setjmp(stopped) == 0) {
        direct_init();
        direct_boot();
        forget();
        return false;
    }
    return started == 0 && strstr(reason, name) != NULL;
}

static void measured_boot(void **state)
{
    (void)state;
    measure();
    assert_false(stops_naming(""));
    assert_int_equal(started, 1);
    assert_true(direct_measured());
    host.initrd_size = host.command_line_size = 0;
    measure();
    assert_false(stops_naming(""));
    assert_int_equal(started, 1);
}

static void every_blob_is_enforced(void **state)
{
    measure();
    host.setup[511] ^= 1;
    assert_true(stops_naming("kernel"));
    prepare(state);
    measure();
    host.kernel[4999] ^= 0x80;
    assert_true(stops_naming("kernel"));
    prepare(state);
    measure();
    host.initrd[0] ^= 1;
    assert_true(stops_naming("initrd"));
    prepare(state);
    measure();
    host.command_line[3] ^= 1;
    assert_true(stops_naming("command line"));
}

static void lengths_are_enforced(void **state)
{
    measure();
    host.initrd_size--;
    assert_true(stops_naming("initrd"));
    prepare(state);
    measure();
    host.initrd_size = 0;
    assert_true(stops_naming("initrd"));
    prepare(state);
    measure();
    host.command_line_size = 0;
    assert_true(stops_naming("command line"));
    prepare(state);
    host.initrd_size = 0;
    measure();
    host.initrd_size = 1;
    assert_true(stops_naming("initrd"));
    prepare(state);
    measure();
    host.kernel_size = 0;
    assert_true(stops_naming("kernel"));
}

static void missing_entries_stop(void **state)
{
    static const char *const names[] = { "command line", "initrd", "kernel" };
    for (unsigned i = 0; i < 3; i++) {
        prepare(state);
        measure();
        ((uint8_t *)(LAUNCH_PAGE + 0xC00))[18 + i * 50] ^= 1;
        assert_true(stops_naming(names[i]));
    }
    prepare(state);
    measure();
    ((uint8_t *)(LAUNCH_PAGE + 0xC00))[16]--;
    assert_true(stops_naming("malformed"));
}

static void sizes_are_bounded(void **state)
{
    (void)state;
    host.initrd_size = 0xFFFFFFFF;
    assert_true(stops_naming("initrd"));
    prepare(state);
    host.command_line_size = 0x10001;
    assert_true(stops_naming("command line"));
}

static void offer(const char *name)
{
    host.boot_file = name;
    memcpy(host.boot_content, host.setup, host.setup_size);
    memcpy(host.boot_content + host.setup_size, host.kernel, host.kernel_size);
    host.boot_size = host.setup_size + host.kernel_size;
}

static void every_boot_file_is_enforced(void **state)
{
    measure();
    offer("etc/boot/kernel");
    assert_false(stops_naming(""));
    assert_int_equal(started, 1);
    prepare(state);
    measure();
    offer("etc/boot/kernel");
    host.boot_content[5000] ^= 1;
    assert_true(stops_naming("etc/boot/kernel does not match"));
    prepare(state);
    measure();
    offer("etc/boot/initrd");
    assert_true(stops_naming("etc/boot/initrd does not match"));
    prepare(state);
    measure();
    offer("etc/boot/shim");
    assert_true(stops_naming("etc/boot/shim"));
    prepare(state);
    offer("etc/boot/shim"); /* without hashes it is nobody's business */
    assert_false(stops_naming(""));
    assert_int_equal(started, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(plain_boot, prepare),
        cmocka_unit_test_setup(files_around_the_kernel, prepare),
        cmocka_unit_test_setup(memory_comes_back, prepare),
        cmocka_unit_test_setup(linux_keeps_its_pages, prepare),
        cmocka_unit_test_setup(no_efi_program, prepare),
        cmocka_unit_test_setup(credentials_follow_the_initrd, prepare),
        cmocka_unit_test_setup(nothing_offered, prepare),
        cmocka_unit_test_setup(noise_is_no_table, prepare),
        cmocka_unit_test_setup(sizes_are_bounded, prepare),
        cmocka_unit_test_setup(measured_boot, prepare),
        cmocka_unit_test_setup(every_blob_is_enforced, prepare),
        cmocka_unit_test_setup(lengths_are_enforced, prepare),
        cmocka_unit_test_setup(missing_entries_stop, prepare),
        cmocka_unit_test_setup(every_boot_file_is_enforced, prepare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
