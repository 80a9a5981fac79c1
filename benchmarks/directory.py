"""What the directory can do: logins, shares and searches per second, with many connected.

    .venv/bin/python benchmarks/directory.py [--connections 1000] [--files 100000]
        [--searches 20000] [--server HOST:PORT] [--json]

It starts a directory on the loopback, logs the connections in, lets them share the files (names
of five words out of 20,000, the k-th of which is k times rarer than the first, as words of a
language are), and then search: one to three of the same words, each connection one search at a
time. `latency` is of a search among that crowd; `alone` of one search at a time while all are
connected and silent. Beside it, in the same run, a plain table in Python over UDP: a dict, one
datagram each way. Read the ratios and the processor time per request, not the seconds: a shared
machine makes all of them longer together. `--server` measures another Napster server (an OpenNap,
say) with the same load; its processor time is not known then.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import re
import selectors
import socket
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

NETPROG = Path(__file__).parents[1] / "images" / "host" / "netprog"
HEADER = struct.Struct("<HH")
LOGIN, SHARE, SEARCH, SEARCH_END, STATISTICS = 2, 100, 200, 202, 214
UDP_TABLE = """
import socket
table = {b"%d" % number: b"10.0.0.%d" % (number % 250) for number in range(100_000)}
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", 0))
print("listening on 127.0.0.1:%d" % sock.getsockname()[1], flush=True)
while True:
    wanted, client = sock.recvfrom(2048)
    sock.sendto(table.get(wanted, b""), client)
"""


@dataclass(eq=False)
class Connection:
    """One client: what has come that is no whole message yet, and what it waits for."""

    sock: socket.socket
    rest: bytes = b""
    sent_at: float = 0
    left: list[bytes] = field(default_factory=list)


def frame(kind: int, data: str) -> bytes:
    return HEADER.pack(len(data), kind) + data.encode()


def words(chance: random.Random, count: int = 20_000) -> Iterator[list[str]]:
    """Endless rows of 32 words, the k-th of `count` k times rarer than the first."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    known = ["".join(chance.choices(letters, k=chance.randrange(3, 9))) for _ in range(count)]
    weights = list(itertools.accumulate(1 / rank for rank in range(1, count + 1)))
    while True:
        yield chance.choices(known, cum_weights=weights, k=32)


