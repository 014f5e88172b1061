/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The firmware's network boot: packets taken apart and refused, DHCP answers, TFTP transfers with
 * everything that a server may do, and whole conversations with a network that loses packets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/net/netboot.h"
#include "firmware/net/tftp.h"
#include "net_model.h"

enum {
    US = 0x0A00020F,
    SERVER = 0x0A000202,
    ROUTER = 0x0A000201,
    FAR_SERVER = 0xC0000205,
    SERVER_PORT = 2070,
    UDP_AT = 42,
    FILE_ROOM = 2 << 20,
};

/* --- packets --- */

static void udp_frames(void **state)
{
    uint8_t frame[NET_MODEL_FRAME], ours[NET_MODEL_FRAME], bad[NET_MODEL_FRAME];
    const uint8_t text[] = "odd";
    struct packet_udp udp, want = { .from = SERVER, .to = US, .from_port = 67, .to_port = 68,
                                    .length = 3 };
    size_t length = net_model_udp(frame, SERVER, US, 67, 68, text, 3);
    assert_true(packet_read_udp(frame, length, &udp));
    assert_int_equal(udp.from, SERVER);
    assert_int_equal(udp.to, US);
    assert_int_equal(udp.from_port, 67);
    assert_int_equal(udp.to_port, 68);
    assert_int_equal(udp.length, 3);
    assert_memory_equal(udp.data, text, 3);
    assert_memory_equal(udp.from_station, net_model_server, 6);
    assert_true(packet_read_udp(frame, length + 15, &udp)); /* Ethernet's padding */
    assert_int_equal(udp.length, 3);

    /* What we make is what it is made of, but for the flag that forbids fragments. */
    memcpy(want.from_station, net_model_server, 6);
    memcpy(want.to_station, net_model_client, 6);
    memcpy(ours + UDP_AT, text, 3);
    assert_int_equal(packet_write_udp(ours, &want), length);
    assert_true(packet_read_udp(ours, length, &udp));
    assert_memory_equal(ours + UDP_AT - 8, frame + UDP_AT - 8, 8 + 3);

    /* Cut anywhere, or any bit that a checksum covers turned. */
    for (size_t cut = 0; cut < length; cut++)
        assert_false(packet_read_udp(frame, cut, &udp));
    for (size_t bit = 12 * 8; bit < length * 8; bit++) {
        memcpy(bad, frame, length);
        bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(packet_read_udp(bad, length, &udp));
    }
    memcpy(bad, frame, length);
    bad[40] = bad[41] = 0; /* no checksum at all */
    assert_true(packet_read_udp(bad, length, &udp));
}

/* A header sum that is right does not make a length or a fragment right. */
static void udp_lies(void **state)
{
    static const struct {
        unsigned at, value;
    } lies[] = { { 14, 0x4400 },   /* a header of 16 bytes; the rest would be a datagram */
                 { 14, 0x4F00 },   /* of 60, which the packet does not have */
                 { 14, 0x6500 },   /* version 6 */
                 { 16, 0 },        /* lengths of the packet */
                 { 16, 19 },  { 16, 27 }, { 16, 0xFFFF }, { 20, 0x2000 }, /* more fragments */
                 { 20, 1 },        /* the second of some */
                 { 38, 0 },        /* lengths of the datagram */
                 { 38, 7 },   { 38, 13 }, { 38, 0xFFFF } };
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        uint8_t frame[NET_MODEL_FRAME];
        struct packet_udp udp;
        uint32_t sum = 0;
        size_t length = net_model_udp(frame, SERVER, US, 67, 68, (const uint8_t *)"abcd", 4);
        assert_true(packet_read_udp(frame, length, &udp));
        frame[lies[i].at] = (uint8_t)(lies[i].value >> 8);
        frame[lies[i].at + 1] = (uint8_t)lies[i].value;
        frame[40] = frame[41] = frame[24] = frame[25] = 0;
        if (lies[i].value == 0x4400) /* ... of this length, without a checksum */
            memcpy(frame + 30, (uint8_t[]){ 0, 67, 0, 68, 0, 12, 0, 0 }, 8);
        for (unsigned at = 14; at < 14 + (frame[14] & 15u) * 4 && at < length; at += 2)
            sum += (uint32_t)frame[at] << 8 | frame[at + 1];
        sum = (sum >> 16) + (sum & 0xFFFF);
        sum = ~(sum + (sum >> 16)) & 0xFFFF;
        frame[24] = (uint8_t)(sum >> 8);
        frame[25] = (uint8_t)sum;
        assert_false(packet_read_udp(frame, length, &udp));
    }
}

