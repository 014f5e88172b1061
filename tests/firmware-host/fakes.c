/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* See fakes.h. */
#include "fakes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/arch/io.h"
#include "firmware/arch/paging.h"
#include "firmware/arch/time.h"
#include "firmware/drivers/drivers.h"
#include "firmware/lib/log.h"
#include "firmware/sev/dma.h"
#include "firmware/sev/sev.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

enum { REGIONS = 512, ALLOCATIONS = 4096, CAPABILITY_LENGTH = 20, POOL = 2 * 1024 * 1024 };

struct fakes fakes;

static struct region {
    uint8_t *data;
    size_t length;
} regions[REGIONS];
static size_t region_count;
static void *allocations[ALLOCATIONS];
static size_t allocation_count;
static unsigned pool_calls;
static struct {
    EFI_EVENT_NOTIFY notify;
    void *context;
} exits[FAKES_EXITS];
static size_t exit_count;

/* --- memory --- */

static void add_region(void *data, size_t length)
{
    if (region_count == REGIONS)
        abort();
    regions[region_count++] = (struct region){ data, length };
}

static void remove_region(const void *data)
{
    for (size_t i = region_count; i-- > 0;)
        if (regions[i].data == data) {
            regions[i] = regions[--region_count];
            return;
        }
    abort(); /* freed twice or never allocated */
}

void *fakes_dma(uint64_t address, uint64_t length)
{
    for (size_t i = 0; i < region_count; i++) {
        uint64_t offset = address - (uintptr_t)regions[i].data;
        if (address >= (uintptr_t)regions[i].data && offset <= regions[i].length &&
            length <= regions[i].length - offset)
            return regions[i].data + offset;
    }
    return NULL;
}

bool fakes_is_dma(uintptr_t address)
{
    return fakes_dma(address, 1) != NULL;
}

void *dma_alloc(size_t length, uint64_t *ret_device)
{
    void *data;
    if (length == 0 || length > fakes.dma_limit || posix_memalign(&data, 4096, length) != 0)
        return NULL;
    fakes.dma_limit -= length;
    memset(data, 0, length);
    add_region(data, length);
    *ret_device = (uintptr_t)data;
    return data;
}

void dma_free(void *shared, size_t length)
{
    remove_region(shared);
    fakes.dma_limit += length;
    free(shared);
}

bool dma_bounce(void *data, size_t length, enum dma_direction direction, struct dma_mapping *ret)
{
    *ret = (struct dma_mapping){ .data = data, .length = length, .direction = direction };
    ret->shared = dma_alloc(length, &ret->device);
    if (!ret->shared)
        return false;
    if (direction != DMA_FROM_DEVICE)
        memcpy(ret->shared, data, length);
    fakes.mappings++;
    return true;
}

bool dma_map(void *data, size_t length, enum dma_direction direction, struct dma_mapping *ret)
{
    if (fakes.sev)
        return dma_bounce(data, length, direction, ret);
    *ret = (struct dma_mapping){ data, (uintptr_t)data, data, length, direction };
    add_region(data, length);
    fakes.mappings++;
    return true;
}

void dma_unmap(struct dma_mapping *mapping)
{
    fakes.mappings--;
    if (mapping->shared == mapping->data) {
        remove_region(mapping->data);
        return;
    }
    if (mapping->direction != DMA_TO_DEVICE)
        memcpy(mapping->data, mapping->shared, mapping->length);
    dma_free(mapping->shared, mapping->length);
}

void dma_copy_out(void *to, const void *shared, size_t length)
{
    memcpy(to, shared, length);
    for (size_t i = 0; fakes.tamper && i < length; i++)
        ((uint8_t *)to)[i] = (uint8_t)fakes.tamper(((uint8_t *)to)[i], 1);
}

void *pool_allocate(enum memory_type type, size_t size)
{
    if (++pool_calls == fakes.pool_failure || allocation_count == ALLOCATIONS)
        return NULL;
    return allocations[allocation_count++] = malloc(size);
}

void pool_free(void *data)
{
    for (size_t i = allocation_count; data && i-- > 0;)
        if (allocations[i] == data) {
            allocations[i] = allocations[--allocation_count];
            free(data);
            return;
        }
    if (data)
        abort();
}

/* --- the platform --- */

bool sev_active(void)
{
    return fakes.sev;
}

uint64_t time_now_100ns(void)
{
    return fakes.now += fakes.step;
}

void time_delay_us(uint64_t microseconds)
{
    fakes.now += microseconds * 10;
}

void paging_map_device(uint64_t base, uint64_t length)
{
}

static uint64_t tampered(uint64_t value, unsigned size)
{
    return fakes.tamper ? fakes.tamper(value, size) : value;
}

static const struct fake_registers *registers_at(uint64_t address, unsigned size)
{
    for (size_t i = 0; i < fakes.functions; i++) {
        const struct fake_registers *registers = &fakes.registers[i];
        if (address >= registers->base && address - registers->base + size <= registers->length)
            return registers;
    }
    abort(); /* outside every BAR */
}

uint64_t test_mmio_read(uint64_t address, unsigned size)
{
    const struct fake_registers *registers = registers_at(address, size);
    return tampered(registers->read(registers->context, address - registers->base, size), size);
}

