#!/usr/bin/python3
"""Broken: listens with a backlog of 0 and never accepts.

The kernel completes one handshake; the SYNs of further clients are dropped.
never_accepts.py HOST PORT
"""

import os
import signal
import socket
import sys


def main() -> None:
    signal.alarm(int(os.environ.get("LIMIT", "60")))
    host, port = sys.argv[1], int(sys.argv[2])

    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((host, port))
    server.listen(0)
    print("ready", flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
