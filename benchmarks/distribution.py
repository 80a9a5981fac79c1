"""How fast a file gets from one seed to N hosts: the swarm, libtorrent, aria2, a plain chain.

    .venv/bin/python benchmarks/distribution.py [--peers 4 8 16] [--rounds 3] [--rate 40]
        [--size 64] [--only swarm chain ...] [--json]

One lab is brought up: a seed, the peers, and a directory, on one network. A file of `--size`
MiB is made and laid on the seed. The uplink of the seed and of each peer is limited to `--rate`
Mbit/s by a token bucket (tc-tbf(8), burst 64 KB, latency 50 ms), their downlinks are not.
The systems take turns, in another order each round; in all of them every peer begins at the
same moment, which is when the clock starts, and goes on giving until the last has the file.

Each figure is the median over the rounds of a time over the lower bound
max(F/us, N*F/(us + sum of ui)): `last` and `mean` of the peers; headers alone (66 bytes for 1448)
make 1.046. `seed` and `most` are what the seed and the busiest peer have sent, over F, as the
kernel counted it on their interfaces. The file must have arrived whole (SHA-256) everywhere.

Read it beside the chain of the same round: `idle` is the share of the processors' time that was
left, and where that is near 0 a busy machine was measured, not the links. `processor` is the
seconds that a host has had on average. libtorrent is installed by pip into a temporary folder for
this; aria2 is in the image that is built. Both learn of the others from a tracker
(distribution_hosts/tracker.py).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.on_hosts import measured, order, output, share_idle, ticks
from labctl.engine.client import Engine, connect
from labctl.engine.images.build import ensure
from labctl.engine.live import LiveHost, LiveLab
from labctl.engine.up import Reporter
from labctl.errors import MachineError
from labctl.lab.load import load
from labctl.play.fresh import fresh

LAB = """\
name: distribution
x-lab: {{title: a file from one host to many}}
x-host: &host
  build: {{context: {folder}, args: {{BASE: "{base}", HOST: "{host}"}}}}
  image: labctl-built-benchmark-distribution
  init: true
  cap_drop: [ALL]
  user: "1000:1000"
  command: [sleep, infinity]
  environment: {{PYTHONPATH: /opt/given}}
  tmpfs: ["/srv/files:uid=1000,gid=1000,mode=755"]
  volumes: ["{given}:/opt/given:ro"]
  cgroup_parent: "{group}"
  networks: [lan]
services:
{services}
networks:
  lan: {{internal: true}}
"""

BURST, LATENCY = "64kb", "50ms"
LIMIT = "tc qdisc replace dev eth0 root tbf rate {rate}mbit burst {burst} latency {latency}"
PIECES = (64 * 1024, 32 * 1024)
"""Bytes of a torrent's pieces."""

START = 'timeout 170 "$@" > /dev/null 2> /tmp/trouble & echo $! > /tmp/pid'
TOLD = """
mkfifo /tmp/told
timeout 170 "$@" > /tmp/told 2> /tmp/trouble &
echo $! > /tmp/pid
date +%s.%N
read line < /tmp/told || { cat /tmp/trouble >&2; exit 1; }
echo "$line"
"""
"""Start a command, tell when, and wait for its first line; it goes on."""

READY_SECONDS = 1.0
"""A peer must have been started so long before the moment at which all begin."""

COUNTERS = """
cat /sys/class/net/eth0/statistics/tx_bytes /sys/class/net/eth0/statistics/rx_bytes
cat /sys/fs/cgroup/cpuacct/cpuacct.usage 2> /dev/null || echo 0
"""
CLEAR = """
[ -f /tmp/pid ] && kill "$(cat /tmp/pid)" 2> /dev/null
rm -rf /tmp/pid /tmp/told /tmp/trouble /srv/files/out
mkdir /srv/files/out
"""
AIM = "last <= 1.10, seed <= 1.10"


@dataclass(frozen=True)
class Round:
    """One distribution by one system: seconds of each peer, bytes sent by each host."""

    system: str
    peers: int
    bound: float
    seconds: list[float]
    sent: dict[str, int]
    processor: float
    """Seconds per host, without the kernel's work on packets."""
    idle: float
    """Share of all processors' time."""


