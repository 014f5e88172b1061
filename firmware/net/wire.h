/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Numbers in network order at any address, and IPv4 addresses, which are numbers in our order. */
#ifndef PRIVET_FIRMWARE_NET_WIRE_H
#define PRIVET_FIRMWARE_NET_WIRE_H

#include <stdint.h>

#define IPV4_TEXT      "%u.%u.%u.%u"
#define IPV4_OF(ipv4)  (ipv4) >> 24, (ipv4) >> 16 & 0xFF, (ipv4) >> 8 & 0xFF, (ipv4) & 0xFF
#define IPV4_BROADCAST 0xFFFFFFFFu
#define IPV4_TEXT_ROOM 16u /* with its NUL */

static inline uint16_t wire_get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t wire_get32(const uint8_t *at)
{
    return (uint32_t)wire_get16(at) << 16 | wire_get16(at + 2);
}

static inline void wire_put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void wire_put32(uint8_t *at, uint32_t value)
{
    wire_put16(at, (uint16_t)(value >> 16));
    wire_put16(at + 2, (uint16_t)value);
}

#endif
