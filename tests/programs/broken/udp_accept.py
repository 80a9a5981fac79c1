#!/usr/bin/python3
"""Broken: calls accept on a UDP socket, which has no connections to accept (EOPNOTSUPP).

udp_accept.py HOST PORT
"""

import os
import signal
import socket
import sys


def main() -> None:
    signal.alarm(int(os.environ.get("LIMIT", "60")))
    host, port = sys.argv[1], int(sys.argv[2])

    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((host, port))
    print("ready", flush=True)
    try:
        connection, client = server.accept()
    except OSError as error:
        print(f"accept: {error}", file=sys.stderr)
        sys.exit(1)
    request = connection.recv(64)
    connection.sendto(b"x" * int(request.removeprefix(b"GET ")), client)


if __name__ == "__main__":
    main()
