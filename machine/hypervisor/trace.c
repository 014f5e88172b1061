/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The trace of a run. Ports and MMIO are seen between processor and board, the rest is told by
 * processor, memory and run loop. Nothing here changes what the guest does, and no host time or
 * address is in a line.
 */
#include "machine/hypervisor/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/cpu/tracer.h"
#include "machine/hypervisor/describe.h"
#include "sev/status.h"

enum subject {
    TRACE_EXITS = 0x001,
    TRACE_IO = 0x002,
    TRACE_MMIO = 0x004,
    TRACE_MSR = 0x008,
    TRACE_PAGES = 0x010,
    TRACE_LAUNCH = 0x020,
    TRACE_EXCEPTIONS = 0x040,
    TRACE_INTERRUPTS = 0x080,
    TRACE_INSTRUCTIONS = 0x100,
    TRACE_VMGEXIT = 0x200,
    TRACE_ALL = 0x3FF,
};

static const struct {
    const char *name;
    unsigned subject;
} subjects[] = {
    { "exits", TRACE_EXITS },
    { "io", TRACE_IO },
    { "mmio", TRACE_MMIO },
    { "msr", TRACE_MSR },
    { "pages", TRACE_PAGES },
    { "launch", TRACE_LAUNCH },
    { "exceptions", TRACE_EXCEPTIONS },
    { "interrupts", TRACE_INTERRUPTS },
    { "instructions", TRACE_INSTRUCTIONS },
    { "vmgexit", TRACE_VMGEXIT },
    { "all", TRACE_ALL },
};

#define SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

/* One processor's side. */
struct trace_processor {
    struct trace *trace;
    unsigned index;
    struct cpu *cpu;
    const struct cpu_io *inner;
    struct cpu_io io; /* as given to the processor: `inner`, with some calls told */
    struct cpu_tracer tracer;
};

struct trace {
    struct guest *guest;
    FILE *out;
    bool own_file, failed;
    const char *prefix; /* on standard error every line of ours begins the same */
    unsigned wanted;
    uint64_t from, to;
    struct trace_processor processors[BOARD_MAX_PROCESSORS];
};

static bool counts(const struct trace *trace, uint64_t instructions)
{
    return instructions >= trace->from && instructions <= trace->to;
}

static void __attribute__((format(printf, 4, 5)))
line(struct trace *trace, unsigned index, uint64_t instructions, const char *format, ...)
{
    va_list arguments;
    if (!counts(trace, instructions))
        return;
    fprintf(trace->out, "%s%u %" PRIu64 " ", trace->prefix, index, instructions);
    va_start(arguments, format);
    vfprintf(trace->out, format, arguments);
    va_end(arguments);
    putc('\n', trace->out);
}

/* 0 before the processor exists. */
static uint64_t count_of(const struct trace_processor *p)
{
    return p->cpu ? cpu_instructions(p->cpu) : 0;
}

#define LINE(p, ...) line((p)->trace, (p)->index, count_of(p), __VA_ARGS__)

/* --- ports and MMIO ------------------------------------------------------------------------- */

static uint64_t mmio_read(void *context, uint64_t gpa, unsigned size)
{
    struct trace_processor *p = context;
    uint64_t value = p->inner->mmio_read(p->inner->context, gpa, size);
    if (p->trace->wanted & TRACE_MMIO)
        LINE(p, "mmio read %010" PRIx64 " size %u value %" PRIx64, gpa, size, value);
    return value;
}

static void mmio_write(void *context, uint64_t gpa, uint64_t value, unsigned size)
{
    struct trace_processor *p = context;
    if (p->trace->wanted & TRACE_MMIO)
        LINE(p, "mmio write %010" PRIx64 " size %u value %" PRIx64, gpa, size, value);
    p->inner->mmio_write(p->inner->context, gpa, value, size);
}

static uint32_t port_read(void *context, uint16_t port, unsigned size)
{
    struct trace_processor *p = context;
    uint32_t value = p->inner->port_read(p->inner->context, port, size);
    if (p->trace->wanted & TRACE_IO)
        LINE(p, "io read %04x size %u value %x", port, size, value);
    return value;
}

static void port_write(void *context, uint16_t port, uint32_t value, unsigned size)
{
    struct trace_processor *p = context;
    if (p->trace->wanted & TRACE_IO)
        LINE(p, "io write %04x size %u value %x", port, size, value);
    p->inner->port_write(p->inner->context, port, value, size);
}

static int interrupt_acknowledge(void *context)
{
    struct trace_processor *p = context;
    return p->inner->interrupt_acknowledge(p->inner->context);
}

static uint64_t tsc_read(void *context)
{
    struct trace_processor *p = context;
    return p->inner->tsc_read(p->inner->context);
}

