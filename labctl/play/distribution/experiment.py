"""Gives a file to N hosts of a lab in both ways, for each N, and measures.

The lab has a `server` (a media server), a `directory`, a `seed` (a peer that has the file) and N
hosts `peer-1`, `peer-2`, ... that do not have it. All times are those at which the file got its
name on the host, all bytes those that the hosts' kernels counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from labctl.engine.live import LiveLab
from labctl.errors import CheckFailed
from labctl.play.distribution import bounds, verdict
from labctl.play.distribution.counters import Counters
from labctl.play.distribution.model import Rates, Run, Way
from labctl.play.distribution.stage import (
    DIRECTORY,
    PATIENCE,
    RECEIVED,
    SEED,
    SERVER,
    SHARED,
    Stage,
)
from labctl.play.distribution.starting import Command, together

_SPARE = 60.0
_SLOWEST = 4.0
"""How many times the lower bound all may take, besides `_SPARE` seconds."""


def rates(stage: Stage) -> Rates:
    """Return the rates that the kernels keep. Raises CheckFailed where a host has none."""
    told = {host: counted.rates for host, counted in stage.count().items()}
    for host in (SERVER, SEED, *stage.peers):
        if not told.get(host):
            raise CheckFailed(
                f"host {host} has no link with a rate: without one there is no bound",
                "Write it in the lab file, as x-lab.links: {peer: {lan: {rate: 40mbit}}}.",
            )
    sending = {host: min(each) for host, each in told.items() if each}
    return Rates(sending[SERVER], sending[SEED], tuple(sending[p] for p in stage.peers))


def distribute(stage: Stage, way: Way, n: int, links: Rates) -> Run:
    """Give the file to the first N peers and return what came of it.

    Raises CheckFailed where a host does not get it.
    """
    hosts, size = stage.peers[:n], stage.item.size
    if way is Way.SERVER:
        source, bound = SERVER, bounds.client_server(n, size, links.server)
    else:
        source, bound = SEED, bounds.peer_to_peer(size, links.seed, links.peers[:n])
        stage.wait_until_shared()
    command = _command(stage, way)
    commands, patience = dict.fromkeys(hosts, command), _SLOWEST * bound + _SPARE
    began, before = together(stage.engine, stage.lab, commands, patience, stage.count)
    after = stage.count()
    counted = {host: after[host].since(before[host]) for host in after}
    path = f"{RECEIVED}/{stage.item.name}"
    arrived = stage.each(hosts, lambda host: _arrived(stage, host, path))
    right = stage.sh(source, "sha256sum", f"{SHARED}/{stage.item.name}").split()[0]
    run = Run(
        way=way,
        n=n,
        size=size,
        source=source,
        directory=DIRECTORY,
        bound=bound,
        seconds={host: when - began for host, (when, _) in arrived.items()},
        sent={host: one.sent for host, one in counted.items()},
        received={host: one.received for host, one in counted.items()},
        flows=_flows(stage.lab, counted),
        whole={host: digest == right for host, (_, digest) in arrived.items()},
    )
    return replace(run, wrong=tuple(verdict.wrong(run)))


def _command(stage: Stage, way: Way) -> Command:
    wait = ["--out", RECEIVED, "--wait", f"{PATIENCE:g}"]
    if way is Way.SERVER:
        fetch = ["tcp_client", SERVER, stage.item.name, *wait, "--timeout", "120"]
    else:
        fetch = [*stage.get, stage.item.name, "--directory", DIRECTORY, *wait]
    return lambda begin: [*fetch, "--at", f"{begin:.3f}"]


def _arrived(stage: Stage, host: str, path: str) -> tuple[float, str]:
    """Return when the file got its name on a host, and its SHA-256 there; remove it."""
    script = 'stat -c %.9Z "$1" && sha256sum "$1" && rm "$1"'
    when, digest, *_ = stage.sh(host, "sh", "-c", script, "sh", path).split()
    return float(when), digest


def _flows(lab: LiveLab, counted: Mapping[str, Counters]) -> dict[tuple[str, str], int]:
    at = {address: host.name for host in lab.hosts for address in host.addresses.values()}
    flows: dict[tuple[str, str], int] = {}
    for receiver, one in counted.items():
        for address, count in one.by.items():
            sender = at[address]
            if count and sender != receiver:
                flows[sender, receiver] = flows.get((sender, receiver), 0) + count
    return flows
