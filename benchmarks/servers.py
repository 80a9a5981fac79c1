"""What each way to serve many clients costs: netprog's servers beside nginx and one in C.

    .venv/bin/python benchmarks/servers.py [--rounds 5] [--at-once 16] [--idle 200] [--json]

One lab of two hosts on one network is brought up. All servers run on the one, each at a port
of its own; on the other a client in C (servers/load.c) makes connections, 16 at once: connect,
64 bytes there, 64 bytes back, close. The servers take turns, in another order each round, and
each figure is the median over the rounds. Then 200 connections stay open, served once and idle:
how much the server's memory has grown, per connection that was served (a pool serves no more
than it has processes; the others wait in the backlog).

Read the ratios to nginx and to C, not the connections per second: a shared machine makes all of
them fewer together, and the client has its part in them. `memory` is the processes' own (PSS),
`kernel` what the kernel holds for them: sockets, stacks, page tables. nginx is told to answer a
line of 64 bytes with 64 bytes without a head (HTTP/0.9, servers/nginx.conf); its idle clients
have sent half a line. The client's host may use its ephemeral ports again after a second
(net.ipv4.tcp_tw_reuse), and has 64,000 of them: else TIME_WAIT would be what is measured.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.on_hosts import START, measured, order, output, ratio
from labctl.engine.client import Engine, connect
from labctl.engine.images.build import ensure
from labctl.engine.live import LiveHost, LiveLab
from labctl.engine.up import Reporter
from labctl.lab.load import load
from labctl.play.fresh import fresh

LAB = """\
name: servers
x-lab: {{title: servers of many kinds and their clients}}
x-host: &host
  build: {{context: {folder}, args: {{BASE: "{base}", HOST: "{host}"}}}}
  image: labctl-built-benchmark-servers
  init: true
  cap_drop: [ALL]
  user: "1000:1000"
  command: [sleep, infinity]
  cpus: {processors}
  pids_limit: 4096
  mem_limit: 2g
  networks: [lan]
services:
  server: {{<<: *host}}
  client:
    <<: *host
    sysctls: {{net.ipv4.ip_local_port_range: "1024 65535", net.ipv4.tcp_tw_reuse: 1}}
networks:
  lan: {{internal: true}}
