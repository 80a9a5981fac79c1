"""Starts and ends the watching of one host: an agent beside it, capturing from the start."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from labctl.engine.client import Engine
from labctl.engine.ending import ending_of
from labctl.engine.observers import container_of, watch_host
from labctl.engine.sidecar import AgentRefused
from labctl.errors import MachineError
from labctl.observe.ended import NOTHING_TOLD, STATE, HostEnd, read_state
from labctl.observe.watched import WatchedHost
from labctl.observe.wishes import Wishes

T = TypeVar("T")

PACKETS = "packets.pcap"
_STOP_TIMEOUT = 60.0
_END_PATIENCE = 5.0
"""Seconds after the end of an agent in which the engine says whether its host has ended."""


def watch(
    engine: Engine, image: str, lab: str, host: str, container: str, wishes: Wishes, gates: str
) -> WatchedHost:
    """Start an agent beside a host; return when it captures every packet.

    `container` is the container's name, `gates` how the marks of the gates begin that it may
    wait at. Raises MachineError where the host does not run or
    cannot be observed.
    """
    found = container_of(engine, container)
    if not found.first_process:
        raise MachineError(
            f"host {host} of lab {lab} is not running, so it cannot be observed",
            f"`labctl logs {lab}/{host}` tells why.",
        )
    sidecar = watch_host(engine, image, lab, host, found.id)
    try:
        sidecar.ask("gates", begin=gates)
        sidecar.ask("capture", snaplen=wishes.snaplen, max_bytes=wishes.max_bytes)
    except BaseException:
        sidecar.end()
        raise
    return WatchedHost(host, sidecar, found)


def settle(engine: Engine, host: WatchedHost, seconds: float) -> None:
    """Wait until a host has come to rest; one that has ended has."""
    unless_ended(engine, host, lambda: host.sidecar.ask("settle", seconds + 10, patience=seconds))


def stop(engine: Engine, host: WatchedHost, folder: Path) -> None:
    """End watching; write what the agent has to the folder, as HOST.FILE.

    Where the host has ended, and with it the agent (pid_namespaces(7)), that is what the agent
    had written by then.
    """
    unless_ended(engine, host, lambda: _fetch(host, folder))
    if host.end is not None:
        _recover(host, host.end, folder)


def unless_ended(engine: Engine, host: WatchedHost, do: Callable[[], T]) -> T | None:
    """Return what comes of something that needs the host's agent.

    Where the host has ended, or ends meanwhile, its end is remembered, and None is returned.
    Raises MachineError where the agent broke for another reason.
    """
    if host.end is not None:
        return None
    try:
        return do()
    except AgentRefused:
        raise
    except MachineError:
        ending = ending_of(engine, host.container, _END_PATIENCE)
        if ending is None:
            raise
        host.end = HostEnd(ending.time, ending.code, out_of_memory=ending.out_of_memory)
        return None


def _fetch(host: WatchedHost, folder: Path) -> None:
    told = host.sidecar.ask("stop", _STOP_TIMEOUT)
    for name in told["files"]:
        host.sidecar.fetch(name, folder / f"{host.name}.{name}")
    host.interfaces = {int(index): ips for index, ips in told["interfaces"].items()}
    _keep(host, told["notes"])
    host.stopped = told["time"]


def _keep(host: WatchedHost, notes: Iterable[tuple[str, str]]) -> None:
    for missing, text in notes:
        host.note(text, missing)


def _recover(host: WatchedHost, end: HostEnd, folder: Path) -> None:
    """Take the agent's files from where they have outlasted it; what is not there is empty."""
    prefix = f"{host.name}."
    told = NOTHING_TOLD
    if STATE in host.sidecar.recover(folder, prefix):
        told = read_state((folder / f"{prefix}{STATE}").read_bytes())
    host.interfaces = told.interfaces or host.interfaces
    if told.notes is not None:
        _keep(host, told.notes)
        host.end = replace(end, time=told.time, code=told.code, whole=True)
    for name in (PACKETS, *host.threads):
        (folder / f"{prefix}{name}").touch()
