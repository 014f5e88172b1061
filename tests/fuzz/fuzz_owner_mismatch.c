/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The search for the owner's mistake, with any kernel, initrd, command line and images. One mistake
 * is made for real, which the search must find; that ends it early, and each mistake is of a kind
 * that it comes to soon: the whole search takes too long here. few_processors.h bounds it further.
 *
 * Input: struct form, then command line, kernel, initrd, variables, and the firmware: the rest.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "owner/mismatch.h"
#include "owner/setup_header.h"
#include "sev/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum part {
    COMMAND_LINE,
    KERNEL,
    INITRD,
    VARIABLES,
    FIRMWARE,
    PARTS,
};

enum {
    HAS_HASHES = 1u << PARTS, /* below: has this part */
    HAS_FPU = HAS_HASHES << 1,
    HAS_BUILT = HAS_HASHES << 2,
};

struct form {
    uint8_t mistake, detail, flags, processors;
    uint8_t policy[4], signature[4], sizes[PARTS - 1][2];
    uint8_t api_major, api_minor, build;
};

/* The owner's view and the launch, each with its pages. */
struct view {
    struct owner_guest guest;
    struct sev_vmsa_config config;
    uint8_t first[OWNER_VMSA_SIZE], others[OWNER_VMSA_SIZE];
};

struct scene {
    struct view expected, launched;
    struct owner_blob variables;
    const uint8_t *launch_key;
    uint8_t *made; /* a blob of the launched guest, if it is not one of the owner's */
};

typedef void mistake(struct scene *scene, unsigned detail);

static const uint8_t tik[OWNER_KEY_SIZE] = "transport integ", tek[OWNER_KEY_SIZE] = "transport encry";
static const uint8_t no_session[OWNER_KEY_SIZE];

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

/* Bytes of their own, so that what is read past their end is found; `room` more are zero. */
static uint8_t *copy(const uint8_t *data, size_t size, size_t room)
{
    uint8_t *bytes = calloc(1, size + room + (size + room == 0));
    require(bytes != NULL, "memory");
    if (size)
        memcpy(bytes, data, size);
    return bytes;
}

static void build_pages(struct view *view)
{
    sev_vmsa_build(&view->config, SEV_VMSA_RESET, view->first);
    sev_vmsa_build(&view->config, view->guest.reset, view->others);
    view->guest.vmsa_first = view->first;
    view->guest.vmsa_others = view->others;
}

/* ---- mistakes in what is measured */

static void none(struct scene *scene, unsigned detail)
{
}

static void hashes_flipped(struct scene *scene, unsigned detail)
{
    if (scene->expected.guest.kernel.data)
        scene->launched.guest.kernel_hashes ^= true;
}

static void set_command_line(struct scene *scene, const char *text, size_t length,
                             const char *ending)
{
    scene->made = copy((const uint8_t *)text, length, strlen(ending) + 1);
    memcpy(scene->made + length, ending, strlen(ending));
    scene->launched.guest.command_line = (const char *)scene->made;
}

static void command_line_changed(struct scene *scene, unsigned detail)
{
    static const char blanks[] = " \t\r\n";
    const char *text = scene->expected.guest.command_line ? scene->expected.guest.command_line : "";
    size_t length = strlen(text), start = strspn(text, blanks);
    if (detail == 0) {
        set_command_line(scene, text, length, "\n");
    } else if (detail == 1) {
        set_command_line(scene, text, length, " ");
    } else if (detail == 2 && length && text[length - 1] == '\n') {
        set_command_line(scene, text, length - 1, "");
    } else if (detail == 3) {
        while (length > start && strchr(blanks, text[length - 1]))
            length--;
        set_command_line(scene, text + start, length - start, "");
    } else if (detail == 4) {
        set_command_line(scene, "", 0, "");
    }
}

static void no_initrd(struct scene *scene, unsigned detail)
{
    scene->launched.guest.initrd = (struct owner_blob){ NULL, 0 };
}

