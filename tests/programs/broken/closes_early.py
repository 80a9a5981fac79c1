#!/usr/bin/python3
"""Broken: the client closes before it has received all, so that its kernel answers with RST.

closes_early.py HOST PORT [BYTES]: asks for so many bytes (a million) and receives ten.
"""

import os
import signal
import socket
import sys


def main() -> None:
    signal.alarm(int(os.environ.get("LIMIT", "20")))
    host, port = sys.argv[1], int(sys.argv[2])
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 1_000_000

    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.connect((host, port))
    sock.sendall(f"GET {count}\n".encode())
    # More than the ten bytes is there by then, left unread.
    while len(sock.recv(11, socket.MSG_PEEK)) < 11:
        pass
    came = len(sock.recv(10))
    sock.close()
    print(f"{came} of {count} bytes", flush=True)


if __name__ == "__main__":
    main()
