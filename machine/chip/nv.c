/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The area of INIT_EX: what the state folder holds for INIT, in memory that the caller keeps
 * somewhere. The caller may read and write it, so it is encrypted and then authenticated with keys
 * that only this chip has (SEV API, INIT_EX).
 */
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

#include "machine/chip/internal.h"

/* The mark is the version of the layout. The MAC covers everything before it. */
static const char nv_mark[8] = "PRIVETN1";

struct nv_image {
    char mark[sizeof(nv_mark)];
    uint8_t iv[16];
    struct chip_stored body; /* AES-128-CTR */
    uint8_t mac[SEV_MAC_SIZE];
};
static_assert(sizeof(struct nv_image) <= SEV_NV_SIZE, "the area is large enough");
static_assert(sizeof(struct nv_image) == 8 + 16 + sizeof(struct chip_stored) + SEV_MAC_SIZE,
              "no padding in the area");

/* These two labels are hashed with their terminator, unlike those of sessions. */
static void nv_key(const struct chip *chip, const char *label, uint8_t *key, size_t size)
{
    static const uint8_t terminator[1];
    kdf(chip->secret, CHIP_SECRET_SIZE, label, terminator, 1, key, size);
}

static bool crypt(const struct chip *chip, struct nv_image *image)
{
    uint8_t key[16];
    nv_key(chip, "sev-persistent-encryption", key, sizeof(key));
    bool done = crypt_ctr(key, image->iv, (uint8_t *)&image->body, sizeof(image->body));
    OPENSSL_cleanse(key, sizeof(key));
    return done;
}

static bool compute_mac(const struct chip *chip, const struct nv_image *image,
                        uint8_t mac[SEV_MAC_SIZE])
{
    uint8_t key[32];
    nv_key(chip, "sev-persistent-integrity", key, sizeof(key));
    bool done = HMAC(EVP_sha256(), key, sizeof(key), (const uint8_t *)image,
                     offsetof(struct nv_image, mac), mac, NULL) != NULL;
    OPENSSL_cleanse(key, sizeof(key));
    return done;
}

/* An erased area is all FFh. */
static bool erase(struct chip *chip)
{
    uint8_t erased[SEV_NV_SIZE];
    memset(erased, 0xFF, sizeof(erased));
    return chip_write(chip, chip->nv_paddr, erased, sizeof(erased));
}

/* Nothing is stored: new keys, of generations that no other area of this chip has begun with. */
static bool begin(struct chip *chip)
{
    memset(&chip->store, 0, sizeof(chip->store));
    return RAND_bytes((uint8_t *)chip->store.generation, sizeof(chip->store.generation)) == 1;
}

uint16_t nv_load(struct chip *chip)
{
    static const uint8_t erased[4] = { 0xFF, 0xFF, 0xFF, 0xFF };
    uint8_t area[SEV_NV_SIZE], mac[SEV_MAC_SIZE];
    struct nv_image image;
    if (!chip_read(chip, chip->nv_paddr, area, sizeof(area)))
        return SEV_INVALID_ADDRESS;
    if (memcmp(area, erased, sizeof(erased)) == 0)
        return begin(chip) ? SEV_SUCCESS : SEV_HWERROR_PLATFORM;
    memcpy(&image, area, sizeof(image));
    if (!compute_mac(chip, &image, mac))
        return SEV_HWERROR_PLATFORM;
    if (memcmp(image.mark, nv_mark, sizeof(nv_mark)) != 0 ||
        CRYPTO_memcmp(mac, image.mac, sizeof(mac)) != 0)
        return erase(chip) ? SEV_SECURE_DATA_INVALID : SEV_INVALID_ADDRESS;
    if (!crypt(chip, &image))
        return SEV_HWERROR_PLATFORM;
    chip->store = image.body;
    OPENSSL_cleanse(&image, sizeof(image));
    return SEV_SUCCESS;
}

bool nv_save(struct chip *chip)
{
    struct nv_image image = { .body = chip->store };
    memcpy(image.mark, nv_mark, sizeof(image.mark));
    return RAND_bytes(image.iv, sizeof(image.iv)) == 1 && crypt(chip, &image) &&
           compute_mac(chip, &image, image.mac) &&
           chip_write(chip, chip->nv_paddr, &image, sizeof(image));
}
