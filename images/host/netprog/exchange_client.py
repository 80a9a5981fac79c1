#!/usr/bin/python3
"""A request and its reply over TCP or, with --udp, over UDP; exchange_server.py has the words.

Above its socket the program decides all; below it only the transport and a few parameters, which
are set before `connect`: see chosen.py. It tells what the kernel made of them, how long each
exchange took, and, over TCP, in how many segments the replies came.

With --two-sends a request is sent in two parts, as a program does that does not care: without
TCP_NODELAY the second part waits until the first is acknowledged (Nagle, RFC 896), and the
other end takes its time with that (delayed acknowledgement, RFC 9293, 3.8.6.3).
"""

import argparse
import json
import socket
import struct
import time
from dataclasses import asdict, dataclass, field

import chosen
from command import Failure, endpoint, host_name, port_number, reason, run, say, seconds
from sockets import set_timeouts

Address = tuple[str, int]
DATA_SEGMENTS_IN = 152
"""Where tcp_info (linux/tcp.h) counts the segments with data that have come."""


@dataclass
class Report:
    """`choices` has a line for each option that was chosen, `options` what is set at the end;
    `seconds` of each exchange; `segments` that carried the replies, null over UDP."""

    transport: str
    bytes: int = 0
    segments: int | None = None
    seconds: list[float] = field(default_factory=list)
    choices: list[str] = field(default_factory=list)
    options: dict[str, int] = field(default_factory=dict)


def over_tcp(server: Address, options: argparse.Namespace, report: Report) -> None:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        report.choices = chosen.choose(sock, options)
        set_timeouts(sock, options.timeout)
        sock.connect(server)
        for _ in range(options.count):
            began = time.monotonic()
            for part in request(options):
                sock.sendall(part)
            report.bytes += receive(sock, options.size)
            report.seconds.append(time.monotonic() - began)
        report.options = chosen.now(sock)
        report.segments = segments(sock)
    finally:
        sock.close()


def over_udp(server: Address, options: argparse.Namespace, report: Report) -> None:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        report.choices = chosen.choose(sock, options)
        set_timeouts(sock, options.timeout)
        for _ in range(options.count):
            began = time.monotonic()
            sock.sendto(b"".join(request(options)), server)
            reply, _ = sock.recvfrom(65535)
            if len(reply) != options.size:
                raise Failure(f"{len(reply)} bytes instead of {options.size}")
            report.bytes += len(reply)
            report.seconds.append(time.monotonic() - began)
        report.options = chosen.now(sock)
    finally:
        sock.close()


def request(options: argparse.Namespace) -> list[bytes]:
    """The parts in which a request is sent."""
    line = b"size %d" % options.size
    line += b"." * max(0, options.request - len(line) - 1) + b"\n"
    return [line[:5], line[5:]] if options.two_sends else [line]


def receive(sock: socket.socket, size: int) -> int:
    """Receive a reply of `size` bytes, in as many recv as it takes. Raises Failure."""
    count = 0
    while count < size:
        data = sock.recv(min(65536, size - count))
        if data == b"":
            raise Failure(f"cut short after {count} of {size} bytes")
        if data.startswith(b"ERR"):
            raise Failure(data.decode(errors="replace").strip())
        count += len(data)
    return count


def segments(sock: socket.socket) -> int | None:
    """How many segments with data have come; None where the kernel does not count them."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, DATA_SEGMENTS_IN + 4)
    if len(info) < DATA_SEGMENTS_IN + 4:
        return None
    return int(struct.unpack_from("=I", info, DATA_SEGMENTS_IN)[0])


def main() -> None:
    options = arguments()
    report = Report("udp" if options.udp else "tcp")
    try:
        server = (socket.gethostbyname(options.host), options.port)
        (over_udp if options.udp else over_tcp)(server, options, report)
    except (Failure, OSError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        raise Failure(f"{endpoint((options.host, options.port))}: {why}") from error
    if options.json:
        say(json.dumps(asdict(report)))
        return
    for line in report.choices:
        say(line)
    say(", ".join(f"{name} {value}" for name, value in report.options.items()))
    came = f" in {report.segments} segments" if report.segments is not None else ""
    took = f"{1000 * sum(report.seconds):.1f} ms"
    say(f"{report.transport}: {options.count} replies, {report.bytes} bytes{came}, in {took}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Ask an exchange_server, over TCP or UDP.")
    parser.add_argument("host", type=host_name)
    parser.add_argument("--udp", action="store_true", help="over UDP")
    parser.add_argument("--port", type=port_number, default=9300)
    parser.add_argument("--size", type=chosen.number, default=10, help="bytes of a reply")
    parser.add_argument("--request", type=chosen.number, default=0, help="bytes of a request")
    parser.add_argument("--count", type=chosen.number, default=1, help="how often to ask")
    parser.add_argument("--two-sends", action="store_true", help="send a request in two parts")
    parser.add_argument("--timeout", type=seconds, default=10, help="seconds to wait for a reply")
    parser.add_argument("--json", action="store_true", help="print the report as a JSON object")
    chosen.add_arguments(parser)
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
