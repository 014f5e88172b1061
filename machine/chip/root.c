/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The emulated AMD: an ARK and an ASK that sign this chip's CEK, as AMD's key server hands them
 * out. They are this state folder's own and prove nothing about genuine hardware.
 */
#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

#include "machine/chip/internal.h"

#define ROOT_NAME "amd-root"
#define RSA_SIZE  512 /* bytes: RSA-4096, as every AMD root since Rome */

static_assert(sizeof(struct chip_root) == 0x824 + 2 * 0x640, "no padding in the root file");
static_assert(CHIP_ROOT_ARK_SIZE == SEV_AMD_CERT_MAX, "root sizes");
static_assert(CHIP_ROOT_CEK_SIZE == SEV_CERT_SIZE, "root sizes");

/* RSASSA-PSS, SHA-384, salt as long as the hash; the slot holds the number little-endian. */
static bool rsa_sign(EVP_PKEY *signer, const uint8_t *data, size_t length, uint8_t *slot)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *options = NULL;
    uint8_t signature[RSA_SIZE];
    size_t size = sizeof(signature);
    bool done = context &&
                EVP_DigestSignInit(context, &options, EVP_sha384(), NULL, signer) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1 &&
                EVP_DigestSign(context, signature, &size, data, length) == 1 &&
                size == sizeof(signature);
    EVP_MD_CTX_free(context);
    if (done)
        sev_reverse(slot, signature, RSA_SIZE);
    return done;
}

static bool modulus(EVP_PKEY *key, uint8_t bytes[RSA_SIZE])
{
    BIGNUM *n = NULL;
    bool done = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
                BN_bn2lebinpad(n, bytes, RSA_SIZE) == RSA_SIZE;
    BN_free(n);
    return done;
}

/*
 * Key ids are names: the chip's own, so that two emulated roots differ. The first bytes say what
 * they are in any hex dump.
 */
static void key_id(const struct chip *chip, const char *label, uint8_t id[16])
{
    kdf(chip->secret, CHIP_SECRET_SIZE, label, NULL, 0, id, 16);
    memcpy(id, "EMULATED", 8);
}

static bool make_root(const struct chip *chip, struct chip_root *root)
{
    uint8_t number[RSA_SIZE], ark_id[16], ask_id[16];
    struct sev_certificate cek;
    EVP_PKEY *ark = EVP_RSA_gen(RSA_SIZE * 8), *ask = EVP_RSA_gen(RSA_SIZE * 8);
    size_t before = SEV_AMD_CERT_MAX - RSA_SIZE;
    key_id(chip, "privet-ark-id", ark_id);
    key_id(chip, "privet-ask-id", ask_id);
    bool done = ark && ask && modulus(ark, number);
    if (done) {
        sev_amd_certificate_encode(SEV_USAGE_ARK, ark_id, ark_id, number, RSA_SIZE, root->ark);
        done = rsa_sign(ark, root->ark, before, root->ark + before) && modulus(ask, number);
    }
    if (done) {
        sev_amd_certificate_encode(SEV_USAGE_ASK, ask_id, ark_id, number, RSA_SIZE, root->ask);
        done = rsa_sign(ark, root->ask, before, root->ask + before) && identity_cek(chip, &cek);
    }
    if (done) {
        cek.signature[0].usage = SEV_USAGE_ASK;
        cek.signature[0].algorithm = SEV_ALGO_RSA_SHA384;
        sev_certificate_encode(&cek, root->cek);
        done = rsa_sign(ask, root->cek, SEV_CERT_SIGNED_SIZE, root->cek + SEV_CERT_SIGNED_SIZE + 8);
    }
    EVP_PKEY_free(ark);
    EVP_PKEY_free(ask);
    return done;
}

int root_read(const struct chip *chip, struct chip_root *ret)
{
    int failure = store_read(chip, ROOT_NAME, ret, sizeof(*ret));
    return !failure && !root_is_whole(chip, ret) ? EINVAL : failure;
}

/* A new root, unless another process made one while we waited for the folder. */
static int write_root(struct chip *chip, struct chip_root *root)
{
    int failure = chip->config.shared ? store_lock(chip, false) : 0;
    if (failure)
        return failure;
    failure = root_read(chip, root);
    if (failure == ENOENT)
        failure = make_root(chip, root) ? store_write(chip, ROOT_NAME, root, sizeof(*root)) : EIO;
    return failure || !chip->config.shared ? failure : store_lock(chip, true);
}

bool chip_root_certificates(struct chip *chip, struct chip_root *ret_root,
                            struct chip_failure *failure)
{
    int error = root_read(chip, ret_root);
    if (error == ENOENT)
        error = write_root(chip, ret_root);
    return !error || store_fail(chip, ROOT_NAME, error, "damaged, or another chip's",
                                "remove it to get a new root", failure);
}
