/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Frame buffers: QEMU's PCI display with Bochs' registers (QEMU docs/specs/standard-vga), and ramfb,
 * a piece of RAM that the host shows. The latter would have to be shared with the host for good, so
 * encrypted guests do without it.
 */
#include "firmware/drivers/display.h"

#include "firmware/arch/io.h"
#include "firmware/arch/paging.h"
#include "firmware/drivers/drivers.h"
#include "firmware/platform/fwcfg.h"
#include "firmware/platform/pci.h"
#include "firmware/sev/sev.h"
#include "firmware/uefi/graphics.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

enum {
    VENDOR_BOCHS = 0x1234, DEVICE_BOCHS = 0x1111,
    REGISTERS_SIZE = 0x1000, ATTRIBUTE_REGISTER = 0x400, ATTRIBUTE_UNBLANK = 0x20,
    DISPI = 0x500, DISPI_ID = 0, DISPI_WIDTH = 1, DISPI_HEIGHT = 2, DISPI_DEPTH = 3,
    DISPI_ENABLE = 4, DISPI_VIRTUAL_WIDTH = 6, DISPI_X_OFFSET = 8, DISPI_Y_OFFSET = 9,
    ID_MASK = 0xFFF0, ID_BOCHS = 0xB0C0, ENABLED = 1, LINEAR = 0x40, DEPTH = 32,
    BAR_PIXELS = 0, BAR_REGISTERS = 2,
    ACPI_ADDRESS_DP = 3, /* UEFI 2.10 10.3.3.3 */
};
#define PIXELS_LIMIT  0x1000000u /* what is used of the device's memory */
#define RAMFB_SIZE    (1024u * 768 * 4)
#define RAMFB_FOURCC  0x34325258u /* XR24: 32 bits, red in bits 16 to 23 */
#define ADDRESS_VALUE 0x80010100u /* a display that firmware can use; as OVMF has it */

/* --- PCI --- */

static uint64_t registers;

static void write_dispi(unsigned index, uint32_t value)
{
    mmio_write16(registers + DISPI + index * 2, (uint16_t)value);
}

static bool show_bochs(uint32_t width, uint32_t height)
{
    mmio_write8(registers + ATTRIBUTE_REGISTER, ATTRIBUTE_UNBLANK);
    write_dispi(DISPI_ENABLE, 0);
    write_dispi(DISPI_WIDTH, width);
    write_dispi(DISPI_HEIGHT, height);
    write_dispi(DISPI_DEPTH, DEPTH);
    write_dispi(DISPI_VIRTUAL_WIDTH, width);
    write_dispi(DISPI_X_OFFSET, 0);
    write_dispi(DISPI_Y_OFFSET, 0);
    write_dispi(DISPI_ENABLE, ENABLED | LINEAR);
    return mmio_read16(registers + DISPI + DISPI_WIDTH * 2) == width;
}

/* As OVMF's: the display is a child of its function. */
static EFI_DEVICE_PATH_PROTOCOL *display_path(uint16_t address)
{
    static const struct {
        EFI_DEVICE_PATH_PROTOCOL header;
        uint32_t address;
    } node = { { ACPI_DEVICE_PATH, ACPI_ADDRESS_DP, { 8, 0 } }, ADDRESS_VALUE };
    EFI_DEVICE_PATH_PROTOCOL *function = devicepath_of_pci(address);
    EFI_DEVICE_PATH_PROTOCOL *path = function ? devicepath_append(function, &node.header) : NULL;
    pool_free(function);
    return path;
}

static bool start_bochs(const struct pci_function *function)
{
    const struct pci_bar *pixels = &function->bars[BAR_PIXELS];
    const struct pci_bar *control = &function->bars[BAR_REGISTERS];
    if (!pixels->base || pixels->io || !control->base || control->io ||
        control->size < REGISTERS_SIZE) {
        device_refuse(function->address, "display", "its memory is missing");
        return false;
    }
    uint64_t size = pixels->size < PIXELS_LIMIT ? pixels->size : PIXELS_LIMIT;
    registers = control->base;
    paging_map_device(control->base, REGISTERS_SIZE);
    paging_map_device(pixels->base, size);
    if ((mmio_read16(registers + DISPI + DISPI_ID * 2) & ID_MASK) != ID_BOCHS) {
        device_refuse(function->address, "display", "it does not have Bochs' registers");
        return false;
    }
    const struct frame_buffer buffer = { pixels->base, size, show_bochs };
    EFI_DEVICE_PATH_PROTOCOL *path = display_path(function->address);
    if (path)
        graphics_publish(&buffer, path);
    return path != NULL;
}

/* --- ramfb --- */

static uint64_t ramfb_base;
static uint16_t ramfb_key;

static bool show_ramfb(uint32_t width, uint32_t height)
{
    const struct {
        uint64_t address;
        uint32_t fourcc, flags, width, height, stride;
    } __attribute__((packed)) config = { __builtin_bswap64(ramfb_base),
                                         __builtin_bswap32(RAMFB_FOURCC), 0,
                                         __builtin_bswap32(width), __builtin_bswap32(height),
                                         __builtin_bswap32(width * 4) };
    return fwcfg_write(ramfb_key, 0, &config, sizeof(config));
}

static void start_ramfb(void)
{
    static struct {
        VENDOR_DEVICE_PATH vendor;
        EFI_DEVICE_PATH_PROTOCOL end;
    } __attribute__((packed)) path = {
        { { HARDWARE_DEVICE_PATH, HW_VENDOR_DP, { 20, 0 } },
          { 0x557423a1, 0x63ab, 0x406c, { 0xbe, 0x7e, 0x91, 0xcd, 0xbc, 0x08, 0xc4, 0x57 } } },
        { END_DEVICE_PATH, END_ENTIRE_DP, { 4, 0 } }
    };
    uint32_t size;
    if (sev_active() || !fwcfg_find("etc/ramfb", &ramfb_key, &size) || size != 28)
        return;
    ramfb_base = memory_allocate(MEMORY_RESERVED, RAMFB_SIZE >> EFI_PAGE_SHIFT, 0);
    const struct frame_buffer buffer = { ramfb_base, RAMFB_SIZE, show_ramfb };
    if (ramfb_base)
        graphics_publish(&buffer, &path.vendor.Header);
}

void display_init(void)
{
    const struct pci_function *function;
    for (size_t i = 0; pci_function_at(i, &function); i++)
        if (function->vendor == VENDOR_BOCHS && function->device == DEVICE_BOCHS &&
            start_bochs(function))
            return;
    start_ramfb();
}
