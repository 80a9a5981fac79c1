"""What being observed costs: the same work plain, captured, and under each tracer.

    .venv/bin/python benchmarks/observe.py [--rounds 3] [--connections 2000] [--mebibytes 1024]

One lab of two hosts is brought up. A client makes many short connections to a server (64
bytes each way, one after another, its name looked up once), and fetches one large file; each is
done plain, with packets captured, and with system calls traced by strace and by tracefs as well.
The time is what the client itself measures, of the connections also the processor time of its
own that they took; each figure is the median over the rounds, which take turns.
Read the ratios to plain, not the seconds: a shared machine makes all of them longer together.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from labctl.engine.client import Engine, connect
from labctl.engine.inside import Done, run
from labctl.engine.live import LiveLab
from labctl.engine.up import Reporter
from labctl.errors import LabctlError
from labctl.lab.load import load
from labctl.observe.wishes import Wishes
from labctl.play.fresh import fresh
from labctl.play.observed import attached, run_observed

LAB = """\
name: observed
x-lab: {title: a server and its client}
services:
  server:
    image: labctl-host
    init: true
    cap_drop: [ALL]
    user: "1000:1000"
    command: [sh, -c, 'tcp_server --port 8080 --root /srv/files & exec python3 -c "$$SERVER"']
    environment:
      SERVER: |
        import socket
        listener = socket.create_server(("", 7000), backlog=128)
        while True:
            own, _ = listener.accept()
            own.sendall(own.recv(64))
            own.close()
    healthcheck: {test: "listening 8080 && listening 7000", interval: 5s}
    networks: [lan]
  client:
    image: labctl-host
    init: true
    cap_drop: [ALL]
    user: "1000:1000"
    command: [sleep, infinity]
    networks: [lan]
networks:
  lan: {internal: true}
"""

CLIENT = """
import os, socket, sys, time
server = socket.gethostbyname("server"), 7000
data, begun, used = b"x" * 64, time.perf_counter(), sum(os.times()[:2])
for _ in range(int(sys.argv[1])):
    with socket.create_connection(server) as own:
        own.sendall(data)
        assert own.recv(64) == data
        assert own.recv(1) == b""
print(time.perf_counter() - begun, sum(os.times()[:2]) - used)
"""

Run = Callable[[list[str]], Done]
MODES = ("plain", "capture", "strace", "tracefs")


@contextmanager
def mode(engine: Engine, lab: LiveLab, name: str) -> Iterator[Run]:
    """Within the block, commands on the client run as `name` says."""
    if name == "plain":
        yield lambda argv: run(engine, lab.host("client"), argv, timeout=600)
        return
    wishes = Wishes(tracer="none" if name == "capture" else name, max_bytes=1 << 31)
    with attached(engine, lab, wishes, Reporter()) as observer:
        yield lambda argv: run_observed(engine, lab, observer, "client", argv, 600)


def output(done: Done) -> str:
    """Return what a command wrote; it must have succeeded."""
    if done.code != 0:
        sys.exit(f"ended with {done.code}: {done.stderr.decode(errors='replace')}")
    return done.stdout.decode()


def connections(run_on_client: Run, count: int) -> dict[str, float]:
    """Return the seconds of so many short connections, and those of the processor."""
    taken, used = output(run_on_client(["python3", "-c", CLIENT, str(count)])).split()
    return {"connections": float(taken), "their CPU": float(used)}


def transfer(run_on_client: Run) -> dict[str, float]:
    """Return the seconds that the large file took."""
    argv = ["tcp_client", "server", "large", "--out", "/dev/null", "--json"]
    return {"transfer": float(json.loads(output(run_on_client(argv)))["seconds"])}


def measure(engine: Engine, lab: LiveLab, told: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Return the median seconds of both kinds of work in each mode that works here."""
    taken: dict[str, dict[str, list[float]]] = {}
    for _ in range(told.rounds):
        for name in MODES:
            try:
                with mode(engine, lab, name) as run_on_client:
                    found = connections(run_on_client, told.connections) | transfer(run_on_client)
                for work, seconds in found.items():
                    taken.setdefault(work, {}).setdefault(name, []).append(seconds)
            except LabctlError as error:
                print(f"{name}: {error.message}", file=sys.stderr)
    return {
        work: {name: statistics.median(times) for name, times in by_mode.items()}
        for work, by_mode in taken.items()
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=2000)
    parser.add_argument("--mebibytes", type=int, default=1024)
    parser.add_argument("--json", action="store_true")
    told = parser.parse_args()
    engine = connect()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "compose.yaml"
        file.write_text(LAB)
        with fresh(engine, load(file), Reporter()) as lab:
            size = f"{told.mebibytes}M"
            output(run(engine, lab.host("server"), ["truncate", "-s", size, "/srv/files/large"]))
            found = measure(engine, lab, told)
    if told.json:
        print(json.dumps(found, indent=2))
        return
    for work, seconds in found.items():
        for name, taken in seconds.items():
            print(f"{work:12} {name:8} {taken:7.2f} s  {taken / seconds['plain']:5.2f} x plain")


if __name__ == "__main__":
    main()
