/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The rule about memory left shared when UEFI firmware hands over (UEFI 2.10 7.4.6). The system
 * table is looked for in private memory by its signature; from it come the addresses of
 * GetMemoryMap and ExitBootServices, which get breakpoints. When ExitBootServices returns with
 * success, the pages that the last memory map gives to the system as normal memory are looked up
 * in the page tables in force.
 */
#include <stdio.h>
#include <string.h>

#include "machine/cpu/inspect.h"
#include "machine/hypervisor/checker_rules.h"
#include "machine/hypervisor/guest.h"

#define SIGNATURE_SYSTEM 0x5453595320494249ull /* "IBI SYST" */
#define SIGNATURE_BOOT   0x56524553544f4f42ull /* "BOOTSERV" */

/* UEFI 2.10 4.3 and 4.4: offsets in the tables. */
#define SYSTEM_HEADER_SIZE   12u
#define SYSTEM_SIZE          120u
#define SYSTEM_BOOT_SERVICES 96u
#define BOOT_GET_MEMORY_MAP  56u
#define BOOT_EXIT            232u

#define SCAN_FIRST 2000000ull    /* instructions; then each time a quarter more */
#define SCAN_LAST  4000000000ull /* a guest that has no system table by now will have none */

#define MAP_LIMIT      (256u * 1024)
#define DESCRIPTOR_MIN 40u
#define PAGES_LIMIT    (1ull << 24) /* looked at in all: a map that says more is no map */

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9 };
enum { SLOT_MAP = CPU_BREAKPOINTS - 1, SLOT_EXIT = CPU_BREAKPOINTS - 2,
       SLOT_RETURN = CPU_BREAKPOINTS - 3 };

static uint64_t word(const uint8_t *bytes, size_t offset)
{
    uint64_t value;
    memcpy(&value, bytes + offset, sizeof(value));
    return value;
}

static void set_all(struct checker *checker, unsigned slot, enum cpu_breakpoint_kind kind,
                    uint64_t address)
{
    for (unsigned n = 0; n < checker->cpu_count; n++)
        cpu_set_breakpoint(checker->cpus[n].cpu, slot, kind, address, 1);
}

/* --- the system table ----------------------------------------------------------------------- */

static bool read_private(struct checker *checker, uint64_t gpa, void *data, size_t length)
{
    memory_view asid = checker->guest->config.asid;
    return memory_current_view(checker->memory, gpa) == asid &&
           memory_current_view(checker->memory, gpa + length - 1) == asid &&
           memory_read(checker->memory, gpa, data, length, asid) == 0;
}

/* A system table at `gpa`? UEFI maps memory so that linear is physical (2.10 2.3.4). */
static bool take_table(struct checker *checker, uint64_t gpa)
{
    uint8_t table[SYSTEM_SIZE], boot[BOOT_EXIT + 8];
    uint32_t size;
    if (!read_private(checker, gpa, table, sizeof(table)))
        return false;
    memcpy(&size, table + SYSTEM_HEADER_SIZE, sizeof(size));
    uint64_t services = word(table, SYSTEM_BOOT_SERVICES);
    if (size != SYSTEM_SIZE || !services || services >> 52 ||
        !read_private(checker, services, boot, sizeof(boot)) ||
        word(boot, 0) != SIGNATURE_BOOT || !word(boot, BOOT_EXIT))
        return false;
    set_all(checker, SLOT_MAP, CPU_BREAKPOINT_EXECUTE, word(boot, BOOT_GET_MEMORY_MAP));
    set_all(checker, SLOT_EXIT, CPU_BREAKPOINT_EXECUTE, word(boot, BOOT_EXIT));
    return true;
}

static bool scan_page(struct checker *checker, uint64_t gpa)
{
    uint8_t page[MEMORY_PAGE_SIZE];
    if (!read_private(checker, gpa, page, sizeof(page)))
        return false;
    for (size_t at = 0; at < sizeof(page); at += 8) {
        if (word(page, at) == SIGNATURE_SYSTEM && take_table(checker, gpa + at))
            return true;
    }
    return false;
}

static bool scan(struct checker *checker)
{
    uint64_t base, size;
    for (unsigned range = 0; memory_ram_range(checker->memory, range, &base, &size); range++) {
        for (uint64_t gpa = base; gpa < base + size; gpa += MEMORY_PAGE_SIZE) {
            if (memory_touched(checker->memory, gpa) && scan_page(checker, gpa))
                return true;
        }
    }
    return false;
}

void checker_exit_look(struct checker *checker, uint64_t instructions)
{
    struct checker_exit *exit = &checker->exit;
    instructions -= exit->base;
    if (exit->done || exit->found || instructions < exit->next_scan ||
        !checker_wants(checker, CHECK_SHARED_AT_EXIT))
        return;
    exit->found = scan(checker);
    exit->next_scan = instructions < SCAN_FIRST ? SCAN_FIRST : instructions + instructions / 4;
    exit->done = instructions > SCAN_LAST;
}

void checker_exit_reset(struct checker *checker)
{
    for (unsigned slot = SLOT_RETURN; slot <= SLOT_MAP; slot++)
        set_all(checker, slot, CPU_BREAKPOINT_NONE, 0);
    checker->exit = (struct checker_exit){ .base = guest_instructions(checker->guest) };
}

