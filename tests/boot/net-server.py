#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""The host's side of the network tests: an HTTP server for one folder and a name server that knows
guest.privet.test, both on 127.0.0.1, on free ports (or a DNS port given as second argument).
usage: net-server.py FOLDER [DNS-PORT]; prints "HTTP-PORT DNS-PORT" when it is ready."""
import functools
import http.server
import socket
import struct
import sys
import threading


def answer(query):
    """192.0.2.77 for A guest.privet.test, an empty answer for its other types, else NXDOMAIN."""
    at, labels = 12, []
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    kind = struct.unpack(">H", query[at + 1:at + 3])[0]
    known = ".".join(labels).lower() == "guest.privet.test"
    found = known and kind == 1
    reply = query[:2] + struct.pack(">HHHHH", 0x8580 if known else 0x8583, 1, int(found), 0, 0)
    reply += query[12:at + 5]
    if found:
        reply += b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + bytes([192, 0, 2, 77])
    return reply


def serve_names(server):
    while True:
        query, client = server.recvfrom(1500)
        try:
            server.sendto(answer(query), client)
        except (IndexError, struct.error, UnicodeDecodeError):
            pass


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


web = http.server.ThreadingHTTPServer(
    ("127.0.0.1", 0), functools.partial(Quiet, directory=sys.argv[1]))
names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
names.bind(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0))
threading.Thread(target=serve_names, args=(names,), daemon=True).start()
print(web.server_address[1], names.getsockname()[1], flush=True)
web.serve_forever()
