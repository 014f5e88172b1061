/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The hypervisor: builds a guest from memory, board, processor and chip, launches it through the
 * chip exactly as KVM would, and runs it to its end. The public header of the machine library.
 */
#ifndef PRIVET_MACHINE_HYPERVISOR_H
#define PRIVET_MACHINE_HYPERVISOR_H

#include <stdio.h>

#include "machine/board/board.h"
#include "machine/chip/chip.h"
#include "machine/cpu/cpu.h"
#include "machine/hypervisor/boot_image.h"
#include "machine/hypervisor/check.h"

struct guest;

/* What to tell of a run, a line each: hypervisor/trace.h. */
struct trace_config {
    const char *subjects; /* "io,msr,..."; NULL: nothing */
    const char *file;     /* NULL: standard error */
    uint64_t from, to;    /* a processor's instruction counts between which it is told of */
};

struct guest_config {
    struct board_config board; /* memory, tsc_hz and sev are filled in by guest_create */
    enum cpu_sev_mode sev;
    struct cpu_model model;
    unsigned c_bit;
    unsigned reduced_physical_bits;
    memory_view asid;
    uint32_t policy;
    bool kernel_hashes;
    /* What the table of hashes is made of; a host that lies gives others than the board delivers.
     */
    struct board_blob hashed_kernel, hashed_initrd;
    const char *hashed_command_line;
    /*
     * A multiboot or PVH file that starts without firmware; absent: the firmware does. Its command
     * line and module (initrd) come from here, not from the board. Not for SEV guests.
     */
    struct board_blob image, image_module;
    const char *image_command_line;
    struct chip_config chip;
    struct board_blob session, dh_cert;       /* both or none: SEV API 6.1 LAUNCH_START */
    struct board_blob secret_header, secret;  /* both or none: LAUNCH_SECRET */
    uint64_t timeout_seconds;                 /* of host time; 0: none */
    uint64_t instruction_limit;               /* of the guest; 0: none */
    bool reboot;                              /* a guest's reset starts it again */
    /* Its kernel panicked: the line that it wrote. Context: board.output_context. NULL: unheard. */
    void (*panicked)(void *context, const char *line);
    bool host_clock;                          /* time follows the host's; runs do not repeat */
    struct trace_config trace;
    const char *gdb;                          /* where a debugger may connect; NULL: nowhere */
    struct check_config check;                /* looked at with SEV only */
};

#define GUEST_MEASUREMENT_SIZE 48 /* MEASURE[32] then MNONCE[16], SEV API 11.2 */

struct launch_result {
    uint8_t api_major, api_minor, build;
    uint32_t policy;
    uint64_t encrypted_bytes;
    uint32_t cpu_signature; /* SEV-ES: in the processors' pages (CPUID Fn0000_0001 EAX); else 0 */
    double seconds; /* host time, LAUNCH_START to LAUNCH_FINISH */
    uint8_t measurement[GUEST_MEASUREMENT_SIZE];
    /* Refused: the command and the chip's status, the states then; else command is NULL. */
    const char *command;
    unsigned command_id; /* enum sev_command */
    uint16_t status;
    struct chip_states found;
};

enum guest_end {
    GUEST_POWER_OFF,
    GUEST_RESET,      /* asked for a reset, and config.reboot is off */
    GUEST_SHUTDOWN,   /* triple fault */
    GUEST_STOPPED,    /* the processor met what Privet lacks */
    GUEST_DEAD_HALT,  /* halted and nothing will ever wake it */
    GUEST_TIMEOUT,
    GUEST_ENDED_BY_HOST, /* guest_stop */
    GUEST_EXITED,     /* by the exit port, with run_result.status */
    GUEST_KILLED,        /* by the debugger */
    GUEST_CHECK_FAILED,  /* a finding of the checker under CHECK_FATAL */
    GUEST_PANIC,         /* its kernel panicked: it stays so, or config.reboot is off */
    GUEST_TERMINATED,    /* a SEV-ES guest asked its hypervisor to end it */
    GUEST_REFUSED,       /* the chip does not let its ASID run: VMEXIT_INVALID of hardware */
};

struct run_result {
    enum guest_end end;
    uint8_t status; /* GUEST_EXITED */
    uint64_t instructions;
    double seconds;
    const char *detail; /* one line, owned by the guest; "" if there is nothing to say */
    bool died;          /* guest_describe_death has something to say */
};

/*
 * NULL with the reason in `failure`, whose status is SEV_SUCCESS unless the chip is it. The
 * configuration's blobs stay with the caller.
 */
struct guest *guest_create(const struct guest_config *config, struct chip_failure *failure);
void guest_destroy(struct guest *guest);

/*
 * Platform INIT, LAUNCH_START, ACTIVATE, LAUNCH_UPDATE_DATA, LAUNCH_MEASURE, LAUNCH_SECRET,
 * LAUNCH_FINISH. 0; 1: the chip refused (result->command, ->status); -1: the guest cannot be
 * launched as configured, with one line in `error`. Not for a guest without SEV.
 */
int guest_launch(struct guest *guest, struct launch_result *result, char *error,
                 size_t error_size);

/* A SEV guest must have been launched; else it ends at once as GUEST_REFUSED. */
void guest_run(struct guest *guest, struct run_result *result);

/* From an output callback while guest_run runs: it returns at the next block boundary. */
void guest_stop(struct guest *guest);

/* The checker's places after a run, how often each was found; false past the last one. */
bool guest_check_repeats(const struct guest *guest, unsigned index, struct check_repeats *ret);
/* Findings in all, repetitions included, notes not. */
uint64_t guest_check_findings(const struct guest *guest);
/* "name+0x10" for an address of the guest; false: there is none. */
typedef bool guest_symbolize(void *context, uint64_t address, char *text, size_t size);

/*
 * Why and where a guest stands: registers, code, stack, last exceptions and branches, page walks
 * with C-bits. Lines of text, for after guest_run. `find` may be NULL.
 */
void guest_describe_death(struct guest *guest, FILE *out, guest_symbolize *find, void *context);

/* Writes out the rest of the trace. False with errno if some of it could not be written. */
bool guest_flush_trace(struct guest *guest);

/*
 * Typing on a guest's consoles: how many bytes would be taken, and were. From an output callback,
 * too.
 */
enum guest_console { GUEST_CONSOLE_SERIAL, GUEST_CONSOLE_VIRTIO };
size_t guest_type_room(const struct guest *guest, enum guest_console console);
size_t guest_type(struct guest *guest, enum guest_console console, const uint8_t *bytes,
                  size_t length);
/* One more thing of the host that the guest listens to while it runs. false: too many. */
bool guest_add_host_source(struct guest *guest, const struct host_source *source);

/* DEACTIVATE, DECOMMISSION, and its ASID made clean for the next guest. */
void guest_decommission(struct guest *guest);

struct memory *guest_memory(struct guest *guest);
const struct chip *guest_chip(const struct guest *guest); /* NULL without SEV */

/*
 * Looks for `text` in every RAM page: as the guest sees it now (pages in the view in which they
 * are), and in raw DRAM. Counting raw converts every private page: only after the run.
 */
struct secrecy {
    uint64_t in_guest_view;
    uint64_t in_dram;
};
void guest_search(struct guest *guest, const char *text, struct secrecy *ret);

/* Writes raw DRAM, every RAM range in address order, to `fd`. 0, or -1 with errno. */
int guest_dump(struct guest *guest, int fd);

#endif
