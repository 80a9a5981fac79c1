#!/usr/bin/python3
"""A TCP client of hello_server: socket, connect, recv, close, for each target it is given.

It never calls bind (unless `--bind` asks for it): connect gives the socket an ephemeral port. With
`--keep` it opens all its connections before it reads from the first, so that each holds a port.
With `--close first` it closes when it has the line, and keeps the connection in TIME-WAIT; else it
first receives until the server has closed.

A connect that fails keeps it from none of the others; it then ends with 1.
"""

import argparse
import errno
import json
import socket
import sys
import time
from dataclasses import asdict, dataclass

import command
from command import Failure, endpoint, host_and_port, port_number, positive, printable, reason
from sockets import set_timeouts

MOST_LINE = 1024

Address = tuple[str, int]


@dataclass
class Report:
    """One try. `errno` is that of the call that failed, None where none did; `seconds` is how
    long connect took, `waited` the time from then to the end of the line."""

    target: str
    errno: str | None
    seconds: float
    local: Address | None = None
    line: str | None = None
    waited: float | None = None


def connect(target: Address, options: argparse.Namespace) -> tuple[socket.socket | None, Report]:
    """A connected socket, or None, and what became of it."""
    sock = None
    started = time.monotonic()
    try:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if options.bind is not None:
            sock.bind(("0.0.0.0", options.bind))
        sock.connect(target)
    except OSError as error:
        took = time.monotonic() - started
        if sock is not None:
            sock.close()
        return None, Report(endpoint(target), errno.errorcode.get(error.errno or 0), took)
    return sock, Report(endpoint(target), None, time.monotonic() - started, sock.getsockname())


def converse(sock: socket.socket, report: Report, options: argparse.Namespace) -> None:
    """Receive the line into the report, and close."""
    started = time.monotonic()
    received = b""
    try:
        set_timeouts(sock, options.timeout)
        while piece := sock.recv(MOST_LINE):
            received += piece
            if len(received) > MOST_LINE or time.monotonic() > started + options.timeout:
                report.errno = "EMSGSIZE" if len(received) > MOST_LINE else "EAGAIN"
                break
            if options.close == "first" and b"\n" in received:
                break
    except OSError as error:
        report.errno = errno.errorcode.get(error.errno or 0)
    finally:
        sock.close()
    report.line = received[:MOST_LINE].decode(errors="backslashreplace").rstrip("\n")
    report.waited = time.monotonic() - started


def shown(report: Report) -> str:
    """The report as one line for a person."""
    if report.local is None:
        return f"{report.target}: connect: {report.errno} after {report.seconds:.3f} s"
    connected = f"port {report.local[1]} to {report.target}: connected in {report.seconds:.3f} s"
    return f"{connected}, {report.waited:.3f} s later: {report.errno or report.line}"


def main() -> None:
    options = arguments()
    try:
        targets = [(socket.gethostbyname(host), port) for host, port in options.target]
    except OSError as error:
        raise Failure(f"no such host: {reason(error)}") from error
    kept, failed = [], False
    for target in targets * options.count:
        sock, report = connect(target, options)
        kept.append((sock, report))
        if not options.keep:
            failed |= tell(kept.pop(), options)
    for pair in kept:
        failed |= tell(pair, options)
    sys.exit(1 if failed else 0)


def tell(pair: tuple[socket.socket | None, Report], options: argparse.Namespace) -> bool:
    """Go on with a connection to its end, print its report; returns whether anything failed."""
    sock, report = pair
    if sock is not None:
        converse(sock, report, options)
    print(json.dumps(asdict(report)) if options.json else printable(shown(report)), flush=True)
    return report.errno is not None


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Call hello_servers and tell what they say.")
    parser.add_argument("target", nargs="+", type=lambda text: host_and_port(text, 7000))
    parser.add_argument("--count", type=positive, default=1, help="how often to call each")
    parser.add_argument("--keep", action="store_true", help="open all before the first is read")
    parser.add_argument("--close", choices=("first", "last"), default="last", help="who closes")
    parser.add_argument("--bind", type=port_number, metavar="PORT", help="bind to this port first")
    parser.add_argument("--timeout", type=command.seconds, default=30, help="seconds for one line")
    parser.add_argument("--json", action="store_true", help="print each report as a JSON object")
    return parser.parse_args()


if __name__ == "__main__":
    command.run(main)
