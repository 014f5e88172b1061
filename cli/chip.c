/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * `privet chip`: the emulated Secure Processor as a host administrator sees it. Each call powers
 * the chip on, gives it the commands that /dev/sev would, and powers it off; what stays is its
 * state folder.
 */
#include <stdio.h>
#include <string.h>

#include "cli/chip.h"
#include "cli/commands.h"
#include "cli/error.h"
#include "cli/file.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/refusal.h"
#include "cli/verbs.h"
#include "sev/status.h"

const char *chip_owner_name(const struct sev_platform_status *status)
{
    return status->owner & 1 ? "external" : "self";
}

bool chip_issue(struct chip_session *s, enum sev_command command, void *buffer)
{
    const struct refusal refusal = {
        .command = command,
        .status = chip_command(s->chip, command, buffer),
        .found = chip_states(s->chip, 0),
    };
    if (refusal.status != SEV_SUCCESS)
        refusal_say(&refusal);
    return refusal.status == SEV_SUCCESS;
}

bool chip_initialise(struct chip_session *s)
{
    static uint8_t region[SEV_TMR_SIZE];
    struct sev_init init = { .flags = SEV_INIT_ES, .tmr_len = sizeof(region),
                             .tmr_paddr = chip_map(s->chip, region, sizeof(region)) };
    return CHIP_ISSUE(s, INIT, &init);
}

static int command_status(struct chip_session *s, const char *const *files)
{
    struct sev_platform_status status;
    if (!chip_initialise(s) || !CHIP_ISSUE(s, PLATFORM_STATUS, &status))
        return 1;
    const char *owner = chip_owner_name(&status), *state = sev_platform_state_name(status.state);
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
    return CHIP_ISSUE(s, PLATFORM_RESET, NULL) && chip_initialise(s) && chip_tell(s, NULL) ? 0 : 1;
}

static int command_pek_gen(struct chip_session *s, const char *const *files)
{
    return chip_initialise(s) && CHIP_ISSUE(s, PEK_GEN, NULL) && chip_tell(s, NULL) ? 0 : 1;
}

static int command_pdh_gen(struct chip_session *s, const char *const *files)
{
    return chip_initialise(s) && CHIP_ISSUE(s, PDH_GEN, NULL) && chip_tell(s, NULL) ? 0 : 1;
}

/* What a command does. */
struct action {
    int (*run)(struct chip_session *s, const char *const *words); /* to a chip that is powered on */
    int (*ask)(const struct chip_options *options, const char *const *words); /* one that is served */
    bool changes; /* what the state folder keeps */
};

static int power_on(const struct action *action, const struct chip_options *options,
                    const char *const *files)
{
    static const uint8_t seed[32];
    uint8_t peer_ark[CHIP_ROOT_ARK_SIZE];
    if (options->peer_root && !chip_peer_root(options->peer_root, peer_ark))
        return 1;
    const struct chip_config config = {
        .state_folder = options->state,
        .shared = !action->changes,
        .api_major = CHIP_API_MAJOR,
        .api_minor = CHIP_API_MINOR,
        .build = CHIP_BUILD,
        .max_asid = CHIP_ASIDS,
        .min_plain_asid = CHIP_FIRST_PLAIN_ASID,
        .peer_ark = options->peer_root ? peer_ark : NULL,
    };
    struct chip_session s = { .options = options, .memory = memory_create(seed) };
    struct chip_failure failure = { .text = "out of memory" };
    int code = 1;
    if (s.memory)
        s.chip = chip_open(&config, s.memory, &failure);
    if (s.chip)
        code = action->run(&s, files);
    else
        refusal_say_failure(&failure);
    chip_close(s.chip);
    memory_destroy(s.memory);
    return output_flush() ? code : 1;
}

static int guests(const struct chip_options *options, const char *const *words)
{
    return chip_guests(options->json);
}

static int decrypt(const struct chip_options *options, const char *const *words)
{
    return chip_decrypt(words);
}

#define POWERED(...) &(const struct action){ __VA_ARGS__ }
#define SERVED(function) &(const struct action){ .ask = function }

