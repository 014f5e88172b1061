/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The Load File Protocol (UEFI 2.10 13.1) of a network card, on a child of the card's handle: its
 * device path and an IPv4 node (10.3.4.11), as under OVMF.
 */
#ifndef PRIVET_FIRMWARE_NET_LOAD_FILE_H
#define PRIVET_FIRMWARE_NET_LOAD_FILE_H

#include "firmware/uefi/efi_net.h"

struct load_file;

/*
 * Publishes it for the card, a handle with `path` and `snp`, in the name of the driver of both.
 * NULL: not in a measured boot, where nothing from the network may run, or there is no memory.
 */
struct load_file *load_file_publish(EFI_HANDLE card, const EFI_DEVICE_PATH_PROTOCOL *path,
                                    EFI_SIMPLE_NETWORK_PROTOCOL *snp, EFI_HANDLE driver);
/* Takes it away; NULL is done already. False: it is at work, or somebody keeps it. */
bool load_file_withdraw(struct load_file *load_file);

#endif
