#!/usr/bin/python3
"""Correct, and a test of its server: the request goes out in segments of one byte each.

client_in_pieces.py HOST PORT [BYTES]: asks for so many bytes.
"""

import os
import signal
import socket
import sys
import time

PAUSE = 0.05
"""Seconds between two bytes, so that the server is sure to receive them one by one."""


def main() -> None:
    signal.alarm(int(os.environ.get("LIMIT", "20")))
    host, port = sys.argv[1], int(sys.argv[2])
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 100

    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.connect((host, port))
    came = 0
    try:
        for byte in f"GET {count}\n".encode():
            sock.sendall(bytes([byte]))
            time.sleep(PAUSE)
        while piece := sock.recv(65536):
            came += len(piece)
    except OSError as error:
        print(error, file=sys.stderr)
    sock.close()
    print(f"{came} of {count} bytes", flush=True)
    sys.exit(came != count)


if __name__ == "__main__":
    main()