static void arp_frames(void **state)
{
    uint8_t frame[60], made[60];
    struct packet_arp arp;
    size_t length = net_model_arp_reply(frame, SERVER, US);
    assert_true(packet_read_arp(frame, length, &arp));
    assert_int_equal(arp.kind, PACKET_ARP_REPLY);
    assert_int_equal(arp.from, SERVER);
    assert_int_equal(arp.to, US);
    packet_write_arp(made, &arp);
    assert_memory_equal(made, frame, sizeof(frame));
    assert_false(packet_read_arp(frame, 41, &arp));
    for (unsigned at = 12; at < 22; at++) { /* kinds of hardware, protocol, addresses, message */
        net_model_arp_reply(frame, SERVER, US);
        frame[at] ^= 0x80;
        assert_false(packet_read_arp(frame, length, &arp));
    }
    net_model_arp_reply(frame, SERVER, US);
    frame[22] = 0xFF; /* from a group */
    assert_false(packet_read_arp(frame, length, &arp));
}

/* --- DHCP --- */

static const struct dhcp_client client = { { 2, 0, 0, 0, 0, 1 }, 0x12345678, 0 };
static uint8_t message[600];
static size_t message_length;

static void put32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* A reply without options but its kind and server. */
static void begin_message(uint8_t kind, uint32_t transaction)
{
    memset(message, 0, sizeof(message));
    message[0] = 2;
    message[1] = 1;
    message[2] = 6;
    put32(message + 4, transaction);
    put32(message + 16, US);
    memcpy(message + 28, net_model_client, 6);
    memcpy(message + 236, (uint8_t[]){ 99, 130, 83, 99, 53, 1, kind, 54, 4 }, 9);
    put32(message + 245, SERVER);
    message_length = 249;
}

static void option(uint8_t code, const void *data, uint8_t length)
{
    message[message_length++] = code;
    message[message_length++] = length;
    memcpy(message + message_length, data, length);
    message_length += length;
}

static bool read_message(struct dhcp_answer *ret)
{
    uint8_t *copy = malloc(message_length); /* so that a sanitizer sees its end */
    memcpy(copy, message, message_length);
    bool good = dhcp_read(&client, copy, message_length, ret);
    free(copy);
    return good;
}

static void dhcp_requests(void **state)
{
    uint8_t discover[DHCP_MESSAGE], request[DHCP_MESSAGE];
    const struct dhcp_answer offer = { .address = US, .server = SERVER };
    assert_int_equal(dhcp_write(&client, NULL, discover), DHCP_MESSAGE);
    assert_memory_equal(discover, ((uint8_t[]){ 1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78 }), 8);
    assert_memory_equal(discover + 28, net_model_client, 6);
    assert_memory_equal(discover + 236, ((uint8_t[]){ 99, 130, 83, 99, 53, 1, 1, 57 }), 8);
    assert_int_equal(dhcp_write(&client, &offer, request), DHCP_MESSAGE);
    assert_memory_equal(request + 240, ((uint8_t[]){ 53, 1, 3, 54, 4, 10, 0, 2, 2, 50, 4, 10, 0, 2,
                                                     15, 57 }), 16);
    /* Every option ends where the next one begins, the last one within the message. */
    size_t at = 240;
    while (request[at] != 255 && at + 1 < sizeof(request))
        at += 2 + request[at + 1];
    assert_int_equal(request[at], 255);
}

static void dhcp_answers(void **state)
{
    struct dhcp_answer answer;
    begin_message(2, client.transaction);
    assert_true(read_message(&answer));
    assert_int_equal(answer.kind, DHCP_OFFER);
    assert_int_equal(answer.address, US);
    assert_int_equal(answer.boot_server, SERVER);
    assert_string_equal(answer.boot_file, "");
    memcpy(message + 108, "field.efi", 9);
    assert_true(read_message(&answer));
    assert_string_equal(answer.boot_file, "field.efi");
    option(67, "option.efi\0junk", 15);
    option(1, "\xff\xff\xff\0", 4);
    option(3, "\x0a\0\2\1\x0a\0\2\3", 8);
    option(66, "192.0.2.5", 9);
    assert_true(read_message(&answer));
    assert_string_equal(answer.boot_file, "option.efi");
    assert_int_equal(answer.mask, 0xFFFFFF00);
    assert_int_equal(answer.router, ROUTER);
    assert_int_equal(answer.boot_server, FAR_SERVER);
    put32(message + 20, ROUTER); /* the header's next server comes first */
    assert_true(read_message(&answer));
    assert_int_equal(answer.boot_server, ROUTER);
}

