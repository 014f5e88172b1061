/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The files of the chip's state folder. One that is damaged is refused and stays as it was; one whose
 * digest is right, whatever it holds, does a chip no harm that lives on it.
 *
 * Input: a byte, then
 *   0: the file chip-state
 *   1: changes of a chip-state that is in order, three bytes each: offset, a byte to change by; then the
 *      digest is made anew
 *   2: the same changes of amd-root, which has no digest: each must be found
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/chip/internal.h"
#include "sev/bytes.h"
#include "tests/fuzz/chip_harness.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DIGEST_SIZE 32u
#define ROOM        0x4000u

struct content {
    uint8_t bytes[ROOM];
    size_t size;
};

static struct content state, root; /* in order */

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static FILE *open_file(const char *name, const char *mode)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", chip_harness_folder(), name);
    FILE *file = fopen(path, mode);
    require(file != NULL, path);
    return file;
}

static void read_back(const char *name, struct content *ret)
{
    FILE *file = open_file(name, "rb");
    ret->size = fread(ret->bytes, 1, sizeof(ret->bytes), file);
    fclose(file);
}

static void write_out(const char *name, const struct content *content)
{
    FILE *file = open_file(name, "wb");
    require(fwrite(content->bytes, 1, content->size, file) == content->size, "a full disk");
    fclose(file);
}

static bool same(const struct content *a, const struct content *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct chip_root certificates;
    struct chip_failure failure;
    chip_harness_start();
    struct memory *memory = chip_harness_memory(0);
    struct chip *chip = chip_harness_open(memory, 1);
    require(chip_root_certificates(chip, &certificates, &failure), "a root");
    chip_close(chip);
    memory_destroy(memory);
    read_back("chip-state", &state);
    read_back("amd-root", &root);
    return 0;
}

static void change(struct content *content, const uint8_t *data, size_t size)
{
    for (; size >= 3; data += 3, size -= 3)
        content->bytes[load_le16(data) % content->size] ^= data[2];
}

/* What a platform does with its certificates and keys. */
static void live(struct chip *chip)
{
    static uint8_t out[SEV_CERT_SIZE + SEV_CHAIN_SIZE];
    uint64_t window = chip_map(chip, out, sizeof(out));
    struct sev_init init = { 0 };
    struct sev_pdh_cert_export export = { window, SEV_CERT_SIZE, 0, window + SEV_CERT_SIZE,
                                          SEV_CHAIN_SIZE };
    struct sev_pek_csr csr = { window, SEV_CERT_SIZE };
    struct sev_pek_cert_import import = { window, SEV_CERT_SIZE, 0, window + SEV_CERT_SIZE,
                                          SEV_CERT_SIZE };
    struct sev_launch_start start = { 0, 0, window, SEV_CERT_SIZE, 0, window, SEV_SESSION_SIZE };
    chip_command(chip, SEV_INIT, &init);
    chip_command(chip, SEV_PDH_CERT_EXPORT, &export);
    chip_command(chip, SEV_PEK_CSR, &csr);
    chip_command(chip, SEV_PEK_CERT_IMPORT, &import);
    chip_command(chip, SEV_LAUNCH_START, &start);
    chip_command(chip, SEV_PDH_GEN, NULL);
}

static void try_state(const struct content *given, bool may_open)
{
    struct content after;
    struct memory *memory = chip_harness_memory(0);
    write_out("chip-state", given);
    struct chip *chip = chip_harness_try(memory);
    require(may_open || !chip || same(given, &state), "a damaged state is taken");
    if (chip) {
        live(chip);
    } else {
        read_back("chip-state", &after);
        require(same(given, &after), "a damaged state was written over");
    }
    chip_close(chip);
    memory_destroy(memory);
}

static void try_root(const struct content *given)
{
    struct chip_root certificates;
    struct content after;
    struct chip_failure failure;
    struct memory *memory = chip_harness_memory(0);
    write_out("chip-state", &state);
    write_out("amd-root", given);
    struct chip *chip = chip_harness_open(memory, 1);
    bool good = chip_root_certificates(chip, &certificates, &failure);
    require(good == same(given, &root), "a damaged root");
    read_back("amd-root", &after);
    require(same(given, &after), "a damaged root was written over");
    chip_close(chip);
    memory_destroy(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct content content;
    if (size == 0)
        return 0;
    content = data[0] == 2 ? root : state;
    if (data[0] == 0) {
        content.size = size - 1 < ROOM ? size - 1 : ROOM;
        memcpy(content.bytes, data + 1, content.size);
    } else {
        change(&content, data + 1, size - 1);
    }
    if (data[0] == 1)
        EVP_Digest(content.bytes, content.size - DIGEST_SIZE,
                   content.bytes + content.size - DIGEST_SIZE, NULL, EVP_sha256(), NULL);
    if (data[0] == 2)
        try_root(&content);
    else
        try_state(&content, data[0] == 1);
    return 0;
}
