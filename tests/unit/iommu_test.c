/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * DMA of loaders' drivers: what is shared with devices in a SEV guest and what is not, and that
 * nothing is given back twice. RAM is a buffer of the test, the shared pool a part of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/sev/dma.h"
#include "firmware/sev/sev.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/pci_protocols.h"
#include "firmware/uefi/services.h"

enum { PAGE = 4096, RAM = 64 * PAGE, POOL = 48 * PAGE, READ = 0, WRITE = 1, COMMON = 2, WIDE = 3 };

const struct guid guid_edkii_iommu;
static _Alignas(PAGE) uint8_t board[PAGE + RAM];
static uint8_t *const ram = board + PAGE; /* from POOL on: the pool */
static bool sev, pool_used[RAM / PAGE];
static unsigned bounces, pages_taken;
static EDKII_IOMMU_PROTOCOL *published;

bool sev_active(void)
{
    return sev;
}

uint64_t interrupts_save(void)
{
    return 0;
}

void interrupts_restore(uint64_t flags)
{
}

bool handle_valid(EFI_HANDLE handle)
{
    return handle == ram;
}

void handle_install(EFI_HANDLE *handle, const EFI_GUID *protocol, void *interface)
{
    published = interface;
}

bool memory_is_ram(uint64_t base, uint64_t length)
{
    return base >= (uintptr_t)ram && base + length <= (uintptr_t)ram + RAM;
}

void *pool_allocate(enum memory_type type, size_t size)
{
    return calloc(1, size);
}

void pool_free(void *data)
{
    free(data);
}

