#!/usr/bin/python3
"""A client that ends its connection in one of five ways: socket, connect, send, recv, close.

    first    it receives the answer and closes: its FIN is the first, the TIME_WAIT is here
    last     it receives until the server has closed (recv returns 0), and closes then
    half     it sends, ends its sending side (shutdown, SHUT_WR), receives to the end, closes
    unread   it closes when the answer is there, and has not received it: RST instead of FIN
    full     it sends as much as the kernel takes, and closes: close(2) does not wait for the
             rest to arrive, unless --linger says so

With --linger the socket has SO_LINGER (socket(7)): 0 seconds mean that close throws away what is
unsent, and sends RST; more, that close waits until all is acknowledged, that long at the most.

The conversation is written down in close_server.py.
"""

import argparse
import json
import select
import socket
import struct
import time
from pathlib import Path

from close_server import wait_for
from command import Failure, endpoint, host_name, port_number, reason, run, say, seconds
from sockets import connect_to

LINE = b"how do we part?\n"
PIECE = 65536


def converse(connection: socket.socket, options: argparse.Namespace) -> int:
    """All that comes before close; returns how many bytes came from the server.

    Raises OSError when the server is lost, Failure when it says nothing.
    """
    if options.way == "full":
        return fill(connection)
    connection.sendall(LINE)
    if options.way == "half":
        connection.shutdown(socket.SHUT_WR)
    if options.way == "unread":
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        if not poll.poll(options.timeout * 1000):
            raise Failure("no answer in time")
        return 0
    received = 0
    while piece := connection.recv(PIECE):
        received += len(piece)
        if options.way == "first" and piece.endswith(b"\n"):
            break
    return received


def fill(connection: socket.socket) -> int:
    """Send until the kernel takes no more: its buffer and the server's are full."""
    try:
        while True:
            connection.send(bytes(PIECE), socket.MSG_DONTWAIT)
    except BlockingIOError:
        return 0


def linger(connection: socket.socket, wait: int) -> None:
    """Have close wait so many seconds for what is not acknowledged; 0: throw it away."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, wait))


def main() -> None:
    options = arguments()
    at = (options.host, options.port)
    try:
        connection = connect_to(*at, options.timeout)
        local = connection.getsockname()
        try:
            received = converse(connection, options)
            if options.linger is not None:
                linger(connection, options.linger)
        finally:
            started = time.monotonic()
            connection.close()
            took = time.monotonic() - started
    except OSError as error:
        raise Failure(f"{endpoint(at)}: {reason(error)}") from error
    except Failure as failure:
        raise Failure(f"{endpoint(at)}: {failure}") from failure
    if options.json:
        report = {"way": options.way, "received": received, "seconds": took, "local": local}
        say(json.dumps(report))
    else:
        say(f"{endpoint(local)} received {received} bytes; close took {1000 * took:.1f} ms")
    if options.stay is not None:
        wait_for(options.stay)


def whole(text: str) -> int:
    """An argument that is a whole number of seconds. Raises ArgumentTypeError."""
    if not text.isascii() or not text.isdigit() or int(text[:5]) > 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of seconds, 0 to 3600")
    return int(text)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="End a connection in one of five ways.")
    parser.add_argument("host", type=host_name)
    parser.add_argument("--port", type=port_number, default=8080)
    ways = ("first", "last", "half", "unread", "full")
    parser.add_argument("--way", choices=ways, default="first")
    parser.add_argument("--linger", type=whole, help="SO_LINGER with so many seconds")
    parser.add_argument("--stay", type=Path, help="after close, run on until this file is there")
    parser.add_argument("--timeout", type=seconds, default=30, help="seconds of silence allowed")
    parser.add_argument("--json", action="store_true", help="print the report as a JSON object")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
