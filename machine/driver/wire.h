/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What libprivet-sev.so and `privet chip exec` say to each other over a UNIX stream socket: requests
 * and replies of one form. A connection is an open /dev/sev or one guest; its end ends the guest.
 * Both sides run on one machine: numbers are in its byte order.
 */
#ifndef PRIVET_MACHINE_DRIVER_WIRE_H
#define PRIVET_MACHINE_DRIVER_WIRE_H

#include <stdint.h>

/* The environment variable that names the socket to programs. */
#define WIRE_SOCKET "PRIVET_CHIP_SOCKET"

#define WIRE_PARTS    3u
#define WIRE_PART_MAX 0x10000u

/* The status of a reply where the firmware was not reached. */
#define WIRE_NO_FIRMWARE 0xFFFFFFFFu

/* Request numbers: those of SEV_ISSUE_CMD and, with WIRE_GUEST, of struct kvm_sev_cmd. */
#define WIRE_GUEST  0x1000u
/* Lists the guests: part 0 of the reply is an array of wire_guest. */
#define WIRE_GUESTS 0x2000u
/* DBG_DECRYPT for the guest `handle`: part 0 is ciphertext from `address`, then plaintext. */
#define WIRE_DECRYPT 0x2001u

struct wire {
    uint32_t request;
    int32_t error;   /* reply: errno, 0: done */
    uint32_t status; /* reply: of the firmware, or WIRE_NO_FIRMWARE */
    uint32_t handle, policy, state, asid;
    uint32_t platform; /* reply to WIRE_DECRYPT: its state, and in `state` the guest's */
    uint64_t address; /* the program's own: the page that a command is about; or a vCPU's number */
    uint8_t nonce[16];
    uint32_t room[2];           /* bytes that the program has room for; reply: bytes needed */
    uint32_t size[WIRE_PARTS];  /* of the parts that follow this header */
    uint32_t reserved2;
};

struct wire_guest {
    uint32_t handle, policy, asid, state;
};

#endif