static bool apic_msr_read(void *context, uint32_t msr, uint64_t *value)
{
    struct trace_processor *p = context;
    return p->inner->apic_msr_read(p->inner->context, msr, value);
}

static bool apic_msr_write(void *context, uint32_t msr, uint64_t value)
{
    struct trace_processor *p = context;
    return p->inner->apic_msr_write(p->inner->context, msr, value);
}

static uint8_t cr8_read(void *context)
{
    struct trace_processor *p = context;
    return p->inner->cr8_read(p->inner->context);
}

static void cr8_write(void *context, uint8_t value)
{
    struct trace_processor *p = context;
    p->inner->cr8_write(p->inner->context, value);
}

static bool random_read(void *context, uint64_t *value)
{
    struct trace_processor *p = context;
    return p->inner->random(p->inner->context, value);
}

static uint64_t vmgexit(void *context, uint64_t ghcb)
{
    struct trace_processor *p = context;
    return p->inner->vmgexit(p->inner->context, ghcb);
}

const struct cpu_io *trace_io(struct trace *trace, unsigned index, const struct cpu_io *io)
{
    struct trace_processor *p = &trace->processors[index];
    if (!(trace->wanted & (TRACE_IO | TRACE_MMIO)))
        return io;
    p->inner = io;
    p->io = (struct cpu_io){
        .context = p,
        .mmio_read = mmio_read,
        .mmio_write = mmio_write,
        .port_read = port_read,
        .port_write = port_write,
        .interrupt_acknowledge = interrupt_acknowledge,
        .tsc_read = tsc_read,
        .apic_msr_read = apic_msr_read,
        .apic_msr_write = apic_msr_write,
        .cr8_read = cr8_read,
        .cr8_write = cr8_write,
        .random = random_read,
        .vmgexit = vmgexit,
    };
    return &p->io;
}

/* --- processor ------------------------------------------------------------------------------ */

static const char *exception_name(unsigned vector)
{
    static const char *const names[] = {
        "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "", "#TS", "#NP",
        "#SS", "#GP", "#PF", "",    "#MF", "#AC", "#MC", "#XF",
    };
    return vector < sizeof(names) / sizeof(names[0]) ? names[vector] : "";
}

static void told_exception(struct trace_processor *p, const struct cpu_event *e)
{
    char error[24] = "", address[32] = "";
    if (e->has_error)
        snprintf(error, sizeof(error), " error %x", e->error);
    if (e->vector == 14)
        snprintf(address, sizeof(address), " address %016" PRIx64, e->cr2);
    LINE(p, "exception %02x %s%s rip %04x:%016" PRIx64 "%s", e->vector,
         exception_name(e->vector), error, e->cs, e->rip, address);
}

static void told_event(void *context, struct cpu *cpu, const struct cpu_event *e)
{
    struct trace_processor *p = context;
    bool software = e->kind == CPU_EVENT_SOFTWARE;
    if (e->kind == CPU_EVENT_EXCEPTION && p->trace->wanted & TRACE_EXCEPTIONS)
        told_exception(p, e);
    else if (software && p->trace->wanted & TRACE_EXCEPTIONS)
        LINE(p, "exception %02x by instruction, return to %04x:%016" PRIx64, e->vector, e->cs,
             e->rip);
    else if (e->kind != CPU_EVENT_EXCEPTION && !software && p->trace->wanted & TRACE_INTERRUPTS)
        LINE(p, "interrupt %02x%s rip %04x:%016" PRIx64, e->vector,
             e->kind == CPU_EVENT_NMI ? " NMI" : "", e->cs, e->rip);
}

static void told_msr(void *context, struct cpu *cpu, const struct cpu_msr_access *access)
{
    struct trace_processor *p = context;
    if (access->refused)
        LINE(p, "msr %s %08x refused rip %016" PRIx64, access->write ? "write" : "read",
             access->index, access->rip);
    else
        LINE(p, "msr %s %08x value %" PRIx64 " rip %016" PRIx64,
             access->write ? "write" : "read", access->index, access->value, access->rip);
}

static void told_instruction(void *context, struct cpu *cpu, uint64_t rip, const char *text)
{
    struct trace_processor *p = context;
    LINE(p, "run %016" PRIx64 " %s", rip, text);
}

void trace_attach(struct trace *trace, unsigned index, struct cpu *cpu)
{
    struct trace_processor *p = &trace->processors[index];
    p->cpu = cpu;
    p->tracer.context = p;
    if (trace->wanted & (TRACE_EXCEPTIONS | TRACE_INTERRUPTS))
        p->tracer.event = told_event;
    if (trace->wanted & TRACE_MSR)
        p->tracer.msr = told_msr;
    if (trace->wanted & TRACE_INSTRUCTIONS)
        p->tracer.instruction = told_instruction;
    cpu_set_tracer(cpu, &p->tracer);
}

