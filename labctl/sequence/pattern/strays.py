"""The socket of a host that should have had a connection, and had none.

A server that forgot listen, or was never called, has no part in any connection. So that a
report can still say what it did, the socket that it most probably meant is looked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from labctl.sequence.arguments import endpoint
from labctl.sequence.connection import Side, Socket
from labctl.sequence.events import Call
from labctl.sequence.pattern.seen import Seen
from labctl.sequence.verbs import verb

TYPES = {"tcp": "SOCK_STREAM", "udp": "SOCK_DGRAM"}


class Strays:
    """Finds sockets that no connection of the pattern shows."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._found: dict[tuple[str, str | None, int | None], Side | None] = {}

    def side(self, host: str, protocol: str | None, port: int | None) -> Side | None:
        """Return the socket that a host most probably meant for a port, with its calls.

        None where it made none at all.
        """
        key = (host, protocol, port)
        if key not in self._found:
            self._found[key] = self._side(*key)
        return self._found[key]

    def _side(self, host: str, protocol: str | None, port: int | None) -> Side | None:
        sides = list(self._sides(host, protocol)) or list(self._sides(host, None))
        if sides:
            return max(sides, key=lambda side: _likeness(side, port))
        failed = tuple(c for c in self._seen.calls if c.host == host and _is_failed_socket(c))
        return Side(host, None, None, failed) if failed else None

    def _sides(self, host: str, protocol: str | None) -> Iterator[Side]:
        for socket in self._seen.sockets:
            if (
                socket.host == host
                and "INET" in socket.family
                and socket.listener is None
                and socket.id not in self._active
                and (protocol is None or TYPES[protocol] in socket.type)
            ):
                yield Side(host, socket.local, socket, tuple(self._calls.get(socket.id, ())))

    @cached_property
    def _active(self) -> frozenset[int]:
        return frozenset(
            connection.client.socket.id
            for connection in self._seen.connections
            if connection.client.socket is not None
        )

    @cached_property
    def _calls(self) -> dict[int, list[Call]]:
        found: dict[int, list[Call]] = {}
        for call in self._seen.calls:
            if call.socket is not None:
                found.setdefault(call.socket, []).append(call)
        return found


def _likeness(side: Side, port: int | None) -> tuple[bool, bool, bool, int]:
    socket, verbs = side.socket, {verb(call.name) for call in side.calls}
    assert isinstance(socket, Socket)
    # A bind that failed names the port as well.
    asked = (endpoint(call) for call in side.calls if call.name == "bind")
    meant = port is not None and port in {own.port for own in (socket.local, *asked) if own}
    return meant, socket.listening, "bind" in verbs, len(side.calls)


def _is_failed_socket(call: Call) -> bool:
    return call.name == "socket" and call.failed
