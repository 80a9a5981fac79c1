"""Samples the queues of all sockets of a lab, at all hosts at once."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from labctl.engine.client import Engine
from labctl.engine.live import LiveHost, LiveLab
from labctl.engine.observers import provide_image
from labctl.engine.shield import shielded
from labctl.engine.sidecar import Sidecar
from labctl.engine.socket_observer import watch_queues
from labctl.errors import MachineError
from labctl.observe.queues import reading
from labctl.observe.queues.model import Looks, Sampled, SocketQueues
from labctl.observe.wishes import MEBIBYTE

INTERVAL = 0.005
"""Seconds between two looks, unless another time is wished."""
LEAST_INTERVAL = 0.001
_MOST_BYTES = 128 * MEBIBYTE


@dataclass
class Sampler:
    """What samples; `sampled` is there once its block is over."""

    interval: float
    sidecars: dict[str, Sidecar] = field(default_factory=dict)
    _sampled: Sampled | None = None

    @property
    def sampled(self) -> Sampled:
        """What was seen. Raises MachineError where sampling is not over."""
        if self._sampled is None:
            raise MachineError("the queues are still being sampled", "Leave the block first.")
        return self._sampled

    def begin(self) -> None:
        """Look at all hosts from now on."""
        with ThreadPoolExecutor(len(self.sidecars) or 1) as pool:
            for _ in pool.map(self._begin, self.sidecars.values()):
                pass

    def _begin(self, sidecar: Sidecar) -> None:
        sidecar.ask("begin", interval=self.interval, max_bytes=_MOST_BYTES)

    def stop(self) -> None:
        """Look no more; read what was seen."""
        with tempfile.TemporaryDirectory(prefix="labctl-") as folder:
            told = [self._read(name, Path(folder)) for name in sorted(self.sidecars)]
        hosts = tuple(looks for looks, _ in told)
        sockets = tuple(one for _, found in told for one in found)
        self._sampled = Sampled(self.interval, hosts, sockets)

    def _read(self, host: str, folder: Path) -> tuple[Looks, tuple[SocketQueues, ...]]:
        sidecar = self.sidecars[host]
        told = sidecar.ask("end")
        file = folder / host
        sidecar.fetch(told["file"], file)
        return reading.looks(host, told), reading.read(host, file.read_bytes())


@contextmanager
def sampling(
    engine: Engine,
    lab: LiveLab,
    interval: float = INTERVAL,
    note: Callable[[str], None] = lambda line: None,
) -> Iterator[Sampler]:
    """Within the block the queues of all sockets on a lab's hosts are sampled.

    `interval`, in seconds, is the time between two looks at a host. A host that ends meanwhile
    is no error: its sockets are then gone. Raises MachineError where a host cannot be looked at.
    """
    image = provide_image(engine, note)
    sampler = Sampler(interval)

    def start(host: LiveHost) -> None:
        place = lab.name, host.name, host.container_id
        sampler.sidecars[host.name] = watch_queues(engine, image, *place)

    try:
        with ThreadPoolExecutor(engine.at_once) as pool:
            for _ in pool.map(start, [host for host in lab.hosts if host.running]):
                pass
        sampler.begin()
        try:
            yield sampler
        finally:
            with shielded():
                sampler.stop()
    finally:
        with shielded(), ThreadPoolExecutor(engine.at_once) as pool:
            for _ in pool.map(lambda one: one.end(), sampler.sidecars.values()):
                pass
