/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A hostile SEV-ES guest's VMGEXITs, from two processors, with pages that it rewrites, makes private
 * and moves below the ROM between and during them. Whatever comes: memory changes only where the
 * request says so, ROM and flash never; devices are asked in whole pieces; an answer is complete.
 *
 * Input: records that begin with a byte, of which bits 2:0 count. Numbers are little-endian.
 *   0 ask: processor (bit 0) and page (bits 7:1), exit code (an index; past the table: RAX), valid
 *     fields (bit 7: bitmap and usage stay), information 1 and 2, RAX, RCX, RDX, scratch: 8 bytes each;
 *     written into the page, VMGEXIT
 *   1 exit: processor, 8 bytes: VMGEXIT with this GHCB MSR
 *   2 poke: address (4 bytes), length (1), bytes: into RAM
 *   3 private: a page that the guest uses through its key from now on
 *   4 start: a startup interrupt for a processor
 *   5 routes: bits 1:0 those of the shadow, bit 2: flash in command mode, bit 3: the shadow's lower
 *     half stays RAM
 *   6 meanwhile: at the next port or device access, a byte as of `routes`, a page that becomes 0xFF
 *   7 wake: a processor waits no more
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/cpu/system.h"
#include "machine/hypervisor/ghcb.h"
#include "sev/bytes.h"
#include "sev/ghcb.h"
#include "tests/quiet_io.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ASID    3u
#define PAGE    MEMORY_PAGE_SIZE
#define RAM     (20 * PAGE) /* from 0 */
#define SHADOW  0x20000u    /* 4 pages; the ROM is the upper two */
#define HIGH    0x24000u
#define FLASH   0x30000u
#define LIMIT   (16 * PAGE) /* bytes of the largest scratch area */
#define STEPS   64
#define ALL_RAM (MEMORY_ROUTE_READS | MEMORY_ROUTE_WRITES)

static const uint32_t codes[] = {
    SEV_EXIT_DR7_READ, SEV_EXIT_DR7_WRITE, SEV_EXIT_RDTSC, SEV_EXIT_RDPMC, SEV_EXIT_CPUID,
    SEV_EXIT_INVD, SEV_EXIT_IOIO, SEV_EXIT_MSR, SEV_EXIT_VMMCALL, SEV_EXIT_RDTSCP, SEV_EXIT_WBINVD,
    SEV_EXIT_MONITOR, SEV_EXIT_MWAIT, SEV_EXIT_MMIO_READ, SEV_EXIT_MMIO_WRITE,
    SEV_EXIT_NMI_COMPLETE, SEV_EXIT_AP_RESET_HOLD, SEV_EXIT_AP_JUMP_TABLE,
    SEV_EXIT_HYPERVISOR_FEATURES, SEV_EXIT_TERMINATE, SEV_EXIT_UNSUPPORTED,
};

/* All there is, as DRAM and the chips hold it. */
struct image {
    uint8_t ram[RAM], shadow[4 * PAGE], high[4 * PAGE], rom[2 * PAGE], flash[2 * PAGE];
};

static struct memory *memory;
static struct cpu *cpus[2];
static struct cpu_io io;
static struct ghcb_common common;
static struct ghcb ghcbs[2];
static struct image now;        /* what memory must hold but for what a request may change */
static uint8_t routes;          /* as in the record */
static int meanwhile_routes;    /* -1: nothing is to happen */
static unsigned meanwhile_page;
static unsigned accesses, tells, ends;
static struct ghcb_told last;
static uint64_t mmio_first, mmio_size; /* where device accesses may be */
static uint64_t mmio_bytes;            /* so many bytes there were */
static struct {
    unsigned processor;
    bool halted, meanwhile; /* the latter: something is to happen at an access */
    uint64_t gpa, jump_table, code, info1, info2;
    uint64_t device_bytes; /* of those from `info1` on */
    uint8_t page[SEV_GHCB_SIZE];
} was; /* before the exit */

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

/* --- memory ----------------------------------------------------------------------------------- */

static void set_routes(uint8_t wanted)
{
    routes = wanted;
    memory_route(memory, SHADOW, 2 * PAGE, wanted & 8 ? ALL_RAM : wanted & 3);
    memory_route(memory, SHADOW + 2 * PAGE, 2 * PAGE, wanted & 3);
    memory_rom_readable(memory, FLASH, 2 * PAGE, !(wanted & 4));
}

