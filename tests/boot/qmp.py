#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""usage: qmp.py SOCKET COMMAND [ARGUMENTS]
Gives QEMU's monitor one command, whose arguments are a JSON object, and prints what it returns.
Exit code 1 with the error's text on standard error if it is refused."""
import json
import socket
import sys


def answer(stream):
    """The next message that is no event."""
    for line in stream:
        message = json.loads(line)
        if "event" not in message:
            return message
    sys.exit("qmp.py: the monitor is closed")


def ask(stream, command, arguments):
    stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
    stream.flush()
    message = answer(stream)
    if "error" in message:
        sys.exit(message["error"]["desc"])
    return message["return"]


def main():
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(60)
    connection.connect(sys.argv[1])
    stream = connection.makefile("rw")
    answer(stream)  # the greeting
    ask(stream, "qmp_capabilities", {})
    arguments = json.loads(sys.argv[3]) if len(sys.argv) > 3 else {}
    print(json.dumps(ask(stream, sys.argv[2], arguments)))


main()
