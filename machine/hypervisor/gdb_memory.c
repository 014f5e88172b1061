/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Memory for the debugger. A host sees DRAM; what is private it can have decrypted by the chip, if
 * the guest's policy allows debugging (SEV API, DBG_DECRYPT and DBG_ENCRYPT), else it sees
 * ciphertext. Linear addresses are translated by the processor's page tables, as its MMU does.
 */
#include <string.h>

#include "machine/hypervisor/gdb_session.h"
#include "machine/hypervisor/trace.h"
#include "sev/command.h"
#include "sev/session.h"
#include "sev/status.h"

#define CHIP_GRAIN 16u /* of the debugging commands' addresses and lengths */

struct place {
    uint64_t gpa;
    memory_view view;
    size_t length; /* to the end of the page at most */
};

bool gdb_memory_is_sealed(const struct gdb *gdb)
{
    const struct guest *guest = gdb->guest;
    return cpu_sev_is_guest(guest->config.sev) && guest->config.policy & SEV_POLICY_NODBG;
}

/* Where an address leads; false: it is not mapped, or not to memory. */
static bool find(struct gdb *gdb, uint64_t address, size_t length, struct place *ret)
{
    struct cpu_walk walk;
    size_t room = MEMORY_PAGE_SIZE - address % MEMORY_PAGE_SIZE;
    ret->length = length < room ? length : room;
    ret->gpa = address;
    ret->view = MEMORY_RAW;
    if (!gdb->physical) {
        struct cpu_registers registers;
        cpu_get_registers(gdb_cpu(gdb), &registers);
        if (registers.code_bits != 64)
            address = (uint32_t)address;
        else if ((uint64_t)((int64_t)(address << 16) >> 16) != address)
            return false;
        cpu_walk(gdb_cpu(gdb), address, &walk);
        if (!walk.mapped)
            return false;
        ret->gpa = walk.gpa;
        ret->view = walk.view;
    }
    return memory_page_kind(gdb->guest->memory, ret->gpa) != MEMORY_NONE;
}

/* One debugging command over whole grains; `data` is the host's buffer. */
static bool ask_chip(struct gdb *gdb, enum sev_command command, uint64_t gpa, void *data,
                     size_t length)
{
    struct chip *chip = gdb->guest->chip;
    uint64_t buffer = chip_map(chip, data, length);
    struct sev_dbg arguments = { .handle = gdb->guest->handle, .length = (uint32_t)length };
    if (!buffer)
        return false;
    arguments.src_paddr = command == SEV_DBG_DECRYPT ? gpa : buffer;
    arguments.dst_paddr = command == SEV_DBG_DECRYPT ? buffer : gpa;
    uint16_t status = chip_command(chip, command, &arguments);
    chip_unmap(chip, buffer);
    trace_command(gdb->guest->trace, command == SEV_DBG_DECRYPT ? "DBG_DECRYPT" : "DBG_ENCRYPT",
                  status);
    return status == SEV_SUCCESS;
}

/* The whole grains around a place within one page. */
struct grains {
    uint8_t data[MEMORY_PAGE_SIZE];
    uint64_t gpa;
    size_t skip, length;
};

static bool read_grains(struct gdb *gdb, const struct place *place, struct grains *ret)
{
    ret->skip = place->gpa % CHIP_GRAIN;
    ret->gpa = place->gpa - ret->skip;
    ret->length = (ret->skip + place->length + CHIP_GRAIN - 1) / CHIP_GRAIN * CHIP_GRAIN;
    return ask_chip(gdb, SEV_DBG_DECRYPT, ret->gpa, ret->data, ret->length);
}

static bool read_place(struct gdb *gdb, const struct place *place, uint8_t *data)
{
    struct grains grains;
    if (place->view == MEMORY_RAW || gdb_memory_is_sealed(gdb))
        return memory_read(gdb->guest->memory, place->gpa, data, place->length, MEMORY_RAW) == 0;
    if (!read_grains(gdb, place, &grains))
        return false;
    memcpy(data, grains.data + grains.skip, place->length);
    return true;
}

size_t gdb_memory_read(struct gdb *gdb, uint64_t address, uint8_t *data, size_t length)
{
    size_t done = 0;
    struct place place;
    while (done < length && find(gdb, address + done, length - done, &place) &&
           read_place(gdb, &place, data + done))
        done += place.length;
    return done;
}

static bool write_place(struct gdb *gdb, const struct place *place, const uint8_t *data)
{
    struct grains grains;
    if (place->view == MEMORY_RAW)
        return memory_write(gdb->guest->memory, place->gpa, data, place->length, MEMORY_RAW) == 0;
    if (!read_grains(gdb, place, &grains))
        return false;
    memcpy(grains.data + grains.skip, data, place->length);
    return ask_chip(gdb, SEV_DBG_ENCRYPT, grains.gpa, grains.data, grains.length);
}

static bool may_write(struct gdb *gdb, const struct place *place)
{
    return memory_page_kind(gdb->guest->memory, place->gpa) == MEMORY_RAM &&
           (place->view == MEMORY_RAW || !gdb_memory_is_sealed(gdb));
}

bool gdb_memory_write(struct gdb *gdb, uint64_t address, const uint8_t *data, size_t length)
{
    struct place place;
    for (size_t at = 0; at < length; at += place.length) {
        if (!find(gdb, address + at, length - at, &place) || !may_write(gdb, &place))
            return false;
    }
    for (size_t at = 0; at < length; at += place.length) {
        if (!find(gdb, address + at, length - at, &place) ||
            !write_place(gdb, &place, data + at))
            return false;
    }
    return true;
}
