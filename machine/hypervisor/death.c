/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The report of a guest that died: what one wants to know first, of the processor that ran last in
 * full and of the others in short.
 */
#include <inttypes.h>

#include "machine/cpu/tracer.h"
#include "machine/hypervisor/describe.h"
#include "machine/hypervisor/es.h"

#define LINES_BEFORE 5u /* instructions before RIP, if it is known where to begin */
#define LINES_AFTER  5u
#define FURTHEST     96u /* bytes: how far before RIP a branch target may lie */
#define STACK_WORDS  8u
#define PAGE_FAULT   14

struct report {
    struct guest *guest;
    FILE *out;
    guest_symbolize *find;
    void *context;
};

/* " <name+0x10>", or nothing. */
static void put_symbol(const struct report *r, uint64_t address)
{
    char name[160];
    if (r->find && r->find(r->context, address, name, sizeof(name)))
        fprintf(r->out, " <%s>", name);
}

/* Where decoding can begin so that it comes to RIP: the last branch target before it. */
static uint64_t code_start(struct cpu *cpu, uint64_t rip)
{
    struct cpu_branch branches[CPU_HISTORY];
    unsigned count = cpu_last_branches(cpu, branches);
    char text[96];
    for (unsigned k = 0; k < count; k++) {
        if (rip - branches[k].to > FURTHEST)
            continue;
        uint64_t at = branches[k].to;
        for (unsigned length; at < rip; at += length) {
            length = cpu_disassemble(cpu, at, text, sizeof(text));
            if (!length)
                break;
        }
        if (at == rip)
            return branches[k].to;
    }
    return rip;
}

/* The start of the last LINES_BEFORE instructions among those from `start` to `rip`. */
static uint64_t skip_to_last(struct cpu *cpu, uint64_t start, uint64_t rip)
{
    uint64_t starts[LINES_BEFORE];
    unsigned count = 0;
    char text[96];
    for (uint64_t at = start; at < rip; count++) {
        starts[count % LINES_BEFORE] = at;
        at += cpu_disassemble(cpu, at, text, sizeof(text));
    }
    return count < LINES_BEFORE ? start : starts[count % LINES_BEFORE];
}

static void report_code(const struct report *r, struct cpu *cpu)
{
    struct cpu_registers registers;
    cpu_get_registers(cpu, &registers);
    uint64_t rip = registers.rip, at = skip_to_last(cpu, code_start(cpu, rip), rip);
    fprintf(r->out, "code at RIP:\n");
    for (unsigned after = 0; after <= LINES_AFTER;) {
        char text[96];
        unsigned length = cpu_disassemble(cpu, at, text, sizeof(text));
        fprintf(r->out, "%s %016" PRIx64 " %s", at == rip ? "=>" : "  ", at, text);
        put_symbol(r, at);
        putc('\n', r->out);
        if (!length)
            return;
        after += at >= rip;
        at += length;
    }
}

static void report_stack(const struct report *r, struct cpu *cpu)
{
    struct cpu_registers registers;
    cpu_get_registers(cpu, &registers);
    unsigned size = registers.code_bits / 8;
    uint64_t sp = registers.gpr[4];
    if (registers.code_bits != 64)
        sp = (uint32_t)(registers.seg[CPU_SS].base + (size == 2 ? sp & 0xFFFF : sp));
    fprintf(r->out, "stack:\n");
    for (unsigned k = 0; k < STACK_WORDS; k++, sp += size) {
        uint64_t word = 0;
        if (!cpu_peek(cpu, sp, &word, size)) {
            fprintf(r->out, "   %016" PRIx64 " (no memory)\n", sp);
            return;
        }
        fprintf(r->out, "   %016" PRIx64 " %0*" PRIx64, sp, (int)(2 * size), word);
        put_symbol(r, word);
        putc('\n', r->out);
    }
}

