"""Tells an attendant of each host of a lab that comes up, as soon as it has started."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Protocol

from labctl.engine import watch
from labctl.engine.client import Engine
from labctl.engine.plan import Plan
from labctl.engine.ready import Progress


class Attendant(Protocol):
    """Who attends to the hosts of a lab while it comes up."""

    def gate(self, host: str) -> str | None:
        """Return the mark of the gate before a host's own command, or None for no gate."""

    def without_gate(self, hosts: Sequence[str]) -> None:
        """Take note that these hosts have no gate: their images have no shell to make one of."""

    def outlives(self, host: str) -> bool:
        """Whether the lab is to come up although the host ends: how it did is what is wanted."""

    def started(self, lab: str, host: str, container: str) -> None:
        """Attend to a host that has started, in a thread of its own.

        `container` is the container's name. What it raises ends the `up`.
        """

    def let_go(self, host: str) -> None:
        """Let a host that was attended to through its gate. What it raises ends the `up`."""


@contextmanager
def attended(
    engine: Engine, plan: Plan, attendant: Attendant | None, progress: Progress
) -> Iterator[None]:
    """Within the block, tell `progress` of the stages of hosts, and the attendant of starts.

    At the block's end every host has been attended to. Raises what the attendant raised.
    """
    name = plan.shape.name
    if attendant is None:
        with watch.progress_of(engine, name, progress):
            yield
        return
    with ThreadPoolExecutor(engine.at_once) as pool:
        starts = _Starts(pool, attendant, plan)

        def told(host: str, stage: str) -> None:
            progress(host, stage)
            if stage == "started":
                starts.begin(host)

        with watch.progress_of(engine, name, told):
            yield
        for host in plan.project["services"]:  # should the engine not have told of one
            starts.begin(host)
        starts.wait()


class _Starts:
    """Attends to hosts as they start, and lets them go on.

    No host goes on before all are attended to, so that what one sends is seen to arrive at the
    other; but where some start only when others are healthy, each goes on at once.
    """

    def __init__(self, pool: ThreadPoolExecutor, attendant: Attendant, plan: Plan) -> None:
        self._pool = pool
        self._attendant = attendant
        self._name = plan.shape.name
        self._services = plan.project["services"]
        self._together = not any(s.get("depends_on") for s in self._services.values())
        self._tasks: dict[str, Future[None]] = {}
        self._lock = threading.Lock()

    def begin(self, host: str) -> None:
        service = self._services.get(host)
        with self._lock:
            if service is None or host in self._tasks:
                return
            container = service["container_name"]
            self._tasks[host] = self._pool.submit(self._attend, host, container)

    def _attend(self, host: str, container: str) -> None:
        self._attendant.started(self._name, host, container)
        if not self._together:
            self._attendant.let_go(host)

    def wait(self) -> None:
        """Return when all have gone on. Raises what the attendant raised."""
        for task in self._tasks.values():
            task.result()
        if self._together:
            for _ in self._pool.map(self._attendant.let_go, self._tasks):
                pass
