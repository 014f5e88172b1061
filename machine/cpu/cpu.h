/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The x86-64 processor, public face. It knows memory (machine/memory) and an I/O interface, and
 * neither board nor devices nor chip. One struct cpu is one logical processor; a run of many
 * processors on one host thread takes turns.
 */
#ifndef PRIVET_MACHINE_CPU_H
#define PRIVET_MACHINE_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "machine/memory/memory.h"

struct cpu;

/* What a processor offers; filled by cpu_model_parse. */
struct cpu_model {
    uint64_t off;  /* features taken away: a bit for each enum cpu_feature (form.h) */
    bool baseline; /* names itself so in its brand string */
};

/*
 * model.c: reads a model's name, "epyc" (everything there is) or "baseline" (what a 64-bit Linux
 * cannot do without), and a list of features to add or to take away: "epyc,-smap,-rdrand". Names as
 * in /proc/cpuinfo or QEMU's -cpu. A feature brings along what it needs, and takes along what needs
 * it. Returns false with a sentence in `error`.
 */
bool cpu_model_parse(const char *text, struct cpu_model *ret, char *error, size_t error_size);

/* Which kind of encryption the guest runs under (CPUID 0x8000001F, MSR SEV_STATUS). */
enum cpu_sev_mode {
    CPU_SEV_OFF,
    CPU_SEV_ON,
    CPU_SEV_ES,  /* and the guest's registers are hidden from the hypervisor: APM 2 15.35 */
    CPU_SEV_SME, /* no guest but a host with secure memory encryption: APM 2 7.10 */
};

/* Memory is encrypted with the key of a guest. */
static inline bool cpu_sev_is_guest(enum cpu_sev_mode mode)
{
    return mode == CPU_SEV_ON || mode == CPU_SEV_ES;
}

struct cpu_config {
    enum cpu_sev_mode sev;
    memory_view asid;               /* key of this guest, or SME's; MEMORY_RAW with neither */
    unsigned c_bit;                 /* position of the C-bit, 32 to 51 */
    unsigned reduced_physical_bits; /* CPUID 0x8000001F EBX[11:6] */
    unsigned physical_bits;         /* guest MAXPHYADDR, CPUID 0x80000008 EAX[7:0] */
    unsigned apic_id;
    unsigned processors; /* logical processors in the package */
    uint64_t tsc_hz;
    /*
     * Another processor of the same machine, which then share decoded code, or NULL. Processors of
     * one memory must be siblings, or none sees what another one stores to code.
     */
    struct cpu *sibling;
    struct cpu_model model; /* all zero: "epyc" */
};

/* What the processor asks of the outside. Every member is mandatory; `context` is passed back. */
struct cpu_io {
    void *context;
    /* Unclaimed: all ones / ignored. Size 1, 2, 4 or 8; MMIO never crosses its natural page. */
    uint64_t (*mmio_read)(void *context, uint64_t gpa, unsigned size);
    void (*mmio_write)(void *context, uint64_t gpa, uint64_t value, unsigned size);
    uint32_t (*port_read)(void *context, uint16_t port, unsigned size);
    void (*port_write)(void *context, uint16_t port, uint32_t value, unsigned size);
    /* Acknowledges the highest pending external interrupt: its vector, or -1 if there is none. */
    int (*interrupt_acknowledge)(void *context);
    /* Time stamp counter at the guest instruction that is executing. */
    uint64_t (*tsc_read)(void *context);
    /* MSRs owned by the local APIC (0x1B, 0x6E0 and 0x800 to 0x8FF); false raises #GP(0). */
    bool (*apic_msr_read)(void *context, uint32_t msr, uint64_t *value);
    bool (*apic_msr_write)(void *context, uint32_t msr, uint64_t value);
    /* CR8: task priority class, 0 to 15. */
    uint8_t (*cr8_read)(void *context);
    void (*cr8_write)(void *context, uint8_t value);
    /* RDRAND and RDSEED; false makes the instruction report failure. */
    bool (*random)(void *context, uint64_t *value);
    /*
     * VMGEXIT of a SEV-ES guest: `ghcb` is the value of its GHCB MSR; returns what that is afterwards.
     * Never called in other modes, where it may be NULL.
     */
    uint64_t (*vmgexit)(void *context, uint64_t ghcb);
};

