/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * `privet chip`: the emulated Secure Processor as a host administrator sees it. Each call powers
 * the chip on, gives it the commands that /dev/sev would, and powers it off; what stays is its
 * state folder.
 */
#include <stdio.h>
#include <string.h>

#include "cli/chip.h"
#include "cli/file.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/verbs.h"
#include "sev/status.h"

static const char *const platform_states[] = {
    [SEV_PLATFORM_UNINIT] = "uninit", [SEV_PLATFORM_INIT] = "init", [SEV_PLATFORM_WORKING] = "working"
};

static const char *state_name(unsigned state)
{
    return state <= SEV_PLATFORM_WORKING ? platform_states[state] : "unknown";
}

/* The platform's state as the chip tells it. */
static const char *state_found(struct chip_session *s)
{
    struct sev_platform_status status;
    bool told = chip_command(s->chip, SEV_PLATFORM_STATUS, &status) == SEV_SUCCESS;
    return told ? state_name(status.state) : "unknown";
}

bool chip_issue(struct chip_session *s, enum sev_command command, const char *name, void *buffer)
{
    uint16_t status = chip_command(s->chip, command, buffer);
    if (status == SEV_SUCCESS)
        return true;
    const char *advice = chip_advice(command, status);
    fprintf(stderr, "privet: %s: status 0x%02x %s: %s (the platform's state is %s)%s%s\n", name,
            status, sev_status_name(status), sev_status_meaning(status), state_found(s),
            advice ? "; " : "", advice ? advice : "");
    return false;
}

bool chip_initialise(struct chip_session *s)
{
    struct sev_init init = { 0 };
    return CHIP_ISSUE(s, INIT, &init);
}

static int command_status(struct chip_session *s, const char *const *files)
{
    struct sev_platform_status status;
    if (!chip_initialise(s) || !CHIP_ISSUE(s, PLATFORM_STATUS, &status))
        return 1;
    const char *owner = status.owner & 1 ? "external" : "self", *state = state_name(status.state);
    if (s->options->json) {
        printf("{\"model\":\"%s\",\"api-major\":%u,\"api-minor\":%u,\"build-id\":%u,"
               "\"state\":\"%s\",\"owner\":\"%s\",\"es\":%s,\"guests\":%u}\n",
               chip_model(s->chip), status.api_major, status.api_minor, status.build,
               state, owner, status.config & 1 ? "true" : "false", status.guest_count);
        return 0;
    }
    printf("model: %s\nAPI version: %u.%u\nbuild: %u\nstate: %s\nowner: %s\nSEV-ES: %s\nguests: %u\n",
           chip_model(s->chip), status.api_major, status.api_minor, status.build,
           state, owner, status.config & 1 ? "on" : "off", status.guest_count);
    return 0;
}

static int command_id(struct chip_session *s, const char *const *files)
{
    uint8_t id[SEV_ID_SIZE];
    struct sev_get_id get = { .id_paddr = chip_map(s->chip, id, sizeof(id)),
                              .id_len = sizeof(id) };
    if (!CHIP_ISSUE(s, GET_ID, &get))
        return 1;
    printf(s->options->json ? "{\"cpu0-id\":\"" : "");
    print_hex(id, sizeof(id));
    printf(s->options->json ? "\"}\n" : "\n");
    return 0;
}

static int command_reset(struct chip_session *s, const char *const *files)
{
    return CHIP_ISSUE(s, PLATFORM_RESET, NULL) && chip_initialise(s) ? 0 : 1;
}

static int command_pek_gen(struct chip_session *s, const char *const *files)
{
    return chip_initialise(s) && CHIP_ISSUE(s, PEK_GEN, NULL) ? 0 : 1;
}

static int command_pdh_gen(struct chip_session *s, const char *const *files)
{
    return chip_initialise(s) && CHIP_ISSUE(s, PDH_GEN, NULL) ? 0 : 1;
}

static const struct command {
    const char *name;
    int (*run)(struct chip_session *s, const char *const *files);
    unsigned files; /* words that follow */
    bool changes;   /* what the state folder keeps */
} commands[] = {
    { "guests", NULL, 0, false },           { "decrypt", NULL, 3, false },
    { "status", command_status, 0, false }, { "id", command_id, 0, false },
    { "export", chip_export, 1, false },    { "verify", chip_verify, 0, false },
    { "csr", chip_csr, 1, false },          { "import", chip_import, 2, true },
    { "reset", command_reset, 0, true },    { "pek-gen", command_pek_gen, 0, true },
    { "pdh-gen", command_pdh_gen, 0, true },
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
                    const char *const *files)
{
    static const uint8_t seed[32];
    const struct chip_config config = {
        .state_folder = options->state,
        .shared = !command->changes,
        .api_major = CHIP_API_MAJOR,
        .api_minor = CHIP_API_MINOR,
        .build = CHIP_BUILD,
        .max_asid = CHIP_ASIDS,
        .min_plain_asid = 1,
    };
    struct chip_session s = { .options = options, .memory = memory_create(seed) };
    char error[512] = "out of memory";
    int code = 1;
    if (s.memory)
        s.chip = chip_open(&config, s.memory, error, sizeof(error));
    if (s.chip)
        code = command->run(&s, files);
    else
        fprintf(stderr, "privet: %s\n", error);
    chip_close(s.chip);
    memory_destroy(s.memory);
    return output_flush() ? code : 1;
}

