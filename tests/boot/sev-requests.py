#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Under `privet chip exec`, while a guest is there: the requests of /dev/sev (linux: psp-sev.h) with
right and wrong arguments. The last line says that all were answered as Linux does, or which was not."""
import ctypes
import errno
import os
import struct
import sys

ISSUE_CMD = 0xC0105300
RESET, STATUS, PEK_GEN, CSR, PDH_GEN, EXPORT, IMPORT, ID, ID2 = range(9)
INVALID_LENGTH, INVALID_STATE = 4, 1
CONFIG_ES = 1 << 8
libc = ctypes.CDLL(None, use_errno=True)


def issue(fd, number, data=None):
    """(errno, firmware's status, the structure afterwards)"""
    at = ctypes.addressof(data) if data is not None else 0
    call = ctypes.create_string_buffer(struct.pack("<IQI", number, at, 0), 16)
    result = libc.ioctl(fd, ctypes.c_ulong(ISSUE_CMD), call)
    status = struct.unpack("<IQI", call.raw)[2]
    return (ctypes.get_errno() if result else 0, status, data.raw if data is not None else b"")


def buffer(size):
    return ctypes.create_string_buffer(size)


def check(what, got, expected):
    if got != expected:
        sys.exit(f"{what}: {got} instead of {expected}")


read_only = os.open("/dev/sev", os.O_RDONLY)
sev = os.open("/dev/sev", os.O_RDWR)

error, status, data = issue(sev, STATUS, buffer(12))
major, minor, state, flags, build, guests = struct.unpack("<BBBIBI", data)
check("PLATFORM_STATUS", (error, status, major, minor, state, flags, build, guests),
      (0, 0, 0, 24, 2, CONFIG_ES, 15, 1))
check("PLATFORM_STATUS without a structure", issue(sev, STATUS)[0], errno.EFAULT)

for number in (RESET, PEK_GEN, PDH_GEN):
    check(f"request {number} for reading", issue(read_only, number)[0], errno.EPERM)
check("CSR for reading", issue(read_only, CSR, buffer(12))[0], errno.EPERM)
check("reset while a guest is there", issue(sev, RESET)[0], errno.EBUSY)
check("PEK_GEN while a guest is there", issue(sev, PEK_GEN)[:2], (errno.EIO, INVALID_STATE))
for number in (9, 10, 99):
    check(f"request {number}", issue(sev, number, buffer(64))[0], errno.EINVAL)

error, status, data = issue(sev, ID2, ctypes.create_string_buffer(struct.pack("<QI", 0, 0), 12))
check("GET_ID2 asks the length", (error, status, struct.unpack("<QI", data)[1]),
      (errno.EIO, INVALID_LENGTH, 64))
identity = buffer(64)
error, status, data = issue(
    sev, ID2, ctypes.create_string_buffer(struct.pack("<QI", ctypes.addressof(identity), 64), 12))
check("GET_ID2", (error, status, any(identity.raw)), (0, 0, True))
error, status, data = issue(sev, ID, buffer(128))
check("GET_ID", (error, status, data), (0, 0, identity.raw + bytes(64)))

error, status, data = issue(read_only, EXPORT,
                            ctypes.create_string_buffer(struct.pack("<QIQI", 0, 0, 0, 0), 24))
check("PDH_CERT_EXPORT asks the lengths",
      (error, status, struct.unpack("<QIQI", data)[1::2]), (errno.EIO, INVALID_LENGTH, (2084, 6252)))
pdh, chain = buffer(2084), buffer(6252)
error, status, data = issue(sev, EXPORT, ctypes.create_string_buffer(struct.pack(
    "<QIQI", ctypes.addressof(pdh), 2084, ctypes.addressof(chain), 6252), 24))
exported = open("chain", "rb").read()
check("PDH_CERT_EXPORT", (error, status, pdh.raw + chain.raw == exported), (0, 0, True))

print("all as Linux answers")