static void kernel_patched(struct scene *scene, unsigned detail)
{
    const struct owner_guest *expected = &scene->expected.guest;
    const uint64_t low_memory = (detail % 14 + 1) * ((uint64_t)256 << 20);
    if (expected->kernel.size < SETUP_HEADER_SIZE)
        return;
    scene->made = copy(expected->kernel.data, expected->kernel.size, 0);
    if (setup_header_patch(scene->made, low_memory, (uint32_t)expected->initrd.size))
        scene->launched.guest.kernel.data = scene->made;
}

static void set_joined(struct scene *scene, struct owner_blob first, struct owner_blob second)
{
    scene->made = copy(first.data, first.size, second.size);
    if (second.size)
        memcpy(scene->made + first.size, second.data, second.size);
    scene->launched.guest.firmware = (struct owner_blob){ scene->made, first.size + second.size };
}

static void variables_measured(struct scene *scene, unsigned detail)
{
    const struct owner_blob firmware = scene->expected.guest.firmware;
    if (!scene->variables.data)
        return;
    if (detail == 0)
        scene->launched.guest.firmware = scene->variables;
    else if (detail == 1)
        set_joined(scene, scene->variables, firmware);
    else
        set_joined(scene, firmware, scene->variables);
}

/* A firmware image that begins with a variable store, by the header alone. */
static void store_cut(struct scene *scene, unsigned detail)
{
    static const uint8_t guid[16] = { 0x8d, 0x2b, 0xf1, 0xff, 0x96, 0x76, 0x8b, 0x4c,
                                      0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50 };
    const struct owner_blob whole = scene->expected.guest.firmware;
    if (whole.size < 56 || memcmp(whole.data + 16, guid, 16) != 0 ||
        memcmp(whole.data + 40, "_FVH", 4) != 0)
        return;
    uint64_t length = load_le32(whole.data + 32) | (uint64_t)load_le32(whole.data + 36) << 32;
    if (length == 0 || length >= whole.size)
        return;
    scene->launched.guest.firmware = detail & 1 ? (struct owner_blob){ whole.data, length }
                                                : (struct owner_blob){ whole.data + length,
                                                                       whole.size - length };
}

static void processors_counted(struct scene *scene, unsigned detail)
{
    if (scene->expected.guest.processors)
        scene->launched.guest.processors = detail % (OWNER_PROCESSORS + 1);
}

static void pages_built(struct scene *scene, unsigned detail)
{
    struct sev_vmsa_config *config = &scene->launched.config;
    const struct sev_cpu_numbers numbers = sev_cpu_numbers(config->signature);
    const char *name = sev_cpu_model_name(detail >> 2 & 7);
    if (!scene->expected.guest.built)
        return;
    if ((detail & 3) == 0)
        config->fpu ^= true;
    else if ((detail & 3) == 1)
        config->features = 0x20;
    else if ((detail & 3) == 2 && name)
        require(sev_cpu_model_signature(name, &config->signature), "a model's name");
    else /* another one of its generation, which the search tries first */
        config->signature = sev_cpu_signature(numbers.family, numbers.model / 16 * 16 + (detail & 15),
                                              detail >> 4);
    build_pages(&scene->launched);
}

/* ---- mistakes in the platform's values and the keys */

/* Guests' processors are guessed before the platform: not those of a guest whose pages are given. */
static void give_pages(struct scene *scene)
{
    scene->expected.guest.built = NULL;
}

static void policy_changed(struct scene *scene, unsigned detail)
{
    give_pages(scene);
    scene->launched.guest.policy = detail & 64 ? detail & 63
                                               : (scene->expected.guest.policy & ~63u) |
                                                     (detail & 63);
}

static void build_changed(struct scene *scene, unsigned detail)
{
    give_pages(scene);
    scene->launched.guest.build = (uint8_t)detail;
}

static void api_changed(struct scene *scene, unsigned detail)
{
    give_pages(scene);
    scene->launched.guest.api_major = detail & 1;
    scene->launched.guest.api_minor = (uint8_t)(detail >> 1);
}

/* Of a guest about which there is little to guess. */
static void two_changed(struct scene *scene, unsigned detail)
{
    struct owner_guest *guests[] = { &scene->expected.guest, &scene->launched.guest };
    for (size_t i = 0; i < 2; i++) {
        guests[i]->kernel_hashes = false;
        guests[i]->kernel.data = NULL;
        guests[i]->processors = 0;
    }
    scene->variables.data = NULL;
    api_changed(scene, detail);
    scene->launched.guest.build = detail & 3;
}