static bool is_ram(uint64_t gpa)
{
    return memory_page_kind(memory, gpa) == MEMORY_RAM;
}

/* Where the RAM of an address is in an image, whatever is routed there; NULL: there is none. */
static uint8_t *place(struct image *image, uint64_t gpa)
{
    if (gpa < RAM)
        return image->ram + gpa;
    if (gpa - SHADOW < 4 * PAGE)
        return image->shadow + (gpa - SHADOW);
    return gpa - HIGH < 4 * PAGE ? image->high + (gpa - HIGH) : NULL;
}

/* The guest, another processor or a device writes shared memory. */
static void poke(uint64_t gpa, const uint8_t *bytes, size_t size)
{
    while (size) {
        size_t room = PAGE - gpa % PAGE, length = size < room ? size : room;
        if (is_ram(gpa)) {
            memory_write(memory, gpa, bytes, length, MEMORY_RAW);
            memcpy(place(&now, gpa), bytes, length);
        }
        gpa += length;
        bytes += length;
        size -= length;
    }
}

/* Raw, and the page stays in the view that it is in. */
static void look_at(uint64_t gpa, uint8_t *to, size_t size)
{
    for (; size; gpa += PAGE, to += PAGE, size -= PAGE) {
        memory_view view = memory_current_view(memory, gpa);
        memory_read(memory, gpa, to, PAGE, MEMORY_RAW);
        if (view != MEMORY_RAW)
            memory_page(memory, gpa, view);
    }
}

static void look(struct image *image)
{
    uint8_t kept = routes;
    look_at(0, image->ram, RAM);
    look_at(HIGH, image->high, 4 * PAGE);
    look_at(FLASH, image->flash, 2 * PAGE);
    set_routes(MEMORY_ROUTE_ROM);
    look_at(SHADOW + 2 * PAGE, image->rom, 2 * PAGE);
    set_routes(ALL_RAM);
    look_at(SHADOW, image->shadow, 4 * PAGE);
    set_routes(kept);
}

static void make_private(uint64_t gpa)
{
    if (gpa < RAM || (gpa >= HIGH && gpa < HIGH + 4 * PAGE))
        memory_page(memory, gpa, ASID);
}

/* --- what changed ----------------------------------------------------------------------------- */

static struct {
    uint64_t gpa, size;
} changes[16]; /* what may have changed */
static unsigned change_count;

static void may_change(uint64_t gpa, uint64_t size)
{
    changes[change_count].gpa = gpa;
    changes[change_count++].size = size;
}

/* In `now` it is as in the image, then. */
static void accept(struct image *image, uint64_t gpa, uint64_t size)
{
    while (size) {
        uint64_t room = PAGE - gpa % PAGE, length = size < room ? size : room;
        if (place(image, gpa))
            memcpy(place(&now, gpa), place(image, gpa), length);
        gpa += length;
        size -= length;
    }
}

static void compare(void)
{
    static struct image image;
    look(&image);
    while (change_count) {
        change_count--;
        accept(&image, changes[change_count].gpa, changes[change_count].size);
    }
    require(memcmp(image.rom, now.rom, sizeof(image.rom)) == 0, "a write to ROM");
    require(memcmp(image.flash, now.flash, sizeof(image.flash)) == 0, "a write to flash");
    require(memcmp(&image, &now, sizeof(image)) == 0, "a write elsewhere");
}

/* --- the outside ------------------------------------------------------------------------------ */

static void meanwhile(void)
{
    static uint8_t ones[PAGE];
    if (meanwhile_routes < 0)
        return;
    memset(ones, 0xFF, sizeof(ones));
    set_routes((uint8_t)meanwhile_routes);
    meanwhile_routes = -1;
    poke(meanwhile_page * (uint64_t)PAGE, ones, sizeof(ones));
}

static void device_access(uint64_t gpa, unsigned size, bool write)
{
    accesses++;
    require(size == 1 || size == 2 || size == 4 || size == 8, "an MMIO size");
    require(!(gpa & (size - 1)), "MMIO that is not aligned");
    require(gpa - mmio_first < mmio_size && size <= mmio_size - (gpa - mmio_first), "MMIO elsewhere");
    enum memory_kind kind = memory_page_kind(memory, gpa);
    require(kind == MEMORY_NONE || (write && kind == MEMORY_ROM), "MMIO to memory");
    mmio_bytes += size;
}

