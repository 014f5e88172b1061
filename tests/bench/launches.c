/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Launches a second: a guest with a 1 MiB image, the owner's session, a measurement and a secret, from
 * LAUNCH_START to DECOMMISSION, on each ASID in turn with WBINVD and DF_FLUSH when all are used. The
 * image is written as the host does before each launch, and its ciphertext is read. The peer in the
 * same run is OpenSSL alone: the same bytes digested and encrypted once (AES-128-ECB for XEX), and one
 * agreement on P-384. Prints both figures.
 */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "machine/chip/chip.h"
#include "owner/session.h"
#include "sev/command.h"
#include "sev/session.h"

#define IMAGE   (1u << 20)
#define SECRET  0x800u
#define ASIDS   509u
#define ROUNDS  1018u

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "launches: %s\n", what);
    exit(1);
}

static void command(struct chip *chip, enum sev_command id, void *buffer)
{
    uint16_t status = chip_command(chip, id, buffer);
    if (status)
        fprintf(stderr, "launches: command 0x%x: status 0x%02x\n", id, status);
    must(!status, "the chip refuses");
}

static void make_session(struct chip *chip, struct owner_session *session)
{
    static uint8_t pdh[SEV_CERT_SIZE], chain[SEV_CHAIN_SIZE];
    struct sev_pdh_cert_export export = {
        .pdh_paddr = chip_map(chip, pdh, sizeof(pdh)), .pdh_len = sizeof(pdh),
        .certs_paddr = chip_map(chip, chain, sizeof(chain)), .certs_len = sizeof(chain),
    };
    command(chip, SEV_PDH_CERT_EXPORT, &export);
    must(!owner_session_make(pdh, sizeof(pdh), 0, session), "no session");
}

/* Buffers that every launch uses, and their addresses. */
struct places {
    uint8_t measurement[48], packet[SECRET];
    struct sev_packet_header header;
    uint64_t measurement_at, packet_at, header_at, certificate_at, session_at;
};

static uint32_t launch(struct chip *chip, struct memory *memory, const uint8_t *image,
                       const struct owner_session *session, struct places *places, uint32_t asid)
{
    static const uint8_t plain[SECRET] = { 1 }, iv[16] = { 2 };
    static uint8_t cipher[IMAGE];
    struct sev_launch_start start = { .dh_cert_paddr = places->certificate_at,
                                      .dh_cert_len = SEV_CERT_SIZE,
                                      .session_paddr = places->session_at,
                                      .session_len = SEV_SESSION_SIZE };
    must(memory_write(memory, 0, image, IMAGE, MEMORY_RAW) == 0, "no memory");
    command(chip, SEV_LAUNCH_START, &start);
    struct sev_activate activate = { start.handle, asid };
    command(chip, SEV_ACTIVATE, &activate);
    struct sev_launch_update_data update = { .handle = start.handle, .length = IMAGE };
    command(chip, SEV_LAUNCH_UPDATE_DATA, &update);
    struct sev_launch_measure measure = { .handle = start.handle,
                                          .measure_paddr = places->measurement_at,
                                          .measure_len = sizeof(places->measurement) };
    command(chip, SEV_LAUNCH_MEASURE, &measure);
    must(owner_secret_seal(&session->keys, iv, plain, SECRET, places->measurement, &places->header,
                           places->packet), "no secret");
    struct sev_launch_secret secret = {
        .handle = start.handle, .hdr_paddr = places->header_at, .hdr_len = SEV_PACKET_HEADER_SIZE,
        .guest_paddr = IMAGE, .guest_len = SECRET, .trans_paddr = places->packet_at,
        .trans_len = SECRET,
    };
    command(chip, SEV_LAUNCH_SECRET, &secret);
    struct sev_handle handle = { start.handle };
    command(chip, SEV_LAUNCH_FINISH, &handle);
    must(memory_read(memory, 0, cipher, IMAGE, MEMORY_RAW) == 0, "no memory");
    must(memcmp(cipher, image, IMAGE) != 0, "the image is not encrypted");
    return start.handle;
}