static const char footer[] =
    "Commands:\n"
    "  status          model, API version and build, owner\n"
    "  id              the chip's unique identifier (GET_ID), 128 hexadecimal digits\n"
    "  export FILE     certificates PDH, PEK, OCA, CEK one after the other; with --full the CEK\n"
    "                  as signed by the emulated AMD, then ASK and ARK\n"
    "  verify          checks the chip's chain up to the emulated AMD's root\n"
    "  csr FILE        the PEK without signatures, for an owner to sign (PEK_CSR); see\n"
    "                  'privet owner sign-csr'\n"
    "  import PEK OCA  takes the signed PEK and its owner's certificate (PEK_CERT_IMPORT): the\n"
    "                  platform is externally owned from then on and has a new PDH\n"
    "  guests          below exec: the guests of the served chip\n"
    "  decrypt HANDLE ADDRESS FILE\n"
    "                  below exec: DBG_DECRYPT of a page's ciphertext in FILE, which its program has\n"
    "                  at ADDRESS; the plaintext goes to stdout, if the guest's policy allows it\n"
    "  reset           forgets owner and keys: new OCA, PEK and PDH\n"
    "  pek-gen         new OCA, PEK and PDH, self-owned\n"
    "  pdh-gen         new PDH\n"
    "  exec [--state FOLDER] [--] PROGRAM [ARGUMENTS]\n"
    "                  runs a program that meets this chip behind /dev/sev and KVM; its guests are\n"
    "                  launched, measured and given secrets, but execute nothing\n"
    "\nExit status: 0 done; 1 usage or host error, or the chip refused; 6 verification failed.";

/* Only what stands before the program's name is ours. */
static int exec_verb(char **words)
{
    static const struct command command = { "exec", chip_exec, 0, true };
    struct chip_options options = { .state = state_folder_default() };
    if (*words && strncmp(*words, "--state=", 8) == 0)
        options.state = *words++ + 8;
    else if (*words && words[1] && strcmp(*words, "--state") == 0) {
        options.state = words[1];
        words += 2;
    }
    if (*words && strcmp(*words, "--") == 0)
        words++;
    else if (*words && **words == '-')
        *words = NULL;
    if (*words)
        return power_on(&command, &options, (const char *const *)(const void *)words);
    fprintf(stderr, "privet: chip exec: takes [--state FOLDER] [--] PROGRAM [ARGUMENT...]; try "
                    "'privet chip --help'\n");
    return 1;
}

int verb_chip(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "exec") == 0)
        return exec_verb(argv + 2);
    struct chip_options options = { .state = state_folder_default() };
    const struct option_row rows[] = {
        { "state", OPTION_TEXT, &options.state, "FOLDER",
          "the chip's identity and keys; default ~/.local/state/privet", 0, 0, NULL },
        { "full", OPTION_FLAG, &options.full, NULL, "export: the chain up to the root", 0, 0,
          NULL },
        { "json", OPTION_FLAG, &options.json, NULL,
          "status, id, verify, guests: one JSON document on stdout", 0,
          0, NULL },
        { NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0, NULL },
    };
    const struct option_verb verb = {
        .usage = "privet chip COMMAND [options]",
        .summary = "The emulated Secure Processor, as a host administrator sees it.",
        .rows = rows,
        .footer = footer,
        .operands = true,
        .commands = "status id guests decrypt export verify csr import reset pek-gen pdh-gen exec",
    };
    struct option_list words = { .count = 0 };
    enum option_result result = options_parse(&verb, argc, argv, &words);
    if (result != OPTIONS_RUN)
        return result == OPTIONS_HELP ? 0 : 1;
    if (words.count == 0) {
        fprintf(stderr, "privet: chip: a command is missing; try 'privet chip --help'\n");
        return 1;
    }
    if (strcmp(words.items[0], "guests") == 0 && words.count == 1)
        return chip_guests(options.json);
    if (strcmp(words.items[0], "decrypt") == 0 && words.count == 4)
        return chip_decrypt(words.items + 1);
    const struct command *command = find(words.items[0]);
    if (!command)
        return 1;
    if (words.count != 1u + command->files) {
        static const char *const takes[] = { "no further argument", "one file name",
                                             "two file names", "a handle, an address, a file" };
        fprintf(stderr, "privet: chip %s: takes %s; try 'privet chip --help'\n", command->name,
                takes[command->files]);
        return 1;
    }
    return power_on(command, &options, words.items + 1);
}
