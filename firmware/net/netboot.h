/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Network boot from one card: an address and a boot file by DHCP, the file by TFTP. Without the UEFI
 * protocols around it, which are load_file.c's.
 */
#ifndef PRIVET_FIRMWARE_NET_NETBOOT_H
#define PRIVET_FIRMWARE_NET_NETBOOT_H

#include "firmware/net/dhcp.h"
#include "firmware/net/port.h"

/* What one card has learned. Begins as zeros, and as such knows nothing. */
struct netboot {
    bool known;
    uint64_t size; /* of the boot file, when known */
    struct dhcp_answer answer;
};

/*
 * Asks DHCP for an address and a boot file, and TFTP for the file's size, which is
 * TFTP_FILE_MAXIMUM at most. Says on the console what it does. Some seconds at most without an
 * answer. False: `ret` has why, and nothing is known.
 */
bool netboot_ask(struct netboot *netboot, EFI_SIMPLE_NETWORK_PROTOCOL *snp,
                 struct port_failure *ret);
/* Fetches the file that is known into `buffer` of its size; nothing is known after that. */
bool netboot_fetch(struct netboot *netboot, EFI_SIMPLE_NETWORK_PROTOCOL *snp, void *buffer,
                   struct port_failure *ret);

/* dhcp_client.c: takes an address and a boot file; the port has the address then. */
bool dhcp_ask(struct port *port, struct dhcp_answer *ret, struct port_failure *ret_failure);
/* tftp_client.c: the file, or with a buffer of NULL its size, from the port's peer. */
struct tftp_transfer;
bool tftp_run(struct port *port, const char *file, struct tftp_transfer *transfer,
              struct port_failure *ret);

#endif
