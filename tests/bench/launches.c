/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Launches a second: a guest with a 1 MiB image, the owner's session, a measurement and a secret, from
 * LAUNCH_START to DECOMMISSION, on each ASID in turn with WBINVD and DF_FLUSH when all are used. The
 * image is written as the host does before each launch, and its ciphertext is read. Each processor has
 * a process with a chip of its own, as guests of `privet run` have; all work at the same time. The peer
 * afterwards is OpenSSL alone: the same bytes digested and encrypted once (AES-128-ECB for XEX), and
 * one agreement on P-384.
 *
 * Prints a line: how many processors; launches a second of processor time; launches a second of
 * wall-clock time on all processors; both figures of the peer.
 */
#define _GNU_SOURCE 1 /* nftw, CPU_COUNT */

#include <ftw.h>
#include <limits.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
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

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
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

static void launch_all(struct chip *chip, struct memory *memory, const uint8_t *image,
                       const struct owner_session *session, struct places *places)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (i % ASIDS == 0) {
            chip_note_wbinvd(chip);
            command(chip, SEV_DF_FLUSH, NULL);
        }
        end(chip, launch(chip, memory, image, session, places, 1 + i % ASIDS));
    }
}

/* What a process has of the others' start: it says that it is ready and waits for the end of a pipe. */
struct worker {
    const char *state_folder;
    int ready, go;
};

/* The worker's processor time since then is what counts. */
static double start_together(const struct worker *worker)
{
    char byte = 0;
    must(write(worker->ready, &byte, 1) == 1 && read(worker->go, &byte, 1) == 0, "no start");
    return seconds(CLOCK_PROCESS_CPUTIME_ID);
}

static double launches(const struct worker *worker, const uint8_t *image)
{
    static const uint8_t seed[32] = { 7 };
    static struct owner_session session;
    static struct places places;
    struct chip_failure failure;
    const struct chip_config config = { .state_folder = worker->state_folder,
                                        .api_minor = CHIP_API_MINOR, .build = CHIP_BUILD,
                                        .max_asid = ASIDS, .min_plain_asid = 1 };
    struct memory *memory = memory_create(seed);
    must(memory && memory_add_ram(memory, 0, 2 * IMAGE) == 0, "out of memory");
    struct chip *chip = chip_open(&config, memory, &failure);
    must(chip, failure.text);
    struct sev_init init = { 0 };
    command(chip, SEV_INIT, &init);
    make_session(chip, &session);
    places.measurement_at = chip_map(chip, places.measurement, sizeof(places.measurement));
    places.packet_at = chip_map(chip, places.packet, sizeof(places.packet));
    places.header_at = chip_map(chip, &places.header, sizeof(places.header));
    places.certificate_at = chip_map(chip, session.certificate, SEV_CERT_SIZE);
    places.session_at = chip_map(chip, &session.session, SEV_SESSION_SIZE);
    double begin = start_together(worker);
    launch_all(chip, memory, image, &session, &places);
    double time = seconds(CLOCK_PROCESS_CPUTIME_ID) - begin;
    chip_close(chip);
    memory_destroy(memory);
    return time;
}

static double openssl_alone(const struct worker *worker, const uint8_t *image)
{
    static uint8_t out[IMAGE];
    static const uint8_t key[16] = { 3 };
    uint8_t digest[32], secret[48];
    EVP_PKEY *own = EVP_EC_gen("P-384"), *peer = EVP_EC_gen("P-384");
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    must(own && peer && cipher, "no keys");
    double begin = start_together(worker);
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
    double time = seconds(CLOCK_PROCESS_CPUTIME_ID) - begin;
    EVP_CIPHER_CTX_free(cipher);
    EVP_PKEY_free(own);
    EVP_PKEY_free(peer);
    return time;
}

/* Answers how many seconds of processor time ROUNDS of it took. */
typedef double work_function(const struct worker *worker, const uint8_t *image);

