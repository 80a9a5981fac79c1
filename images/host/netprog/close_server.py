#!/usr/bin/python3
"""A server for watching how a connection ends: socket, bind, listen, accept, recv, send, close.

Each connection is one line from the client and one line back, `N bytes`. Who closes first is
an option; the end of a connection is what this program is about:

    ordinary   it answers, waits until the client has closed (recv returns 0), and closes
    --first    it answers and closes at once: so the TIME_WAIT is here
    --until F  it receives nothing until there is a file F: what the client sends, and its
               FIN, waits in the kernel meanwhile

A line may be as long as the client likes. Where the client ends its sending side before a
newline comes (shutdown), what has come until then is the line.
"""

import argparse
import socket
import time
from pathlib import Path

from command import endpoint, host_name, port_number, reason, run, say, seconds
from sockets import listen_on, set_timeouts

LOOK = 0.05
"""Seconds between two looks whether the file is there."""

PIECE = 65536


def main() -> None:
    options = arguments()
    server = listen_on(options.host, options.port, 5)
    say(f"listening on {endpoint(server.getsockname())}")
    while True:
        try:
            connection, client = server.accept()
        except OSError as error:
            say(f"accept: {reason(error)}")
            time.sleep(LOOK)  # out of descriptors, say: others may close theirs
            continue
        try:
            done = serve(connection, options)
        except OSError as error:
            done = f"lost: {reason(error)}"
        finally:
            connection.close()
        say(f"{endpoint(client)} {done}")


def serve(connection: socket.socket, options: argparse.Namespace) -> str:
    """One line and its answer; returns how it ended. Raises OSError when the client is lost."""
    set_timeouts(connection, options.timeout)
    if options.until is not None:
        wait_for(options.until)
    size, ended = receive_line(connection)
    connection.sendall(f"{size} bytes\n".encode())
    if options.first:
        return f"{size} bytes, closed first"
    while not ended:
        ended = not connection.recv(PIECE)
    return f"{size} bytes, the client ended first"


def receive_line(connection: socket.socket) -> tuple[int, bool]:
    """How many bytes came, to the newline or the client's end; and whether that was its end."""
    size = 0
    while piece := connection.recv(PIECE):
        size += len(piece)
        if piece.endswith(b"\n"):
            return size, False
    return size, True


def wait_for(path: Path) -> None:
    """Return when there is such a file."""
    while not path.exists():
        time.sleep(LOOK)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Answer one line a connection, and close.")
    parser.add_argument("--host", type=host_name, default="0.0.0.0", help="address to bind to")
    parser.add_argument("--port", type=port_number, default=8080, help="its port (0: any free)")
    parser.add_argument("--first", action="store_true", help="close right after the answer")
    parser.add_argument("--until", type=Path, help="receive nothing until this file is there")
    parser.add_argument("--timeout", type=seconds, default=30, help="seconds of silence allowed")
    return parser.parse_args()


if __name__ == "__main__":
    run(main, ended=0)
