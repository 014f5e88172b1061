/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* fw_cfg and the firmware's memory, played for one parser at a time. */
#include "tests/fuzz/host_files.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "firmware/boot/direct.h"
#include "firmware/platform/acpi.h"
#include "firmware/platform/fwcfg.h"
#include "firmware/platform/memory_map.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/uefi.h"

enum { KEY_BASE = 0x20, SIZE_MAXIMUM = 1 << 20, ALLOCATIONS = 64, TABLES = 8, PAGE = 4096 };

static struct {
    const char *name;
    uint8_t *data;
    uint32_t size;
} files[HOST_FILES_MAXIMUM];
static struct {
    uint8_t *base;
    size_t length;
} allocations[ALLOCATIONS];
static unsigned file_count, allocation_count, table_count;
static uint8_t *tables[TABLES];
static uint16_t selected;
static size_t position;

void host_files_load(const char *const *names, const uint8_t *data, size_t size)
{
    for (; *names; names++) {
        uint32_t numbers[2];
        if (size < sizeof(numbers))
            return;
        memcpy(numbers, data, sizeof(numbers));
        data += sizeof(numbers);
        size -= sizeof(numbers);
        size_t stored = numbers[1] < size ? numbers[1] : size;
        uint32_t length = numbers[0] < SIZE_MAXIMUM ? numbers[0] : SIZE_MAXIMUM;
        files[file_count].name = *names;
        files[file_count].size = length;
        files[file_count].data = calloc(1, length ? length : 1);
        if (!files[file_count].data)
            abort();
        memcpy(files[file_count].data, data, stored < length ? stored : length);
        file_count++;
        data += stored;
        size -= stored;
    }
}

void host_files_free(void)
{
    while (file_count > 0)
        free(files[--file_count].data);
    while (allocation_count > 0) {
        allocation_count--;
        munmap(allocations[allocation_count].base, allocations[allocation_count].length + PAGE);
    }
    table_count = 0;
}

unsigned host_tables_set(void)
{
    return table_count;
}

uint8_t *host_table(unsigned index)
{
    return tables[index];
}

size_t host_memory_left(const void *at)
{
    for (unsigned i = 0; i < allocation_count; i++) {
        uintptr_t offset = (uintptr_t)at - (uintptr_t)allocations[i].base;
        if (offset < allocations[i].length)
            return allocations[i].length - offset;
    }
    return 0;
}

bool fwcfg_file_at(size_t index, const char **ret_name, uint16_t *ret_key, uint32_t *ret_size)
{
    if (index >= file_count)
        return false;
    *ret_name = files[index].name;
    *ret_key = (uint16_t)(KEY_BASE + index);
    *ret_size = files[index].size;
    return true;
}

bool fwcfg_find(const char *name, uint16_t *ret_key, uint32_t *ret_size)
{
    const char *at;
    for (size_t i = 0; fwcfg_file_at(i, &at, ret_key, ret_size); i++)
        if (strcmp(at, name) == 0)
            return true;
    return false;
}

void fwcfg_read_more(void *data, size_t length)
{
    size_t left = files[selected].size - position;
    size_t there = length < left ? length : left;
    memcpy(data, files[selected].data + position, there);
    memset((uint8_t *)data + there, 0, length - there);
    position += there;
}

void fwcfg_read(uint16_t key, void *data, size_t length)
{
    if (key < KEY_BASE || key - KEY_BASE >= (int)file_count)
        abort();
    selected = (uint16_t)(key - KEY_BASE);
    position = 0;
    fwcfg_read_more(data, length);
}

bool fwcfg_write(uint16_t key, uint32_t offset, const void *data, uint32_t length)
{
    unsigned index = key - KEY_BASE;
    if (index >= file_count || offset > files[index].size || length > files[index].size - offset)
        abort();
    memcpy(files[index].data + offset, data, length);
    return true;
}

/* Below 4 GiB as the firmware's, and the page behind it is out of bounds. */
uint64_t memory_allocate(enum memory_type type, uint64_t pages, uint64_t limit)
{
    size_t length = pages * PAGE;
    (void)type;
    (void)limit;
    if (allocation_count == ALLOCATIONS)
        return 0;
    uint8_t *base = mmap(NULL, length + PAGE, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (base == MAP_FAILED)
        return 0;
    if (mprotect(base + length, PAGE, PROT_NONE) != 0)
        abort();
    allocations[allocation_count].base = base;
    allocations[allocation_count++].length = length;
    return (uintptr_t)base;
}

void *pool_allocate(enum memory_type type, size_t size)
{
    (void)type;
    return malloc(size);
}

void pool_free(void *data)
{
    free(data);
}

void uefi_set_table(const struct guid *guid, void *table)
{
    (void)guid;
    if (table_count == TABLES || host_memory_left(table) == 0)
        abort();
    tables[table_count++] = table;
}

bool memory_map_ram(size_t index, uint64_t *ret_base, uint64_t *ret_length)
{
    (void)index;
    (void)ret_base;
    (void)ret_length;
    return false;
}

bool direct_measured(void)
{
    return false;
}

void acpi_builtin_init(void)
{
}

void log_line(const char *fmt, ...);
void log_line(const char *fmt, ...)
{
    (void)fmt;
}

_Noreturn void panic(const char *fmt, ...);
void panic(const char *fmt, ...)
{
    (void)fmt;
    abort(); /* these parsers do without what is damaged */
}
