/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Commands to the emulated Secure Processor, one after another, with buffers and host memory of the
 * fuzzer's. Whatever comes: guests, ASIDs and the platform's state fit together, a buffer changes
 * only where the API says so, and a processor's state that VMRUN takes is what was left there.
 *
 * Input: records that begin with a byte. 0xFF: WBINVD on every core. 0xFE, offset (2 bytes), length:
 * bytes into the host's memory. 0xFD, thread: WBINVD on its core. 0xFC, ASID, page: VMRUN and an exit;
 * bit 7 of the page: the host's. Other: an index into the commands, a length, the buffer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/chip/internal.h"
#include "sev/bytes.h"
#include "tests/fuzz/chip_harness.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WBINVD 0xFF
#define POKE   0xFE
#define RAM    0x10000
#define THREAD 0xFD /* its WBINVD */
#define VMRUN  0xFC

static const uint16_t ids[] = {
    SEV_INIT, SEV_SHUTDOWN, SEV_PLATFORM_RESET, SEV_PLATFORM_STATUS, SEV_PEK_GEN, SEV_PEK_CSR,
    SEV_PEK_CERT_IMPORT, SEV_PDH_CERT_EXPORT, SEV_PDH_GEN, SEV_DF_FLUSH, SEV_DOWNLOAD_FIRMWARE,
    SEV_GET_ID, SEV_INIT_EX, SEV_NOP, SEV_DECOMMISSION, SEV_ACTIVATE, SEV_DEACTIVATE,
    SEV_GUEST_STATUS, SEV_COPY, SEV_ACTIVATE_EX, SEV_LAUNCH_START, SEV_LAUNCH_UPDATE_DATA,
    SEV_LAUNCH_UPDATE_VMSA, SEV_LAUNCH_MEASURE, SEV_LAUNCH_SECRET, SEV_LAUNCH_FINISH,
    SEV_ATTESTATION, SEV_SEND_START, SEV_SEND_UPDATE_DATA, SEV_SEND_UPDATE_VMSA, SEV_SEND_FINISH,
    SEV_SEND_CANCEL, SEV_RECEIVE_START, SEV_RECEIVE_UPDATE_DATA, SEV_RECEIVE_UPDATE_VMSA,
    SEV_RECEIVE_FINISH, SEV_DBG_DECRYPT, SEV_DBG_ENCRYPT, SEV_SWAP_OUT, SEV_SWAP_IN, SEV_RING_BUFFER,
    0xFFFF,
};

/* What the host has at CHIP_HOST_WINDOW: the platform's certificates, then room. */
static struct {
    uint8_t pdh[SEV_CERT_SIZE], chain[SEV_CHAIN_SIZE];
    uint8_t rest[0x4000];
} host, fresh;
static uint8_t region[SEV_TMR_SIZE]; /* mapped after it */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    chip_harness_start();
    struct memory *memory = chip_harness_memory(RAM);
    struct chip *chip = chip_harness_open(memory, 5);
    memcpy(fresh.pdh, chip->store.certificate[CHIP_KEY_PDH], SEV_CERT_SIZE);
    memcpy(fresh.chain, chip->store.certificate[CHIP_KEY_PEK], SEV_CERT_SIZE);
    memcpy(fresh.chain + SEV_CERT_SIZE, chip->store.certificate[CHIP_KEY_OCA], SEV_CERT_SIZE);
    chip_close(chip);
    memory_destroy(memory);
    return 0;
}

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

/* Each bound ASID is one guest's, and the platform works exactly while it has guests. */
static void check(const struct chip *chip)
{
    unsigned guests = 0, bound = 0, used = 0;
    for (unsigned i = 0; i < CHIP_MAX_GUESTS; i++) {
        guests += chip->guests[i].state != SEV_GUEST_UNINIT;
        bound += chip->guests[i].asid != 0;
        if (chip->guests[i].asid)
            require(chip->asid[chip->guests[i].asid].state != ASID_FREE &&
                        chip->asid[chip->guests[i].asid].guest == i + 1, "an ASID without guest");
    }
    for (unsigned asid = 0; asid <= MEMORY_MAX_ASID; asid++)
        used += chip->asid[asid].state != ASID_FREE;
    require(guests == chip->guest_count, "the count of guests");
    require(chip->state == SEV_PLATFORM_UNINIT || used == bound, "ASIDs and guests differ");
    for (unsigned i = 0; i < chip->vmsa_count; i++) {
        uint32_t handle = chip->vmsas[i].guest;
        require(!handle || (chip->guests[handle - 1].state != SEV_GUEST_UNINIT &&
                            chip->guests[handle - 1].policy & SEV_POLICY_ES),
                "a VMSA without guest");
    }
    require((guests > 0) == (chip->state == SEV_PLATFORM_WORKING), "the platform's state");
}

