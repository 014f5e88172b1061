/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * edk2's fault-tolerant write (MdeModulePkg's FaultTolerantWriteDxe, SystemNvDataGuid.h) of the whole
 * store: the new content goes to the spare blocks; one bit in the working block says that it is whole
 * there; it is copied to its place; another bit says so. A start that finds the first bit and not the
 * second copies again. All flags are bits that are cleared one at a time.
 */
#include "firmware/uefi/variable_flash.h"

#include <stddef.h>
#include <string.h>

#include "firmware/arch/layout.h"
#include "firmware/lib/log.h"
#include "firmware/uefi/guids.h"

#define FLASH_END   (0x100000000ull - FLASH_SIZE)
#define BLANK       0xFFu
#define WORK_SIZE   FLASH_BLOCK
#define FV_HEADER   0x48u

/* Offsets of the parts; the event log lies between store and working block. */
struct layout {
    uint32_t size, store, work, spare;
};
static const struct layout layouts[] = {
    { 0x84000, 0x40000, 0x41000, 0x42000 }, /* OVMF_VARS_4M.fd */
    { 0x20000, 0xE000, 0xF000, 0x10000 },   /* OVMF_VARS.fd */
};

/* EFI_FIRMWARE_VOLUME_HEADER with one entry in its block map (PI 1.7 volume 3, 3.2.1). */
struct volume_header {
    uint8_t zero[16];
    EFI_GUID format;
    uint64_t length;
    uint8_t signature[4];
    uint32_t attributes;
    uint16_t header_length, checksum, extended;
    uint8_t reserved, revision;
    uint32_t blocks, block_size, end[2];
} __attribute__((packed));
_Static_assert(sizeof(struct volume_header) == FV_HEADER, "EFI_FIRMWARE_VOLUME_HEADER");

/* EFI_FAULT_TOLERANT_WORKING_BLOCK_HEADER; its CRC does not cover itself and the flags. */
struct work_header {
    EFI_GUID signature;
    uint32_t crc;
    uint8_t flags[4];
    uint64_t queue_size;
} __attribute__((packed));

/* EFI_FAULT_TOLERANT_WRITE_HEADER and the one _RECORD behind it. */
struct work_entry {
    uint8_t flags, pad[3];
    EFI_GUID caller;
    uint8_t pad2[4];
    uint64_t writes, private_size;
    uint8_t record_flags, pad3[7];
    uint64_t block, offset, length;
    int64_t target; /* relative to the spare blocks */
} __attribute__((packed));
_Static_assert(sizeof(struct work_entry) == 80 && sizeof(struct work_header) == 32, "FTW formats");

enum { ENTRY_ALLOCATED = 1, WRITES_ALLOCATED = 2, ENTRY_COMPLETE = 4 };
enum { SPARE_COMPLETE = 2, TARGET_COMPLETE = 4 };

static const struct guid guid_volume = {
    0xfff12b8d, 0x7696, 0x4c8b, { 0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50 }
};
static const struct work_header fresh_work = {
    .signature = { 0x9e58292b, 0x7c68, 0x497d, { 0xa0, 0xce, 0x65, 0, 0xfd, 0x9f, 0x1b, 0x95 } },
    .crc = 0x642caf2c,
    .flags = { 0xFE, BLANK, BLANK, BLANK }, /* valid */
    .queue_size = WORK_SIZE - sizeof(struct work_header),
};

static struct layout layout; /* the chip's; no pointer: it must hold at virtual addresses */
static uint32_t next_entry; /* where the next one goes in the working block */
static uint8_t block[FLASH_BLOCK];

static uint16_t sum_of(const struct volume_header *h)
{
    uint16_t words[sizeof(*h) / 2], sum = 0;
    memcpy(words, h, sizeof(*h));
    for (size_t i = 0; i < sizeof(*h) / 2; i++)
        sum = (uint16_t)(sum + words[i]);
    return sum;
}

static struct volume_header volume_header(void)
{
    struct volume_header h = { .format = guid_volume,
                               .length = layout.size,
                               .signature = { '_', 'F', 'V', 'H' },
                               .attributes = 0x4FEFF, /* as OVMF's: readable, writable, ... */
                               .header_length = sizeof(h),
                               .revision = 2,
                               .blocks = layout.size / FLASH_BLOCK,
                               .block_size = FLASH_BLOCK };
    h.checksum = (uint16_t)-sum_of(&h);
    return h;
}

