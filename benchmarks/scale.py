"""What peers cost one directory: memory, processor time and bytes, from 1,000 to 10,000 of them.

    .venv/bin/python benchmarks/scale.py [--peers 1000,3000,10000] [--files 100] [--json]

For each number of peers a directory is started on the loopback, and a crowd (crowd.py, in this
process) registers twice: with one file a peer, then with `--files`. The difference is what files
cost, the rest is what peers cost. Then it searches, alone and beside clients that behave badly;
SIGTERM ends the directory, it is started again and all come back; all leave at once. docs/scale.md
reckons from these figures. Processor time and bytes are of the directory alone; seconds are of a
machine that directory and crowd share, with whatever else it does.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "images" / "host" / "netprog"), str(ROOT)]

from crowd import SPARE, require_descriptors  # noqa: E402
from crowd_loop import Crowd, Plan  # noqa: E402
from splitting import Split  # noqa: E402

from benchmarks.directory import NETPROG, memory, processor  # noqa: E402

PATIENCE = 120.0
SECONDS = 5.0
LOAD = 100.0


class Server:
    """A directory that can be killed and started again on its port."""

    def __init__(self) -> None:
        self.port = 0
        self.process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        argv = [sys.executable, str(NETPROG / "directory.py"), "--host", "127.0.0.1"]
        process = subprocess.Popen(
            [*argv, "--port", str(self.port)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        found = re.search(r"listening on \S+:(\d+)", process.stdout.readline())
        if found is None:
            sys.exit("the directory did not start")
        self.port = int(found[1])
        # Its log must not fill the pipe.
        subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
        return process

    def again(self) -> None:
        self.process = self._start()

    def end(self, number: int = signal.SIGTERM) -> tuple[int, float]:
        """Send the signal; the exit code, and the seconds that the end took."""
        began = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(PATIENCE), time.monotonic() - began

    @property
    def cost(self) -> tuple[int, float]:
        """Resident bytes, and processor time in seconds."""
        return memory(self.process.pid), processor(self.process.pid)


@contextmanager
def served() -> Iterator[Server]:
    server = Server()
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.end(signal.SIGKILL)


def crowd_of(server: Server, peers: int, files: int) -> Crowd:
    where = [("127.0.0.1", server.port)]
    return Crowd(Plan(where, Split("peers", 1), peers, files, "peer", 6699, 1, False))


def hang_up(crowd: Crowd) -> None:
    for line in crowd.lines:
        line.close()


def joined(server: Server, peers: int, files: int) -> tuple[Crowd, dict[str, float]]:
    """Let a crowd register; what it cost the directory."""
    crowd = crowd_of(server, peers, files)
    bytes_, cpu = server.cost
    seconds = crowd.join(PATIENCE)
    now = server.cost
    return crowd, {"bytes": now[0] - bytes_, "cpu": now[1] - cpu, "seconds": seconds}


def searched(server: Server, crowd: Crowd) -> dict[str, Any]:
    """Search for some seconds; what came of it, and what each search cost."""
    _, cpu = server.cost
    row = crowd.play(LOAD, SECONDS, PATIENCE).row()
    row["cpu_us"] = 1e6 * (server.cost[1] - cpu) / row["asked"]
    row["bytes_an_answer"] = row["bytes"] / max(row["answered"], 1)
    return row


def line_to(server: Server, nick: str) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
    data = f'{nick} - 6699 "bad" 0'.encode()
    sock.sendall(struct.pack("<HH", len(data), 2) + data)
    sock.recv(100)
    sock.setblocking(False)
    return sock


def pour(sock: socket.socket, data: bytes) -> None:
    """Send for as long as the kernel takes it."""
    try:
        for _ in range(1000):
            sock.send(data)
    except OSError:
        pass


SEARCH = b'FILENAME CONTAINS "mp3"'
BAD: dict[str, bytes] = {
    "garbage": os.urandom(1 << 16),
    "half a message": struct.pack("<HH", 2000, 200) + b"FILENAME",
    "a huge length": struct.pack("<HH", 65535, 100) + b"x" * 60_000,
    "a flood": struct.pack("<HH", 0, 999) * 10_000,
    "never reads": (struct.pack("<HH", len(SEARCH), 200) + SEARCH) * 1000,
}


def treated_badly(server: Server, crowd: Crowd) -> dict[str, Any]:
    """Search beside ten clients of each bad kind."""
    rows = {}
    for kind, data in BAD.items():
        bad = [line_to(server, f"bad{number}") for number in range(10)]
        for sock in bad:
            pour(sock, data)
        rows[kind] = searched(server, crowd)
        for sock in bad:
            sock.close()
    return rows


def until(crowd: Crowd, holds: Callable[[], bool]) -> float:
    """Let the crowd live until it holds; the seconds."""
    began = time.monotonic()
    while not holds():
        crowd.turn(0.1)
        if time.monotonic() - began > 10 * PATIENCE:
            sys.exit("the crowd has not come back")
    return time.monotonic() - began


def empty(server: Server) -> float:
    """Seconds until the directory knows nobody any more."""
    began = time.monotonic()
    # While it forgets those who left it may answer nobody.
    longest = 10 * PATIENCE
    while time.monotonic() - began < longest:
        try:
            files = known(server, longest)
        except OSError as error:
            sys.exit(f"the directory does not answer: {error}")
        if files == 0:
            return time.monotonic() - began
    sys.exit("the directory has not forgotten those who left")


def known(server: Server, patience: float) -> int:
    """How many files the directory says that it knows. Raises OSError."""
    with socket.create_connection(("127.0.0.1", server.port), patience) as sock:
        sock.sendall(struct.pack("<HH", 11, 2) + b'a - 1 "c" 0')
        told = b""
        while not (found := re.search(rb"\xd6\x00(\d+) (\d+) \d+", told)):
            piece = sock.recv(1000)
            if not piece:
                raise ConnectionResetError("it has hung up")
            told += piece
    return int(found[2])


def note(what: str, report: dict[str, Any]) -> None:
    """Tell on standard error how far it is: on a busy machine it takes long."""
    print(f"{report['peers']} peers: {what}: {json.dumps(report)}", file=sys.stderr, flush=True)


def measure(peers: int, files: int) -> dict[str, Any]:
    """All that is told of so many peers."""
    with served() as server:
        start = server.cost
        crowd, few = joined(server, peers, 1)
        hang_up(crowd)
    with served() as server:
        crowd, many = joined(server, peers, files)
        more = peers * (files - 1)
        report: dict[str, Any] = {
            "peers": peers,
            "files": peers * files,
            "empty_bytes": start[0],
            "full_bytes": server.cost[0],
            "bytes_a_file": (many["bytes"] - few["bytes"]) / more,
            "share_cpu_us": 1e6 * (many["cpu"] - few["cpu"]) / more,
            "register_seconds": many["seconds"],
        }
        a_file = report["bytes_a_file"], report["share_cpu_us"] / 1e6
        report["bytes_a_peer"] = few["bytes"] / peers - a_file[0]
        report["login_cpu_us"] = 1e6 * (few["cpu"] / peers - a_file[1])
        note("registered", report)
        report["search"] = searched(server, crowd)
        report["beside"] = treated_badly(server, crowd)
        code, report["sigterm_seconds"] = server.end()
        report["sigterm_code"] = code
        note("ended", report)
        server.again()
        until(crowd, lambda: crowd.joined < peers)
        report["back_seconds"] = until(crowd, lambda: crowd.joined == peers)
        note("back", report)
        _, cpu = server.cost
        hang_up(crowd)
        report["all_gone_seconds"] = empty(server)
        report["leave_cpu_us"] = 1e6 * (server.cost[1] - cpu) / (peers * files)
    return report


def show(report: dict[str, Any]) -> None:
    """One number of peers, for a person."""
    print(f"{report['peers']} peers, {report['files']} files")
    for key, value in report.items():
        if isinstance(value, (int, float)):
            print(f"  {key:20} {value:,.1f}")
    for what, row in {"alone": report["search"], **report["beside"]}.items():
        print(
            f"  beside {what:16} {row['answered']} of {row['asked']} answered, median"
            f" {1000 * row['p50']:.1f} ms, p99 {1000 * row['p99']:.1f} ms,"
            f" {row['cpu_us']:.0f} us, {row['bytes_an_answer']:.0f} bytes"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", default="1000,3000,10000", help="numbers of peers")
    parser.add_argument("--files", type=int, default=100, help="files of each peer")
    parser.add_argument("--json", action="store_true", help="a JSON object for each number")
    options = parser.parse_args()
    for peers in map(int, options.peers.split(",")):
        require_descriptors(peers + SPARE)
        report = measure(peers, options.files)
        if options.json:
            print(json.dumps(report), flush=True)
        else:
            show(report)


if __name__ == "__main__":
    main()
