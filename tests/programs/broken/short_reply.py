#!/usr/bin/python3
"""Broken: the client takes what one recv returns for the whole reply, though it is a part of it.

short_reply.py HOST PORT [BYTES]: asks for so many bytes (a million).
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
    reply = sock.recv(65536)
    sock.close()
    print(f"{len(reply)} of {count} bytes", flush=True)
    sys.exit(len(reply) != count)


if __name__ == "__main__":
    main()
