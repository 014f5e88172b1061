/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The table-loader script (QEMU hw/acpi/bios-linker-loader.c): 128-byte commands that place files
 * in memory, link them and set checksums. Each operand is checked against the files that were
 * placed; a bad command drops all tables, because half of a set misleads an operating system.
 * The files go to private memory of type ACPI NVS: they contain the FACS.
 */
#include "firmware/platform/acpi.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/boot/direct.h"
#include "firmware/lib/log.h"
#include "firmware/lib/string.h"
#include "firmware/platform/fwcfg.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/uefi.h"

enum {
    NAME_SIZE = 56, FILES_MAX = 16, FILE_SIZE_MAX = 16 * 1024 * 1024, SCRIPT_MAX = 256 * 1024,
    PAGE = 4096, RSDP_1_SIZE = 20, RSDP_2_SIZE = 36, HEADER_SIZE = 36, TABLES_MAX = 256,
};

enum command_type { ALLOCATE = 1, ADD_POINTER = 2, ADD_CHECKSUM = 3, WRITE_POINTER = 4 };

struct command {
    uint32_t type;
    union {
        struct {
            char file[NAME_SIZE];
            uint32_t align;
            uint8_t zone;
        } __attribute__((packed)) allocate;
        struct {
            char file[NAME_SIZE], target[NAME_SIZE];
            uint32_t offset;
            uint8_t size;
        } __attribute__((packed)) pointer;
        struct {
            char file[NAME_SIZE];
            uint32_t result, start, length;
        } __attribute__((packed)) checksum;
        struct {
            char file[NAME_SIZE], target[NAME_SIZE];
            uint32_t offset, target_offset;
            uint8_t size;
        } __attribute__((packed)) write;
        uint8_t bytes[124];
    };
} __attribute__((packed));
_Static_assert(sizeof(struct command) == 128, "wire format");

struct file {
    char name[NAME_SIZE];
    uint8_t *data;
    uint32_t size;
};

static struct file files[FILES_MAX];
static size_t file_count;

static const struct guid acpi_1_guid = {
    0xeb9d2d30, 0x2d88, 0x11d3, { 0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d } };
static const struct guid acpi_2_guid = {
    0x8868e871, 0xe4f1, 0x11d3, { 0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81 } };

static bool name_valid(const char *name)
{
    return name[0] != '\0' && strnlen(name, NAME_SIZE) < NAME_SIZE;
}

static struct file *file_find(const char *name)
{
    for (size_t i = 0; name_valid(name) && i < file_count; i++) {
        if (strcmp(files[i].name, name) == 0) {
            return &files[i];
        }
    }
    return NULL;
}

static bool inside(const struct file *file, uint32_t offset, uint32_t length)
{
    return file != NULL && offset <= file->size && length <= file->size - offset;
}

static bool pointer_size_valid(uint8_t size)
{
    return size == 1 || size == 2 || size == 4 || size == 8;
}

static const char *do_allocate(const struct command *c)
{
    const uint32_t align = c->allocate.align;
    uint16_t key;
    uint32_t size;

    if (!name_valid(c->allocate.file) || file_find(c->allocate.file) != NULL) {
        return "bad or repeated file name";
    }
    if (!fwcfg_find(c->allocate.file, &key, &size) || size == 0 || size > FILE_SIZE_MAX) {
        return "file missing or of impossible size";
    }
    if (align == 0 || (align & (align - 1)) != 0 || align > PAGE || file_count == FILES_MAX) {
        return "impossible alignment or too many files";
    }
    uint64_t base = memory_allocate(MEMORY_ACPI_NVS, (size + PAGE - 1) / PAGE, 1ull << 32);
    if (base == 0) {
        return "no memory";
    }
    struct file *file = &files[file_count++];
    memcpy(file->name, c->allocate.file, NAME_SIZE);
    file->data = (uint8_t *)(uintptr_t)base;
    file->size = size;
    fwcfg_read(key, file->data, size);
    return NULL;
}