/* Ours but for the attributes, and whole. */
static bool has_volume_header(uint32_t place)
{
    struct volume_header found, ours = volume_header();
    flash_read(place, &found, sizeof(found));
    bool whole = sum_of(&found) == 0;
    found.attributes = ours.attributes;
    found.checksum = ours.checksum;
    return whole && memcmp(&found, &ours, sizeof(found)) == 0;
}

/* The part of the volume that lies in the block at `start`, its header included. */
static bool write_block(uint32_t place, uint32_t start, const uint8_t *bytes, size_t length)
{
    struct volume_header header = volume_header();
    size_t from = start ? start - FV_HEADER : 0, to = start + FLASH_BLOCK - FV_HEADER;
    to = to < length ? to : length;
    return flash_erase(place + start) &&
           (start != 0 || flash_program(place, &header, sizeof(header))) &&
           (from >= to || flash_program(place + FV_HEADER + (uint32_t)from, bytes + from, to - from));
}

/*
 * Volume header and store to the target or to the spare blocks; blank behind them. The first block
 * last: OVMF does not start, and so cannot repair anything, while there is no header.
 */
static bool write_volume(uint32_t place, const uint8_t *bytes, size_t length)
{
    for (uint32_t start = layout.store; start != 0;) {
        start -= FLASH_BLOCK;
        if (!write_block(place, start, bytes, length))
            return false;
    }
    return true;
}

/*
 * Empties the working block. First its signature goes: a half erased block must not look like one
 * whose last write is still to be finished.
 */
static bool reset_work(void)
{
    static const EFI_GUID nothing;
    struct work_header header = fresh_work;
    uint32_t flag = offsetof(struct work_header, flags);
    header.flags[0] = BLANK;
    next_entry = sizeof(header);
    return flash_program(layout.work, &nothing, sizeof(nothing)) && flash_erase(layout.work) &&
           flash_program(layout.work, &header, sizeof(header)) &&
           flash_program(layout.work + flag, fresh_work.flags, 1);
}

static bool clear_flag(uint32_t offset, uint8_t *flags, uint8_t flag)
{
    *flags &= (uint8_t)~flag;
    return flash_program(layout.work + offset, flags, 1);
}

/* The write that we do, and that OVMF's variable driver does: all of the store. */
static struct work_entry store_entry(void)
{
    struct work_entry e;
    memset(&e, BLANK, sizeof(e));
    e.caller = guid_volume;
    e.writes = 1;
    e.private_size = 0;
    e.block = 0;
    e.offset = FV_HEADER;
    e.length = layout.store - FV_HEADER;
    e.target = -(int64_t)layout.spare;
    return e;
}

static bool is_store_entry(const struct work_entry *e)
{
    struct work_entry ours = store_entry();
    return e->writes == ours.writes && e->private_size == ours.private_size &&
           e->block == ours.block && e->offset == ours.offset && e->length == ours.length &&
           e->target == ours.target;
}

/* From here on the new content of the spare blocks counts. */
static bool finish(uint32_t place, struct work_entry *e, const uint8_t *bytes, size_t length)
{
    return write_volume(0, bytes, length) &&
           clear_flag(place + offsetof(struct work_entry, record_flags), &e->record_flags,
                      TARGET_COMPLETE) &&
           clear_flag(place, &e->flags, ENTRY_COMPLETE) && flash_erase(layout.spare);
}

bool variable_flash_replace(const uint8_t *bytes, size_t length)
{
    struct work_entry e = store_entry();
    uint32_t record = offsetof(struct work_entry, record_flags);
    if (!write_volume(layout.spare, bytes, length))
        return false;
    if (next_entry + sizeof(e) > WORK_SIZE && !reset_work())
        return false;
    uint32_t place = next_entry;
    next_entry += sizeof(e);
    return flash_program(layout.work + place, &e, sizeof(e)) &&
           clear_flag(place, &e.flags, ENTRY_ALLOCATED) &&
           clear_flag(place, &e.flags, WRITES_ALLOCATED) &&
           clear_flag(place + record, &e.record_flags, SPARE_COMPLETE) &&
           finish(place, &e, bytes, length);
}

bool variable_flash_program(uint32_t offset, const void *data, size_t length)
{
    return flash_program(FV_HEADER + offset, data, length);
}

