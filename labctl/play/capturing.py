"""Captures packets on a lab that is up: those of one host, or those of one network."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from labctl.engine.client import Engine
from labctl.engine.live import LiveLab, require_running
from labctl.engine.shield import deferred, shielded
from labctl.engine.up import Reporter as UpReporter
from labctl.errors import MachineError, UsageError
from labctl.lab.near import did_you_mean
from labctl.observe.collect import Packets, networks_of, packets
from labctl.observe.observer import Observer
from labctl.observe.wishes import Wishes
from labctl.play.observed import attached

_POLL = 0.1
"""Seconds between two looks at how much was captured."""


@dataclass(frozen=True)
class Place:
    """Where packets are captured: on a host, or on all hosts of a network."""

    lab: LiveLab
    hosts: tuple[str, ...]
    network: str | None = None


@dataclass(frozen=True)
class End:
    """When it ends: after `timeout` seconds, or with `count` packets; else when interrupted."""

    timeout: float | None = None
    count: int | None = None


@dataclass(frozen=True)
class Summary:
    """What was captured: how many packets, and bytes on the wire; of each host, how many."""

    packets: int
    bytes: int
    hosts: dict[str, int]
    notices: tuple[str, ...]


def place(lab: LiveLab, told: str) -> Place:
    """Return the host or the network of that name, a network with its hosts that run.

    Raises UsageError where there is neither, MachineError where nothing runs there.
    """
    names = [host.name for host in lab.hosts]
    if told in names:
        require_running(lab.host(told))
        return Place(lab, (told,))
    if told in lab.networks:
        on_it = tuple(host.name for host in lab.hosts if told in host.addresses and host.running)
        if not on_it:
            raise MachineError(
                f"no host on network {told} of lab {lab.name} is running",
                f"`labctl ps {lab.name}` shows its hosts.",
            )
        return Place(lab, on_it, told)
    known = [*names, *lab.networks]
    raise UsageError(
        f"lab {lab.name} has no host or network {told}",
        did_you_mean(told, known, "hosts and networks"),
    )


def capture(
    engine: Engine,
    where: Place,
    wishes: Wishes,
    end: End,
    write: Callable[[Iterator[bytes]], object],
    reporter: UpReporter,
    ready: Callable[[], None] = lambda: None,
) -> Summary:
    """Capture packets until the end, or a Ctrl-C or SIGTERM; then have them written as pcapng.

    `ready` is called when every packet from then on is captured. Raises MachineError where
    the hosts cannot be observed, and what `write` raises.
    """
    with attached(engine, where.lab, wishes, reporter) as observer:
        try:
            ready()
            _wait(observer, where, end)
        except KeyboardInterrupt:
            pass  # that is how it is ended
        with shielded(), tempfile.TemporaryDirectory(prefix="labctl-") as folder:
            found = packets(where.lab, observer, Path(folder), where.network, end.count)
    write(found.pcapng())
    return _summary(found, where)


def _wait(observer: Observer, where: Place, end: End) -> None:
    """Return when it is over, or a capture has ended by itself."""
    deadline = None if end.timeout is None else time.monotonic() + end.timeout
    while deadline is None or time.monotonic() < deadline:
        count, running = _progress(observer, where)
        if not running or (end.count is not None and count >= end.count):
            return
        left = _POLL if deadline is None else deadline - time.monotonic()
        time.sleep(max(0, min(_POLL, left)))


def _progress(observer: Observer, where: Place) -> tuple[int, bool]:
    """Return how many packets were captured, and whether all captures go on.

    A host that has ended counts no more; when all have, nothing goes on.
    """
    count, going_on = 0, []
    for host in observer.hosts.values():
        with deferred():  # an answer that is not waited for would be taken for the next one's
            told = observer.captured(host)
        if told is None:
            continue
        going_on.append(told["running"])
        indices = {int(index): ips for index, ips in told["interfaces"].items()}
        networks = networks_of(where.lab, host.name, indices)
        count += sum(
            number
            for index, number in told["packets"].items()
            if where.network in (None, networks.get(int(index)))
        )
    return count, bool(going_on) and all(going_on)


def _summary(found: Packets, where: Place) -> Summary:
    by_host: Counter[str] = Counter(dict.fromkeys(where.hosts, 0))
    size = 0
    for frame in found.frames():
        by_host[frame.host] += 1
        size += frame.record.length
    notices = tuple(map(str, found.notices))
    return Summary(by_host.total(), size, dict(by_host), notices)
