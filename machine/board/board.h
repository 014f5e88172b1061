/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The q35-compatible board: address map, interrupt controllers, timers, flash, fw_cfg, ACPI
 * tables, PCI. Public face towards the hypervisor; devices and the rest of the board are behind it.
 *
 * Time is virtual: nanoseconds = retired instructions + what idling and polling skipped. Several
 * processors share one host thread and take turns; in the turn of one of `sharing` processors an
 * instruction counts 1 / sharing ns, so that time passes as if they ran side by side, and no
 * processor ever sees it go back.
 * Everything that counts time (TSC, PM timer, 8254, APIC timers, RTC) derives from that one clock.
 */
#ifndef PRIVET_MACHINE_BOARD_H
#define PRIVET_MACHINE_BOARD_H

#include "machine/cpu/cpu.h"
#include "machine/devices/image.h"
#include "machine/devices/net_user.h"

struct board;

typedef void board_output(void *context, const uint8_t *bytes, size_t length);
/* The guest did `what`, against the rules, with `device`. Devices say a thing once. */
typedef void board_complaint(void *context, const char *device, const char *what);

struct board_blob {
    const uint8_t *data; /* NULL: absent. Owned by the caller, alive as long as the board */
    size_t size;
};

enum board_disk_bus { BOARD_DISK_VIRTIO, BOARD_DISK_SCSI, BOARD_DISK_CDROM };

/* VIRTIO_F_ACCESS_PLATFORM of a disk on virtio-blk: offered as by all devices, always, or never. */
enum board_disk_access { BOARD_ACCESS_AS_OTHERS, BOARD_ACCESS_ON, BOARD_ACCESS_OFF };

struct board_disk {
    struct image *image; /* the caller's; alive as long as the board */
    enum board_disk_bus bus;
    enum board_disk_access access;
    const char *serial; /* NULL: one by number */
    unsigned boot_rank; /* 0: not in the firmware's boot order; else QEMU's bootindex + 1 */
};

struct board_net { /* a network card in user-mode network */
    uint8_t mac[NET_MAC_SIZE];
    unsigned boot_rank; /* as of a disk */
    struct net_user_config user;
};

/* How the guest sees a flash image: chips that it can program are the default. */
enum board_flash_kind {
    BOARD_FLASH_WRITABLE,
    BOARD_FLASH_READ_ONLY, /* answers commands, refuses to change */
    BOARD_FLASH_ROM,       /* no flash at all, as QEMU's -bios */
};

enum board_flash_unit { BOARD_FLASH_FIRMWARE, BOARD_FLASH_VARIABLES };

/*
 * What a flash command changed, before the next instruction of the guest. false: it cannot be kept;
 * the guest sees the command fail.
 */
typedef bool board_flash_store(void *context, enum board_flash_unit unit, uint64_t offset,
                               const uint8_t *data, size_t length);

/* Who looks at what the guest says to its host; any of the functions may be NULL. */
struct board_watch {
    /* Console 0 is the serial line, 1 virtio's; before the output callback. */
    void (*console)(void *context, unsigned console, const uint8_t *bytes, size_t length);
    void (*panic)(void *context, unsigned events); /* enum pvpanic_event */
    /* cpu_io.vmgexit of a processor; not NULL for a SEV-ES guest. */
    uint64_t (*vmgexit)(void *context, unsigned processor, uint64_t ghcb);
    void *context;
};

#define BOARD_FILE_NAME_SIZE 56 /* with the NUL */

/* A file for the firmware (fw_cfg) beside the board's own. */
struct board_file {
    const char *name;
    struct board_blob content;
};

#define BOARD_MAX_FILES 16
#define BOARD_MAX_PROCESSORS 64
#define BOARD_MAX_DISKS 8

struct board_config {
    struct memory *memory; /* empty: the board adds RAM and flash to it */
    uint64_t ram_size;     /* bytes, multiple of 1 MiB */
    unsigned processors;
    uint64_t dma_c_mask; /* SME: devices find encrypted memory behind this bit; 0: none */
    bool sev; /* virtio offers VIRTIO_F_ACCESS_PLATFORM; kernel header is left unpatched always */
    struct board_blob firmware;  /* pflash unit 0: ends at 4 GiB; 4 KiB multiple */
    bool no_firmware;            /* there is none: see board_prepare_direct */
    struct board_blob variables; /* pflash unit 1 below it; content copied */
    enum board_flash_kind firmware_kind, variables_kind;
    board_flash_store *flash_store; /* NULL: changes are lost with the board */
    struct board_blob kernel, initrd;
    const char *command_line; /* NULL: none */
    struct board_disk disks[BOARD_MAX_DISKS];
    unsigned disk_count;
    struct board_file files[BOARD_MAX_FILES];
    unsigned file_count;
    const struct board_net *net; /* NULL: no card; alive as long as the board */
    board_output *serial, *debug; /* UART transmit and port 0x402; debug may be NULL */
    board_output *console; /* of the virtio console; NULL: there is none */
    bool display;                /* ramfb: a frame buffer that nobody looks at */
    board_complaint *complaint; /* may be NULL */
    struct board_watch watch;
    void *output_context;
    uint8_t seed[32];      /* of everything random: RDRAND, virtio-rng */
    uint16_t exit_port;    /* where the guest ends the run with a status; 0: nowhere */
    uint64_t rtc_start;    /* seconds since 1970 at power-on */
    uint64_t tsc_hz;
};

