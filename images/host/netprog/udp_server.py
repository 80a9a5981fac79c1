#!/usr/bin/python3
"""A UDP server that answers each datagram with one: socket, bind, recvfrom, sendto.

It never listens and never accepts: there are no connections. One socket serves all clients,
and every datagram says itself where it is from.

The conversation, one datagram each way:

    client:  time           server:  the time of day, UTC
    client:  echo <text>    server:  <text>
    client:  size <n>       server:  n bytes, 0 to 65507
    client:  (0 bytes)      server:  (0 bytes)
    anything else           server:  ERR <reason>

Nothing is remembered from one datagram to the next, so a request that comes twice, because the
client did not hear the answer, does no harm.
"""

import argparse
import re
import socket
import time

from command import Failure, endpoint, host_name, port_number, reason, run, say

MOST_DATA = 65507
"""Bytes of data that a datagram over IPv4 may carry: 65535 less 20 (IP) and 8 (UDP, RFC 768)."""

SIZE = re.compile(rb"size (\d{1,9})")
ECHO = re.compile(rb"echo (.*)", re.DOTALL)


def main() -> None:
    options = arguments()
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        server.bind((options.host, options.port))
    except OSError as error:
        at = endpoint((options.host, options.port))
        raise Failure(f"cannot bind to {at}: {reason(error)}") from error
    say(f"receiving on {endpoint(server.getsockname())}")

    while True:
        request, client = server.recvfrom(MOST_DATA)
        reply = answer(request)
        try:
            server.sendto(reply, client)
            done = f"{len(reply)} bytes"
        except OSError as error:
            done = f"lost: {reason(error)}"
        say(f"{endpoint(client)} {shown(request)}: {done}")


def answer(request: bytes) -> bytes:
    """The data of the datagram that answers `request`."""
    if request == b"":
        return b""
    if request == b"time":
        return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()).encode()
    if echo := ECHO.fullmatch(request):
        return echo[1]
    if size := SIZE.fullmatch(request):
        count = int(size[1])
        return b"x" * count if count <= MOST_DATA else b"ERR at most %d bytes" % MOST_DATA
    return b"ERR unknown request"


def shown(data: bytes) -> str:
    """The beginning of `data` as text, for one line."""
    text = data[:40].decode(errors="backslashreplace")
    return text + "..." if len(data) > 40 else text or "(0 bytes)"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Answer each datagram with one.")
    parser.add_argument("--host", type=host_name, default="0.0.0.0", help="address to bind to")
    parser.add_argument("--port", type=port_number, default=9000, help="its port (0: any free)")
    return parser.parse_args()


if __name__ == "__main__":
    run(main, ended=0)
