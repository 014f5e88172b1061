/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* `privet owner secret`: packs secrets for LAUNCH_SECRET, bound to one measured launch. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/error.h"
#include "cli/file.h"
#include "cli/options.h"
#include "cli/owner.h"
#include "machine/chip/chip.h"
#include "owner/session.h"
#include "owner/secret_table.h"

/* The entry that disk encryption tools look for. */
#define LUKS_GUID "736869e5-84f0-4973-92ec-06879ce3da0b"

#define FLASH_LIMIT (8u << 20)

struct secret_options {
    const char *tek, *tik, *tk, *firmware, *measurement, *header, *payload;
    struct option_list secrets, credentials;
    uint64_t api_major, api_minor;
};

struct secret_inputs {
    struct file tek, tik, measurement;
    struct owner_secret_table table;
};

static bool load_exact(const char *option, const char *path, const char *what, size_t size,
                       bool base64, struct file *ret)
{
    if (!path) {
        error_say("--%s is needed; try 'privet owner secret --help'", option);
        return false;
    }
    if (!(base64 ? file_read_base64 : file_read)(path, what, 2 * size, ret))
        return false;
    if (ret->size == size)
        return true;
    error_say("%s: %zu bytes, a %s has %zu", path, ret->size, what, size);
    return false;
}

/* GUID=FILE, or luks-key=FILE; virt-qemu-sev-validate has a colon there. */
static bool add_secret(struct owner_secret_table *table, const char *text)
{
    size_t length = strcspn(text, "=:");
    char name[64];
    struct file file = { 0 };
    if (!text[length] || length >= sizeof(name) || !text[length + 1]) {
        error_say("--secret %s: must be GUID=FILE or luks-key=FILE", text);
        return false;
    }
    snprintf(name, sizeof(name), "%.*s", (int)length, text);
    if (!file_read(text + length + 1, "secret", OWNER_SECRET_MAX, &file))
        return false;
    const char *reason = owner_secret_add(table, strcmp(name, "luks-key") ? name : LUKS_GUID,
                                          file.data, file.size);
    OPENSSL_cleanse(file.data, file.size);
    file_free(&file);
    if (reason)
        error_say("--secret %s: %s", text, reason);
    return !reason;
}

/* NAME=FILE */
static bool add_credential(struct owner_credentials *credentials, const char *text)
{
    const char *equals = strchr(text, '=');
    char name[300];
    struct file file = { 0 };
    if (!equals || equals - text >= (int)sizeof(name) || !equals[1]) {
        error_say("--credential %s: must be NAME=FILE", text);
        return false;
    }
    snprintf(name, sizeof(name), "%.*s", (int)(equals - text), text);
    if (!file_read(equals + 1, "credential", OWNER_SECRET_MAX, &file))
        return false;
    const char *reason = owner_credential_add(credentials, name, file.data, file.size);
    OPENSSL_cleanse(file.data, file.size);
    file_free(&file);
    if (reason)
        error_say("--credential %s: %s", text, reason);
    return !reason;
}

/* All of them become one entry of the table. */
static bool add_credentials(struct owner_secret_table *table, const struct option_list *list)
{
    struct owner_credentials credentials = { .used = 0 };
    bool good = true;
    for (unsigned i = 0; good && i < list->count; i++)
        good = add_credential(&credentials, list->items[i]);
    if (good && list->count > 0) {
        const char *reason = owner_secret_add(table, OWNER_CREDENTIALS_GUID, credentials.bytes,
                                              credentials.used);
        if (reason)
            error_say("--credential: %s", reason);
        good = !reason;
    }
    OPENSSL_cleanse(&credentials, sizeof(credentials));
    return good;
}

/* Is there room for them in the firmware that was measured, and can they be put there? */
static bool check_place(const struct secret_options *o, const struct owner_secret_table *table)
{
    struct owner_secret_area area;
    struct file image;
    size_t size = owner_secret_size(table);
    if (!o->firmware)
        return true;
    if (!file_read(o->firmware, "firmware image", FLASH_LIMIT, &image))
        return false;
    const char *reason = owner_secret_place(image.data, image.size, size, &area);
    file_free(&image);
    if (reason && area.size)
        error_say("--firmware %s: %s: %u bytes at 0x%x for %zu bytes of secrets", o->firmware,
                  reason, area.size, area.base, size);
    else if (reason)
        error_say("--firmware %s: %s; the guest could not find the secrets", o->firmware, reason);
    return !reason;
}

/* Two files, or sev-tool's one: TEK, then TIK. */
static bool load_keys(const struct secret_options *o, struct secret_inputs *in)
{
    struct file both = { 0 };
    if (!o->tk)
        return load_exact("tek", o->tek, "transport encryption key", SEV_KEY_SIZE, false,
                          &in->tek) &&
               load_exact("tik", o->tik, "transport integrity key", SEV_KEY_SIZE, false, &in->tik);
    if (o->tek || o->tik) {
        error_say("--tk holds both keys; it does not go with --tek and --tik");
        return false;
    }
    bool done = load_exact("tk", o->tk, "file of TEK and TIK", 2 * SEV_KEY_SIZE, false, &both);
    if (done) {
        in->tek = (struct file){ malloc(SEV_KEY_SIZE), SEV_KEY_SIZE };
        in->tik = (struct file){ malloc(SEV_KEY_SIZE), SEV_KEY_SIZE };
        done = in->tek.data && in->tik.data;
    }
    if (done) {
        memcpy(in->tek.data, both.data, SEV_KEY_SIZE);
        memcpy(in->tik.data, both.data + SEV_KEY_SIZE, SEV_KEY_SIZE);
    }
    if (both.data)
        OPENSSL_cleanse(both.data, both.size);
    file_free(&both);
    return done;
}