static void issue(struct chip *chip, uint16_t id, const uint8_t *data, size_t length)
{
    uint8_t buffer[CHIP_BUFFER_MAX] = { 0 }, before[CHIP_BUFFER_MAX];
    memcpy(buffer, data, length);
    memcpy(before, buffer, sizeof(before));
    uint16_t status = chip_command(chip, id, buffer);
    if (status != SEV_SUCCESS && status != SEV_INVALID_LENGTH)
        require(memcmp(buffer, before, sizeof(before)) == 0, "a failed command wrote its buffer");
    check(chip);
}

/* A state that VMRUN takes comes back as the exit left it; one changed bit of its page is noticed. */
static void vmrun(struct chip *chip, uint32_t asid, uint8_t page)
{
    uint64_t address = (page & 0x80 ? CHIP_HOST_WINDOW : 0) + (page & 0x7Fu) * 0x1000ull;
    uint8_t state[CHIP_VMSA_SIZE], again[CHIP_VMSA_SIZE], byte;
    char why[128];
    if (!chip_vmsa_load(chip, asid, address, state, why, sizeof(why)))
        return;
    state[0x178] ^= 0x55;
    require(chip_vmsa_store(chip, asid, address, state), "an exit without a page");
    require(chip_vmsa_load(chip, asid, address, again, why, sizeof(why)) &&
                memcmp(state, again, sizeof(state)) == 0, "another state than was left");
    uint64_t place = address + asid * 16; /* some block */
    require(chip_read(chip, place, &byte, 1), "a page without memory");
    byte ^= 4;
    chip_write(chip, place, &byte, 1);
    require(!chip_vmsa_load(chip, asid, address, again, why, sizeof(why)), "a changed state");
    byte ^= 4;
    chip_write(chip, place, &byte, 1);
    require(chip_vmsa_load(chip, asid, address, again, why, sizeof(why)), "a restored state");
}

/* One record; the bytes it took. */
static size_t step(struct chip *chip, const uint8_t *data, size_t size)
{
    if (data[0] == WBINVD) {
        chip_note_wbinvd(chip);
        return 1;
    }
    size_t head = data[0] == POKE ? 4 : 2;
    if (size < head)
        return size;
    if (data[0] == VMRUN && size >= 3) {
        vmrun(chip, data[1] % 32, data[2]);
        return 3;
    }
    if (data[0] == THREAD) {
        chip_note_thread_wbinvd(chip, data[1]);
        return 2;
    }
    size_t length = data[head - 1];
    length = length < size - head ? length : size - head;
    if (data[0] == POKE) {
        size_t offset = load_le16(data + 1) % sizeof(host);
        size_t room = sizeof(host) - offset;
        memcpy((uint8_t *)&host + offset, data + head, length < room ? length : room);
    } else {
        length = length < CHIP_BUFFER_MAX ? length : CHIP_BUFFER_MAX;
        issue(chip, ids[data[0] % (sizeof(ids) / sizeof(ids[0]))], data + head, length);
    }
    return head + length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct memory *memory = chip_harness_memory(RAM);
    struct chip *chip = chip_harness_open(memory, 5);
    host = fresh;
    chip_map(chip, &host, sizeof(host));
    chip_map(chip, region, sizeof(region));
    for (int steps = 0; size && steps < 64; steps++) {
        size_t taken = step(chip, data, size);
        data += taken;
        size -= taken;
    }
    chip_close(chip);
    memory_destroy(memory);
    return 0;
}
