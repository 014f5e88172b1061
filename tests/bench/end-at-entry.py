#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""usage: end-at-entry.py PROGRAM COPY

Copies an EFI program, with the code at its entry point replaced by a write of 0x15 to port 0xF4. A
guest with a debug-exit device there ends with status 43 at the program's first instruction, under
any firmware, on Privet and on QEMU.
"""
import struct
import sys

ENTRY = bytes([0xB0, 0x15, 0xE6, 0xF4, 0xFA, 0xF4, 0xEB, 0xFD])  # out, then cli, hlt for ever


def entry_offset(image):
    """Where the entry point lies in the file (PE/COFF)."""
    pe = struct.unpack_from("<I", image, 0x3C)[0]
    if image[pe:pe + 4] != b"PE\0\0":
        raise ValueError("not a PE image")
    count = struct.unpack_from("<H", image, pe + 6)[0]
    optional = pe + 24
    table = optional + struct.unpack_from("<H", image, pe + 20)[0]
    entry = struct.unpack_from("<I", image, optional + 16)[0]
    for at in range(table, table + count * 40, 40):
        virtual_size, address, raw_size, raw = struct.unpack_from("<IIII", image, at + 8)
        if address <= entry < address + min(virtual_size or raw_size, raw_size) - len(ENTRY):
            return entry - address + raw
    raise ValueError("the entry point is in no section")


def main():
    with open(sys.argv[1], "rb") as file:
        image = bytearray(file.read())
    offset = entry_offset(image)
    image[offset:offset + len(ENTRY)] = ENTRY
    with open(sys.argv[2], "wb") as file:
        file.write(image)


main()