static const char *do_add_pointer(const struct command *c)
{
    struct file *file = file_find(c->pointer.file);
    const struct file *target = file_find(c->pointer.target);
    uint8_t size = c->pointer.size;
    uint64_t value = 0;

    if (target == NULL || !pointer_size_valid(size) || !inside(file, c->pointer.offset, size)) {
        return "pointer outside its file";
    }
    memcpy(&value, file->data + c->pointer.offset, size);
    if (value >= target->size) {
        return "pointer beyond the file it points into";
    }
    value += (uintptr_t)target->data;
    if (size < 8 && value >> (8 * size) != 0) {
        return "pointer too narrow";
    }
    memcpy(file->data + c->pointer.offset, &value, size);
    return NULL;
}

static uint8_t sum(const uint8_t *data, size_t length)
{
    uint8_t total = 0;

    for (size_t i = 0; i < length; i++) {
        total = (uint8_t)(total + data[i]);
    }
    return total;
}

static const char *do_add_checksum(const struct command *c)
{
    struct file *file = file_find(c->checksum.file);

    if (!inside(file, c->checksum.start, c->checksum.length)
        || !inside(file, c->checksum.result, 1)) {
        return "checksum outside its file";
    }
    uint8_t *result = file->data + c->checksum.result;
    *result = (uint8_t)(*result - sum(file->data + c->checksum.start, c->checksum.length));
    return NULL;
}

/* Tells the host where something was placed (VM generation id, error records). */
static const char *do_write_pointer(const struct command *c)
{
    const struct file *target = file_find(c->write.target);
    uint16_t key;
    uint32_t size;

    if (!name_valid(c->write.file) || !fwcfg_find(c->write.file, &key, &size)
        || !pointer_size_valid(c->write.size) || c->write.offset > size
        || c->write.size > size - c->write.offset || !inside(target, c->write.target_offset, 1)) {
        return "write-pointer outside its files";
    }
    uint64_t value = (uintptr_t)target->data + c->write.target_offset;
    if (c->write.size < 8 && value >> (8 * c->write.size) != 0) {
        return "write-pointer too narrow";
    }
    return fwcfg_write(key, c->write.offset, &value, c->write.size) ? NULL : "host refused a write";
}

/* Runs the script; the reason of the first failure, NULL if all went well. */
static const char *run(const struct command *script, size_t count, size_t *ret_at)
{
    static const char *(*const actions[])(const struct command *) = {
        [ALLOCATE] = do_allocate, [ADD_POINTER] = do_add_pointer,
        [ADD_CHECKSUM] = do_add_checksum, [WRITE_POINTER] = do_write_pointer };

    for (size_t i = 0; i < count; i++) {
        uint32_t type = script[i].type;
        if (type == 0 || type >= sizeof(actions) / sizeof(actions[0])) {
            continue; /* the format lets unknown commands be skipped */
        }
        const char *reason = actions[type](&script[i]);
        if (reason != NULL) {
            *ret_at = i;
            return reason;
        }
    }
    return NULL;
}

/* An address that the tables contain, with `length` bytes: inside one of the files, or NULL. */
static uint8_t *at_address(uint64_t address, uint32_t length)
{
    for (size_t i = 0; i < file_count; i++) {
        uint64_t offset = address - (uintptr_t)files[i].data;
        if (offset < files[i].size && length <= files[i].size - offset) {
            return files[i].data + offset;
        }
    }
    return NULL;
}

static uint8_t *table_at(uint64_t address, uint32_t *ret_length)
{
    const uint8_t *header = at_address(address, HEADER_SIZE);
    uint32_t length;

    if (header == NULL) {
        return NULL;
    }
    memcpy(&length, header + 4, sizeof(length));
    *ret_length = length;
    return length >= HEADER_SIZE ? at_address(address, length) : NULL;
}

/*
 * UEFI loaders look for ACPI 2.0 tables; QEMU gives a revision 0 RSDP on this board. The same
 * tables behind an XSDT (ACPI 6.5 5.2.8): RSDP at the start of a page, XSDT after it.
 */