enum cpu_stop {
    CPU_STOP_DEADLINE,      /* the instruction count reached the deadline, or cpu_kick */
    CPU_STOP_PAUSE,         /* after a PAUSE: only if cpu_yield_on_pause asked for it */
    CPU_STOP_HALT,          /* HLT with no interrupt to take: resume by cpu_set_interrupt */
    CPU_STOP_SHUTDOWN,      /* triple fault */
    CPU_STOP_UNIMPLEMENTED, /* an encoding that hardware has and Privet lacks: see cpu_error */
    CPU_STOP_BREAKPOINT,    /* one set by cpu_set_breakpoint: see cpu_breakpoint_hit */
};

struct cpu *cpu_create(const struct cpu_config *config, struct memory *memory,
                       const struct cpu_io *io);
void cpu_destroy(struct cpu *cpu);

/* Power-up state: APM 2 14.1.3, table 14-1. Execution starts at F000:FFF0. */
void cpu_reset(struct cpu *cpu);

/*
 * INIT (same table): like a reset, but x87 and SSE registers, CR0.CD and NW, the time stamp counter
 * and all MSRs but EFER stay.
 */
void cpu_init(struct cpu *cpu);

/* After INIT, a startup interrupt: execution starts at `vector` << 12 in real mode, APM 2 16.5. */
void cpu_startup(struct cpu *cpu, uint8_t vector);

/*
 * vmsa.c: registers from and to a SEV-ES guest's save area (sev/vmsa.h), as VMRUN and the exits move
 * them. cpu_vmsa_load, after cpu_reset: false with a line in `why` if VMRUN would refuse it
 * (VMEXIT_INVALID, APM 2 15.5.1).
 */
bool cpu_vmsa_load(struct cpu *cpu, const uint8_t *vmsa, char *why, size_t why_size);
void cpu_vmsa_save(const struct cpu *cpu, uint8_t *vmsa);

/*
 * For a hypervisor that emulates these instructions for a SEV-ES guest (GHCB 4): CPUID; RDMSR and
 * WRMSR, false for #GP(0). cpu_nmi_complete: the guest has handled its last NMI and may get
 * another, which IRET does not say in such guests.
 */
void cpu_cpuid(const struct cpu *cpu, uint32_t leaf, uint32_t subleaf, uint32_t ret[4]);
bool cpu_msr_read(struct cpu *cpu, uint32_t msr, uint64_t *value);
bool cpu_msr_write(struct cpu *cpu, uint32_t msr, uint64_t value);
void cpu_nmi_complete(struct cpu *cpu);
/* False: the guest has this MSR for itself, and its hypervisor cannot reach it. */
bool cpu_msr_intercepted(uint32_t msr);
/* It waits as after HLT, or does so no more. */
void cpu_set_halted(struct cpu *cpu, bool halted);
/* WBINVD or INVD: tells the observer. */
void cpu_caches_flushed(struct cpu *cpu);

/* False: it halts and has no event pending that it would take. */
bool cpu_runnable(const struct cpu *cpu);

/* A PAUSE ends cpu_run, so that the processor on which this one waits gets its turn. */
void cpu_yield_on_pause(struct cpu *cpu, bool on);

/*
 * After cpu_reset, what a boot loader hands a 32-bit kernel: protected mode, flat segments, no
 * paging, interrupts off, caches on, a TSS at 0 (multiboot 3.2, PVH). Execution starts at `rip`.
 */
void cpu_enter_flat32(struct cpu *cpu, uint32_t rip, uint32_t rax, uint32_t rbx);

