"""The sockets that processes already had when they were attached to.

The host's agent looks once the tracer is attached, so that nothing falls between the two. It
may be a little late then: what the tracer has seen to be made before it looked is not from
before, and is left out here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from labctl.observe.sockets.model import KernelSocket, Snapshot, SocketAddress
from labctl.sequence.arguments import plain
from labctl.sequence.events import Call, Endpoint, OpenSocket, ProcessEvent
from labctl.sequence.verbs import verb

_GIVING = frozenset({"socket", "accept", "dup"})
"""Calls that return a descriptor that may stand for a socket; fcntl does with F_DUPFD."""

_AS_SS = {
    "ESTABLISHED": "ESTAB",
    "CONNECTED": "ESTAB",
    "SYN-RECEIVED": "SYN-RECV",
    "CLOSED": "UNCONN",
    "UNCONNECTED": "UNCONN",
    "": "UNCONN",
}
"""States that ss(8) calls otherwise."""


@dataclass(frozen=True)
class Opened:
    """The sockets of one host's processes, and when they had all been looked at (ns)."""

    sockets: tuple[OpenSocket, ...] = ()
    time: int = 0


def opened(snapshot: Snapshot) -> Opened:
    """Return the sockets that descriptors of a host's processes stand for."""
    return Opened(tuple(_open(snapshot)), snapshot.time)


def from_before(
    found: Iterable[Opened], calls: Iterable[Call], processes: Iterable[ProcessEvent]
) -> tuple[OpenSocket, ...]:
    """Return what was there before the first of the calls, and the first of the forks."""
    wanted = tuple(found)
    until = {one.host: each.time for each in wanted for one in each.sockets}
    given = {
        (call.host, call.pid, call.result)
        for call in calls
        if call.end is not None and call.end <= until.get(call.host, 0) and _gives(call)
    }
    forked = {
        (event.host, event.child)
        for event in processes
        if event.kind == "fork" and event.time <= until.get(event.host, 0)
    }
    return tuple(
        one
        for each in wanted
        for one in each.sockets
        if (one.host, one.pid, one.fd) not in given and (one.host, one.pid) not in forked
    )


def _open(snapshot: Snapshot) -> Iterator[OpenSocket]:
    for process in snapshot.processes:
        for descriptor in process.descriptors:
            socket = snapshot.held.get(descriptor.inode or 0)
            if descriptor.kind == "socket" and socket is not None:
                yield _of(snapshot.host, process.pid, descriptor.fd, socket)


def _of(host: str, pid: int, fd: int, socket: KernelSocket) -> OpenSocket:
    return OpenSocket(
        host=host,
        pid=pid,
        fd=fd,
        inode=socket.inode,
        family=socket.family,
        type=socket.type,
        state=_AS_SS.get(socket.state, socket.state),
        local=_endpoint(socket.local),
        remote=_endpoint(socket.remote),
    )


def _endpoint(told: SocketAddress) -> Endpoint | None:
    """Return an address as calls and packets have it; None of a path, or without a port."""
    if told.address is None or told.port is None:
        return None
    return plain(Endpoint(told.address, told.port))


def _gives(call: Call) -> bool:
    if verb(call.name) == "fcntl":
        return str(call.args.get("command", "")).startswith("F_DUPFD")
    return verb(call.name) in _GIVING