static uint64_t mmio_read(void *context, uint64_t gpa, unsigned size)
{
    device_access(gpa, size, false);
    meanwhile();
    return gpa * 0x0101010101010101u;
}

static void mmio_write(void *context, uint64_t gpa, uint64_t value, unsigned size)
{
    device_access(gpa, size, true);
    require(size == 8 || !(value >> 8 * size), "an MMIO value");
    meanwhile();
}

static void port_access(uint16_t port, unsigned size)
{
    accesses++;
    require(size == 1 || size == 2 || size == 4, "a port size");
    meanwhile();
}

static uint32_t port_read(void *context, uint16_t port, unsigned size)
{
    port_access(port, size);
    return port * 0x10001u;
}

static void port_write(void *context, uint16_t port, uint32_t value, unsigned size)
{
    require(size == 4 || !(value >> 8 * size), "a port value");
    port_access(port, size);
}

static void ended(void *context, unsigned processor, enum ghcb_end how, uint64_t set, uint64_t reason)
{
    ends++;
    require(cpus[processor]->halted, "an end that runs on");
    require(how == GHCB_END_UNSUPPORTED || (set < 16 && reason < 256), "a reason");
}

static void told(void *context, unsigned processor, const struct ghcb_told *what)
{
    tells++;
    last = *what;
}

/* --- exits ------------------------------------------------------------------------------------ */

static bool is_valid(const uint8_t *page, unsigned field)
{
    return page[SEV_GHCB_VALID + field / 64] >> field / 8 % 8 & 1;
}

static const uint16_t answers[] = { SEV_GHCB_RAX, SEV_GHCB_RCX, SEV_GHCB_RDX, SEV_GHCB_RBX,
                                    SEV_GHCB_EXIT_INFO_1, SEV_GHCB_EXIT_INFO_2 };
#define ANSWERS   (sizeof(answers) / sizeof(answers[0]))
#define REGISTERS 4u

static uint64_t field(unsigned at)
{
    return load_le64(was.page + at);
}

static bool is_string(void)
{
    return was.code == SEV_EXIT_IOIO && was.info1 & SEV_IOIO_STRING;
}

/* Bytes of the scratch area of a request that was carried out. */
static uint64_t scratch_bytes(void)
{
    uint64_t size = was.info1 >> 4 & 7;
    if (is_string()) {
        require(size && was.info2 <= LIMIT / size, "a string without end");
        return was.info2 * size;
    }
    require(was.info2 <= LIMIT, "MMIO without end");
    return was.info2;
}

/* It is the shared buffer of the page or a part of it, or lies elsewhere in RAM. */
static void check_scratch(uint64_t scratch, uint64_t size)
{
    uint64_t last_page = (scratch + size - 1) / PAGE;
    require(scratch && scratch + size >= scratch, "a scratch area that wraps");
    if (scratch / PAGE == was.gpa / PAGE)
        require(scratch >= was.gpa + SEV_GHCB_BUFFER &&
                    scratch + size <= was.gpa + SEV_GHCB_BUFFER + SEV_GHCB_BUFFER_SIZE,
                "a scratch area beside the buffer");
    for (uint64_t page = scratch / PAGE; size && page <= last_page; page++)
        require(place(&now, page * PAGE), "a scratch area that is no RAM");
}

/* What the request used and may have changed beside the answer. */
static void check_data(void)
{
    uint64_t scratch = field(SEV_GHCB_SCRATCH);
    bool reads = was.code == SEV_EXIT_MMIO_READ, writes = was.code == SEV_EXIT_MMIO_WRITE;
    if (!is_string() && !reads && !writes)
        return;
    uint64_t size = scratch_bytes();
    check_scratch(scratch, size);
    if (reads || (is_string() && was.info1 & SEV_IOIO_IN))
        may_change(scratch, size);
    if (writes)
        may_change(was.info1, size);
    if (is_string())
        require(accesses == was.info2, "elements of a string");
    else if (!was.meanwhile)
        require(mmio_bytes == was.device_bytes, "bytes of devices");
}

