"""Traces system calls in the kernel, through tracefs: nearly for free, and with TCP's states."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from labctl.engine.client import Engine
from labctl.engine.observers import watch_kernel
from labctl.engine.sidecar import Sidecar
from labctl.observe.missed import missed
from labctl.observe.opened import from_before
from labctl.observe.traced import Traced
from labctl.observe.tracefs import CALLS, Follow, ended_early, parse
from labctl.observe.watched import WatchedHost
from labctl.observe.wishes import Wishes
from labctl.sequence.events import Notice

_FILE = "kernel.trace"
_STOP_TIMEOUT = 60.0


class TracefsTracer:
    """One agent for all hosts of a lab, beside none of them.

    Raises AgentRefused where the kernel does not let tracefs be used, MachineError where the
    agent cannot be started.
    """

    name = "tracefs"
    beside_hosts = False

    def __init__(self, engine: Engine, image: str, lab: str, wishes: Wishes, why: str) -> None:
        self.why = why
        self.stopped: int | None = None
        self._follows: list[Follow] = []
        self._notices: list[Notice] = []
        self._every_call = wishes.every_call
        self._sidecar = watch_kernel(engine, image, lab)
        try:
            self._sidecar.ask(
                "start",
                name=f"{lab}.{secrets.token_hex(4)}",
                calls=list(CALLS),
                max_bytes=wishes.max_bytes,
                every_call=wishes.every_call,
            )
        except BaseException:
            self._sidecar.end()
            raise

    def attach(self, host: WatchedHost, pids: Sequence[int] | None) -> None:
        """Follow the processes. Raises AgentRefused where the host has ended meanwhile."""
        main = host.container.first_process
        wanted = None if pids is None else list(pids)
        tasks = self._sidecar.ask("follow", main_pid=main, pids=wanted)["tasks"]
        numbers = {int(tid): (process, thread) for tid, (process, thread) in tasks.items()}
        self._follows.append(Follow(host.name, main, numbers, pids is None))
        if pids is None:
            host.look_at_sockets()

    def stop(self, folder: Path) -> None:
        """End tracing; write the kernel's trace to the folder."""
        told = self._sidecar.ask("stop", _STOP_TIMEOUT)
        self.stopped = told["time"]
        if told["cut"]:
            self._notices.append(ended_early(told["cut"]))
        self._sidecar.fetch(told["file"], folder / _FILE)

    def read(
        self, folder: Path, hosts: Iterable[WatchedHost], addresses: Mapping[str, str], /
    ) -> Traced:
        """Parse the trace; with the addresses and states that it tells."""
        with (folder / _FILE).open("rb") as lines:
            parsed = parse(lines, self._follows, addresses, every_call=self._every_call)
        watched = list(hosts)
        opened = (host.opened for host in watched)
        before = from_before(opened, parsed.calls, parsed.processes)
        told = missed(before, {host.name: host.programs for host in watched})
        missing = (notice for notice in self._notices if notice not in parsed.notices)
        return Traced(
            calls=parsed.calls,
            processes=parsed.processes,
            states=parsed.states,
            processor=parsed.processor,
            open_sockets=before,
            notices=(*told, *parsed.notices, *missing),
        )

    @property
    def sidecars(self) -> list[Sidecar]:
        return [self._sidecar]