static void dhcp_names(void **state)
{
    static const char *const names[] = { "tftp.example", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1..2.3",
                                         "1.2.3.4 ", "1.2.3.0004" };
    struct dhcp_answer answer;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        begin_message(2, client.transaction);
        option(66, names[i], (uint8_t)strlen(names[i]));
        assert_true(read_message(&answer));
        assert_int_equal(answer.boot_server, 0);
        assert_string_equal(answer.boot_server_name, names[i]);
    }
    begin_message(2, client.transaction);
    option(67, "a\x1b[2Jb", 6); /* would speak to the terminal */
    assert_true(read_message(&answer));
    assert_string_equal(answer.boot_file, "");
    char longest[255];
    memset(longest, 'x', sizeof(longest));
    option(67, longest, sizeof(longest));
    assert_true(read_message(&answer));
    assert_int_equal(strlen(answer.boot_file), 255);
}

static void dhcp_overload(void **state)
{
    struct dhcp_answer answer;
    begin_message(5, client.transaction);
    option(52, "\3", 1);
    memcpy(message + 108, "\103\5a.efi\377", 8); /* the file field: option 67 */
    memcpy(message + 44, "\102\0111.2.3.4\0xx\377", 12); /* the server name's: option 66 */
    assert_true(read_message(&answer));
    assert_string_equal(answer.boot_file, "a.efi");
    assert_int_equal(answer.boot_server, 0x01020304);
    message[109] = 200; /* beyond the field */
    assert_false(read_message(&answer));
}

static void dhcp_refused(void **state)
{
    static const struct {
        unsigned at;
        uint8_t value;
    } lies[] = { { 0, 1 },   { 1, 6 },     { 2, 5 },     { 4, 0 },    { 28, 4 },   { 236, 0 },
                 { 242, 1 }, { 242, 3 },   { 242, 4 },   { 242, 9 },  { 241, 200 }, { 244, 250 },
                 { 16, 0 },  { 16, 127 },  { 16, 255 },  { 245, 0 },  { 245, 224 }, { 20, 255 } };
    struct dhcp_answer answer;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        begin_message(2, client.transaction);
        assert_true(read_message(&answer));
        message[lies[i].at] = lies[i].value;
        assert_false(read_message(&answer));
    }
    begin_message(2, client.transaction);
    for (message_length = 0; message_length < 249; message_length++)
        assert_false(read_message(&answer)); /* without a server, or cut */
}

/* --- TFTP --- */

/* A packet of a server: kind, block, and what `data` is. */
static enum tftp_step take(struct tftp_transfer *t, unsigned kind, unsigned block, const void *data,
                           size_t length)
{
    uint8_t *packet = malloc(4 + length);
    memcpy(packet, (uint8_t[]){ 0, (uint8_t)kind, (uint8_t)(block >> 8), (uint8_t)block }, 4);
    if (length)
        memcpy(packet + 4, data, length);
    enum tftp_step step = tftp_take(t, packet, 4 + length);
    free(packet);
    return step;
}

/* An OACK of these bytes behind the kind. */
static enum tftp_step take_options(struct tftp_transfer *t, const void *options, size_t length)
{
    uint8_t packet[64] = { 0, 6 };
    memcpy(packet + 2, options, length);
    return tftp_take(t, packet, 2 + length);
}
#define OPTIONS(t, text) take_options(t, text, sizeof(text) - 1)

static void tftp_packets(void **state)
{
    static const char wanted[] = "\0\1boot/a.efi\0octet\0tsize\0000\0blksize\0001468";
    uint8_t packet[TFTP_PACKET];
    assert_int_equal(tftp_write_request(packet, "boot/a.efi"), sizeof(wanted));
    assert_memory_equal(packet, wanted, sizeof(wanted));
    assert_int_equal(tftp_write_ack(packet, 0xABCD), 4);
    assert_memory_equal(packet, "\0\4\xab\xcd", 4);
    assert_int_equal(tftp_write_error(packet, "no"), 7);
    assert_memory_equal(packet, "\0\5\0\10no", 7);
}