/* A request that is malformed has done nothing, and its registers come back. */
static void check_malformed(const uint8_t *after)
{
    require(last.result2 >= SEV_GHCB_ERROR_USAGE && last.result2 <= SEV_GHCB_ERROR_EVENT,
            "an error's number");
    require(!accesses && !ends && cpus[was.processor]->halted == was.halted, "an error with effects");
    for (unsigned k = 0; k < REGISTERS; k++) {
        uint64_t value = is_valid(was.page, answers[k]) ? field(answers[k]) : 0;
        require(load_le64(after + answers[k]) == value, "an error that changes registers");
    }
}

/* The page after an exit during which it was not taken away: complete, and untouched beside it. */
static void check_answer(void)
{
    uint8_t valid[16] = { 0 }, after[SEV_GHCB_SIZE];
    memory_read(memory, was.gpa, after, sizeof(after), MEMORY_RAW);
    for (unsigned k = 0; k < ANSWERS; k++)
        valid[answers[k] / 64] |= (uint8_t)(1u << answers[k] / 8 % 8);
    require(memcmp(after + SEV_GHCB_VALID, valid, sizeof(valid)) == 0, "an answer's bitmap");
    require(load_le64(after + SEV_GHCB_EXIT_INFO_1) == last.result1 &&
                load_le64(after + SEV_GHCB_EXIT_INFO_2) == last.result2,
            "another answer than was told");
    if (last.result1 == SEV_GHCB_MALFORMED)
        check_malformed(after);
}

static void check_page(void)
{
    const struct ghcb *ghcb = &ghcbs[was.processor];
    require(last.in_memory && last.page == was.gpa && last.code == was.code &&
                last.info1 == was.info1 && last.info2 == was.info2,
            "what is told");
    require(last.result1 <= SEV_GHCB_MALFORMED, "a result");
    require(last.result1 != SEV_GHCB_INJECT || last.result2 == SEV_EVENT_EXCEPTION(13), "an event");
    require(last.result1 == SEV_GHCB_MALFORMED ||
                (is_valid(was.page, SEV_GHCB_EXIT_CODE) && is_valid(was.page, SEV_GHCB_EXIT_INFO_1) &&
                 is_valid(was.page, SEV_GHCB_EXIT_INFO_2) && !load_le32(was.page + SEV_GHCB_USAGE)),
            "a request that is none");
    for (unsigned k = 0; k < ANSWERS; k++)
        may_change(was.gpa + answers[k], 8);
    may_change(was.gpa + SEV_GHCB_VALID, 16);
    if (last.result1 == SEV_GHCB_DONE)
        check_data();
    if (is_ram(was.gpa))
        check_answer();
    if (last.result1 == SEV_GHCB_DONE && was.code == SEV_EXIT_AP_RESET_HOLD)
        require(ghcb->hold == GHCB_HOLD_BY_PAGE && ghcb->hold_page == was.gpa, "a hold");
    require(common.jump_table == was.jump_table ||
                (was.code == SEV_EXIT_AP_JUMP_TABLE && !was.info1),
            "a jump table");
}

static void check_msr(const struct ghcb *ghcb, uint64_t asked, uint64_t answer)
{
    static const uint16_t answered[][2] = { { SEV_GHCB_MSR_SEV_INFO_ASK, SEV_GHCB_MSR_SEV_INFO },
                                            { SEV_GHCB_MSR_CPUID_ASK, SEV_GHCB_MSR_CPUID },
                                            { SEV_GHCB_MSR_AP_HOLD_ASK, SEV_GHCB_MSR_AP_HOLD },
                                            { SEV_GHCB_MSR_FEATURES_ASK, SEV_GHCB_MSR_FEATURES } };
    require(last.by_msr && last.info1 == asked && last.result1 == answer, "an MSR that is told");
    require(!accesses, "an MSR that reaches a device");
    require((ghcb->hold == GHCB_HOLD_BY_MSR) == (last.code == SEV_GHCB_MSR_AP_HOLD_ASK),
            "a hold by MSR");
    for (size_t k = 0; k < sizeof(answered) / sizeof(answered[0]); k++) {
        if (answered[k][0] == (asked & SEV_GHCB_MSR_INFO)) {
            require((answer & SEV_GHCB_MSR_INFO) == answered[k][1], "an MSR's answer");
            return;
        }
    }
    require(answer == asked, "an answer to nothing");
}