/*
 * Runs until something stops it; the deadline is an instruction count (cpu_instructions) that is
 * never overrun by more than one decoded block.
 */
enum cpu_stop cpu_run(struct cpu *cpu, uint64_t deadline);

/*
 * Runs one instruction, and before it what is pending (an interrupt's entry). A fault's delivery is
 * a step, too; a REP instruction is one unless something interrupts it. CPU_STOP_DEADLINE: done.
 * A breakpoint of the host on the very instruction is not looked at; one on data is.
 */
enum cpu_stop cpu_step(struct cpu *cpu);

/*
 * Breakpoints of the host: the guest sees nothing of them, and its debug registers nothing changes
 * for the host. They cost nothing while none is set. Addresses are linear (in legacy modes: with
 * the segment's base), whatever they are mapped to.
 *
 * EXECUTE stops before the instruction: cpu_run returns CPU_STOP_BREAKPOINT, and called again goes
 * on with that instruction. WRITE, READ and ACCESS (either) stop after the instruction that did it
 * (a repeated one: after the element); accesses by the processor itself to descriptor tables and
 * stacks count, page walks and devices do not.
 */
enum cpu_breakpoint_kind {
    CPU_BREAKPOINT_NONE,
    CPU_BREAKPOINT_EXECUTE,
    CPU_BREAKPOINT_WRITE,
    CPU_BREAKPOINT_READ,
    CPU_BREAKPOINT_ACCESS,
    CPU_BREAKPOINT_PORT, /* of the guest only */
};

#define CPU_BREAKPOINTS     68u   /* slots, numbered from 0 */
#define CPU_BREAKPOINTS_OWN 4u    /* the last ones: for the machine itself, not the debugger */
#define CPU_BREAKPOINT_SIZE 4096u /* most bytes that one slot watches */

struct cpu_breakpoint_hit {
    unsigned slot;
    enum cpu_breakpoint_kind kind;
    uint64_t address; /* linear, first byte of the access inside the watched range */
    bool is_write;
};

/*
 * Sets or (CPU_BREAKPOINT_NONE) clears a slot; `size` is 1 to CPU_BREAKPOINT_SIZE and without
 * meaning for EXECUTE and NONE. Not while cpu_run is active. They survive cpu_reset. False: no such
 * slot, kind or size.
 */
bool cpu_set_breakpoint(struct cpu *cpu, unsigned slot, enum cpu_breakpoint_kind kind,
                        uint64_t linear, unsigned size);

/* What ended the last cpu_run or cpu_step with CPU_STOP_BREAKPOINT. */
struct cpu_breakpoint_hit cpu_breakpoint_hit(const struct cpu *cpu);

/* From a device or the I/O callbacks, while the processor runs: */
void cpu_set_interrupt(struct cpu *cpu, bool pending); /* level of the INTR line */
void cpu_set_nmi(struct cpu *cpu);
void cpu_kick(struct cpu *cpu);               /* leave cpu_run at the next block boundary */

/*
 * Instructions retired so far, exact also inside an I/O callback. A REP instruction counts once, and
 * once more per 65,536 pieces, so that none outlasts a deadline; a delivered fault counts as one.
 */
uint64_t cpu_instructions(const struct cpu *cpu);

/* The page at `gpa` changed its view or its code bytes: drop translations and decoded blocks. */
void cpu_invalidate_page(struct cpu *cpu, uint64_t gpa);

/* Why CPU_STOP_UNIMPLEMENTED or _SHUTDOWN: one line with RIP, bytes and mode. Owned by the cpu. */
const char *cpu_error(const struct cpu *cpu);

/* A line per register group, for error reports. Returns the length as snprintf does. */
int cpu_print_state(struct cpu *cpu, char *text, size_t size);

/*
 * Reads guest-virtual memory as the guest's data accesses would see it, without side effects on the
 * guest's tables. Returns false if not mapped to memory. For the run report and the debugger.
 */
bool cpu_peek(struct cpu *cpu, uint64_t address, void *data, size_t length);

#endif
