/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The usual mistakes as three lists: contents, platforms, keys; and the search through them. */
#include "owner/mismatch.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "owner/launch.h"
#include "owner/processors.h"
#include "owner/setup_header.h"
#include "sev/bytes.h"
#include "sev/session.h"

#define PHRASE_SIZE      160u
#define CONTENTS_MAX     (OWNER_PROCESSORS + 64u) /* all guesses, with room */
#define POLICY_FLAGS     64u
#define API_VERSIONS     512u /* major 0 and 1 */
#define BUILDS           256u
#define LOW_MEMORY_STEP  (256u << 20)
#define LOW_MEMORY_STEPS 14u /* to 3.5 GiB, the most that a PC machine has below 4 GiB */

static const uint8_t no_session[OWNER_KEY_SIZE];

/* One guess of what was measured. `phrase` is empty for the owner's own view. */
struct content {
    uint8_t digest[OWNER_DIGEST_SIZE];
    char phrase[PHRASE_SIZE];
};

struct search {
    const struct owner_claim *claim;
    struct sev_kernel_hashes hashes; /* of the owner's kernel, initrd, command line */
    struct content *contents;
    unsigned count;
};

static bool sha256_two(const void *first, size_t first_size, const void *second,
                       size_t second_size, uint8_t digest[32])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool done = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
                EVP_DigestUpdate(context, first, first_size) == 1 &&
                EVP_DigestUpdate(context, second, second_size) == 1 &&
                EVP_DigestFinal_ex(context, digest, NULL) == 1;
    EVP_MD_CTX_free(context);
    return done;
}

static void add(struct search *search, const struct owner_guest *guest,
                const struct sev_kernel_hashes *hashes, const char *phrase)
{
    if (search->count == CONTENTS_MAX)
        return;
    struct content *content = &search->contents[search->count++];
    owner_launch_digest_of(guest, hashes, content->digest);
    snprintf(content->phrase, sizeof(content->phrase), "%s", phrase);
}

/* ---- what was measured */

static void add_hashes(struct search *search, const struct sev_kernel_hashes *hashes,
                       const char *phrase)
{
    struct owner_guest guest = *search->claim->guest;
    guest.kernel_hashes = true;
    add(search, &guest, hashes, phrase);
}

static void add_command_line(struct search *search, const char *text, size_t length,
                             const char *ending, const char *phrase)
{
    struct sev_kernel_hashes hashes = search->hashes;
    if (sha256_two(text, length, ending, strlen(ending) + 1, hashes.cmdline))
        add_hashes(search, &hashes, phrase);
}

static void add_command_lines(struct search *search)
{
    const char *text = search->claim->guest->command_line;
    if (!text)
        text = "";
    size_t length = strlen(text), start = strspn(text, " \t\r\n"), end = length;
    add_command_line(search, text, length, "\n",
                     "the command line that was measured ends in a newline more");
    add_command_line(search, text, length, " ",
                     "the command line that was measured ends in a space more");
    if (length && text[length - 1] == '\n')
        add_command_line(search, text, length - 1, "",
                         "the command line that was measured has no newline at its end");
    while (end > start && strchr(" \t\r\n", text[end - 1]))
        end--;
    if (start || end < length)
        add_command_line(search, text + start, end - start, "",
                         "the command line that was measured has no white space around it");
    if (length)
        add_command_line(search, "", 0, "", "an empty command line was measured");
}

/* The initrd's address in the patched header depends on the guest's memory: usual sizes are tried. */
static void add_patched_kernels(struct search *search)
{
    const struct owner_blob *kernel = &search->claim->guest->kernel;
    const struct owner_blob *initrd = &search->claim->guest->initrd;
    unsigned steps = initrd->data ? LOW_MEMORY_STEPS : 1;
    if (kernel->size < SETUP_HEADER_SIZE || initrd->size > UINT32_MAX)
        return;
    for (unsigned step = 1; step <= steps; step++) {
        uint8_t header[SETUP_HEADER_SIZE];
        struct sev_kernel_hashes hashes = search->hashes;
        memcpy(header, kernel->data, sizeof(header));
        if (setup_header_patch(header, (uint64_t)step * LOW_MEMORY_STEP,
                               (uint32_t)initrd->size) &&
            sha256_two(header, sizeof(header), kernel->data + sizeof(header),
                       kernel->size - sizeof(header), hashes.kernel))
            add_hashes(search, &hashes,
                       "the kernel was hashed after QEMU had written boot parameters into its "
                       "setup header");
    }
}

