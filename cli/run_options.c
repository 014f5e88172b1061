/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The options of `privet run`. */
#include "cli/net_option.h"
#include "cli/options.h"
#include "cli/run.h"
#include "sev/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB (1024ull * 1024)

#ifndef PRIVET_DATA_FOLDER
#define PRIVET_DATA_FOLDER "/usr/local/share/privet"
#endif

/* As parsed: the table's types. */
struct raw {
    struct option_list disks, cdroms, files;
    struct run_check_options check;
    const char *net;
    uint64_t processors, policy, c_bit, reduced, asid;
    unsigned sev, clock; /* sev: enum sev_choice */
};

/* Of --sev; if it was not given, the policy tells SEV from SEV-ES. */
enum sev_choice { CHOICE_OFF, CHOICE_SEV, CHOICE_ES, CHOICE_SME, CHOICE_ES_ALIAS, CHOICE_NONE };

#define POLICY_NOT_GIVEN UINT64_MAX

static const char footer[] =
    "The guest's serial console is on stdout; everything else is on stderr, a line each.\n"
    "\n"
    "Example:\n"
    "  privet run --kernel vmlinuz --initrd initrd.img --append console=ttyS0\n"
    "\n"
    "Exit status: 0 the guest powered off; 1 usage or host error; 2 the guest died;\n"
    "3 time limit; 4 refused by the chip; 5 a finding under --check fatal.";

static bool add_disk(const char *option, const char *text, bool cdrom, struct run_options *ret)
{
    if (ret->disk_count == BOARD_MAX_DISKS) {
        fprintf(stderr, "privet: %s: at most %d disks\n", option, BOARD_MAX_DISKS);
        return false;
    }
    struct run_disk *disk = &ret->disks[ret->disk_count++];
    if (!run_disk_parse(option, text, disk))
        return false;
    if (cdrom) {
        disk->bus = BOARD_DISK_CDROM;
        disk->image.read_only = true;
    }
    return run_disk_check(option, disk);
}

static bool add_disks(const struct option_list *disks, const struct option_list *cdroms,
                      const struct option_list *operands, struct run_options *ret)
{
    for (unsigned i = 0; i < disks->count; i++)
        if (!add_disk("--disk", disks->items[i], false, ret))
            return false;
    for (unsigned i = 0; i < operands->count; i++)
        if (!add_disk("disk", operands->items[i], false, ret))
            return false;
    for (unsigned i = 0; i < cdroms->count; i++)
        if (!add_disk("--cdrom", cdroms->items[i], true, ret))
            return false;
    return true;
}

static bool add_files(const struct option_list *files, struct run_options *ret)
{
    _Static_assert(OPTION_LIST_MAX <= BOARD_MAX_FILES, "all of the list fit");
    for (unsigned i = 0; i < files->count; i++)
        if (!run_fw_cfg_parse(files->items[i], &ret->files[ret->file_count++]))
            return false;
    return true;
}

/* FILE,WORD of the flash images. */
static void split_flash(struct run_options *o)
{
    static const struct run_flash_word firmware_words[] = {
        { "flash", RUN_FLASH_KEPT }, { NULL, 0 },
    };
    static const struct run_flash_word variables_words[] = {
        { "readonly", RUN_FLASH_READ_ONLY }, { "snapshot", RUN_FLASH_SNAPSHOT }, { NULL, 0 },
    };
    o->firmware_use = run_flash_split(o->firmware, firmware_words);
    o->variables_use = run_flash_split(o->variables, variables_words);
}

void run_options_free(struct run_options *options)
{
    for (unsigned i = 0; i < options->disk_count; i++)
        run_disk_free(&options->disks[i]);
    symbols_free(&options->symbols);
}

static bool parse_model(const char *text, struct run_options *ret)
{
    char error[1200];
    if (cpu_model_parse(text, &ret->model, error, sizeof(error)))
        return true;
    fprintf(stderr, "privet: --cpu: %s\n", error);
    return false;
}