/* How many of the bytes are not memory, for a read or a write. */
static uint64_t count_device_bytes(uint64_t gpa, uint64_t size, bool write)
{
    uint64_t count = 0;
    while (size) {
        uint64_t room = PAGE - gpa % PAGE, length = size < room ? size : room;
        enum memory_kind kind = memory_page_kind(memory, gpa);
        count += kind == MEMORY_NONE || (write && kind == MEMORY_ROM) ? length : 0;
        gpa += length;
        size -= length;
    }
    return count;
}

/* What there is before an exit; the page stays in its view. */
static void remember(unsigned processor, uint64_t gpa)
{
    was.processor = processor;
    was.gpa = gpa;
    was.halted = cpus[processor]->halted;
    was.meanwhile = meanwhile_routes >= 0;
    was.jump_table = common.jump_table;
    look_at(gpa, was.page, sizeof(was.page));
    was.code = field(SEV_GHCB_EXIT_CODE);
    was.info1 = mmio_first = field(SEV_GHCB_EXIT_INFO_1);
    was.info2 = mmio_size = field(SEV_GHCB_EXIT_INFO_2);
    was.device_bytes = count_device_bytes(was.info1, was.info2 <= LIMIT ? was.info2 : 0,
                                          was.code == SEV_EXIT_MMIO_WRITE);
}

static void vmgexit(unsigned processor, uint64_t msr)
{
    bool is_page = !(msr & SEV_GHCB_MSR_INFO);
    bool has_page = is_page && msr && is_ram(msr);
    accesses = tells = ends = 0;
    mmio_size = mmio_bytes = 0;
    if (has_page)
        remember(processor, msr);
    uint64_t answer = ghcb_exit(&ghcbs[processor], msr);
    require(tells == 1, "an exit that is not told once");
    require(!is_page || answer == msr, "a page's MSR");
    require(ghcbs[processor].hold == GHCB_HOLD_NONE || cpus[processor]->halted, "a hold that runs on");
    if (has_page)
        check_page();
    else if (is_page)
        require(!last.in_memory && !accesses && !ends, "a page that is none");
    else
        check_msr(&ghcbs[processor], msr, answer);
    compare();
}

static void start(unsigned processor)
{
    const struct ghcb *ghcb = &ghcbs[processor];
    if (ghcb->hold == GHCB_HOLD_BY_PAGE)
        may_change(ghcb->hold_page + SEV_GHCB_EXIT_INFO_2, 8);
    ghcb_start(&ghcbs[processor]);
    require(ghcb->hold == GHCB_HOLD_NONE && !cpus[processor]->halted, "a start that does not");
    compare();
}

/* --- the input -------------------------------------------------------------------------------- */

struct input {
    const uint8_t *at;
    size_t left;
};

static uint64_t take(struct input *in, unsigned size)
{
    uint8_t bytes[8] = { 0 };
    size_t length = size < in->left ? size : in->left;
    memcpy(bytes, in->at, length);
    in->at += length;
    in->left -= length;
    return load_le64(bytes);
}

static void ask(struct input *in)
{
    static const uint16_t fields[] = { SEV_GHCB_EXIT_INFO_1, SEV_GHCB_EXIT_INFO_2, SEV_GHCB_RAX,
                                       SEV_GHCB_RCX, SEV_GHCB_RDX, SEV_GHCB_SCRATCH };
    static const uint16_t valid[] = { SEV_GHCB_RAX, SEV_GHCB_RCX, SEV_GHCB_RDX, SEV_GHCB_RBX,
                                      SEV_GHCB_CPL, SEV_GHCB_XCR0, SEV_GHCB_SCRATCH };
    unsigned who = (unsigned)take(in, 1), code = (unsigned)take(in, 1), has = (unsigned)take(in, 1);
    uint64_t gpa = (who >> 1) * (uint64_t)PAGE;
    uint8_t bytes[16] = { 0 };
    uint64_t rax = 0;
    for (unsigned k = 0; k < sizeof(fields) / sizeof(fields[0]); k++) {
        uint64_t value = take(in, 8);
        rax = fields[k] == SEV_GHCB_RAX ? value : rax;
        store_le64(bytes, value);
        poke(gpa + fields[k], bytes, 8);
    }
    store_le64(bytes, code < sizeof(codes) / sizeof(codes[0]) ? codes[code] : rax);
    poke(gpa + SEV_GHCB_EXIT_CODE, bytes, 8);
    memset(bytes, 0, sizeof(bytes));
    bytes[SEV_GHCB_EXIT_CODE / 64] = 7 << SEV_GHCB_EXIT_CODE / 8 % 8; /* and the information */
    for (unsigned k = 0; k < sizeof(valid) / sizeof(valid[0]); k++)
        bytes[valid[k] / 64] |= (uint8_t)((has >> k & 1) << valid[k] / 8 % 8);
    if (!(has & 0x80)) {
        poke(gpa + SEV_GHCB_VALID, bytes, 16);
        poke(gpa + SEV_GHCB_USAGE, (const uint8_t[4]){ 0 }, 4);
    }
    vmgexit(who & 1, gpa);
}