@dataclass
class Commands:
    """What runs where: `seed` and `index` come before the peers, which begin at a moment."""

    seed: Callable[[float], list[str]]
    peer: Callable[[float, int], list[str]]
    index: list[str] = field(default_factory=list)


def systems(peers: int, size: int) -> dict[str, Commands]:
    """Return how to start each system with so many peers; times are seconds since 1970."""
    bench, out = "/opt/bench", "/srv/files/out"
    tracker = [f"{bench}/tracker.py", "6969"]
    libraries = ["env", f"LD_LIBRARY_PATH={bench}/lib"]

    def torrent(piece: int, *how: str) -> Commands:
        lt = [*libraries, f"{bench}/torrent.py", f"/opt/given/data-{piece}.torrent"]
        return Commands(
            lambda at: [*lt, "/opt/given", f"{at}", "seed", *how],
            lambda at, _: [*lt, out, f"{at}", *how],
            tracker,
        )

    aria2 = [
        *(*libraries, f"{bench}/aria2c", "--quiet"),
        *("--enable-dht=false", "--seed-ratio=0", "--file-allocation=none", "--no-conf"),
        *(f"--on-bt-download-complete={bench}/ended.py", f"/opt/given/data-{PIECES[0]}.torrent"),
    ]
    get = ["peer", "get", "data", "--swarm", "--json", "--directory", "index", "--out", out]

    def link(number: int) -> list[str]:
        return [f"peer-{number + 1}"] if number < peers else []

    return {
        "swarm": Commands(
            lambda _: ["peer", "run", "seed", "--share", "/opt/given", "--directory", "index"],
            lambda at, _: [*get, "--at", f"{at}"],
            ["directory"],
        ),
        "libtorrent": torrent(PIECES[0]),
        "tuned": torrent(PIECES[0], "tuned"),
        "tuned32": torrent(PIECES[1], "tuned"),
        "aria2": Commands(
            lambda _: [*aria2, "--dir=/opt/given", "--bt-seed-unverified"],
            lambda at, _: [f"{bench}/at.py", f"{at}", *aria2, f"--dir={out}"],
            tracker,
        ),
        "chain": Commands(
            lambda at: [f"{bench}/chain.py", "7000", f"{at}", "/opt/given/data", "0", "peer-1"],
            lambda at, n: [
                *(f"{bench}/chain.py", "7000", f"{at}", f"{out}/data", f"{size}"),
                *link(n),
            ],
        ),
    }


def bound(peers: int, size: int, rate: float) -> float:
    """Return the lower bound in seconds, with `size` in bytes and all uplinks of `rate` Mbit/s."""
    uplink = rate * 1e6 / 8
    return max(size / uplink, peers * size / (uplink * (1 + peers)))


def bencode(value: object) -> bytes:
    """Return the value as in a torrent file (BEP 3)."""
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, bytes):
        return b"%d:%b" % (len(value), value)
    if isinstance(value, dict):
        return b"d" + b"".join(bencode(k) + bencode(value[k]) for k in sorted(value)) + b"e"
    raise TypeError(value)


def torrent_file(data: bytes, piece: int) -> bytes:
    """Return the torrent of a file named `data`, whose tracker is on the host `index`."""
    hashes = [hashlib.sha1(data[at : at + piece]).digest() for at in range(0, len(data), piece)]
    info = {
        b"length": len(data),
        b"name": b"data",
        b"piece length": piece,
        b"pieces": b"".join(hashes),
    }
    return bencode({b"announce": b"http://index:6969/announce", b"info": info})


class TooLate(MachineError):
    """This machine was too busy to have all peers ready at the moment agreed on."""