EFI_STATUS EFIAPI bs_allocate_pages(EFI_ALLOCATE_TYPE how, UINT32 type, UINTN pages,
                                    EFI_PHYSICAL_ADDRESS *memory)
{
    pages_taken += (unsigned)pages;
    *memory = (uintptr_t)ram;
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI bs_free_pages(EFI_PHYSICAL_ADDRESS memory, UINTN pages)
{
    pages_taken -= (unsigned)pages;
    return EFI_SUCCESS;
}

void *dma_alloc(size_t length, uint64_t *ret_device)
{
    size_t pages = (length + PAGE - 1) / PAGE;
    for (size_t at = POOL / PAGE; at + pages <= RAM / PAGE; at++) {
        size_t run = 0;
        while (run < pages && !pool_used[at + run])
            run++;
        if (run < pages)
            continue;
        memset(pool_used + at, true, pages);
        *ret_device = (uintptr_t)ram + at * PAGE;
        return ram + at * PAGE;
    }
    return NULL;
}

void dma_free(void *shared, size_t length)
{
    size_t at = (size_t)((uint8_t *)shared - ram) / PAGE;
    for (size_t i = 0; i < (length + PAGE - 1) / PAGE; i++) {
        assert_true(pool_used[at + i]);
        pool_used[at + i] = false;
    }
}

bool dma_is_shared(const void *data, size_t length)
{
    size_t at = (size_t)((const uint8_t *)data - ram);
    return at >= POOL && at + length <= RAM && pool_used[at / PAGE];
}

bool dma_bounce(void *data, size_t length, enum dma_direction direction, struct dma_mapping *ret)
{
    *ret = (struct dma_mapping){ .data = data, .length = length, .direction = direction };
    ret->shared = dma_alloc(length, &ret->device);
    if (ret->shared && direction != DMA_FROM_DEVICE)
        memcpy(ret->shared, data, length);
    bounces += ret->shared != NULL;
    return ret->shared != NULL;
}

void dma_unmap(struct dma_mapping *mapping)
{
    if (mapping->shared == mapping->data)
        return;
    if (mapping->direction != DMA_TO_DEVICE)
        memcpy(mapping->data, mapping->shared, mapping->length);
    dma_free(mapping->shared, mapping->length);
    bounces--;
}

static int fresh(void **state)
{
    sev = *state != NULL;
    memset(pool_used, 0, sizeof(pool_used));
    memset(ram, 0x11, RAM);
    published = NULL;
    iommu_init();
    return 0;
}

static EFI_STATUS map(uint32_t operation, void *host, UINTN bytes, uint8_t **ret, void **mapping)
{
    EFI_PHYSICAL_ADDRESS device = 0;
    EFI_STATUS status = iommu_map(operation, host, &bytes, &device, mapping);
    *ret = (uint8_t *)(uintptr_t)device;
    return status;
}

/* What a device sees and changes is a copy; private memory stays where the device cannot be. */
static void sev_bounces(void **state)
{
    uint8_t *seen;
    void *mapping;
    ram[100] = 0x42;
    assert_int_equal(map(READ, ram + 100, 50, &seen, &mapping), EFI_SUCCESS);
    assert_true(seen >= ram + POOL && seen[0] == 0x42);
    seen[0] = 0;
    assert_int_equal(iommu_unmap(mapping), EFI_SUCCESS);
    assert_int_equal(ram[100], 0x42);
    assert_int_equal(iommu_unmap(mapping), EFI_INVALID_PARAMETER);
    assert_int_equal(map(WRITE + WIDE, ram + 100, 50, &seen, &mapping), EFI_SUCCESS);
    seen[0] = 0x43;
    assert_int_equal(iommu_unmap(mapping), EFI_SUCCESS);
    assert_int_equal(ram[100], 0x43);
    assert_int_equal(map(READ, ram, POOL, &seen, &mapping), EFI_OUT_OF_RESOURCES);
    assert_int_equal(bounces, 0);
}

static void sev_common_buffers_are_of_the_pool(void **state)
{
    uint8_t *seen;
    void *mapping, *buffer;
    assert_int_equal(map(COMMON, ram, PAGE, &seen, &mapping), EFI_UNSUPPORTED);
    assert_int_equal(iommu_allocate(MEMORY_RUNTIME_DATA, 1, &buffer, 0), EFI_OUT_OF_RESOURCES);
    assert_int_equal(iommu_allocate(MEMORY_BOOT_DATA, 2, &buffer, 0), EFI_SUCCESS);
    assert_true((uint8_t *)buffer >= ram + POOL);
    assert_int_equal(map(COMMON, buffer, 2 * PAGE, &seen, &mapping), EFI_SUCCESS);
    assert_ptr_equal(seen, buffer);
    EDKII_IOMMU_PROTOCOL *protocol = published;
    assert_non_null(protocol);
    assert_int_equal(protocol->SetAttribute(protocol, ram, mapping, 3), EFI_SUCCESS);
    assert_int_equal(protocol->SetAttribute(protocol, ram, mapping, 0), EFI_SUCCESS);
    assert_int_equal(protocol->SetAttribute(protocol, ram, mapping, 1), EFI_INVALID_PARAMETER);
    assert_int_equal(protocol->SetAttribute(protocol, NULL, mapping, 3), EFI_INVALID_PARAMETER);
    assert_int_equal(protocol->SetAttribute(protocol, ram, ram, 3), EFI_INVALID_PARAMETER);
    assert_int_equal(iommu_unmap(mapping), EFI_SUCCESS);
    assert_int_equal(iommu_free(1, buffer), EFI_INVALID_PARAMETER);
    assert_int_equal(iommu_free(2, ram), EFI_INVALID_PARAMETER);
    assert_int_equal(iommu_free(2, buffer), EFI_SUCCESS);
    assert_int_equal(iommu_free(2, buffer), EFI_INVALID_PARAMETER);
    assert_int_equal(iommu_allocate(MEMORY_BOOT_DATA, UINT64_MAX / 2, &buffer, 0),
                     EFI_OUT_OF_RESOURCES);
}

static void only_ram_is_mapped(void **state)
{
    uint8_t *seen;
    void *mapping;
    assert_int_equal(map(READ, ram, RAM + 1, &seen, &mapping), EFI_INVALID_PARAMETER);
    assert_int_equal(map(READ, ram - 1, 8, &seen, &mapping), EFI_INVALID_PARAMETER);
    assert_int_equal(map(READ, ram + 1, UINT64_MAX, &seen, &mapping), EFI_INVALID_PARAMETER);
    assert_int_equal(map(READ, ram, 0, &seen, &mapping), EFI_INVALID_PARAMETER);
    assert_int_equal(map(6, ram, 8, &seen, &mapping), EFI_INVALID_PARAMETER);
}

/* The test's memory lies above 4 GiB, out of reach of a device without dual address cycle. */
static void plain_maps_in_place_if_it_can(void **state)
{
    uint8_t *seen;
    void *mapping, *buffer;
    assert_null(published);
    assert_int_equal(map(WRITE + WIDE, ram + 8, 8, &seen, &mapping), EFI_SUCCESS);
    assert_ptr_equal(seen, ram + 8);
    assert_int_equal(iommu_unmap(mapping), EFI_SUCCESS);
    if ((uintptr_t)ram >> 32) {
        assert_int_equal(map(WRITE, ram + 8, 8, &seen, &mapping), EFI_SUCCESS);
        assert_ptr_not_equal(seen, ram + 8);
        assert_int_equal(iommu_unmap(mapping), EFI_SUCCESS);
        assert_int_equal(map(COMMON, ram, 8, &seen, &mapping), EFI_UNSUPPORTED);
    }
    assert_int_equal(iommu_allocate(MEMORY_RUNTIME_DATA, 3, &buffer, 0), EFI_SUCCESS);
    assert_int_equal(pages_taken, 3);
    assert_int_equal(iommu_free(3, buffer), EFI_SUCCESS);
    assert_int_equal(pages_taken, 0);
}

int main(void)
{
    static int encrypted;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate_setup_teardown(sev_bounces, fresh, NULL, &encrypted),
        cmocka_unit_test_prestate_setup_teardown(sev_common_buffers_are_of_the_pool, fresh, NULL,
                                                 &encrypted),
        cmocka_unit_test_prestate_setup_teardown(only_ram_is_mapped, fresh, NULL, &encrypted),
        cmocka_unit_test_setup(only_ram_is_mapped, fresh),
        cmocka_unit_test_setup(plain_maps_in_place_if_it_can, fresh),
    };
    return cmocka_run_group_tests_name("firmware-iommu", tests, NULL, NULL);
}
