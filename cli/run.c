/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* `privet run`: boots a guest and reports. */
#include "cli/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/run_outcome.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

/* Where the guest's characters go. */
struct console {
    struct terminal serial, virtio;
    struct terminal *keyboard; /* the one that answers are for */
    struct run_watch stop[2];  /* of serial line and virtio console */
    struct run_watch answer;   /* for the next of the answers */
    const struct option_list *answers;
    unsigned answered;
    FILE *debug;
    bool debug_failed;
    struct guest *guest;
    struct run_flash *flash;
};

/* How many ASIDs the host's setup has set aside for SEV-ES guests, from 1 on, if it has. */
#define ES_ASIDS 99

/* 2026-01-01: the guest's clock starts here, so that runs repeat bit for bit. */
#define RTC_START 1767225600ull

/* Types what belongs to the text that was seen, and waits for the next. */
static void answer(struct console *console)
{
    const char *reply = console->answer.reply;
    enum guest_console keyboard = console->keyboard->console;
    guest_type(console->guest, keyboard, (const uint8_t *)reply, strlen(reply));
    guest_type(console->guest, keyboard, (const uint8_t *)"\r", 1);
    console->answered++;
    console->answer = run_watch_answer(console->answers, console->answered);
}

static void output(struct console *console, struct terminal *terminal, const uint8_t *bytes,
                   size_t length)
{
    terminal_write(terminal, bytes, length);
    for (size_t i = 0; i < length; i++) {
        if (run_watch_saw(&console->stop[terminal->console], (char)bytes[i]))
            guest_stop(console->guest);
        if (terminal == console->keyboard && run_watch_saw(&console->answer, (char)bytes[i]))
            answer(console);
    }
}

static void serial_output(void *context, const uint8_t *bytes, size_t length)
{
    struct console *console = context;
    output(console, &console->serial, bytes, length);
}

static void virtio_output(void *context, const uint8_t *bytes, size_t length)
{
    struct console *console = context;
    output(console, &console->virtio, bytes, length);
}

static void debug_output(void *context, const uint8_t *bytes, size_t length)
{
    struct console *console = context;
    if (fwrite(bytes, 1, length, console->debug) != length || fflush(console->debug) != 0)
        console->debug_failed = true;
}

static void complaint(void *context, const char *device, const char *what)
{
    fprintf(stderr, "privet: device: %s: %s\n", device, what);
}

static void panicked(void *context, const char *line)
{
    fprintf(stderr, "privet: guest panic: %s\n", line);
}

static bool flash_store(void *context, enum board_flash_unit unit, uint64_t offset,
                        const uint8_t *data, size_t length)
{
    struct console *console = context;
    return run_flash_store(console->flash, unit, offset, data, length);
}

/* Alone it is what QEMU's -bios is; with --vars, unit 0 of a pair of chips. */
static enum board_flash_kind firmware_kind(const struct run_options *o)
{
    if (o->firmware_use == RUN_FLASH_KEPT)
        return BOARD_FLASH_WRITABLE;
    return o->variables ? BOARD_FLASH_READ_ONLY : BOARD_FLASH_ROM;
}

static struct board_blob blob(const struct file *file)
{
    return (struct board_blob){ .data = file->data, .size = file->size };
}

/* A kernel that starts without firmware: nothing of it goes by way of the board. */
static void fill_image(struct guest_config *config, const struct run_inputs *inputs)
{
    config->image = config->board.kernel;
    config->image_module = config->board.initrd;
    config->image_command_line = inputs->image_line;
    config->board.kernel = config->board.initrd = (struct board_blob){ .data = NULL };
    config->board.command_line = NULL;
    config->board.no_firmware = true;
}