static void add_kernel_mistakes(struct search *search)
{
    struct owner_guest guest = *search->claim->guest;
    if (guest.kernel_hashes) {
        guest.kernel_hashes = false;
        add(search, &guest, &search->hashes, "the guest was launched without kernel hashes");
    } else if (guest.kernel.data) {
        add_hashes(search, &search->hashes, "the guest was launched with kernel hashes");
    }
    if (!guest.kernel.data)
        return;
    add_command_lines(search);
    if (guest.initrd.data) {
        struct sev_kernel_hashes hashes = search->hashes;
        if (sha256_two(NULL, 0, NULL, 0, hashes.initrd))
            add_hashes(search, &hashes, "no initrd was measured");
    }
    add_patched_kernels(search);
}

static void add_firmware(struct search *search, struct owner_blob firmware, const char *phrase)
{
    struct owner_guest guest = *search->claim->guest;
    guest.firmware = firmware;
    add(search, &guest, &search->hashes, phrase);
}

/* Length of the variable store that an image begins with (PI 1.7 volume 3, 3.2.1); 0: none. */
static size_t variables_length(const struct owner_blob *image)
{
    static const uint8_t store_guid[16] = { 0x8d, 0x2b, 0xf1, 0xff, 0x96, 0x76, 0x8b, 0x4c,
                                            0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50 };
    enum { AT_GUID = 16, AT_LENGTH = 32, AT_SIGNATURE = 40, HEADER_SIZE = 56 };
    if (image->size < HEADER_SIZE || memcmp(image->data + AT_GUID, store_guid, 16) != 0 ||
        memcmp(image->data + AT_SIGNATURE, "_FVH", 4) != 0 ||
        load_le32(image->data + AT_LENGTH + 4) != 0)
        return 0;
    size_t length = load_le32(image->data + AT_LENGTH);
    return length < image->size ? length : 0;
}

static void add_joined(struct search *search, struct owner_blob first, struct owner_blob second,
                       const char *phrase)
{
    size_t size = first.size + second.size;
    if (!first.size || !second.size)
        return; /* one image alone, which is a guess of its own */
    uint8_t *joined = malloc(size);
    if (!joined)
        return;
    memcpy(joined, first.data, first.size);
    memcpy(joined + first.size, second.data, second.size);
    add_firmware(search, (struct owner_blob){ joined, size }, phrase);
    free(joined);
}

static void add_firmware_mistakes(struct search *search)
{
    const struct owner_blob firmware = search->claim->guest->firmware;
    const struct owner_blob variables = search->claim->variables;
    size_t length = variables_length(&firmware);
    if (length) {
        struct owner_blob store = { firmware.data, length };
        struct owner_blob code = { firmware.data + length, firmware.size - length };
        add_firmware(search, code,
                     "the code image alone was measured, but the firmware file is variable store "
                     "and code joined");
        add_firmware(search, store,
                     "the variable store was measured in place of the code: the images were "
                     "swapped at launch");
    }
    if (!variables.data)
        return;
    add_firmware(search, variables,
                 "the image of the variables was measured in place of the firmware: the two are "
                 "swapped");
    add_joined(search, variables, firmware, "variables and code were measured joined in one image");
    add_joined(search, firmware, variables,
               "code and variables were measured joined in one image, the code first");
}

static void add_processor_mistakes(struct search *search)
{
    char phrase[PHRASE_SIZE];
    struct owner_guest guest = *search->claim->guest;
    const unsigned expected = guest.processors;
    const unsigned most = guest.vmsa_others ? OWNER_PROCESSORS : 1;
    for (unsigned count = 0; expected && count <= most; count++) {
        snprintf(phrase, sizeof(phrase), "the guest has %u processor%s, not %u", count,
                 count == 1 ? "" : "s", expected);
        guest.processors = count;
        if (count != expected)
            add(search, &guest, &search->hashes,
                count ? phrase : "no processor's page was measured: the guest is not SEV-ES");
    }
}

/* Pages as another host would have built them; `search` keeps the digest only. */
static void add_built(struct search *search, const struct sev_vmsa_config *config,
                      const char *phrase)
{
    uint8_t first[OWNER_VMSA_SIZE], others[OWNER_VMSA_SIZE];
    struct owner_guest guest = *search->claim->guest;
    sev_vmsa_build(config, SEV_VMSA_RESET, first);
    sev_vmsa_build(config, guest.reset, others);
    guest.vmsa_first = first;
    guest.vmsa_others = guest.vmsa_others ? others : NULL;
    add(search, &guest, &search->hashes, phrase);
}

