"""From which lane to which an arrow goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from labctl.sequence.connection import Connection
from labctl.sequence.events import Endpoint, Segment, Sighting
from labctl.sequence.recording import Recording
from labctl.show.figure.lanes import Anchors, Thread, anchors

Drawn = Mapping[str, Mapping[Thread, object]]
"""The threads with drawn calls, by host."""


class Ends:
    """Finds the threads between which segments went, of one recording."""

    def __init__(
        self, recording: Recording, connections: Sequence[Connection], drawn: Drawn
    ) -> None:
        self.drawn = drawn
        self.hosts = {a: host.name for host in recording.hosts for a in host.addresses.values()}
        self.connections = {c.id: c for c in connections}
        self.anchors = {c.id: anchors(c, drawn) for c in connections}
        self.opening = {id(s) for c in connections for s in _handshake(c.segments)}

    def of(self, segment: Segment, connection: int | None) -> tuple[Thread, Thread]:
        """Return the threads that a segment left from and was for."""
        return (
            self._end(segment, segment.source, segment.sent, connection),
            self._end(segment, segment.target, segment.received, connection),
        )

    def side(self, host: str, local: Endpoint, connection: int) -> Anchors | None:
        """Return the anchors of the end of a connection that is on a host."""
        own = self.connections[connection]
        sides = [n for n, s in (("client", own.client), ("server", own.server)) if s.host == host]
        for name, side in (("client", own.client), ("server", own.server)):
            if side.endpoint == local and name in sides:
                return self.anchors[connection][name]
        return self.anchors[connection][sides[0]] if sides else None

    def _end(
        self, segment: Segment, at: Endpoint, seen: Sighting | None, connection: int | None
    ) -> Thread:
        host = seen.host if seen else self.hosts.get(at.address)
        if connection is not None:
            own, found = self.connections[connection], self.anchors[connection]
            for name, side in (("client", own.client), ("server", own.server)):
                # Of ICMP, both ends are told by the host alone: it has no ports.
                if side.endpoint == at or (segment.protocol == "icmp" and side.host == host):
                    ends = found[name]
                    return ends.handshake if id(segment) in self.opening else ends.rest
        if host is None:
            return Thread(at.address)
        return next(iter(self.drawn.get(host, {})), Thread(host))


def _handshake(segments: Sequence[Segment]) -> list[Segment]:
    """Return the segments with SYN, and the one that follows the last of them."""
    numbers = [n for n, segment in enumerate(segments) if "SYN" in segment.flags]
    last = numbers[-1] + 2 if numbers else 0
    return [s for n, s in enumerate(segments[:last]) if n in numbers or n == last - 1]
