/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A guest of some pages leaves one platform in a file and arrives from it on another, each below its
 * own `privet chip exec`.
 *
 * usage: sev-migrate send FILE RECEIVER'S-CHAIN POLICY
 *        sev-migrate receive FILE SENDER'S-CHAIN POLICY [BYTE-TO-CHANGE]
 *
 * The last line is "sent", "arrived", or the command that was refused with errno and status.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sev/guest.h"

enum { PAGES = 5, CERTIFICATE = 0x824, SESSION = 0x80, HEADER = 0x34, AMD = 0xC80 };

struct packet {
    uint8_t header[HEADER], data[PAGE];
};

/* The file, which the network would be. */
static struct stream {
    uint8_t session[SESSION];
    struct packet packets[PAGES];
} stream;

/* As `privet chip export --full` writes it: PDH, PEK, OCA, CEK, then ASK and ARK. */
static uint8_t chain[4 * CERTIFICATE + AMD];

static void transfer(const char *path, const char *mode, void *data, size_t size)
{
    FILE *file = fopen(path, mode);
    size_t done = !file ? 0 : *mode == 'r' ? fread(data, 1, size, file) : fwrite(data, 1, size, file);
    if (!file || done != size || fclose(file) != 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(1);
    }
}

static void require(int error, const struct guest *g, const char *what)
{
    if (error) {
        printf("%s: %s, status 0x%02x\n", what, strerror(error), g->status);
        exit(2);
    }
}

/* No two pages are alike, and no two blocks of a page. */
static void fill(uint8_t *memory)
{
    for (uint32_t i = 0; i < PAGES * PAGE; i++)
        memory[i] = (uint8_t)(i * 2654435761u >> 13);
}

static void send_page(struct guest *g, const uint8_t *page, struct packet *packet)
{
    struct kvm_sev_send_update_data update = {
        .hdr_uaddr = address_of(packet->header), .hdr_len = HEADER, .guest_uaddr = address_of(page),
        .guest_len = PAGE, .trans_uaddr = address_of(packet->data), .trans_len = PAGE,
    };
    require(guest_command(g, KVM_SEV_SEND_UPDATE_DATA, &update), g, "SEND_UPDATE_DATA");
}

static void start_sending(struct guest *g, uint32_t policy)
{
    struct kvm_sev_send_start start = {
        .pdh_cert_uaddr = address_of(chain), .pdh_cert_len = CERTIFICATE,
        .plat_certs_uaddr = address_of(chain + CERTIFICATE), .plat_certs_len = 3 * CERTIFICATE,
        .amd_certs_uaddr = address_of(chain + 4 * CERTIFICATE), .amd_certs_len = AMD,
        .session_uaddr = address_of(stream.session),
    };
    if (guest_command(g, KVM_SEV_SEND_START, &start) == EIO && g->status == 4)
        require(start.session_len == SESSION ? 0 : EPROTO, g, "length of a session");
    start.session_len = SESSION;
    require(guest_command(g, KVM_SEV_SEND_START, &start), g, "SEND_START");
    require(start.policy == policy ? 0 : EPROTO, g, "policy that SEND_START tells");
}

static void check_state(struct guest *g, uint32_t policy, uint8_t state)
{
    struct kvm_sev_guest_status status;
    require(guest_command(g, KVM_SEV_GUEST_STATUS, &status), g, "GUEST_STATUS");
    require(status.policy == policy && status.state == state ? 0 : EPROTO, g, "state and policy");
}

static void send_guest(uint32_t policy)
{
    struct guest g = guest_open();
    uint8_t *memory = pages_new(PAGES);
    fill(memory);
    require(guest_launch(&g, policy, memory, PAGES * PAGE), &g, "launch");
    start_sending(&g, policy);
    require(guest_command(&g, KVM_SEV_SEND_CANCEL, NULL), &g, "SEND_CANCEL");
    check_state(&g, policy, 3);
    start_sending(&g, policy);
    for (unsigned i = 0; i < PAGES; i++)
        send_page(&g, memory + i * PAGE, &stream.packets[i]);
    require(guest_command(&g, KVM_SEV_SEND_FINISH, NULL), &g, "SEND_FINISH");
    check_state(&g, policy, 6);
    guest_close(&g);
}

static void receive_page(struct guest *g, const struct packet *packet, uint8_t *page)
{
    struct kvm_sev_receive_update_data update = {
        .hdr_uaddr = address_of(packet->header), .hdr_len = HEADER, .guest_uaddr = address_of(page),
        .guest_len = PAGE, .trans_uaddr = address_of(packet->data), .trans_len = PAGE,
    };
    require(guest_command(g, KVM_SEV_RECEIVE_UPDATE_DATA, &update), g, "RECEIVE_UPDATE_DATA");
}

/* As the debugger sees it, if the policy has debugging. */
static void compare(struct guest *g, uint32_t policy, uint8_t *memory)
{
    uint8_t *expected = pages_new(PAGES), *plain = pages_new(PAGES);
    struct kvm_sev_dbg dbg = { address_of(memory), address_of(plain), PAGES * PAGE };
    fill(expected);
    require(memcmp(memory, expected, PAGES * PAGE) != 0 ? 0 : EPROTO, g, "ciphertext for the host");
    int error = guest_command(g, KVM_SEV_DBG_DECRYPT, &dbg);
    if (policy & 1) {
        require(error == EIO && g->status == 7 ? 0 : EPROTO, g, "a debugger where there is none");
        return;
    }
    require(error, g, "DBG_DECRYPT");
    require(memcmp(plain, expected, PAGES * PAGE) == 0 ? 0 : EPROTO, g, "the guest's memory");
}

static void receive_guest(uint32_t policy)
{
    struct guest g = guest_open();
    uint8_t *memory = pages_new(PAGES);
    struct kvm_sev_receive_start start = {
        .policy = policy, .pdh_uaddr = address_of(chain), .pdh_len = CERTIFICATE,
        .session_uaddr = address_of(stream.session), .session_len = SESSION,
    };
    require(guest_command(&g, KVM_SEV_INIT, NULL), &g, "INIT");
    require(guest_command(&g, KVM_SEV_RECEIVE_START, &start), &g, "RECEIVE_START");
    for (unsigned i = 0; i < PAGES; i++)
        receive_page(&g, &stream.packets[i], memory + i * PAGE);
    require(guest_command(&g, KVM_SEV_RECEIVE_FINISH, NULL), &g, "RECEIVE_FINISH");
    check_state(&g, policy, 3);
    compare(&g, policy, memory);
    guest_close(&g);
}

int main(int count, char **words)
{
    if (count < 5)
        return 1;
    uint32_t policy = (uint32_t)strtoul(words[4], NULL, 0);
    transfer(words[3], "r", chain, sizeof(chain));
    if (strcmp(words[1], "send") == 0) {
        send_guest(policy);
        transfer(words[2], "w", &stream, sizeof(stream));
        puts("sent");
        return 0;
    }
    transfer(words[2], "r", &stream, sizeof(stream));
    if (count > 5)
        ((uint8_t *)&stream)[strtoul(words[5], NULL, 0) % sizeof(stream)] ^= 1;
    receive_guest(policy);
    puts("arrived");
    return 0;
}
