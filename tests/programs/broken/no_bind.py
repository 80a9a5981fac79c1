#!/usr/bin/python3
"""Broken: never binds. listen gives the socket an ephemeral port that no client knows.

no_bind.py HOST PORT [CLIENTS]
"""

import os
import signal
import socket
import sys


def serve(connection: socket.socket) -> None:
    request = b""
    while b"\n" not in request:
        piece = connection.recv(64)
        if not piece:
            return
        request += piece
    connection.sendall(b"x" * int(request.removeprefix(b"GET ")))


def main() -> None:
    signal.alarm(int(os.environ.get("LIMIT", "60")))
    clients = int(sys.argv[3]) if len(sys.argv) > 3 else 0

    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.listen(5)
    print("ready", flush=True)
    served = 0
    while clients == 0 or served < clients:
        connection, _ = server.accept()
        serve(connection)
        connection.close()
        served += 1
    server.close()


if __name__ == "__main__":
    main()
