#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Talks to a guest's console on a Unix socket: waits for each TEXT in turn, types its LINE (a single
control character: without Enter), prints all it got. usage: console-client.py SOCKET TEXT LINE [TEXT LINE]..."""
import socket
import sys
import time

path, pairs = sys.argv[1], [word.encode() for word in sys.argv[2:]]
for _ in range(200):
    client = socket.socket(socket.AF_UNIX)
    try:
        client.connect(path)
        break
    except OSError:
        time.sleep(0.05)
client.settimeout(3)
got = b""
seen = silent = 0
while silent < 20:
    try:
        part = client.recv(4096)
    except socket.timeout:
        silent += 1
        if not got:  # what it waits for was printed before we were connected
            client.sendall(b"\n")
        continue
    if not part:
        break
    silent = 0
    got += part
    if pairs and pairs[0] in got[seen:]:
        control = len(pairs[1]) == 1 and pairs[1] < b" "
        client.sendall(pairs[1] if control else pairs[1] + b"\n")
        seen = len(got)
        pairs = pairs[2:]
sys.stdout.buffer.write(got)
