/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The firmware's network boot against a network that the fuzzer plays. The input is a row of
 * records: kind, 16-bit length, data. One is delivered whenever the firmware has nothing to read:
 *   0 a frame as it is
 *   1 a DHCP message, with the client's transaction and station put in
 *   2 a TFTP packet from the server to the port that the client used last
 *   3 an ARP reply for the address that was asked for last; its data lies over it from byte 14 on
 *   4 nothing for a second
 * Headers and checksums of 1 and 2 are right, because a fuzzer does not find them.
 */
#include <stdlib.h>
#include <string.h>

#include "firmware/net/netboot.h"
#include "firmware/net/tftp.h"
#include "tests/unit/net_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    FETCH_MAXIMUM = 1 << 16, /* of what is fetched; sizes may be larger */
    SERVER_PORT = 2070,
    US = 0x0A00020F,
    DHCP_HEADER = 34,        /* to the station's end */
    SECONDS = 60,            /* that a boot may take besides what records get it to wait for */
    SECONDS_OF_RECORD = 6,
};

static const uint8_t *input;
static size_t left;
static unsigned records;

/* What the firmware said last. */
static uint8_t transaction[4];
static uint16_t client_port;
static uint32_t server, arp_target;

static uint32_t get(const uint8_t *at, unsigned bytes)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return value;
}

static void sent(const uint8_t *frame, size_t length)
{
    if (length < 42 || length > NET_MODEL_FRAME)
        __builtin_trap();
    if (get(frame + 12, 2) == 0x806) {
        arp_target = get(frame + 38, 4);
        return;
    }
    client_port = (uint16_t)get(frame + 34, 2);
    server = get(frame + 30, 4);
    if (get(frame + 36, 2) == DHCP_SERVER_PORT)
        memcpy(transaction, frame + 46, sizeof(transaction));
}

static void deliver_dhcp(uint8_t *message, size_t length)
{
    uint8_t frame[NET_MODEL_FRAME];
    if (length >= DHCP_HEADER) {
        memcpy(message + 4, transaction, sizeof(transaction));
        memcpy(message + 28, net_model_client, 6);
    }
    net_model_queue(frame, net_model_udp(frame, server, 0xFFFFFFFF, DHCP_SERVER_PORT,
                                         DHCP_CLIENT_PORT, message, length));
}

static void deliver(uint8_t kind, uint8_t *data, size_t length)
{
    uint8_t frame[NET_MODEL_FRAME];
    size_t arp = length < 46 ? length : 46;
    switch (kind % 5) {
    case 0:
        net_model_queue(data, length);
        break;
    case 1:
        deliver_dhcp(data, length);
        break;
    case 2:
        net_model_queue(frame, net_model_udp(frame, server, US, SERVER_PORT, client_port, data,
                                             length));
        break;
    case 3:
        net_model_arp_reply(frame, arp_target, US);
        memcpy(frame + 14, data, arp);
        net_model_queue(frame, 60);
        break;
    default:
        net_model_now += PORT_SECOND;
        break;
    }
}

static void next_record(void)
{
    uint8_t data[NET_MODEL_FRAME];
    if (left < 3) {
        net_model_now += PORT_SECOND; /* nobody says anything any more */
        return;
    }
    uint8_t kind = input[0];
    size_t length = (size_t)input[1] | (size_t)input[2] << 8;
    size_t most = kind % 5 == 0 ? NET_MODEL_FRAME : PACKET_UDP_MAXIMUM;
    length = length > left - 3 ? left - 3 : length;
    size_t used = length < most ? length : most;
    memcpy(data, input + 3, used);
    input += 3 + length;
    left -= 3 + length;
    records++;
    deliver(kind, data, used);
}

/* What reaches the console must not speak to a terminal. */
static void check_text(const char *text)
{
    for (; *text; text++)
        if ((*text < ' ' || *text > '~') && *text != '\n')
            __builtin_trap();
}

static void fetch(struct netboot *netboot, struct port_failure *failure)
{
    if (netboot->size == 0 || netboot->size > TFTP_FILE_MAXIMUM)
        __builtin_trap();
    if (netboot->size > FETCH_MAXIMUM)
        return;
    uint8_t *buffer = malloc(netboot->size);
    memset(buffer, 0, netboot->size);
    if (!netboot_fetch(netboot, &net_model_card, buffer, failure))
        check_text(failure->text);
    if (netboot->known)
        __builtin_trap();
    free(buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct netboot netboot = { 0 };
    struct port_failure failure;
    net_model_reset();
    net_model_sent = sent;
    net_model_idle = next_record;
    input = data;
    left = size;
    records = 0;
    client_port = 0;
    server = arp_target = 0x0A000202;
    if (netboot_ask(&netboot, &net_model_card, &failure))
        fetch(&netboot, &failure);
    else
        check_text(failure.text);
    check_text(net_model_log);
    if (net_model_card.Mode->State != EfiSimpleNetworkStopped ||
        net_model_now > (SECONDS + (uint64_t)records * SECONDS_OF_RECORD) * PORT_SECOND)
        __builtin_trap();
    return 0;
}
