/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * `privet chip`: the emulated Secure Processor as a host administrator sees it. Each call powers
 * the chip on, gives it the commands that /dev/sev would, and powers it off; what stays is its
 * state folder.
 */
#include <stdio.h>
#include <string.h>

#include "cli/file.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/verbs.h"
#include "machine/chip/chip.h"
#include "sev/certificate.h"
#include "sev/command.h"
#include "sev/status.h"

struct chip_options {
    const char *state;
    bool full, json;
};

struct session {
    const struct chip_options *options;
    struct chip *chip;
    struct memory *memory;
};

/* One command; a refusal is one line with the status. */
static bool issue(struct session *s, enum sev_command command, const char *name, void *buffer)
{
    uint16_t status = chip_command(s->chip, command, buffer);
    if (status == SEV_SUCCESS)
        return true;
    fprintf(stderr, "privet: %s: status 0x%02x %s: %s\n", name, status, sev_status_name(status),
            sev_status_meaning(status));
    return false;
}
#define ISSUE(session, name, buffer) issue(session, SEV_##name, #name, buffer)

static bool initialise(struct session *s)
{
    struct sev_init init = { 0 };
    return ISSUE(s, INIT, &init);
}

static bool command_status(struct session *s, const char *file)
{
    struct sev_platform_status status;
    if (!initialise(s) || !ISSUE(s, PLATFORM_STATUS, &status))
        return false;
    bool external = status.owner & 1;
    if (s->options->json) {
        printf("{\"model\":\"%s\",\"api-major\":%u,\"api-minor\":%u,\"build-id\":%u,"
               "\"owner\":\"%s\",\"es\":%s,\"guests\":%u}\n",
               chip_model(s->chip), status.api_major, status.api_minor, status.build,
               external ? "external" : "self", status.config & 1 ? "true" : "false",
               status.guest_count);
        return true;
    }
    printf("model: %s\nAPI version: %u.%u\nbuild: %u\nowner: %s\nSEV-ES: %s\nguests: %u\n",
           chip_model(s->chip), status.api_major, status.api_minor, status.build,
           external ? "external" : "self", status.config & 1 ? "on" : "off", status.guest_count);
    return true;
}

static bool command_id(struct session *s, const char *file)
{
    uint8_t id[SEV_ID_SIZE];
    struct sev_get_id get = { .id_paddr = chip_map(s->chip, id, sizeof(id)),
                              .id_len = sizeof(id) };
    if (!ISSUE(s, GET_ID, &get))
        return false;
    printf(s->options->json ? "{\"cpu0-id\":\"" : "");
    print_hex(id, sizeof(id));
    printf(s->options->json ? "\"}\n" : "\n");
    return true;
}

/* The field's two forms: PDH, PEK, OCA, CEK; full: the CEK that AMD signed, then ASK, ARK too. */
static bool command_export(struct session *s, const char *file)
{
    uint8_t chain[4 * SEV_CERT_SIZE + 2 * SEV_AMD_CERT_MAX];
    struct chip_root root;
    char error[512];
    size_t size = 4 * SEV_CERT_SIZE;
    struct sev_pdh_cert_export export = {
        .pdh_paddr = chip_map(s->chip, chain, SEV_CERT_SIZE),
        .pdh_len = SEV_CERT_SIZE,
        .certs_paddr = chip_map(s->chip, chain + SEV_CERT_SIZE, SEV_CHAIN_SIZE),
        .certs_len = SEV_CHAIN_SIZE,
    };
    if (!initialise(s) || !ISSUE(s, PDH_CERT_EXPORT, &export))
        return false;
    if (s->options->full) {
        if (!chip_root_certificates(s->chip, &root, error, sizeof(error))) {
            fprintf(stderr, "privet: %s\n", error);
            return false;
        }
        memcpy(chain + 3 * SEV_CERT_SIZE, root.cek, sizeof(root.cek));
        memcpy(chain + size, root.ask, sizeof(root.ask));
        memcpy(chain + size + sizeof(root.ask), root.ark, sizeof(root.ark));
        size += sizeof(root.ask) + sizeof(root.ark);
    }
    return file_write(file, chain, size, 0644);
}

