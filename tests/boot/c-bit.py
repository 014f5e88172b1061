#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Prints EBX[5:0] of CPUID 0x8000001F, as QEMU reads it: the instruction, executed here."""
import ctypes
import mmap

CODE = bytes.fromhex("53"            # push rbx
                     "b81f000080"    # mov eax, 0x8000001f
                     "31c9"          # xor ecx, ecx
                     "0fa2"          # cpuid
                     "89d8"          # mov eax, ebx
                     "83e03f"        # and eax, 63
                     "5bc3")         # pop rbx; ret

memory = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
memory.write(CODE)
address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
print(ctypes.CFUNCTYPE(ctypes.c_uint)(address)())
