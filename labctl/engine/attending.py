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

    def started(self, lab: str, host: str, container: str) -> None:
        """Attend to a host that has started, in a thread of its own; let it through its gate.

        `container` is the container's name. What it raises ends the `up`.
        """


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
    def __init__(self, pool: ThreadPoolExecutor, attendant: Attendant, plan: Plan) -> None:
        self._pool = pool
        self._attendant = attendant
        self._plan = plan
        self._tasks: dict[str, Future[None]] = {}
        self._lock = threading.Lock()

    def begin(self, host: str) -> None:
        service = self._plan.project["services"].get(host)
        with self._lock:
            if service is None or host in self._tasks:
                return
            container = service["container_name"]
            name = self._plan.shape.name
            task = self._pool.submit(self._attendant.started, name, host, container)
            self._tasks[host] = task

    def wait(self) -> None:
        for task in self._tasks.values():
            task.result()