/* --- the rest ------------------------------------------------------------------------------- */

static void told_view(void *context, uint64_t gpa, memory_view old, memory_view now)
{
    struct trace *trace = context;
    LINE(&trace->processors[trace->guest->current], "page %010" PRIx64 " ASID %u to ASID %u", gpa,
         old, now);
}

void trace_command(struct trace *trace, const char *name, uint16_t status)
{
    if (trace && trace->wanted & TRACE_LAUNCH)
        LINE(&trace->processors[trace->guest->current], "launch %s %s", name,
             sev_status_name(status));
}

/*
 * Decoded code that tells of itself is slow: only the stretches that reach into the window run so.
 * Where a stretch ends is not touched, else the run would be another one.
 */
void trace_before_run(struct trace *trace, unsigned index, uint64_t deadline)
{
    struct trace_processor *p = &trace->processors[index];
    if (!(trace->wanted & TRACE_INSTRUCTIONS))
        return;
    bool on = deadline > trace->from && cpu_instructions(p->cpu) <= trace->to;
    if (!cpu_trace_instructions(p->cpu, on))
        trace->failed = true;
}

void trace_after_run(struct trace *trace, unsigned index, enum cpu_stop stop)
{
    static const char *const names[] = {
        [CPU_STOP_HALT] = "halt",
        [CPU_STOP_SHUTDOWN] = "shutdown",
        [CPU_STOP_UNIMPLEMENTED] = "unimplemented",
        [CPU_STOP_PAUSE] = "pause",
        [CPU_STOP_BREAKPOINT] = "breakpoint",
    };
    struct trace_processor *p = &trace->processors[index];
    if (trace->wanted & TRACE_EXITS && stop != CPU_STOP_DEADLINE)
        LINE(p, "exit %s", names[stop]);
}

void trace_wake(struct trace *trace, unsigned index, const char *what)
{
    struct trace_processor *p = &trace->processors[index];
    if (trace->wanted & TRACE_EXITS)
        LINE(p, "exit %s", what);
}

void trace_vmgexit(struct trace *trace, unsigned index, const struct ghcb_told *told)
{
    struct trace_processor *p = &trace->processors[index];
    char text[DESCRIBE_VMGEXIT_SIZE];
    if (trace->wanted & TRACE_VMGEXIT)
        LINE(p, "vmgexit %s", describe_vmgexit(told, text));
}

/* --- opening -------------------------------------------------------------------------------- */

static bool add_subject(unsigned *wanted, const char *name, size_t length)
{
    for (size_t k = 0; k < SUBJECTS; k++) {
        if (strlen(subjects[k].name) == length && !memcmp(subjects[k].name, name, length)) {
            *wanted |= subjects[k].subject;
            return true;
        }
    }
    return false;
}

static bool parse_subjects(const char *list, unsigned *wanted, char *error, size_t error_size)
{
    for (const char *at = list;;) {
        size_t length = strcspn(at, ",");
        if (!add_subject(wanted, at, length)) {
            snprintf(error, error_size, "--trace: '%.*s' is none of exits, io, mmio, msr, pages, "
                     "launch, exceptions, interrupts, instructions, vmgexit, all", (int)length, at);
            return false;
        }
        if (!at[length])
            return true;
        at += length + 1;
    }
}

struct trace *trace_open(struct guest *guest, char *error, size_t error_size)
{
    const struct trace_config *config = &guest->config.trace;
    struct trace *trace = calloc(1, sizeof(*trace));
    if (!trace) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    *trace = (struct trace){ .guest = guest, .out = stderr, .prefix = "privet: trace: ",
                             .from = config->from, .to = config->to };
    if (!parse_subjects(config->subjects, &trace->wanted, error, error_size)) {
        free(trace);
        return NULL;
    }
    for (unsigned n = 0; n < BOARD_MAX_PROCESSORS; n++) {
        trace->processors[n].trace = trace;
        trace->processors[n].index = n;
    }
    if (config->file) {
        trace->out = fopen(config->file, "we");
        trace->own_file = true;
        trace->prefix = "";
    }
    if (!trace->out) {
        snprintf(error, error_size, "%s: trace file: %s", config->file, strerror(errno));
        free(trace);
        return NULL;
    }
    if (trace->wanted & TRACE_PAGES)
        memory_set_view_listener(guest->memory, told_view, trace);
    return trace;
}

bool trace_flush(struct trace *trace)
{
    if (trace->failed) {
        errno = ENOMEM;
        return false;
    }
    return fflush(trace->out) == 0 && !ferror(trace->out);
}

void trace_close(struct trace *trace)
{
    if (trace && trace->own_file)
        fclose(trace->out);
    free(trace);
}
