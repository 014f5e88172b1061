#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Talks to a guest's console on a Unix socket: waits for TEXT, types a line, prints all it got.
usage: console-client.py SOCKET TEXT LINE"""
import socket
import sys
import time

path, text, line = sys.argv[1], sys.argv[2].encode(), sys.argv[3].encode() + b"\n"
for _ in range(200):
    client = socket.socket(socket.AF_UNIX)
    try:
        client.connect(path)
        break
    except OSError:
        time.sleep(0.05)
client.settimeout(60)
got = b""
typed = False
while True:
    part = client.recv(4096)
    if not part:
        break
    got += part
    if not typed and text in got:
        client.sendall(line)
        typed = True
sys.stdout.buffer.write(got)
