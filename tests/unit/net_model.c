/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* See net_model.h. */
#include "net_model.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "firmware/arch/time.h"
#include "firmware/uefi/entropy.h"

enum { QUEUE = 64, ETHERNET = 14, IPV4 = 20, UDP = 8 };

const uint8_t net_model_client[6] = { 2, 0, 0, 0, 0, 1 };
const uint8_t net_model_server[6] = { 0x52, 0x55, 10, 0, 2, 2 };

static struct {
    uint8_t frame[NET_MODEL_FRAME];
    size_t length;
} queue[QUEUE];
static unsigned first, count;
static EFI_SIMPLE_NETWORK_MODE mode;
static uint8_t random_byte;

void (*net_model_sent)(const uint8_t *frame, size_t length);
void (*net_model_idle)(void);
uint64_t net_model_now;
bool net_model_link;
char net_model_log[4096];

uint64_t time_now_100ns(void)
{
    return net_model_now;
}

void time_delay_us(uint64_t microseconds)
{
    net_model_now += microseconds * 10;
}

bool entropy_fill(uint8_t *bytes, size_t size, bool direct)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = random_byte += 37;
    return true;
}

int format_list(char *text, size_t size, const char *fmt, va_list arguments);
int format_list(char *text, size_t size, const char *fmt, va_list arguments)
{
    return vsnprintf(text, size, fmt, arguments);
}

int format(char *text, size_t size, const char *fmt, ...);
int format(char *text, size_t size, const char *fmt, ...)
{
    va_list list;
    va_start(list, fmt);
    int length = vsnprintf(text, size, fmt, list);
    va_end(list);
    return length;
}

void log_line(const char *fmt, ...);
void log_line(const char *fmt, ...)
{
    size_t used = strlen(net_model_log);
    va_list list;
    va_start(list, fmt);
    vsnprintf(net_model_log + used, sizeof(net_model_log) - used, fmt, list);
    va_end(list);
    used = strlen(net_model_log);
    snprintf(net_model_log + used, sizeof(net_model_log) - used, "\n");
}

static EFI_STATUS EFIAPI start(EFI_SIMPLE_NETWORK_PROTOCOL *this)
{
    if (this->Mode->State != EfiSimpleNetworkStopped)
        return EFI_ERROR_BIT | 20;
    this->Mode->State = EfiSimpleNetworkStarted;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI stop(EFI_SIMPLE_NETWORK_PROTOCOL *this)
{
    this->Mode->State = EfiSimpleNetworkStopped;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI initialize(EFI_SIMPLE_NETWORK_PROTOCOL *this, UINTN extra_receive,
                                    UINTN extra_send)
{
    this->Mode->State = EfiSimpleNetworkInitialized;
    this->Mode->MediaPresent = net_model_link;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI shut_down(EFI_SIMPLE_NETWORK_PROTOCOL *this)
{
    this->Mode->State = EfiSimpleNetworkStarted;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI filters(EFI_SIMPLE_NETWORK_PROTOCOL *this, UINT32 enable, UINT32 disable,
                                 BOOLEAN reset, UINTN list_count, EFI_MAC_ADDRESS *list)
{
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI get_status(EFI_SIMPLE_NETWORK_PROTOCOL *this, UINT32 *interrupts,
                                    VOID **buffer)
{
    *buffer = NULL;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI transmit(EFI_SIMPLE_NETWORK_PROTOCOL *this, UINTN header, UINTN size,
                                  VOID *buffer, EFI_MAC_ADDRESS *from, EFI_MAC_ADDRESS *to,
                                  UINT16 *protocol)
{
    net_model_sent(buffer, size);
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI receive(EFI_SIMPLE_NETWORK_PROTOCOL *this, UINTN *header, UINTN *size,
                                 VOID *buffer, EFI_MAC_ADDRESS *from, EFI_MAC_ADDRESS *to,
                                 UINT16 *protocol)
{
    if (count == 0 && net_model_idle)
        net_model_idle();
    if (count == 0) {
        net_model_now += 10000;
        return EFI_NOT_READY;
    }
    memcpy(buffer, queue[first].frame, queue[first].length);
    *size = queue[first].length;
    first = (first + 1) % QUEUE;
    count--;
    return EFI_SUCCESS;
}

EFI_SIMPLE_NETWORK_PROTOCOL net_model_card = { .Start = start,
                                               .Stop = stop,
                                               .Initialize = initialize,
                                               .Shutdown = shut_down,
                                               .ReceiveFilters = filters,
                                               .GetStatus = get_status,
                                               .Transmit = transmit,
                                               .Receive = receive,
                                               .Mode = &mode };

void net_model_reset(void)
{
    first = count = 0;
    random_byte = 0;
    net_model_now = 0;
    net_model_link = true;
    net_model_log[0] = '\0';
    mode = (EFI_SIMPLE_NETWORK_MODE){ .State = EfiSimpleNetworkStopped };
    memcpy(mode.CurrentAddress.Addr, net_model_client, sizeof(net_model_client));
}

void net_model_queue(const uint8_t *frame, size_t length)
{
    if (count == QUEUE || length > NET_MODEL_FRAME)
        return;
    unsigned at = (first + count++) % QUEUE;
    memcpy(queue[at].frame, frame, length);
    queue[at].length = length;
}

static void put(uint8_t *at, unsigned bytes, uint32_t value)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
}

/* RFC 1071, a byte at a time. */
static uint32_t add(uint32_t sum, const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
    return sum;
}

static uint32_t fold(uint32_t sum)
{
    sum = (sum >> 16) + (sum & 0xFFFF);
    return ~((sum >> 16) + sum) & 0xFFFF;
}

size_t net_model_udp(uint8_t *frame, uint32_t from, uint32_t to, uint16_t from_port,
                     uint16_t to_port, const uint8_t *data, size_t length)
{
    uint8_t *ip = frame + ETHERNET, *udp = ip + IPV4, pseudo[4] = { 0, 17 };
    memcpy(frame, net_model_client, 6);
    memcpy(frame + 6, net_model_server, 6);
    put(frame + 12, 2, 0x0800);
    memset(ip, 0, IPV4 + UDP);
    ip[0] = 0x45;
    put(ip + 2, 2, (uint32_t)(IPV4 + UDP + length));
    ip[8] = 64;
    ip[9] = 17;
    put(ip + 12, 4, from);
    put(ip + 16, 4, to);
    put(ip + 10, 2, fold(add(0, ip, IPV4)));
    put(udp, 2, from_port);
    put(udp + 2, 2, to_port);
    put(udp + 4, 2, (uint32_t)(UDP + length));
    memcpy(udp + UDP, data, length);
    put(pseudo + 2, 2, (uint32_t)(UDP + length));
    put(udp + 6, 2, fold(add(add(add(0, ip + 12, 8), pseudo, 4), udp, UDP + length)));
    return ETHERNET + IPV4 + UDP + length;
}

size_t net_model_arp_reply(uint8_t *frame, uint32_t from, uint32_t to)
{
    static const uint8_t kind[] = { 8, 6, 0, 1, 8, 0, 6, 4, 0, 2 };
    memset(frame, 0, 60);
    memcpy(frame, net_model_client, 6);
    memcpy(frame + 6, net_model_server, 6);
    memcpy(frame + 12, kind, sizeof(kind));
    memcpy(frame + 22, net_model_server, 6);
    put(frame + 28, 4, from);
    memcpy(frame + 32, net_model_client, 6);
    put(frame + 38, 4, to);
    return 60;
}
