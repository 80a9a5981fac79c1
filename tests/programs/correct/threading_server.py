#!/usr/bin/python3
"""Correct and concurrent: a thread serves each client.

threading_server.py HOST PORT [CLIENTS]: ends after so many clients, or by SIGTERM.
"""

import os
import signal
import socket
import sys
import threading


def serve(connection: socket.socket) -> None:
    request = b""
    try:
        while b"\n" not in request:
            piece = connection.recv(64)
            if not piece:
                return
            request += piece
        connection.sendall(b"x" * int(request.removeprefix(b"GET ")))
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
    finally:
        connection.close()


def main() -> None:
    signal.alarm(int(os.environ.get("LIMIT", "60")))
    host, port = sys.argv[1], int(sys.argv[2])
    clients = int(sys.argv[3]) if len(sys.argv) > 3 else 0

    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((host, port))
    server.listen(128)
    print("ready", flush=True)
    threads: list[threading.Thread] = []
    while clients == 0 or len(threads) < clients:
        connection, _ = server.accept()
        threads.append(threading.Thread(target=serve, args=(connection,)))
        threads[-1].start()
    server.close()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
