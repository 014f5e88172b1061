/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Launch digest and measurement as the guest owner computes them (SEV API 11). */
#include "owner/measure.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

#include "owner/launch.h"
#include "sev/session.h"

static void must(int done)
{
    if (done != 1)
        OPENSSL_die("SHA-256 failed", __FILE_NAME__, __LINE__);
}

static void sha256(const void *data, size_t size, uint8_t digest[32])
{
    must(EVP_Digest(data, size, digest, NULL, EVP_sha256(), NULL));
}

void owner_kernel_hashes(const struct owner_guest *guest, struct sev_kernel_hashes *ret)
{
    const char *command_line = guest->command_line ? guest->command_line : "";
    sha256(command_line, strlen(command_line) + 1, ret->cmdline);
    sha256(guest->initrd.data, guest->initrd.size, ret->initrd);
    sha256(guest->kernel.data, guest->kernel.size, ret->kernel);
}

EVP_MD_CTX *launch_begin(const struct owner_guest *guest, const struct sev_kernel_hashes *hashes)
{
    uint8_t table[SEV_HASHES_TABLE_SIZE];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    must(context && EVP_DigestInit_ex(context, EVP_sha256(), NULL));
    must(EVP_DigestUpdate(context, guest->firmware.data, guest->firmware.size));
    if (guest->kernel_hashes) {
        sev_hashes_build(hashes, table);
        must(EVP_DigestUpdate(context, table, sizeof(table)));
    }
    return context;
}

void launch_end(const EVP_MD_CTX *begun, const struct owner_guest *guest,
                uint8_t digest[OWNER_DIGEST_SIZE])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    must(context && EVP_MD_CTX_copy_ex(context, begun));
    for (unsigned i = 0; i < guest->processors; i++)
        must(EVP_DigestUpdate(context, i ? guest->vmsa_others : guest->vmsa_first,
                              OWNER_VMSA_SIZE));
    must(EVP_DigestFinal_ex(context, digest, NULL));
    EVP_MD_CTX_free(context);
}

void owner_launch_digest_of(const struct owner_guest *guest, const struct sev_kernel_hashes *hashes,
                            uint8_t digest[OWNER_DIGEST_SIZE])
{
    EVP_MD_CTX *begun = launch_begin(guest, hashes);
    launch_end(begun, guest, digest);
    EVP_MD_CTX_free(begun);
}

void owner_launch_digest(const struct owner_guest *guest, uint8_t digest[OWNER_DIGEST_SIZE])
{
    struct sev_kernel_hashes hashes = { .kernel = { 0 } };
    if (guest->kernel_hashes)
        owner_kernel_hashes(guest, &hashes);
    owner_launch_digest_of(guest, &hashes, digest);
}

EVP_MAC_CTX *measurement_key(const uint8_t tik[OWNER_KEY_SIZE])
{
    char name[] = "SHA256";
    const OSSL_PARAM parameters[] = { OSSL_PARAM_construct_utf8_string("digest", name, 0),
                                      OSSL_PARAM_construct_end() };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *key = mac ? EVP_MAC_CTX_new(mac) : NULL;
    must(key && EVP_MAC_init(key, tik, OWNER_KEY_SIZE, parameters));
    EVP_MAC_free(mac);
    return key;
}

void measurement_with(EVP_MAC_CTX *key, const struct owner_guest *guest,
                      const uint8_t digest[OWNER_DIGEST_SIZE],
                      const uint8_t nonce[OWNER_NONCE_SIZE], uint8_t measure[OWNER_MEASURE_SIZE])
{
    uint8_t message[SEV_MEASURE_INPUT_MAX];
    size_t length;
    struct sev_measure_input input = {
        .api_major = guest->api_major,
        .api_minor = guest->api_minor,
        .build = guest->build,
        .policy = guest->policy,
    };
    memcpy(input.digest, digest, OWNER_DIGEST_SIZE);
    memcpy(input.nonce, nonce, OWNER_NONCE_SIZE);
    size_t size = sev_measure_message(&input, message);
    must(EVP_MAC_init(key, NULL, 0, NULL) == 1 && EVP_MAC_update(key, message, size) == 1 &&
         EVP_MAC_final(key, measure, &length, OWNER_MEASURE_SIZE) == 1);
}

void owner_measurement(const struct owner_guest *guest, const uint8_t digest[OWNER_DIGEST_SIZE],
                       const uint8_t tik[OWNER_KEY_SIZE], const uint8_t nonce[OWNER_NONCE_SIZE],
                       uint8_t measure[OWNER_MEASURE_SIZE])
{
    EVP_MAC_CTX *key = measurement_key(tik);
    measurement_with(key, guest, digest, nonce, measure);
    EVP_MAC_CTX_free(key);
}

bool owner_verify(const struct owner_guest *guest, const uint8_t tik[OWNER_KEY_SIZE],
                  const uint8_t reported[OWNER_MEASURE_SIZE + OWNER_NONCE_SIZE])
{
    uint8_t digest[OWNER_DIGEST_SIZE], expected[OWNER_MEASURE_SIZE];
    owner_launch_digest(guest, digest);
    owner_measurement(guest, digest, tik, reported + OWNER_MEASURE_SIZE, expected);
    return CRYPTO_memcmp(expected, reported, OWNER_MEASURE_SIZE) == 0;
}
