#!/usr/bin/python3
"""The same service over TCP or, with --udp, over UDP: a request of one line, a reply of n bytes.

    client:  size <n>...\\n     as many dots as the client likes, so that it has any length
    server:  n bytes           or     ERR <reason>\\n

Read over_tcp and over_udp side by side: there is a socket at each end in both. TCP has a
connection first, and no boundaries: the server looks for the line's end. UDP has boundaries and
no connection: each datagram is a request, and says itself where it is from.
"""

import argparse
import re
import socket
import time

import chosen
from command import Failure, endpoint, host_name, port_number, reason, run, say, seconds
from sockets import set_timeouts

REQUEST = re.compile(rb"size (\d{1,8})\.*\r?\n")
MOST_REPLY = 16_000_000
MOST_DATAGRAM = 65507
"""Bytes of data that a datagram over IPv4 may carry: 65535 less 20 (IP) and 8 (UDP, RFC 768)."""
KEPT = 64
"""Bytes of a request that are looked at; what is longer are dots."""


def over_tcp(options: argparse.Namespace) -> None:
    server = bound(options, socket.SOCK_STREAM)
    server.listen(options.backlog)
    say(f"listening on {endpoint(server.getsockname())}")
    while True:
        try:
            connection, client = server.accept()
        except OSError as error:
            say(f"accept: {reason(error)}")
            time.sleep(0.1)  # until there are descriptors again
            continue
        try:
            set_timeouts(connection, options.timeout)
            count = 0
            while request := receive_line(connection):
                connection.sendall(reply(request, MOST_REPLY))
                count += 1
            done = f"{count} requests"
        except OSError as error:
            done = f"lost: {reason(error)}"
        finally:
            connection.close()
        say(f"{endpoint(client)} {done}")


def over_udp(options: argparse.Namespace) -> None:
    server = bound(options, socket.SOCK_DGRAM)
    say(f"receiving on {endpoint(server.getsockname())}")
    while True:
        request, client = server.recvfrom(MOST_DATAGRAM)
        answer = reply(request[:KEPT] + request[KEPT:][-1:], MOST_DATAGRAM)
        try:
            server.sendto(answer, client)
            done = f"{len(answer)} bytes"
        except OSError as error:
            done = f"lost: {reason(error)}"
        say(f"{endpoint(client)} {done}")


def bound(options: argparse.Namespace, kind: socket.SocketKind) -> socket.socket:
    """A socket of this kind, bound to the port. Raises Failure."""
    server = socket.socket(socket.AF_INET, kind)
    try:
        if kind == socket.SOCK_STREAM:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for line in chosen.choose(server, options):
            say(line)
        server.bind((options.host, options.port))
    except OSError as error:
        at = endpoint((options.host, options.port))
        raise Failure(f"cannot bind to {at}: {reason(error)}") from error
    return server


def receive_line(connection: socket.socket) -> bytes:
    """The next line, of its dots only some; empty when the client has closed."""
    line = b""
    while not line.endswith(b"\n"):
        data = connection.recv(65536)
        if data == b"":
            return b""
        line = (line + data)[:KEPT] + (line + data)[KEPT:][-1:]
    return line


def reply(request: bytes, most: int) -> bytes:
    """What answers a request."""
    match = REQUEST.fullmatch(request)
    if match is None:
        return b"ERR a request is: size <n>\n"
    size = int(match[1])
    return b"x" * size if size <= most else b"ERR at most %d bytes\n" % most


def main() -> None:
    options = arguments()
    if options.udp:
        over_udp(options)
    else:
        over_tcp(options)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Answer requests over TCP or UDP.")
    parser.add_argument("--udp", action="store_true", help="over UDP")
    parser.add_argument("--host", type=host_name, default="0.0.0.0", help="address to bind to")
    parser.add_argument("--port", type=port_number, default=9300, help="its port (0: any free)")
    parser.add_argument("--backlog", type=port_number, default=5, help="clients that may wait")
    parser.add_argument("--timeout", type=seconds, default=10, help="seconds of silence allowed")
    chosen.add_arguments(parser, "sndbuf", "rcvbuf")
    return parser.parse_args()


if __name__ == "__main__":
    run(main, ended=0)
