/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* `privet chip guests|decrypt`: asks the chip that `privet chip exec` serves. */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/chip.h"
#include "cli/error.h"
#include "cli/file.h"
#include "cli/options.h"
#include "cli/refusal.h"
#include "machine/driver/wire.h"
#include "preload/client.h"

#define PAGE 4096u

static int connect_chip(void)
{
    int fd = client_connect();
    if (fd < 0)
        error_say("chip: no chip is being served here; a program that runs below 'privet chip "
                  "exec' can ask for its guests");
    return fd;
}

static void print_guests(const struct wire_guest *guests, size_t count, bool json)
{
    if (json)
        putchar('[');
    else
        printf("HANDLE  ASID  POLICY      STATE\n");
    for (size_t i = 0; i < count; i++)
        printf(json ? "%s{\"handle\":%u,\"asid\":%u,\"policy\":%u,\"state\":\"%s\"}"
                    : "%s%-6u  %-4u  0x%08x  %s\n",
               json && i ? "," : "", guests[i].handle, guests[i].asid, guests[i].policy,
               sev_guest_state_name(guests[i].state));
    if (json)
        printf("]\n");
}

int chip_guests(bool json)
{
    static struct wire_guest guests[WIRE_PART_MAX / sizeof(struct wire_guest)];
    struct wire wire = { .request = WIRE_GUESTS };
    void *const out[WIRE_PARTS] = { guests };
    const uint32_t capacity[WIRE_PARTS] = { sizeof(guests) };
    int fd = connect_chip();
    if (fd < 0)
        return 1;
    int result = client_request(fd, &wire, NULL, out, capacity);
    close(fd);
    if (result != 0) {
        error_say("chip guests: %s", strerror(errno));
        return 1;
    }
    print_guests(guests, wire.size[0] / sizeof(guests[0]), json);
    return output_flush() ? 0 : 1;
}

static int decrypt(uint32_t handle, uint64_t address, const struct file *file)
{
    uint8_t plain[PAGE];
    struct wire wire = { .request = WIRE_DECRYPT, .handle = handle, .address = address,
                         .size = { (uint32_t)file->size } };
    const void *const in[WIRE_PARTS] = { file->data };
    void *const out[WIRE_PARTS] = { plain };
    const uint32_t capacity[WIRE_PARTS] = { sizeof(plain) };
    int fd = connect_chip();
    if (fd < 0)
        return 1;
    int result = client_request(fd, &wire, in, out, capacity);
    int error = errno;
    close(fd);
    if (result == 0) {
        bool written = file_write("-", plain, wire.size[0], 0600);
        OPENSSL_cleanse(plain, sizeof(plain));
        return written ? 0 : 1;
    }
    const struct refusal refusal = { SEV_DBG_DECRYPT, (uint16_t)wire.status,
                                     { (int)wire.platform, (int)wire.state } };
    if (error == EIO)
        refusal_say(&refusal);
    else
        error_say("chip decrypt: %s; whole blocks of 16 bytes within one page are decrypted",
                  strerror(error));
    return 1;
}

int chip_decrypt(const char *const *words)
{
    uint64_t handle, address;
    struct file file;
    if (!number_parse(words[0], &handle) || handle > UINT32_MAX ||
        !number_parse(words[1], &address)) {
        error_say("chip decrypt: takes a handle, an address and a file; try 'privet chip --help'");
        return 1;
    }
    if (!file_read(words[2], "page of ciphertext", PAGE, &file))
        return 1;
    int code = decrypt((uint32_t)handle, address, &file);
    file_free(&file);
    return code;
}