/* What kind of guest it is: --sev and the policy must say the same. */
static bool choose_sev(const struct raw *raw, struct run_options *o)
{
    bool given = raw->policy != POLICY_NOT_GIVEN, es = given && raw->policy & SEV_POLICY_ES;
    unsigned choice = raw->sev == CHOICE_ES_ALIAS ? CHOICE_ES : raw->sev;
    if (choice == CHOICE_NONE)
        choice = es ? CHOICE_ES : CHOICE_SEV;
    o->es = choice == CHOICE_ES;
    o->sev = o->es || choice == CHOICE_SEV;
    o->sme = choice == CHOICE_SME;
    o->policy = given ? (uint32_t)raw->policy : SEV_POLICY_NODBG | (o->es ? SEV_POLICY_ES : 0);
    if (given && o->es && !es)
        fprintf(stderr, "privet: --policy 0x%x: a SEV-ES guest's policy has bit 2 (es)\n", o->policy);
    else if (es && !o->es)
        fprintf(stderr, "privet: --policy 0x%x: bit 2 (es) needs --sev sev-es\n", o->policy);
    return o->es == es || !given;
}

static bool check(struct run_options *o)
{
    if (!o->session != !o->dh_cert)
        fprintf(stderr, "privet: --session and --dh-cert go together; give both or none\n");
    else if (!o->secret != !o->secret_header)
        fprintf(stderr, "privet: --secret and --secret-header go together; give both or none\n");
    else if (!o->sev && (o->session || o->secret || o->kernel_hashes))
        fprintf(stderr, "privet: --session, --secret and --kernel-hashes need --sev sev\n");
    else if (!o->sev && o->check.level != CHECK_OFF)
        fprintf(stderr, "privet: --check needs --sev sev\n");
    else if ((o->hashed_kernel || o->hashed_initrd || o->hashed_append) && !o->kernel_hashes)
        fprintf(stderr, "privet: --hashed-kernel, -initrd, -append need --kernel-hashes on\n");
    else if (o->kernel_hashes && !o->kernel)
        fprintf(stderr, "privet: --kernel-hashes on needs --kernel\n");
    else if ((o->initrd || o->append) && !o->kernel)
        fprintf(stderr, "privet: --initrd and --append need --kernel\n");
    else if (!o->trace && (o->trace_file || o->trace_from || o->trace_to != UINT64_MAX))
        fprintf(stderr, "privet: --trace-file, --trace-from and --trace-to need --trace\n");
    else if (o->trace_from > o->trace_to)
        fprintf(stderr, "privet: --trace-from is after --trace-to\n");
    else if (o->gdb && o->es && o->policy & SEV_POLICY_NODBG)
        fprintf(stderr, "privet: --gdb: policy 0x%x forbids debugging (bit 0, nodbg), and a SEV-ES "
                "guest's registers are as private as its memory; use --policy 0x%x\n", o->policy,
                o->policy & ~SEV_POLICY_NODBG);
    else
        return true;
    return false;
}