static void tftp_options(void **state)
{
    static const struct {
        const char *options;
        size_t length;
        const char *reason; /* NULL: the size 700 is known then */
    } cases[] = {
#define CASE(text, reason) { text, sizeof(text) - 1, reason }
        CASE("tsize\000700\0", NULL),
        CASE("TSize\000700\0BLKSIZE\0001468\0", NULL),
        CASE("blksize\0008\0tsize\000700\0", NULL),
        CASE("blksize\0007\0", "impossible block size"),
        CASE("blksize\0001469\0", "impossible block size"),
        CASE("blksize\000-1\0", "impossible block size"),
        CASE("blksize\0\0", "impossible block size"),
        CASE("blksize\00018446744073709551624\0", "impossible block size"),
        CASE("tsize\0001073741825\0", "larger than 1 GiB"),
        CASE("tsize\00012x\0", "larger than 1 GiB"),
        CASE("windowsize\0004\0", "nobody asked"),
        CASE("tsize\0", "malformed"),
        CASE("tsize\000700", "malformed"),
        CASE("tsize", "malformed"),
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tftp_transfer t = { 0 };
        enum tftp_step step = take_options(&t, cases[i].options, cases[i].length);
        assert_int_equal(step, cases[i].reason ? TFTP_REFUSE : TFTP_SIZE);
        if (cases[i].reason)
            assert_non_null(strstr(t.reason, cases[i].reason));
        else
            assert_int_equal(t.size, 700);
    }
    struct tftp_transfer t = { 0 };
    assert_int_equal(OPTIONS(&t, "tsize\0000\0"), TFTP_ANSWER); /* it does not know the size */
    assert_int_equal(OPTIONS(&t, "tsize\0000\0"), TFTP_ANSWER); /* our answer was lost */
    assert_int_equal(take(&t, 3, 1, "abc", 3), TFTP_DONE);
    assert_int_equal(t.size, 3);
    assert_int_equal(OPTIONS(&t, "tsize\0000\0"), TFTP_IGNORE);
}

static void tftp_blocks(void **state)
{
    uint8_t *buffer = malloc(20), data[513] = { 1, 2, 3 };
    struct tftp_transfer t = { .buffer = buffer, .size = 20, .size_known = true };
    assert_int_equal(take(&t, 3, 2, data, 8), TFTP_IGNORE); /* the second before the first */
    assert_int_equal(OPTIONS(&t, "blksize\0008\0"), TFTP_ANSWER);
    assert_int_equal(take(&t, 3, 0, data, 8), TFTP_IGNORE);
    assert_int_equal(take(&t, 3, 1, "12345678", 8), TFTP_ANSWER);
    assert_int_equal(take(&t, 3, 1, "xxxxxxxx", 8), TFTP_ANSWER); /* acknowledged, not taken */
    assert_int_equal(t.received, 8);
    assert_int_equal(take(&t, 3, 3, data, 8), TFTP_IGNORE);
    assert_int_equal(take(&t, 4, 2, data, 8), TFTP_IGNORE);
    assert_int_equal(take(&t, 3, 2, "abcdefgh", 8), TFTP_ANSWER);
    struct tftp_transfer at_two = t;
    assert_int_equal(take(&t, 3, 3, data, 9), TFTP_REFUSE); /* longer than a block */
    t = at_two;
    assert_int_equal(take(&t, 3, 3, data, 5), TFTP_REFUSE); /* longer than the file */
    assert_non_null(strstr(t.reason, "longer"));
    t = at_two;
    assert_int_equal(take(&t, 3, 3, data, 3), TFTP_REFUSE); /* shorter */
    assert_non_null(strstr(t.reason, "changed"));
    t = at_two;
    assert_int_equal(take(&t, 3, 3, "ENDE", 4), TFTP_DONE);
    assert_memory_equal(buffer, "12345678abcdefghENDE", 20);
    t = (struct tftp_transfer){ .buffer = buffer, .size = 20, .size_known = true };
    assert_int_equal(OPTIONS(&t, "tsize\00021\0"), TFTP_REFUSE);
    t = (struct tftp_transfer){ 0 };
    assert_int_equal(take(&t, 3, 1, data, 513), TFTP_REFUSE);
    t = (struct tftp_transfer){ 0 };
    assert_int_equal(take(&t, 3, 1, data, 0), TFTP_REFUSE);
    assert_non_null(strstr(t.reason, "empty"));
    free(buffer);
}

