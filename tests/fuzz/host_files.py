#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
# usage: tests/fuzz/host_files.py FOLDER
# Makes seeds of fuzz_acpi_loader, fuzz_smbios and fuzz_fwcfg_directory (folders below FOLDER) from
# what Debian's QEMU puts into fw_cfg, read through its test protocol: the guest stands still.
import os
import struct
import subprocess
import sys

BOARDS = {
    "plain": [],
    "devices": ["-smp", "4", "-m", "5G", "-device", "vmgenid,guid=auto", "-device",
                "pcie-root-port,id=b", "-device", "virtio-rng-pci,bus=b", "-machine",
                "smbios-entry-point-type=64", "-smbios", "type=11,value=text"],
}
ACPI = ["etc/table-loader", "etc/acpi/rsdp", "etc/acpi/tables", "etc/vmgenid_guid",
        "etc/vmgenid_addr"]
SMBIOS = ["etc/smbios/smbios-anchor", "etc/smbios/smbios-tables"]
DIRECTORY = 0x19
CONTROL, BUFFER = 0x100000, 0x200000  # in the guest's RAM


class Qemu:
    def __init__(self, options):
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", "-machine", "q35,accel=tcg", "-S", "-nodefaults", "-display", "none",
             "-qtest", "stdio", "-qtest-log", "none", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, command):
        print(command, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline().split()
        assert answer and answer[0] == "OK", (command, answer)
        return answer[1:]

    def item(self, key, size):
        """DMA: select and read (docs/specs/fw_cfg)."""
        request = struct.pack(">IIQ", key << 16 | 8 | 2, size, BUFFER)
        self.ask(f"write {CONTROL:#x} {len(request)} 0x{request.hex()}")
        self.ask("outl 0x514 0")
        self.ask(f"outl 0x518 {int.from_bytes(struct.pack('>I', CONTROL), 'little'):#x}")
        return bytes.fromhex(self.ask(f"read {BUFFER:#x} {size}")[0][2:])

    def files(self):
        count, = struct.unpack(">I", self.item(DIRECTORY, 4))
        directory = self.item(DIRECTORY, 4 + 64 * count)
        content = {}
        for i in range(count):
            size, key, name = struct.unpack_from(">IH2x56s", directory, 4 + 64 * i)
            name = name.split(b"\0")[0].decode()
            if name in ACPI + SMBIOS:
                content[name] = self.item(key, size)
        return directory, content

    def close(self):
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()


def seed(folder, target, board, content):
    path = os.path.join(folder, target)
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, board), "wb") as file:
        file.write(content)


def pack(names, content):
    """Size, stored bytes and these for each file; the zeros at its end are not stored."""
    packed = b""
    for name in names:
        stored = content.get(name, b"").rstrip(b"\0")
        packed += struct.pack("<II", len(content.get(name, b"")), len(stored)) + stored
    return packed


for board, options in BOARDS.items():
    qemu = Qemu(options)
    directory, content = qemu.files()
    qemu.close()
    seed(sys.argv[1], "fuzz_acpi_loader", board, pack(ACPI, content))
    seed(sys.argv[1], "fuzz_smbios", board, pack(SMBIOS, content))
    seed(sys.argv[1], "fuzz_fwcfg_directory", board, directory)
