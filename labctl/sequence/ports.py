"""Which UDP socket has which port: as calls tell, or the first datagram that it sent."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import attrgetter

from labctl.sequence.datagrams import AHEAD, Operation, is_of
from labctl.sequence.descriptor_table import Kernel
from labctl.sequence.endpoints import wildcard
from labctl.sequence.events import Endpoint, Segment


class Ports:
    """Which UDP socket has which port of a host, and when."""

    def __init__(self, tolerance: int) -> None:
        self._tolerance = tolerance
        self._by_port: dict[tuple[str, int], list[Kernel]] = defaultdict(list)

    def add(self, socket: Kernel) -> None:
        """Note a socket whose local port is known."""
        if socket.local is not None and socket.local.port:
            self._by_port[socket.host, socket.local.port].append(socket)

    def owner(self, host: str, own: Endpoint, peer: Endpoint, time: int) -> Kernel | None:
        """Return the socket that had an endpoint at a time: one connected to `peer` first."""
        found = [
            socket
            for socket in self._by_port.get((host, own.port), ())
            if self._alive(socket, time)
            and socket.local is not None
            and (wildcard(socket.local) or socket.local.address == own.address)
            and socket.remote in (None, peer)
        ]
        return min(found, key=lambda socket: socket.remote is None, default=None)

    def _alive(self, socket: Kernel, time: int) -> bool:
        born = socket.born is None or socket.born <= time + self._tolerance
        return born and (socket.released is None or socket.released >= time - self._tolerance)


def by_sender(carried: Iterable[Segment]) -> dict[str, list[Segment]]:
    """Return the datagrams that left each host, in the order of time."""
    sent: dict[str, list[Segment]] = defaultdict(list)
    for segment in carried:
        if segment.sent is not None:
            sent[segment.sent.host].append(segment)
    return sent


def find_local(
    socket: Kernel, own: Sequence[Operation], sent: Sequence[Segment], taken: Ports, tolerance: int
) -> None:
    """Find the ephemeral port of a socket by the first datagram that it sent.

    `sent` are the datagrams that left the socket's host, in the order of time.
    """
    for operation in own:
        if not operation.sends or operation.call.failed:
            continue
        start = operation.call.start - tolerance
        place = bisect_left(sent, start, key=attrgetter("time"))
        for segment in sent[place : place + AHEAD]:
            if is_of(operation, segment) and not taken.owner(
                socket.host, segment.source, segment.target, segment.time
            ):
                local = socket.local
                address = segment.source.address if local is None else local.address
                socket.local = Endpoint(address, segment.source.port)
                return
