#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""usage: owner_value_seeds.py FOLDER
Writes the seeds of fuzz_file_value into FOLDER/fuzz_file_value: values in each form that the owner's
tools read; and those of fuzz_owner_mismatch into FOLDER/fuzz_owner_mismatch: a guest for each mistake.
The records are described in the targets."""
import base64
import struct
import sys
from pathlib import Path

GUID = bytes.fromhex("8d2bf1ff96768b4ca9852747075b4f50")
(SAME, HASHES, COMMAND_LINE, NO_INITRD, PATCHED, STORE_CUT, VARIABLES, PROCESSORS, PAGES, POLICY, BUILD,
 API, TWO, KEY) = range(14)


def kernel(protocol, extended=0x3F):
    """A bzImage's setup header (Linux boot protocol) and a little code."""
    header = bytearray(0x238)
    header[0x202:0x208] = b"HdrS" + struct.pack("<H", protocol)
    header[0x211] = 1
    header[0x22C:0x230] = struct.pack("<I", 0x7FFFFFFF)
    header[0x236] = extended
    return bytes(header) + b"code"


def store(length, size):
    """A firmware volume's header (PI 1.7 volume 3, 3.2.1), then 0xff."""
    header = bytes(16) + GUID + struct.pack("<Q", length) + b"_FVH"
    return header + b"\xff" * (size - len(header))


def guest(mistake, detail=0, line=None, image=None, initrd=None, variables=None, firmware=b"firmware",
          processors=0, flags=0, api=24):
    parts = [line, image, initrd, variables]
    present = [part or b"" for part in parts]
    flags |= sum(1 << i for i, part in enumerate([*parts, firmware]) if part is not None)
    return (struct.pack("<4BII4H3B", mistake, detail, flags, processors, 5, 0x00A00F11,
                        *map(len, present), 0, api, 15) + b"".join(present) + firmware)


def direct(mistake, detail=0, line=b"quiet", image=kernel(0x20F)):
    return guest(mistake, detail, line, image, b"initrd", flags=0x20)


VALUE = bytes(range(16, 64))
OWNER = {
    "same": guest(SAME),
    "hashes": direct(HASHES),
    "newline": direct(COMMAND_LINE, 0),
    "no-newline": direct(COMMAND_LINE, 2, b"quiet\n"),
    "blanks": direct(COMMAND_LINE, 3, b" \tquiet \r\n"),
    "empty": direct(COMMAND_LINE, 4),
    "no-initrd": direct(NO_INITRD),
    "patched": direct(PATCHED, 3),
    "patched-old": direct(PATCHED, 3, image=kernel(0x202)),
    "patched-limit": direct(PATCHED, 11, image=kernel(0x20B, 0)),
    "code-alone": guest(STORE_CUT, 0, firmware=store(64, 64) + b"code"),
    "store-alone": guest(STORE_CUT, 1, firmware=store(64, 64) + b"code"),
    "swapped": guest(VARIABLES, 0, variables=store(64, 64)),
    "joined": guest(VARIABLES, 1, variables=store(64, 64)),
    "processors": guest(PROCESSORS, 3, processors=2),
    "model": guest(PAGES, 2 | 4 << 2, processors=2, flags=0x80),
    "stepping": guest(PAGES, 0x23, processors=2, flags=0x80),
    "policy": guest(POLICY, 1),
    "build": guest(BUILD, 9),
    "api": guest(API, 40),
    "two": guest(TWO, 41),
    "key": guest(KEY, 1),
}
FILE = {
    "raw": bytes([0, 7]) + bytes(48),
    "hex": bytes([0, 7]) + VALUE.hex().encode() + b"\n",
    "hex-spaces": bytes([0, 7]) + VALUE.hex(" ").encode() + b"\r\n",
    "hex-odd": bytes([0, 7]) + VALUE.hex().encode()[1:],
    "base64": bytes([0, 7]) + base64.b64encode(VALUE),
    "base64-lines": bytes([0, 40]) + base64.encodebytes(VALUE * 5),
    "base64-damaged": bytes([0, 7]) + b"QUJD=QUJD",
    "both": bytes([0, 3]) + b"deadbeef",
    "write-hex": bytes([1, 5]) + VALUE,
    "write-base64": bytes([2, 5]) + VALUE,
}

for name, seeds in {"fuzz_owner_mismatch": OWNER, "fuzz_file_value": FILE}.items():
    folder = Path(sys.argv[1]) / name
    folder.mkdir(parents=True, exist_ok=True)
    for seed, content in seeds.items():
        (folder / seed).write_bytes(content)
