/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Hostile programs below `privet chip exec`: their messages over real sockets to the server, whole ones
 * that may mean something, pieces, and ends at any byte. Whatever comes, an answer has the form of one,
 * nobody waits for anybody, and when the programs are gone so are their guests and ASIDs.
 *
 * Input: records that begin with a byte, its low two bits the program.
 *   bits 7:6 = 0, 1: a message (struct form), then bytes for its parts
 *   bits 7:6 = 2:    a byte of length, then raw bytes
 *   bits 7:6 = 3:    the program ends; bit 2: but goes on reading
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "machine/chip/internal.h"
#include "machine/driver/internal.h"
#include "tests/fuzz/chip_harness.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Out of step, each header's worth of a part is a request of its own, answered in a round. */
enum { PROGRAMS = 4, RECORDS = 64, SIZE_MASK = 0x1FFF, ROUNDS = 2048 };
_Static_assert(WIRE_PARTS * SIZE_MASK / sizeof(struct wire) < ROUNDS / 4, "rounds");

/* What a record says of a message. Small numbers: the server's memory is as large as addresses are. */
struct form {
    uint8_t request;
    uint8_t handle, policy;
    /* Two bits a part: the fuzzer's bytes, certificates, the last answer's, that of the part before. */
    uint8_t fill;
    uint8_t address[3];
    uint8_t room[2][2], size[WIRE_PARTS][2];
};

struct program {
    int fd; /* -1: not running */
    struct wire answer;
    size_t done;
};

static struct driver *driver;
static struct chip *chip;
static int listener, always[2];
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static struct program programs[PROGRAMS];
static uint8_t certificates[SEV_CERT_SIZE + SEV_CHAIN_SIZE];
static uint8_t last[WIRE_PARTS][WIRE_PART_MAX]; /* parts of the last answer that had some */

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void remove_socket(void)
{
    unlink(address.sun_path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    chip_harness_start();
    struct memory *memory = chip_harness_memory(0);
    chip = chip_harness_open(memory, 5);
    driver = driver_create(chip, memory, 5, CHIP_HARNESS_ASIDS);
    memcpy(certificates, chip->store.certificate[CHIP_KEY_PDH], SEV_CERT_SIZE);
    memcpy(certificates + SEV_CERT_SIZE, chip->store.certificate[CHIP_KEY_PEK], SEV_CERT_SIZE);
    memcpy(certificates + 2 * SEV_CERT_SIZE, chip->store.certificate[CHIP_KEY_OCA], SEV_CERT_SIZE);
    snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/privet-fuzz-driver.%d", (int)getpid());
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    require(driver && listener >= 0 &&
                bind(listener, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
                listen(listener, PROGRAMS) == 0 && pipe(always) == 0 && write(always[1], "", 1) == 1,
            "the server");
    atexit(remove_socket);
    return 0;
}

/* One look at all descriptors: the server is told to end each time. */
static void serve(void)
{
    require(driver_serve(driver, listener, always[0]), "poll");
}

static void begin(struct program *p)
{
    if (p->fd >= 0)
        return;
    *p = (struct program){ .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0) };
    require(p->fd >= 0 &&
                connect(p->fd, (const struct sockaddr *)&address, sizeof(address)) == 0, "connect");
    serve();
}

static void end(struct program *p)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
}

static void check_answer(const struct wire *w)
{
    for (unsigned i = 0; i < WIRE_PARTS; i++)
        require(w->size[i] <= WIRE_PART_MAX, "a part's size");
    require((w->error == EIO) == (w->error && w->status != WIRE_NO_FIRMWARE), "EIO and status");
    require(!w->error || (!w->size[0] && !w->size[1] && !w->size[2]) || w->request == 1,
            "parts of a refusal");
}

/* Where the next byte of an answer goes; 0: it is whole. */
static size_t place(struct program *p, uint8_t **ret)
{
    size_t at = p->done;
    *ret = (uint8_t *)&p->answer + at;
    if (at < sizeof(p->answer))
        return sizeof(p->answer) - at;
    at -= sizeof(p->answer);
    for (unsigned i = 0; i < WIRE_PARTS; i++) {
        *ret = last[i] + at;
        if (at < p->answer.size[i])
            return p->answer.size[i] - at;
        at -= p->answer.size[i];
    }
    return 0;
}

/* What has come for a program. True: something did. */
static bool drain(struct program *p)
{
    uint8_t *to;
    bool came = false;
    while (p->fd >= 0) {
        size_t room = place(p, &to);
        if (!room) {
            p->done = 0;
            continue;
        }
        ssize_t got = recv(p->fd, to, room, 0);
        if (got == 0 || (got < 0 && errno == ECONNRESET))
            end(p);
        if (got <= 0)
            return came;
        came = true;
        p->done += (size_t)got;
        if (p->done == sizeof(p->answer))
            check_answer(&p->answer);
    }
    return came;
}