bool run_options_parse(int argc, char **argv, struct run_options *o, bool *ret_done)
{
    static const char *const check_levels[] = { "off", "warn", "fatal", NULL };
    static const char *const clocks[] = { "instructions", "host", NULL };
    static const char *const displays[] = { "none", "ramfb", NULL };
    static const char *const sev_modes[] = {
        [CHOICE_OFF] = "off", [CHOICE_SEV] = "sev", [CHOICE_ES] = "sev-es", [CHOICE_SME] = "sme",
        [CHOICE_ES_ALIAS] = "es", [CHOICE_NONE] = NULL,
    };
    struct raw raw = {
        .processors = 1, .policy = POLICY_NOT_GIVEN, .c_bit = 51, .reduced = 1, .asid = 1,
        .sev = CHOICE_NONE, .net = "none",
    };
    static const char default_firmware[] = PRIVET_DATA_FOLDER "/privet.fd";
    *o = (struct run_options){ .firmware = default_firmware,
                               .memory_size = 1024 * MIB,
                               .trace_to = UINT64_MAX,
                               .state = state_folder_default() };
    bool no_reboot = false;
    const char *cpu_text = "epyc";
    const struct option_row rows[] = {
        { "firmware", OPTION_TEXT, &o->firmware, "FILE[,flash]",
          "flash image; default: Privet's own" },
        { "vars", OPTION_TEXT, &o->variables, "FILE[,readonly|snapshot]",
          "variable store image; the guest's changes are written to it" },
        { "kernel", OPTION_TEXT, &o->kernel, "FILE",
          "direct boot: Linux or any EFI program; with --sev off multiboot or PVH, too" },
        { "initrd", OPTION_TEXT, &o->initrd, "FILE", "initial ram disk for direct boot" },
        { "append", OPTION_TEXT, &o->append, "TEXT", "kernel command line" },
        { "kernel-hashes", OPTION_SWITCH, &o->kernel_hashes, "on|off",
          "measure hashes of kernel, initrd, command line" },
        { "hashed-kernel", OPTION_TEXT, &o->hashed_kernel, "FILE",
          "hash this kernel instead: plays a host that lies" },
        { "hashed-initrd", OPTION_TEXT, &o->hashed_initrd, "FILE", "hash this initrd instead" },
        { "hashed-append", OPTION_TEXT, &o->hashed_append, "TEXT",
          "hash this command line instead" },
        { "memory", OPTION_SIZE, &o->memory_size, "SIZE",
          "RAM, 64M to 64G; default 1G", 64 * MIB, 65536 * MIB, NULL },
        { "cpus", OPTION_NUMBER, &raw.processors, "N", "processors, 1 to 64; default 1", 1,
          BOARD_MAX_PROCESSORS, NULL },
        { "cpu", OPTION_TEXT, &cpu_text, "MODEL[,+NAME,-NAME]",
          "epyc or baseline, with features added or taken away; default epyc" },
        { "sev", OPTION_CHOICE, &raw.sev, "off|sev|sev-es|sme",
          "memory encryption: none, a SEV or SEV-ES guest, or a host with SME; default: as the policy "
          "says", 0, 0, sev_modes },
        { "policy", OPTION_POLICY, &raw.policy, "POLICY",
          "guest policy, a number or words such as nodbg,noks,es; default nodbg, with --sev sev-es "
          "nodbg,es" },
        { "c-bit", OPTION_NUMBER, &raw.c_bit, "N",
          "position of the C-bit; default 51", 36, 51, NULL },
        { "reduced-phys-bits", OPTION_NUMBER, &raw.reduced, "N",
          "physical address bits lost; default 1", 0, 16, NULL },
        { "asid", OPTION_NUMBER, &raw.asid, "N",
          "the guest's ASID; default 1", 1, MEMORY_MAX_ASID, NULL },
        { "session", OPTION_TEXT, &o->session, "FILE", "guest owner's launch session" },
        { "dh-cert", OPTION_TEXT, &o->dh_cert, "FILE", "guest owner's DH certificate" },
        { "secret-header", OPTION_TEXT, &o->secret_header, "FILE", "header of the launch secret" },
        { "secret", OPTION_TEXT, &o->secret, "FILE", "launch secret" },
        { "tik", OPTION_TEXT, &o->tik, "FILE",
          "owner's integrity key: only to report the owner's view" },
        { "state", OPTION_TEXT, &o->state, "FOLDER",
          "the chip's identity and keys; default ~/.local/state/privet" },
        { "disk", OPTION_LIST, &raw.disks, "FILE[,WORD...]",
          "disk image; format=raw|qcow2, if=virtio|scsi, readonly, snapshot, serial=TEXT, "
          "bootindex=N, iommu_platform=on|off" },
        { "cdrom", OPTION_LIST, &raw.cdroms, "FILE[,bootindex=N]",
          "ISO image in a SCSI CD-ROM drive" },
        { "fw-cfg", OPTION_LIST, &raw.files, "name=NAME,file=FILE|string=TEXT",
          "a file for the firmware, named opt/...; may be repeated" },
        { "net", OPTION_TEXT, &raw.net, "user[,...]|none",
          "network card: user[,mac=..][,restrict=on][,bootindex=N]"
          "[,hostfwd=tcp:[ADDR]:PORT-[ADDR]:PORT]" },
        { "serial", OPTION_TEXT, &o->serial, "stdio|none|unix:PATH|FILE",
          "where the serial line ends; default stdio" },
        { "virtio-console", OPTION_TEXT, &o->virtio_console, "stdio|none|unix:PATH|FILE",
          "a virtio console (hvc0) and where it ends; default: no such device" },
        { "display", OPTION_CHOICE, &o->display, "none|ramfb",
          "frame buffer in guest memory, for software that needs one; default none", 0, 0,
          displays },
        { "debugcon", OPTION_TEXT, &o->debugcon, "FILE", "what the firmware writes to port 0x402" },
        { "memory-dump", OPTION_TEXT, &o->memory_dump, "FILE",
          "raw DRAM at the end, as the host sees it" },
        { "marker", OPTION_TEXT, &o->marker, "TEXT",
          "look for this text in the guest and in DRAM at the end" },
        { "seed", OPTION_NUMBER, &o->seed, "N",
          "of everything random that the guest sees; default 0", 0, UINT64_MAX, NULL },
        { "check", OPTION_CHOICE, &raw.check.level, "off|warn|fatal",
          "watch for SEV mistakes of the guest (privet-checks(7)); default off", 0, 0,
          check_levels },
        { "check-without", OPTION_LIST, &raw.check.without, "RULE[,...]",
          "leave these rules out; may be repeated" },
        { "check-coherent", OPTION_FLAG, &raw.check.coherent, NULL,
          "the chip keeps caches coherent across C-bits" },
        { "secret-range", OPTION_LIST, &raw.check.ranges, "ADDRESS+LENGTH",
          "physical range that must not reach shared memory; may be repeated" },
        { "symbols", OPTION_LIST, &raw.check.symbols, "FILE[@BASE]",
          "names for guest addresses: ELF or nm list; may be repeated" },
        { "timeout", OPTION_NUMBER, &o->timeout_seconds, "SECONDS",
          "give up after this much host time", 1, 1000000, NULL },
        { "answer", OPTION_LIST, &o->answers, "TEXT=REPLY",
          "type this when the console has printed the text; repeated: one after the other" },
        { "stop-at", OPTION_TEXT, &o->stop_at, "TEXT", "end when the console has printed this" },
        { "clock", OPTION_CHOICE, &raw.clock, "instructions|host",
          "what the guest's time follows; default instructions", 0, 0, clocks },
        { "report", OPTION_TEXT, &o->report, "FILE", "write how the run ended, in words" },
        { "json", OPTION_TEXT, &o->json, "FILE", "write how the run ended, for programs" },
        { "trace", OPTION_TEXT, &o->trace, "LIST",
          "tell of exits,io,mmio,msr,pages,launch,exceptions,interrupts,instructions,vmgexit or all" },
        { "trace-file", OPTION_TEXT, &o->trace_file, "FILE", "where to; default standard error" },
        { "trace-from", OPTION_NUMBER, &o->trace_from, "COUNT",
          "from a processor's instruction COUNT on", 0, UINT64_MAX, NULL },
        { "trace-to", OPTION_NUMBER, &o->trace_to, "COUNT", "up to that one", 0, UINT64_MAX, NULL },
        { "gdb", OPTION_TEXT, &o->gdb, "ADDRESS",
          "let GDB connect here; the guest waits for it unless ADDRESS ends in ,nowait" },
        { "debug-exit", OPTION_NUMBER, &o->exit_port, "PORT",
          "writing V to this I/O port ends the run with exit status 2 V + 1", 1, 0xFFFC, NULL },
        { "no-reboot", OPTION_FLAG, &no_reboot, NULL, "end when the guest resets" },
        { NULL, OPTION_FLAG, NULL, NULL, NULL },
    };
    const struct option_verb verb = {
        .path = "run",
        .usage = "privet run [options] [DISK...]",
        .summary = "Boots a guest on the software SEV platform. Without --sev off its memory is "
                   "encrypted with a key\nthat only the emulated Secure Processor knows.",
        .rows = rows,
        .footer = footer,
        .operands = true,
    };
    struct option_list operands = { .count = 0 };
    enum option_result result = options_parse(&verb, argc, argv, &operands);
    *ret_done = result == OPTIONS_HELP;
    if (result != OPTIONS_RUN)
        return false;
    if (!run_watch_check(&o->answers) || !add_disks(&raw.disks, &raw.cdroms, &operands, o) ||
        !add_files(&raw.files, o) ||
        !net_option_parse((char *)(uintptr_t)raw.net, &o->net, &o->has_net))
        return false;
    o->host_clock = raw.clock == 1;
    o->processors = (unsigned)raw.processors;
    o->c_bit = (unsigned)raw.c_bit;
    o->reduced_physical_bits = (unsigned)raw.reduced;
    o->asid = (unsigned)raw.asid;
    o->reboot = !no_reboot;
    o->firmware_given = o->firmware != default_firmware;
    split_flash(o);
    return choose_sev(&raw, o) && parse_model(cpu_text, o) &&
           run_check_parse(&raw.check, &o->check, &o->symbols) && check(o);
}
