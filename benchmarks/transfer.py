"""How fast one large file gets from host to host: netprog beside iperf3, and nginx with curl.

    .venv/bin/python benchmarks/transfer.py [--rounds 5] [--size 1024] [--congestion reno]
        [--only checked curl ...] [--json]

One lab of two hosts on one network is brought up. On the server a file of `--size` MiB is made;
tcp_server gives it away, and so does nginx. The client fetches it into a file on its disk (a
volume: the containers' own file system may be a slow one). The ways take turns, in another order
each round, and each figure is the median over the rounds. All have the same congestion control:
it is set for both hosts as a whole. The hosts may use all processors, and memory for twice the
file; by default labctl's have one processor and 1 GiB, and the kernel would have to look for memory
to give back while the file comes.

    iperf3     bytes from memory to memory, as many: what the network gives
    unchecked  tcp_client, by splice, no digest
    checked    tcp_client, by splice; SHA-256 worked out beside it, compared with the server's
    anew       the same, when the server does not know its own digest yet (checked, unchecked
               and recv find it remembered)
    recv       tcp_client, by recv and write, SHA-256 worked out in between
    curl       curl -o FILE from nginx, and then sha256sum FILE

`Gbit/s` is what the program itself found: iperf3's received, tcp_client's from request to proof;
of curl and sha256sum it is the whole. `seconds` is the whole command's, with its start. The
ratio to iperf3 is one of Gbit/s, the ratio to curl one of whole commands; each is taken within a
round. `client` and `server` are the seconds that the two hosts had of a processor. `idle` is
the share of the machine's processors that was left: where that is near 0 for all ways, a busy
machine was measured, and only the processor's seconds tell much.

Every file that arrived has the size and, but for `unchecked`, the SHA-256 of the one on the server;
otherwise the benchmark fails.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.on_hosts import START, measured, order, output, ratio, share_idle, ticks
from labctl.engine.client import Engine, connect
from labctl.engine.images.build import ensure
from labctl.engine.live import LiveHost, LiveLab
from labctl.engine.up import Reporter
from labctl.errors import CheckFailed
from labctl.lab.load import load
from labctl.play.fresh import fresh

LAB = """\
name: transfer
x-lab: {{title: one large file from host to host}}
x-host: &host
  build: {{context: {folder}, args: {{BASE: "{base}", HOST: "{host}"}}}}
  image: labctl-built-benchmark-transfer
  init: true
  cap_drop: [ALL]
  user: "1000:1000"
  command: [sleep, infinity]
  pids_limit: 256
  cpus: {processors}
  mem_limit: {memory}m
  sysctls: {{net.ipv4.tcp_congestion_control: {congestion}}}
  networks: [lan]
services:
  server: {{<<: *host, volumes: ["files:/srv/files"]}}
  client: {{<<: *host, volumes: ["home:/home/student"]}}
volumes:
  files: {{}}
  home: {{}}
networks:
  lan: {{internal: true}}
"""

IPERF3, CURL = "iperf3", "curl"
NGINX_PORT, TCP_PORT, IPERF3_PORT = 7000, 7001, 7002  # the first as in nginx.conf
TARGET = "/home/student/large"
OURS = ["tcp_client", "server", "large", "--port", str(TCP_PORT), "--out", TARGET, "--json"]
FETCH = f"""
/opt/bench/curl -sfo {TARGET} http://server:{NGINX_PORT}/large
sha256sum {TARGET}
"""
BUNDLED = ["env", "LD_LIBRARY_PATH=/opt/bench/lib"]
WAYS = {
    IPERF3: [
        *(*BUNDLED, "/opt/bench/iperf3", "--client", "server", "--port", str(IPERF3_PORT)),
        *("--reverse", "--json", "--bytes"),
    ],
    "unchecked": [*OURS, "--by", "splice", "--unchecked"],
    "checked": [*OURS, "--by", "splice"],
    "anew": [*OURS, "--by", "splice"],
    "recv": [*OURS, "--by", "recv"],
    CURL: [*BUNDLED, "sh", "-ec", FETCH],
}
AIMS = {
    "unchecked": ">= 0.75 iperf3",
    "checked": ">= 10 Gbit/s, >= 1.5 curl",
    "anew": ">= 1.5 curl",
}
SERVERS = {
    TCP_PORT: ["tcp_server", "--port", str(TCP_PORT)],
    NGINX_PORT: [*BUNDLED, "/opt/bench/nginx", "-e", "stderr", "-c", "/opt/bench/nginx.conf"],
    IPERF3_PORT: [*BUNDLED, "/opt/bench/iperf3", "--server", "--port", str(IPERF3_PORT)],
}

USED = """
cat /sys/fs/cgroup/cpuacct/cpuacct.usage 2> /dev/null ||
    sed -n 's/^usage_usec \\(.*\\)/\\1000/p' /sys/fs/cgroup/cpu.stat
