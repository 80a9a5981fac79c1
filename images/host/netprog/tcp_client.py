#!/usr/bin/python3
"""A TCP client that fetches one file: socket, connect, send, recv, close (figure 6-30).

The conversation is written down in tcp_server.py. The file gets its name only when as many
bytes as announced have arrived and their SHA-256 is the one the server sent after them.

A small file is received into a buffer and written from there; a large one (or each, with
`--by splice`) goes through a pipe inside the kernel instead, all but its beginning
(receiving.py).
"""

import argparse
import json
import os
import re
import socket
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from command import Failure, endpoint, host_name, port_number, printable, reason, run, seconds
from receiving import LARGE, NEVER, Arrival, path_in
from sockets import set_timeouts, until

Address = tuple[str, int]

SPLICE_FROM = {"recv": NEVER, "splice": 1, "size": LARGE}
"""For each choice of `--by`, the bytes still to come from which on splice(2) is used."""


@dataclass
class Report:
    """One finished transfer. `seconds` runs from request to proof; `rate` is bytes a second;
    `sha256` is None when the bytes were not checked."""

    name: str
    bytes: int
    seconds: float
    rate: float
    sha256: str | None
    local: Address
    remote: Address
    path: str


def fetch(options: argparse.Namespace, target: str) -> Report:
    """Fetch the file into `target`. Raises Failure, and OSError when the server is lost."""
    deadline = time.monotonic() + options.wait
    connection = until(deadline, lambda: connect(options.host, options.port, options.timeout))
    try:
        started = time.monotonic()
        local, remote = connection.getsockname(), connection.getpeername()
        connection.sendall(b"GET " + os.fsencode(options.name) + b"\n")
        checked = not options.unchecked
        with Arrival(target, splice_from=SPLICE_FROM[options.by], checked=checked) as arrival:
            receive(connection, arrival, checked)
            seconds = time.monotonic() - started
            arrival.keep()
    finally:
        connection.close()
    rate = arrival.size / seconds
    sha256 = arrival.sha256 if checked else None
    return Report(options.name, arrival.size, seconds, rate, sha256, local, remote, target)


def connect(host: str, port: int, timeout: float) -> socket.socket:
    """A new socket, connected; from then on no call blocks longer than `timeout` seconds."""
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    set_timeouts(connection, timeout)
    try:
        connection.connect((host, port))
    except OSError:
        connection.close()
        raise
    return connection


def receive(connection: socket.socket, arrival: Arrival, checked: bool) -> None:
    """Receive the answer into `arrival`. Raises Failure unless the whole file came."""
    answer, rest = receive_line(connection, b"")
    match = re.fullmatch(r"OK (\d{1,18})", answer, re.ASCII)
    if match is None:
        raise Failure(answer)
    size = int(match[1])
    arrival.write(rest[:size])
    while arrival.size < size:
        # recv(2), or splice(2) of a large file
        if arrival.take(connection, size - arrival.size) == 0:
            raise Failure(f"cut short after {arrival.size} of {size} bytes")
    proof, _ = receive_line(connection, rest[size:])
    if checked and proof != f"SHA256 {arrival.sha256}":
        raise Failure(f"wrong bytes: the server says {proof}, here it is {arrival.sha256}")


def receive_line(connection: socket.socket, begun: bytes) -> tuple[str, bytes]:
    """One line of the server's, and what has been received behind it."""
    while b"\n" not in begun:
        piece = connection.recv(1024)
        if not piece or len(begun) > 1024:
            raise Failure("cut short" if not piece else "not a server of this protocol")
        begun += piece
    line, _, rest = begun.partition(b"\n")
    return line.decode(errors="replace"), rest


def main() -> None:
    options = arguments()
    time.sleep(max(options.at - time.time(), 0))
    target = options.out or path_in(".", options.name)
    if target != "-" and Path(target).is_dir():
        target = path_in(target, options.name)
    try:
        report = fetch(options, target)
    except (Failure, OSError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        at = endpoint((options.host, options.port))
        raise Failure(f"{options.name} from {at}: {why}") from error
    if options.json:
        line = json.dumps(asdict(report))
    else:
        line = (
            f"{report.name}: {report.bytes} bytes in {report.seconds:.3f} s,"
            f" {report.rate / 1e6:.1f} MB/s, {endpoint(report.remote)} to"
            f" {endpoint(report.local)}, sha256 {report.sha256 or 'unchecked'}, in {report.path}"
        )
    print(printable(line), file=sys.stderr if target == "-" else sys.stdout, flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fetch one file from a tcp_server.")
    parser.add_argument("host", type=host_name)
    parser.add_argument("name", help="the file's name on the server")
    parser.add_argument("--port", type=port_number, default=8080)
    parser.add_argument("--out", metavar="PATH", help="file or folder to write to; - is stdout")
    parser.add_argument("--by", choices=SPLICE_FROM, default="size", help="call that receives")
    parser.add_argument("--unchecked", action="store_true", help="do not work out the SHA-256")
    parser.add_argument("--json", action="store_true", help="print the report as a JSON object")
    parser.add_argument("--wait", type=seconds, default=0, help="seconds to wait for the server")
    parser.add_argument(
        "--at", type=float, default=0, metavar="TIME", help="begin then (seconds since 1970)"
    )
    parser.add_argument("--timeout", type=seconds, default=30, help="seconds of silence allowed")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