void test_mmio_write(uint64_t address, unsigned size, uint64_t value)
{
    const struct fake_registers *registers = registers_at(address, size);
    registers->write(registers->context, address - registers->base, size, value);
}

bool pci_function_at(size_t index, const struct pci_function **ret)
{
    if (index >= fakes.functions)
        return false;
    *ret = &fakes.function[index];
    return true;
}

static uint32_t config_read(uint16_t address, unsigned offset, unsigned size)
{
    uint32_t value = 0;
    if (offset + size > 256 || address >> 3 >= FAKES_FUNCTIONS)
        abort();
    memcpy(&value, &fakes.config[address >> 3][offset], size);
    return (uint32_t)tampered(value, size);
}

uint8_t pci_read8(uint16_t address, unsigned offset)
{
    return (uint8_t)config_read(address, offset, 1);
}

uint32_t pci_read32(uint16_t address, unsigned offset)
{
    return config_read(address, offset, 4);
}

unsigned pci_capability(uint16_t address, uint8_t id, unsigned start)
{
    const uint8_t *config = fakes.config[address >> 3];
    for (unsigned at = config[start ? start + 1 : 0x34]; at; at = config[at + 1])
        if (config[at] == id)
            return at;
    return 0;
}

/* --- UEFI and messages --- */

EFI_STATUS EFIAPI bs_create_event(UINT32 type, EFI_TPL tpl, EFI_EVENT_NOTIFY notify, VOID *context,
                                  EFI_EVENT *ret)
{
    size_t at = 0;
    while (at < exit_count && exits[at].notify)
        at++;
    if (at == FAKES_EXITS)
        return EFI_OUT_OF_RESOURCES;
    exits[at].notify = notify;
    exits[at].context = context;
    exit_count += at == exit_count;
    *ret = &exits[at];
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI bs_close_event(EFI_EVENT event)
{
    for (size_t i = 0; i < exit_count; i++)
        if (event == &exits[i]) {
            exits[i].notify = NULL;
            return EFI_SUCCESS;
        }
    abort(); /* closed twice or never created */
}

void block_publish(struct block_device *device, EFI_DEVICE_PATH_PROTOCOL *path)
{
    if (fakes.published == FAKES_PUBLISHED || !path)
        abort();
    fakes.disk[fakes.published].device = device;
    fakes.disk[fakes.published++].path = path;
}

void device_cut_off(uint16_t address)
{
    fakes.cut_off++;
}

void device_refuse(uint16_t address, const char *driver, const char *reason)
{
    if (fakes.refused == FAKES_REFUSED)
        abort();
    fakes.reason[fakes.refused++] = reason;
}

EFI_DEVICE_PATH_PROTOCOL *devicepath_of_pci(uint16_t address)
{
    PCI_DEVICE_PATH node = { { HARDWARE_DEVICE_PATH, HW_PCI_DP, { 6, 0 } },
                             (UINT8)(address & 7),
                             (UINT8)(address >> 3) };
    return devicepath_append(NULL, &node.Header);
}

void log_line(const char *fmt, ...)
{
    va_list arguments;
    va_start(arguments, fmt);
    (void)vsnprintf(fakes.line, sizeof(fakes.line), fmt, arguments);
    va_end(arguments);
    fakes.lines++;
}

void panic(const char *fmt, ...)
{
    va_list arguments;
    va_start(arguments, fmt);
    (void)vfprintf(stderr, fmt, arguments);
    va_end(arguments);
    abort();
}

/* --- for tests --- */

void fakes_reset(void)
{
    while (allocation_count > 0)
        free(allocations[--allocation_count]);
    while (region_count > 0)
        free(regions[--region_count].data);
    exit_count = 0;
    pool_calls = 0;
    fakes = (struct fakes){ .step = 10000, .dma_limit = POOL };
}

size_t fakes_add(uint16_t vendor, uint16_t device, uint32_t class_code, unsigned bar,
                 const struct fake_registers *registers)
{
    size_t index = fakes.functions++;
    struct pci_function *function = &fakes.function[index];
    *function = (struct pci_function){ .address = (uint16_t)(index << 3),
                                       .vendor = vendor,
                                       .device = device,
                                       .class_code = class_code };
    function->bars[bar] = (struct pci_bar){ registers->base, registers->length, false, true };
    fakes.registers[index] = *registers;
    return index;
}

void fakes_add_virtio_capability(size_t index, uint8_t kind, unsigned bar, uint32_t offset,
                                 uint32_t length, uint32_t extra)
{
    uint8_t *config = fakes.config[index];
    uint8_t *link = &config[0x34];
    unsigned at = 0x40;
    while (*link) {
        at = *link + CAPABILITY_LENGTH;
        link = &config[*link + 1];
    }
    *link = (uint8_t)at;
    config[at] = 9;
    config[at + 2] = CAPABILITY_LENGTH;
    config[at + 3] = kind;
    config[at + 4] = (uint8_t)bar;
    memcpy(config + at + 8, &offset, 4);
    memcpy(config + at + 12, &length, 4);
    memcpy(config + at + 16, &extra, 4);
}

void fakes_exit(void)
{
    for (size_t i = 0; i < exit_count; i++)
        if (exits[i].notify)
            exits[i].notify(&exits[i], exits[i].context);
    exit_count = 0;
}
