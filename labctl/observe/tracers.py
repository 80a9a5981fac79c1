"""Which tracer watches the system calls, and how it is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from labctl.engine.client import Engine
from labctl.engine.sidecar import AgentRefused, Sidecar
from labctl.errors import MachineError, UsageError
from labctl.observe.missed import missed
from labctl.observe.opened import from_before
from labctl.observe.strace import options, parse
from labctl.observe.traced import Traced
from labctl.observe.tracefs_tracer import TracefsTracer
from labctl.observe.watched import WatchedHost
from labctl.observe.wishes import Wishes

NAMES = ("auto", "strace", "tracefs")
NONE = "none"
"""What is wished for where only packets are captured."""


class Tracer(Protocol):
    """What watches the system calls of all hosts."""

    name: str
    why: str
    """Why it is this one, in a few words for the user."""
    beside_hosts: bool
    """Whether it works beside each host, and so ends with it."""
    stopped: int | None
    """When it ended, in ns since the epoch, where it does not work beside each host."""

    def attach(self, host: WatchedHost, pids: Sequence[int] | None) -> None:
        """Watch these processes of the host and their children, or all that run on it."""

    def stop(self, folder: Path) -> None:
        """End watching; write to the folder what is not in the files of the hosts' agents."""

    def read(
        self, folder: Path, hosts: Iterable[WatchedHost], addresses: Mapping[str, str], /
    ) -> Traced:
        """Return what was seen, from the files; `addresses` maps each IP address to its host."""

    @property
    def sidecars(self) -> list[Sidecar]:
        """The agents that it has besides those of the hosts."""


class StraceTracer:
    """strace(1) beside each host: it decodes every argument, and slows every call down."""

    name = "strace"
    beside_hosts = True

    def __init__(self, wishes: Wishes, why: str) -> None:
        self._wishes = wishes
        self.why = why
        self.stopped: int | None = None

    def attach(self, host: WatchedHost, pids: Sequence[int] | None) -> None:
        """Attach to the processes. Raises MachineError where the kernel does not permit it."""
        told = host.sidecar.ask(
            "attach",
            pids=None if pids is None else list(pids),
            options=options(every_call=self._wishes.every_call),
            max_bytes=self._wishes.max_bytes,
        )
        if told["file"] is not None:
            host.threads[told["file"]] = {int(t): p for t, p in told["threads"].items()}
        if pids is None:
            host.look_at_sockets()

    def stop(self, folder: Path) -> None:
        """Do nothing: the hosts' agents end their straces."""

    def read(
        self, folder: Path, hosts: Iterable[WatchedHost], _addresses: Mapping[str, str], /
    ) -> Traced:
        """Parse the files of all straces."""
        parsed, watched = [], list(hosts)
        for host in watched:
            for file, threads in host.threads.items():
                with (folder / f"{host.name}.{file}").open("rb") as lines:
                    parsed.append(parse(lines, host.name, threads))
        calls = sorted((c for p in parsed for c in p.calls), key=lambda c: c.start)
        processes = sorted((e for p in parsed for e in p.processes), key=lambda e: e.time)
        before = from_before((host.opened for host in watched), calls, processes)
        told = missed(before, {host.name: host.programs for host in watched})
        return Traced(
            calls=tuple(calls),
            processes=tuple(processes),
            open_sockets=before,
            notices=(*told, *(n for p in parsed for n in p.notices)),
        )

    @property
    def sidecars(self) -> list[Sidecar]:
        return []


class NoTracer:
    """Traces nothing: for whoever wants the packets only."""

    name = NONE
    why = "asked for"
    beside_hosts = False
    stopped: int | None = None

    def attach(self, host: WatchedHost, pids: Sequence[int] | None) -> None:
        """Do nothing."""

    def stop(self, folder: Path) -> None:
        """Do nothing."""

    def read(
        self, _folder: Path, _hosts: Iterable[WatchedHost], _addresses: Mapping[str, str], /
    ) -> Traced:
        """Return that nothing was seen."""
        return Traced()

    @property
    def sidecars(self) -> list[Sidecar]:
        return []


def chosen(engine: Engine, image: str, lab: str, wishes: Wishes, first: Sidecar) -> Tracer:
    """Return the tracer that was asked for, or the best that works here.

    That is strace, as it decodes what the others only count; where the kernel does not
    permit it, tracefs. Where every call is wished, and so its time, it is tracefs, which hardly
    changes times; where that does not work, strace. Raises MachineError where the one asked for
    does not work.
    """
    if wishes.tracer == NONE:
        return NoTracer()
    if wishes.tracer not in NAMES:
        raise UsageError(
            f"there is no tracer {wishes.tracer}", f"The tracers are {', '.join(NAMES)}."
        )
    refusal: str | None = first.hello["strace"]
    if wishes.tracer == "auto" and wishes.every_call and refusal is None:
        return _of_times(engine, image, lab, wishes, first)
    if wishes.tracer == "strace" or (wishes.tracer == "auto" and refusal is None):
        if refusal is not None:
            raise MachineError(
                f"strace cannot trace here: {refusal}",
                "Try --tracer tracefs; `labctl doctor` tells what the machine can do.",
            )
        why = "asked for" if wishes.tracer == "strace" else "it decodes every argument"
        return StraceTracer(wishes, why)
    if not first.hello["looks"]:
        raise MachineError(
            f"no system calls can be traced here: {refusal}",
            "Does a security profile, or a rootless engine, keep capabilities from containers? "
            "See `labctl doctor`; packets alone: `labctl capture`.",
        )
    why = "asked for" if wishes.tracer == "tracefs" else f"strace cannot trace here: {refusal}"
    try:
        return TracefsTracer(engine, image, lab, wishes, why)
    except AgentRefused as error:
        other = "Try --tracer strace" if refusal is None else f"Nor can strace: {refusal}"
        raise MachineError(error.message, f"{other}; see `labctl doctor`.") from error


def _of_times(engine: Engine, image: str, lab: str, wishes: Wishes, first: Sidecar) -> Tracer:
    """Return the tracer that changes the times of calls least, of those that work here."""
    refusal = "the observer may not look at processes"
    if first.hello["looks"]:
        try:
            return TracefsTracer(engine, image, lab, wishes, "it hardly changes the times of calls")
        except AgentRefused as error:
            refusal = error.message
    return StraceTracer(wishes, f"tracefs cannot be used here: {refusal}")