class Bench:
    """The lab, and the file that is given out."""

    def __init__(self, engine: Engine, lab: LiveLab, told: argparse.Namespace, sha256: str) -> None:
        self._engine, self._told, self._sha256 = engine, told, sha256
        self._lab = lab
        self._size = told.size << 20
        self._lead = told.lead

    def limit(self, image: str) -> None:
        """Limit the uplinks, from short-lived containers in the hosts' network namespaces."""
        command = LIMIT.format(rate=self._told.rate, burst=BURST, latency=LATENCY)

        def one(host: LiveHost) -> None:
            self._engine.sdk.containers.run(
                image,
                command,
                network_mode=f"container:{host.container_id}",
                cap_add=["NET_ADMIN"],
                remove=True,
            )

        self._everywhere(one, [host for host in self._lab.hosts if host.name != "index"])

    def round(self, system: str, peers: int) -> Round:
        """Give the file out once."""
        commands = systems(peers, self._size)[system]
        index, seed = self._lab.host("index"), self._lab.host("seed")
        getting = [self._lab.host(f"peer-{n}") for n in range(1, peers + 1)]
        hosts = [seed, *getting]
        self._everywhere(lambda host: self._output(host, CLEAR), [index, *hosts])
        before = dict(self._everywhere(self._counters, hosts))
        lead = self._lead * (1 + peers / 8)
        at = time.time() + lead
        try:
            if commands.index:
                self._output(index, START, *commands.index)
            self._output(seed, START, *commands.seed(at))
            with ThreadPoolExecutor(peers) as pool:
                jobs = [
                    pool.submit(self._output, host, TOLD, *commands.peer(at, n), timeout=180)
                    for n, host in enumerate(getting, 1)
                ]
                time.sleep(max(at - time.time(), 0))
                begun = ticks()
                lines = [job.result().splitlines() for job in jobs]
            idle = share_idle(begun, ticks())
            after = dict(self._everywhere(self._counters, hosts))
            for host, line in zip(getting, lines, strict=True):
                self._check(system, host, line[1])
        finally:
            self._everywhere(lambda host: self._output(host, CLEAR), [index, *hosts])
        if max(float(line[0]) for line in lines) > at - READY_SECONDS:
            self._lead *= 2
            raise TooLate(f"the peers were not ready after {lead:.0f} s")
        ended = [json.loads(line[1])["ended"] for line in lines]
        return Round(
            system,
            peers,
            bound(peers, self._size, self._told.rate),
            [moment - at for moment in ended],
            {host.name: after[host.name][0] - before[host.name][0] for host in hosts},
            statistics.mean(after[h.name][2] - before[h.name][2] for h in hosts) / 1e9,
            idle,
        )

    def _everywhere(self, do: Callable[[LiveHost], Any], hosts: Sequence[LiveHost]) -> list[Any]:
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(do, hosts))

    def _counters(self, host: LiveHost) -> tuple[str, list[int]]:
        return host.name, [int(word) for word in self._output(host, COUNTERS).split()]

    def _check(self, system: str, host: LiveHost, said: str) -> None:
        found = self._output(host, "cd /srv/files/out && sha256sum data && wc -c data")
        if found.split()[:1] != [self._sha256]:
            raise MachineError(
                f"on {host.name}: what came by {system} is not the file: sha256sum and wc say"
                f" {found!r}; the program said {said}"
            )

    def _output(self, host: LiveHost, script: str, *argv: str, timeout: float = 60) -> str:
        return output(self._engine, host, ["sh", "-c", script, "sh", *argv], timeout)