static void fill_config(struct guest_config *config, const struct run_options *o,
                        const struct run_inputs *inputs, struct console *console)
{
    *config = (struct guest_config){
        .sev = o->es ? CPU_SEV_ES : o->sev ? CPU_SEV_ON : o->sme ? CPU_SEV_SME : CPU_SEV_OFF,
        .model = o->model,
        .c_bit = o->c_bit,
        .reduced_physical_bits = o->reduced_physical_bits,
        .asid = (memory_view)o->asid,
        .policy = o->policy,
        .kernel_hashes = o->kernel_hashes,
        .hashed_kernel = blob(o->hashed_kernel ? &inputs->hashed_kernel : &inputs->kernel),
        .hashed_initrd = blob(o->hashed_initrd ? &inputs->hashed_initrd : &inputs->initrd),
        .hashed_command_line = o->hashed_append ? o->hashed_append : o->append,
        .session = blob(&inputs->session),
        .dh_cert = blob(&inputs->dh_cert),
        .secret_header = blob(&inputs->secret_header),
        .secret = blob(&inputs->secret),
        .timeout_seconds = o->timeout_seconds,
        .reboot = o->reboot,
        .panicked = panicked,
        .gdb = o->gdb,
        .check = o->check,
        .host_clock = o->host_clock,
        .trace = { o->trace, o->trace_file, o->trace_from, o->trace_to },
        .chip = {
            .state_folder = o->state,
            .shared = true,
            .api_major = CHIP_API_MAJOR,
            .api_minor = CHIP_API_MINOR,
            .build = CHIP_BUILD,
            .max_asid = 509, .min_plain_asid = o->es ? 1 + ES_ASIDS : 1,
            .deterministic = true,
        },
        .board = {
            .ram_size = o->memory_size,
            .processors = o->processors,
            .firmware = blob(&inputs->firmware),
            .variables = blob(&inputs->variables),
            .firmware_kind = firmware_kind(o),
            .variables_kind = o->variables_use == RUN_FLASH_READ_ONLY ? BOARD_FLASH_READ_ONLY
                                                                      : BOARD_FLASH_WRITABLE,
            .flash_store = flash_store,
            .display = o->display == 1,
            .kernel = blob(&inputs->kernel),
            .initrd = blob(&inputs->initrd),
            .command_line = o->append,
            .disk_count = o->disk_count,
            .file_count = o->file_count,
            .net = o->has_net ? &o->net : NULL,
            .serial = serial_output,
            .console = o->virtio_console ? virtio_output : NULL,
            .debug = console->debug ? debug_output : NULL,
            .complaint = complaint,
            .output_context = console,
            .rtc_start = o->host_clock ? (uint64_t)time(NULL) : RTC_START,
        },
    };
    config->check.report = report_check;
    config->check.context = (void *)(uintptr_t)&o->symbols;
    config->board.exit_port = (uint16_t)o->exit_port;
    if (inputs->image)
        fill_image(config, inputs);
    memcpy(config->board.seed, &o->seed, sizeof(o->seed));
    for (unsigned i = 0; i < o->file_count; i++)
        config->board.files[i] =
            (struct board_file){ o->files[i].name, blob(&inputs->fw_cfg[i]) };
    for (unsigned i = 0; i < o->disk_count; i++) {
        config->board.disks[i].image = inputs->images[i];
        config->board.disks[i].bus = o->disks[i].bus;
        config->board.disks[i].access = o->disks[i].access;
        config->board.disks[i].serial = o->disks[i].serial;
        config->board.disks[i].boot_rank = o->disks[i].boot_rank;
    }
}

/* A pipe or a device takes the dump as it comes. */
static bool dump_to_special(struct guest *guest, const char *path)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && guest_dump(guest, fd) == 0;
    int failure = errno;
    if (fd >= 0 && close(fd) != 0 && done) {
        failure = errno;
        done = false;
    }
    if (!done)
        fprintf(stderr, "privet: %s: memory dump: %s\n", path, strerror(failure));
    return done;
}

/* A dump is made beside its place and renamed, so that a full disk leaves nothing half-written. */
static bool dump_memory(struct guest *guest, const char *path)
{
    struct stat status;
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
        return dump_to_special(guest, path);
    char temporary[4096];
    int length = snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
    int fd = length < (int)sizeof(temporary) ? mkstemp(temporary) : -1;
    bool done = fd >= 0 && guest_dump(guest, fd) == 0 && fsync(fd) == 0;
    int failure = errno;
    if (fd >= 0)
        close(fd);
    if (done && rename(temporary, path) == 0)
        return true;
    failure = done ? errno : failure;
    if (fd >= 0)
        unlink(temporary);
    fprintf(stderr, "privet: %s: memory dump: %s\n", path, strerror(failure));
    return false;
}

static int exit_code(const struct run_result *result)
{
    switch (result->end) {
    case GUEST_POWER_OFF:
    case GUEST_RESET:
    case GUEST_ENDED_BY_HOST:
        return RUN_POWERED_OFF;
    case GUEST_EXITED:
        return result->status;
    case GUEST_TIMEOUT:
        return RUN_TIMEOUT;
    case GUEST_CHECK_FAILED:
        return RUN_CHECK_FAILED;
    case GUEST_REFUSED:
        return RUN_LAUNCH_REFUSED;
    case GUEST_SHUTDOWN:
    case GUEST_STOPPED:
    case GUEST_DEAD_HALT:
    case GUEST_PANIC:
    case GUEST_KILLED:
    case GUEST_TERMINATED:
        break;
    }
    return RUN_GUEST_DIED;
}

/* RUN_POWERED_OFF: launched, or nothing to launch. */
static int launch(struct guest *guest, const struct run_options *o, const struct run_inputs *inputs,
                  struct launch_result *result)
{
    char error[256];
    if (!o->sev)
        return RUN_POWERED_OFF;
    int outcome = guest_launch(guest, result, error, sizeof(error));
    if (outcome < 0) {
        fprintf(stderr, "privet: launch: %s\n", error);
        return RUN_USAGE;
    }
    report_chip(guest, result);
    report_launch(result);
    if (outcome > 0)
        return RUN_LAUNCH_REFUSED;
    report_owner_view(o, inputs, result);
    return RUN_POWERED_OFF;
}