static bool command_reset(struct session *s, const char *file)
{
    return ISSUE(s, PLATFORM_RESET, NULL) && initialise(s);
}

static bool command_pek_gen(struct session *s, const char *file)
{
    return initialise(s) && ISSUE(s, PEK_GEN, NULL);
}

static bool command_pdh_gen(struct session *s, const char *file)
{
    return initialise(s) && ISSUE(s, PDH_GEN, NULL);
}

static const struct command {
    const char *name;
    bool (*run)(struct session *s, const char *file);
    bool takes_file;
    bool changes; /* what the state folder keeps */
} commands[] = {
    { "status", command_status, false, false }, { "id", command_id, false, false },
    { "export", command_export, true, false },  { "reset", command_reset, false, true },
    { "pek-gen", command_pek_gen, false, true }, { "pdh-gen", command_pdh_gen, false, true },
};

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    fprintf(stderr, "privet: chip %s: no such command; try 'privet chip --help'\n", name);
    return NULL;
}

static int power_on(const struct command *command, const struct chip_options *options,
                    const char *file)
{
    static const uint8_t seed[32];
    const struct chip_config config = {
        .state_folder = options->state,
        .shared = !command->changes,
        .api_major = CHIP_API_MAJOR,
        .api_minor = CHIP_API_MINOR,
        .build = CHIP_BUILD,
        .max_asid = 509,
        .min_plain_asid = 1,
    };
    struct session s = { .options = options, .memory = memory_create(seed) };
    char error[512] = "out of memory";
    bool done = false;
    if (s.memory)
        s.chip = chip_open(&config, s.memory, error, sizeof(error));
    if (s.chip)
        done = command->run(&s, file) && output_flush();
    else
        fprintf(stderr, "privet: %s\n", error);
    chip_close(s.chip);
    memory_destroy(s.memory);
    return done ? 0 : 1;
}

static const char footer[] =
    "Commands:\n"
    "  status       model, API version and build, owner\n"
    "  id           the chip's unique identifier (GET_ID), 128 hexadecimal digits\n"
    "  export FILE  certificates PDH, PEK, OCA, CEK one after the other; with --full the CEK as\n"
    "               signed by the emulated AMD, then ASK and ARK\n"
    "  reset        forgets owner and keys: new OCA, PEK and PDH\n"
    "  pek-gen      new OCA, PEK and PDH, self-owned\n"
    "  pdh-gen      new PDH\n"
    "\nExit status: 0 done; 1 usage or host error, or the chip refused.";

int verb_chip(int argc, char **argv)
{
    struct chip_options options = { .state = state_folder_default() };
    const struct option_row rows[] = {
        { "state", OPTION_TEXT, &options.state, "FOLDER",
          "the chip's identity and keys; default ~/.local/state/privet", 0, 0, NULL },
        { "full", OPTION_FLAG, &options.full, NULL, "export: the chain up to the root", 0, 0,
          NULL },
        { "json", OPTION_FLAG, &options.json, NULL, "status, id: one JSON document on stdout", 0,
          0, NULL },
        { NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0, NULL },
    };
    const struct option_verb verb = {
        .usage = "privet chip COMMAND [options]",
        .summary = "The emulated Secure Processor, as a host administrator sees it.",
        .rows = rows,
        .footer = footer,
        .operands = true,
    };
    struct option_list words = { .count = 0 };
    enum option_result result = options_parse(&verb, argc, argv, &words);
    if (result != OPTIONS_RUN)
        return result == OPTIONS_HELP ? 0 : 1;
    if (words.count == 0) {
        fprintf(stderr, "privet: chip: a command is missing; try 'privet chip --help'\n");
        return 1;
    }
    const struct command *command = find(words.items[0]);
    if (!command)
        return 1;
    if (words.count != 1u + command->takes_file) {
        fprintf(stderr, "privet: chip %s: takes %s; try 'privet chip --help'\n", command->name,
                command->takes_file ? "one file name" : "no further argument");
        return 1;
    }
    return power_on(command, &options, words.items[1]);
}