static const struct command commands[] = {
    { "status", "", "model, API version and build, state, owner", "state json", 0, 0,
      POWERED(command_status) },
    { "id", "", "the chip's unique identifier (GET_ID), 128 hexadecimal digits", "state json", 0, 0,
      POWERED(command_id) },
    { "export", "FILE", "the certificates PDH, PEK, OCA, CEK one after the other (PDH_CERT_EXPORT)",
      "state full json", 1, 1, POWERED(chip_export) },
    { "verify", "", "checks the chip's chain up to the emulated AMD's root", "state json", 0, 0,
      POWERED(chip_verify), "Exit status: 0 every link holds; 1 usage or host error, or the chip "
      "refused; 6 a link does not hold." },
    { "csr", "FILE", "the PEK without signatures, for 'privet owner sign-csr' (PEK_CSR)",
      "state json", 1, 1, POWERED(chip_csr) },
    { "import", "PEK OCA", "takes the signed PEK and its owner's certificate (PEK_CERT_IMPORT)",
      "state json", 2, 2, POWERED(chip_import, .changes = true),
      "The platform is externally owned from then on and has a new PDH." },
    { "reset", "", "forgets owner and keys: new OCA, PEK and PDH (PLATFORM_RESET)", "state json", 0,
      0, POWERED(command_reset, .changes = true) },
    { "pek-gen", "", "new OCA, PEK and PDH, self-owned (PEK_GEN)", "state json", 0, 0,
      POWERED(command_pek_gen, .changes = true) },
    { "pdh-gen", "", "new PDH (PDH_GEN)", "state json", 0, 0,
      POWERED(command_pdh_gen, .changes = true) },
    { "exec", "PROGRAM [ARGUMENT...]", "runs a program that meets this chip behind /dev/sev and KVM",
      "state peer-root", 1, COMMAND_PROGRAM, POWERED(chip_exec, .changes = true),
      "The program's guests are launched, measured and given secrets, but execute nothing.\n"
      "Exit status: the program's; 127 it was not found; 126 it cannot be run; 1 usage or host "
      "error." },
    { "guests", "", "below exec: the guests of the served chip", "json", 0, 0, SERVED(guests) },
    { "decrypt", "HANDLE ADDRESS FILE", "below exec: decrypts a guest's memory (DBG_DECRYPT)", "", 3,
      3, SERVED(decrypt),
      "FILE has ciphertext of at most a page, which the guest's program has at ADDRESS; the plaintext\n"
      "goes to stdout, if the guest's policy allows debugging." },
    { .name = NULL },
};

int verb_chip(int argc, char **argv)
{
    struct chip_options options = { .state = state_folder_default() };
    const struct option_row rows[] = {
        { "state", OPTION_TEXT, &options.state, "FOLDER",
          "the chip's identity and keys; default ~/.local/state/privet" },
        { "full", OPTION_FLAG, &options.full, NULL,
          "export: the CEK as signed by the emulated AMD, then ASK and ARK" },
        { "peer-root", OPTION_TEXT, &options.peer_root, "FILE",
          "exec: send guests with the policy sev to chips below the ARK in this file, too" },
        { "json", OPTION_FLAG, &options.json, NULL,
          "one JSON document on stdout; not of exec and decrypt" },
        { .name = NULL },
    };
    const struct option_verb verb = {
        .path = "chip",
        .usage = "privet chip COMMAND [options]",
        .summary = "The emulated Secure Processor, as a host administrator sees it.",
        .rows = rows,
        .footer = "Exit status: 0 done; 1 usage or host error, or the chip refused; 6 verification "
                  "failed.",
    };
    struct command_line line;
    enum option_result result = commands_parse(&verb, commands, argc, argv, &line);
    if (result != OPTIONS_RUN)
        return result == OPTIONS_HELP ? 0 : 1;
    const struct action *action = line.command->action;
    const char *const *words = line.words.items;
    if (action->ask)
        return action->ask(&options, words);
    if (line.command->maximum == COMMAND_PROGRAM)
        words = (const char *const *)(const void *)line.program;
    return power_on(action, &options, words);
}