static void report_events(const struct report *r, struct cpu *cpu)
{
    static const char *const kinds[] = {
        [CPU_EVENT_EXCEPTION] = "exception",
        [CPU_EVENT_INTERRUPT] = "interrupt",
        [CPU_EVENT_NMI] = "NMI",
        [CPU_EVENT_SOFTWARE] = "by instruction",
    };
    struct cpu_event events[CPU_HISTORY];
    unsigned count = cpu_last_events(cpu, events);
    fprintf(r->out, "last exceptions and interrupts, newest first:%s\n", count ? "" : " none");
    for (unsigned k = 0; k < count; k++) {
        const struct cpu_event *e = &events[k];
        fprintf(r->out, "   at %" PRIu64 ": %s %u", e->instructions, kinds[e->kind], e->vector);
        if (e->has_error)
            fprintf(r->out, " error %x", e->error);
        if (e->kind == CPU_EVENT_EXCEPTION && e->vector == PAGE_FAULT)
            fprintf(r->out, " address %016" PRIx64, e->cr2);
        fprintf(r->out, " rip %04x:%016" PRIx64, e->cs, e->rip);
        put_symbol(r, e->rip);
        putc('\n', r->out);
    }
}

static void report_branches(const struct report *r, struct cpu *cpu)
{
    struct cpu_branch branches[CPU_HISTORY];
    unsigned count = cpu_last_branches(cpu, branches);
    fprintf(r->out, "last branches, newest first (those within a page that repeat are left out):"
                    "%s\n", count ? "" : " none");
    for (unsigned k = 0; k < count; k++) {
        fprintf(r->out, "   %016" PRIx64, branches[k].from);
        put_symbol(r, branches[k].from);
        fprintf(r->out, " -> %016" PRIx64, branches[k].to);
        put_symbol(r, branches[k].to);
        putc('\n', r->out);
    }
}

static void report_exits(const struct report *r, unsigned processor)
{
    struct es_exit exits[ES_HISTORY];
    char text[DESCRIBE_VMGEXIT_SIZE];
    unsigned count = es_last_exits(r->guest->es, processor, exits);
    fprintf(r->out, "last VMGEXITs, newest first:%s\n", count ? "" : " none");
    for (unsigned k = 0; k < count; k++) {
        fprintf(r->out, "   at %" PRIu64 ": %s rip %016" PRIx64, exits[k].instructions,
                describe_vmgexit(&exits[k].told, text), exits[k].told.rip);
        put_symbol(r, exits[k].told.rip);
        putc('\n', r->out);
    }
}

/* The address of the last fault, if that was a page fault. */
static bool faulting_address(struct cpu *cpu, uint64_t *ret)
{
    struct cpu_event events[CPU_HISTORY];
    unsigned count = cpu_last_events(cpu, events);
    for (unsigned k = 0; k < count; k++) {
        if (events[k].kind == CPU_EVENT_EXCEPTION && events[k].vector == PAGE_FAULT) {
            *ret = events[k].cr2;
            return true;
        }
    }
    return false;
}

static void report_processor(const struct report *r, unsigned index)
{
    struct cpu *cpu = r->guest->cpus[index];
    struct cpu_registers registers;
    uint64_t address;
    cpu_get_registers(cpu, &registers);
    describe_registers(r->out, cpu);
    report_code(r, cpu);
    report_stack(r, cpu);
    report_events(r, cpu);
    report_branches(r, cpu);
    if (r->guest->es)
        report_exits(r, index);
    fprintf(r->out, "page walk of RIP: ");
    describe_walk(r->out, r->guest, cpu, registers.linear_rip);
    if (!faulting_address(cpu, &address))
        return;
    fprintf(r->out, "page walk of the last page fault's address: ");
    describe_walk(r->out, r->guest, cpu, address);
}

void guest_describe_death(struct guest *guest, FILE *out, guest_symbolize *find, void *context)
{
    const struct report r = { guest, out, find, context };
    fprintf(out, "processor %u, which ran last, after %" PRIu64 " instructions:\n",
            guest->current, cpu_instructions(guest->cpus[guest->current]));
    report_processor(&r, guest->current);
    for (unsigned n = 0; n < guest->cpu_count; n++) {
        if (n != guest->current) {
            fprintf(out, "processor %u, after %" PRIu64 " instructions:\n", n,
                    cpu_instructions(guest->cpus[n]));
            describe_general_registers(out, guest->cpus[n]);
        }
    }
}
