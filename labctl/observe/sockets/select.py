"""Which processes and sockets of a snapshot are shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath

from labctl.errors import UsageError
from labctl.lab.near import did_you_mean
from labctl.observe.sockets.model import Process, Snapshot


def selected(snapshot: Snapshot, process: str | None, everything: bool) -> Snapshot:
    """Return what is asked for: by default the processes that have sockets, and the sockets
    that none has.

    `process` is a number or a name: of the program, or of the script that it runs. With it,
    sockets of no process are left out unless they have a port of one that it holds.
    With `everything`, processes without sockets remain, and the sockets that are held from
    outside the host, as by the engine's name server.
    """
    processes = tuple(
        one
        for one in snapshot.processes
        if (one.has_socket or everything or process is not None)
        and (process is None or process in named(one))
    )
    shown = replace(snapshot, processes=processes, sockets=())
    held = [one for one in snapshot.sockets if one.inode in shown.holders]
    ports = {one.local.port for one in held if one.local.port}
    free = [
        one
        for one in snapshot.unheld
        if (everything or one.inode == 0) and (process is None or one.local.port in ports)
    ]
    return replace(shown, sockets=(*held, *free))


def named(process: Process) -> set[str]:
    """Return the words that a process is known by."""
    words = {str(process.pid), process.name}
    for word in process.command[:2]:
        path = PurePath(word)
        words |= {path.name, path.stem}
    return words - {""}


def require_process(snapshot: Snapshot, process: str) -> None:
    """Raise UsageError unless a process of the host is known by this word."""
    known = [word for one in snapshot.processes for word in (one.name, str(one.pid))]
    if not any(process in named(one) for one in snapshot.processes):
        hint = did_you_mean(process, dict.fromkeys(known), "its processes")
        raise UsageError(
            f"host {snapshot.host} has no process {process}", hint[:1].upper() + hint[1:]
        )
