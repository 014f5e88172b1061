/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Graphics output with a frame buffer in memory between guards: modes, block transfers against a
 * picture kept here, and every argument that would leave the screen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/uefi/efi_graphics.h"
#include "firmware/uefi/graphics.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define WIDTH  640u
#define HEIGHT 480u
#define GUARD  0xA5A5A5A5u

static uint32_t memory[1024 + WIDTH * HEIGHT + 1024], *const pixels = memory + 1024;
static uint32_t expected[WIDTH * HEIGHT], buffer[WIDTH * HEIGHT];
static EFI_GRAPHICS_OUTPUT_PROTOCOL *graphics;
static bool refuses;

void log_debug(const char *fmt, ...);
void log_debug(const char *fmt, ...)
{
    (void)fmt;
}

void *pool_allocate(enum memory_type type, size_t size)
{
    (void)type;
    return calloc(1, size);
}

void handle_install(EFI_HANDLE *handle, const EFI_GUID *protocol, void *interface)
{
    (void)handle;
    if (guid_equal(protocol, &guid_graphics_output))
        graphics = interface;
}

static bool show(uint32_t width, uint32_t height)
{
    return !refuses && width == WIDTH && height == HEIGHT;
}

static int start(void **state)
{
    static EFI_DEVICE_PATH_PROTOCOL end = { END_DEVICE_PATH, END_ENTIRE_DP, { 4, 0 } };
    const struct frame_buffer screen = { (uintptr_t)pixels, WIDTH * HEIGHT * 4, show };
    (void)state;
    for (size_t i = 0; i < sizeof(memory) / sizeof(memory[0]); i++)
        memory[i] = GUARD;
    graphics_publish(&screen, &end);
    return graphics ? 0 : 1;
}

static void guards_are_whole(void)
{
    for (unsigned i = 0; i < 1024; i++) {
        assert_int_equal(memory[i], GUARD);
        assert_int_equal(pixels[WIDTH * HEIGHT + i], GUARD);
    }
}

static void only_modes_that_fit(void **state)
{
    (void)state;
    EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info;
    UINTN size;
    assert_int_equal(graphics->Mode->MaxMode, 1);
    assert_int_equal(graphics->QueryMode(graphics, 0, &size, &info), EFI_SUCCESS);
    assert_int_equal(size, 36);
    assert_int_equal(info->HorizontalResolution, WIDTH);
    assert_int_equal(info->PixelsPerScanLine, WIDTH);
    free(info);
    assert_int_equal(graphics->QueryMode(graphics, 1, &size, &info), EFI_INVALID_PARAMETER);
    assert_int_equal(graphics->SetMode(graphics, 1), EFI_UNSUPPORTED);
    assert_int_equal(graphics->Mode->FrameBufferSize, WIDTH * HEIGHT * 4);
    pixels[7] = 7;
    assert_int_equal(graphics->SetMode(graphics, 0), EFI_SUCCESS);
    assert_int_equal(pixels[7], 0); /* black again */
    refuses = true;
    assert_int_equal(graphics->SetMode(graphics, 0), EFI_DEVICE_ERROR);
    refuses = false;
    guards_are_whole();
}

static EFI_STATUS blt(UINT32 operation, UINTN sx, UINTN sy, UINTN x, UINTN y, UINTN width,
                      UINTN height, UINTN delta)
{
    return graphics->Blt(graphics, buffer, operation, sx, sy, x, y, width, height, delta);
}

static void copy_rows(uint32_t *to, const uint32_t *from, UINTN width, UINTN height)
{
    for (UINTN row = 0; row < height; row++)
        memcpy(to + row * WIDTH, from + row * WIDTH, width * 4);
}

