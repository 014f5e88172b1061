/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* `privet owner measure` and `privet owner verify`. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "cli/file.h"
#include "cli/options.h"
#include "cli/owner.h"
#include "machine/chip/chip.h"
#include "owner/measure.h"

#define FLASH_LIMIT (8u << 20)
#define BLOB_LIMIT  (1024u << 20)
#define REPORT_SIZE (OWNER_MEASURE_SIZE + OWNER_NONCE_SIZE)

/* The command line of either subcommand. */
struct measure_options {
    const char *firmware, *kernel, *initrd, *append, *tik, *tek, *nonce, *measurement;
    uint64_t policy, api_major, api_minor, build;
    unsigned hashes; /* of enum hashes */
    bool json;
};

/* Naming a kernel means that its hash is measured, as with every tool of the field. */
enum hashes { HASHES_AUTO, HASHES_ON, HASHES_OFF };

static bool hashes_wanted(const struct measure_options *o)
{
    return o->hashes == HASHES_ON || (o->hashes == HASHES_AUTO && o->kernel);
}

struct measure_inputs {
    struct file firmware, kernel, initrd, tik, tek, report;
};

static void inputs_free(struct measure_inputs *inputs)
{
    OPENSSL_cleanse(inputs->tik.data, inputs->tik.size);
    OPENSSL_cleanse(inputs->tek.data, inputs->tek.size);
    file_free(&inputs->firmware);
    file_free(&inputs->kernel);
    file_free(&inputs->initrd);
    file_free(&inputs->tik);
    file_free(&inputs->tek);
    file_free(&inputs->report);
}

static bool load_sized(const char *path, const char *what, size_t size, struct file *ret)
{
    if (!path)
        return true;
    if (!file_read_base64(path, what, size * 2, ret))
        return false;
    if (ret->size == size)
        return true;
    fprintf(stderr, "privet: %s: %zu bytes, %s has %zu\n", path, ret->size, what, size);
    return false;
}

/* Keys are raw bytes that may look like base64 text: never decoded. */
static bool load_key(const char *path, const char *what, struct file *ret)
{
    if (!path)
        return true;
    if (!file_read(path, what, OWNER_KEY_SIZE * 2, ret))
        return false;
    if (ret->size == OWNER_KEY_SIZE)
        return true;
    fprintf(stderr, "privet: %s: %zu bytes, %s has %u\n", path, ret->size, what, OWNER_KEY_SIZE);
    return false;
}

static bool inputs_load(const struct measure_options *o, struct measure_inputs *ret)
{
    memset(ret, 0, sizeof(*ret));
    if (!o->firmware) {
        fprintf(stderr, "privet: --firmware is needed: the flash image that the guest starts\n");
        return false;
    }
    if (hashes_wanted(o) && !o->kernel) {
        fprintf(stderr, "privet: --kernel-hashes on needs --kernel\n");
        return false;
    }
    if ((o->initrd || o->append) && !o->kernel) {
        fprintf(stderr, "privet: --initrd and --append need --kernel\n");
        return false;
    }
    return file_read(o->firmware, "firmware image", FLASH_LIMIT, &ret->firmware) &&
           (!o->kernel || file_read(o->kernel, "kernel", BLOB_LIMIT, &ret->kernel)) &&
           (!o->initrd || file_read(o->initrd, "initrd", BLOB_LIMIT, &ret->initrd)) &&
           load_key(o->tik, "a transport integrity key", &ret->tik) &&
           load_key(o->tek, "a transport encryption key", &ret->tek) &&
           load_sized(o->measurement, "a launch measurement", REPORT_SIZE, &ret->report);
}

static struct owner_guest make_guest(const struct measure_options *o,
                                     const struct measure_inputs *inputs)
{
    return (struct owner_guest){
        .firmware = { inputs->firmware.data, inputs->firmware.size },
        .kernel_hashes = hashes_wanted(o),
        .kernel = { inputs->kernel.data, inputs->kernel.size },
        .initrd = { inputs->initrd.data, inputs->initrd.size },
        .command_line = o->append,
        .policy = (uint32_t)o->policy,
        .api_major = (uint8_t)o->api_major,
        .api_minor = (uint8_t)o->api_minor,
        .build = (uint8_t)o->build,
    };
}

static void to_hex(const uint8_t *data, size_t size, char *text)
{
    for (size_t i = 0; i < size; i++)
        sprintf(text + 2 * i, "%02x", data[i]);
}

