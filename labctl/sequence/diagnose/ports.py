"""Which socket has which port of a host, and since when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from labctl.sequence.connection import Socket
from labctl.sequence.events import Call, Endpoint

_WILDCARDS = frozenset({"0.0.0.0", "::", ""})


@dataclass(frozen=True, slots=True)
class Holder:
    """A socket that has a port by bind or listen, not by connect or accept.

    `bound` and `listened` are when the calls were over, 0 where that was before the recording,
    None where it never was. `closed` is when the close that released it began.
    """

    socket: Socket
    local: Endpoint
    bind: Call | None
    listen: Call | None
    bound: int | None
    listened: int | None
    closed: int | None

    def open_at(self, time: int) -> bool:
        """Return whether the socket was bound and not closed at a time."""
        return (self.bound or 0) <= time and (self.closed is None or time < self.closed)

    def listening_at(self, time: int) -> bool:
        """Return whether the socket was listening at a time."""
        return self.listened is not None and self.listened <= time and self.open_at(time)


@dataclass(frozen=True, slots=True)
class Unbound:
    """A socket that listens without a bind that succeeded, on a port that nobody was told."""

    socket: Socket
    listen: Call

    @property
    def host(self) -> str:
        return self.socket.host

    def at(self, time: int) -> bool:
        """Return whether it listened at a time."""
        released = self.socket.released
        return self.listen.start <= time and (released is None or time < released)


class Ports:
    """The holders of all hosts' ports."""

    def __init__(self, holders: Iterable[Holder], unbound: Iterable[Unbound] = ()) -> None:
        self._unbound = tuple(unbound)
        self._by_port: dict[tuple[str, str, int], list[Holder]] = defaultdict(list)
        self._servers: dict[tuple[str, str], list[Holder]] = defaultdict(list)
        for holder in holders:
            key = holder.socket.host, kind(holder.socket), holder.local.port
            self._by_port[key].append(holder)
            if holder.listened is not None or (holder.bind and key[1] == "udp"):
                self._servers[key[:2]].append(holder)

    @classmethod
    def of(cls, sockets: Iterable[Socket], calls: Mapping[int, list[Call]]) -> Ports:
        listed = [(socket, calls.get(socket.id, [])) for socket in sockets]
        holders = (_holder(*one) for one in listed)
        unbound = (_unbound(*one) for one in listed)
        return cls((one for one in holders if one), (one for one in unbound if one))

    def holders(self, host: str, protocol: str, port: int) -> list[Holder]:
        """Return the sockets of a host that ever had a port, of `tcp` or `udp`."""
        return self._by_port.get((host, protocol, port), [])

    def servers(self, host: str, protocol: str) -> list[Holder]:
        """Return the sockets of a host that ever listened; of `udp`, that were bound."""
        return self._servers.get((host, protocol), [])

    def unbound(self, host: str, time: int) -> Unbound | None:
        """Return a socket of a host that listened at a time on a port of the kernel's choice."""
        return next((one for one in self._unbound if one.host == host and one.at(time)), None)


def kind(socket: Socket) -> str:
    """Return the protocol of a socket: `tcp`, `udp`, or its type."""
    if "STREAM" in socket.type.upper():
        return "tcp"
    return "udp" if "DGRAM" in socket.type.upper() else socket.type


def covers(local: Endpoint, target: str) -> bool:
    """Return whether what is sent to an address comes to a socket bound to `local`."""
    target = target.removeprefix("::ffff:")
    if local.address == "0.0.0.0":
        return ":" not in target
    return local.address in _WILDCARDS or local.address.removeprefix("::ffff:") == target


def is_loopback(address: str) -> bool:
    return address.removeprefix("::ffff:").startswith("127.") or address == "::1"


def _holder(socket: Socket, calls: list[Call]) -> Holder | None:
    if socket.local is None or socket.listener is not None:
        return None
    bind = next((c for c in calls if c.name == "bind" and not c.failed), None)
    listen = next((c for c in calls if c.name == "listen" and not c.failed), None)
    before = socket.born is None and socket.remote is None
    if not bind and not listen and not before and kind(socket) == "tcp":
        return None
    listened = None
    if listen:
        listened = listen.end or listen.start
    elif socket.listening and before:
        listened = 0
    bound = (bind.end or bind.start) if bind else 0 if before else _first(calls)
    closed = next((c.start for c in calls if c.name == "close" and c.last), socket.released)
    return Holder(socket, socket.local, bind, listen, bound, listened, closed)


def _unbound(socket: Socket, calls: list[Call]) -> Unbound | None:
    if socket.local is not None or kind(socket) != "tcp":
        return None
    listen = next((c for c in calls if c.name == "listen" and not c.failed), None)
    return Unbound(socket, listen) if listen else None


def _first(calls: list[Call]) -> int | None:
    """An unbound UDP socket has its port since its first sendto or connect."""
    return next((c.start for c in calls if c.name not in ("socket", "setsockopt")), None)
