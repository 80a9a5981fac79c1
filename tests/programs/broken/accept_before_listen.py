#!/usr/bin/python3
"""Broken: calls accept before listen, which fails with EINVAL.

accept_before_listen.py HOST PORT
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
    print("ready", flush=True)
    try:
        connection, _ = server.accept()
    except OSError as error:
        print(f"accept: {error}", file=sys.stderr)
        sys.exit(1)
    server.listen(5)
    request = connection.recv(64)
    connection.sendall(b"x" * int(request.removeprefix(b"GET ")))
    connection.close()
    server.close()


if __name__ == "__main__":
    main()
