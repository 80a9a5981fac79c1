#!/usr/bin/python3
"""A client of the echo servers: connect, send, recv until all is back, close.

One connection after another (--count), several at once (--clients), slow (--piece, --pause), or
held open after the echo (--until), so that there is time to look at the server.
"""

import argparse
import json
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from command import Failure, endpoint, host_name, port_number, positive, reason, run, say, seconds
from sockets import set_timeouts


@dataclass
class Report:
    """One connection. Seconds since connect was called: until it returned, and until all was
    back. `why` tells what went wrong."""

    client: int
    local: str = ""
    bytes: int = 0
    connected: float = 0
    seconds: float = 0
    why: str = ""


def converse(connection: socket.socket, options: argparse.Namespace, report: Report) -> None:
    """Connect, and have everything echoed. Raises Failure, and OSError as the calls do."""
    data = os.urandom(options.size)
    set_timeouts(connection, options.timeout)
    started = time.monotonic()
    connection.connect((options.host, options.port))
    report.connected = time.monotonic() - started
    report.local = endpoint(connection.getsockname())
    for at in range(0, options.size, options.piece):
        piece = data[at : at + options.piece]
        if at > 0:
            time.sleep(options.pause)
        connection.sendall(piece)
        if receive(connection, len(piece)) != piece:
            raise Failure("what came back is not what was sent")
        report.bytes += len(piece)
    report.seconds = time.monotonic() - started


def receive(connection: socket.socket, size: int) -> bytes:
    """The next `size` bytes, in as many pieces as they come."""
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise Failure("the server has closed the connection")
        data += piece
    return data


def client(options: argparse.Namespace, reports: list[Report], hold: Callable[[], None]) -> None:
    """One connection after the other; the last one stays open for as long as `hold` says."""
    for report in reports:
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            converse(connection, options, report)
        except (Failure, OSError) as error:
            report.why = reason(error) if isinstance(error, OSError) else str(error)
        if report is reports[-1]:
            hold()
        connection.close()


def holding(options: argparse.Namespace) -> Callable[[], None]:
    """What each client calls with its last connection: waits for all others, then for the end."""
    together = threading.Barrier(options.clients)

    def hold() -> None:
        if options.until is None:
            return
        if together.wait() == 0:
            say("all clients are there")
            if options.until == "-":
                while os.read(0, 4096):
                    pass
            else:
                while not os.path.exists(options.until):  # noqa: PTH110
                    time.sleep(0.02)
        together.wait()

    return hold


def main() -> None:
    options = arguments()
    hold = holding(options)
    reports = [[Report(one) for _ in range(options.count)] for one in range(1, options.clients + 1)]
    started = time.monotonic()
    threads = [threading.Thread(target=client, args=(options, own, hold)) for own in reports]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tell([one for own in reports for one in own], time.monotonic() - started, options.json)


def tell(reports: list[Report], took: float, as_json: bool) -> None:
    """Print what came of the connections. Raises Failure when one of them failed."""
    lost = [one for one in reports if one.why]
    good = sorted(one.seconds for one in reports if not one.why)
    if as_json:
        whole = {"connections": len(reports), "failed": len(lost), "seconds": took}
        say(json.dumps({**whole, "reports": [asdict(one) for one in reports]}))
    elif good:
        middle, last = good[len(good) // 2], good[-1]
        times = f"{middle * 1000:.2f} ms in the middle, {last * 1000:.2f} ms at the most"
        say(f"{len(good)} connections in {took:.3f} s: {times}")
    if lost:
        raise Failure(f"{len(lost)} of {len(reports)} connections failed: {lost[0].why}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Have an echo server send bytes back.")
    parser.add_argument("host", type=host_name)
    parser.add_argument("--port", type=port_number, default=8080)
    parser.add_argument("--clients", type=positive, default=1, help="connections at once")
    parser.add_argument("--count", type=positive, default=1, help="of each, one after the other")
    parser.add_argument("--size", type=positive, default=64, help="bytes on each connection")
    parser.add_argument("--piece", type=positive, default=16384, help="bytes to send at once")
    parser.add_argument("--pause", type=seconds, default=0, help="seconds between two pieces")
    parser.add_argument("--until", metavar="FILE", help="hold open until it is there; -: stdin")
    parser.add_argument("--timeout", type=seconds, default=30, help="seconds of silence allowed")
    parser.add_argument("--json", action="store_true", help="print the report as a JSON object")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
