"""What differs between two snapshots: what to draw anew, and what to mark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from labctl.observe.sockets.model import KernelSocket, Process, Snapshot, TcpInfo


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is new, gone, or other than before.

    `what` is `process` (`where` its number), `descriptor` (`where` process and number) or
    `socket` (`where` its key). `field` is the name of a socket's field that has another value;
    None where the thing itself came or went.
    """

    what: str
    where: tuple[int | str, ...]
    field: str | None
    old: Any
    new: Any


def changes(before: Snapshot, after: Snapshot) -> tuple[Change, ...]:
    """Return what changed; what changes by itself all the time, as timers do, is left out."""
    return (
        *_things("process", _processes(before), _processes(after)),
        *_things("descriptor", _descriptors(before), _descriptors(after)),
        *_sockets(before, after),
    )


def _processes(snapshot: Snapshot) -> dict[tuple[int | str, ...], Any]:
    return {(one.pid,): _told(one) for one in snapshot.processes}


def _told(process: Process) -> tuple[Any, ...]:
    return process.name, process.command, process.user, process.parent, process.state == "Z"


def _descriptors(snapshot: Snapshot) -> dict[tuple[int | str, ...], Any]:
    return {(p.pid, one.fd): one for p in snapshot.processes for one in p.descriptors}


def _things(
    what: str, before: dict[tuple[int | str, ...], Any], after: dict[tuple[int | str, ...], Any]
) -> Iterator[Change]:
    for where in (*before, *(one for one in after if one not in before)):
        old, new = before.get(where), after.get(where)
        if old != new:
            yield Change(what, where, None, old, new)


def _sockets(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    old = {one.key: one for one in before.sockets}
    new = {one.key: one for one in after.sockets}
    for key in (*old, *(one for one in new if one not in old)):
        was, now = old.get(key), new.get(key)
        if was is None or now is None:
            yield Change("socket", (key,), None, was, now)
            continue
        was, now = _steady(was), _steady(now)
        for field in fields(KernelSocket):
            values = getattr(was, field.name), getattr(now, field.name)
            if values[0] != values[1]:
                yield Change("socket", (key,), field.name, *values)


def _steady(one: KernelSocket) -> KernelSocket:
    """Return a socket without what moves by itself: the time until a timer fires, and TCP's
    estimates; that segments were sent again stays."""
    timer = None if one.timer is None else replace(one.timer, ms=0)
    tcp = None if one.tcp is None else TcpInfo(0, 0, 0, 0, 0, 0, one.tcp.retransmitted)
    return replace(one, timer=timer, tcp=tcp)