def give(folder: Path, told: argparse.Namespace) -> str:
    """Lay into the folder what all hosts are given; return the file's SHA-256."""
    folder.mkdir()
    folder.chmod(0o755)
    if {"libtorrent", "tuned", "tuned32"} & set(told.only):
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder)]
        only = ["--python-version", "3.11", "--only-binary", ":all:", "libtorrent"]
        done = subprocess.run([*pip, *only], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise MachineError(
                f"pip cannot install libtorrent: {done.stderr.strip()}",
                "Leave it out: `--only swarm aria2 chain`.",
            )
    data = random.Random(1).randbytes(told.size << 20)
    (folder / "data").write_bytes(data)
    for piece in PIECES:
        (folder / f"data-{piece}.torrent").write_bytes(torrent_file(data, piece))
    return hashlib.sha256(data).hexdigest()


def bench(told: argparse.Namespace, tell: Callable[[Round], None]) -> list[Round]:
    """Bring the lab up, measure, and take it down again, whatever happens."""
    engine = connect()
    tags = ensure(engine, ["base", "host", "observer"])
    with tempfile.TemporaryDirectory() as work:
        given, file = Path(work) / "given", Path(work) / "compose.yaml"
        Path(work).chmod(0o755)
        sha256 = give(given, told)
        hosts = ["index", "seed", *(f"peer-{n}" for n in range(1, max(told.peers) + 1))]
        file.write_text(
            LAB.format(
                folder=Path(__file__).parent.absolute() / "distribution_hosts",
                base=tags["base"],
                host=tags["host"],
                given=given,
                group=told.cgroup_parent,
                services="\n".join(f"  {host}: {{<<: *host}}" for host in hosts),
            )
        )
        with fresh(engine, load(file), Reporter()) as lab:
            lab_bench = Bench(engine, lab, told, sha256)
            lab_bench.limit(tags["observer"])
            return list(rounds(lab_bench, told, tell))


def rounds(lab: Bench, told: argparse.Namespace, tell: Callable[[Round], None]) -> list[Round]:
    """Have all systems take turns, for each number of peers."""
    found = []
    for turn in range(told.rounds):
        for peers in told.peers:
            for name in order(told.only, turn):
                try:
                    row = lab.round(name, peers)
                except TooLate:
                    row = lab.round(name, peers)
                tell(row)
                found.append(row)
    return found


def summary(rows: Sequence[Round], size: int) -> list[dict[str, Any]]:
    """Return the medians over the rounds of each system and number of peers; `size` in bytes."""
    found = []
    for peers, system in dict.fromkeys((row.peers, row.system) for row in rows):
        own = [row for row in rows if (row.peers, row.system) == (peers, system)]
        figures = {
            "last": [max(row.seconds) / row.bound for row in own],
            "mean": [statistics.mean(row.seconds) / row.bound for row in own],
            "seed": [row.sent["seed"] / size for row in own],
            "most": [max(b for h, b in row.sent.items() if h != "seed") / size for row in own],
            "processor": [row.processor for row in own],
            "idle": [row.idle for row in own],
        }
        medians = {key: statistics.median(values) for key, values in figures.items()}
        best = min(figures["last"])
        found.append({"peers": peers, "system": system, **medians, "best": best})
    return found


def table(found: Sequence[dict[str, Any]]) -> str:
    """Return the medians as text."""
    keys = ("last", "best", "mean", "seed", "most", "processor", "idle")
    lines = ["peers  system    " + "".join(f"{key:>10}" for key in keys)]
    for row in found:
        lines.append(
            f"{row['peers']:5}  {row['system']:10}" + "".join(f"{row[k]:10.3f}" for k in keys)
        )
    return "\n".join([*lines, f"aim of the swarm: {AIM}"])


def one_line(row: Round) -> str:
    last, mean = max(row.seconds) / row.bound, statistics.mean(row.seconds) / row.bound
    return (
        f"{row.peers} peers, {row.system}: last {last:.3f}, mean {mean:.3f} of {row.bound:.2f} s;"
        f" seed sent {row.sent['seed'] / 1e6:.1f} MB; idle {row.idle:.2f}"
    )


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    names = list(systems(1, 1))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", type=int, nargs="+", default=[4, 8, 16])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=int, default=40, help="Mbit/s of each uplink")
    parser.add_argument("--size", type=int, default=64, help="MiB of the file")
    parser.add_argument("--lead", type=float, default=4, help="seconds to start everything")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--cgroup-parent", default="", metavar="GROUP", help="as in Compose")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Measure and print; each round to stderr as it ends."""
    told = arguments()
    rows = measured(
        lambda: bench(told, lambda row: print(one_line(row), file=sys.stderr, flush=True))
    )
    found = summary(rows, told.size << 20)
    if told.json:
        print(json.dumps({"rounds": [asdict(row) for row in rows], "medians": found}, indent=2))
    else:
        print(table(found))


if __name__ == "__main__":
    main()