static void add_model_mistakes(struct search *search)
{
    const struct sev_vmsa_config *built = search->claim->guest->built;
    char phrase[PHRASE_SIZE];
    const char *name;
    struct sev_vmsa_config config;
    if (!built)
        return;
    for (unsigned i = 0; (name = sev_cpu_model_name(i)) != NULL; i++) {
        config = *built;
        if (!sev_cpu_model_signature(name, &config.signature))
            continue;
        if (config.signature == built->signature)
            continue;
        snprintf(phrase, sizeof(phrase), "the processors are of model %s", name);
        add_built(search, &config, phrase);
        config.fpu = !built->fpu;
        snprintf(phrase, sizeof(phrase), "the processors are of model %s, and the host's kind is "
                 "--fpu-state %s", name, config.fpu ? "on" : "off");
        add_built(search, &config, phrase);
    }
    config = *built;
    config.fpu = !built->fpu;
    add_built(search, &config,
              config.fpu ? "the host puts MXCSR and the x87 control word into the processors' "
                           "pages: --fpu-state on"
                         : "the host leaves MXCSR and the x87 control word out of the processors' "
                           "pages: --fpu-state off");
    config = *built;
    config.features = built->features ? 0 : 0x20; /* debug swap: KVM's default in Linux 6.10 */
    add_built(search, &config,
              config.features ? "the host sets debug swap in the processors' pages: "
                                "--guest-features 0x20"
                              : "the host sets no features in the processors' pages");
}

/* ---- platform and policy */

struct platform {
    uint32_t policy;
    uint8_t api_major, api_minor, build;
};

static struct platform platform_of(const struct owner_guest *guest)
{
    return (struct platform){ guest->policy, guest->api_major, guest->api_minor, guest->build };
}

static bool fits(const struct owner_claim *claim, const struct content *content,
                 const struct platform *platform, EVP_MAC_CTX *key)
{
    uint8_t measure[OWNER_MEASURE_SIZE];
    struct owner_guest guest = *claim->guest;
    guest.policy = platform->policy;
    guest.api_major = platform->api_major;
    guest.api_minor = platform->api_minor;
    guest.build = platform->build;
    measurement_with(key, &guest, content->digest, claim->reported + OWNER_MEASURE_SIZE, measure);
    return CRYPTO_memcmp(measure, claim->reported, sizeof(measure)) == 0;
}

static void set_api(struct platform *platform, unsigned version)
{
    platform->api_major = (uint8_t)(version >> 8);
    platform->api_minor = (uint8_t)version;
}

static void set_policy(struct platform *platform, uint32_t expected, unsigned choice)
{
    /* With the minimum API version that is expected, or with none. */
    platform->policy = (choice < POLICY_FLAGS ? expected & ~(POLICY_FLAGS - 1) : 0) |
                       choice % POLICY_FLAGS;
}

static bool find_expected(const struct owner_claim *claim, const struct content *content,
                          EVP_MAC_CTX *key, struct platform *ret)
{
    *ret = platform_of(claim->guest);
    return fits(claim, content, ret, key);
}

/* Policy, API version and build: none of them or one is another. */
static bool find_platform(const struct owner_claim *claim, const struct content *content,
                          EVP_MAC_CTX *key, struct platform *ret)
{
    const struct platform expected = platform_of(claim->guest);
    *ret = expected;
    if (fits(claim, content, ret, key))
        return true;
    for (unsigned choice = 0; choice < 2 * POLICY_FLAGS; choice++) {
        set_policy(ret, expected.policy, choice);
        if (fits(claim, content, ret, key))
            return true;
    }
    *ret = expected;
    for (unsigned build = 0; build < BUILDS; build++) {
        ret->build = (uint8_t)build;
        if (fits(claim, content, ret, key))
            return true;
    }
    *ret = expected;
    for (unsigned version = 0; version < API_VERSIONS; version++) {
        set_api(ret, version);
        if (fits(claim, content, ret, key))
            return true;
    }
    return false;
}

/* Two of them: another platform than the owner thinks, or a policy taken for another build. */
static bool find_two(const struct owner_claim *claim, const struct content *content,
                     EVP_MAC_CTX *key, struct platform *ret)
{
    const struct platform expected = platform_of(claim->guest);
    *ret = expected;
    for (unsigned build = 0; build < BUILDS; build++) {
        ret->build = (uint8_t)build;
        for (unsigned version = 0; version < API_VERSIONS; version++) {
            set_api(ret, version);
            if (fits(claim, content, ret, key))
                return true;
        }
        ret->api_major = expected.api_major;
        ret->api_minor = expected.api_minor;
        for (unsigned choice = 0; choice < 2 * POLICY_FLAGS; choice++) {
            set_policy(ret, expected.policy, choice);
            if (fits(claim, content, ret, key))
                return true;
        }
        ret->policy = expected.policy;
    }
    return false;
}

