/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Policy words and the messages under the launch MACs (SEV API, LAUNCH_MEASURE, LAUNCH_SECRET). */
#include "sev/session.h"

#include <stdio.h>
#include <string.h>

#include "sev/bytes.h"

static const struct {
    const char *name;
    uint32_t bit;
} policy_words[] = {
    {"nodbg", SEV_POLICY_NODBG},   {"noks", SEV_POLICY_NOKS},     {"es", SEV_POLICY_ES},
    {"nosend", SEV_POLICY_NOSEND}, {"domain", SEV_POLICY_DOMAIN}, {"sev", SEV_POLICY_SEV},
};
#define POLICY_WORDS (sizeof(policy_words) / sizeof(policy_words[0]))

/* A number that ends at `end`: decimal, or hexadecimal after 0x. */
static bool scan(const char *text, const char *end, uint64_t limit, uint64_t *ret)
{
    unsigned base = 10;
    uint64_t value = 0;

    if (end - text > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
    }
    if (text == end)
        return false;
    for (; text < end; text++) {
        unsigned digit;

        if (*text >= '0' && *text <= '9')
            digit = (unsigned)(*text - '0');
        else if (*text >= 'a' && *text <= 'f')
            digit = (unsigned)(*text - 'a') + 10;
        else if (*text >= 'A' && *text <= 'F')
            digit = (unsigned)(*text - 'A') + 10;
        else
            return false;
        value = value * base + digit;
        if (digit >= base || value > limit)
            return false;
    }
    *ret = value;
    return true;
}

static bool parse_word(const char *word, size_t length, uint32_t *policy)
{
    const char *end = word + length, *dot;
    uint64_t major, minor;

    for (size_t i = 0; i < POLICY_WORDS; i++) {
        if (strlen(policy_words[i].name) == length &&
            memcmp(word, policy_words[i].name, length) == 0) {
            *policy |= policy_words[i].bit;
            return true;
        }
    }
    if (length == 4 && memcmp(word, "none", 4) == 0)
        return true;
    if (length < 4 || memcmp(word, "api=", 4) != 0)
        return false;
    word += 4;
    dot = memchr(word, '.', (size_t)(end - word));
    if (!dot || !scan(word, dot, 255, &major) || !scan(dot + 1, end, 255, &minor))
        return false;
    *policy = (*policy & 0xFFFFu) | (uint32_t)major << 16 | (uint32_t)minor << 24;
    return true;
}

bool sev_policy_parse(const char *text, uint32_t *ret)
{
    uint64_t number;
    uint32_t policy = 0;

    if (scan(text, text + strlen(text), UINT32_MAX, &number)) {
        *ret = (uint32_t)number;
        return true;
    }
    for (;;) {
        size_t length = strcspn(text, ",");

        if (!parse_word(text, length, &policy))
            return false;
        if (text[length] == '\0')
            break;
        text += length + 1;
    }
    *ret = policy;
    return true;
}

void sev_policy_names(uint32_t policy, char *text, size_t size)
{
    size_t used = 0;

    if (size)
        text[0] = '\0';
    for (size_t i = 0; i < POLICY_WORDS; i++) {
        if ((policy & policy_words[i].bit) && used < size) {
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? "," : "",
                                     policy_words[i].name);
        }
    }
    if ((policy >> 16) && used < size)
        used += (size_t)snprintf(text + used, size - used, "%sapi=%u.%u", used ? "," : "",
                                 sev_policy_api_major(policy), sev_policy_api_minor(policy));
    if (!used && size)
        snprintf(text, size, "none");
}

bool sev_api_binds_version(uint8_t major, uint8_t minor)
{
    return major > 0 || minor >= 17;
}

size_t sev_measure_message(const struct sev_measure_input *input,
                           uint8_t message[SEV_MEASURE_INPUT_MAX])
{
    uint8_t *p = message;

    if (sev_api_binds_version(input->api_major, input->api_minor)) {
        *p++ = 0x04;
        *p++ = input->api_major;
        *p++ = input->api_minor;
        *p++ = input->build;
    }
    store_le32(p, input->policy);
    memcpy(p + 4, input->digest, SEV_DIGEST_SIZE);
    memcpy(p + 36, input->nonce, 16);
    return (size_t)(p + 52 - message);
}

void sev_packet_prefix(enum sev_packet_kind kind, uint32_t flags, const uint8_t iv[16],
                       uint32_t guest_length, uint32_t transport_length,
                       uint8_t prefix[SEV_PACKET_PREFIX_SIZE])
{
    prefix[0] = (uint8_t)kind;
    store_le32(prefix + 1, flags);
    memcpy(prefix + 5, iv, 16);
    store_le32(prefix + 21, guest_length);
    store_le32(prefix + 25, transport_length);
}