static void step(struct input *in)
{
    uint64_t address;
    size_t length;
    switch (take(in, 1) & 7) {
    case 0:
        ask(in);
        break;
    case 1:
        length = take(in, 1) & 1;
        vmgexit((unsigned)length, take(in, 8));
        break;
    case 2:
        address = take(in, 4);
        length = take(in, 1);
        length = length < in->left ? length : in->left;
        poke(address, in->at, length);
        in->at += length;
        in->left -= length;
        break;
    case 3:
        make_private(take(in, 1) * PAGE);
        break;
    case 4:
        start(take(in, 1) & 1);
        break;
    case 5:
        set_routes(take(in, 1) & 15);
        break;
    case 6:
        meanwhile_routes = take(in, 1) & 15;
        meanwhile_page = (unsigned)take(in, 1);
        break;
    case 7:
        cpu_set_halted(cpus[take(in, 1) & 1], false);
        break;
    }
}

/* --- begin ------------------------------------------------------------------------------------ */

static void page_changed(void *context, uint64_t gpa)
{
    for (unsigned n = 0; n < 2; n++) {
        if (cpus[n])
            cpu_invalidate_page(cpus[n], gpa);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const uint8_t seed[32], key[MEMORY_KEY_SIZE] = { 1 };
    static uint8_t rom[2 * PAGE];
    struct cpu_config config = { .sev = CPU_SEV_ES, .asid = ASID, .c_bit = 51, .physical_bits = 40,
                                 .processors = 2, .tsc_hz = 1000000000 };
    memset(rom, 0x99, sizeof(rom));
    memory = memory_create(seed);
    require(memory && memory_add_ram(memory, 0, RAM) == 0 &&
                memory_add_shadow(memory, SHADOW, 4 * PAGE, rom, sizeof(rom)) == 0 &&
                memory_add_ram(memory, HIGH, 4 * PAGE) == 0 &&
                memory_add_rom(memory, FLASH, sizeof(rom), rom) == 0,
            "memory");
    memory_set_listener(memory, page_changed, NULL);
    memory_set_key(memory, ASID, key);
    io = quiet_io;
    io.mmio_read = mmio_read;
    io.mmio_write = mmio_write;
    io.port_read = port_read;
    io.port_write = port_write;
    for (unsigned n = 0; n < 2; n++) {
        config.apic_id = n;
        config.sibling = cpus[0];
        cpus[n] = cpu_create(&config, memory, &io);
        require(cpus[n], "processors");
    }
    return 0;
}

/* Everything as at the beginning: processors are too large to be made for each input. */
static void begin(void)
{
    static const uint8_t zero[PAGE];
    common = (struct ghcb_common){ .memory = memory, .c_bit = 51, .host = { NULL, ended, told } };
    for (unsigned n = 0; n < 2; n++) {
        cpu_reset(cpus[n]);
        cpu_set_halted(cpus[n], false);
        ghcb_init(&ghcbs[n], &common, n, cpus[n], &io);
    }
    meanwhile_routes = -1;
    set_routes(ALL_RAM);
    for (uint64_t gpa = 0; gpa < HIGH + 4 * PAGE; gpa += PAGE)
        poke(gpa, zero, memory_page_kind(memory, gpa) == MEMORY_RAM ? PAGE : 0);
    look(&now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, size };
    begin();
    for (int steps = 0; in.left && steps < STEPS; steps++)
        step(&in);
    return 0;
}
