"""Films the hosts of a lab: their programs are stopped after each call, and looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from labctl.engine.client import Engine
from labctl.engine.live import LiveHost
from labctl.engine.observers import container_of
from labctl.engine.step_observer import step_host
from labctl.errors import MachineError
from labctl.observe.attending import Attending
from labctl.observe.beside import settle, unless_ended
from labctl.observe.steps.model import Film, Frame
from labctl.observe.steps.order import in_order
from labctl.observe.steps.read import frames_of
from labctl.observe.watched import WatchedHost

_FILE = "frames.jsonl"
_STEP_TIMEOUT = 20.0
_SETTLE = 2.0
"""Seconds that hosts are given to come to rest before the film ends."""


@dataclass(frozen=True)
class FilmWishes:
    """What is filmed: of each host at most `frames` frames; with `everything` also calls on the
    AF_UNIX and AF_NETLINK sockets that C libraries make for themselves."""

    frames: int = 500
    everything: bool = False


class Stepper(Attending):
    """Attends to hosts: starts an agent beside each, which steps what waits at the gates.

    It is the `Attendant` of a lab that comes up, or is told by `attach` of a host of one that is
    up. Whoever makes one must `end` it. Methods raise MachineError where something cannot be
    filmed; they may be called from several threads.
    """

    def __init__(
        self, engine: Engine, wishes: FilmWishes, note: Callable[[str], None] = lambda line: None
    ) -> None:
        super().__init__(engine, note)
        self._wishes = wishes

    def outlives(self, host: str) -> bool:  # noqa: ARG002  an Attendant is asked of each
        """Have a lab come up although a host has ended: how it did is in the film."""
        return True

    def started(self, lab: str, host: str, container: str) -> None:
        """Film a host of a lab that comes up; a router makes no calls that matter."""
        watched = self._watch(lab, host, container)
        if host not in self._marks and not watched.container.router:
            watched.note(
                "its image has no /bin/sh, so its own program could not be held until it is filmed"
            )
        with self._lock:
            self._hosts[host] = watched

    def let_go(self, host: str) -> None:
        """Step the program that waits at a host's gate, if it has one, and let it go on."""
        mark = self._marks.get(host)
        if mark is not None and not self._hosts[host].container.router:
            self.let_through(host, mark)

    def attach(self, host: LiveHost) -> None:
        """Film what will be started on a host of a lab that is up."""
        self.started(host.lab_name, host.name, host.container)
        self._hosts[host.name].notes.clear()

    def let_through(self, host: str, mark: str) -> None:
        """Step the process that waits at the gate with this mark, and let it go on."""
        watched = self._hosts[host]
        sidecar, pid = watched.sidecar, self._gated(watched, mark)["pid"]
        sidecar.ask("step", _STEP_TIMEOUT, pid=pid)
        # A program that ends at once may take the agent along before it has answered.
        unless_ended(self._engine, watched, lambda: sidecar.ask("release", pid=pid))

    def stop(self, folder: Path, title: str) -> Film:
        """End filming, once the hosts have come to rest; return the film.

        `folder` is one that files may be put in.
        """
        hosts = list(self._hosts.values())
        self._each(lambda host: settle(self._engine, host, _SETTLE))
        self._each(lambda host: self._stop(host, folder))
        read = [self._frames(host, folder) for host in hosts]
        notes = tuple(str(note) for host in hosts for note in host.notes)
        return Film(title, in_order(read), notes)

    def _stop(self, host: WatchedHost, folder: Path) -> None:
        unless_ended(self._engine, host, lambda: self._fetch(host, folder))
        if host.end is not None:
            host.sidecar.recover(folder, f"{host.name}.")

    def _fetch(self, host: WatchedHost, folder: Path) -> None:
        told = host.sidecar.ask("stop")
        host.sidecar.fetch(told["file"], folder / f"{host.name}.{_FILE}")
        for text in told["notes"]:
            host.note(text)
        if told["full"]:
            host.note(f"its film ends after {self._wishes.frames} frames, its programs went on")

    def _frames(self, host: WatchedHost, folder: Path) -> list[Frame]:
        file = folder / f"{host.name}.{_FILE}"
        if not file.exists():
            return []
        return frames_of(host.name, file.read_bytes(), self._wishes.everything)

    def _watch(self, lab: str, host: str, container: str) -> WatchedHost:
        found = container_of(self._engine, container)
        if not found.first_process:
            raise MachineError(
                f"host {host} of lab {lab} is not running, so it cannot be filmed",
                f"`labctl logs {lab}/{host}` tells why.",
            )
        sidecar = step_host(self._engine, self._image, lab, host, found.id)
        try:
            wishes = {"most": self._wishes.frames, "everything": self._wishes.everything}
            sidecar.ask("film", begin=self._gates, **wishes)
        except BaseException:
            sidecar.end()
            raise
        return WatchedHost(host, sidecar, found)

    def end(self) -> None:
        """End all agents; what they stepped goes on. Raises nothing."""
        self._each(lambda host: host.sidecar.end())