static uint8_t *upgrade(const uint8_t *old)
{
    uint32_t rsdt_address, length;

    memcpy(&rsdt_address, old + 16, sizeof(rsdt_address));
    const uint8_t *rsdt = table_at(rsdt_address, &length);
    if (rsdt == NULL || memcmp(rsdt, "RSDT", 4) != 0) {
        return NULL;
    }
    uint32_t count = (length - HEADER_SIZE) / 4;
    if (count > TABLES_MAX) {
        return NULL;
    }
    uint32_t xsdt_length = HEADER_SIZE + 8 * count;
    uint64_t base = memory_allocate(MEMORY_ACPI_NVS, 1, 1ull << 32);
    if (base == 0) {
        return NULL;
    }
    uint8_t *rsdp = (uint8_t *)(uintptr_t)base, *xsdt = rsdp + 64;
    memcpy(xsdt, rsdt, HEADER_SIZE);
    memcpy(xsdt, "XSDT", 4);
    memcpy(xsdt + 4, &xsdt_length, sizeof(xsdt_length));
    for (uint32_t i = 0; i < count; i++) {
        uint64_t entry = 0;
        memcpy(&entry, rsdt + HEADER_SIZE + 4 * i, 4);
        memcpy(xsdt + HEADER_SIZE + 8 * i, &entry, 8);
    }
    xsdt[9] = 0;
    xsdt[9] = (uint8_t)-sum(xsdt, xsdt_length);

    const uint32_t rsdp_length = RSDP_2_SIZE;
    const uint64_t xsdt_address = base + 64;
    memcpy(rsdp, old, RSDP_1_SIZE);
    rsdp[15] = 2;
    memcpy(rsdp + 20, &rsdp_length, sizeof(rsdp_length));
    memcpy(rsdp + 24, &xsdt_address, sizeof(xsdt_address));
    rsdp[8] = 0;
    rsdp[8] = (uint8_t)-sum(rsdp, RSDP_1_SIZE);
    rsdp[32] = (uint8_t)-sum(rsdp, RSDP_2_SIZE);
    return rsdp;
}

static void install(void)
{
    struct file *file = file_find("etc/acpi/rsdp");

    if (!inside(file, 0, RSDP_1_SIZE) || memcmp(file->data, "RSD PTR ", 8) != 0
        || sum(file->data, RSDP_1_SIZE) != 0) {
        log_line("ACPI: no usable RSDP, no tables");
        return;
    }
    if (file->data[15] >= 2 && file->size >= RSDP_2_SIZE) {
        uefi_set_table(&acpi_2_guid, file->data);
        return;
    }
    uint8_t *rsdp = upgrade(file->data);
    if (rsdp != NULL) {
        uefi_set_table(&acpi_2_guid, rsdp);
    } else {
        uefi_set_table(&acpi_1_guid, file->data);
    }
}

static bool builtin_wanted(void)
{
    static const char word[] = "builtin";
    char text[sizeof(word)] = "";
    uint16_t key;
    uint32_t size;

    if (direct_measured()) {
        return true;
    }
    if (!fwcfg_find("opt/org.privet/acpi", &key, &size)) {
        return false;
    }
    if (size == sizeof(word) - 1) {
        fwcfg_read(key, text, size);
    }
    if (strcmp(text, word) != 0) {
        log_line("ACPI: opt/org.privet/acpi does not say \"builtin\" and does not count");
    }
    return strcmp(text, word) == 0;
}

void acpi_init(void)
{
    uint16_t key;
    uint32_t size;
    size_t at;

    if (builtin_wanted()) {
        acpi_builtin_init();
        return;
    }
    if (!fwcfg_find("etc/table-loader", &key, &size)) {
        log_line("ACPI: the host gives no tables");
        return;
    }
    if (size == 0 || size > SCRIPT_MAX || size % sizeof(struct command) != 0) {
        log_line("ACPI: table-loader script of impossible size %u, no tables", size);
        return;
    }
    struct command *script = pool_allocate(MEMORY_BOOT_DATA, size);
    if (script == NULL) {
        log_line("ACPI: no memory for the table-loader script, no tables");
        return;
    }
    file_count = 0;
    fwcfg_read(key, script, size);
    const char *reason = run(script, size / sizeof(*script), &at);
    if (reason != NULL) {
        log_line("ACPI: table-loader command %lu: %s; no tables", at, reason);
    } else {
        install();
    }
    pool_free(script);
}