/* All bytes, with the server at work and every program reading; fewer if the server hung up. */
static void say(struct program *p, const void *data, size_t size)
{
    const uint8_t *from = data;
    for (unsigned round = 0; size && p->fd >= 0; round++) {
        require(round < ROUNDS, "the server does not read");
        ssize_t sent = send(p->fd, from, size, MSG_NOSIGNAL);
        if (sent > 0) {
            from += sent;
            size -= (size_t)sent;
        }
        serve();
        for (unsigned i = 0; i < PROGRAMS; i++)
            drain(&programs[i]);
    }
}

static void settle(struct program *p)
{
    bool came = true;
    for (unsigned round = 0; came; round++) {
        require(round < ROUNDS, "the server does not end");
        serve();
        came = drain(p);
    }
}

static uint32_t number(const uint8_t bytes[2])
{
    return bytes[0] | (uint32_t)bytes[1] << 8;
}

static uint32_t request_of(uint8_t number)
{
    static const uint32_t others[] = { WIRE_GUESTS, WIRE_DECRYPT, 0x0FFF, 0x1FFF, 0xFFFFFFFF };
    if (number < 0x10)
        return number;
    if (number < 0x40)
        return WIRE_GUEST + number % 0x18;
    return number < 0x48 ? others[number % 5] : WIRE_GUEST + number % 0x18;
}

/* The fuzzer's bytes that it took. */
static size_t fill_part(unsigned fill, unsigned part, uint8_t *to, size_t size, const uint8_t *data,
                        size_t left)
{
    size_t first = part == 1 ? SEV_CERT_SIZE : 0, room = sizeof(certificates) - first;
    memset(to, 0, size);
    if (fill == 1)
        memcpy(to, certificates + first, size < room ? size : room);
    else if (fill == 2 || (fill == 3 && part))
        memcpy(to, last[fill == 2 ? part : part - 1], size);
    if (fill)
        return 0;
    size = size < left ? size : left;
    memcpy(to, data, size);
    return size;
}

/* A whole message; the bytes of the record that it took. */
static size_t message(struct program *p, const uint8_t *data, size_t size)
{
    static uint8_t parts[WIRE_PARTS][WIRE_PART_MAX];
    struct form form;
    if (size < sizeof(form))
        return size;
    memcpy(&form, data, sizeof(form));
    size_t taken = sizeof(form);
    struct wire wire = {
        .request = request_of(form.request), .handle = form.handle, .policy = form.policy,
        .address = number(form.address) | (form.address[2] & 1 ? 0xFFFF0000 : 0),
    };
    for (unsigned i = 0; i < 2; i++)
        wire.room[i] = number(form.room[i]);
    for (unsigned i = 0; i < WIRE_PARTS; i++) {
        wire.size[i] = number(form.size[i]) & SIZE_MASK;
        taken += fill_part(form.fill >> 2 * i & 3, i, parts[i], wire.size[i], data + taken,
                           size - taken);
    }
    say(p, &wire, sizeof(wire));
    for (unsigned i = 0; i < WIRE_PARTS; i++)
        say(p, parts[i], wire.size[i]);
    settle(p);
    return taken;
}

/* One record; the bytes it took. */
static size_t step(const uint8_t *data, size_t size)
{
    struct program *p = &programs[data[0] & 3];
    begin(p);
    if (data[0] >> 6 < 2)
        return 1 + message(p, data + 1, size - 1);
    if (data[0] >> 6 == 3) {
        if (data[0] & 4)
            shutdown(p->fd, SHUT_WR);
        else
            end(p);
        serve();
        return 1;
    }
    if (size < 2)
        return size;
    size_t length = data[1] < size - 2 ? data[1] : size - 2;
    say(p, data + 2, length);
    return 2 + length;
}

static void check_clean(void)
{
    struct sev_platform_status status = { 0 };
    chip_command(chip, SEV_PLATFORM_STATUS, &status);
    require(driver->count == 0, "connections of programs that ended");
    require(status.guest_count == 0, "guests of programs that ended");
    for (unsigned asid = 1; asid <= CHIP_HARNESS_ASIDS; asid++)
        require(driver->asid[asid] != DRIVER_ASID_TAKEN, "ASIDs of programs that ended");
    for (unsigned i = 0; i < DRIVER_VMSAS; i++)
        require(!driver->vmsas[i].handle, "pages of processors that are gone");
    for (unsigned i = 0; i < CHIP_MAX_MAPS; i++)
        require(!chip->maps[i].data, "buffers that the chip still has");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (unsigned i = 0; i < PROGRAMS; i++)
        programs[i].fd = -1;
    for (int records = 0; size && records < RECORDS; records++) {
        size_t taken = step(data, size);
        data += taken;
        size -= taken;
    }
    for (unsigned i = 0; i < PROGRAMS; i++)
        end(&programs[i]);
    for (unsigned i = 0; i < PROGRAMS; i++)
        serve();
    check_clean();
    return 0;
}
