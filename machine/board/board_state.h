/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the board consists of; private to this folder.
 */
#ifndef PRIVET_MACHINE_BOARD_STATE_H
#define PRIVET_MACHINE_BOARD_STATE_H

#include "machine/board/acpi.h"
#include "machine/board/acpi_pm.h"
#include "machine/board/apic.h"
#include "machine/board/board.h"
#include "machine/board/cmos.h"
#include "machine/board/test_device.h"
#include "machine/board/fw_cfg.h"
#include "machine/board/hpet.h"
#include "machine/board/i8042.h"
#include "machine/board/ioapic.h"
#include "machine/board/pflash.h"
#include "machine/board/pic.h"
#include "machine/board/pit.h"
#include "machine/board/pvpanic.h"
#include "machine/board/q35.h"
#include "machine/board/ramfb.h"
#include "machine/board/smbios.h"
#include "machine/devices/random.h"
#include "machine/devices/serial.h"
#include "machine/devices/virtio_blk.h"
#include "machine/devices/virtio_console.h"
#include "machine/devices/virtio_net.h"
#include "machine/devices/virtio_rng.h"
#include "machine/devices/virtio_scsi.h"

struct board_processor {
    struct board *board;
    struct cpu *cpu; /* NULL until attached */
    struct cpu_io io;
    struct apic apic;
    uint64_t tsc_last; /* instruction count at the last TSC read */
    unsigned tsc_streak;
    enum board_wake wake;
    uint8_t wake_vector;
    bool waiting; /* for a startup interrupt */
};

/* Whose instructions move time, and how fast: board_begin_turn. */
struct board_turn {
    unsigned index, sharing;
    uint64_t base_ns;
    uint64_t start; /* the processor's instruction count at base_ns, */
    uint64_t rest;  /* less what the turns before left over of a nanosecond */
};

struct board {
    struct board_config config;
    struct memory *memory;
    struct bus bus;
    struct clock clock;
    struct board_turn turn;
    uint64_t ram_low, ram_high; /* bytes below 4 GiB, from 4 GiB up */
    unsigned processors;
    struct board_processor *processor;
    struct apic_host apic_host;
    struct pic pic;
    struct pit pit;
    struct hpet hpet;
    struct ioapic ioapic;
    struct cmos cmos;
    struct acpi_pm pm;
    struct tco tco;
    struct i8042 i8042;
    struct pflash firmware, variables;
    struct fw_cfg fw_cfg;
    struct serial serial;
    struct debugcon debugcon;
    struct test_device test;
    struct pvpanic pvpanic;
    struct ramfb ramfb;
    struct q35 q35;
    struct random_stream random;
    struct virtio_rng rng;
    struct host host;
    struct virtio_net net;
    struct net_user *net_user; /* NULL: no network */
    struct virtio_console console;
    struct virtio_blk *disk[BOARD_MAX_DISKS]; /* NULL for those on SCSI */
    struct virtio_scsi *scsi;                 /* NULL: none */
    unsigned scsi_slot;
    uint8_t e820[2 * 20];
    char boot_order[56 * (BOARD_MAX_DISKS + 1)];
    struct acpi_config acpi_config; /* what `acpi` was built from */
    struct acpi_blobs acpi;
    struct smbios_blobs smbios;
};

/* One line into `error`; always false. */
bool board_fail(char *error, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* PCI devices: board_devices.c. false with one line in `error`; freed in any case. */
bool board_add_devices(struct board *board, char *error, size_t error_size);
void board_free_devices(struct board *board);
/* Network and consoles: board_host.c. */
bool board_add_host_devices(struct board *board, char *error, size_t error_size);
void board_free_host_devices(struct board *board);
/* Disks: board_disks.c. */
#define BOARD_DISK_SLOT 2u
#define BOARD_NET_SLOT  16u
bool board_add_disks(struct board *board, char *error, size_t error_size);
void board_free_disks(struct board *board);
/* fw_cfg content: board_files.c. false with one line in `error`. */
bool board_add_files(struct board *board, char *error, size_t error_size);
/* The file "bootorder": board_order.c. */
bool board_add_boot_order(struct board *board, char *error, size_t error_size);
/* Those of the configuration, when all others are there. */
bool board_add_extra_files(struct board *board, char *error, size_t error_size);
/* ACPI and SMBIOS: board_tables.c. */
bool board_add_tables(struct board *board, char *error, size_t error_size);
void board_free_tables(struct board *board);

#endif
