"""Threads that already wait when strace is attached."""

from __future__ import annotations

import os
import select
import socket
import threading
import time


def poll() -> None:
    waiting = select.poll()
    waiting.register(os.pipe()[0], select.POLLIN)
    while True:
        waiting.poll(700)


def receive(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as connection:
        while connection.recv(10):
            pass


if __name__ == "__main__":
    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=poll, daemon=True).start()
    threading.Thread(target=receive, args=(server.getsockname(),), daemon=True).start()
    connection, _ = server.accept()
    time.sleep(2)
    connection.sendall(b"abc")
    server.accept()