/* Of 8 bytes more than 65536: the number wraps to 0, where a repetition is still one. */
static void tftp_wrap(void **state)
{
    struct tftp_transfer t = { 0 };
    assert_int_equal(OPTIONS(&t, "blksize\0008\0"), TFTP_ANSWER);
    for (unsigned block = 1; block <= 140000; block++) {
        assert_int_equal(take(&t, 3, block & 0xFFFF, "12345678", 8), TFTP_ANSWER);
        if ((block & 0x7FFF) == 0)
            assert_int_equal(take(&t, 3, block & 0xFFFF, "12345678", 8), TFTP_ANSWER);
    }
    assert_int_equal(take(&t, 3, 140001 & 0xFFFF, "1", 1), TFTP_DONE);
    assert_int_equal(t.size, 140000 * 8 + 1);
}

static void tftp_errors(void **state)
{
    struct tftp_transfer t = { 0 };
    assert_int_equal(take(&t, 5, 1, "no\x1b[2J such", 12), TFTP_FAILED);
    assert_string_equal(t.reason, "no?[2J such");
    assert_true(t.not_found);
    t = (struct tftp_transfer){ 0 };
    assert_int_equal(take(&t, 5, 2, "denied", 6), TFTP_FAILED); /* without a NUL */
    assert_string_equal(t.reason, "denied");
    assert_false(t.not_found);
    t = (struct tftp_transfer){ 0 };
    assert_int_equal(take(&t, 5, 7, NULL, 0), TFTP_FAILED);
    assert_string_equal(t.reason, "error 7");
    char text[300];
    memset(text, 'x', sizeof(text));
    assert_int_equal(take(&t, 5, 7, text, sizeof(text)), TFTP_FAILED);
    assert_int_equal(strlen(t.reason), TFTP_REASON_ROOM - 1);
    assert_int_equal(tftp_take(&t, (const uint8_t *)"\0\5\0", 3), TFTP_IGNORE);
    assert_int_equal(tftp_take(&t, (const uint8_t *)"", 0), TFTP_IGNORE);
}

/* --- whole conversations --- */

/* What the servers do. */
static struct {
    bool no_dhcp, no_ack, nak, no_tftp, no_options, no_tsize, missing, far_away, no_arp, named;
    bool other_address; /* the server acknowledges an address that it did not offer */
    bool strangers;     /* others answer first, with what would end or change the boot */
    unsigned lose;       /* every so many packets, either way */
    unsigned silent_at;  /* a block that the TFTP server never sends */
    uint32_t grow;       /* bytes that the file has more at the second request */
    const char *boot_file;
} net;
static uint8_t file[FILE_ROOM];
static size_t file_size, block_size;
static unsigned packets, requests, arp_asked, tftp_errors_seen;
static uint16_t tftp_client;
static uint32_t pending; /* a block that was sent */

static uint32_t get(const uint8_t *at, unsigned bytes)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return value;
}

static bool lost(void)
{
    return net.lose && ++packets % net.lose == 0;
}

static void answer(uint16_t from_port, uint16_t to_port, const uint8_t *data, size_t length)
{
    uint8_t frame[NET_MODEL_FRAME];
    uint32_t from = net.far_away && from_port != 67 ? FAR_SERVER : SERVER;
    size_t size = net_model_udp(frame, from, from_port == 67 ? 0xFFFFFFFF : US, from_port, to_port,
                                data, length);
    if (!lost())
        net_model_queue(frame, size);
}

static void forge(uint32_t from, uint32_t to, uint16_t from_port, uint16_t to_port,
                  const uint8_t *data, size_t length)
{
    uint8_t frame[NET_MODEL_FRAME];
    if (net.strangers)
        net_model_queue(frame, net_model_udp(frame, from, to, from_port, to_port, data, length));
}

