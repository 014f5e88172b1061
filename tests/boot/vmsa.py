#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""usage: vmsa.py ADDRESS SIGNATURE FILE
Writes the page of a processor that begins at ADDRESS, as QEMU and KVM_SEV_ES_INIT leave it after reset:
what libvirt's validator takes by --vmsa-cpu0 and --vmsa-cpu1 (APM 2 table B-4). SIGNATURE is EAX of
CPUID leaf 1."""
import struct
import sys

address, signature = int(sys.argv[1], 0), int(sys.argv[2], 0)
page = bytearray(4096)


def put(place, value, form="<Q"):
    struct.pack_into(form, page, place, value)


def segment(place, selector=0, attributes=0, base=0):
    struct.pack_into("<HHIQ", page, place, selector, attributes, 0xFFFF, base)


for at in (0x000, 0x020, 0x030, 0x040, 0x050):  # ES, SS, DS, FS, GS
    segment(at, attributes=0x93)
segment(0x010, 0xF000, 0x9B, address & 0xFFFF0000)  # CS
segment(0x060)  # GDTR
segment(0x070, attributes=0x82)  # LDTR
segment(0x080)  # IDTR
segment(0x090, attributes=0x8B)  # TR
put(0x0D0, 0x1000)  # EFER: SVME
put(0x148, 0x40)  # CR4: MCE
put(0x158, 0x10)  # CR0: ET
put(0x160, 0x400)  # DR7
put(0x168, 0xFFFF0FF0)  # DR6
put(0x170, 2)  # RFLAGS
put(0x178, address & 0xFFFF)  # RIP
put(0x268, 0x0007040600070406)  # PAT
put(0x310, signature)  # RDX
put(0x3E8, 1)  # XCR0
with open(sys.argv[3], "wb") as file:
    file.write(page)