"""
"""Prints the nanoseconds that the host has had of all processors: cgroup v1, or v2."""

MENDING = "Run it again; if it stays, the fault is in images/host/netprog/receiving.py."

LONGEST = 900.0
"""Seconds that one command may take, on a machine however busy."""


@dataclass
class Row:
    """What one way did, a value for each round.

    `gbits` is 10^9 bits per second as the program itself found, `seconds` the whole command's;
    `client` and `server` the processor's seconds that the hosts had for it, `idle` the share of
    the machine's processors that nobody had.
    """

    name: str
    gbits: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    client: list[float] = field(default_factory=list)
    server: list[float] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)


def found_by(name: str, said: str, size: int, seconds: float) -> tuple[float, str | None]:
    """Return the Gbit/s of a way and the digest of what arrived, as its output tells them.

    Raises CheckFailed when it is not the whole file.
    """
    if name == IPERF3:
        return json.loads(said)["end"]["sum_received"]["bits_per_second"] / 1e9, None
    if name == CURL:
        return size * 8 / seconds / 1e9, said.split(maxsplit=1)[0]
    told = json.loads(said)
    if told["bytes"] != size:
        raise CheckFailed(f"{name}: {told['bytes']} bytes came, not {size}", MENDING)
    return told["rate"] * 8 / 1e9, told["sha256"]


def table(rows: Sequence[Row]) -> str:
    """Return the rows as text, one line each, with the ratios to iperf3 and curl."""
    named = {row.name: row for row in rows}
    lines = ["way         Gbit/s  seconds  to iperf3  to curl  client  server  idle   aim"]
    for row in rows:
        line = (
            f"{row.name:10}{statistics.median(row.gbits):8.2f}{statistics.median(row.seconds):9.2f}"
        )
        line += _cell(to_iperf3(row, named), 11) + _cell(to_curl(row, named), 9)
        line += f"{statistics.median(row.client):8.2f}{statistics.median(row.server):8.2f}"
        line += f"{statistics.median(row.idle):6.0%}"
        lines.append(f"{line}   {AIMS.get(row.name, '')}".rstrip())
    return "\n".join(lines)


def _cell(value: float | None, width: int) -> str:
    return " " * width if value is None else f"{value:{width}.2f}"


def to_iperf3(row: Row, rows: Mapping[str, Row]) -> float | None:
    """Return how many times the Gbit/s of iperf3 a way makes; None without iperf3."""
    return ratio(row.gbits, rows[IPERF3].gbits) if IPERF3 in rows else None


def to_curl(row: Row, rows: Mapping[str, Row]) -> float | None:
    """Return how many times as long curl and sha256sum take; None without them, and for what
    leaves no file."""
    known = CURL in rows and row.name != IPERF3
    return ratio(rows[CURL].seconds, row.seconds) if known else None


class Bench:
    """The two hosts, with all servers running on one, and the file there."""

    def __init__(self, engine: Engine, lab: LiveLab, told: argparse.Namespace) -> None:
        self._engine, self._told = engine, told
        self._server, self._client = lab.host("server"), lab.host("client")
        self._size = told.size << 20
        make = f"head -c {self._size} /dev/urandom > large && sync large && sha256sum large"
        self._digest = self._output(self._server, ["sh", "-c", f"cd /srv/files; {make}"]).split()[0]
        for port, command in SERVERS.items():
            self._output(self._server, ["sh", "-c", START, "sh", str(port), *command])

    def measure(self) -> list[Row]:
        """Return what was found of every way, in the order of `WAYS`."""
        rows = {name: Row(name) for name in self._told.only}
        for turn in range(self._told.rounds):
            for name in order(list(rows), turn):
                self._prepare(name)
                self._take(rows[name])
        return list(rows.values())

    def _prepare(self, name: str) -> None:
        """Leave no file on the client; have tcp_server know the digest, or not for `anew`."""
        self._output(self._client, ["rm", "-f", TARGET])
        if name == "anew":
            self._output(self._server, ["touch", "/srv/files/large"])
        elif name not in (IPERF3, CURL):
            ask = ["tcp_client", "localhost", "large", "--port", str(TCP_PORT), "--unchecked"]
            self._output(self._server, [*ask, "--out", "/dev/null"])

    def _take(self, row: Row) -> None:
        argv = ["python3", "/opt/bench/clocked.py", *WAYS[row.name]]
        if row.name == IPERF3:
            argv.append(str(self._size))
        used, before = self._used(), ticks()
        told = json.loads(self._output(self._client, argv))
        row.idle.append(share_idle(before, ticks()))
        row.server.append(self._used() - used)
        row.client.append(told["cpu"])
        row.seconds.append(told["seconds"])
        gbits, digest = found_by(row.name, told["said"], self._size, told["seconds"])
        row.gbits.append(gbits)
        if digest not in (None, self._digest):
            raise CheckFailed(f"{row.name}: other bytes came than were sent", MENDING)

    def _used(self) -> float:
        return int(self._output(self._server, ["sh", "-c", USED])) / 1e9

    def _output(self, host: LiveHost, argv: Sequence[str]) -> str:
        return output(self._engine, host, argv, LONGEST)


def bench(told: argparse.Namespace) -> list[Row]:
    """Bring the lab up, measure, and take it down again, whatever happens."""
    engine = connect()
    tags = ensure(engine, ["base", "host"])
    folder = Path(__file__).parent.absolute() / "transfer_image"
    with tempfile.TemporaryDirectory() as work:
        file = Path(work) / "compose.yaml"
        words = {
            "base": tags["base"],
            "host": tags["host"],
            "congestion": told.congestion,
            "processors": os.cpu_count() or 1,
            "memory": 2 * told.size + 1024,
        }
        file.write_text(LAB.format(folder=folder, **words))
        with fresh(engine, load(file), Reporter()) as lab:
            return Bench(engine, lab, told).measure()


def report(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the rows for JSON: their fields, the median Gbit/s, the ratios, the aim."""
    named = {row.name: row for row in rows}
    return [
        {
            **asdict(row),
            "median": statistics.median(row.gbits),
            "to_iperf3": to_iperf3(row, named),
            "to_curl": to_curl(row, named),
            "aim": AIMS.get(row.name),
        }
        for row in rows
    ]


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=1024, help="of the file, MiB")
    parser.add_argument("--congestion", default="reno", help="reno, cubic, bbr, ...")
    parser.add_argument("--only", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    told = arguments()
    rows = measured(lambda: bench(told))
    print(json.dumps(report(rows), indent=2) if told.json else table(rows))


if __name__ == "__main__":
    main()