/* ---- the sentence */

static void say(char reason[OWNER_REASON_SIZE], const char *phrase)
{
    size_t used = strlen(reason);
    if (phrase[0])
        snprintf(reason + used, OWNER_REASON_SIZE - used, "%s%s", used ? "; " : "", phrase);
}

static void say_platform(char reason[OWNER_REASON_SIZE], const struct platform *expected,
                         const struct platform *found)
{
    char phrase[PHRASE_SIZE], names[64];
    if (found->policy != expected->policy) {
        sev_policy_names(found->policy, names, sizeof(names));
        snprintf(phrase, sizeof(phrase), "the guest's policy is 0x%x (%s), not 0x%x",
                 found->policy, names, expected->policy);
        say(reason, phrase);
    }
    if (!sev_api_binds_version(found->api_major, found->api_minor)) {
        if (sev_api_binds_version(expected->api_major, expected->api_minor))
            say(reason, "the platform's API version is older than 0.17");
        return; /* no version is in such a measurement */
    }
    if (found->api_major != expected->api_major || found->api_minor != expected->api_minor) {
        snprintf(phrase, sizeof(phrase), "the platform's API version is %u.%u, not %u.%u",
                 found->api_major, found->api_minor, expected->api_major, expected->api_minor);
        say(reason, phrase);
    }
    if (found->build != expected->build) {
        snprintf(phrase, sizeof(phrase), "the platform's build id is %u, not %u", found->build,
                 expected->build);
        say(reason, phrase);
    }
}

/* ---- the search */

typedef bool platform_finder(const struct owner_claim *claim, const struct content *content,
                             EVP_MAC_CTX *key, struct platform *ret);

static bool find_with(const struct search *search, platform_finder *finder,
                      char reason[OWNER_REASON_SIZE])
{
    const struct owner_claim *claim = search->claim;
    const struct platform expected = platform_of(claim->guest);
    struct platform platform;
    const struct {
        const uint8_t *key;
        const char *phrase;
    } keys[] = {
        { claim->tik ? claim->tik : no_session, "" },
        { claim->tek, "TIK and TEK are swapped" },
        { claim->tik ? no_session : NULL, "the guest was launched without the owner's session" },
    };
    bool found = false;
    for (size_t k = 0; !found && k < sizeof(keys) / sizeof(keys[0]); k++) {
        EVP_MAC_CTX *key = keys[k].key ? measurement_key(keys[k].key) : NULL;
        for (unsigned c = 0; !found && key && c < search->count; c++) {
            const struct content *content = &search->contents[c];
            found = finder(claim, content, key, &platform);
            if (!found)
                continue;
            say(reason, keys[k].phrase);
            say(reason, content->phrase);
            say_platform(reason, &expected, &platform);
        }
        EVP_MAC_CTX_free(key);
    }
    return found;
}

static bool find_two_values(const struct search *search, char reason[OWNER_REASON_SIZE])
{
    const struct owner_claim *claim = search->claim;
    const struct platform expected = platform_of(claim->guest);
    struct platform platform;
    EVP_MAC_CTX *key = measurement_key(claim->tik ? claim->tik : no_session);
    bool found = find_two(claim, &search->contents[0], key, &platform);
    EVP_MAC_CTX_free(key);
    if (found)
        say_platform(reason, &expected, &platform);
    return found;
}

/* What takes the least time comes first. */
static bool find(const struct search *search, char reason[OWNER_REASON_SIZE])
{
    return find_with(search, find_expected, reason) ||
           processors_find(search->claim, &search->hashes, reason, OWNER_REASON_SIZE) ||
           find_with(search, find_platform, reason) || find_two_values(search, reason);
}

bool owner_mismatch_find(const struct owner_claim *claim, char reason[OWNER_REASON_SIZE])
{
    struct search search = { .claim = claim };
    search.contents = calloc(CONTENTS_MAX, sizeof(search.contents[0]));
    reason[0] = '\0';
    if (!search.contents)
        return false;
    if (claim->guest->kernel.data || claim->guest->kernel_hashes)
        owner_kernel_hashes(claim->guest, &search.hashes);
    add(&search, claim->guest, &search.hashes, "");
    add_firmware_mistakes(&search);
    add_kernel_mistakes(&search);
    add_processor_mistakes(&search);
    add_model_mistakes(&search);
    bool found = find(&search, reason);
    free(search.contents);
    return found;
}
