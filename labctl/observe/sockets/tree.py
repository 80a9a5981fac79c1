"""Which process forked which: a server's main process and its subordinates (figure 6-29)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from labctl.observe.sockets.model import Process, Snapshot
from labctl.observe.sockets.select import named

_ZOMBIE = "Z"


@dataclass(frozen=True)
class Branch:
    """A process and those that it forked.

    `role` is what figure 6-29 calls it: `M` where it has forked subordinates that run the same
    program, `S1`, `S2`, ... of these, in the order of their numbers; of others it is empty.
    """

    process: Process
    role: str
    children: tuple[Branch, ...]

    @property
    def is_zombie(self) -> bool:
        return self.process.state == _ZOMBIE


def grown(snapshot: Snapshot, process: str | None = None) -> tuple[Branch, ...]:
    """Return the processes that have a socket, the zombies, and those between, as trees.

    With `process`, a number or a name, only the trees that begin at one of that name.
    """
    children: dict[int, list[Process]] = {}
    for one in sorted(snapshot.processes, key=lambda p: p.pid):
        children.setdefault(one.parent, []).append(one)
    numbers = {one.pid for one in snapshot.processes}
    tops = [one for one in snapshot.processes if one.parent not in numbers]
    found = [branch for one in tops for branch in _wanted(one, children, process)]
    return tuple(sorted(found, key=lambda branch: branch.process.pid))


def _wanted(
    one: Process, children: dict[int, list[Process]], process: str | None
) -> Iterator[Branch]:
    """Yield the trees below and with a process, without tops that have no socket themselves."""
    chosen = one.has_socket if process is None else process in named(one)
    branch = _branch(one, children) if chosen else None
    if branch is not None:
        yield branch
        return
    for child in children.get(one.pid, ()):
        yield from _wanted(child, children, process)


def _branch(one: Process, children: dict[int, list[Process]], role: str = "") -> Branch | None:
    """Return a process with what it forked; none where nothing there has to do with sockets."""
    forked = [child for child in children.get(one.pid, ()) if _matters(child, children)]
    if not forked and not one.has_socket and one.state != _ZOMBIE:
        return None
    roles: dict[int, str] = {}
    for child in forked:
        if child.name == one.name:
            roles[child.pid] = f"S{len(roles) + 1}"
    below = (_branch(child, children, roles.get(child.pid, "")) for child in forked)
    own = role or ("M" if roles else "")
    return Branch(one, own, tuple(branch for branch in below if branch is not None))


def _matters(one: Process, children: dict[int, list[Process]]) -> bool:
    if one.has_socket or one.state == _ZOMBIE:
        return True
    return any(_matters(child, children) for child in children.get(one.pid, ()))
