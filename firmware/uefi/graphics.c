/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * EFI_GRAPHICS_OUTPUT_PROTOCOL (UEFI 2.10 12.9). Pixels are moved one by one: the buffer is device
 * memory, which hypervisors emulate access by access when they must.
 */
#include "firmware/uefi/graphics.h"

#include "firmware/arch/io.h"
#include "firmware/lib/log.h"
#include "firmware/uefi/efi_graphics.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define MODES_MAXIMUM 4u
#define PIXEL         4u

static struct frame_buffer screen;
static EFI_GRAPHICS_OUTPUT_MODE_INFORMATION modes[MODES_MAXIMUM];
static EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE current = { .SizeOfInfo = sizeof(modes[0]) };
static EFI_GRAPHICS_OUTPUT_PROTOCOL graphics;

static EFI_STATUS EFIAPI query_mode(EFI_GRAPHICS_OUTPUT_PROTOCOL *this, UINT32 number,
                                    UINTN *ret_size, EFI_GRAPHICS_OUTPUT_MODE_INFORMATION **ret)
{
    if (!this || !ret_size || !ret || number >= current.MaxMode)
        return EFI_INVALID_PARAMETER;
    EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *copy = pool_allocate(MEMORY_BOOT_DATA, sizeof(*copy));
    if (!copy)
        return EFI_OUT_OF_RESOURCES;
    *copy = modes[number];
    *ret = copy;
    *ret_size = sizeof(*copy);
    return EFI_SUCCESS;
}

static uint64_t pixel_at(UINTN x, UINTN y)
{
    return current.FrameBufferBase + (y * current.Info->PixelsPerScanLine + x) * PIXEL;
}

static void fill(UINTN x, UINTN y, UINTN width, UINTN height, uint32_t colour)
{
    for (UINTN row = 0; row < height; row++)
        for (UINTN column = 0; column < width; column++)
            mmio_write32(pixel_at(x + column, y + row), colour);
}

/* UEFI 2.10 12.9.2.2: the mode begins with a black screen. */
static EFI_STATUS EFIAPI set_mode(EFI_GRAPHICS_OUTPUT_PROTOCOL *this, UINT32 number)
{
    (void)this;
    if (number >= current.MaxMode)
        return EFI_UNSUPPORTED;
    const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode = &modes[number];
    if (!screen.show(mode->HorizontalResolution, mode->VerticalResolution))
        return EFI_DEVICE_ERROR;
    current.Mode = number;
    current.Info = &modes[number];
    current.FrameBufferBase = screen.base;
    current.FrameBufferSize = (UINTN)mode->PixelsPerScanLine * mode->VerticalResolution * PIXEL;
    fill(0, 0, mode->HorizontalResolution, mode->VerticalResolution, 0);
    return EFI_SUCCESS;
}

static bool on_screen(UINTN x, UINTN y, UINTN width, UINTN height)
{
    UINTN columns = current.Info->HorizontalResolution, rows = current.Info->VerticalResolution;
    return width <= columns && x <= columns - width && height <= rows && y <= rows - height;
}

/* A rectangle between the screen and a buffer of `stride` bytes a row, at (x, y) of each. */
static void exchange(uint8_t *buffer, UINTN stride, UINTN buffer_x, UINTN buffer_y, UINTN x,
                     UINTN y, UINTN width, UINTN height, bool to_screen)
{
    for (UINTN row = 0; row < height; row++) {
        uint8_t *line = buffer + (buffer_y + row) * stride + buffer_x * PIXEL;
        for (UINTN column = 0; column < width; column++, line += PIXEL) {
            uint32_t pixel;
            if (to_screen) {
                memcpy(&pixel, line, PIXEL);
                mmio_write32(pixel_at(x + column, y + row), pixel);
            } else {
                pixel = mmio_read32(pixel_at(x + column, y + row));
                memcpy(line, &pixel, PIXEL);
            }
        }
    }
}

/* From the side on which nothing is overwritten before it was read. */
static void move(UINTN from_x, UINTN from_y, UINTN x, UINTN y, UINTN width, UINTN height)
{
    bool backwards = y > from_y || (y == from_y && x > from_x);
    for (UINTN i = 0; i < width * height; i++) {
        UINTN at = backwards ? width * height - 1 - i : i, row = at / width, column = at % width;
        mmio_write32(pixel_at(x + column, y + row),
                     mmio_read32(pixel_at(from_x + column, from_y + row)));
    }
}

static EFI_STATUS EFIAPI blt(EFI_GRAPHICS_OUTPUT_PROTOCOL *this, UINT32 *buffer, UINT32 operation,
                             UINTN source_x, UINTN source_y, UINTN x, UINTN y, UINTN width,
                             UINTN height, UINTN delta)
{
    UINTN stride = delta ? delta : width * PIXEL;
    bool reads = operation == EfiBltVideoToBltBuffer || operation == EfiBltVideoToVideo;
    bool writes = operation != EfiBltVideoToBltBuffer;
    if (!this || operation > EfiBltVideoToVideo || width == 0 || height == 0 ||
        (operation != EfiBltVideoToVideo && !buffer) ||
        (reads && !on_screen(source_x, source_y, width, height)) ||
        (writes && !on_screen(x, y, width, height)))
        return EFI_INVALID_PARAMETER;
    switch (operation) {
    case EfiBltVideoFill:
        fill(x, y, width, height, *buffer);
        break;
    case EfiBltVideoToBltBuffer:
        exchange((uint8_t *)buffer, stride, x, y, source_x, source_y, width, height, false);
        break;
    case EfiBltBufferToVideo:
        exchange((uint8_t *)buffer, stride, source_x, source_y, x, y, width, height, true);
        break;
    case EfiBltVideoToVideo:
        move(source_x, source_y, x, y, width, height);
        break;
    }
    return EFI_SUCCESS;
}

/* The modes that the frame buffer has room for. */
static void find_modes(void)
{
    static const struct {
        uint16_t width, height;
    } sizes[MODES_MAXIMUM] = { { 1024, 768 }, { 1280, 800 }, { 800, 600 }, { 640, 480 } };
    current.MaxMode = 0;
    for (unsigned i = 0; i < MODES_MAXIMUM; i++)
        if ((uint64_t)sizes[i].width * sizes[i].height * PIXEL <= screen.size)
            modes[current.MaxMode++] = (EFI_GRAPHICS_OUTPUT_MODE_INFORMATION){
                .HorizontalResolution = sizes[i].width,
                .VerticalResolution = sizes[i].height,
                .PixelFormat = PixelBlueGreenRedReserved8BitPerColor,
                .PixelsPerScanLine = sizes[i].width
            };
}

void graphics_publish(const struct frame_buffer *buffer, EFI_DEVICE_PATH_PROTOCOL *path)
{
    EFI_HANDLE handle = NULL;
    if (screen.base)
        return; /* another display is there already */
    screen = *buffer;
    graphics = (EFI_GRAPHICS_OUTPUT_PROTOCOL){ query_mode, set_mode, blt, &current };
    find_modes();
    if (set_mode(&graphics, 0) != EFI_SUCCESS) {
        screen.base = 0;
        return;
    }
    handle_install(&handle, &guid_device_path, path);
    handle_install(&handle, &guid_graphics_output, &graphics);
    log_debug("display: frame buffer at 0x%lx", (unsigned long)screen.base);
}
