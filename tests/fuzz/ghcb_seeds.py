#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""usage: ghcb_seeds.py FOLDER
Writes the seeds of fuzz_ghcb into FOLDER/fuzz_ghcb: every request by page and by MSR, scratch areas at
every edge of memory, pages that become private or ROM. The records are described in fuzz_ghcb.c."""
import re
import struct
import sys
from pathlib import Path

source = (Path(__file__).parent / "fuzz_ghcb.c").read_text()
table = re.search(r"codes\[\] = \{(.*?)\};", source, re.S).group(1)
CODES = [name.strip().removeprefix("SEV_EXIT_") for name in table.split(",") if name.strip()]

PAGE, RAM, SHADOW, ROM, HIGH, FLASH = 0x1000, 0x14000, 0x20000, 0x22000, 0x24000, 0x30000
HIGH_END, FLASH_END, DEVICE = 0x28000, 0x32000, 0xFEE00000
GHCB, SECOND = 5 * PAGE, 7 * PAGE
BUFFER = GHCB + 0x800
RAX, RCX, RDX, RBX, CPL, XCR0, SCRATCH, AS_IT_IS = (1 << n for n in range(8))
ALL = 0x7F
IN, STRING, REP = 1, 4, 8
READS_AND_WRITES, COMMAND_MODE, HALF = 3, 4, 8
TOP = 1 << 64


def ask(code, has=0, info1=0, info2=0, rax=0, rcx=0, rdx=0, scratch=BUFFER, page=GHCB, processor=0):
    index = CODES.index(code) if isinstance(code, str) else 0xFF
    rax = rax if isinstance(code, str) else code
    return struct.pack("<BBBB6Q", 0, page // PAGE << 1 | processor, index, has,
                       *(value % TOP for value in (info1, info2, rax, rcx, rdx, scratch)))


def leave(msr, processor=0):
    return struct.pack("<BBQ", 1, processor, msr % TOP)


def poke(address, data):
    return struct.pack("<BIB", 2, address, len(data)) + data


def private(address):
    return bytes([3, address // PAGE])


def start(processor):
    return bytes([4, processor])


def routes(bits):
    return bytes([5, bits])


def meanwhile(bits, page):
    return bytes([6, bits, page // PAGE])


def ioio(direction, size=1, count=1, port=0x3F8, **more):
    return ask("IOIO", RAX | SCRATCH, port << 16 | size << 4 | direction, count, rax=0x12345678, **more)


def string(size, count, scratch, **more):
    return b"".join(ioio(STRING | REP | way, size, count, scratch=scratch, **more) for way in (0, IN))


def mmio(address, size, scratch=BUFFER, **more):
    return b"".join(ask(code, SCRATCH, address, size, scratch=scratch, **more)
                    for code in ("MMIO_READ", "MMIO_WRITE"))


edges = [(BUFFER, 0x7F0), (BUFFER, 0x7F1), (BUFFER - 1, 8), (BUFFER + 0x7EF, 2), (GHCB, 8), (0, 8), (1, 8),
         (0x2000, 0x10000), (0x2000, 0x10001), (RAM - 8, 8), (RAM - 8, 9), (SHADOW - 1, 8), (HIGH - 4, 8),
         (HIGH_END - 4, 8), (FLASH, 8), (DEVICE, 8), (TOP - 8, 8), (TOP - 8, 16), (TOP - 1, TOP - 1),
         (GHCB - 0x100, 0x200), (SECOND - 0x10, 0x20)]

seeds = {
    "registers": ask("CPUID", RAX | RCX, rax=1) + ask("CPUID", RAX | RCX | XCR0, rax=0xD)
    + ask("CPUID", RAX | RCX, rax=0xD) + ask("RDTSC") + ask("RDTSCP") + ask("RDPMC", RCX)
    + ask("DR7_WRITE", RAX, rax=0xFFFF) + ask("DR7_READ") + ask("DR7_WRITE", RAX, rax=1 << 32)
    + ask("VMMCALL", RAX | CPL) + ask("INVD") + ask("WBINVD") + ask("MONITOR", RAX | RCX | RDX)
    + ask("MWAIT", RAX | RCX) + ask("NMI_COMPLETE"),
    "missing": b"".join(ask(code, 0, IN if code == "MSR" else 0) for code in CODES),
    "codes": b"".join(ask(code, ALL) for code in (0, 0x400, 0x80000010, 0x8000FFFC, 1 << 32 | 0x72)),
    "msrs": b"".join(ask("MSR", RAX | RCX | RDX, write, rcx=msr, rax=6, rdx=1)
                     for msr in (0x1B, 0x10, 0x2FF, 0x277, 0xC0000080, 0xC0010130, 0xDEAD, 0xFE)
                     for write in (0, 1)),
    "ports": b"".join(ioio(way, size) for size in range(8) for way in (0, IN, STRING, STRING | IN)),
    "counts": b"".join(string(size, count, 0x2000) for size, count in (
        (1, 0), (4, 1 << 62), (2, (1 << 63) + 1), (4, 0x4000), (4, 0x4001), (1, TOP - 1))),
    "strings": b"".join(string(1, size, start_) for start_, size in edges),
    "mmio-scratch": b"".join(mmio(DEVICE, size, start_) for start_, size in edges),
    "mmio-devices": b"".join(mmio(address, size) for address in (
        DEVICE, DEVICE + 1, DEVICE + 0xFFC, FLASH, FLASH_END - 4, 1 << 51, TOP - 4) for size in (1, 8, 16, 0x7F0)),
    "mmio-ram": b"".join(mmio(address, size) for address in (
        0x3000, RAM - 4, SHADOW - 4, ROM, GHCB + 0x1F8, GHCB + 0x3F0, SECOND) for size in (1, 8, 16, 0x7F0)),
    "flash": routes(READS_AND_WRITES | COMMAND_MODE) + mmio(FLASH + 8, 16) + string(1, 8, FLASH)
    + leave(FLASH),
    "no-page": b"".join(leave(page) for page in (0, RAM, FLASH, DEVICE, 1 << 51 | GHCB, TOP - PAGE)),
    "msr-protocol": b"".join(leave(value, value & 1) for value in (
        2, 4 | 0x8000001F << 32 | 1 << 30, 6, 0x10, 0x12, 0x14, 0x80, 0x100 | 0xA57 << 12, 0x777, TOP - 1)),
    "private": private(GHCB) + leave(GHCB) + private(0x2000) + string(1, 16, 0x2000) + mmio(0x2000, 16)
    + private(GHCB) + ask("CPUID", RAX | RCX),
    "hold": ask("AP_RESET_HOLD", page=SECOND, processor=1) + start(1) + start(1) + leave(0x006, 1) + start(1)
    + ask("AP_RESET_HOLD", page=SHADOW, processor=1) + routes(0) + start(1)
    + ask("AP_RESET_HOLD", page=SECOND, processor=1) + bytes([7, 1]) + ask("RDTSC", page=SECOND, processor=1)
    + start(1),
    "jump-table": ask("AP_JUMP_TABLE", 0, 0, 0x9000) + ask("AP_JUMP_TABLE", 0, 1, processor=1)
    + ask("AP_JUMP_TABLE", 0, 2),
    "ends": ask("HYPERVISOR_FEATURES") + ask("TERMINATE", 0, 0xF1, 0x1FF)
    + ask("UNSUPPORTED", 0, 0x72, processor=1),
    "page-becomes-rom": b"".join(meanwhile(bits, page) + ioio(way, page=SHADOW + 2 * PAGE, count=3)
                                 + routes(READS_AND_WRITES)
                                 for bits in (0, 1, 2) for page in (GHCB, SHADOW + 2 * PAGE)
                                 for way in (IN, STRING)),
    "scratch-becomes-rom": b"".join(meanwhile(bits, SECOND) + ioio(IN | STRING, 4, 4, scratch=scratch)
                                    + routes(READS_AND_WRITES)
                                    for bits in (0, 1, 2, HALF, HALF | 2) for scratch in (ROM - 6, HIGH - 6, ROM)),
    "meanwhile": meanwhile(3, GHCB) + string(1, 32, BUFFER) + meanwhile(7, GHCB) + mmio(DEVICE, 32)
    + meanwhile(3, SECOND) + mmio(DEVICE, 32, SECOND) + meanwhile(4, FLASH) + mmio(FLASH - 8, 32),
    "usage": poke(GHCB + 0x3F0, b"\xff" * 16) + poke(GHCB + 0xFFC, b"\1") + ask("CPUID", AS_IT_IS)
    + poke(GHCB + 0x3F0, b"\xff" * 16) + poke(GHCB + 0xFFC, b"\0") + ask("CPUID", AS_IT_IS) + ask("VMMCALL", AS_IT_IS)
    + poke(GHCB + 0xCB, b"\3") + ask("VMMCALL", RAX | CPL),
}

folder = Path(sys.argv[1]) / "fuzz_ghcb"
folder.mkdir(parents=True, exist_ok=True)
for name, data in seeds.items():
    (folder / name).write_bytes(data)
