/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Device path nodes as text (UEFI 2.10 10.6): one table serves both directions. A kind of node has
 * a name and a format, a list of items in the order of the text. An item is
 *
 *     [?] KIND SIZE @ OFFSET [: ARGUMENT]
 *
 * with the size (one digit; 0: to the node's end) and offset (decimal) of its bytes
 * behind the node's header. `?` marks what the display form leaves out and texts may leave out.
 *
 *     x  number, 0x1F          d  number, decimal          h  number, all its digits, no 0x
 *     g  GUID                  b  bytes, 0A0B               H  bytes, 0x0A0B
 *     s  ASCII text            z  ASCII text ending in NUL  A  numbers of SIZE bytes to the end
 *     k  one of the words of ARGUMENT, which stand for 0, 1, ...; other numbers as x
 *     4  IPv4 address          6  IPv6 address              p  protocol: UDP, TCP
 *     E  EISA id, PNP0A03      M  MAC address by the interface type behind it
 *     N  bytes from last to first, 0A-0B                    S  disk signature with its type
 *     D  number; 0 is DEFAULT, which is read as ARGUMENT
 *     =  no text: bytes that make a node one of this kind, ARGUMENT in hexadecimal
 */
#ifndef PRIVET_FIRMWARE_DEVICEPATH_TEXT_H
#define PRIVET_FIRMWARE_DEVICEPATH_TEXT_H

#include "firmware/uefi/efi.h"

struct devicepath_kind {
    uint8_t type, sub_type;
    const char *name, *format;
};

struct devicepath_item {
    bool optional;
    char kind;
    unsigned size, offset;
    const char *argument; /* ends with a blank or NUL */
};

extern const struct devicepath_kind devicepath_kinds[];
extern const size_t devicepath_kind_count;

/* Names of the generic forms NAME(sub-type,data), by type; "Path" has the type in front. */
const char *devicepath_generic_name(uint8_t type); /* NULL: Path */

/* The next item of a format, which advances. False: no more. */
bool devicepath_next_item(const char **format, struct devicepath_item *ret);
/* Bytes behind the header that a kind of node needs; a rest counts as none. */
size_t devicepath_kind_size(const struct devicepath_kind *kind);
/* Bytes of a hexadecimal argument, up to `room`. */
size_t devicepath_hex(const char *text, uint8_t *out, size_t room);

CHAR16 *EFIAPI devicepath_node_to_text(const EFI_DEVICE_PATH_PROTOCOL *node, BOOLEAN display,
                                       BOOLEAN shortcuts);
CHAR16 *EFIAPI devicepath_to_text(const EFI_DEVICE_PATH_PROTOCOL *path, BOOLEAN display,
                                  BOOLEAN shortcuts);
EFI_DEVICE_PATH_PROTOCOL *EFIAPI devicepath_node_from_text(const CHAR16 *text);
EFI_DEVICE_PATH_PROTOCOL *EFIAPI devicepath_from_text(const CHAR16 *text);

#endif
