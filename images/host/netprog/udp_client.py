#!/usr/bin/python3
"""A UDP client that asks for an answer: socket, sendto, recvfrom, close.

The conversation is written down in udp_server.py. Nothing but a reply tells that a request has
arrived: where none comes in time, it is sent again. Each request has a socket, and so a port,
of its own: a reply that comes too late finds nobody, and is not taken for the next one's.

With --connect the socket is connected first. That sends nothing; but from then on the kernel
lets only the server's datagrams in, and reports what ICMP says of ours, as ECONNREFUSED where
nobody has bound the port (udp(7)).
"""

import argparse
import json
import os
import socket
import time
from dataclasses import asdict, dataclass

from command import (
    Failure,
    endpoint,
    host_name,
    port_number,
    positive,
    printable,
    reason,
    run,
    seconds,
)
from sockets import set_timeouts

MOST = 65535
"""More bytes than any datagram carries, so that none is cut short."""

Address = tuple[str, int]


@dataclass
class Report:
    """One request and its reply. `seconds` runs from the last time it was sent to the reply.

    `local` is what the socket is bound to: 0.0.0.0, that is any address, unless connected.
    """

    request: str
    reply: str
    bytes: int
    seconds: float
    tries: int
    local: Address
    remote: Address


def exchange(options: argparse.Namespace, request: bytes) -> Report:
    """Send the request, receive its reply. Raises Failure, and OSError when that is reported."""
    server = (socket.gethostbyname(options.host), options.port)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        if options.connect:
            sock.connect(server)
        for number in range(1, options.tries + 1):
            started = time.monotonic()
            sock.sendto(request, server)
            reply = receive(sock, server, started + options.timeout)
            if reply is not None:
                took = time.monotonic() - started
                texts = (as_text(request), as_text(reply))
                return Report(*texts, len(reply), took, number, sock.getsockname(), server)
    finally:
        sock.close()
    raise Failure(f"no answer to {options.tries} datagrams, {options.timeout:g} s each")


def receive(sock: socket.socket, server: Address, deadline: float) -> bytes | None:
    """The next datagram from `server`, None when none comes until `deadline` (time.monotonic).

    Anybody may send to a socket that is not connected: what others send is dropped.
    """
    while (left := deadline - time.monotonic()) > 0:
        set_timeouts(sock, left)
        try:
            reply, sender = sock.recvfrom(MOST)
        except BlockingIOError:
            return None
        if sender == server:
            return reply
    return None


def as_text(data: bytes) -> str:
    """Data as text; bytes that are none as escapes."""
    return data.decode(errors="backslashreplace")


def main() -> None:
    options = arguments()
    request = os.fsencode(" ".join(options.request))
    for _ in range(options.count):
        try:
            report = exchange(options, request)
        except (Failure, OSError) as error:
            why = reason(error) if isinstance(error, OSError) else str(error)
            raise Failure(f"{endpoint((options.host, options.port))}: {why}") from error
        print(json.dumps(asdict(report)) if options.json else printable(line(report)), flush=True)


def line(report: Report) -> str:
    """The report for a person: at most some 60 characters of the reply."""
    reply = report.reply if len(report.reply) <= 60 else f"{report.reply[:60]}..."
    again = f" at try {report.tries}" if report.tries > 1 else ""
    return (
        f"{report.bytes} bytes from {endpoint(report.remote)} to port {report.local[1]}"
        f" in {1000 * report.seconds:.2f} ms{again}: {reply}"
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Ask a udp_server: one datagram each way.")
    parser.add_argument("host", type=host_name)
    parser.add_argument("request", nargs="*", default=["time"], help="time, echo TEXT, size N")
    parser.add_argument("--port", type=port_number, default=9000)
    parser.add_argument("--count", type=positive, default=1, help="how often to ask")
    parser.add_argument("--tries", type=positive, default=3, help="how often to send a request")
    parser.add_argument("--timeout", type=seconds, default=1, help="seconds to wait for a reply")
    parser.add_argument("--connect", action="store_true", help="connect the socket first")
    parser.add_argument("--json", action="store_true", help="print each report as a JSON object")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