/* A legacy BIOS: its reset vector is a far jump into the copy of the image below 1 MiB. */
bool board_firmware_is_legacy(const struct board_blob *firmware);

/* NULL on failure with one line in `error`. */
struct board *board_create(const struct board_config *config, char *error, size_t error_size);
void board_destroy(struct board *board);

/* Where the launch finds the flash image in guest-physical memory. */
uint64_t board_firmware_base(const struct board *board);

/* The callbacks for processor `index`; valid as long as the board. Then tell it the processor. */
const struct cpu_io *board_cpu_io(struct board *board, unsigned index);
void board_attach_cpu(struct board *board, unsigned index, struct cpu *cpu);

/*
 * From now on instructions of processor `index` move time, `sharing` of them by a nanosecond. At
 * first, processor 0 has time for itself.
 */
void board_begin_turn(struct board *board, unsigned index, unsigned sharing);
/* Time passes without instructions: a processor gave the rest of its turn away. */
void board_spend(struct board *board, uint64_t ns);

/*
 * Instruction count of the processor whose turn it is at which the next timer is due; UINT64_MAX:
 * none.
 */
uint64_t board_next_deadline(struct board *board);
/* Fires what is due. Called when cpu_run returns. */
void board_run_timers(struct board *board);
/*
 * No processor is runnable: jumps from timer to timer until one is. false: nothing will ever wake
 * one.
 */
bool board_skip_idle(struct board *board);

/*
 * Bytes typed on the serial line and on the virtio console: returns how many were taken. And how
 * many would be.
 */
size_t board_serial_input(struct board *board, const uint8_t *bytes, size_t length);
size_t board_serial_room(const struct board *board);
size_t board_console_input(struct board *board, const uint8_t *bytes, size_t length);
size_t board_console_room(const struct board *board);

/* One more thing of the host to listen to (copied). false: too many. */
bool board_add_host_source(struct board *board, const struct host_source *source);
/* Takes in what the host's sockets and terminals have, without waiting. */
void board_poll_host(struct board *board);
/* Something of the host may come that an idle guest waits for: an open connection, a listener. */
bool board_expects_host(const struct board *board);
/*
 * The guest is idle until `due` (ns; UINT64_MAX: without end). If it may be idle for the host,
 * waits for that a while, moves time by as much, fires timers: true. Else false: skip the idle time.
 */
bool board_wait_host(struct board *board, uint64_t due);

enum board_request { BOARD_RUNNING, BOARD_POWER_OFF, BOARD_RESET, BOARD_EXIT };
/* What the guest asked for since the last call (ACPI S5, 0xCF9, keyboard controller reset). */
enum board_request board_take_request(struct board *board);
/* After BOARD_EXIT: the status that the guest wrote to the exit port, odd. */
uint8_t board_exit_status(const struct board *board);

enum board_wake { BOARD_WAKE_NONE, BOARD_WAKE_INIT, BOARD_WAKE_STARTUP };
/*
 * What another processor's interrupt asked of this one since the last call: INIT, or start at
 * `vector` << 12 in real mode. A STARTUP replaces an INIT that was not taken yet, so it means INIT
 * and start. One that comes to a processor which does not wait for it is ignored.
 */
enum board_wake board_take_wake(struct board *board, unsigned index, uint8_t *vector);

/* The processor has something to do: it runs, or was woken. */
bool board_processor_runs(const struct board *board, unsigned index);

/* The processor waits for a startup interrupt, after reset or INIT: APM 2 16.5. */
bool board_waits_for_startup(const struct board *board, unsigned index);

/* For a kernel that starts without firmware: what it finds where. */
struct board_direct {
    uint64_t ram_low, ram_high;   /* bytes from 0 (with the hole at 0xA0000) and from 4 GiB up */
    uint64_t tables, tables_size; /* ACPI tables, inside the low memory */
    uint64_t rsdp;
};
/*
 * Does after board_reset what firmware would have done: chip set, local APIC of processor 0, ACPI
 * tables in memory. Processor 0 must be attached and reset. False: the tables do not fit.
 */
bool board_prepare_direct(struct board *board, struct board_direct *ret);

/* Warm or cold reset of every device; memory content stays. */
void board_reset(struct board *board);

/* Tells `watch` of every access of a device to guest memory (devices/bus.h); NULL: nobody. */
void board_watch_dma(struct board *board,
                     void (*watch)(void *context, const char *device, int queue, uint64_t gpa,
                                   size_t length, bool write),
                     void *context);

/* Does a device, or the local APIC of processor `index`, answer at this address? */
bool board_answers(const struct board *board, unsigned index, uint64_t gpa);

uint64_t board_now_ns(const struct board *board);

#endif
