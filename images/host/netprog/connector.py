#!/usr/bin/python3
"""A TCP client that only opens: socket, connect, close, for each target that it is given.

It tells how each connect ended: connected, or its errno, and after how long. With `--nonblocking`
connect returns at once, mostly with EINPROGRESS; poll says when it is over and SO_ERROR how it
ended (connect(2)). So the program's own patience (`--timeout`) decides, not the kernel's.

It ends with 0 where all were connected, with 1 where one was not.
"""

import argparse
import errno
import json
import os
import select
import socket
import sys
import time
from dataclasses import asdict, dataclass

from command import Failure, host_and_port, printable, reason, run, seconds
from sockets import set_timeouts

Address = tuple[str, int]


@dataclass
class Report:
    """One try. `first` is what connect itself returned, `errno` how it went out in the end; both
    are None for success. `seconds` runs from connect to that end."""

    target: str
    address: Address
    first: str | None
    errno: str | None
    seconds: float
    local: Address | None


def attempt(target: str, address: Address, options: argparse.Namespace) -> Report:
    """Open one connection and close it again. Raises Failure without a descriptor."""
    try:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    except OSError as error:
        raise Failure(f"socket: {reason(error)}") from error
    if options.nonblocking:
        sock.setblocking(False)
    elif options.timeout is not None:
        set_timeouts(sock, options.timeout)
    started = time.monotonic()
    first = code = sock.connect_ex(address)
    if options.nonblocking and code == errno.EINPROGRESS:
        code = outcome(sock, options.timeout)
    took = time.monotonic() - started
    local = sock.getsockname() if code == 0 else None
    sock.close()
    return Report(target, address, name(first), name(code), took, local)


def outcome(sock: socket.socket, timeout: float | None) -> int:
    """What became of a connect that was only begun: 0, an errno, or ETIMEDOUT for no patience."""
    poll = select.poll()
    poll.register(sock, select.POLLOUT)
    # None: wait for as long as the kernel tries.
    if not poll.poll(None if timeout is None else timeout * 1000):
        return errno.ETIMEDOUT
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


def name(code: int) -> str | None:
    return errno.errorcode.get(code, str(code)) if code else None


def shown(report: Report) -> str:
    """The report as one line for a person."""
    took = f"{1000 * report.seconds:10.2f} ms"
    if report.errno is None:
        ended = f"connected from port {report.local[1]}" if report.local else "connected"
    else:
        ended = f"{report.errno}: {os.strerror(getattr(errno, report.errno))}"
    before = f"{report.first}, then " if report.first not in (None, report.errno) else ""
    return f"{report.target:<16} {took}  {before}{ended}"


def main() -> None:
    options = arguments()
    found = []
    for host, port in options.target:
        try:
            found.append((f"{host}:{port}", (socket.gethostbyname(host), port)))
        except OSError as error:
            raise Failure(f"{host}: {reason(error)}") from error
    failed = False
    for target, address in found:
        report = attempt(target, address, options)
        failed |= report.errno is not None
        line = json.dumps(asdict(report)) if options.json else printable(shown(report))
        print(line, flush=True)
    sys.exit(1 if failed else 0)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Try to connect, and tell how it went out.")
    parser.add_argument("target", nargs="+", type=lambda text: host_and_port(text, 8080))
    parser.add_argument("--nonblocking", action="store_true", help="connect without waiting")
    parser.add_argument("--timeout", type=seconds, help="seconds to wait for each (or for ever)")
    parser.add_argument("--json", action="store_true", help="print each report as a JSON object")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