/* An error from each who is not the server: another host, for another host, from another port. */
static void forge_tftp(void)
{
    static const uint8_t error[] = "\0\5\0\1forged";
    forge(SERVER + 1, US, SERVER_PORT, tftp_client, error, sizeof(error));
    forge(SERVER, US + 1, SERVER_PORT, tftp_client, error, sizeof(error));
    forge(SERVER, US, SERVER_PORT, tftp_client ^ 1, error, sizeof(error));
    if (pending) /* before its first answer any port may be the server's */
        forge(SERVER, US, SERVER_PORT + 1, tftp_client, error, sizeof(error));
}

/* The message from a port that is no server's; a refusal in the name of another server. */
static void forge_dhcp(uint8_t asked, uint32_t transaction)
{
    begin_message(asked == 1 ? 2 : 6, transaction);
    option(67, "evil.efi", 8);
    forge(SERVER, 0xFFFFFFFF, 4011, 68, message, message_length);
    begin_message(6, transaction);
    put32(message + 245, ROUTER);
    option(67, "evil.efi", 8);
    forge(ROUTER, 0xFFFFFFFF, 67, 68, message, message_length);
}

static void serve_dhcp(const uint8_t *data)
{
    uint8_t asked = data[242];
    if (net.no_dhcp || (asked == 3 && net.no_ack))
        return;
    forge_dhcp(asked, get(data + 4, 4));
    begin_message(asked == 1 ? 2 : net.nak ? 6 : 5, get(data + 4, 4));
    if (asked == 3 && net.other_address)
        put32(message + 16, US + 1);
    option(1, "\xff\xff\xff\0", 4);
    option(3, "\x0a\0\2\1", 4);
    if (net.boot_file)
        option(67, net.boot_file, (uint8_t)strlen(net.boot_file));
    if (net.named)
        option(66, "boot.example", 12);
    if (net.far_away)
        put32(message + 20, FAR_SERVER);
    message[message_length++] = 255;
    answer(67, 68, message, message_length);
}

static void send_block(uint32_t number)
{
    uint8_t packet[TFTP_PACKET] = { 0, 3, (uint8_t)(number >> 8), (uint8_t)number };
    size_t at = (size_t)(number - 1) * block_size;
    size_t bytes = at >= file_size ? 0 : file_size - at < block_size ? file_size - at : block_size;
    pending = number;
    if (at > file_size || number == net.silent_at)
        return;
    memcpy(packet + 4, file + at, bytes);
    forge_tftp();
    answer(SERVER_PORT, tftp_client, packet, 4 + bytes);
}

static void serve_request(uint16_t client_port)
{
    char options[64] = "\0\6blksize\0001024";
    size_t length = sizeof("\0\6blksize\0001024");
    tftp_client = client_port;
    pending = 0;
    forge_tftp();
    if (requests++ > 0)
        file_size += net.grow;
    if (net.missing) {
        answer(SERVER_PORT, client_port, (const uint8_t *)"\0\5\0\1no such file", 17);
        return;
    }
    block_size = net.no_options ? 512 : 1024;
    pending = 0;
    if (net.no_options) {
        send_block(1);
        return;
    }
    if (!net.no_tsize) {
        memcpy(options + length, "tsize", 6);
        length += 6;
        length += (size_t)snprintf(options + length, 16, "%zu", file_size) + 1;
    }
    answer(SERVER_PORT, client_port, (const uint8_t *)options, length);
}

static void serve_tftp(uint16_t from, uint16_t to, const uint8_t *data)
{
    if (net.no_tftp)
        return;
    if (to == 69 && get(data, 2) == 1)
        serve_request(from);
    else if (to == SERVER_PORT && get(data, 2) == 5)
        tftp_errors_seen++;
    else if (to == SERVER_PORT && get(data, 2) == 4 && get(data + 2, 2) == (pending & 0xFFFF))
        send_block(pending + 1);
    else if (to == SERVER_PORT && get(data, 2) == 4 && pending)
        send_block(pending); /* it has not got it */
}

static void sent(const uint8_t *frame, size_t length)
{
    uint8_t reply[60];
    if (lost())
        return;
    if (get(frame + 12, 2) == 0x806) {
        uint32_t target = get(frame + 38, 4);
        if (frame[21] == 2 || net.no_arp)
            return;
        arp_asked = target;
        if (net.strangers) {
            net_model_arp_reply(reply, target + 1, US);
            reply[27] ^= 1;
            net_model_queue(reply, sizeof(reply));
            net_model_arp_reply(reply, target, US + 1);
            reply[27] ^= 1;
            net_model_queue(reply, sizeof(reply));
        }
        net_model_queue(reply, net_model_arp_reply(reply, target, US));
        return;
    }
    uint16_t from = (uint16_t)get(frame + 34, 2), to = (uint16_t)get(frame + 36, 2);
    struct packet_udp udp;
    assert_true(packet_read_udp(frame, length, &udp));
    if (to == 67)
        serve_dhcp(frame + UDP_AT);
    else if (memcmp(frame, net_model_server, 6) != 0)
        fail_msg("a datagram for another station");
    else
        serve_tftp(from, to, frame + UDP_AT);
}

