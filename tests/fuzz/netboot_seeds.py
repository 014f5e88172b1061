#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""usage: netboot_seeds.py FOLDER
Writes the seeds of fuzz_fw_netboot into FOLDER/fuzz_fw_netboot: boots that succeed, with and without
options of TFTP, and answers that end them. The records are described in fuzz_fw_netboot.c."""
import struct
import sys
from pathlib import Path

US, SERVER, ROUTER, FAR = (bytes(map(int, a.split("."))) for a in
                           ("10.0.2.15", "10.0.2.2", "10.0.2.1", "192.0.2.5"))
OFFER, ACK, NAK = 2, 5, 6
NAME = b"boot/a.efi"


def record(kind, data=b""):
    return struct.pack("<BH", kind, len(data)) + data


def dhcp(kind, *options, server=bytes(4), name=b"", file=b""):
    head = struct.pack("!BBBB4sHH4s4s4s4s16s64s128s4s", 2, 1, 6, 0, b"", 0, 0, b"", US, server, b"",
                       b"", name, file, b"\x63\x82\x53\x63")
    all_options = ((53, bytes([kind])), (54, SERVER), (1, b"\xff\xff\xff\0"), (3, ROUTER)) + options
    return record(1, head + b"".join(bytes([code, len(data)]) + data for code, data in all_options)
                  + b"\xff")


def tftp(kind, data=b""):
    return record(2, struct.pack("!H", kind) + data)


def data(number, content):
    return tftp(3, struct.pack("!H", number) + content)


def options(*texts):
    return tftp(6, b"".join(text + b"\0" for text in texts))


ARP, PAUSE = record(3), record(4)
LEASE = dhcp(OFFER, (67, NAME)) + dhcp(ACK, (67, NAME)) + ARP
SIZE = options(b"blksize", b"8", b"tsize", b"20")
BLOCKS = data(1, b"12345678") + data(2, b"abcdefgh")

seeds = {
    "options": LEASE + SIZE + ARP + SIZE + BLOCKS + data(3, b"ENDE"),
    "plain": LEASE + data(1, b"x" * 512) + data(2, b"yy") + ARP + data(1, b"x" * 512) + data(2, b"yy"),
    "repeated": LEASE + SIZE + ARP + SIZE + SIZE + PAUSE + BLOCKS + BLOCKS + data(3, b"ENDE"),
    "changed": LEASE + SIZE + ARP + options(b"tsize", b"21"),
    "unknown-size": LEASE + options(b"tsize", b"0") + data(1, b"abc") + ARP + data(1, b"abc"),
    "missing": LEASE + tftp(5, b"\0\1File not found\0"),
    "bad-options": LEASE + options(b"windowsize", b"4"),
    "overload": dhcp(OFFER, (67, NAME)) + dhcp(ACK, (52, b"\3"), name=b"\x42\x09192.0.2.5\xff",
                                               file=b"\x43\x05a.efi\xff") + ARP + SIZE,
    "fields": dhcp(OFFER, server=FAR, file=NAME) + dhcp(ACK, server=FAR, file=NAME) + ARP + SIZE,
    "named": dhcp(OFFER, (67, NAME)) + dhcp(ACK, (66, b"boot.example"), (67, NAME)),
    "no-file": dhcp(OFFER),
    "refused": dhcp(OFFER, (67, NAME)) + dhcp(NAK),
    "second-offer": dhcp(OFFER) + dhcp(OFFER, (67, NAME)) + PAUSE + dhcp(ACK, (67, NAME)) + PAUSE + ARP,
    "asked-back": LEASE + SIZE + ARP + record(3, b"\0\1\x08\0\6\4\0\1" + b"\x52\x55\x0a\0\2\2" + SERVER
                                              + bytes(6) + US) + SIZE + BLOCKS + data(3, b"ENDE"),
    "frame": record(0, b"\2\0\0\0\0\1\x52\x55\x0a\0\2\2\x08\x00\x45" + bytes(45)),
}

folder = Path(sys.argv[1]) / "fuzz_fw_netboot"
folder.mkdir(parents=True, exist_ok=True)
for name, content in seeds.items():
    (folder / name).write_bytes(content)