/* --- the memory map ------------------------------------------------------------------------- */

/* Types that the system may use as it likes once boot services are over (UEFI 2.10 7.2.1). */
static const char *usable(uint32_t type)
{
    static const char *const names[] = {
        [1] = "EfiLoaderCode", [2] = "EfiLoaderData", [3] = "EfiBootServicesCode",
        [4] = "EfiBootServicesData", [7] = "EfiConventionalMemory",
    };
    return type < sizeof(names) / sizeof(names[0]) ? names[type] : NULL;
}

/* The first shared page of [gpa, end) and how many follow it; false: there is none. */
static bool shared_run(struct cpu *cpu, uint64_t *gpa, uint64_t end, uint64_t *ret_pages)
{
    struct cpu_walk walk;
    for (*ret_pages = 0; *gpa < end;) {
        cpu_walk(cpu, *gpa + *ret_pages * MEMORY_PAGE_SIZE, &walk);
        bool shared = walk.mapped && walk.view == MEMORY_RAW &&
                      walk.gpa >> 12 == (*gpa >> 12) + *ret_pages;
        if (shared && *gpa + (*ret_pages + 1) * MEMORY_PAGE_SIZE <= end) {
            ++*ret_pages;
            continue;
        }
        if (*ret_pages)
            return true;
        *gpa += MEMORY_PAGE_SIZE;
    }
    return false;
}

static void check_descriptor(struct checker_cpu *watch, uint64_t rip, const uint8_t *descriptor)
{
    uint32_t type;
    memcpy(&type, descriptor, sizeof(type));
    uint64_t gpa = word(descriptor, 8), pages = word(descriptor, 24), run;
    if (!usable(type) || pages > watch->checker->exit.pages_left || gpa >> 52)
        return;
    watch->checker->exit.pages_left -= pages;
    uint64_t end = gpa + pages * MEMORY_PAGE_SIZE;
    while (shared_run(watch->cpu, &gpa, end, &run)) {
        /* Each run is a place of its own: the RIP is the same for all. */
        const struct checker_at at = { watch, rip, NULL, &gpa, gpa };
        checker_report(watch->checker, CHECK_SHARED_AT_EXIT, &at,
                       "%llu pages of %s are mapped with C=0 after ExitBootServices: expected "
                       "them private again, or a type that the system leaves alone",
                       (unsigned long long)run, usable(type));
        gpa += run * MEMORY_PAGE_SIZE;
    }
}

static void check_map(struct checker_cpu *watch, uint64_t rip)
{
    static uint8_t map[MAP_LIMIT];
    const struct checker_exit *exit = &watch->checker->exit;
    uint64_t size, each;
    if (!exit->map || !cpu_peek(watch->cpu, exit->map_size, &size, sizeof(size)) ||
        !cpu_peek(watch->cpu, exit->descriptor_size, &each, sizeof(each)) ||
        size > sizeof(map) || each < DESCRIPTOR_MIN ||
        !cpu_peek(watch->cpu, exit->map, map, size))
        return;
    watch->checker->exit.pages_left = PAGES_LIMIT;
    for (uint64_t at = 0; at + each <= size && each <= size; at += each)
        check_descriptor(watch, rip, map + at);
}

/* --- breakpoints ---------------------------------------------------------------------------- */

static void map_asked(struct checker *checker, const struct cpu_registers *r)
{
    checker->exit.map_size = r->gpr[RCX];
    checker->exit.map = r->gpr[RDX];
    checker->exit.descriptor_size = r->gpr[R9];
}

static void exit_asked(struct checker *checker, struct cpu *cpu, const struct cpu_registers *r)
{
    uint64_t back;
    if (cpu_peek(cpu, r->gpr[RSP], &back, sizeof(back)))
        set_all(checker, SLOT_RETURN, CPU_BREAKPOINT_EXECUTE, back);
}

static void exit_returned(struct checker_cpu *watch, const struct cpu_registers *r)
{
    struct checker *checker = watch->checker;
    set_all(checker, SLOT_RETURN, CPU_BREAKPOINT_NONE, 0);
    if (r->gpr[RAX] != 0) /* the map was out of date: the caller tries again */
        return;
    set_all(checker, SLOT_MAP, CPU_BREAKPOINT_NONE, 0);
    set_all(checker, SLOT_EXIT, CPU_BREAKPOINT_NONE, 0);
    checker->exit.done = true;
    check_map(watch, r->linear_rip);
}

bool checker_breakpoint(struct checker *checker, unsigned processor)
{
    struct checker_cpu *watch = &checker->cpus[processor];
    struct cpu_breakpoint_hit hit = cpu_breakpoint_hit(watch->cpu);
    struct cpu_registers registers;
    if (hit.slot < SLOT_RETURN)
        return false;
    cpu_get_registers(watch->cpu, &registers);
    if (hit.slot == SLOT_MAP)
        map_asked(checker, &registers);
    else if (hit.slot == SLOT_EXIT)
        exit_asked(checker, watch->cpu, &registers);
    else
        exit_returned(watch, &registers);
    return true;
}
