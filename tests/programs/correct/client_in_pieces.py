#!/usr/bin/python3
"""Correct, and a test of its server: the request goes out in segments of one byte each.

client_in_pieces.py HOST PORT [BYTES]: asks for so many bytes. `$PAUSE` is the longest time between
two bytes, in seconds (0.05); a server that answers or closes meanwhile ends it.
"""

import os
import select
import signal
import socket
import sys


def main() -> None:
    signal.alarm(int(os.environ.get("LIMIT", "20")))
    host, port = sys.argv[1], int(sys.argv[2])
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 100
    pause = float(os.environ.get("PAUSE", "0.05"))

    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.connect((host, port))
    came = 0
    try:
        for byte in f"GET {count}\n".encode():
            sock.sendall(bytes([byte]))
            # A server that takes the first byte for all is slow on a busy machine: how it goes on
            # tells that it has read, the time does not.
            select.select([sock], [], [], pause)
        while piece := sock.recv(65536):
            came += len(piece)
    except OSError as error:
        print(error, file=sys.stderr)
    sock.close()
    print(f"{came} of {count} bytes", flush=True)
    sys.exit(came != count)


if __name__ == "__main__":
    main()
