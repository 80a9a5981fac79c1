#!/usr/bin/python3
"""Broken: the client does not look at what connect said (ECONNREFUSED) and sends all the same.

ignores_refused.py HOST PORT [BYTES], where nobody listens.
"""

import os
import signal
import socket
import sys


def main() -> None:
    signal.alarm(int(os.environ.get("LIMIT", "20")))
    host, port = sys.argv[1], int(sys.argv[2])
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 100

    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.connect_ex((host, port))
    try:
        sock.sendall(f"GET {count}\n".encode())
    except OSError as error:
        print(f"send: {error}", file=sys.stderr)
        sys.exit(1)
    sock.close()


if __name__ == "__main__":
    main()
