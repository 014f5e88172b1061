#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""usage: driver_seeds.py FOLDER
Writes the seeds of fuzz_driver into FOLDER/fuzz_driver: launches, a guest that goes from one program to
another, the debugger, requests of /dev/sev, broken messages; and those of fuzz_session into
FOLDER/fuzz_session. The records are described in the targets."""
import base64
import struct
import sys
from pathlib import Path

FUZZ, CERTIFICATES, LAST, FORMER = range(4)
(INIT, ES_INIT, LAUNCH_START, LAUNCH_UPDATE, LAUNCH_VMSA, LAUNCH_SECRET, LAUNCH_MEASURE, LAUNCH_FINISH,
 SEND_START, SEND_UPDATE, _, SEND_FINISH, RECEIVE_START, RECEIVE_UPDATE, _, RECEIVE_FINISH, STATUS,
 DECRYPT, ENCRYPT, _, REPORT, SEND_CANCEL) = range(22)
GUESTS, CHIP_DECRYPT = 0x41, 0x42


def guest(command):
    """The byte of struct form that means this command of struct kvm_sev_cmd."""
    return next(n for n in range(0x18, 0x40) if n % 0x18 == command)


def message(program, request, address=0, room=(0, 0), size=(0, 0, 0), fill=(0, 0, 0), handle=0, policy=0,
            data=b""):
    fills = sum(f << 2 * i for i, f in enumerate(fill))
    return bytes([program, request, handle, policy, fills]) + struct.pack(
        "<HB5H", address & 0xFFFF, address >> 16, *room, *size) + data


def launch(program, policy=0):
    return (message(program, guest(INIT)) + message(program, guest(LAUNCH_START), policy=policy)
            + message(program, guest(LAUNCH_UPDATE), 0x1000, size=(0x1000, 0, 0), data=bytes(0x1000))
            + message(program, guest(LAUNCH_MEASURE), room=(48, 0))
            + message(program, guest(LAUNCH_SECRET), 0x2000, room=(16, 0), size=(0x34, 16, 0),
                      data=bytes(0x34 + 16))
            + message(program, guest(LAUNCH_FINISH)))


def launch_es(program, processors):
    return (message(program, guest(ES_INIT)) + message(program, guest(LAUNCH_START), policy=4)
            + b"".join(message(program, guest(LAUNCH_VMSA), n, size=(0x1000, 0, 0), data=bytes(0x1000))
                       for n in range(processors))
            + message(program, guest(LAUNCH_MEASURE), room=(48, 0))
            + message(program, guest(LAUNCH_FINISH)))


device = b"".join(message(0, request, room=(0x2000, 0x2000), size=(0x824, 0x824, 0),
                          fill=(CERTIFICATES, CERTIFICATES, 0)) for request in range(9))
migrate = (launch(0) + message(0, guest(SEND_START), room=(0x80, 0), size=(0x824, 0x186C, 0),
                               fill=(CERTIFICATES, CERTIFICATES, 0))
           + message(1, guest(INIT))
           + message(1, guest(RECEIVE_START), size=(0x824, 0x80, 0), fill=(CERTIFICATES, FORMER, 0))
           + message(0, guest(SEND_UPDATE), 0x1000, room=(0x34, 0x1000), size=(0x1000, 0, 0),
                     fill=(LAST, 0, 0))
           + message(1, guest(RECEIVE_UPDATE), 0x4000, room=(0x1000, 0), size=(0x34, 0x1000, 0),
                     fill=(LAST, LAST, 0))
           + message(0, guest(SEND_FINISH)) + message(1, guest(RECEIVE_FINISH))
           + message(1, guest(STATUS)))
debug = (launch(0) + message(0, guest(ENCRYPT), 0x1010, size=(64, 0, 0), data=bytes(range(64)))
         + message(0, guest(DECRYPT), 0x1010, size=(64, 0, 0), fill=(LAST, 0, 0))
         + message(1, CHIP_DECRYPT, 0x1010, size=(64, 0, 0), fill=(LAST, 0, 0), handle=1)
         + message(1, GUESTS) + message(0, guest(REPORT), room=(0x400, 0)))
cancel = (launch(2, 1) + message(2, guest(SEND_START), room=(0x80, 0), size=(0x824, 0x186C, 0),
                                 fill=(CERTIFICATES, CERTIFICATES, 0), policy=1)
          + message(2, guest(SEND_CANCEL)) + message(2, guest(ES_INIT)) + message(2, guest(LAUNCH_VMSA)))
broken = (launch(0) + b"\x80\x20" + bytes(32) + b"\xc0" + launch(1) + b"\x81\x10" + bytes(16) + b"\xc5"
          + message(2, guest(INIT)) + b"\xc2" + b"\x83\xff" + b"\xff" * 255)

es = (launch_es(0, 2) + message(0, guest(LAUNCH_VMSA), 1, size=(0x1000, 0, 0)) + launch_es(1, 1)
      + message(2, guest(INIT)) + message(2, guest(LAUNCH_VMSA), size=(0x1000, 0, 0)) + b"\xc0"
      + message(0, guest(ES_INIT)) + message(0, guest(LAUNCH_START), policy=0) + message(1, GUESTS))

godh, session = bytes(0x824), bytes(0x80)
files = {
    "raw": b"\0" + struct.pack("<H", len(godh)) + godh + session,
    "base64": b"\0" + struct.pack("<H", len(base64.b64encode(godh))) + base64.b64encode(godh)
    + base64.b64encode(session),
    "same": b"\1", "nonce": b"\1" + struct.pack("<HB", 0x824, 1),
    "policy": b"\1" + struct.pack("<HB", 0x824 + 0x7F, 0x80),
}
seeds = {"device": device, "migrate": migrate, "debug": debug, "cancel": cancel, "broken": broken,
         "es": es}
for target, contents in (("fuzz_driver", seeds), ("fuzz_session", files)):
    folder = Path(sys.argv[1]) / target
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
