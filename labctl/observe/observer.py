"""Observes the hosts of a lab, from before their programs' first call to the end."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from labctl.engine.client import Engine
from labctl.engine.live import LiveHost, LiveLab
from labctl.engine.sidecar import Sidecar
from labctl.errors import MachineError
from labctl.observe.attending import Attending
from labctl.observe.beside import settle, stop, unless_ended, watch
from labctl.observe.tracers import Tracer, chosen
from labctl.observe.watched import WatchedHost
from labctl.observe.wishes import Wishes


class Observer(Attending):
    """Attends to hosts: starts capture and tracer beside each, then lets it go on.

    It is the `Attendant` of a lab that comes up, or is told by `attach` of one that is up.
    Whoever makes one must `end` it. Methods raise MachineError where something cannot be
    observed; they may be called from several threads.
    """

    def __init__(
        self, engine: Engine, wishes: Wishes, note: Callable[[str], None] = lambda line: None
    ) -> None:
        super().__init__(engine, note)
        self._wishes = wishes
        self._tracer: Tracer | None = None

    @property
    def tracer(self) -> Tracer:
        """What traces system calls, once the first host is attended to."""
        assert self._tracer is not None
        return self._tracer

    def gate(self, host: str) -> str | None:
        """Give every host that is observed a gate."""
        if not self._wishes.wants(host):
            return None
        return super().gate(host)

    def outlives(self, host: str) -> bool:
        """Have a lab come up although a host has ended, where that is wished."""
        return self._wishes.outlive and self._wishes.wants(host)

    def started(self, lab: str, host: str, container: str) -> None:
        """Observe a host of a lab that comes up."""
        if not self._wishes.wants(host):
            return
        watched = self._watch(lab, host, container)
        if host not in self._marks and not watched.container.router:
            watched.note(
                "its image has no /bin/sh that its program could wait in until it is observed"
            )
            self._attach_to_all(watched)

    def let_go(self, host: str) -> None:
        """Trace the program that waits at a host's gate, if it has one, and let it go on."""
        mark = self._marks.get(host)
        if mark is not None:
            watched = self._hosts[host]
            watched.program = self._let_go(watched, mark)

    def attach(self, lab: LiveLab) -> None:
        """Observe a lab that is up: what runs there is attached to, its first calls missed.

        Raises MachineError where no host that is wished runs.
        """
        wanted = [h for h in lab.hosts if h.running and self._wishes.wants(h.name)]
        if not wanted:
            raise MachineError(
                f"none of the hosts to be observed runs in lab {lab.name}",
                f"`labctl ps {lab.name}` tells how they ended; `labctl down {lab.name}` takes the "
                "lab down, so that it can come up anew.",
            )

        def one(host: LiveHost) -> None:
            watched = self._watch(lab.name, host.name, host.container)
            if not watched.container.router:
                self._attach_to_all(watched)

        with ThreadPoolExecutor(self._engine.at_once) as pool:
            for _ in pool.map(one, wanted):
                pass

    def let_through(self, host: str, mark: str) -> None:
        """Trace the process that waits at the gate with this mark, and let it go on.

        Unlike a host's own program, it ends when labctl does, should that be killed.
        """
        self._let_go(self._hosts[host], mark, ends_with_us=True)

    def _let_go(self, watched: WatchedHost, mark: str, *, ends_with_us: bool = False) -> int:
        told = self._gated(watched, mark)
        pid = int(told["pid"])
        watched.commands[pid] = told["command"]
        self.tracer.attach(watched, [pid])
        # A program that ends at once may take the agent along before it has answered.
        unless_ended(
            self._engine,
            watched,
            lambda: watched.sidecar.ask("release", pid=pid, ends_with_us=ends_with_us),
        )
        return pid

    def _attach_to_all(self, watched: WatchedHost) -> None:
        watched.whole = False
        watched.programs = {int(p): c for p, c in watched.sidecar.hello["processes"].items()}
        self.tracer.attach(watched, None)

    def _watch(self, lab: str, host: str, container: str) -> WatchedHost:
        watched = watch(self._engine, self._image, lab, host, container, self._wishes, self._gates)
        with self._lock:
            self._hosts[host] = watched
            if self._tracer is None:
                first = watched.sidecar
                self._tracer = chosen(self._engine, self._image, lab, self._wishes, first)
        return watched

    def captured(self, host: WatchedHost) -> dict[str, Any] | None:
        """Return what a host's agent tells of its capture; None once the host has ended."""
        return unless_ended(self._engine, host, lambda: host.sidecar.ask("captured"))

    def settle(self) -> None:
        """Wait until all hosts have come to rest, as long as the wishes say."""
        seconds = self._wishes.settle
        self._each(lambda host: settle(self._engine, host, seconds))

    def stop(self, folder: Path) -> None:
        """End observing; write what was seen to files in a folder."""
        self.tracer.stop(folder)
        self._each(lambda host: stop(self._engine, host, folder))

    def end(self) -> None:
        """End all agents; what they held is let go. Raises nothing."""
        sidecars: list[Sidecar] = [host.sidecar for host in self._hosts.values()]
        if self._tracer is not None:
            sidecars += self._tracer.sidecars
        with ThreadPoolExecutor(self._engine.at_once) as pool:
            for _ in pool.map(lambda sidecar: sidecar.end(), sidecars):
                pass
