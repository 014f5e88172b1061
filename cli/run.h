/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* `privet run`: what its options mean, and the lines it reports; private to cli. */
#ifndef PRIVET_CLI_RUN_H
#define PRIVET_CLI_RUN_H

#include "cli/file.h"
#include "cli/refusal.h"
#include "cli/run_disk.h"
#include "cli/run_fw_cfg.h"
#include "cli/run_watch.h"
#include "cli/options.h"
#include "cli/symbols.h"
#include "machine/hypervisor/hypervisor.h"

/* Exit codes of `privet run` (DESIGN 5). */
enum run_exit {
    RUN_POWERED_OFF = 0,
    RUN_USAGE = 1,
    RUN_GUEST_DIED = 2,
    RUN_TIMEOUT = 3,
    RUN_LAUNCH_REFUSED = 4,
    RUN_CHECK_FAILED = 5,
};

/* The command line, checked for form; files not yet read. */
struct run_options {
    const char *firmware, *variables, *kernel, *initrd, *append;
    const char *hashed_kernel, *hashed_initrd, *hashed_append; /* NULL: the delivered ones */
    const char *session, *dh_cert, *secret_header, *secret, *tik;
    const char *state, *debugcon, *memory_dump, *marker, *stop_at;
    const char *gdb, *trace, *trace_file, *json, *report;
    bool host_clock;
    struct run_disk disks[BOARD_MAX_DISKS];
    unsigned disk_count;
    struct run_fw_cfg files[BOARD_MAX_FILES];
    unsigned file_count;
    struct option_list answers;
    uint64_t memory_size;
    unsigned processors;
    bool sev; /* the guest's memory has a key of its own: SEV or, with es, */
    bool es, sme, kernel_hashes, reboot, firmware_given;
    uint64_t exit_port; /* 0: none */
    uint32_t policy;
    struct cpu_model model;
    unsigned c_bit, reduced_physical_bits, asid;
    uint64_t timeout_seconds;
    uint64_t seed;
    struct check_config check;
    struct symbols symbols; /* freed by run_options_free */
    uint64_t trace_from, trace_to;
    const char *serial, *virtio_console; /* NULL: stdio, and none */
    struct board_net net;
    bool has_net;
    unsigned display; /* 0 none, 1 ramfb */
    unsigned firmware_use, variables_use; /* enum run_flash_use */
};

/* What becomes of a flash image: FILE,WORD on the command line. */
enum run_flash_use {
    RUN_FLASH_DEFAULT,
    RUN_FLASH_KEPT,      /* the guest's changes go to the file */
    RUN_FLASH_READ_ONLY, /* the guest cannot change it */
    RUN_FLASH_SNAPSHOT,  /* changes last as long as the run */
};

struct run_flash_word {
    const char *word; /* NULL ends the list */
    unsigned meaning;
};

#define RUN_FLASH_UNITS 2

/* The files of flash images that are kept; fd -1: changes are not kept. */
struct run_flash {
    int fd[RUN_FLASH_UNITS];
    const char *path[RUN_FLASH_UNITS];
    bool failed; /* said on stderr */
};

/*
 * Cuts ",WORD" off an option's text, which is NULL or of the command line, and returns its meaning.
 * Text with no such word stays as it is: a file's name may hold a comma.
 */
unsigned run_flash_split(const char *text, const struct run_flash_word *words);
/* Opens for writing and locks. False, with one line on stderr. */
bool run_flash_open(struct run_flash *flash, enum board_flash_unit unit, const char *path);
/* board_flash_store. */
bool run_flash_store(struct run_flash *flash, enum board_flash_unit unit, uint64_t offset,
                     const uint8_t *data, size_t length);
/* Makes what was written durable. False if anything was lost; said on stderr. */
bool run_flash_close(struct run_flash *flash);

/* The checker's options as parsed. */
struct run_check_options {
    unsigned level; /* enum check_level */
    bool coherent;
    struct option_list without, ranges, symbols;
};
/* What they say. False: said why on stderr. */
bool run_check_parse(const struct run_check_options *options, struct check_config *check,
                     struct symbols *symbols);

/*
 * The option table, --help and the checks of each value. False: said why on stderr. Either way
 * run_options_free is due.
 */
bool run_options_parse(int argc, char **argv, struct run_options *ret, bool *ret_done);
void run_options_free(struct run_options *options);

/* Every input file of a run, read and checked for what it must be. */
struct run_inputs {
    struct file firmware, variables, kernel, initrd, hashed_kernel, hashed_initrd;
    enum boot_image_kind image; /* of the kernel; if it is multiboot or PVH: */
    char *image_line;
    struct file session, dh_cert, secret_header, secret, tik;
    struct file fw_cfg[BOARD_MAX_FILES];
    struct image *images[BOARD_MAX_DISKS];
    struct run_flash flash;
};
bool run_inputs_load(const struct run_options *options, struct run_inputs *ret);
void run_inputs_free(struct run_inputs *inputs);

/* Lines on stderr, one fact each. */
void report_chip(struct guest *guest, const struct launch_result *launch);
void report_launch(const struct launch_result *launch);
/* A launch that was refused, in words. */
void describe_refusal(const struct launch_result *launch, struct refusal_words *ret);
/* Computes the measurement as the guest owner would and says whether the chip's is the same. */
void report_owner_view(const struct run_options *options, const struct run_inputs *inputs,
                       const struct launch_result *launch);
void report_end(const struct run_result *result);
/* Registers, code, page walks, ... of a guest that died; to be freed. NULL: out of memory. */
char *report_death_text(struct guest *guest, const struct symbols *symbols);
void report_death(const char *text);
void report_memory(struct guest *guest);
/* A finding of the checker; `context` is the struct symbols. */
void report_check(void *context, const struct check_finding *finding);
/* How often each was found, and the sum. */
void report_check_end(const struct guest *guest, const struct symbols *symbols);
void report_secrecy(struct guest *guest, const char *marker);

#endif
