#!/usr/bin/python3
"""Correct: socket, bind, listen; for each client accept, recv, send, close.

server.py HOST PORT [CLIENTS]: ends after so many clients, or by SIGTERM.
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
    host, port = sys.argv[1], int(sys.argv[2])
    clients = int(sys.argv[3]) if len(sys.argv) > 3 else 0

    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((host, port))
    server.listen(5)
    print("ready", flush=True)
    served = 0
    while clients == 0 or served < clients:
        connection, _ = server.accept()
        try:
            serve(connection)
        except (OSError, ValueError) as error:
            print(error, file=sys.stderr)
        connection.close()
        served += 1
    server.close()


if __name__ == "__main__":
    main()