static void begin(size_t size)
{
    memset(&net, 0, sizeof(net));
    net.boot_file = "boot/a.efi";
    packets = requests = arp_asked = tftp_errors_seen = 0;
    file_size = size;
    for (size_t i = 0; i < sizeof(file); i++)
        file[i] = (uint8_t)(i ^ i >> 8 ^ i >> 16);
    net_model_reset();
    net_model_sent = sent;
    net_model_idle = NULL;
}

/* Boots, and expects the very file. */
static void expect_file(void)
{
    struct netboot netboot = { 0 };
    struct port_failure failure = { 0 };
    if (!netboot_ask(&netboot, &net_model_card, &failure))
        fail_msg("ask: %s", failure.text);
    assert_int_equal(netboot.size, file_size);
    assert_int_equal(net_model_card.Mode->State, EfiSimpleNetworkStopped);
    uint8_t *buffer = malloc(netboot.size);
    if (!netboot_fetch(&netboot, &net_model_card, buffer, &failure))
        fail_msg("fetch: %s", failure.text);
    assert_memory_equal(buffer, file, file_size);
    assert_int_equal(net_model_card.Mode->State, EfiSimpleNetworkStopped);
    assert_false(netboot.known);
    free(buffer);
}

static void boots(void **state)
{
    static const size_t sizes[] = { 1, 511, 512, 1023, 1024, 1025, 100000, 2048 * 512 };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        begin(sizes[i]);
        expect_file();
        assert_int_equal(arp_asked, SERVER);
        assert_int_equal(tftp_errors_seen, 1); /* the size was all that was wanted first */
        begin(sizes[i]);
        net.no_options = true;
        expect_file();
        begin(sizes[i]);
        net.no_tsize = true;
        expect_file();
    }
    assert_non_null(strstr(net_model_log, "asking DHCP on 02:00:00:00:00:01"));
    assert_non_null(strstr(net_model_log, "10.0.2.15, file \"boot/a.efi\" from 10.0.2.2"));
    assert_non_null(strstr(net_model_log, "1048576 bytes"));
}

static void boots_through_router(void **state)
{
    begin(5000);
    net.far_away = true;
    expect_file();
    assert_int_equal(arp_asked, ROUTER);
}

static void boots_with_losses(void **state)
{
    for (unsigned lose = 3; lose < 12; lose++) {
        begin(60000);
        net.lose = lose;
        expect_file();
    }
}

/* What others say changes nothing. */
static void boots_among_strangers(void **state)
{
    begin(5000);
    net.strangers = true;
    expect_file();
    assert_null(strstr(net_model_log, "evil"));
}

/* A card that a program left running, and the boot that follows one that failed. */
static void boots_again(void **state)
{
    begin(3000);
    net_model_card.Mode->State = EfiSimpleNetworkInitialized;
    expect_file();
    expect_file();
}

static void expect_failure(EFI_STATUS status, const char *text, unsigned seconds)
{
    struct netboot netboot = { 0 };
    struct port_failure failure = { 0 };
    uint8_t *buffer = NULL;
    bool done = netboot_ask(&netboot, &net_model_card, &failure);
    if (done) {
        buffer = malloc(netboot.size);
        done = netboot_fetch(&netboot, &net_model_card, buffer, &failure);
    }
    free(buffer);
    assert_false(done);
    assert_false(netboot.known);
    if (!strstr(failure.text, text))
        fail_msg("'%s' instead of '%s'", failure.text, text);
    assert_int_equal(failure.status, status);
    assert_true(net_model_now <= seconds * PORT_SECOND + PORT_SECOND / 10);
    assert_int_equal(net_model_card.Mode->State, EfiSimpleNetworkStopped);
}