static void end(struct chip *chip, uint32_t number)
{
    struct sev_handle handle = { number };
    command(chip, SEV_DEACTIVATE, &handle);
    command(chip, SEV_DECOMMISSION, &handle);
}

static double chip_rate(struct chip *chip, struct memory *memory, const uint8_t *image)
{
    static struct owner_session session;
    static struct places places;
    struct sev_init init = { 0 };
    command(chip, SEV_INIT, &init);
    make_session(chip, &session);
    places.measurement_at = chip_map(chip, places.measurement, sizeof(places.measurement));
    places.packet_at = chip_map(chip, places.packet, sizeof(places.packet));
    places.header_at = chip_map(chip, &places.header, sizeof(places.header));
    places.certificate_at = chip_map(chip, session.certificate, SEV_CERT_SIZE);
    places.session_at = chip_map(chip, &session.session, SEV_SESSION_SIZE);
    double begin = seconds();
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (i % ASIDS == 0) {
            chip_note_wbinvd(chip);
            command(chip, SEV_DF_FLUSH, NULL);
        }
        end(chip, launch(chip, memory, image, &session, &places, 1 + i % ASIDS));
    }
    return ROUNDS / (seconds() - begin);
}

static double openssl_rate(const uint8_t *image)
{
    static uint8_t out[IMAGE];
    static const uint8_t key[16] = { 3 };
    uint8_t digest[32], secret[48];
    EVP_PKEY *own = EVP_EC_gen("P-384"), *peer = EVP_EC_gen("P-384");
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    must(own && peer && cipher, "no keys");
    double begin = seconds();
    for (unsigned i = 0; i < ROUNDS; i++) {
        size_t size = sizeof(secret);
        int length;
        EVP_PKEY_CTX *agreement = EVP_PKEY_CTX_new(own, NULL);
        must(agreement && EVP_PKEY_derive_init(agreement) == 1 &&
             EVP_PKEY_derive_set_peer(agreement, peer) == 1 &&
             EVP_PKEY_derive(agreement, secret, &size) == 1, "no agreement");
        EVP_PKEY_CTX_free(agreement);
        must(EVP_Digest(image, IMAGE, digest, NULL, EVP_sha256(), NULL) == 1 &&
             EVP_EncryptInit_ex(cipher, EVP_aes_128_ecb(), NULL, key, NULL) == 1 &&
             EVP_EncryptUpdate(cipher, out, &length, image, IMAGE) == 1, "no digest");
    }
    double rate = ROUNDS / (seconds() - begin);
    EVP_CIPHER_CTX_free(cipher);
    EVP_PKEY_free(own);
    EVP_PKEY_free(peer);
    return rate;
}

int main(void)
{
    static const uint8_t seed[32] = { 7 };
    static uint8_t image[IMAGE];
    char folder[] = "/tmp/privet-bench.XXXXXX", file[sizeof(folder) + 16], error[256] = "no chip";
    must(mkdtemp(folder), "no folder");
    const struct chip_config config = { .state_folder = folder, .api_minor = CHIP_API_MINOR,
                                        .build = CHIP_BUILD, .max_asid = ASIDS,
                                        .min_plain_asid = 1 };
    struct memory *memory = memory_create(seed);
    must(memory && memory_add_ram(memory, 0, 2 * IMAGE) == 0, "out of memory");
    for (size_t i = 0; i < sizeof(image); i++)
        image[i] = (uint8_t)(i * 31 + (i >> 12));
    struct chip *chip = chip_open(&config, memory, error, sizeof(error));
    must(chip, error);
    double ours = chip_rate(chip, memory, image), theirs = openssl_rate(image);
    printf("%.0f %.0f\n", ours, theirs);
    chip_close(chip);
    memory_destroy(memory);
    snprintf(file, sizeof(file), "%s/chip-state", folder);
    unlink(file);
    rmdir(folder);
    return 0;
}
