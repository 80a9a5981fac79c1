"""What a recording cannot have seen, because programs ran before it began.

What was not seen is not judged: neither the first calls on a socket that was there already
(socket, bind, listen), nor a connection that was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from labctl.sequence.connection import Connection, Side, Socket
from labctl.sequence.events import Call
from labctl.sequence.pattern.model import Elements, Instant
from labctl.sequence.pattern.seen import Seen
from labctl.sequence.pattern.syntax import Atom, Choice, Node, Repeat, Row
from labctl.sequence.verbs import verb

FIRST = frozenset(
    {"socket", "setsockopt", "getsockopt", "bind", "listen", "getsockname", "fcntl", "ioctl"}
)
"""Verbs of the calls that prepare a socket."""


@dataclass(frozen=True)
class Missed:
    """Tells what was missed of what is to be judged."""

    seen: Seen

    @cached_property
    def hosts(self) -> frozenset[str]:
        """The hosts that had Internet sockets already when they began to be observed."""
        return frozenset(s.host for s in self._sockets.values() if self._from_before(s))

    def of(self, hosts: Iterable[str], connections: Sequence[Connection]) -> tuple[str, ...]:
        """Return those of some hosts whose part in the connections was not seen whole."""
        return tuple(
            host for host in sorted(self.hosts & {*hosts}) if self._part(host, connections)
        )

    def _part(self, host: str, connections: Sequence[Connection]) -> bool:
        sides = [side for one in connections for side in one.sides if side.host == host]
        return not sides or any(side.socket is None or self.first_calls(side) for side in sides)

    def first_calls(self, side: Side | None) -> bool:
        """Tell whether the first calls of one end were missed."""
        socket = side.socket if side else None
        if socket is not None and socket.listener is not None:
            socket = self._sockets.get(socket.listener)
        return socket is not None and self._from_before(socket)

    def begin(self, connection: Connection) -> bool:
        """Tell whether a connection was there before the calls of its hosts were recorded.

        Packets may have been recorded a little earlier: then a SYN is there, and no connect.
        """
        client, server = connection.sides
        if connection.protocol != "tcp" or self._partial.isdisjoint((client.host, server.host)):
            return False
        if client.host in self._partial and not _has(client, "connect"):
            return True
        if not server.calls and connection.segments:
            # Not all hosts are attached to at the same moment.
            begin, since = connection.segments[0].time, self._since.get(server.host or "")
            return since is not None and begin < since
        opened = any("SYN" in segment.flags for segment in connection.segments)
        return not opened and not _has(server, "accept")

    def instant(self, instant: Instant, connection: Connection) -> bool:
        """Tell whether an instant that is not there may have been missed."""
        if not instant.of_call or verb(instant.atom.name) not in FIRST:
            return False
        sides = [side for side in connection.sides if side.host == instant.host]
        if not sides or any(side.socket is None for side in sides):
            return instant.host in self.hosts
        return any(map(self.first_calls, sides))

    @cached_property
    def _partial(self) -> frozenset[str]:
        return frozenset(host.name for host in self.seen.recording.hosts if not host.whole)

    @cached_property
    def _since(self) -> dict[str, int]:
        """When the first call was seen of each host that was not seen whole."""
        found: dict[str, int] = {}
        for call in self.seen.calls:
            if call.host in self._partial:
                found.setdefault(call.host, call.start)
        return found

    @cached_property
    def _sockets(self) -> dict[int, Socket]:
        return {socket.id: socket for socket in self.seen.sockets}

    def _from_before(self, socket: Socket) -> bool:
        internet = socket.family in ("AF_INET", "AF_INET6", "")
        return internet and socket.born is None and socket.host in self._partial


def _has(side: Side, name: str) -> bool:
    return any(verb(call.name) == name for call in side.calls)


def without_first(elements: Elements, calls: Iterable[Call]) -> Elements:
    """Return the elements that are left of an end whose first calls were missed.

    Those of them that are among its `calls` may have been made for another time: they may be
    there, and need not.
    """
    seen = frozenset(verb(call.name) for call in calls) & FIRST
    return tuple(left for node in elements if (left := _left(node, seen)) is not None)


def _left(node: Node, seen: frozenset[str]) -> Node | None:
    match node:
        case Atom(name):
            if verb(name) not in FIRST:
                return node
            return Repeat(node, 0, None) if verb(name) in seen else None
        case Row(parts):
            kept = [left for part in parts if (left := _left(part, seen)) is not None]
            return Row(tuple(kept)) if kept else None
        case Choice(options):
            kept = [left for part in options if (left := _left(part, seen)) is not None]
            if not kept:
                return None
            choice = Choice(tuple(kept)) if len(kept) > 1 else kept[0]
            return choice if len(kept) == len(options) else Repeat(choice, 0, 1)
        case Repeat(part, least, most):
            left = _left(part, seen)
            return None if left is None else Repeat(left, least, most)