/* What is said and written at the end of a run, the outcome's files apart. */
static int after_run(struct guest *guest, const struct run_options *o,
                     const struct run_result *result, const char *death)
{
    int code = exit_code(result);
    report_end(result);
    report_death(death);
    report_memory(guest);
    if (o->check.level != CHECK_OFF)
        report_check_end(guest, &o->symbols);
    if (o->marker)
        report_secrecy(guest, o->marker);
    if (o->memory_dump && !dump_memory(guest, o->memory_dump))
        code = RUN_USAGE;
    guest_decommission(guest);
    if (!guest_flush_trace(guest)) {
        fprintf(stderr, "privet: trace: lines were lost: %s\n", strerror(errno));
        code = RUN_USAGE;
    }
    return code;
}

static int run_guest(struct guest *guest, const struct run_options *o,
                     const struct run_inputs *inputs)
{
    struct launch_result launched;
    struct run_result result;
    char *death = NULL;
    struct run_outcome outcome = { .guest = guest, .options = o,
                                   .launch = o->sev ? &launched : NULL };
    outcome.code = launch(guest, o, inputs, &launched);
    if (outcome.code == RUN_USAGE)
        return outcome.code;
    if (outcome.code == RUN_POWERED_OFF) {
        guest_run(guest, &result);
        outcome.result = &result;
        memory_get_statistics(guest_memory(guest), &outcome.memory);
        outcome.death = death = result.died ? report_death_text(guest, &o->symbols) : NULL;
        outcome.code = after_run(guest, o, &result, death);
    }
    if ((o->report && !outcome_write_report(o->report, &outcome)) ||
        (o->json && !outcome_write_json(o->json, &outcome)))
        outcome.code = RUN_USAGE;
    free(death);
    return outcome.code;
}

/* Standard input is the serial line's, or the virtio console's if that is on stdio. */
static bool open_consoles(struct console *console, const struct run_options *o)
{
    const char *virtio = o->virtio_console;
    bool keyboard = virtio && strcmp(virtio, "stdio") == 0;
    if (keyboard)
        console->keyboard = &console->virtio;
    console->virtio.console = GUEST_CONSOLE_VIRTIO;
    console->virtio.listener = console->virtio.input = -1;
    if (!terminal_open(&console->serial, "serial", o->serial, !keyboard) ||
        (virtio && !terminal_open(&console->virtio, "virtio-console", virtio, keyboard)))
        return false;
    if (o->debugcon && !(console->debug = fopen(o->debugcon, "we")))
        fprintf(stderr, "privet: %s: debug console: %s\n", o->debugcon, strerror(errno));
    return !o->debugcon || console->debug;
}

static bool close_consoles(struct console *console)
{
    bool good = terminal_close(&console->serial);
    good &= terminal_close(&console->virtio);
    if (console->debug && (fclose(console->debug) != 0 || console->debug_failed)) {
        fprintf(stderr, "privet: debug console: output was lost\n");
        good = false;
    }
    return good;
}

static bool attach(struct terminal *terminal, struct guest *guest)
{
    const struct host_source source = terminal_source(terminal);
    terminal->guest = guest;
    return guest_add_host_source(guest, &source);
}

static int run_with_consoles(const struct run_options *o, struct run_inputs *inputs,
                             struct console *console)
{
    struct guest_config config;
    struct chip_failure failure;
    int code = RUN_USAGE;
    fill_config(&config, o, inputs, console);
    struct guest *guest = guest_create(&config, &failure);
    console->guest = guest;
    if (guest && attach(&console->serial, guest) && attach(&console->virtio, guest))
        code = run_guest(guest, o, inputs);
    else
        fprintf(stderr, "privet: %s\n", guest ? "too many consoles" : failure.text);
    if (!guest && o->json)
        outcome_write_json(o->json, &(struct run_outcome){ .failure = &failure, .code = code });
    guest_destroy(guest);
    return code;
}

static int run_with_inputs(const struct run_options *o, struct run_inputs *inputs)
{
    struct console console = {
        .keyboard = &console.serial,
        .stop = { { .text = o->stop_at }, { .text = o->stop_at } },
        .answers = &o->answers,
        .answer = run_watch_answer(&o->answers, 0),
        .flash = &inputs->flash,
    };
    int code = RUN_USAGE;
    if (open_consoles(&console, o))
        code = run_with_consoles(o, inputs, &console);
    if (!close_consoles(&console))
        code = RUN_USAGE;
    if (!run_flash_close(&inputs->flash))
        code = RUN_USAGE;
    return code;
}

int verb_run(int argc, char **argv)
{
    struct run_options options;
    struct run_inputs inputs;
    bool help;
    if (!run_options_parse(argc, argv, &options, &help)) {
        run_options_free(&options);
        return help ? RUN_POWERED_OFF : RUN_USAGE;
    }
    signal(SIGPIPE, SIG_IGN);
    int code = run_inputs_load(&options, &inputs) ? run_with_inputs(&options, &inputs) : RUN_USAGE;
    run_inputs_free(&inputs);
    run_options_free(&options);
    return code;
}