"""

C, NGINX = "C", "nginx"
NGINX_PORT = 7000  # as in nginx.conf
WARMING_UP = 0.3  # seconds
COMMANDS = {
    C: "/opt/bench/fork_server {port}",
    NGINX: "env LD_LIBRARY_PATH=/opt/bench/lib /opt/bench/nginx -e stderr -c /opt/bench/nginx.conf",
    **{
        kind: f"{kind}_server --port {{port}}"
        for kind in ("fork", "thread", "prefork", "handoff", "event", "asyncio", "iterative")
    },
}
AIMS = {
    "fork": ">= 2,500/s where C makes 7,500 (0.33); <= 200 KiB",
    "prefork": ">= 1.00 nginx",
    "handoff": ">= 1.00 nginx",
}


@dataclass
class Row:
    """What was found of one server; `rates` has its connections per second in each round.

    `memory` and `kernel` are KiB, `tasks` processes and threads, each per idle connection
    that was served, of which there were `held`.
    """

    name: str
    rates: list[float]
    failed: int = 0
    trouble: str = ""
    held: int = 0
    memory: float | None = None
    kernel: float | None = None
    tasks: float | None = None


def per_connection(
    before: Mapping[str, float | None], after: Mapping[str, float | None], held: int
) -> dict[str, float | None]:
    """Return by how much each figure grew for one of the connections held; None where unknown."""
    grown: dict[str, float | None] = {}
    for key, value in after.items():
        earlier = before[key]
        known = held > 0 and value is not None and earlier is not None
        grown[key] = (value - earlier) / held if known else None  # type: ignore[operator]
    return grown


def table(rows: Sequence[Row]) -> str:
    """Return the rows as text, one line each, with the ratios to C and nginx."""
    rates = {row.name: row.rates for row in rows}
    lines = ["server       /s      to C  to nginx   held   memory   kernel   tasks   aim"]
    for row in rows:
        line = f"{row.name:10}{statistics.median(row.rates):7,.0f}"
        line += "".join(
            f"{ratio(row.rates, rates[other]):{width}.2f}" if other in rates else " " * width
            for other, width in ((C, 8), (NGINX, 10))
        )
        line += f"{row.held:7}" + _kib(row.memory) + _kib(row.kernel)
        line += f"{row.tasks:8.2f}" if row.tasks is not None else f"{'-':>8}"
        lines.append(f"{line}   {AIMS.get(row.name, '')}".rstrip())
        if row.failed:
            lines.append(f"    {row.failed} connections failed: {row.trouble}")
    return "\n".join(lines)


def _kib(value: float | None) -> str:
    return f"{'-':>9}" if value is None else f"{value:5.0f} KiB"


class Bench:
    """The two hosts, with all servers running on one."""

    def __init__(self, engine: Engine, lab: LiveLab, told: argparse.Namespace) -> None:
        self._engine, self._told = engine, told
        self._server, self._client = lab.host("server"), lab.host("client")
        self._address = self._server.addresses["lan"]
        self._ports = {
            name: NGINX_PORT if name == NGINX else NGINX_PORT + 1 + place
            for place, name in enumerate(told.only)
        }
        for name, port in self._ports.items():
            command = COMMANDS[name].format(port=port).split()
            self._output(self._server, ["sh", "-c", START, "sh", str(port), *command])

    def measure(self) -> list[Row]:
        """Return what was found of every server, in the order of `COMMANDS`."""
        rows = {name: Row(name, []) for name in self._ports}
        for row in rows.values():
            self._load(row, WARMING_UP)
        for turn in range(self._told.rounds):
            for name in order(list(rows), turn):
                rows[name].rates.append(self._load(rows[name], self._told.seconds))
        for row in rows.values():
            self._idle(row)
        return list(rows.values())

    def _load(self, row: Row, seconds: float) -> float:
        """Make connections for so long and return how many were served per second."""
        at = [self._address, str(self._ports[row.name]), str(seconds), str(self._told.at_once)]
        found: dict[str, Any] = json.loads(self._output(self._client, ["/opt/bench/load", *at]))
        row.failed += found["failed"]
        row.trouble = row.trouble or found["trouble"]
        rate: float = max(found["served"], 1) / found["seconds"]
        return rate

    def _idle(self, row: Row) -> None:
        """Hold connections, and note what they cost."""
        before = self._memory()
        at = [self._address, str(self._ports[row.name]), str(self._told.idle), "60"]
        at += ["part"] if row.name == NGINX else []
        start = 'mkfifo /dev/shm/held; "$@" > /dev/shm/held & read n < /dev/shm/held; echo $! $n'
        said = self._output(self._client, ["sh", "-c", start, "sh", "/opt/bench/hold", *at])
        pid, held = said.split()
        grown = per_connection(before, self._memory(), int(held))
        self._output(self._client, ["sh", "-c", f"kill {pid}; rm /dev/shm/held"])
        row.held = int(held)
        row.memory, row.kernel, row.tasks = grown["pss"], grown["kernel"], grown["tasks"]

    def _memory(self) -> dict[str, float | None]:
        found: dict[str, float | None]
        found = json.loads(self._output(self._server, ["/opt/bench/memory"]))
        return found

    def _output(self, host: LiveHost, argv: Sequence[str]) -> str:
        return output(self._engine, host, argv, timeout=60)


def bench(told: argparse.Namespace) -> list[Row]:
    """Bring the lab up, measure, and take it down again, whatever happens."""
    engine = connect()
    tags = ensure(engine, ["base", "host"])
    folder = Path(__file__).parent.absolute() / "servers"
    processors = engine.sdk.info()["NCPU"]
    with tempfile.TemporaryDirectory() as work:
        file = Path(work) / "compose.yaml"
        file.write_text(
            LAB.format(folder=folder, base=tags["base"], host=tags["host"], processors=processors)
        )
        with fresh(engine, load(file), Reporter()) as lab:
            return Bench(engine, lab, told).measure()


def report(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the rows for JSON: their fields, the median rate, the ratios, the aim."""
    rates = {row.name: row.rates for row in rows}
    return [
        {
            **asdict(row),
            "rate": statistics.median(row.rates),
            "to_c": ratio(row.rates, rates[C]) if C in rates else None,
            "to_nginx": ratio(row.rates, rates[NGINX]) if NGINX in rates else None,
            "aim": AIMS.get(row.name),
        }
        for row in rows
    ]


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each server, each round")
    parser.add_argument("--at-once", type=int, default=16, help="clients")
    parser.add_argument("--idle", type=int, default=200, help="connections that are held")
    parser.add_argument("--only", nargs="+", choices=COMMANDS, default=list(COMMANDS))
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    told = arguments()
    rows = measured(lambda: bench(told))
    print(json.dumps(report(rows), indent=2) if told.json else table(rows))


if __name__ == "__main__":
    main()
