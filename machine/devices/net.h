/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Between a network card and what it is plugged into: whole Ethernet frames without checksum.
 */
#ifndef PRIVET_MACHINE_DEVICES_NET_H
#define PRIVET_MACHINE_DEVICES_NET_H

#include <stddef.h>
#include <stdint.h>

#define NET_MAC_SIZE  6u
#define NET_MTU       1500u
#define NET_MIN_FRAME 14u             /* the Ethernet header */
#define NET_MAX_FRAME (NET_MTU + 18u) /* header and one VLAN tag */

/* A frame of NET_MIN_FRAME to NET_MAX_FRAME bytes; it is copied. */
typedef void net_frame_fn(void *context, const uint8_t *frame, size_t length);

#endif