static bool parse_nonce(const char *text, uint8_t nonce[OWNER_NONCE_SIZE])
{
    unsigned byte;
    int used;
    if (strlen(text) != 2 * OWNER_NONCE_SIZE)
        return false;
    for (unsigned i = 0; i < OWNER_NONCE_SIZE; i++) {
        if (sscanf(text + 2 * i, "%2x%n", &byte, &used) != 1 || used != 2)
            return false;
        nonce[i] = (uint8_t)byte;
    }
    return true;
}

/* The digest alone, or with --tik and --nonce the measurement. */
static int print_measure(const struct measure_options *o, const struct measure_inputs *inputs)
{
    const struct owner_guest guest = make_guest(o, inputs);
    uint8_t digest[OWNER_DIGEST_SIZE], nonce[OWNER_NONCE_SIZE], measure[OWNER_MEASURE_SIZE];
    char digest_text[2 * OWNER_DIGEST_SIZE + 1], measure_text[2 * OWNER_MEASURE_SIZE + 1];
    if (!inputs->tik.data != !o->nonce) {
        fprintf(stderr, "privet: --tik and --nonce go together; give both or none\n");
        return 1;
    }
    if (o->nonce && !parse_nonce(o->nonce, nonce)) {
        fprintf(stderr, "privet: --nonce: must be 32 hexadecimal digits\n");
        return 1;
    }
    owner_launch_digest(&guest, digest);
    to_hex(digest, sizeof(digest), digest_text);
    if (o->nonce) {
        owner_measurement(&guest, digest, inputs->tik.data, nonce, measure);
        to_hex(measure, sizeof(measure), measure_text);
    }
    if (!o->json)
        printf("%s\n", o->nonce ? measure_text : digest_text);
    else if (o->nonce)
        printf("{\"launch-digest\":\"%s\",\"measurement\":\"%s\"}\n", digest_text, measure_text);
    else
        printf("{\"launch-digest\":\"%s\"}\n", digest_text);
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}

/* Would these values, over a launch digest that is known already, give the report? */
static bool matches(const struct owner_guest *guest, const uint8_t digest[OWNER_DIGEST_SIZE],
                    const uint8_t *tik, const struct file *report)
{
    uint8_t measure[OWNER_MEASURE_SIZE];
    owner_measurement(guest, digest, tik, report->data + OWNER_MEASURE_SIZE, measure);
    return CRYPTO_memcmp(measure, report->data, sizeof(measure)) == 0;
}

/* Another digest: what was measured differs. NULL: none of these. */
static const char *find_content(const struct owner_guest *guest, const uint8_t *tik,
                                const struct file *report)
{
    struct owner_guest other = *guest;
    other.kernel_hashes = !guest->kernel_hashes;
    if (owner_verify(&other, tik, report->data))
        return guest->kernel_hashes ? "the guest was launched without kernel hashes"
                                    : "the guest was launched with kernel hashes";
    other = *guest;
    other.command_line = NULL;
    if (guest->kernel_hashes && owner_verify(&other, tik, report->data))
        return "the guest was launched with an empty command line";
    return NULL;
}

/* Another policy or platform firmware; the digest stays. NULL: none of these. */
static const char *find_platform(const struct owner_guest *guest, const uint8_t *digest,
                                 const uint8_t *tik, const struct file *report)
{
    struct owner_guest other = *guest;
    for (uint32_t bits = 0; bits < 64; bits++) {
        other.policy = (guest->policy & ~63u) | bits;
        if (matches(&other, digest, tik, report))
            return "the guest was launched under another policy";
    }
    other = *guest;
    for (unsigned build = 0; build < 256; build++) {
        other.build = (uint8_t)build;
        if (matches(&other, digest, tik, report))
            return "the platform runs another build of its firmware";
    }
    other = *guest;
    for (unsigned version = 0; version < 512; version++) {
        other.api_major = (uint8_t)(version >> 8);
        other.api_minor = (uint8_t)version;
        if (matches(&other, digest, tik, report))
            return "the platform's firmware has another API version";
    }
    return NULL;
}

/* What users get wrong most, tried one at a time: each changes one input of the measurement. */
static const char *find_reason(const struct owner_guest *guest, const struct measure_inputs *inputs)
{
    static const uint8_t no_session[OWNER_KEY_SIZE];
    const uint8_t *tik = inputs->tik.data ? inputs->tik.data : no_session;
    uint8_t digest[OWNER_DIGEST_SIZE];
    owner_launch_digest(guest, digest);
    if (inputs->tek.data && matches(guest, digest, inputs->tek.data, &inputs->report))
        return "--tik and --tek are swapped";
    if (inputs->tik.data && matches(guest, digest, no_session, &inputs->report))
        return "the guest was launched without the owner's session";
    const char *reason = find_platform(guest, digest, tik, &inputs->report);
    if (!reason)
        reason = find_content(guest, tik, &inputs->report);
    return reason ? reason
                  : "firmware, kernel, initrd or command line differ, or the keys are from another "
                    "session";
}

