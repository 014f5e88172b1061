/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Guest-physical memory behind the memory encryption engine (APM 2 7.10, 15.34).
 *
 * Every page of DRAM is stored in exactly one of its views: raw (what DRAM holds and the host and
 * devices see) or decrypted for one ASID. Asking for another view converts the page in place
 * first (AES-128, 16-byte blocks, XEX with a physical-address tweak) and tells the listener, which
 * must forget every host pointer and decoded instruction of that page. While a page stays in one
 * view it costs nothing. There is no other way to guest memory in this program.
 *
 * Guest physical addresses here never contain the C-bit; the CPU's MMU strips it.
 */
#ifndef PRIVET_MACHINE_MEMORY_H
#define PRIVET_MACHINE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEMORY_PAGE_SIZE 4096u
#define MEMORY_KEY_SIZE  16u
#define MEMORY_MAX_ASID  1023u

/* A view is an ASID whose key decrypts, or MEMORY_RAW. */
typedef uint16_t memory_view;
#define MEMORY_RAW ((memory_view)0)
/* The key of secure memory encryption (APM 2 7.10), where hardware has ASID 0: no guest's. */
#define MEMORY_SME ((memory_view)MEMORY_MAX_ASID)

enum memory_kind {
    MEMORY_NONE, /* nothing, or a device: not backed by this object */
    MEMORY_RAM,
    MEMORY_ROM, /* readable like RAM; CPU writes belong to the device (flash) */
};

struct memory;

/*
 * Told before a page changes its view, and when a device or the host writes a page that holds
 * decoded code (memory_mark_code). `gpa` is page aligned.
 */
typedef void memory_listener(void *context, uint64_t gpa);

/* Told after a page changed its view: for traces. */
typedef void memory_view_listener(void *context, uint64_t gpa, memory_view old, memory_view now);

struct memory_statistics {
    uint64_t private_pages;   /* pages whose current view is an ASID */
    uint64_t shared_pages;    /* pages in the raw view that were ever touched */
    uint64_t conversions;     /* view changes since creation */
    uint64_t encrypted_bytes; /* bytes through the engine, both directions */
};

/* Empty address space. `seed` fixes the engine's boot-time tweak constants. NULL: out of memory. */
struct memory *memory_create(const uint8_t seed[32]);
void memory_destroy(struct memory *memory);

/*
 * Adds zero-filled DRAM / a ROM holding `size` bytes. Page aligned, not overlapping what is there.
 * Returns 0, or -1 with errno (EINVAL, ENOMEM).
 */
int memory_add_ram(struct memory *memory, uint64_t gpa, uint64_t size);
int memory_add_rom(struct memory *memory, uint64_t gpa, uint64_t size, const void *data);

/*
 * While off, reads of a ROM page are not memory either: memory_page_kind says MEMORY_NONE and CPU
 * reads go to the device (flash in command mode). Calls the listener for each page.
 */
void memory_rom_readable(struct memory *memory, uint64_t gpa, uint64_t size, bool readable);

/*
 * DRAM whose address range it shares with a ROM, as a PC's does below 1 MiB: the chip set routes
 * reads and writes, page by page. `rom` covers the last `rom_size` bytes of the range, which may be
 * 0; below it there is nothing but DRAM. Everything is routed to the ROM at first. One such range
 * exists. Returns as memory_add_rom.
 */
enum memory_route { MEMORY_ROUTE_ROM = 0, MEMORY_ROUTE_READS = 1, MEMORY_ROUTE_WRITES = 2 };
int memory_add_shadow(struct memory *memory, uint64_t gpa, uint64_t size, const void *rom,
                      uint64_t rom_size);

/*
 * Routes reads and writes of a part of the range to DRAM (a set of memory_route). A page whose
 * writes are not routed, or not its reads, is no MEMORY_RAM: the CPU's writes go to the device.
 * Calls the listener for each page that changes.
 */
void memory_route(struct memory *memory, uint64_t gpa, uint64_t size, unsigned route);

/* A write of the CPU that came to the device: reaches DRAM, raw, if it is routed there. */
void memory_write_shadow(struct memory *memory, uint64_t gpa, const void *data, size_t length);

void memory_set_listener(struct memory *memory, memory_listener *listener, void *context);
void memory_set_view_listener(struct memory *memory, memory_view_listener *listener,
                              void *context);

/* Installs or (key NULL) wipes the key of an ASID: 1 to MEMORY_MAX_ASID. */
void memory_set_key(struct memory *memory, memory_view asid, const uint8_t *key);

enum memory_kind memory_page_kind(const struct memory *memory, uint64_t gpa);

/*
 * Host address of the page that contains `gpa` (not of gpa itself), converted to `view`; NULL if
 * there is no memory. Valid until the listener is called for this page. Only the CPU's MMU may keep
 * such pointers.
 */
uint8_t *memory_page(struct memory *memory, uint64_t gpa, memory_view view);

/* Says that decoded instructions of this page are cached / no longer cached. */
void memory_mark_code(struct memory *memory, uint64_t gpa, bool code);
bool memory_has_code(const struct memory *memory, uint64_t gpa);

/*
 * Says that somebody wants the CPU's stores to this page one by one (cpu/observer.h: stored). Takes
 * effect for translations made later.
 */
void memory_mark_watched(struct memory *memory, uint64_t gpa, bool watched);
bool memory_is_watched(const struct memory *memory, uint64_t gpa);

/*
 * Copies through a view, page by page; any alignment. 0, or -1 if a byte of the range is not RAM or
 * ROM (then nothing was copied). Writing ROM is allowed here: it is the flash device and the
 * launch that call it. Devices use MEMORY_RAW, always.
 */
int memory_read(struct memory *memory, uint64_t gpa, void *data, size_t length, memory_view view);
int memory_write(struct memory *memory, uint64_t gpa, const void *data, size_t length,
                 memory_view view);

/*
 * In-place encryption for the launch (SEV API 6.1 LAUNCH_UPDATE_DATA): what the raw view holds
 * becomes the plaintext of `asid`. 16-byte aligned and sized.
 */
int memory_encrypt_in_place(struct memory *memory, uint64_t gpa, size_t length, memory_view asid);

/*
 * Host memory that is not among this object's, such as a processor's saved state (APM 2 15.35.5):
 * encrypts or decrypts `data` in place as what is stored at physical address `address` under the key
 * of `asid`. 16-byte aligned and sized. 0, or -1 if it is not or the ASID has no key.
 */
int memory_crypt_host(struct memory *memory, memory_view asid, bool encrypt, uint64_t address,
                      void *data, size_t length);

void memory_get_statistics(const struct memory *memory, struct memory_statistics *ret);

/* The view in which a page is stored now, and whether anyone ever asked for it. For reports. */
memory_view memory_current_view(const struct memory *memory, uint64_t gpa);
bool memory_touched(const struct memory *memory, uint64_t gpa);

/*
 * RAM ranges in address order, for dumps: returns false past the last one. What a ROM hides is not
 * among them.
 */
bool memory_ram_range(const struct memory *memory, unsigned index, uint64_t *gpa, uint64_t *size);

#endif
