/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A guest owner's session and DH certificate, from files as `privet run` reads them to the chip, and a
 * platform's certificate as `privet owner session` reads it. A session of which a byte is changed is
 * never taken.
 *
 * Input: a byte, then
 *   0: the certificate's file, with two bytes of length before it, and the session's; raw or base64
 *   1: changes of a session that is in order: two bytes of offset, a byte to change by
 */
#define _GNU_SOURCE /* memfd_create */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/error.h"
#include "cli/file.h"
#include "machine/chip/internal.h"
#include "owner/session.h"
#include "sev/bytes.h"
#include "tests/fuzz/chip_harness.h"
#include "tests/fuzz/memory_file.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define POLICY 1

static struct owner_session good; /* for the chip's PDH */
static struct chip *chip;
static struct memory *memory;

void error_say(const char *format, ...)
{
    (void)format;
}

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void command(unsigned id, void *buffer)
{
    require(chip_command(chip, id, buffer) == SEV_SUCCESS, "the platform");
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct sev_init init = { 0 };
    chip_harness_start();
    memory = chip_harness_memory(MEMORY_PAGE_SIZE);
    chip = chip_harness_open(memory, 1);
    command(SEV_INIT, &init);
    require(owner_session_make(chip->store.certificate[CHIP_KEY_PDH], SEV_CERT_SIZE, POLICY,
                               &good) == NULL, "a session");
    return 0;
}

static uint16_t start(unsigned id, uint8_t *dh, size_t dh_size, uint8_t *session,
                      size_t session_size)
{
    struct sev_launch_start buffer = {
        .policy = POLICY, .dh_cert_paddr = chip_map(chip, dh, dh_size),
        .dh_cert_len = (uint32_t)dh_size, .session_paddr = chip_map(chip, session, session_size),
        .session_len = (uint32_t)session_size,
    };
    uint64_t places[] = { buffer.dh_cert_paddr, buffer.session_paddr };
    uint16_t status = chip_command(chip, id, &buffer);
    chip_unmap(chip, places[0]);
    chip_unmap(chip, places[1]);
    struct sev_handle end = { buffer.handle };
    if (status == SEV_SUCCESS)
        command(SEV_DECOMMISSION, &end);
    return status;
}

/* As a file that a verb is given. */
static bool read_back(const uint8_t *data, size_t size, size_t limit, struct file *ret)
{
    char path[MEMORY_FILE_PATH];
    int fd = memory_file(data, size, path);
    bool done = file_read_base64(path, "file", limit, ret);
    close(fd);
    return done;
}

static void judge_files(struct file *dh, struct file *session)
{
    struct owner_session ours;
    start(SEV_LAUNCH_START, dh->data, dh->size, session->data, session->size);
    start(SEV_RECEIVE_START, dh->data, dh->size, session->data, session->size);
    owner_session_make(dh->data, dh->size, POLICY, &ours);
}

static void read_files(const uint8_t *data, size_t size)
{
    struct file dh = { 0 }, session = { 0 };
    if (size < 2)
        return;
    size_t length = load_le16(data) < size - 2 ? load_le16(data) : size - 2;
    if (read_back(data + 2, length, 2 * SEV_CERT_SIZE, &dh)) {
        if (read_back(data + 2 + length, size - 2 - length, 2 * SEV_SESSION_SIZE, &session)) {
            judge_files(&dh, &session);
            file_free(&session);
        }
        file_free(&dh);
    }
}

static void change(const uint8_t *data, size_t size)
{
    struct {
        uint8_t dh[SEV_CERT_SIZE];
        struct sev_session session;
    } files;
    memcpy(files.dh, good.certificate, sizeof(files.dh));
    files.session = good.session;
    for (; size >= 3; data += 3, size -= 3)
        ((uint8_t *)&files)[load_le16(data) % sizeof(files)] ^= data[2];
    bool same = memcmp(&files.session, &good.session, sizeof(good.session)) == 0;
    bool same_dh = memcmp(files.dh, good.certificate, sizeof(files.dh)) == 0;
    uint16_t status = start(SEV_LAUNCH_START, files.dh, sizeof(files.dh),
                            (uint8_t *)&files.session, sizeof(files.session));
    require(same || status != SEV_SUCCESS, "a changed session is taken");
    require(!same || !same_dh || status == SEV_SUCCESS, "the session itself is refused");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size && data[0] == 0)
        read_files(data + 1, size - 1);
    else if (size)
        change(data + 1, size - 1);
    return 0;
}