static void failures(void **state)
{
    begin(5000);
    net_model_link = false;
    expect_failure(EFI_NO_MEDIA, "no link", 0);
    begin(5000);
    net.no_dhcp = true;
    expect_failure(EFI_NO_RESPONSE, "no DHCP server answers", 6);
    begin(5000);
    net.boot_file = NULL;
    expect_failure(EFI_NOT_FOUND, "10.0.2.2 names no boot file", 1);
    begin(5000);
    net.no_ack = true;
    expect_failure(EFI_NO_RESPONSE, "does not keep it", 6);
    begin(5000);
    net.nak = true;
    expect_failure(EFI_NO_RESPONSE, "takes its offer back", 0);
    begin(5000);
    net.other_address = true;
    expect_failure(EFI_NO_RESPONSE, "takes its offer back", 0);
    begin(5000);
    net.named = true;
    expect_failure(EFI_NOT_FOUND, "\"boot.example\": it must give an address", 0);
    begin(5000);
    net.no_arp = true;
    expect_failure(EFI_NO_RESPONSE, "the server 10.0.2.2 does not answer", 2);
    begin(5000);
    net.no_tftp = true;
    expect_failure(EFI_NO_RESPONSE, "no TFTP server answers at 10.0.2.2", 5);
    begin(5000);
    net.missing = true;
    expect_failure(EFI_NOT_FOUND, "\"boot/a.efi\" from 10.0.2.2: no such file", 0);
    begin(5000);
    net.silent_at = 3;
    expect_failure(EFI_NO_RESPONSE, "the TFTP server 10.0.2.2 fell silent", 6);
    begin(5000);
    net.grow = 1;
    expect_failure(EFI_DEVICE_ERROR, "the file's size has changed", 0);
    begin(5000);
    net.grow = 1;
    net.no_options = true;
    expect_failure(EFI_DEVICE_ERROR, "longer than it was said to be", 0);
    begin(0);
    net.no_options = true;
    expect_failure(EFI_DEVICE_ERROR, "the file is empty", 0);
}

/* Frames without end do not stop the clock. */
static void flood(void)
{
    uint8_t frame[60];
    net_model_now += 1000;
    net_model_queue(frame, net_model_arp_reply(frame, ROUTER, SERVER));
}

static void ends_in_a_flood(void **state)
{
    begin(5000);
    net.no_dhcp = true;
    net_model_idle = flood;
    expect_failure(EFI_NO_RESPONSE, "no DHCP server answers", 6);
}

/* The network asks who we are while we wait for the file. */
static bool asked_back, answered;

static void ask_back(void)
{
    uint8_t frame[60];
    if (asked_back || !tftp_client)
        return;
    asked_back = true;
    net_model_arp_reply(frame, SERVER, US);
    frame[21] = 1;
    net_model_queue(frame, sizeof(frame));
}

static void sent_and_asked(const uint8_t *frame, size_t length)
{
    if (get(frame + 12, 2) == 0x806 && frame[21] == 2) {
        answered = get(frame + 28, 4) == US && get(frame + 38, 4) == SERVER &&
                   memcmp(frame, net_model_server, 6) == 0 &&
                   memcmp(frame + 22, net_model_client, 6) == 0;
        return;
    }
    sent(frame, length);
}

static void answers_arp(void **state)
{
    begin(5000);
    tftp_client = 0;
    net_model_sent = sent_and_asked;
    net_model_idle = ask_back;
    net.silent_at = 3;
    expect_failure(EFI_NO_RESPONSE, "fell silent", 6);
    assert_true(answered);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(udp_frames),        cmocka_unit_test(udp_lies),
        cmocka_unit_test(arp_frames),        cmocka_unit_test(dhcp_requests),
        cmocka_unit_test(dhcp_answers),      cmocka_unit_test(dhcp_names),
        cmocka_unit_test(dhcp_overload),     cmocka_unit_test(dhcp_refused),
        cmocka_unit_test(tftp_packets),      cmocka_unit_test(tftp_options),
        cmocka_unit_test(tftp_blocks),       cmocka_unit_test(tftp_wrap),
        cmocka_unit_test(tftp_errors),       cmocka_unit_test(boots),
        cmocka_unit_test(boots_through_router), cmocka_unit_test(boots_with_losses),
        cmocka_unit_test(boots_among_strangers), cmocka_unit_test(boots_again),
        cmocka_unit_test(failures),          cmocka_unit_test(ends_in_a_flood),
        cmocka_unit_test(answers_arp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