static int print_verdict(const struct measure_options *o, const struct measure_inputs *inputs)
{
    static const uint8_t no_session[OWNER_KEY_SIZE];
    const struct owner_guest guest = make_guest(o, inputs);
    if (!inputs->report.data) {
        fprintf(stderr, "privet: --measurement is needed: what the launch reported\n");
        return 1;
    }
    const uint8_t *tik = inputs->tik.data ? inputs->tik.data : no_session;
    bool right = owner_verify(&guest, tik, inputs->report.data);
    if (o->json)
        printf("{\"verified\":%s}\n", right ? "true" : "false");
    else if (right)
        printf("the measurement is the expected one\n");
    if (right)
        return fflush(stdout) == 0 ? 0 : 1;
    fprintf(stderr, "privet: %s: not the expected measurement: %s\n", o->measurement,
            find_reason(&guest, inputs));
    return EXIT_VERIFICATION_FAILED;
}

static const char footer[] =
    "API version and build are the platform's (`privet run` and query-sev report them).\n"
    "Example:\n"
    "  privet owner verify --firmware privet.fd --measurement launch.b64 --tik vm_tik.bin";

static int run(int argc, char **argv, bool verify)
{
    static const char *const hash_modes[] = { "auto", "on", "off", NULL };
    struct measure_options o = { .policy = 1,
                                 .api_major = CHIP_API_MAJOR,
                                 .api_minor = CHIP_API_MINOR,
                                 .build = CHIP_BUILD };
    const struct option_row end_row = { .name = NULL };
    const struct option_row report_row = { "measurement", OPTION_TEXT, &o.measurement, "FILE",
                                           "as reported: 48 bytes, raw or base64" };
    const struct option_row tek_row = { "tek", OPTION_TEXT, &o.tek, "FILE",
                                        "transport encryption key, to find a swap" };
    const struct option_row nonce_row = { "nonce", OPTION_TEXT, &o.nonce, "HEX",
                                          "the launch's nonce: prints the measurement" };
    const struct option_row rows[] = {
        { "firmware", OPTION_TEXT, &o.firmware, "FILE", "flash image" },
        { "policy", OPTION_POLICY, &o.policy, "POLICY",
          "guest policy, a number or words such as nodbg,noks; default nodbg" },
        { "api-major", OPTION_NUMBER, &o.api_major, "N",
          "of the platform; default 0", 0, 255, NULL },
        { "api-minor", OPTION_NUMBER, &o.api_minor, "N",
          "of the platform; default 24", 0, 255, NULL },
        { "build-id", OPTION_NUMBER, &o.build, "N", "of the platform; default 15", 0, 255, NULL },
        { "kernel-hashes", OPTION_CHOICE, &o.hashes, "auto|on|off",
          "hashes of the next three are measured; auto: if --kernel is given", 0, 0, hash_modes },
        { "kernel", OPTION_TEXT, &o.kernel, "FILE", "kernel" },
        { "initrd", OPTION_TEXT, &o.initrd, "FILE", "initial ram disk" },
        { "append", OPTION_TEXT, &o.append, "TEXT", "kernel command line" },
        { "tik", OPTION_TEXT, &o.tik, "FILE", "transport integrity key, 16 raw bytes" },
        { "json", OPTION_FLAG, &o.json, NULL, "one JSON document on stdout" },
        verify ? report_row : nonce_row,
        verify ? tek_row : end_row,
        end_row,
    };
    const struct option_verb verb = {
        .usage = verify ? "privet owner verify [options]" : "privet owner measure [options]",
        .summary = verify ? "Compares a reported launch measurement with the expected one. Exit "
                            "status 6: they differ."
                          : "Prints the launch digest of a guest, or with --tik and --nonce its "
                            "measurement, in hexadecimal.",
        .rows = rows,
        .footer = footer,
    };
    struct measure_inputs inputs;
    enum option_result result = options_parse(&verb, argc, argv, NULL);
    if (result != OPTIONS_RUN)
        return result == OPTIONS_HELP ? 0 : 1;
    int code = 1;
    if (inputs_load(&o, &inputs))
        code = verify ? print_verdict(&o, &inputs) : print_measure(&o, &inputs);
    inputs_free(&inputs);
    return code;
}

int owner_measure_command(int argc, char **argv)
{
    return run(argc, argv, false);
}

int owner_verify_command(int argc, char **argv)
{
    return run(argc, argv, true);
}
