#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""usage: sev-debug.py PRIVET POLICY SECRET
Under `privet chip exec`, in a folder with the session vm_*: launches a guest of one page by the kernel's
interface, gives it SECRET (a file) by `privet owner secret`, and prints how the page's first bytes are
seen by the host and by the chip's debugger: one line each, secret, no secret or refused."""
import base64
import ctypes
import mmap
import os
import struct
import subprocess
import sys

ENCRYPT_OP, CREATE_VM = 0xC008AEBA, 0xAE01
INIT, START, UPDATE, SECRET, MEASURE, FINISH, DECRYPT = 0, 2, 3, 5, 6, 7, 17
privet, policy, secret = sys.argv[1], int(sys.argv[2]), open(sys.argv[3], "rb").read()
libc = ctypes.CDLL(None, use_errno=True)
kept = []


def address(data):
    buffer = ctypes.create_string_buffer(data, len(data))
    kept.append(buffer)
    return ctypes.addressof(buffer)


def command(number, data=b""):
    """0, or the errno."""
    at = address(data + bytes(8))
    block = address(struct.pack("<IxxxxQII", number, at, 0, sev))
    if libc.ioctl(vm, ctypes.c_ulong(ENCRYPT_OP), ctypes.c_void_p(block)) != 0:
        return ctypes.get_errno()
    return 0


sev = os.open("/dev/sev", os.O_RDWR)
vm = libc.ioctl(os.open("/dev/kvm", os.O_RDWR), ctypes.c_ulong(CREATE_VM), 0)
memory = mmap.mmap(-1, 4096)
page = ctypes.addressof(ctypes.c_char.from_buffer(memory))
godh, session = (base64.b64decode(open("vm_" + n + ".b64").read()) for n in ("godh", "session"))
measured = address(bytes(48))

assert command(INIT) == 0
assert command(START, struct.pack("<IIQIxxxxQIxxxx", 0, policy, address(godh), len(godh),
                                  address(session), len(session))) == 0
assert command(UPDATE, struct.pack("<QIxxxx", page, 4096)) == 0
assert command(MEASURE, struct.pack("<QIxxxx", measured, 48)) == 0
with open("measurement", "wb") as file:
    file.write(base64.b64encode(ctypes.string_at(measured, 48)) + b"\n")
subprocess.run([privet, "owner", "secret", "--secret", "luks-key:" + sys.argv[3], "--tek", "vm_tek.bin",
                "--tik", "vm_tik.bin", "--measurement", "measurement", "--header", "header",
                "--payload", "payload"], check=True, stdout=subprocess.DEVNULL)
header, payload = (base64.b64decode(open(n).read()) for n in ("header", "payload"))
assert command(SECRET, struct.pack("<QIxxxxQIxxxxQIxxxx", address(header), len(header), page, len(payload),
                                   address(payload), len(payload))) == 0
assert command(FINISH) == 0
plain = address(bytes(4096))
refused = command(DECRYPT, struct.pack("<QQIxxxx", page, plain, 4096))
print("host: " + ("secret" if secret in memory[:] else "no secret"))
print("debugger: " + ("refused" if refused else
                      "secret" if secret in ctypes.string_at(plain, 4096) else "no secret"))
os._exit(0)  # the page is still exported
