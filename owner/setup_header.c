/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Linux boot protocol 2.02 and later, bzImage; addresses as QEMU's PC machines choose them. */
#include "owner/setup_header.h"

#include "sev/bytes.h"

#define SETUP_ADDRESS        0x10000u
#define COMMAND_LINE_ADDRESS 0x20000u
#define ACPI_RESERVE         0x28000u /* kept free below the end of low memory */
#define LOADER_QEMU          0xB0u

enum {
    AT_MAGIC = 0x202,
    AT_PROTOCOL = 0x206,
    AT_LOADER = 0x210,
    AT_LOAD_FLAGS = 0x211,
    AT_INITRD_ADDRESS = 0x218,
    AT_INITRD_SIZE = 0x21C,
    AT_HEAP_END = 0x224,
    AT_COMMAND_LINE = 0x228,
    AT_INITRD_MAX = 0x22C,
    AT_EXTENDED_FLAGS = 0x236,
};

#define MAGIC           0x53726448u /* "HdrS" */
#define LOADED_HIGH     0x01u
#define CAN_USE_HEAP    0x80u
#define CAN_BE_ABOVE_4G 0x02u

static uint64_t initrd_limit(const uint8_t *header, uint64_t low_memory)
{
    uint16_t protocol = load_le16(header + AT_PROTOCOL);
    uint64_t limit = 0x37FFFFFF;
    uint64_t end = low_memory > ACPI_RESERVE ? low_memory - ACPI_RESERVE : 0;
    if (protocol >= 0x20C && (load_le16(header + AT_EXTENDED_FLAGS) & CAN_BE_ABOVE_4G))
        limit = UINT32_MAX;
    else if (protocol >= 0x203)
        limit = load_le32(header + AT_INITRD_MAX);
    return limit >= end && end ? end - 1 : limit;
}

bool setup_header_patch(uint8_t header[SETUP_HEADER_SIZE], uint64_t low_memory,
                        uint32_t initrd_size)
{
    if (load_le32(header + AT_MAGIC) != MAGIC || load_le16(header + AT_PROTOCOL) < 0x202 ||
        !(header[AT_LOAD_FLAGS] & LOADED_HIGH))
        return false;
    uint64_t limit = initrd_limit(header, low_memory);
    if (initrd_size >= limit)
        return false;
    store_le32(header + AT_COMMAND_LINE, COMMAND_LINE_ADDRESS);
    header[AT_LOADER] = LOADER_QEMU;
    header[AT_LOAD_FLAGS] |= CAN_USE_HEAP;
    store_le16(header + AT_HEAP_END, COMMAND_LINE_ADDRESS - SETUP_ADDRESS - 0x200);
    if (initrd_size) {
        store_le32(header + AT_INITRD_ADDRESS, (uint32_t)(limit - initrd_size) & ~0xFFFu);
        store_le32(header + AT_INITRD_SIZE, initrd_size);
    }
    return true;
}