/* Bytes of an entry and its records; 0: no such entry. */
static uint32_t entry_size(const struct work_entry *e)
{
    const uint64_t most = WORK_SIZE;
    if (e->writes > most || e->private_size > most)
        return 0;
    uint64_t header = offsetof(struct work_entry, record_flags), record = sizeof(*e) - header;
    uint64_t size = header + e->writes * (record + e->private_size);
    return size < most ? (uint32_t)size : 0;
}

/* The first entry that is not complete, or the first blank one; false: no room for one. */
static bool find_entry(const uint8_t *work, struct work_entry *ret)
{
    for (next_entry = sizeof(struct work_header); next_entry + sizeof(*ret) <= WORK_SIZE;) {
        memcpy(ret, work + next_entry, sizeof(*ret));
        uint32_t size = entry_size(ret);
        if (ret->flags & ENTRY_COMPLETE)
            return true;
        if (size == 0)
            return false;
        next_entry += size;
    }
    return false;
}

static bool is_blank(const uint8_t *bytes, size_t length)
{
    while (length && bytes[length - 1] == BLANK)
        length--;
    return length == 0;
}

/*
 * Finishes a write whose content is whole in the spare blocks. Anything else that is not as a
 * completed write leaves it is of no use: the working block is emptied. `area` is scratch memory.
 */
static bool recover(uint8_t *area)
{
    struct work_entry e;
    flash_read(layout.work, block, sizeof(block));
    if (memcmp(block, &fresh_work, sizeof(fresh_work)) != 0 || !find_entry(block, &e))
        return reset_work();
    if (is_blank(block + next_entry, WORK_SIZE - next_entry))
        return true;
    if (!(e.flags & ENTRY_ALLOCATED) && !(e.record_flags & SPARE_COMPLETE) &&
        (e.record_flags & TARGET_COMPLETE) && is_store_entry(&e) &&
        has_volume_header(layout.spare)) {
        uint32_t length = layout.store - FV_HEADER;
        log_line("variables: finishing an interrupted write of the flash store");
        flash_read(layout.spare + FV_HEADER, area, length);
        if (!finish(next_entry, &e, area, length))
            return false;
    }
    return reset_work();
}

static bool find_layout(uint32_t size)
{
    for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
        if (layouts[i].size == size) {
            layout = layouts[i];
            return true;
        }
    }
    return false;
}

/* Everything anew, whatever the chip held. */
static bool format_chip(const struct variable_store *store)
{
    for (uint32_t i = 0; i < layout.size; i += FLASH_BLOCK)
        if (!flash_erase(i))
            return false;
    return reset_work() && write_volume(0, store->bytes, store->used);
}

/* Writes the store back as memory has it, where flash is not as it should be. */
static bool repair(struct variable_store *store, enum store_state state)
{
    store->lasting = true;
    if (state == STORE_BROKEN)
        return format_chip(store);
    return state == STORE_GOOD || store_tidy(store) == EFI_SUCCESS;
}

static enum store_state load(struct variable_store *store, uint8_t *area)
{
    uint32_t size = layout.store - FV_HEADER;
    enum store_state state = STORE_BROKEN;
    flash_read(FV_HEADER, area, size);
    if (has_volume_header(0))
        state = store_adopt(store, area, size);
    if (state == STORE_FOREIGN || state == STORE_BROKEN)
        store_format(store, area, size);
    return state;
}

enum variable_flash variable_flash_open(struct variable_store *store, uint8_t *area,
                                        struct flash_chip *ret_chip)
{
    store_format(store, area, VARIABLE_STORE_MAX);
    if (!flash_find(FLASH_END, ret_chip))
        return VARIABLE_FLASH_ABSENT;
    if (!find_layout(ret_chip->size)) {
        log_line("variables: a flash unit of %u bytes has no layout that is known", ret_chip->size);
        return VARIABLE_FLASH_UNKNOWN;
    }
    bool works = ret_chip->writable && recover(area);
    enum store_state state = load(store, area);
    if (state == STORE_FOREIGN) {
        log_line("variables: the flash store has an old format and is left alone");
        return VARIABLE_FLASH_UNKNOWN;
    }
    if (state == STORE_DAMAGED || state == STORE_BROKEN)
        log_line("variables: the flash store is damaged, %s",
                 state == STORE_BROKEN ? "all variables are lost" : "some variables are lost");
    works = works && repair(store, state);
    if (ret_chip->writable && !works)
        log_line("variables: the flash does not keep what is written to it");
    store->lasting = works;
    return works ? VARIABLE_FLASH_WRITABLE : VARIABLE_FLASH_READ_ONLY;
}