/* The workers of one kind, a process for each processor. */
struct team {
    work_function *work;
    const uint8_t *image;
    const char *folder;
    unsigned size;
    int go[2]; /* nobody writes to this pipe: its end is the start */
    pid_t pids[CPU_SETSIZE];
    int reports[CPU_SETSIZE]; /* a byte when a worker is ready, then how long it took */
};

static void work_and_exit(const struct team *team, unsigned number, int report)
{
    char state[PATH_MAX + 16];
    snprintf(state, sizeof(state), "%s/%u", team->folder, number);
    const struct worker worker = { .state_folder = state, .ready = report, .go = team->go[0] };
    close(team->go[1]);
    double time = team->work(&worker, team->image);
    exit(write(report, &time, sizeof(time)) == (ssize_t)sizeof(time) ? 0 : 1);
}

static bool begin_worker(struct team *team)
{
    int report[2];
    if (pipe(report) != 0)
        return false;
    pid_t pid = fork();
    if (pid == 0)
        work_and_exit(team, team->size, report[1]);
    close(report[1]);
    team->pids[team->size] = pid;
    team->reports[team->size++] = report[0];
    return pid > 0;
}

/* Rounds a second: of one processor's time, and of all processors. */
struct rates {
    double each, all;
};

/* From the moment that all are ready to the last one's end. False: one of them failed. */
static bool time_team(struct team *team, struct rates *ret)
{
    char byte;
    double time, sum = 0;
    for (unsigned i = 0; i < team->size; i++)
        if (read(team->reports[i], &byte, 1) != 1)
            return false;
    double begin = seconds(CLOCK_MONOTONIC);
    close(team->go[1]);
    for (unsigned i = 0; i < team->size; i++) {
        if (read(team->reports[i], &time, sizeof(time)) != (ssize_t)sizeof(time))
            return false;
        sum += time;
    }
    double rounds = (double)ROUNDS * team->size, end = seconds(CLOCK_MONOTONIC);
    *ret = (struct rates){ .each = rounds / sum, .all = rounds / (end - begin) };
    return true;
}

/* Ends those that still work, if the others' work is of no use. */
static bool dismiss(struct team *team, bool good)
{
    int status;
    for (unsigned i = 0; i < team->size; i++) {
        if (!good && team->pids[i] > 0)
            kill(team->pids[i], SIGTERM);
        good = team->pids[i] > 0 && waitpid(team->pids[i], &status, 0) > 0 && status == 0 && good;
        close(team->reports[i]);
    }
    return good;
}

static bool rate(work_function *work, unsigned processors, const char *folder, const uint8_t *image,
                 struct rates *ret)
{
    struct team team = { .work = work, .image = image, .folder = folder };
    bool good = pipe(team.go) == 0;
    while (good && team.size < processors)
        good = begin_worker(&team);
    good = good && time_team(&team, ret);
    return dismiss(&team, good);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    return remove(path);
}

int main(void)
{
    static uint8_t image[IMAGE];
    const char *place = getenv("TMPDIR");
    char folder[PATH_MAX];
    cpu_set_t set;
    struct rates ours, theirs;
    must(sched_getaffinity(0, sizeof(set), &set) == 0, "how many processors?");
    unsigned processors = (unsigned)CPU_COUNT(&set);
    for (size_t i = 0; i < sizeof(image); i++)
        image[i] = (uint8_t)(i * 31 + (i >> 12));
    snprintf(folder, sizeof(folder), "%s/privet-bench.XXXXXX", place ? place : "/tmp");
    must(mkdtemp(folder), "no folder");
    bool good = rate(launches, processors, folder, image, &ours) &&
                rate(openssl_alone, processors, folder, image, &theirs);
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    must(good, "a worker failed");
    printf("%u %.0f %.0f %.0f %.0f\n", processors, ours.each, ours.all, theirs.each, theirs.all);
    return 0;
}