static bool inputs_load(const struct secret_options *o, struct secret_inputs *in)
{
    owner_secret_begin(&in->table);
    if (!o->header || !o->payload || o->secrets.count + o->credentials.count == 0) {
        error_say("--secret or --credential, --header and --payload are needed; try 'privet owner "
                  "secret --help'");
        return false;
    }
    for (unsigned i = 0; i < o->secrets.count; i++) {
        if (!add_secret(&in->table, o->secrets.items[i]))
            return false;
    }
    return add_credentials(&in->table, &o->credentials) && check_place(o, &in->table) &&
           load_keys(o, in) &&
           load_exact("measurement", o->measurement, "launch measurement",
                      sizeof(struct sev_measure_blob), true, &in->measurement);
}

static int seal(const struct secret_options *o, const struct secret_inputs *in)
{
    uint8_t data[OWNER_SECRET_MAX], iv[16];
    struct sev_packet_header header;
    struct owner_keys keys;
    size_t size = owner_secret_size(&in->table);
    memcpy(keys.tek, in->tek.data, SEV_KEY_SIZE);
    memcpy(keys.tik, in->tik.data, SEV_KEY_SIZE);
    bool bound = sev_api_binds_version((uint8_t)o->api_major, (uint8_t)o->api_minor);
    bool done = owner_random_bytes(iv) &&
                owner_secret_seal(&keys, iv, in->table.bytes, size,
                                  bound ? in->measurement.data : NULL, &header, data);
    OPENSSL_cleanse(&keys, sizeof(keys));
    if (!done) {
        error_say("the cryptographic library failed");
        return 1;
    }
    if (!file_write_base64(o->header, &header, sizeof(header), 0644))
        return 1;
    if (file_write_base64(o->payload, data, size, 0644))
        return 0;
    unlink(o->header);
    return 1;
}

int owner_secret_command(int argc, char **argv)
{
    struct secret_options o = { .api_major = CHIP_API_MAJOR, .api_minor = CHIP_API_MINOR };
    struct secret_inputs in = { 0 };
    const struct option_row rows[] = {
        { "secret", OPTION_LIST, &o.secrets, "GUID=FILE",
          "a secret and its name; luks-key=FILE for a disk's passphrase; may be repeated" },
        { "credential", OPTION_LIST, &o.credentials, "NAME=FILE",
          "a systemd credential for a measured guest; may be repeated" },
        { "tek", OPTION_TEXT, &o.tek, "FILE", "transport encryption key, 16 raw bytes" },
        { "tik", OPTION_TEXT, &o.tik, "FILE", "transport integrity key, 16 raw bytes" },
        { "tk", OPTION_TEXT, &o.tk, "FILE", "both keys in one file, TEK then TIK" },
        { "firmware", OPTION_TEXT, &o.firmware, "FILE",
          "the guest's flash image: do they fit into its secret area?" },
        { "measurement", OPTION_TEXT, &o.measurement, "FILE",
          "as the launch reported it: 48 bytes, raw or base64" },
        { "api-major", OPTION_NUMBER, &o.api_major, "N", "of the platform; default 0", 0, 255 },
        { "api-minor", OPTION_NUMBER, &o.api_minor, "N", "of the platform; default 24", 0, 255 },
        { "header", OPTION_TEXT, &o.header, "FILE", "output: packet header, base64" },
        { "payload", OPTION_TEXT, &o.payload, "FILE", "output: encrypted secrets, base64" },
        { .name = NULL },
    };
    const struct option_verb verb = {
        .path = "owner secret",
        .usage = "privet owner secret [options]",
        .summary = "Encrypts secrets for one launch of a guest. Only the chip that made the "
                   "measurement can open\nthe packet (privet run --secret-header, --secret; QEMU's "
                   "sev-inject-launch-secret).",
        .rows = rows,
        .footer = "Check the measurement first: 'privet owner verify'.",
    };
    enum option_result result = options_parse(&verb, argc, argv, NULL);
    if (result != OPTIONS_RUN)
        return result == OPTIONS_HELP ? 0 : 1;
    int code = inputs_load(&o, &in) ? seal(&o, &in) : 1;
    if (in.tek.data)
        OPENSSL_cleanse(in.tek.data, in.tek.size);
    if (in.tik.data)
        OPENSSL_cleanse(in.tik.data, in.tik.size);
    OPENSSL_cleanse(&in.table, sizeof(in.table));
    file_free(&in.tek);
    file_free(&in.tik);
    file_free(&in.measurement);
    return code;
}