def processor(pid: int) -> float:
    """Seconds of processor time that a process has had."""
    times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> int:
    """Resident bytes of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def server(*argv: str) -> Iterator[tuple[int, tuple[str, int]]]:
    """A server that runs within the block: its process and its address."""
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r"listening on (\S+):(\d+)", process.stdout.readline())
        if found is None:
            sys.exit(f"{' '.join(argv[:3])} did not start")
        # Its log must not fill the pipe.
        drain = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
        yield process.pid, (found[1], int(found[2]))
    finally:
        process.terminate()
        process.wait(10)
        drain.wait(10)


class Crowd:
    """All connections to one server. Each plays its list of requests, one after another."""

    def __init__(self, address: tuple[str, int], count: int) -> None:
        self.selector = selectors.DefaultSelector()
        self.all = [Connection(socket.create_connection(address, 10)) for _ in range(count)]
        for one in self.all:
            one.sock.setblocking(False)
            self.selector.register(one.sock, selectors.EVENT_READ, one)

    def play(self, end: int) -> list[float]:
        """Send each request when message `end` has answered the one before; seconds of each."""
        took: list[float] = []
        waiting = {one for one in self.all if self._next(one)}
        while waiting:
            ready = self.selector.select(60)
            if not ready:
                sys.exit("the server has not answered for a minute")
            for key, _ in ready:
                one: Connection = key.data
                if self._read(one, end):
                    took.append(time.perf_counter() - one.sent_at)
                    if not self._next(one):
                        waiting.discard(one)
        return took

    def _next(self, one: Connection) -> bool:
        if not one.left:
            return False
        one.sent_at = time.perf_counter()
        one.sock.setblocking(True)
        one.sock.sendall(one.left.pop())
        one.sock.setblocking(False)
        return True

    def _read(self, one: Connection, end: int) -> bool:
        """Take what has come; whether the message of type `end` was in it."""
        piece = one.sock.recv(1 << 18)
        if not piece:
            sys.exit("the server has hung up")
        data = one.rest + piece
        at, found = 0, False
        while at + HEADER.size <= len(data):
            length, kind = HEADER.unpack_from(data, at)
            if at + HEADER.size + length > len(data):
                break
            at += HEADER.size + length
            found = found or kind == end
        one.rest = data[at:]
        return found

    def share(self, requests: Iterator[bytes], each: int) -> None:
        """Give each connection its next request: `each` of `requests` in one piece."""
        for one in self.all:
            one.left = [b"".join(itertools.islice(requests, each))]


def latency(took: list[float]) -> dict[str, float]:
    """Median and 99th percentile, in milliseconds."""
    cuts = statistics.quantiles(took, n=100)
    return {"p50": 1000 * cuts[49], "p99": 1000 * cuts[98]}


def timed(
    crowd: Crowd, end: int, requests: int, pid: int | None
) -> tuple[dict[str, float], list[float]]:
    """Play what the connections have; requests per second, and processor time of each."""
    before, cpu = time.perf_counter(), processor(pid) if pid else 0.0
    took = crowd.play(end)
    seconds = time.perf_counter() - before
    row = {"per_second": requests / seconds}
    if pid:
        row["cpu_us"] = 1e6 * (processor(pid) - cpu) / requests
    return row, took


def directory(
    options: argparse.Namespace, address: tuple[str, int], pid: int | None
) -> dict[str, object]:
    """Measure one Napster server."""
    chance = random.Random(1)
    rows = words(chance)
    crowd = Crowd(address, options.connections)
    for number, one in enumerate(crowd.all):
        one.left = [frame(LOGIN, f'peer{number} pw 6699 "bench" 9')]
    report: dict[str, object] = {}
    report["logins"], _ = timed(crowd, STATISTICS, options.connections, pid)
    each = options.files // options.connections
    files = (
        frame(
            SHARE,
            f'"{" ".join(row[:5])} {n}.mp3" {chance.getrandbits(128):032x}'
            f" {5_000_000 + n} 128 44100 240",
        )
        for n, row in enumerate(rows)
    )
    crowd.share(files, each)
    for one in crowd.all:
        one.left[0] += frame(STATISTICS, "")
    full = memory(pid) if pid else 0
    report["shares"], _ = timed(crowd, STATISTICS, each * options.connections, pid)
    if pid:
        report["bytes_per_file"] = (memory(pid) - full) / (each * options.connections)
    searches = (
        frame(
            SEARCH, f'FILENAME CONTAINS "{" ".join(row[: chance.randrange(1, 4)])}" MAX_RESULTS 100'
        )
        for row in rows
    )
    for one in crowd.all:
        one.left = list(itertools.islice(searches, max(options.searches // options.connections, 1)))
    count = sum(len(one.left) for one in crowd.all)
    report["searches"], took = timed(crowd, SEARCH_END, count, pid)
    report["latency_ms"] = latency(took)
    crowd.all[0].left = list(itertools.islice(searches, 1000))
    report["alone_ms"] = latency(crowd.play(SEARCH_END))
    return report


def udp_table(requests: int) -> dict[str, float]:
    """The yardstick: requests per second of a plain table over UDP, 64 on their way at once."""
    with server(sys.executable, "-c", UDP_TABLE) as (pid, address):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.connect(address)
        sock.settimeout(10)
        before, cpu = time.perf_counter(), processor(pid)
        for number in range(64):
            sock.send(b"%d" % number)
        for number in range(requests):
            sock.recv(2048)
            sock.send(b"%d" % (number % 200_000))
        for _ in range(64):
            sock.recv(2048)
        seconds = time.perf_counter() - before
        return {
            "per_second": requests / seconds,
            "cpu_us": 1e6 * (processor(pid) - cpu) / requests,
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--searches", type=int, default=20_000)
    parser.add_argument("--server", metavar="HOST:PORT", help="another server that runs already")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    yardstick = udp_table(options.searches * 2)
    if options.server:
        host, _, port = options.server.partition(":")
        report = directory(options, (host, int(port or 8888)), None)
    else:
        argv = (sys.executable, str(NETPROG / "directory.py"), "--host", "127.0.0.1", "--port", "0")
        with server(*argv) as (pid, address):
            report = directory(options, address, pid)
    report["udp_table"] = yardstick
    if options.json:
        print(json.dumps(report))
        return
    for key, value in report.items():
        if isinstance(value, dict):
            print(f"{key:15}", "  ".join(f"{name} {figure:.1f}" for name, figure in value.items()))
        else:
            print(f"{key:15} {value:.0f}")
    searches = report["searches"]
    assert isinstance(searches, dict)
    print(
        f"{'ratio':15} searches to requests of the UDP table:",
        f"{searches['per_second'] / yardstick['per_second']:.2f}",
    )


if __name__ == "__main__":
    main()
