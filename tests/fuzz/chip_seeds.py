#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""usage: chip_seeds.py FOLDER
Writes the seeds of fuzz_chip into FOLDER/fuzz_chip: launches, a guest sent to its own platform and
received again, SEV-ES guests, the platform's own commands. The records are described in fuzz_chip.c. And those of
fuzz_chip_state into FOLDER/fuzz_chip_state."""
import re
import struct
import sys
from pathlib import Path

HOST = 0x0008000000000000  # CHIP_HOST_WINDOW
PDH, CHAIN, REST = HOST, HOST + 0x824, HOST + 0x824 * 4
SESSION, HEADER, DATA = REST, REST + 0x100, REST + 0x200

source = (Path(__file__).parent / "fuzz_chip.c").read_text()
table = re.search(r"ids\[\] = \{(.*?)\};", source, re.S).group(1)
COMMANDS = [name.strip().removeprefix("SEV_") for name in table.split(",") if name.strip()]
WBINVD = b"\xff"


def command(name, layout="", *values):
    buffer = struct.pack("<" + layout, *values)
    return bytes([COMMANDS.index(name), len(buffer)]) + buffer


INIT = command("INIT", "IIQI", 0, 0, 0, 0) + WBINVD + command("DF_FLUSH")
TMR = HOST + (1 << 32)
VMSA = HOST + 0x4000  # a page of the host's
INIT_ES = command("INIT", "IIQI", 1, 0, TMR, 1 << 20) + WBINVD + command("DF_FLUSH")


def vmrun(asid, page=0x80 + 4):
    return bytes([0xFC, asid, page])


def handle(name, number=1):
    return command(name, "I", number)


def launch(policy=0, number=1, asid=7):
    return (command("LAUNCH_START", "IIQIIQI", 0, policy, 0, 0, 0, 0, 0)
            + command("ACTIVATE", "II", number, asid)
            + command("LAUNCH_UPDATE_DATA", "IIQI", number, 0, 0x1000, 0x1000)
            + command("LAUNCH_MEASURE", "IIQI", number, 0, DATA, 0x30)
            + handle("LAUNCH_FINISH", number))


def launch_es(number=1, asid=3, vmsa=VMSA):
    return (command("LAUNCH_START", "IIQIIQI", 0, 4, 0, 0, 0, 0, 0)
            + command("ACTIVATE", "II", number, asid)
            + command("LAUNCH_UPDATE_DATA", "IIQI", number, 0, 0x1000, 0x1000)
            + command("LAUNCH_UPDATE_VMSA", "IIQI", number, 0, vmsa, 0x1000)
            + command("LAUNCH_MEASURE", "IIQI", number, 0, DATA, 0x30)
            + handle("LAUNCH_FINISH", number))


def packet(name, number, address=0x1000, length=0x1000):
    return command(name, "IIQIIQIIQI", number, 0, HEADER, 0x34, 0, address, length, 0, DATA, length)


def send(policy=0):
    return command("SEND_START", "IIQIIQIIQIIQI", 1, policy, PDH, 0x824, 0, CHAIN, 0x186C, 0,
                   DATA, 0xC80, 0, SESSION, 0x80)


def receive(policy=0):
    return command("RECEIVE_START", "IIQIIQI", 0, policy, PDH, 0x824, 0, SESSION, 0x80)


seeds = {
    "launch": INIT + launch() + handle("DEACTIVATE") + handle("DECOMMISSION"),
    "debug": INIT + launch() + command("DBG_DECRYPT", "IIQQI", 1, 0, 0x1000, DATA, 64)
    + command("DBG_ENCRYPT", "IIQQI", 1, 0, DATA, 0x2000, 64)
    + command("COPY", "IIQQ", 1, 0x1000, 0x1000, 0x3000),
    "migrate": INIT + launch() + send() + receive() + command("ACTIVATE", "II", 2, 8)
    + packet("SEND_UPDATE_DATA", 1) + packet("RECEIVE_UPDATE_DATA", 2, 0x4000)
    + handle("SEND_FINISH") + handle("RECEIVE_FINISH", 2),
    "cancel": INIT + launch(16) + send(16) + packet("SEND_UPDATE_DATA", 1) + handle("SEND_CANCEL"),
    "genuine": INIT + launch(32) + send(32),
    "swap": INIT + launch() + command("SWAP_OUT", "IIQQQQ", 1, 0, 0x1000, 0x2000, 0x3000, 5)
    + command("SWAP_IN", "IIQQQ", 1, 0, 0x2000, 0x1000, 0x3000),
    "secret": INIT + launch()[:-6] + packet("LAUNCH_SECRET", 1, 0x2000, 64),
    "attest": INIT + launch() + command("ATTESTATION", "IIQ16sI", 1, 0, DATA, bytes(16), 0xD0)
    + command("ACTIVATE_EX", "IIIIQ", 24, 1, 7, 2, DATA) + command("GUEST_STATUS", "IIIB", 1, 0, 0, 0),
    "es": INIT_ES + launch_es() + vmrun(3) + launch_es(2, 4, 0x2000) + vmrun(4, 2)
    + command("DBG_DECRYPT", "IIQQI", 1, 0, VMSA, HOST + 0x3000, 64)
    + command("SWAP_OUT", "IIQQQQ", 1, 4, VMSA, 0x5000, 0x8000, 5)
    + command("SWAP_IN", "IIQQQ", 1, 4, 0x5000, 0x6000, 0x8000) + vmrun(3, 6)
    + handle("DEACTIVATE") + handle("DECOMMISSION") + vmrun(3) + command("PLATFORM_STATUS", "12s", b""),
    "es-migrate": INIT_ES + launch_es() + send(4) + receive(4) + command("ACTIVATE", "II", 2, 4)
    + packet("SEND_UPDATE_VMSA", 1, VMSA) + packet("RECEIVE_UPDATE_VMSA", 2, 0x4000)
    + handle("SEND_FINISH") + handle("RECEIVE_FINISH", 2) + vmrun(4, 4),
    "es-region": command("INIT", "IIQI", 1, 0, TMR, 1 << 20)
    + command("GET_ID", "QI", TMR, 0x40) + bytes([0xFD, 0, 0xFD, 2, 0xFD, 4, 0xFD, 6])
    + command("DF_FLUSH") + command("LAUNCH_START", "IIQIIQI", 0, 4, 0, 0, 0, 0, 0)
    + command("ACTIVATE_EX", "IIIIQ", 24, 1, 3, 1, HOST + 0x5000)
    + command("LAUNCH_UPDATE_VMSA", "IIQI", 1, 0, VMSA, 0x1000) + command("SHUTDOWN"),
    "platform": command("GET_ID", "QI", DATA, 0x80) + command("DOWNLOAD_FIRMWARE", "QI", HOST, 64)
    + INIT + command("PEK_CSR", "QI", DATA, 0x824) + command("PDH_GEN") + command("PEK_GEN")
    + command("PDH_CERT_EXPORT", "QIIQI", PDH, 0x824, 0, CHAIN, 0x186C)
    + command("PEK_CERT_IMPORT", "QIIQI", CHAIN, 0x824, 0, CHAIN + 0x824, 0x824)
    + command("SHUTDOWN") + command("PLATFORM_RESET") + INIT,
    "area": b"\xfe\x00\x00\x04" + b"\xff" * 4
    + command("INIT_EX", "IIQIIQI", 36, 0, 0, 0, 0, 0x1000, 0x8000)
    + command("INIT_EX", "IIQIIQI", 36, 0, 0, 0, 0, 0x1000, 0x8000)
    + command("PDH_GEN") + command("SHUTDOWN"),
}


def changes(kind, *places):
    return bytes([kind]) + b"".join(struct.pack("<HB", at, by) for at, by in places)


# chip-state: mark, secret, generations at 40, owned at 52, complete at 56, OCA at 60, PEK, PDH, digest.
states = {
    "empty": b"\0",
    "mark": b"\0PRIVETC1" + bytes(100),
    "as-it-was": changes(1),
    "version": changes(1, (7, 3)),
    "secret": changes(1, (8, 1)),
    "generation": changes(1, (40, 1), (44, 0xFF)),
    "owned": changes(1, (52, 1)),
    "incomplete": changes(1, (56, 1)),
    "certificates": changes(1, (60 + 8, 1), (60 + 0x824 + 0x14, 1), (60 + 2 * 0x824 + 0x41C, 1)),
    "root": changes(2),
    "root-changed": changes(2, (0x620, 1), (0x828, 1)),
}

for target, files in (("fuzz_chip", seeds), ("fuzz_chip_state", states)):
    folder = Path(sys.argv[1]) / target
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
