#!/usr/bin/python3
"""What each kind of echo server costs: starts one after the other, here on this host.

For each, `--idle` clients connect and stay: so many processes and so much memory each of them
takes. Then 16 clients at once open `--count` connections each. Server and clients share this
host's processors, so the rates are for comparing.
"""

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from command import Failure, positive, run, say

SERVERS = ("fork", "handoff", "prefork", "thread", "event", "asyncio", "iterative")
FOLDER = Path(__file__).resolve().parent
CLIENTS = 4
"""How many programs act as clients, each with as many connections at once."""


@dataclass
class Costs:
    """Of one server: processes and KiB of memory per idle connection; connections a second."""

    server: str
    processes: float | None
    memory: float | None
    rate: float


@contextmanager
def started(name: str, *words: object) -> Iterator[tuple[int, str]]:
    """A program that runs within the block: its number, and the first line that it says."""
    command = [sys.executable, "-S", str(FOLDER / f"{name}.py"), *map(str, words)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        line = child.stdout.readline()
        if not line:
            raise Failure(f"{name} does not run")
        try:
            yield child.pid, line
            child.stdin.close()
        finally:
            child.terminate()


def family(main: int) -> dict[int, int]:
    """The processes of a server, each with its share of their memory, in KiB.

    Pss_Anon (proc(5)): what is not of a file; a page that n processes share counts 1/n for each.
    """
    found = {main: memory_of(main)}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == main:
                found[int(folder.name)] = memory_of(int(folder.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def memory_of(process: int) -> int:
    told = re.search(r"^Pss_Anon: +(\d+)", Path(f"/proc/{process}/smaps_rollup").read_text(), re.M)
    if told is None:
        raise Failure("this kernel does not tell Pss_Anon in /proc/PID/smaps_rollup")
    return int(told[1])


def measure(kind: str, idle: int, count: int) -> Costs:
    """Start a server, and see what it takes. Raises Failure when it does not serve."""
    words = ["--workers", idle] if kind == "prefork" else []
    with started(f"{kind}_server", "--host", "127.0.0.1", "--port", 0, *words) as (main, line):
        target = ["127.0.0.1", "--port", line.rpartition(":")[2].strip()]
        processes = memory = None
        if kind != "iterative":  # of these clients it would serve only the first
            before = memory_of(main)
            with started("echo_client", *target, "--clients", idle, "--until", "-"):
                found = family(main)
            processes = (len(found) - 1) / idle
            memory = (sum(found.values()) - before) / idle
        return Costs(f"{kind}_server", processes, memory, rate(target, count))


def rate(target: list[str], count: int) -> float:
    """Connections a second, with 16 clients at once."""
    words = [*target, "--clients", str(16 // CLIENTS), "--count", str(count)]
    command = [sys.executable, str(FOLDER / "echo_client.py"), *words]
    begun = time.monotonic()
    clients = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(CLIENTS)]
    codes = [client.wait() for client in clients]
    if any(codes):
        raise Failure("clients were not served")
    return 16 * count / (time.monotonic() - begun)


def main() -> None:
    options = arguments()
    if not options.json:
        say(f"{'':16} {'processes':>10} {'memory':>10} {'connections':>12}")
        say(f"{'':16} {'a client':>10} {'a client':>10} {'a second':>12}")
    for kind in SERVERS:
        costs = measure(kind, options.idle, options.count)
        if options.json:
            say(json.dumps(asdict(costs)))
            continue
        each = f"{'-':>10} {'-':>10}"
        if costs.processes is not None and costs.memory is not None:
            each = f"{costs.processes:>10.1f} {costs.memory:>6.0f} KiB"
        say(f"{costs.server:16} {each} {costs.rate:>12,.0f}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What each kind of echo server costs.")
    parser.add_argument("--idle", type=positive, default=50, help="clients that stay")
    parser.add_argument("--count", type=positive, default=100, help="connections of each client")
    parser.add_argument("--json", action="store_true", help="print a JSON object for each")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