static void transfers(void **state)
{
    (void)state;
    uint32_t *copy = malloc(sizeof(expected));
    for (unsigned i = 0; i < WIDTH * HEIGHT; i++)
        buffer[i] = expected[i] = i * 2654435761u;
    assert_int_equal(blt(EfiBltBufferToVideo, 0, 0, 0, 0, WIDTH, HEIGHT, 0), EFI_SUCCESS);
    assert_memory_equal(pixels, expected, sizeof(expected));
    /* Overlapping moves in four directions. */
    static const struct {
        unsigned from_x, from_y, x, y;
    } moves[] = { { 10, 10, 13, 12 }, { 13, 12, 10, 10 }, { 10, 10, 13, 10 }, { 13, 10, 10, 10 },
                  { 10, 10, 8, 12 } };
    for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
        memcpy(copy, expected, sizeof(expected));
        copy_rows(expected + moves[i].y * WIDTH + moves[i].x,
                  copy + moves[i].from_y * WIDTH + moves[i].from_x, 50, 40);
        assert_int_equal(blt(EfiBltVideoToVideo, moves[i].from_x, moves[i].from_y, moves[i].x,
                             moves[i].y, 50, 40, 0),
                         EFI_SUCCESS);
        assert_memory_equal(pixels, expected, sizeof(expected));
    }
    /* A part of the buffer to a part of the screen, and back to another part. */
    assert_int_equal(blt(EfiBltBufferToVideo, 5, 6, 600, 470, 40, 10, WIDTH * 4), EFI_SUCCESS);
    copy_rows(expected + 470 * WIDTH + 600, buffer + 6 * WIDTH + 5, 40, 10);
    assert_memory_equal(pixels, expected, sizeof(expected));
    assert_int_equal(blt(EfiBltVideoToBltBuffer, 600, 470, 1, 2, 40, 10, WIDTH * 4), EFI_SUCCESS);
    assert_memory_equal(buffer + 2 * WIDTH + 1, pixels + 470 * WIDTH + 600, 40 * 4);
    buffer[0] = 0x123456;
    assert_int_equal(blt(EfiBltVideoFill, 0, 0, 639, 479, 1, 1, 0), EFI_SUCCESS);
    assert_int_equal(pixels[WIDTH * HEIGHT - 1], 0x123456);
    guards_are_whole();
    free(copy);
}

static void nothing_leaves_the_screen(void **state)
{
    (void)state;
    static const UINTN bad[][4] = { { 640, 0, 1, 1 },  { 0, 480, 1, 1 },        { 1, 0, 640, 1 },
                                    { 0, 1, 1, 480 },  { 0, 0, 641, 1 },        { 0, 0, 1, 0 },
                                    { 0, 0, 0, 1 },    { UINT64_MAX, 0, 2, 1 }, { 0, UINT64_MAX, 1, 2 },
                                    { 0, 0, UINT64_MAX, 1 } };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const UINTN *b = bad[i];
        assert_int_equal(blt(EfiBltVideoFill, 0, 0, b[0], b[1], b[2], b[3], 0),
                         EFI_INVALID_PARAMETER);
        assert_int_equal(blt(EfiBltBufferToVideo, 0, 0, b[0], b[1], b[2], b[3], 0),
                         EFI_INVALID_PARAMETER);
        assert_int_equal(blt(EfiBltVideoToBltBuffer, b[0], b[1], 0, 0, b[2], b[3], 0),
                         EFI_INVALID_PARAMETER);
        assert_int_equal(blt(EfiBltVideoToVideo, b[0], b[1], 0, 0, b[2], b[3], 0),
                         EFI_INVALID_PARAMETER);
        assert_int_equal(blt(EfiBltVideoToVideo, 0, 0, b[0], b[1], b[2], b[3], 0),
                         EFI_INVALID_PARAMETER);
    }
    assert_int_equal(blt(4, 0, 0, 0, 0, 1, 1, 0), EFI_INVALID_PARAMETER);
    assert_int_equal(graphics->Blt(graphics, NULL, EfiBltVideoFill, 0, 0, 0, 0, 1, 1, 0),
                     EFI_INVALID_PARAMETER);
    guards_are_whole();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_modes_that_fit),
        cmocka_unit_test(transfers),
        cmocka_unit_test(nothing_leaves_the_screen),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