static void key_changed(struct scene *scene, unsigned detail)
{
    scene->launch_key = detail & 1 ? tek : no_session;
}

static mistake *const mistakes[] = {
    none,           hashes_flipped,     command_line_changed, no_initrd,      kernel_patched,
    store_cut,      variables_measured, processors_counted,   pages_built,    policy_changed,
    build_changed,  api_changed,        two_changed,          key_changed,
};

/* ---- the scene */

static void judge(const struct scene *scene)
{
    static const uint8_t nonce[OWNER_NONCE_SIZE] = "nonce";
    uint8_t reported[OWNER_MEASURE_SIZE + OWNER_NONCE_SIZE], digest[OWNER_DIGEST_SIZE];
    char reason[OWNER_REASON_SIZE];
    const struct owner_claim claim = { &scene->expected.guest, scene->variables, tik, tek, reported };
    memcpy(reported + OWNER_MEASURE_SIZE, nonce, sizeof(nonce));
    owner_launch_digest(&scene->launched.guest, digest);
    owner_measurement(&scene->launched.guest, digest, scene->launch_key, nonce, reported);
    bool is_same = owner_verify(claim.guest, tik, reported);
    require(owner_mismatch_find(&claim, reason), "a mistake is not found");
    require(is_same == (reason[0] == '\0'), "a reason if there is a mistake");
    require(memchr(reason, '\0', sizeof(reason)) != NULL, "the reason's end");
    for (const char *c = reason; *c; c++)
        require(*c >= ' ' && *c <= '~' && *c != '"', "the reason's characters");
}

static void set_guest(struct scene *scene, const struct form *form, struct owner_blob parts[PARTS])
{
    struct owner_guest *guest = &scene->expected.guest;
    guest->firmware = parts[FIRMWARE];
    guest->kernel = parts[KERNEL];
    guest->initrd = parts[INITRD];
    guest->command_line = (const char *)parts[COMMAND_LINE].data;
    guest->kernel_hashes = parts[KERNEL].data && (form->flags & HAS_HASHES);
    guest->processors = form->processors % (OWNER_PROCESSORS + 1);
    guest->policy = load_le32(form->policy);
    guest->api_major = form->api_major;
    guest->api_minor = form->api_minor;
    guest->build = form->build;
    scene->variables = parts[VARIABLES];
    scene->launch_key = tik;
    scene->expected.config.signature = load_le32(form->signature);
    scene->expected.config.fpu = form->flags & HAS_FPU;
    build_pages(&scene->expected);
    scene->launched = scene->expected;
    if (form->flags & HAS_BUILT)
        guest->built = &scene->expected.config;
}

/* Data that is left is the firmware. */
static void split(const struct form *form, const uint8_t *data, size_t size, uint8_t *bytes[PARTS],
                  struct owner_blob parts[PARTS])
{
    for (unsigned i = 0; i < PARTS; i++) {
        size_t length = i < FIRMWARE ? load_le16(form->sizes[i]) : size;
        length = length < size ? length : size;
        if (form->flags & 1u << i) {
            bytes[i] = copy(data, length, i == COMMAND_LINE);
            parts[i] = (struct owner_blob){ bytes[i], length };
        }
        data += length;
        size -= length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct scene scene;
    struct form form;
    uint8_t *bytes[PARTS] = { NULL };
    struct owner_blob parts[PARTS] = { { NULL, 0 } };
    if (size < sizeof(form))
        return 0;
    memcpy(&form, data, sizeof(form));
    split(&form, data + sizeof(form), size - sizeof(form), bytes, parts);
    memset(&scene, 0, sizeof(scene));
    set_guest(&scene, &form, parts);
    mistakes[form.mistake % (sizeof(mistakes) / sizeof(mistakes[0]))](&scene, form.detail);
    judge(&scene);
    free(scene.made);
    for (unsigned i = 0; i < PARTS; i++)
        free(bytes[i]);
    return 0;
}
