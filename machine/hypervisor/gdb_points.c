/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Breakpoints and watchpoints of the debugger: one table, the same slots in every processor. GDB's
 * software breakpoints are the processor's too: no byte of the guest is ever patched.
 */
#include <inttypes.h>

#include "machine/hypervisor/gdb_session.h"

/* Z packets (GDB manual, E.2): 0 software, 1 hardware, 2 write, 3 read, 4 access. */
static enum cpu_breakpoint_kind kind_of(char digit)
{
    switch (digit) {
    case '0':
    case '1':
        return CPU_BREAKPOINT_EXECUTE;
    case '2':
        return CPU_BREAKPOINT_WRITE;
    case '3':
        return CPU_BREAKPOINT_READ;
    case '4':
        return CPU_BREAKPOINT_ACCESS;
    default:
        return CPU_BREAKPOINT_NONE;
    }
}

static bool apply(struct gdb *gdb, unsigned slot)
{
    const struct gdb_breakpoint *b = &gdb->breakpoints[slot];
    bool done = true;
    for (unsigned n = 0; n < gdb->guest->cpu_count; n++)
        done = cpu_set_breakpoint(gdb->guest->cpus[n], slot, b->kind, b->address, b->size) && done;
    return done;
}

static int find_slot(const struct gdb *gdb, const struct gdb_breakpoint *wanted)
{
    for (unsigned slot = 0; slot < CPU_BREAKPOINTS - CPU_BREAKPOINTS_OWN; slot++) {
        const struct gdb_breakpoint *b = &gdb->breakpoints[slot];
        if (b->kind == wanted->kind &&
             (!b->kind || (b->address == wanted->address && b->size == wanted->size &&
                          b->software == wanted->software)))
            return (int)slot;
    }
    return -1;
}

static struct gdb_breakpoint make(char kind, uint64_t address, uint64_t size)
{
    struct gdb_breakpoint b = { .kind = kind_of(kind), .address = address,
                                .software = kind == '0' };
    if (b.kind != CPU_BREAKPOINT_EXECUTE)
        b.size = size > CPU_BREAKPOINT_SIZE ? 0 : (unsigned)size;
    else
        b.size = 1;
    return b;
}

static void clear(struct gdb *gdb, unsigned slot)
{
    gdb->breakpoints[slot] = (struct gdb_breakpoint){ .kind = CPU_BREAKPOINT_NONE };
    apply(gdb, slot);
}

bool gdb_insert_point(struct gdb *gdb, char kind, uint64_t address, uint64_t size)
{
    const struct gdb_breakpoint none = { .kind = CPU_BREAKPOINT_NONE };
    struct gdb_breakpoint wanted = make(kind, address, size);
    if (!wanted.kind || !wanted.size)
        return false;
    if (find_slot(gdb, &wanted) >= 0)
        return true; /* the packet may be repeated: GDB manual, E.2 */
    int slot = find_slot(gdb, &none);
    if (slot < 0)
        return false;
    gdb->breakpoints[slot] = wanted;
    if (apply(gdb, (unsigned)slot))
        return true;
    clear(gdb, (unsigned)slot);
    return false;
}

bool gdb_remove_point(struct gdb *gdb, char kind, uint64_t address, uint64_t size)
{
    struct gdb_breakpoint wanted = make(kind, address, size);
    if (!wanted.kind || !wanted.size)
        return false;
    int slot = find_slot(gdb, &wanted);
    if (slot >= 0)
        clear(gdb, (unsigned)slot);
    return true;
}

void gdb_remove_all_points(struct gdb *gdb)
{
    for (unsigned slot = 0; slot < CPU_BREAKPOINTS - CPU_BREAKPOINTS_OWN; slot++) {
        if (gdb->breakpoints[slot].kind)
            clear(gdb, slot);
    }
}

void gdb_describe_hit(const struct gdb *gdb, struct cpu *cpu, char *text, size_t size)
{
    const struct cpu_breakpoint_hit hit = cpu_breakpoint_hit(cpu);
    const char *word = hit.kind == CPU_BREAKPOINT_WRITE  ? "watch"
                       : hit.kind == CPU_BREAKPOINT_READ ? "rwatch"
                                                         : "awatch";
    if (hit.kind != CPU_BREAKPOINT_EXECUTE)
        snprintf(text, size, "%s:%" PRIx64 ";", word, hit.address);
    else if (gdb->reports_kind)
        snprintf(text, size, "%s:;", gdb->breakpoints[hit.slot].software ? "swbreak" : "hwbreak");
    else
        text[0] = '\0';
}
