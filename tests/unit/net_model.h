/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A network behind a Simple Network card, for the firmware's network boot: time, random numbers, a
 * DHCP and a TFTP server with faults to switch on. Frames that the firmware sends are read by code
 * of its own here, not by the firmware's.
 */
#ifndef PRIVET_TESTS_NET_MODEL_H
#define PRIVET_TESTS_NET_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/uefi/efi_net.h"

enum { NET_MODEL_FRAME = 1514 };

/* The card: `sent` is called for each frame, which may queue answers with net_model_queue. */
extern EFI_SIMPLE_NETWORK_PROTOCOL net_model_card;
extern void (*net_model_sent)(const uint8_t *frame, size_t length);
/* Called when the firmware looks at an empty queue; may be NULL. */
extern void (*net_model_idle)(void);
extern uint64_t net_model_now; /* in 100 ns; a look at an empty queue takes a millisecond */
extern bool net_model_link;
extern char net_model_log[4096]; /* lines of the console */

/* An empty queue, a card that is stopped, time 0. */
void net_model_reset(void);
void net_model_queue(const uint8_t *frame, size_t length);

/* Building frames. Station addresses of the model: server 52:55:10:0:2:2, client 2:0:0:0:0:1. */
extern const uint8_t net_model_client[6], net_model_server[6];
/* A frame with correct checksums; the length is returned. */
size_t net_model_udp(uint8_t *frame, uint32_t from, uint32_t to, uint16_t from_port,
                     uint16_t to_port, const uint8_t *data, size_t length);
size_t net_model_arp_reply(uint8_t *frame, uint32_t from, uint32_t to);

#endif
