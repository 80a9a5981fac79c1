#!/usr/bin/python3
"""A TCP client that sends messages and tells what became of each `send`: socket, connect, send,
close.

`send` copies the bytes into a buffer in the kernel and returns; that they have arrived it does
not say. When the buffer is full it blocks until there is room: the line tells for how long.
With --nonblocking it does not wait: it takes what there is room for, and then fails with
EAGAIN; the rest is sent when `select` says that there is room again. With --until-full that is
the end: so one learns how many bytes the kernels on both hosts hold.
"""

import argparse
import json
import select
import socket
import time
from dataclasses import asdict, dataclass, field

import chosen
from command import Failure, endpoint, host_name, port_number, reason, run, say, seconds
from lettered import message
from sockets import set_timeouts

BLOCKED = 0.1
"""Seconds from which on it is said of a send that it blocked."""


class Full(Exception):
    """There is no room for more, and nobody wants to wait."""


@dataclass
class Report:
    """What was sent. `sends` has of each call how many bytes it was given, how many it took,
    and its seconds; 0 were taken where it failed with EAGAIN."""

    bytes: int = 0
    blocked: int = 0
    blocked_seconds: float = 0.0
    sends: list[tuple[int, int, float]] = field(default_factory=list)


def main() -> None:
    options = arguments()
    report = Report()
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        for line in chosen.choose(sock, options):
            tell(options, line)
        set_timeouts(sock, options.timeout)
        sock.connect((options.host, options.port))
        sock.setblocking(not options.nonblocking)
        for number in range(options.messages):
            send_whole(sock, message(number, options.size), report, options)
    except Full:
        tell(options, f"EAGAIN: full after {report.bytes} bytes")
    except OSError as error:
        at = endpoint((options.host, options.port))
        raise Failure(f"{at}: {reason(error)} after {report.bytes} bytes") from error
    finally:
        sock.close()
    if options.json:
        say(json.dumps(asdict(report)))
        return
    say(
        f"sent {report.bytes} bytes in {len(report.sends)} sends,"
        f" blocked {report.blocked} times, {report.blocked_seconds:.2f} s in all"
    )


def send_whole(
    sock: socket.socket, data: bytes, report: Report, options: argparse.Namespace
) -> None:
    """Send all of `data`, however little a send takes at once."""
    rest = memoryview(data)
    while rest:
        began = time.monotonic()
        try:
            taken = sock.send(rest)
        except BlockingIOError:
            if not options.nonblocking:
                raise  # SO_SNDTIMEO is over
            taken = 0
        took = time.monotonic() - began
        report.sends.append((len(rest), taken, took))
        report.bytes += taken
        if took >= BLOCKED:
            report.blocked += 1
            report.blocked_seconds += took
        if took >= BLOCKED or taken < len(rest) or options.each:
            called = f"send {len(report.sends)}: took {taken} of {len(rest)} bytes"
            tell(options, f"{called}, blocked {took:.2f} s" if took >= BLOCKED else called)
        rest = rest[taken:]
        if taken == 0:
            if options.until_full:
                raise Full
            tell(options, "EAGAIN: the buffer is full; waiting for room")
            if not select.select([], [sock], [], options.timeout)[1]:
                raise TimeoutError("no room in time")


def tell(options: argparse.Namespace, line: str) -> None:
    """Say a line, unless JSON is wanted."""
    if not options.json:
        say(line)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Send messages, tell what each send took.")
    parser.add_argument("host", type=host_name)
    parser.add_argument("--port", type=port_number, default=9100)
    parser.add_argument("--messages", type=chosen.number, default=1, help="how many")
    parser.add_argument("--size", type=chosen.number, default=65536, help="bytes of each")
    parser.add_argument("--nonblocking", action="store_true", help="let no send wait for room")
    parser.add_argument("--until-full", action="store_true", help="end at the first EAGAIN")
    parser.add_argument("--each", action="store_true", help="say a line for each send")
    parser.add_argument("--timeout", type=seconds, default=60, help="seconds a send may block")
    parser.add_argument("--json", action="store_true", help="print the report as a JSON object")
    chosen.add_arguments(parser, "sndbuf", "nodelay", "mss")
    options = parser.parse_args()
    options.nonblocking |= options.until_full
    return options


if __name__ == "__main__":
    run(main)
