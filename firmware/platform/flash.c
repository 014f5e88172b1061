/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * CFI flash, Intel command set. Data goes by buffered programs, several hundred bytes in one: QEMU
 * writes its image file once for each program, however short it is. Outside of the functions here the
 * chip always shows its array.
 */
#include "firmware/platform/flash.h"

#include "firmware/arch/io.h"
#include "firmware/sev/ghcb.h"
#include "firmware/sev/sev.h"

enum command {
    PROGRAM_BYTE = 0x10, ERASE_BLOCK = 0x20, CLEAR_STATUS = 0x50, READ_STATUS = 0x70, QUERY = 0x98,
    CONFIRM = 0xD0, PROGRAM_BUFFER = 0xE8, READ_ARRAY = 0xFF,
};
enum { STATUS_FAILED = 0x30 /* erase or program */, STATUS_READY = 0x80, BLANK = 0xFF };
/* CFI query structure; sizes in powers of two or in units of 256 bytes. */
enum { QUERY_BUFFER = 0x2A, QUERY_REGIONS = 0x2C, QUERY_BLOCKS = 0x2D, QUERY_BLOCK_SIZE = 0x2F };
enum { BUFFER_MAX_LOG2 = 8, POLLS_MAX = 1000000 };

static uint64_t chip_base, chip_physical;
static bool unreachable; /* the hypervisor of a SEV-ES guest did not take a store */
static uint32_t buffer_size = 1; /* bytes in one program, a power of two; 1: no buffer */

/*
 * A SEV-ES guest's host has its flash mapped for reading: a store faults, but not as #VC, and nobody can
 * emulate it. The hypervisor is asked to do it.
 */
static void command(uint32_t offset, uint8_t value)
{
    if (!sev_es()) {
        mmio_write8(chip_base + offset, value);
    } else if (!ghcb_mmio_write(chip_physical + offset, 1, value)) {
        unreachable = true;
    }
}

static uint8_t read_byte(uint32_t offset)
{
    return mmio_read8(chip_base + offset);
}

/* Until the chip is ready; false: never, or the operation failed. */
static bool wait(uint32_t offset)
{
    for (unsigned i = 0; i < POLLS_MAX && !unreachable; i++) {
        uint8_t status = read_byte(offset);
        if ((status & STATUS_READY) != 0) {
            return (status & STATUS_FAILED) == 0;
        }
    }
    return false;
}

/* Back to the array, whatever happened; a failure is forgotten by the chip. */
static bool leave(uint32_t offset, bool done)
{
    if (!done) {
        command(offset, CLEAR_STATUS);
    }
    command(offset, READ_ARRAY);
    done = done && !unreachable;
    unreachable = false;
    return done;
}

static bool shows_query(void)
{
    return read_byte(0x10) == 'Q' && read_byte(0x11) == 'R' && read_byte(0x12) == 'Y';
}

static uint32_t query_u16(unsigned at)
{
    return read_byte(at) | (uint32_t)read_byte(at + 1) << 8;
}

/* With the chip's query structure at chip_base. False: not a chip of blocks of our size. */
static bool read_query(struct flash_chip *ret)
{
    uint8_t log2 = read_byte(QUERY_BUFFER);

    if (read_byte(QUERY_REGIONS) != 1 || query_u16(QUERY_BLOCK_SIZE) != FLASH_BLOCK / 256) {
        return false;
    }
    ret->size = (query_u16(QUERY_BLOCKS) + 1) * FLASH_BLOCK;
    buffer_size = 1u << (log2 < BUFFER_MAX_LOG2 ? log2 : BUFFER_MAX_LOG2);
    return true;
}

/* Programs what is there already: only a chip that may change does it without an error. */
static bool may_change(void)
{
    uint8_t same = read_byte(0);

    command(0, PROGRAM_BYTE);
    command(0, same);
    return leave(0, wait(0));
}

/* All in the last block: its address is known before the size is. */
bool flash_find(uint64_t end, struct flash_chip *ret)
{
    bool found;

    chip_base = chip_physical = end - FLASH_BLOCK;
    uint8_t first = read_byte(0);
    if (shows_query()) {
        return false; /* memory that holds what we look for */
    }
    command(0, QUERY);
    if (!shows_query()) {
        if (read_byte(0) == QUERY) {
            command(0, first); /* RAM */
        }
        return false;
    }
    found = read_query(ret);
    command(0, CLEAR_STATUS);
    command(0, READ_ARRAY);
    if (!found || shows_query()) {
        return false;
    }
    ret->writable = may_change();
    ret->base = end - ret->size;
    chip_base = chip_physical = ret->base;
    return true;
}

void flash_move(uint64_t base)
{
    chip_base = base;
    ghcb_leave();
}

void flash_read(uint32_t offset, void *data, size_t length)
{
    uint8_t *to = data;

    for (; length != 0 && offset % 8 != 0; length--) {
        *to++ = read_byte(offset++);
    }
    for (; length >= 8; length -= 8, offset += 8, to += 8) {
        uint64_t value = mmio_read64(chip_base + offset);
        __builtin_memcpy(to, &value, sizeof(value));
    }
    for (; length != 0; length--) {
        *to++ = read_byte(offset++);
    }
}

static bool program_byte(uint32_t offset, uint8_t value)
{
    command(offset, PROGRAM_BYTE);
    command(offset, value);
    return wait(offset);
}

static bool program_buffer(uint32_t offset, const uint8_t *data, uint32_t length)
{
    command(offset, PROGRAM_BUFFER);
    if (!wait(offset)) {
        return false;
    }
    command(offset, (uint8_t)(length - 1));
    for (uint32_t i = 0; i < length; i++) {
        command(offset + i, data[i]);
    }
    command(offset, CONFIRM);
    return wait(offset);
}

/* What fits between two boundaries of the buffer, without what is blank at either end. */
static bool program_piece(uint32_t offset, const uint8_t *data, uint32_t length)
{
    while (length != 0 && *data == BLANK) {
        data++;
        offset++;
        length--;
    }
    while (length != 0 && data[length - 1] == BLANK) {
        length--;
    }
    return length == 0   ? true
           : length == 1 ? program_byte(offset, *data)
                         : program_buffer(offset, data, length);
}

bool flash_program(uint32_t offset, const void *data, size_t length)
{
    const uint8_t *from = data;
    uint32_t start = offset;
    bool done = true;

    while (done && length != 0) {
        uint32_t piece = buffer_size - offset % buffer_size;
        piece = piece < length ? piece : (uint32_t)length;
        done = program_piece(offset, from, piece);
        offset += piece;
        from += piece;
        length -= piece;
    }
    return leave(start, done);
}

static bool is_blank(uint32_t offset)
{
    for (uint32_t i = 0; i < FLASH_BLOCK; i += 8) {
        if (mmio_read64(chip_base + offset + i) != UINT64_MAX) {
            return false;
        }
    }
    return true;
}

bool flash_erase(uint32_t offset)
{
    if (is_blank(offset)) {
        return true;
    }
    command(offset, ERASE_BLOCK);
    command(offset, CONFIRM);
    return leave(offset, wait(offset));
}
