#!/usr/bin/python3
"""Correct: socket, connect, send, recv until the server has closed, close.

client.py HOST PORT [BYTES [TIMES]]: asks for so many bytes, so many times.
"""

import os
import signal
import socket
import sys


def fetch(host: str, port: int, count: int) -> int:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.connect((host, port))
    sock.sendall(f"GET {count}\n".encode())
    came = 0
    while piece := sock.recv(65536):
        came += len(piece)
    sock.close()
    return came


def main() -> None:
    signal.alarm(int(os.environ.get("LIMIT", "20")))
    host, port = sys.argv[1], int(sys.argv[2])
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 100
    times = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    for _ in range(times):
        came = fetch(host, port, count)
        print(f"{came} of {count} bytes", flush=True)
        if came != count:
            sys.exit(1)


if __name__ == "__main__":
    main()
